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
    ensures \result < EXO_NENV; */
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
static int overdue(void)
{
	return info.ticks - load.since >= EXO_BPF_TICKS;
}

/* e, who loaded or could have, does not any more. */
/*@ requires e < EXO_NENV;
    assigns load, load_waiting[e / 64]; */
static void pass_on(uint32_t e)
{
	wait_no_more(e);
	load.last = e;
	load.env = 0;
	load.turn = 0;
}

/* May `me`, which wants to, load now?  Whoever has had its time makes room first. */
/*@ requires 0 < me < EXO_NENV;
    assigns load, load_waiting[0 .. LOAD_WORDS - 1]; */
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

/*@ requires e < EXO_NENV;
    assigns load, load_waiting[e / 64]; */
void load_env_end(uint32_t e)
{
	wait_no_more(e);
	if (load.env == e || load.turn == e)
		pass_on(e);
}

/*@ requires 0 < g < EXO_NGROUP;
    assigns load, load_waiting[0 .. LOAD_WORDS - 1]; */
void load_drop(uint32_t g)
{
	if (load.env != 0 && load.group == g)
		pass_on(load.env);
}

/* ---- loading ----------------------------------------------------------------------------- */

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
    assigns \nothing; */
static struct exo_bpf_insn insn_from(const uint8_t *b)
{
	return (struct exo_bpf_insn){
		.op = b[0],
		.regs = b[1],
		.off = (int16_t)(b[2] | b[3] << 8),
		.imm = (int32_t)(b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 |
				 (uint32_t)b[7] << 24),
	};
}

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
	    loop assigns i, load_program;
	    loop variant n - i; */
	for (uint32_t i = 0; i < n; i++)
		load_program.insn[load_program.count++] =
			insn_from(&bytes[i * sizeof(struct exo_bpf_insn)]);
	return refuse(EXO_OK);
}

/* The next part of the verification. */
static enum exo_bpf_reason verify(void)
{
	if (load.verifying)
		return bpf_verify_some(&load_verifier, &load_program, EXO_BPF_LOOK);
	load.verifying = 1;
	load_program.context_size =
		load.group != 0 ? sizeof(struct exo_sched) : sizeof(struct exo_wake);
	return bpf_verify_begin(&load_verifier, &load_program);
}

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
	return answer(EXO_OK, reason | (uint64_t)load_verifier.pc << 16 |
				      (uint64_t)load_program.steps << 32);
}
