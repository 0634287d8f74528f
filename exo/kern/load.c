/*
 * load.c - owns the program that is being loaded, the verifier's memory, and who may use it when.
 *
 * Invariant: see load.h.  What is put is copied, so nothing that is verified can be changed by
 * whoever put it; only what was accepted goes to group.c or wake.c, whole, in one call: a program
 * that is replaced is used until then.  No lock: one CPU in the kernel.  Called by programs, by
 * env.c at an end, by group.c when a group is freed.
 */
#include "load.h"
#include "bpf.h"
#include "cpu.h"
#include "group.h"
#include "info.h"
#include "syscall.h"
#include "uaccess.h"
#include "wake.h"

struct load load;
uint64_t load_waiting[LOAD_WORDS];
struct bpf_program load_program;
static struct bpf_verifier load_verifier;

/*@ // what the verifier has begun with it can go on with
    predicate load_walks = load.env != 0 && load.verifying != 0 ==>
      walking(&load_verifier, &load_program) && load_program.context_size ==
	(load.group != 0 ? sizeof(struct exo_sched) : sizeof(struct exo_wake)); */

/* ---- whose turn it is -------------------------------------------------------------------- */

/*@ requires e < EXO_NENV;
    assigns load_waiting[e / 64]; */
static void wait_for_turn(uint32_t e)
{
	load_waiting[e / 64] |= 1ull << e % 64;
}

/*@ requires e < EXO_NENV;
    assigns load_waiting[e / 64]; */
static void wait_no_more(uint32_t e)
{
	load_waiting[e / 64] &= ~(1ull << e % 64);
}

/* Who waits, the first behind `last` in the circle of numbers; 0: nobody does. */
/*@ requires last < EXO_NENV;
    assigns \nothing;
    ensures \result < EXO_NENV;
    ensures \result != 0 ==> load_waiting[\result / 64] != 0; */
static uint32_t waits_behind(uint32_t last)
{
	const uint32_t start = (last + 1) % EXO_NENV;
	uint64_t mask = ~0ull << start % 64;

	/*@ loop invariant 0 <= i <= LOAD_WORDS + 1;
	    loop assigns i, mask;
	    loop variant LOAD_WORDS + 1 - i; */
	for (uint32_t i = 0; i <= LOAD_WORDS; i++) {
		const uint32_t w = (start / 64 + i) % LOAD_WORDS;
		const uint64_t found = load_waiting[w] & mask;

		if (found != 0)
			return w * 64 + (uint32_t)__builtin_ctzll(found);
		mask = ~0ull;
	}
	return 0;
}

/* Has who loads, or who may, had its time? */
/*@ requires load.since <= info.ticks;
    assigns \nothing;
    ensures \result != 0 <==> info.ticks - load.since >= EXO_BPF_TICKS; */
static int overdue(void)
{
	return info.ticks - load.since >= EXO_BPF_TICKS;
}

/* e, who loaded or could have, does not any more. */
/*@ requires e < EXO_NENV;
    assigns load.last, load.env, load.turn, load_waiting[e / 64];
    ensures load.last == e && load.env == 0 && load.turn == 0; */
static void pass_on(uint32_t e)
{
	wait_no_more(e);
	load.last = e;
	load.env = 0;
	load.turn = 0;
}

/* May `me`, which wants to, load now?  Whoever has had its time makes room first. */
/*@ requires 0 < me < EXO_NENV && load_kept;
    assigns load.last, load.env, load.turn, load.since, load_waiting[0 .. LOAD_WORDS - 1];
    ensures load_kept;
    ensures \result != 0 ==> load.env == me || (load.env == 0 && load.turn == me);
    ensures load.env == \old(load.env) || load.env == 0;
    ensures \old(load.env) != 0 ==>
      (load.env == 0 <==> info.ticks - \old(load.since) >= EXO_BPF_TICKS); */
