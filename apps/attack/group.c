/*
 * group.c - schedulers that read, write and choose what is not theirs; groups, places and slots of
 * others.
 *
 * What a program does once it is accepted is tried in apps/tests/hostile.
 */
#include <libos/time.h>
#include "attack.h"

enum { GROUP = 1, RANDOM = 300, LONGEST = 24 };

#define INSN(op, dst, src, off, imm)                                                               \
	{                                                                                          \
		(op), (dst) | (src) << 4, (off), (imm)                                             \
	}
#define ANSWER(imm) INSN(BPF_ALU64 | BPF_MOV, 0, 0, 0, imm)
#define EXIT	    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* What the kernel says of a program; EXO_BPF_OK: it runs. */
static uint32_t load(const struct exo_bpf_insn *insn, uint32_t n)
{
	struct exo_result r;

	while (call_bpf_begin(GROUP).value == 0)
		(void)time_sleep_until(time_now() + MS, 0);
	(void)call_bpf_put((uint64_t)insn, n);
	do
		r = call_bpf_verify();
	while (r.status == EXO_OK && EXO_BPF_ANSWER_REASON(r.value) == EXO_BPF_MORE);
	return r.status == EXO_OK ? EXO_BPF_ANSWER_REASON(r.value) : (uint32_t)EXO_BPF_MORE;
}

/* ---- programs that would reach out of their context ------------------------------------------ */

enum { AT_END = sizeof(struct exo_sched) };

static const struct exo_bpf_insn reaching[][4] = {
	{INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, AT_END, 0), EXIT},	/* behind it */
	{INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, AT_END - 4, 0), EXIT},	/* half behind it */
	{INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, -8, 0), EXIT},		/* before it */
	{INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, 0, 0), EXIT},		/* above the stack */
	{INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, -8, 0), EXIT},		/* what others left there */
	{INSN(BPF_ST | BPF_MEM | BPF_DW, 1, 0, 0, 0), ANSWER(0), EXIT}, /* a store to it */
	{INSN(BPF_STX | BPF_MEM | BPF_W, 1, 2, 32, 0), ANSWER(0), EXIT},
	{INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, 0, 0), ANSWER(0), EXIT},
	{INSN(BPF_LD | BPF_LDDW, 1, 0, 0, 0x100000), INSN(0, 0, 0, 0, -1),
	 INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, 0, 0), EXIT},	 /* an address of the kernel */
	{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 0, 0), EXIT},	 /* an address that leaves */
	{INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 3, 0, 0), EXIT},	 /* a register of the kernel */
	{INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 1), ANSWER(0), EXIT}, /* a function of the kernel */
	{INSN(BPF_JMP | BPF_JA, 0, 0, 600, 0), ANSWER(0), EXIT}, /* out of the program */
	{INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), EXIT},		 /* without an end */
	{ANSWER(0), ANSWER(1), ANSWER(2), ANSWER(3)},		 /* off its end */
	{INSN(0xff, 0, 0, 0, 0), ANSWER(0), EXIT},
};

static void reach(void)
{
	for (uint32_t i = 0; i < sizeof reaching / sizeof reaching[0]; i++) {
		uint32_t n = 4;

		while (n > 1 && reaching[i][n - 1].op == 0)
			n--;
		tally(load(reaching[i], n) > EXO_BPF_MORE);
	}
	sum_up("schedulers that reach out of what they are shown");
	score("none of them is in use", tables_group(GROUP)->loaded == 0);
}

/* Instructions by chance: accepted or not, nothing comes of them but an answer. */
static void by_chance(void)
{
	static struct exo_bpf_insn insn[LONGEST];

	for (uint32_t i = 0; i < RANDOM; i++) {
		const uint32_t n = 1 + (uint32_t)(next_random() % LONGEST);

		for (uint32_t k = 0; k < n; k++)
			insn[k] = (struct exo_bpf_insn){
				.op = (uint8_t)next_random(),
				.regs = (uint8_t)(next_random() % 11 | (next_random() % 11) << 4),
				.off = (int16_t)(next_random() % 64 - 32),
				.imm = (int32_t)next_random()};
		if (next_random() % 2 != 0)
			insn[n - 1] = (struct exo_bpf_insn)EXIT;
		tally(load(insn, n) != EXO_BPF_MORE);
	}
	sum_up("schedulers of random instructions");
}

/* ---- what is others' ------------------------------------------------------------------------- */

static void others(void)
{
	const uint32_t victim = find_victim();

	for (uint64_t g = 0; g < EXO_NGROUP + 2; g++) {
		if (g == GROUP)
			continue;
		tally_refused(call_group_free(g));
		tally_refused(call_group_join(g, 0, EXO_SELF.n));
		tally_refused(call_group_leave(g, 0));
		tally_refused(call_group_word(g, 0, 0, 1));
		if (g != 0)
			tally_refused(call_bpf_begin(g));
	}
	sum_up("groups of others");
	for (uint64_t s = 0; s < EXO_NSLOT; s++)
		if (tables_slot(s)->owner != self_index())
			tally_refused(call_slot_group(s, GROUP));
	sum_up("CPU slots of others, for the own group");
	for (uint64_t c = 1; c < EXO_NCAP + 1; c++)
		if (c == EXO_NCAP || tables_caps(self_index())->c[c].kind != EXO_CAP_ENV)
			tally_refused(call_group_join(GROUP, 0, c));
	tally(tables_env(victim)->group == 0);
	sum_up("members that were never given");
	refused("sleeping by a predicate that is not there", call_wait_until(~0ull, 0, 0, 0, 0, 0));
}

void attack_group(void)
{
	if (call_group_take(GROUP, 0).status != EXO_OK) {
		unprepared("a group of one's own");
		return;
	}
	reach();
	by_chance();
	others();
	score("it is given up", call_group_free(GROUP).status == EXO_OK);
}
