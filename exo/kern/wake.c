/*
 * wake.c - owns wakers[]: predicates, what they see, when they are asked; call wait_until.
 *
 * Invariant: see wake.h.  A predicate cannot fail: it was verified, its end is known, and any
 * answer means something.  It costs whoever raises the event a bounded time, and whoever sleeps the
 * rest: at a tick it is asked in a slot of the sleeper's own, which would else have begun with
 * waking it to look.  No lock: one CPU in the kernel.  Called by programs, by event.c when events
 * come, by slot.c at a tick, by load.c with a program, by env.c.
 */
#include "wake.h"
#include "cpu.h"
#include "env.h"
#include "event.h"
#include "info.h"
#include "io.h"
#include "load.h"
#include "machine.h"
#include "slot.h"
#include "syscall.h"
#include "timer.h"

union waker wakers[EXO_NENV] TABLE(wakers);

/*@ requires e < EXO_NENV && \valid_read(program) && \separated(program, &wakers[e]);
    requires checked(program) && program->count <= EXO_WAKE_INSNS;
    requires program->steps <= EXO_WAKE_STEPS;
    assigns wakers[e].w.insns, wakers[e].w.bound, wakers[e].w.most,
      wakers[e].w.insn[0 .. EXO_WAKE_INSNS - 1];
    ensures waker_sound(e) && wakers[e].w.insns == program->count; */
void wake_program(uint32_t e, const struct bpf_program *program)
{
	struct exo_waker *const w = &wakers[e].w;

	w->insns = program->count;
	w->bound = program->steps;
	w->most = 0;
	/*@ loop invariant 0 <= i <= program->count;
	    loop invariant \forall integer k; 0 <= k < i ==> w->insn[k].op == program->insn[k].op &&
	      w->insn[k].regs == program->insn[k].regs && w->insn[k].off == program->insn[k].off &&
	      w->insn[k].imm == program->insn[k].imm;
	    loop assigns i, w->insn[0 .. EXO_WAKE_INSNS - 1];
	    loop variant EXO_WAKE_INSNS - i; */
	for (uint32_t i = 0; i < EXO_WAKE_INSNS && i < program->count; i++) {
		w->insn[i].op = program->insn[i].op;
		w->insn[i].regs = program->insn[i].regs;
		w->insn[i].off = program->insn[i].off;
		w->insn[i].imm = program->insn[i].imm;
	}
	/*@ assert copied: \forall integer k; 0 <= k < program->count ==>
	      w->insn[k] == \at(program->insn[k], Pre); */
}

/*@ requires e < EXO_NENV;
    assigns wakers[e].w.seen.count[0 .. EXO_WAKE_EVENTS - 1];
    ensures \forall integer k; 0 <= k < EXO_WAKE_EVENTS ==>
      \old(wakers[e].w.seen.count[k]) <= wakers[e].w.seen.count[k] <=
      \old(wakers[e].w.seen.count[k]) + 1; */
static void count(uint32_t e, uint64_t bits)
{
	/*@ loop invariant 0 <= i <= EXO_WAKE_EVENTS;
	    loop invariant \forall integer k; 0 <= k < i ==>
	      \at(wakers[e].w.seen.count[k], Pre) <= wakers[e].w.seen.count[k] <=
	      \at(wakers[e].w.seen.count[k], Pre) + 1;
	    loop invariant \forall integer k; i <= k < EXO_WAKE_EVENTS ==>
	      wakers[e].w.seen.count[k] == \at(wakers[e].w.seen.count[k], Pre);
	    loop assigns i, bits, wakers[e].w.seen.count[0 .. EXO_WAKE_EVENTS - 1];
	    loop variant EXO_WAKE_EVENTS - i; */
	for (uint32_t i = 0; i < EXO_WAKE_EVENTS && bits != 0; i++) {
		uint16_t *const n = &wakers[e].w.seen.count[i];

		if ((bits & 1) != 0 && *n != UINT16_MAX)
			(*n)++;
		bits >>= 1;
	}
}

/* Does the predicate of e, which sleeps for events of mask, want it awake?  One run of it. */
/*@ requires e < EXO_NENV && waker_sound(e);
    assigns wakers[e].w.seen.completions, wakers[e].w.seen.free_frames, wakers[e].w.seen.now,
      wakers[e].w.seen.events, wakers[e].w.asked, wakers[e].w.held, wakers[e].w.steps,
      wakers[e].w.most;
    ensures wakers[e].w.seen.events == (envs[e].events & mask);
    ensures \old(wakers[e].w.most) <= wakers[e].w.most;
    ensures \result == 0 || \result == 1; */
