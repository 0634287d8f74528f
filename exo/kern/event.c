/*
 * event.c - owns pending events and the change between RUNNABLE and WAITING.
 *
 * Invariant: see event.h.  The answer of a call that slept is written to its save area by whoever
 * wakes it.  No lock: one CPU in the kernel.  Called by programs and by all that has news for them.
 */
#include "event.h"
#include "cpu.h"
#include "env.h"
#include "ipc.h"
#include "machine.h"
#include "principal.h"
#include "slot.h"
#include "syscall.h"
#include "timer.h"
#include "wake.h"

/*@ requires 0 < e < EXO_NENV;
    requires envs[e].state == EXO_ENV_WAITING || envs[e].state == EXO_ENV_CALLING;
    assigns envs[0 .. EXO_NENV - 1], cpus[0], slot_runnable[0 .. SLOT_WORDS - 1],
      timer_heap[0 .. EXO_NENV - 1], timer_place[0 .. EXO_NENV - 1], timer_count;
    ensures envs[e].state == EXO_ENV_RUNNABLE; */
void event_wake(uint32_t e, enum exo_status status, uint64_t value)
{
	struct exo_regs *const regs = &machine_save((struct pfn){envs[e].save})->regs;

	timer_drop(e);
	if (envs[e].state == EXO_ENV_CALLING)
		ipc_hang_up(e);
	regs->rax = (uint64_t)status;
	regs->rdx = envs[e].accepting ? 0 : value;
	regs->rdi = envs[e].accepting ? value : 0;
	envs[e].accepting = 0;
	envs[e].events &= ~value;
	envs[e].wait_mask = 0;
	envs[e].deadline = 0;
	envs[e].state = EXO_ENV_RUNNABLE;
	slot_ready(e);
}

/*@ requires e < EXO_NENV;
    requires wakers[e].w.asleep ==> 0 < e && waker_sound(e);
    assigns wakers[e], envs[0 .. EXO_NENV - 1], cpus[0], slot_runnable[0 .. SLOT_WORDS - 1],
      timer_heap[0 .. EXO_NENV - 1], timer_place[0 .. EXO_NENV - 1], timer_count; */
void event_raise(uint32_t e, uint64_t bits)
{
	if (envs[e].state == EXO_ENV_FREE || envs[e].state == EXO_ENV_ZOMBIE)
		return;
	envs[e].events |= bits;
	if (envs[e].state != EXO_ENV_WAITING)
		return;
	if (wakers[e].w.asleep)
		wake_raise(e, bits);
	else if ((bits & envs[e].wait_mask) != 0)
		event_wake(e, EXO_OK, envs[e].events & envs[e].wait_mask);
}

/*@ requires 0 < e < EXO_NENV && envs[e].state == EXO_ENV_RUNNABLE;
    assigns envs[0 .. EXO_NENV - 1], cpus[0], slot_runnable[0 .. SLOT_WORDS - 1],
      timer_heap[0 .. EXO_NENV - 1], timer_place[0 .. EXO_NENV - 1], timer_count;
    ensures envs[e].state == EXO_ENV_WAITING; */
void event_sleep(uint32_t e, uint64_t mask, uint64_t deadline)
{
	envs[e].wait_mask = mask;
	envs[e].deadline = deadline;
	envs[e].state = EXO_ENV_WAITING;
	if (deadline != 0)
		timer_add(e);
	slot_unready(e);
}

struct exo_result sys_wait(uint64_t mask, uint64_t deadline)
{
	const uint32_t me = cpu_self();
	const uint64_t pending = envs[me].events & mask;

	if (pending != 0) {
		envs[me].events &= ~pending;
		return answer(EXO_OK, pending);
	}
	if (mask == 0 && deadline == 0)
		return refuse(EXO_ARG);
	if (deadline != 0 && deadline <= machine_now())
		return refuse(EXO_TIMEOUT);
	event_sleep(me, mask, deadline);
	return refuse(EXO_OK); /* event_wake() writes the answer that the program sees */
}

struct exo_result sys_event_post(uint64_t eid, uint64_t bits)
{
	const uint32_t e = env_by_eid(eid);

	if (e == 0)
		return refuse(EXO_STALE);
	if (bits == 0 || (bits & EXO_EV_USER) != bits)
		return refuse(EXO_ARG);
	if (!principal_above(envs[cpu_self()].principal, envs[e].principal))
		return refuse(EXO_PERM);
	if (envs[e].state == EXO_ENV_ZOMBIE)
		return refuse(EXO_STATE);
	event_raise(e, bits);
	return refuse(EXO_OK);
}
