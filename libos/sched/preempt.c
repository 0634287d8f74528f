/*
 * preempt.c - slices, as threads see them: each that starts may be another's.
 *
 * Owns the handler of slices in programs with threads; a handler that somebody else registers is
 * called first.  Runs on the upcall stack, general registers only.  Called by core/upcall.c.
 */
#include <libos/sched.h>
#include <libos/upcall.h>

RESIDENT uint32_t thread_count = 1;
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

static void want(void)
{
	upcall_slice_handler(wanted || others ? on_slice : NULL);
}

void upcall_on_slice(upcall_fn *fn)
{
	others = fn;
	want();
}

void thread_want_slices(int on)
{
	if (wanted == on)
		return;
	wanted = on;
	want();
}