static int wanted_up(uint32_t e, uint64_t mask)
{
	struct exo_waker *const w = &wakers[e].w;
	uint32_t steps;
	uint64_t wanted;

	w->seen.completions = io_completions(e);
	w->seen.free_frames = info.free_frames;
	w->seen.now = machine_now();
	w->seen.events = envs[e].events & mask;
	wanted = bpf_run_insns(w->insn, w->insns, w->bound, wakers[e].bytes,
			       sizeof(struct exo_wake), &steps);
	w->asked++;
	w->held += wanted == 0;
	w->steps += steps;
	if (steps > w->most)
		w->most = steps;
	return wanted != 0;
}

/*@ requires 0 < e < EXO_NENV && envs[e].state == EXO_ENV_WAITING && wakers[e].w.asleep;
    requires waker_sound(e);
    assigns wakers[e], envs[0 .. EXO_NENV - 1], cpus[0], slot_runnable[0 .. SLOT_WORDS - 1],
      timer_heap[0 .. EXO_NENV - 1], timer_place[0 .. EXO_NENV - 1], timer_count;
    ensures wakers[e].w.asleep ? envs[e].state == EXO_ENV_WAITING :
      envs[e].state == EXO_ENV_RUNNABLE; */
void wake_slot(uint32_t e)
{
	if (!wanted_up(e, envs[e].wait_mask))
		return;
	wake_over(e);
	event_wake(e, EXO_OK, envs[e].events & envs[e].wait_mask);
}

/*@ requires 0 < e < EXO_NENV && envs[e].state == EXO_ENV_WAITING && wakers[e].w.asleep;
    requires waker_sound(e);
    assigns wakers[e], envs[0 .. EXO_NENV - 1], cpus[0], slot_runnable[0 .. SLOT_WORDS - 1],
      timer_heap[0 .. EXO_NENV - 1], timer_place[0 .. EXO_NENV - 1], timer_count;
    ensures wakers[e].w.asleep ? envs[e].state == EXO_ENV_WAITING :
      envs[e].state == EXO_ENV_RUNNABLE; */
void wake_raise(uint32_t e, uint64_t bits)
{
	count(e, bits);
	if ((bits & envs[e].wait_mask) != 0)
		wake_slot(e);
}

/*@ requires e < EXO_NENV;
    assigns wakers[e].w.asleep;
    ensures wakers[e].w.asleep == 0; */
void wake_over(uint32_t e)
{
	wakers[e].w.asleep = 0;
}

/*@ requires e < EXO_NENV;
    assigns wakers[e];
    ensures wakers[e].w.insns == 0 && wakers[e].w.asleep == 0; */
void wake_forget(uint32_t e)
{
	wakers[e].w = (struct exo_waker){0};
}

/*@ requires 0 < cpus[0].current < EXO_NENV;
    requires envs[cpus[0].current].state == EXO_ENV_RUNNABLE;
    requires wakers[cpus[0].current].w.insns != 0 ==> waker_sound(cpus[0].current);
    assigns wakers[cpus[0].current], envs[0 .. EXO_NENV - 1], cpus[0],
      slot_runnable[0 .. SLOT_WORDS - 1], timer_heap[0 .. EXO_NENV - 1],
      timer_place[0 .. EXO_NENV - 1], timer_count; */
struct exo_result sys_wait_until(uint64_t mask, uint64_t deadline, uint64_t w0, uint64_t w1,
				 uint64_t w2, uint64_t w3)
{
	const uint32_t me = cpu_self();
	struct exo_waker *const w = &wakers[me].w;

	if (w->insns == 0)
		return refuse(EXO_STATE);
	if (deadline != 0 && deadline <= machine_now())
		return refuse(EXO_TIMEOUT);
	w->seen = (struct exo_wake){
		.version = EXO_WAKE_VERSION,
		.slept = machine_now(),
		.word = {w0, w1, w2, w3},
	};
	if (wanted_up(me, mask)) {
		const uint64_t pending = envs[me].events & mask;

		envs[me].events &= ~pending;
		return answer(EXO_OK, pending);
	}
	w->asleep = 1;
	event_sleep(me, mask, deadline);
	return refuse(EXO_OK); /* event_wake() writes the answer that the program sees */
}
