/*
 * record_lock.c - fcntl's F_GETLK, F_SETLK and F_SETLKW, and lockf: record locks between processes.
 *
 * Owns the segment's table of them, whose rules are in record.h.  They are a process's, not a
 * descriptor's: any close of the file by it, and its end, drops them all, and fork gives none to
 * the child.  Invariant: a lock's node is open in its process.  Who must wait leaves a wish in the
 * table and is woken whenever something of that file is let go of.  Locks advise: reading and
 * writing do not look at them.  Lock: posix_lock, never held asleep.  Called by descriptor.c and
 * programs.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <libos/vm.h>
#include "record.h"

/* posix_lock is held. */
static void wake_waiting(const struct fs_node *node)
{
	const struct posix_records *t = &posix_seg->records;

	for (uint32_t i = 0; i < t->used; i++)
		if (t->at[i].wanted && t->at[i].node == node)
			posix_wake(posix_eid(t->at[i].pid));
}

void record_closed(const struct posix_proc *p, const struct fs_node *node)
{
	if (!node || posix_seg->records.used == 0)
		return;
	record_drop(&posix_seg->records, node, p->pid);
	wake_waiting(node);
}

static int start_of(const struct posix_file *f, const struct flock *l, off_t *start)
{
	off_t base = 0;

	if (l->l_whence == SEEK_CUR)
		base = (off_t)f->offset;
	else if (l->l_whence == SEEK_END)
		base = (off_t)f->node->attr.size;
	else if (l->l_whence != SEEK_SET)
		return -EINVAL;
	return __builtin_add_overflow(base, l->l_start, start) ? -EOVERFLOW : 0;
}

/* The bytes that `l` means; a negative length is that much before its start. */
static int bytes_of(const struct posix_file *f, const struct flock *l, struct posix_record *r)
{
	off_t start, end;
	const int error = start_of(f, l, &start);

	if (error)
		return error;
	if (__builtin_add_overflow(start, l->l_len, &end))
		return l->l_len > 0 ? -EOVERFLOW : -EINVAL;
	r->first = (uint64_t)(l->l_len < 0 ? end : start);
	r->last = l->l_len == 0 ? RECORD_END : (uint64_t)(l->l_len < 0 ? start : end) - 1;
	return (int64_t)r->first < 0 || start < 0 ? -EINVAL : 0;
}

/* What is asked for on the file of fd; *file is that. */
static int request_of(int fd, const struct flock *l, struct posix_file **file,
		      struct posix_record *r)
{
	struct posix_file *f = *file = fd_file(fd);

	if (!f)
		return -EBADF;
	if (f->type != POSIX_FILE_NODE ||
	    (l->l_type != F_RDLCK && l->l_type != F_WRLCK && l->l_type != F_UNLCK))
		return -EINVAL;
	*r = (struct posix_record){
		.node = f->node, .pid = posix_self->pid, .exclusive = l->l_type == F_WRLCK};
	return bytes_of(f, l, r);
}

/* A reader's lock wants a descriptor that may read, a writer's one that may write. */
static int may_lock(int fd, short type)
{
	struct posix_file *f;

	if (type == F_UNLCK)
		return 0;
	return type == F_RDLCK ? fd_readable(fd, &f) : fd_writable(fd, &f);
}

static int get(const struct posix_record *r, struct flock *l)
{
	const struct posix_record *e;

	if (l->l_type == F_UNLCK)
		return -EINVAL;
	posix_lock();
	e = record_conflict(&posix_seg->records, r);
	if (e)
		*l = (struct flock){
			.l_type = e->exclusive ? F_WRLCK : F_RDLCK,
			.l_whence = SEEK_SET,
			.l_start = (off_t)e->first,
			.l_len = e->last == RECORD_END ? 0 : (off_t)(e->last - e->first + 1),
			.l_pid = e->pid,
		};
	else
		l->l_type = F_UNLCK;
	posix_unlock();
	return 0;
}

/* One try, posix_lock held: -EAGAIN: somebody else holds it. */
static int set(const struct posix_record *r, short type)
{
	struct posix_records *t = &posix_seg->records;
	int error;

	if (type != F_UNLCK && record_conflict(t, r))
		return -EAGAIN;
	error = type == F_UNLCK ? record_release(t, r) : record_hold(t, r);
	/* A writer who becomes a reader lets go of something too. */
	if (error == 0)
		wake_waiting(r->node);
	return error;
}

/* Sleeps, with a wish in the table, until something of the file is let go of; posix_lock is held.
 */
static int sleep_for(const struct posix_record *r)
{
	struct posix_records *t = &posix_seg->records;
	int error = record_deadlock(t, r) ? -EDEADLK : record_want(t, r);

	if (error)
		return error;
	posix_unlock();
	error = posix_wait_uncancelled(POSIX_EV_WAKE, 0);
	posix_lock();
	record_met(t, r);
	posix_unlock();
	posix_cancel_point();
	posix_lock();
	return error;
}

/* A sibling thread may close the file meanwhile: then there is nothing to lock any more. */
static int set_waiting(int fd, const struct posix_record *r, short type)
{
	const struct posix_file *f;
	int error;

	posix_lock();
	for (;;) {
		f = fd_file(fd);
		error = f && f->type == POSIX_FILE_NODE && f->node == r->node ? set(r, type)
									      : -EBADF;
		if (error != -EAGAIN)
			break;
		error = sleep_for(r);
		if (error)
			break;
	}
	posix_unlock();
	return error;
}

int record_control(int fd, int command, struct flock *l)
{
	struct posix_record r;
	struct posix_file *f;
	int error = user_check(l, sizeof(*l), command == F_GETLK ? VM_READ | VM_WRITE : VM_READ);

	if (error == 0)
		error = request_of(fd, l, &f, &r);
	if (error == 0 && command != F_GETLK)
		error = may_lock(fd, l->l_type);
	if (error)
		return error;
	if (command == F_GETLK)
		return get(&r, l);
	if (command == F_SETLKW)
		return set_waiting(fd, &r, l->l_type);
	posix_lock();
	error = set(&r, l->l_type);
	posix_unlock();
	return error;
}

static int do_lockf(int fd, int what, off_t n)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = n};
	int error;

	switch (what) {
	case F_ULOCK:
		l.l_type = F_UNLCK;
		return record_control(fd, F_SETLK, &l);
	case F_LOCK:
		return record_control(fd, F_SETLKW, &l);
	case F_TLOCK:
		return record_control(fd, F_SETLK, &l);
	case F_TEST:
		error = record_control(fd, F_GETLK, &l);
		return error == 0 && l.l_type != F_UNLCK ? -EACCES : error;
	default:
		return -EINVAL;
	}
}

int lockf(int fd, int what, off_t n)
{
	posix_enter_point();
	return (int)posix_leave(do_lockf(fd, what, n));
}
