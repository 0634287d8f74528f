/*
 * upcall.c - owns the decision whether a program's handler is entered, and its frame.
 *
 * An upcall is a call injected into the program: registers stay as they are but rip, rsp and
 * rflags, which go into the frame on the pinned upcall page.  Invariant: the frame is never written
 * while the program is on that page, since it would lose the frame that is there; so a fault there
 * ends the program, and other upcalls wait.  Called by x86/trap.c with the registers that will be
 * loaded.
 */
#include "env.h"
#include "machine.h"
#include "slot.h"
#include "trace.h"
#include "upcall.h"

enum { FLAGS_CLEAN = 0x202 };

static int on_upcall_page(const struct exo_env *env, uint64_t rsp)
{
	return rsp - env->upcall_va < EXO_PAGE_SIZE; /* from below it wraps around */
}

/*@ requires env->upcall_page != 0 && env->upcall_entry != 0;
    ensures regs->rip == env->upcall_entry; */
static void push(const struct exo_env *env, struct exo_regs *regs, uint64_t what, uint64_t error,
		 uint64_t addr)
{
	struct exo_upcall_frame *frame = machine_upcall_frame((struct pfn){env->upcall_page});

	*frame = (struct exo_upcall_frame){what,	error,	      addr,	 regs->rip,
					   EXO_USER_CS, regs->rflags, regs->rsp, EXO_USER_SS};
	regs->rip = env->upcall_entry;
	regs->rsp = env->upcall_va + EXO_PAGE_SIZE - sizeof *frame;
	regs->rflags = FLAGS_CLEAN;
}

static enum exo_end why_not(const struct exo_env *env, const struct exo_regs *regs)
{
	if (env->upcall_entry == 0)
		return EXO_END_FAULT;
	if (env->upcall_page == 0)
		return EXO_END_UPCALL_STACK;
	if (on_upcall_page(env, regs->rsp))
		return EXO_END_UPCALL_FAULT;
	return EXO_END_NONE;
}

/* Nobody handles the fault of e.  Out of the way of the faults that somebody does. */
static __attribute__((cold, noinline)) void fault_ends(uint32_t e, const struct exo_regs *regs,
						       uint64_t addr, enum exo_end end)
{
	env_end(e, end, (uint8_t)regs->vector, (uint32_t)regs->error, addr, regs->rip, regs->rsp,
		128 + regs->vector);
}

int upcall_fault(uint32_t e, struct exo_regs *regs, uint64_t addr)
{
	struct exo_env *env = &envs[e];
	enum exo_end end;

	env->faults++;
	end = why_not(env, regs);
	if (end != EXO_END_NONE) {
		fault_ends(e, regs, addr, end);
		return 0;
	}
	push(env, regs, EXO_UPCALL_FAULT | regs->vector << 8, regs->error, addr);
	return 1;
}

/* May an upcall other than a fault come now? */
static int may_interrupt(const struct exo_env *env, const struct exo_regs *regs)
{
	return why_not(env, regs) == EXO_END_NONE &&
	       machine_upcall_head((struct pfn){env->upcall_page})->defer == 0;
}

void upcall_ending(uint32_t e, struct exo_regs *regs)
{
	if (!may_interrupt(&envs[e], regs) || !slot_ending(e))
		return;
	push(&envs[e], regs, EXO_UPCALL_END, 0, EXO_GRACE_NS);
	trace_upcall(EXO_UPCALL_END);
}

void upcall_due(uint32_t e, struct exo_regs *regs, uint64_t bits)
{
	struct exo_env *env = &envs[e];

	if (!may_interrupt(env, regs))
		return;
	if (bits == 0) {
		push(env, regs, EXO_UPCALL_SLICE, 0, 0);
		trace_upcall(EXO_UPCALL_SLICE);
		return;
	}
	env->events &= ~bits;
	push(env, regs, EXO_UPCALL_EVENT, 0, bits);
	trace_upcall(EXO_UPCALL_EVENT);
}
