/*
 * process.c - the process table: who is whose child, how they end, who waits for them.
 *
 * Owns: struct posix_proc.  Invariant: a process that is not FREE has a parent in the table or is
 * init; when its environment is gone it is a ZOMBIE until its parent has asked.  Whoever takes a
 * dead one apart closes what it left open, so pipes end and files go.  Lock: posix_lock.
 * Called by programs, spawn.c, and posix_wait() when a child ends.
 */
#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <libos/call.h>
#include <libos/build.h>
#include <libos/spawn.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>

enum { MOST_PROCS = 256 };
enum { PID_LIMIT = 1 << 30, RETRY_NS = 1000000, NO_CAP = EXO_NCAP, SIGNAL_STATUS = 128 };

/* Places of this process's own children, in no order. */
static uint16_t child[MOST_PROCS];
static uint32_t children;

/* ---- the table ----------------------------------------------------------------------------- */

/* p becomes this process's child.  It is counted first, as this process may be killed here. */
static void child_add(struct posix_proc *p)
{
	posix_self->children++;
	p->parent = posix_self->pid;
	child[children++] = (uint16_t)(p - posix_seg->proc);
}

static void child_remove(const struct posix_proc *p)
{
	for (uint32_t i = 0; i < children; i++)
		if (child[i] == p - posix_seg->proc) {
			child[i] = child[--children];
			return;
		}
}

struct posix_proc *proc_new(void)
{
	struct posix_segment *s = posix_seg;
	struct posix_proc *p = NULL;

	posix_lock();
	for (uint32_t i = 1; i < s->nprocs && !p; i++) {
		const uint32_t at = 1 + (s->last_proc + i - 1) % (s->nprocs - 1);

		if (s->proc[at].state == POSIX_PROC_FREE) {
			const int32_t old = s->proc[at].pid;

			p = &s->proc[at];
			memset(p, 0, sizeof(*p));
			p->pid = old && old < PID_LIMIT ? old + (int32_t)s->nprocs : (int32_t)at;
			s->last_proc = at;
		}
	}
	if (p && posix_self) {
		child_add(p);
		p->pgrp = posix_self->pgrp;
		p->tty = posix_self->tty;
		p->umask = posix_self->umask;
		p->uid = posix_self->uid;
		p->gid = posix_self->gid;
		p->ignored = posix_self->ignored;
	}
	if (p)
		p->state = POSIX_PROC_RUNNING;
	posix_unlock();
	return p;
}

void proc_free(struct posix_proc *p)
{
	image_drop(p->image);
	p->image = NULL;
	child_remove(p);
	p->eid = 0;
	p->state = POSIX_PROC_FREE;
	posix_self->children--;
}

void proc_started(struct posix_proc *p, const struct build *b)
{
	uint64_t nobody = 0;

	p->cap = b->cap;
	(void)__atomic_compare_exchange_n(&p->eid, &nobody, b->eid, 0, __ATOMIC_ACQ_REL,
					  __ATOMIC_ACQUIRE);
}

void proc_copied(struct posix_proc *self)
{
	posix_self = self;
	children = 0;
}

struct posix_proc *proc_find(int32_t pid)
{
	struct posix_proc *p;

	if (pid <= 0)
		return NULL;
	p = &posix_seg->proc[(uint32_t)pid % posix_seg->nprocs];
	return p->pid == pid && p->state != POSIX_PROC_FREE ? p : NULL;
}

uint64_t posix_eid(int32_t pid)
{
	const struct posix_proc *const p = proc_find(pid);

	return p ? p->eid : 0;
}

int spawn_cap(int pid)
{
	const struct posix_proc *const p = proc_find(pid);

	if (p && p->state == POSIX_PROC_RUNNING && p->parent == posix_self->pid && p->cap != NO_CAP)
		return (int)p->cap;
	errno = ECHILD;
	return -1;
}

/* ---- the end of a child -------------------------------------------------------------------- */

