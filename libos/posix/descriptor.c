/*
 * descriptor.c - descriptors and open files: who names what, and when the last name goes.
 *
 * Owns: the file table and every process's fd[].  Invariant: a file's refs are the descriptors that
 * name it (plus one between file_new() and fd_install()).  Lock: posix_lock; what a file names is
 * let go of after the lock is, by one closer whose eid stands in the file meanwhile.
 * Called by the layer's calls, by spawn, and by reapers of dead processes.
 */
#define _GNU_SOURCE /* dup3, pipe2 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <libos/start.h>

static uint32_t entry_file(uint16_t entry)
{
	return entry & (POSIX_FD_CLOEXEC - 1u);
}

struct posix_file *fd_file(int fd)
{
	if (!posix_self || fd < 0 || fd >= POSIX_NFD || posix_self->fd[fd] == 0)
		return NULL;
	return &posix_seg->file[entry_file(posix_self->fd[fd])];
}

int fd_readable(int fd, struct posix_file **out)
{
	*out = fd_file(fd);
	return *out && ((*out)->flags & O_ACCMODE) != O_WRONLY ? 0 : -EBADF;
}

int fd_writable(int fd, struct posix_file **out)
{
	*out = fd_file(fd);
	return *out && ((*out)->flags & O_ACCMODE) != O_RDONLY ? 0 : -EBADF;
}

/* A file like `like` in a free place, with one reference, or NULL; posix_lock is held. */
static struct posix_file *file_make(const struct posix_file *like)
{
	for (uint32_t i = 1; i < posix_seg->nfiles; i++) {
		const uint32_t at = 1 + (posix_seg->last_file + i) % (posix_seg->nfiles - 1);
		struct posix_file *const f = &posix_seg->file[at];

		if (f->type != POSIX_FILE_FREE)
			continue;
		posix_seg->last_file = at - 1;
		*f = *like;
		f->refs = 1;
		f->flags &= ~(uint32_t)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
		return f;
	}
	return NULL;
}

struct posix_file *file_new(enum posix_file_type type, uint32_t flags)
{
	struct posix_file *f;

	posix_lock();
	f = file_make(&(struct posix_file){.type = type, .flags = flags});
	posix_unlock();
	return f;
}

/* Lets go of what a file in state CLOSING names; may be done again after a death half-way. */
static void file_release(struct posix_file *f)
{
	struct fs_node *node = f->node;

	f->node = NULL;
	if (node)
		node_put(node);
	if (f->pipe) {
		struct posix_pipe *pipe = f->pipe;

		f->pipe = NULL;
		(void)pipe_end_closed(pipe, f->was == POSIX_FILE_PIPE_WRITE);
	}
	f->closer = 0;
	f->type = POSIX_FILE_FREE;
}

/* One reference less; posix_lock is held.  1: the caller must file_release() it. */
static int file_unref(struct posix_file *f)
{
	if (f->refs > 1) {
		f->refs--;
		return 0;
	}
	f->was = (uint16_t)f->type;
	f->closer = start_self();
	f->type = POSIX_FILE_CLOSING;
	f->refs = 0;
	return 1;
}

void file_drop(struct posix_file *f)
{
	int last;

	posix_lock();
	last = file_unref(f);
	posix_unlock();
	if (last)
		file_release(f);
}

void file_finish(uint64_t eid)
{
	for (uint32_t i = 1; i < posix_seg->nfiles; i++) {
		struct posix_file *f = &posix_seg->file[i];

		if (f->type == POSIX_FILE_CLOSING && f->closer == eid)
			file_release(f);
	}
}

int file_written(const struct fs_node *n)
{
	for (uint32_t i = 1; i < posix_seg->nfiles; i++) {
		const struct posix_file *f = &posix_seg->file[i];

		if (f->type == POSIX_FILE_NODE && f->node == n &&
		    (f->flags & O_ACCMODE) != O_RDONLY)
			return 1;
	}
	return 0;
}

void file_recount(void)
{
	struct posix_segment *s = posix_seg;

	for (uint32_t i = 1; i < s->nfiles; i++)
		if (s->file[i].type > POSIX_FILE_CLOSING)
			s->file[i].refs = 0;
	for (uint32_t p = 1; p < s->nprocs; p++)
		for (int fd = 0; s->proc[p].state != POSIX_PROC_FREE && fd < POSIX_NFD; fd++)
			s->file[entry_file(s->proc[p].fd[fd])].refs++;
	s->file[0].refs = 0;
}

static uint16_t entry_of(const struct posix_file *f, int cloexec)
{
	return (uint16_t)((f - posix_seg->file) | (cloexec ? POSIX_FD_CLOEXEC : 0));
}

static void set_entry(struct posix_proc *p, int fd, uint16_t entry)
{
	p->fd[fd] = entry;
	if (p->fds <= (uint32_t)fd)
		p->fds = (uint32_t)fd + 1;
}

static int lowest_free(int low)
{
	for (int fd = low; fd < POSIX_NFD; fd++)
		if (posix_self->fd[fd] == 0)
			return fd;
	return -EMFILE;
}

int fd_install(struct posix_file *f, int low, int cloexec)
{
	int fd;

	posix_lock();
	fd = lowest_free(low);
	if (fd >= 0)
		set_entry(posix_self, fd, entry_of(f, cloexec));
	posix_unlock();
	if (fd < 0)
		file_drop(f);
	return fd;
}

int fd_open(const struct posix_file *like, int cloexec)
{
	struct posix_file *f;
	int fd;

	posix_lock();
	fd = lowest_free(0);
	f = fd < 0 ? NULL : file_make(like);
	if (f)
		set_entry(posix_self, fd, entry_of(f, cloexec));
	posix_unlock();
	return fd < 0 || f ? fd : -ENFILE;
}

