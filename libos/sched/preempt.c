/*
 * preempt.c - slices and the disk, as threads see them: each slice that starts may be another's,
 * and what the disk did may be what a more urgent thread waited for.
 *
 * Owns the handlers of both in programs with threads; a handler of slices that somebody else
 * registers is called first.  An event that comes at a slice's start comes instead of the slice, so
 * both do the same.  Invariant: what an upcall took is held for whoever is going to wait for it.
 * Runs on the upcall stack, general registers only.  Called by core/upcall.c.
 */
#include <libos/sched.h>
#include <libos/upcall.h>

RESIDENT uint32_t thread_count = 1;
RESIDENT uint64_t thread_held;
static RESIDENT upcall_fn *others;
static RESIDENT int wanted;

/* Near the end of a stack there is no room to be preempted: then the next slice does it. */
static int on_slice(struct exo_upcall_frame *frame)
{
	if (others)
		(void)others(frame);
	if (thread_count > 1)
		(void)upcall_deflect(frame, thread_preempt, NULL);
	return 1;
}

static int on_disk(struct exo_upcall_frame *frame)
{
	thread_held |= frame->addr & EXO_EV_IO;
	return on_slice(frame);
}

static void want(void)
{
	upcall_slice_handler(wanted || others ? on_slice : NULL);
}

void upcall_on_slice(upcall_fn *fn)
{
	others = fn;
	want();
}

void thread_want_upcalls(int on)
{
	if (wanted == on)
		return;
	wanted = on;
	want();
	upcall_for_threads(on_disk, on ? EXO_EV_IO : 0);
}