/* What waitpid says of one that did not come to say it itself. */
static int status_of(const struct build_end *end)
{
	static const uint8_t signals[32] = {
		[0] = SIGFPE,  [1] = SIGTRAP, [3] = SIGTRAP, [6] = SIGILL,
		[16] = SIGFPE, [17] = SIGBUS, [19] = SIGFPE,
	};
	const uint8_t by_vector = signals[end->vector & 31];

	if (end->end == EXO_END_EXIT)
		return end->code > SIGNAL_STATUS && end->code < SIGNAL_STATUS + NSIG
			       ? (int)end->code - SIGNAL_STATUS
			       : (int)(end->code & 0xff) << 8;
	if (end->end == EXO_END_KILLED)
		return end->code > 0 && end->code < NSIG ? (int)end->code : SIGKILL;
	return by_vector ? by_vector : SIGSEGV;
}

/*
 * Its children are the caller's now; the kernel made them so, without a capability for them. Nobody
 * will ask how they end, so they are forgotten then.
 */
static void adopt_children(const struct posix_proc *dead)
{
	if (!dead->children)
		return;
	for (uint32_t i = 1; i < posix_seg->nprocs; i++) {
		struct posix_proc *p = &posix_seg->proc[i];

		if (p->state == POSIX_PROC_FREE || p->parent != dead->pid)
			continue;
		p->cap = NO_CAP;
		child_add(p);
		if (p->state == POSIX_PROC_ZOMBIE)
			proc_free(p);
	}
}

static void (*on_death)(const struct posix_proc *p, const struct build_end *end);

void posix_on_death(void (*fn)(const struct posix_proc *p, const struct build_end *end))
{
	on_death = fn;
}

/* A capability for an environment that the kernel made this one's child; NO_CAP: there is none to
 * be had. */
static uint32_t cap_of_orphan(uint64_t eid)
{
	const int d = build_free_cap();

	return d >= 0 && call_env_open(eid, (uint32_t)d).status == EXO_OK ? (uint32_t)d : NO_CAP;
}

/* Takes a dead child apart.  1: not possible yet. */
static int bury(struct posix_proc *p)
{
	struct build b = {.eid = p->eid, .cap = p->cap};
	struct build_end end = {.end = EXO_END_NONE};

	if (b.cap == NO_CAP)
		b.cap = cap_of_orphan(p->eid);
	if (build_reap(&b, &end) == -EAGAIN) {
		if (p->cap == NO_CAP && b.cap != NO_CAP)
			call_cap_drop(b.cap);
		return 1;
	}
	if (p->state == POSIX_PROC_RUNNING) {
		fd_close_all(p);
		file_finish(p->eid);
		p->status = status_of(&end);
	}
	if (on_death)
		on_death(p, &end);
	posix_lock();
	p->ticks += end.ticks;
	posix_self->ticks += p->ticks;
	adopt_children(p);
	image_drop(p->image);
	p->image = NULL;
	p->state = POSIX_PROC_ZOMBIE;
	if (p->cap == NO_CAP)
		proc_free(p);
	else
		signal_send(posix_self, SIGCHLD);
	posix_unlock();
	return 0;
}

/*
 * Takes apart the environment that p was in before exec; p's own becomes the caller's child by
 * that.  1: not possible yet.
 */
static int bury_left(struct posix_proc *p)
{
	const uint32_t cap = p->cap == NO_CAP ? cap_of_orphan(p->left.eid) : p->cap;
	struct build b = {.eid = p->left.eid, .cap = cap};
	struct build_end end;

	/* Else it ended before it had a successor: p has ended. */
	if (__atomic_load_n(&p->eid, __ATOMIC_ACQUIRE) != p->left.eid) {
		if (build_reap(&b, &end) == -EAGAIN) {
			if (p->cap == NO_CAP && cap != NO_CAP)
				call_cap_drop(cap);
			return 1;
		}
		if (p->cap != NO_CAP && call_env_open(p->eid, cap).status != EXO_OK)
			p->cap = NO_CAP;
	}
	posix_lock();
	image_drop(p->left.image);
	p->left = (struct posix_left){0, NULL};
	posix_unlock();
	return 0;
}

/*
 * Whether p's environment is gone and nothing else is to be done first.  The child writes what is
 * read here: once its environment is seen to be dead, what it did last is seen too, which may have
 * been to leave its place to another.
 */