static int my_turn(uint32_t me)
{
	const uint32_t before = load.env != 0 ? load.env : load.turn;

	if (before == me && !(load.env == me && overdue()))
		return 1;
	if (before != 0 && overdue())
		pass_on(before);
	wait_for_turn(me);
	if (load.env != 0)
		return 0;
	if (load.turn == 0) {
		load.turn = waits_behind(load.last);
		load.since = info.ticks;
	}
	return load.turn == me;
}

/*@ requires 0 < e < EXO_NENV && load_kept;
    assigns load.last, load.env, load.turn, load_waiting[e / 64];
    ensures load_kept && load.env != e && load.turn != e;
    ensures \old(load.env) != e && \old(load.turn) != e ==>
      load.env == \old(load.env) && load.turn == \old(load.turn); */
void load_env_end(uint32_t e)
{
	wait_no_more(e);
	if (load.env == e || load.turn == e)
		pass_on(e);
}

/*@ requires 0 < g < EXO_NGROUP && load_kept;
    assigns load.last, load.env, load.turn, load_waiting[0 .. LOAD_WORDS - 1];
    ensures load_kept && (load.env == 0 || load.group != g);
    ensures \old(load.group) != g ==> load.env == \old(load.env); */
void load_drop(uint32_t g)
{
	if (load.env != 0 && load.group == g)
		pass_on(load.env);
}

/* ---- loading ----------------------------------------------------------------------------- */

/*@ requires 0 < cpus[0].current < EXO_NENV && load_kept;
    assigns load, load_waiting[0 .. LOAD_WORDS - 1], load_program.count;
    ensures load_kept;
    ensures \result.status == EXO_OK && \result.value != 0 ==>
      load.env == cpus[0].current && load.group == group && load.verifying == 0 &&
      load_program.count == 0;
    ensures \old(load.env) != 0 && \old(load.env) != cpus[0].current &&
      info.ticks - \old(load.since) < EXO_BPF_TICKS ==> load.env == \old(load.env);
    ensures load.env == \old(load.env) && load.env != cpus[0].current ==>
      load_program.count == \old(load_program.count) && load.group == \old(load.group);
    behavior refused:
      assumes group != 0 &&
	(group >= EXO_NGROUP || groups[group].owner != cpus[0].current);
      assigns \nothing;
      ensures \result.status != EXO_OK; */
struct exo_result sys_bpf_begin(uint64_t group)
{
	const uint32_t me = cpu_self();
	const enum exo_status status = group == 0 ? EXO_OK : group_owned(me, group);

	if (status != EXO_OK)
		return refuse(status);
	if (!my_turn(me))
		return answer(EXO_OK, 0);
	if (load.env != me)
		load.since = info.ticks;
	wait_no_more(me);
	load.turn = 0;
	load.env = me;
	load.group = (uint32_t)group;
	load.verifying = 0;
	load_program.count = 0;
	return answer(EXO_OK, 1);
}

/* Eight bytes of a program's memory as an instruction. */
/*@ requires \valid_read(b + (0 .. 7));
    assigns \nothing;
    ensures \result.op == b[0] && \result.regs == b[1]; */
static struct exo_bpf_insn insn_from(const uint8_t *b)
{
	return (struct exo_bpf_insn){
		.op = b[0],
		.regs = b[1],
		.off = (int16_t)(b[2] + b[3] * 0x100),
		.imm = (int32_t)(b[4] + b[5] * 0x100u + b[6] * 0x10000u + b[7] * 0x1000000u),
	};
}

/*@ requires 0 < cpus[0].current < EXO_NENV && load_kept;
    assigns load_program.insn[0 .. EXO_BPF_MAX_INSNS - 1], load_program.count;
    ensures load_kept;
    ensures load_program.count ==
      \old(load_program.count) + (\result.status == EXO_OK ? n : 0);
    behavior refused:
      assumes load.env != cpus[0].current || load.verifying != 0 || n == 0 || n > EXO_BPF_PUT ||
	load_program.count + n > (load.group != 0 ? EXO_BPF_MAX_INSNS : EXO_WAKE_INSNS);
      assigns \nothing;
      ensures \result.status != EXO_OK; */