static int close_of(struct posix_proc *p, int fd)
{
	struct posix_file *f;
	int last;

	posix_lock();
	if (p->fd[fd] == 0) {
		posix_unlock();
		return -EBADF;
	}
	f = &posix_seg->file[entry_file(p->fd[fd])];
	record_closed(p, f->node);
	p->fd[fd] = 0;
	last = file_unref(f);
	posix_unlock();
	if (last)
		file_release(f);
	return 0;
}

int fd_close(int fd)
{
	return fd_file(fd) ? close_of(posix_self, fd) : -EBADF;
}

int fd_give(struct posix_proc *p, int to, int fd)
{
	struct posix_file *f = fd_file(fd);

	if (!f || to < 0 || to >= POSIX_NFD)
		return -EBADF;
	posix_lock();
	f->refs++;
	set_entry(p, to, entry_of(f, 0));
	posix_unlock();
	return 0;
}

void fd_give_all(struct posix_proc *p)
{
	for (int fd = 0; fd < (int)posix_self->fds; fd++) {
		(void)fd_give(p, fd, fd);
		p->fd[fd] |= posix_self->fd[fd] & POSIX_FD_CLOEXEC;
	}
	p->cwd = posix_self->cwd;
	if (p->cwd)
		node_ref(p->cwd);
}

void fd_close_marked(void)
{
	for (int fd = 0; fd < (int)posix_self->fds; fd++)
		if (posix_self->fd[fd] & POSIX_FD_CLOEXEC)
			(void)fd_close(fd);
}

void fd_close_all(struct posix_proc *p)
{
	struct fs_node *cwd = p->cwd;

	for (int fd = 0; fd < (int)p->fds; fd++)
		if (p->fd[fd])
			(void)close_of(p, fd);
	p->cwd = NULL;
	if (cwd)
		node_put(cwd);
}

/* ---- calls --------------------------------------------------------------------------------- */

int close(int fd)
{
	posix_enter_point();
	return (int)posix_leave(fd_close(fd));
}

static int duplicate(int fd, int low, int cloexec)
{
	struct posix_file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	if (low < 0 || low >= POSIX_NFD)
		return -EINVAL;
	posix_lock();
	f->refs++;
	posix_unlock();
	return fd_install(f, low, cloexec);
}

static int duplicate_to(int fd, int to, int cloexec)
{
	int error;

	if (!fd_file(fd) || to < 0 || to >= POSIX_NFD)
		return -EBADF;
	if (fd == to)
		return to;
	(void)fd_close(to);
	error = fd_give(posix_self, to, fd);
	if (error == 0 && cloexec)
		posix_self->fd[to] |= POSIX_FD_CLOEXEC;
	return error ? error : to;
}

int dup(int fd)
{
	posix_enter();
	return (int)posix_leave(duplicate(fd, 0, 0));
}

int dup2(int fd, int to)
{
	posix_enter();
	return (int)posix_leave(duplicate_to(fd, to, 0));
}

int dup3(int fd, int to, int flags)
{
	posix_enter();
	return (int)posix_leave(fd == to ? -EINVAL : duplicate_to(fd, to, flags & O_CLOEXEC));
}

static int set_fd_flags(int fd, int flags)
{
	if (flags & FD_CLOEXEC)
		posix_self->fd[fd] |= POSIX_FD_CLOEXEC;
	else
		posix_self->fd[fd] &= POSIX_FD_CLOEXEC - 1;
	return 0;
}

static int control(int fd, int command, long arg)
{
	const uint32_t settable = O_APPEND | O_NONBLOCK;
	struct posix_file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(fd, (int)arg, command == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return posix_self->fd[fd] & POSIX_FD_CLOEXEC ? FD_CLOEXEC : 0;
	case F_SETFD:
		return set_fd_flags(fd, (int)arg);
	case F_GETFL:
		return (int)f->flags;
	case F_SETFL:
		f->flags = (f->flags & ~settable) | ((uint32_t)arg & settable);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return record_control(fd, command, (struct flock *)arg);
	default:
		return -EINVAL;
	}
}

int fcntl(int fd, int command, ...)
{
	va_list args;
	long arg;

	va_start(args, command);
	arg = va_arg(args, long);
	va_end(args);
	if (command == F_SETLKW)
		posix_cancel_point();
	posix_enter();
	return (int)posix_leave(control(fd, command, arg));
}

static int make_pipe(int fds[2], int flags)
{
	struct posix_pipe *pipe = pipe_new();
	struct posix_file *in = pipe ? file_new(POSIX_FILE_PIPE_READ, O_RDONLY | flags) : NULL;
	struct posix_file *out = in ? file_new(POSIX_FILE_PIPE_WRITE, O_WRONLY | flags) : NULL;

	if (in)
		in->pipe = pipe;
	if (out)
		out->pipe = pipe;
	else if (pipe)
		(void)pipe_end_closed(pipe, 1);
	if (!out) {
		if (in)
			file_drop(in);
		else if (pipe)
			(void)pipe_end_closed(pipe, 0);
		return pipe ? -ENFILE : -ENOMEM;
	}
	fds[0] = fd_install(in, 0, flags & O_CLOEXEC);
	fds[1] = fd_install(out, 0, flags & O_CLOEXEC);
	if (fds[0] >= 0 && fds[1] >= 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)fd_close(fds[i]);
	return -EMFILE;
}

int pipe2(int fds[2], int flags)
{
	posix_enter();
	return (int)posix_leave(flags & ~(O_CLOEXEC | O_NONBLOCK) ? -EINVAL
								  : make_pipe(fds, flags));
}

int pipe(int fds[2])
{
	return pipe2(fds, 0);
}

int getdtablesize(void)
{
	return POSIX_NFD;
}