static int has_ended(const struct posix_proc *p)
{
	const uint64_t eid = __atomic_load_n(&p->eid, __ATOMIC_ACQUIRE);

	if (!eid || p->state == POSIX_PROC_ZOMBIE || tables_alive(eid))
		return 0;
	return __atomic_load_n(&p->left.eid, __ATOMIC_ACQUIRE) == 0 &&
	       __atomic_load_n(&p->eid, __ATOMIC_ACQUIRE) == eid;
}

int proc_children(void)
{
	int again = 0;

	/* From the end, since one that is forgotten is replaced by the last. */
	for (uint32_t i = children; i-- > 0;) {
		struct posix_proc *p = &posix_seg->proc[child[i]];

		const uint64_t left = __atomic_load_n(&p->left.eid, __ATOMIC_ACQUIRE);

		if (left && !tables_alive(left))
			again |= bury_left(p);
		if (has_ended(p))
			again |= bury(p);
	}
	return again;
}

_Noreturn void proc_die(int sig)
{
	posix_enter();
	fd_close_all(posix_self);
	posix_self->status = sig;
	posix_self->state = POSIX_PROC_EXITED;
	start_exit(SIGNAL_STATUS + sig);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static int is_meant(const struct posix_proc *p, pid_t pid)
{
	if (pid > 0)
		return p->pid == pid;
	return pid == -1 || p->pgrp == (pid ? -pid : posix_self->pgrp);
}

/* A zombie that is meant is told of and forgotten: its pid; 0: others live; -ECHILD: none. */
static pid_t take_zombie(pid_t pid, int *status)
{
	pid_t result = -ECHILD;

	posix_lock();
	for (uint32_t i = 0; i < children && result <= 0; i++) {
		struct posix_proc *p = &posix_seg->proc[child[i]];

		if (!is_meant(p, pid))
			continue;
		result = 0;
		if (p->state == POSIX_PROC_ZOMBIE) {
			*status = p->status;
			result = p->pid;
			proc_free(p);
		}
	}
	posix_unlock();
	return result;
}

static pid_t do_wait(pid_t pid, int *status, int options)
{
	int error = 0;

	for (;;) {
		const int again = proc_children();
		const pid_t found = take_zombie(pid, status);

		/* A child that ended counts for more than the signal that tells of it. */
		if (found != 0 || error == -EINTR || (options & WNOHANG))
			return found ? found : error == -EINTR ? error : 0;
		tty_pump();
		error = posix_wait(EXO_EV_CHILD, again ? time_now() + RETRY_NS : 0);
	}
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	int told = 0;
	pid_t result;

	posix_enter_point();
	result = (pid_t)posix_leave(do_wait(pid, &told, options));
	if (result > 0 && status)
		*status = told;
	return result;
}

pid_t wait(int *status)
{
	return waitpid(-1, status, 0);
}

pid_t wait3(int *status, int options, struct rusage *usage);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	const pid_t result = waitpid(pid, status, options);

	if (usage)
		(void)getrusage(RUSAGE_CHILDREN, usage);
	return result;
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
	return wait4(-1, status, options, usage);
}

/* ---- names and groups ---------------------------------------------------------------------- */

pid_t getpid(void)
{
	return posix_self->pid;
}

pid_t getppid(void)
{
	return posix_self->parent;
}

pid_t getpgrp(void)
{
	return posix_self->pgrp;
}

static int do_setpgid(pid_t pid, pid_t pgrp)
{
	struct posix_proc *p;

	if (pgrp < 0)
		return -EINVAL;
	p = pid ? proc_find(pid) : posix_self;
	if (!p || (p != posix_self && p->parent != posix_self->pid))
		return -ESRCH;
	p->pgrp = pgrp ? pgrp : p->pid;
	return 0;
}

int setpgid(pid_t pid, pid_t pgrp)
{
	posix_enter();
	return (int)posix_leave(do_setpgid(pid, pgrp));
}

pid_t getpgid(pid_t pid);
pid_t getpgid(pid_t pid)
{
	const struct posix_proc *p = pid ? proc_find(pid) : posix_self;

	if (p)
		return p->pgrp;
	errno = ESRCH;
	return -1;
}

/* A session is a group of its own here: terminals do not belong to sessions. */
pid_t setsid(void)
{
	return setpgid(0, 0) ? -1 : posix_self->pid;
}