struct exo_result sys_bpf_put(uint64_t va, uint64_t n)
{
	const uint32_t me = cpu_self();
	const uint32_t most = load.group != 0 ? EXO_BPF_MAX_INSNS : EXO_WAKE_INSNS;
	uint8_t bytes[EXO_BPF_PUT * sizeof(struct exo_bpf_insn)];
	enum exo_status status;

	if (load.env != me || load.verifying)
		return refuse(EXO_STATE);
	if (n == 0 || n > EXO_BPF_PUT || n > most - load_program.count)
		return refuse(EXO_RANGE);
	status = copy_in(me, (struct uva){va}, bytes, (uint32_t)n * sizeof(struct exo_bpf_insn));
	if (status != EXO_OK)
		return refuse(status);
	/*@ loop invariant 0 <= i <= n;
	    loop invariant load_program.count == \at(load_program.count, Pre) + i;
	    loop assigns i, load_program.insn[0 .. EXO_BPF_MAX_INSNS - 1], load_program.count;
	    loop variant n - i; */
	for (uint32_t i = 0; i < n; i++)
		load_program.insn[load_program.count++] =
			insn_from(&bytes[i * sizeof(struct exo_bpf_insn)]);
	return refuse(EXO_OK);
}

/* The next part of the verification. */
/*@ requires 0 < load.env < EXO_NENV && load_kept && load_walks;
    assigns load.verifying, load_program.context_size, load_program.steps, load_verifier;
    ensures load_kept && load.verifying != 0;
    ensures load_program.context_size ==
      (load.group != 0 ? sizeof(struct exo_sched) : sizeof(struct exo_wake));
    ensures \result == EXO_BPF_MORE ==> walking(&load_verifier, &load_program);
    ensures \result == EXO_BPF_OK ==> checked(&load_program); */
static enum exo_bpf_reason verify(void)
{
	if (load.verifying)
		return bpf_verify_some(&load_verifier, &load_program, EXO_BPF_LOOK);
	load.verifying = 1;
	load_program.context_size =
		load.group != 0 ? sizeof(struct exo_sched) : sizeof(struct exo_wake);
	return bpf_verify_begin(&load_verifier, &load_program);
}

/*@ requires 0 < cpus[0].current < EXO_NENV && load_kept && load_walks;
    assigns load, load_waiting[0 .. LOAD_WORDS - 1], load_program.context_size,
      load_program.steps, load_verifier, wakers[cpus[0].current], groups[load.group],
      group_programs[load.group];
    ensures load_kept && load_walks;
    behavior refused:
      assumes load.env != cpus[0].current;
      assigns \nothing;
      ensures \result.status != EXO_OK;
    behavior for_group:
      assumes load.env == cpus[0].current && load.group != 0;
      ensures groups[load.group].loaded == \old(groups[load.group].loaded) ||
	(group_sound(load.group) && load.env == 0);
    behavior for_wait:
      assumes load.env == cpus[0].current && load.group == 0;
      ensures waker_sound(cpus[0].current) ||
	wakers[cpus[0].current].w.insns == \old(wakers[cpus[0].current].w.insns); */
struct exo_result sys_bpf_verify(void)
{
	const uint32_t me = cpu_self();
	const uint32_t budget = load.group != 0 ? EXO_GROUP_STEPS : EXO_WAKE_STEPS;
	enum exo_bpf_reason reason;

	if (load.env != me)
		return refuse(EXO_STATE);
	reason = verify();
	if (reason == EXO_BPF_OK && load_program.steps > budget)
		reason = EXO_BPF_BUDGET;
	if (reason == EXO_BPF_OK && load.group != 0)
		group_program(load.group, &load_program);
	if (reason == EXO_BPF_OK && load.group == 0)
		wake_program(me, &load_program);
	if (reason != EXO_BPF_MORE)
		pass_on(me);
	return answer(EXO_OK,
		      reason | load_verifier.pc * 0x10000ull | load_program.steps * 0x100000000ull);
}
