/*
 * fork.c - a copy of this process as its child.
 *
 * All private memory is copied at once (vm_copy_to); what is shared is mapped in both.  The copy
 * begins in copied(), on a piece of stack inside fork's own frame, makes what its memory says of
 * itself true, and returns from the setjmp that its parent returned from.  What belongs to an
 * environment is new: upcall page, disk ring, capability slots from LAYOUT_CAP_FREE on.
 * Invariant: a child that could not be made leaves nothing behind.  Lock: see posix_segment.h; none
 * is held meanwhile.  Called by programs.
 */
#include "posix.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>
#include <libos/build.h>
#include <libos/sched.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>
#include <libos/wait.h>

enum {
	MOST_GRANTS = 16,
	STACK = 2048,	  /* bytes for copied(), before it is back on fork's stack */
	SPARE_PAGES = 64, /* for the copy to begin with */
};

/* What the copy finds on its stack. */
struct copy {
	_Alignas(16) char stack[STACK];
	jmp_buf back;
	struct posix_proc *self;
	uint64_t eid;
	uint32_t mxcsr; /* setjmp keeps general registers only */
	uint16_t x87;
};

/* What programs with threads have besides (pthread_newlib.c, sched/thread.c). */
__attribute__((weak)) void newlib_hold(void)
{
}

__attribute__((weak)) void newlib_let_go(void)
{
}

__attribute__((weak)) void newlib_copied(void)
{
}

__attribute__((weak)) void thread_forked(void)
{
}

/* The copy's first function; as in the parent, upcalls are held back. */
_Noreturn static void copied(struct copy *c)
{
	__asm__ volatile("ldmxcsr %0; fldcw %1" ::"m"(c->mxcsr), "m"(c->x87));
	start_set_self(c->eid);
	vm_copied();
	upcall_defer();
	upcall_start();
	proc_copied(c->self);
	c->self->eid = c->eid;
	reach_copied();
	signal_copied();
	thread_forked();
	wait_forked();
	newlib_copied();
	longjmp(c->back, 1);
}

/* A share of each quota as for any child, but enough pages for all that is copied. */
static void want_pages(struct build_spec *spec)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);
	const uint32_t used = tables_quota_used(self)->n[EXO_QUOTA_PAGES];
	const uint32_t left = tables_quota_limit(self)->n[EXO_QUOTA_PAGES] - used;
	uint32_t *const pages = &spec->quota[EXO_QUOTA_PAGES];

	if (*pages < used + SPARE_PAGES)
		*pages = used + SPARE_PAGES;
	if (*pages > left)
		*pages = left;
}

static int build_copy(struct copy *c, struct build *b)
{
	struct build_grant grants[MOST_GRANTS];
	struct build_spec spec;
	int error;

	spawn_inherit(&spec, grants);
	spawn_share_segment(&spec, grants);
	spawn_pass(&spec, grants, LAYOUT_CAP_ENV);
	for (uint32_t slot = LAYOUT_CAP_EXTENT; slot < LAYOUT_CAP_FREE; slot++)
		spawn_pass(&spec, grants, slot);
	want_pages(&spec);
	memcpy(spec.name, posix_self->name, sizeof(spec.name));
	spec.segment_pages = 0; /* vm_copy_to() maps it */
	error = build_begin(b, &spec);
	if (error)
		return error;
	c->eid = b->eid;
	error = vm_copy_to(b);
	if (error == 0)
		error = build_start(b, (uint64_t)(uintptr_t)copied,
				    (uint64_t)(uintptr_t)(c->stack + STACK) - sizeof(uint64_t),
				    (uint64_t)(uintptr_t)c);
	if (error)
		build_abort(b);
	return error;
}

/* The child's pid, or a negative errno; 0 in the copy. */
static pid_t make_copy(struct copy *c)
{
	struct build b;
	int error;

	c->self = proc_new();
	if (!c->self)
		return -EAGAIN;
	memcpy(c->self->name, posix_self->name, sizeof(c->self->name));
	fd_give_all(c->self);
	image_share(c->self);
	error = build_copy(c, &b);
	if (error) {
		spawn_undo(c->self);
		return error == -EDQUOT ? -EAGAIN : error;
	}
	proc_started(c->self, &b);
	return c->self->pid;
}

/* What programs with threads wanted to be done (pthread_fork.c). */
__attribute__((weak)) void fork_before(void)
{
}

__attribute__((weak)) void fork_after(int in_child)
{
	(void)in_child;
}

static pid_t do_fork(void)
{
	struct copy c;
	pid_t pid;

	posix_enter();
	/* Without a segment there is no table that both could see. */
	if (!posix_seg->first_frame)
		return (pid_t)posix_leave(-ENOSYS);
	memset(c.stack, 0, sizeof(c.stack)); /* is there, so that copied() does not fault */
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(c.mxcsr), "=m"(c.x87));
	newlib_hold();
	pid = setjmp(c.back) ? 0 : make_copy(&c);
	newlib_let_go();
	return (pid_t)posix_leave(pid);
}

pid_t fork(void)
{
	pid_t child;

	fork_before();
	child = do_fork();
	fork_after(child == 0);
	return child;
}

pid_t vfork(void)
{
	return fork();
}
