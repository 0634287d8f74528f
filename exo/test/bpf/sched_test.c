/*
 * sched_test.c - the example schedulers, as clang and gcc compile them for BPF, in the kernel's
 * verifier and interpreter.
 *
 * Each must be accepted, decide on random snapshots as the same source compiled for the host does,
 * and schedule as its name says; with a store added it must be refused for that.  With the argument
 * `table`, prints what each costs.
 */
#include "../../host/bpf_file.h"
#include "../../kern/bpf.h"

#include <exo/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SNAPSHOTS = 2000, PAGE = 4096 };

uint64_t rr_choose(const struct exo_sched *s);
uint64_t priority_choose(const struct exo_sched *s);
uint64_t stride_choose(const struct exo_sched *s);
uint64_t edf_choose(const struct exo_sched *s);
uint64_t remaining_choose(const struct exo_sched *s);
uint64_t gang_choose(const struct exo_sched *s);

static struct bpf_verifier verifier;
static struct bpf_program program;
static struct exo_sched group;
static char why[256]; /* what is wrong in the running test; empty: nothing */

static void wrong(const char *what, uint64_t got, uint64_t wanted)
{
	if (!why[0])
		snprintf(why, sizeof(why), "%s: %llu, not %llu", what, (unsigned long long)got,
			 (unsigned long long)wanted);
}

/* ---- programs ----------------------------------------------------------------------------- */

/* The scheduler as this compiler made it, verified.  The verifier's answer. */
static enum exo_bpf_reason take(const char *name, const char *kind)
{
	const char *const build = getenv("O");
	char path[512];
	const char *problem;
	enum exo_bpf_reason reason;
	long bytes;

	snprintf(path, sizeof(path), "%s/exo/test/bpf/sched/%s.%s.o",
		 build && *build ? build : "build", name, kind);
	bytes = bpf_object(path, "sched", (uint8_t *)program.insn, sizeof(program.insn), &problem);
	if (bytes < 0) {
		printf("FAIL %s: %s\n", path, problem);
		exit(1);
	}
	program.count = (uint32_t)bytes / 8;
	program.context_size = sizeof(group);
	reason = bpf_verify_begin(&verifier, &program);
	while (reason == EXO_BPF_MORE)
		reason = bpf_verify_some(&verifier, &program, 100);
	return reason;
}

static uint64_t decide(uint32_t *steps)
{
	const uint64_t choice = bpf_run(&program, (const uint8_t *)&group, steps);

	if (*steps > program.steps)
		wrong("steps", *steps, program.steps);
	return choice;
}

/* ---- the same decisions as on the host ---------------------------------------------------- */

static uint64_t dice(void)
{
	static uint64_t seed = 88172645463325252ull;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A word as a member may set it: mostly small, sometimes anything. */
static uint64_t some_word(void)
{
	switch (dice() % 8) {
	case 0:
		return dice();
	case 1:
		return ~0ull;
	default:
		return dice() % 100;
	}
}

static void some_group(void)
{
	const uint64_t busy = dice() % 9; /* eighths of the members that can run */

	group.now = dice();
	group.tick = dice();
	group.slot = dice() % 256;
	group.members = EXO_SCHED_MEMBERS;
	group.last = dice() % (EXO_SCHED_MEMBERS + 1);
	for (int k = 0; k < EXO_SCHED_MEMBERS; k++) {
		struct exo_sched_member *const m = &group.member[k];

		m->env = k + 1;
		m->runnable = dice() % 8 < busy;
		m->used = some_word();
		m->missed = some_word();
		m->since = some_word();
		for (int n = 0; n < EXO_SCHED_WORDS; n++)
			m->word[n] = some_word();
	}
}

static void test_same(uint64_t (*choose)(const struct exo_sched *))
{
	uint32_t steps;

	for (int n = 0; n < SNAPSHOTS; n++) {
		some_group();

		const uint64_t wanted = choose(&group), got = decide(&steps);

		if (got != wanted)
			wrong("on a random group", got, wanted);
	}
}

/* ---- what they do with time --------------------------------------------------------------- */

/* A group of these many that can run, the others' places being empty. */
static void begin(uint32_t members)
{
	memset(&group, 0, sizeof(group));
	group.members = members;
	group.last = EXO_SCHED_NONE;
	for (uint32_t k = 0; k < members; k++) {
		group.member[k].env = k + 1;
		group.member[k].runnable = 1;
	}
}

/* A slot passes; who had it. */
static uint64_t pass(void)
{
	uint32_t steps;
	const uint64_t i = decide(&steps);

	if (i < EXO_SCHED_MEMBERS) {
		group.member[i].used++;
		group.member[i].since = group.tick + 1;
		group.last = (uint32_t)i;
		if (!group.member[i].runnable)
			wrong("chosen, and cannot run", i, EXO_SCHED_NONE);
	} else {
		group.last = EXO_SCHED_NONE;
	}
	group.tick++;
	group.now += 1000000;
	group.slot = (group.slot + 1) % 256;
	return i;
}

static void wants(const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		wrong(what, got, wanted);
}

static void shape_rr(void)
{
	begin(5);
	group.member[3].runnable = 0;
	for (int n = 0; n < 400; n++)
		pass();
	for (int k = 0; k < 5; k++)
		wants("slots of a member", group.member[k].used, k == 3 ? 0 : 100);
	group = (struct exo_sched){.last = EXO_SCHED_NONE};
	wants("choice of nobody", pass(), EXO_SCHED_NONE);
}

static void shape_priority(void)
{
	static const uint64_t priority[] = {1, 5, 5, 4};

	begin(4);
	for (int k = 0; k < 4; k++)
		group.member[k].word[0] = priority[k];
	for (int n = 0; n < 100; n++)
		pass();
	for (int k = 0; k < 4; k++)
		wants("slots of a member", group.member[k].used, priority[k] == 5 ? 50 : 0);
}

static void shape_stride(void)
{
	static const uint64_t tickets[] = {1, 2, 5, 0};

	begin(4);
	for (int k = 0; k < 4; k++)
		group.member[k].word[0] = tickets[k];
	for (int n = 0; n < 8000; n++)
		pass();
	for (int k = 0; k < 4; k++)
		wants("slots of a member", group.member[k].used, 1000 * tickets[k]);
}

/* Periodic jobs that together need every slot: how many deadlines are missed in `slots`. */
static uint32_t missed_deadlines(uint32_t slots)
{
	static const struct {
		uint32_t period, cost;
	} jobs[] = {{4, 1}, {5, 2}, {20, 7}};
	uint32_t left[3] = {0}, missed = 0;

	begin(3);
	for (uint32_t t = 0; t < slots; t++) {
		for (uint32_t k = 0; k < 3; k++) {
			if (t % jobs[k].period == 0) {
				missed += left[k] != 0;
				left[k] = jobs[k].cost;
				group.member[k].word[0] =
					group.now + (uint64_t)jobs[k].period * 1000000;
			}
			group.member[k].runnable = left[k] != 0;
		}

		const uint64_t i = pass();

		if (i < 3)
			left[i]--;
	}
	return missed;
}

static void shape_edf(void)
{
	const uint32_t slots = 2000;

	wants("deadlines missed", missed_deadlines(slots), 0);
	/* That this is no easy load: round robin misses some. */
	if (take("rr", "clang") != EXO_BPF_OK || missed_deadlines(slots) == 0)
		wrong("deadlines that round robin misses", 0, 1);
}

static void shape_remaining(void)
{
	static const uint64_t work[] = {9, 3, 6};
	uint64_t ended[3] = {0};

	begin(3);
	for (int k = 0; k < 3; k++)
		group.member[k].word[0] = work[k];
	for (uint64_t t = 1; t <= 18; t++) {
		const uint64_t i = pass();

		if (i < 3 && group.member[i].used == work[i]) {
			ended[i] = t;
			group.member[i].runnable = 0;
		}
	}
	wants("end of the shortest", ended[1], 3);
	wants("end of the next", ended[2], 9);
	wants("end of the longest", ended[0], 18);
}

static void shape_gang(void)
{
	static const uint64_t partners[] = {5, 2, 1, 4, 3, 0};

	begin(6);
	for (int k = 0; k < 6; k++)
		group.member[k].word[0] = partners[k];
	group.member[3].runnable = 0;
	for (int n = 0; n < 40; n++) {
		const uint64_t first = pass(), second = pass();

		wants("the partner", second, first < 6 ? partners[first] : 0);
	}
	wants("slots of one whose partner cannot run", group.member[4].used, 0);
	wants("slots of a pair", group.member[0].used, 20);
	wants("slots of the other", group.member[2].used, 20);
}

/* ---- all of them -------------------------------------------------------------------------- */

static const struct {
	const char *name;
	uint64_t (*choose)(const struct exo_sched *);
	void (*shape)(void);
} schedulers[] = {
	{"rr", rr_choose, shape_rr},
	{"priority", priority_choose, shape_priority},
	{"stride", stride_choose, shape_stride},
	{"edf", edf_choose, shape_edf},
	{"remaining", remaining_choose, shape_remaining},
	{"gang", gang_choose, shape_gang},
};
static const char *const compilers[] = {"clang", "gcc"};
enum { SCHEDULERS = sizeof(schedulers) / sizeof(schedulers[0]), COMPILERS = 2 };

static int report(const char *name, const char *what)
{
	if (why[0])
		printf("FAIL scheduler %s %s: %s\n", name, what, why);
	else
		printf("ok scheduler %s %s\n", name, what);
	return why[0] != 0;
}

static int test(unsigned k, const char *compiler)
{
	const char *const name = schedulers[k].name;
	const enum exo_bpf_reason reason = take(name, compiler);

	why[0] = '\0';
	if (reason != EXO_BPF_OK)
		wrong(exo_bpf_reason_text(reason), verifier.pc, 0);
	else if (program.count * sizeof(program.insn[0]) > PAGE)
		wrong("bytes", program.count * sizeof(program.insn[0]), PAGE);
	else
		test_same(schedulers[k].choose);
	if (!why[0])
		schedulers[k].shape();
	return report(name, compiler);
}

static int test_store(unsigned k)
{
	const enum exo_bpf_reason reason = take(schedulers[k].name, "store");

	why[0] = '\0';
	if (reason != EXO_BPF_STORE)
		wrong(exo_bpf_reason_text(reason), reason, EXO_BPF_STORE);
	return report(schedulers[k].name, "that stores is refused");
}

/* A line of the table: steps of decisions over random groups. */
static void measure(const char *name, const char *compiler)
{
	uint32_t steps, most = 0;
	uint64_t sum = 0;

	if (take(name, compiler) != EXO_BPF_OK) {
		printf("%-10s %-6s refused\n", name, compiler);
		return;
	}
	for (int n = 0; n < SNAPSHOTS; n++) {
		some_group();
		decide(&steps);
		sum += steps;
		most = steps > most ? steps : most;
	}
	printf("%-10s %-6s %12u %8u %8u %8u %8llu\n", name, compiler, program.count, verifier.work,
	       program.steps, most, (unsigned long long)(sum / SNAPSHOTS));
}

static void print_table(void)
{
	printf("%-10s %-6s %12s %8s %8s %8s %8s\n", "scheduler", "by", "instructions", "looked",
	       "bound", "most", "mean");
	for (unsigned k = 0; k < SCHEDULERS; k++)
		for (unsigned c = 0; c < COMPILERS; c++)
			measure(schedulers[k].name, compilers[c]);
}

int main(int count, char **word)
{
	int failed = 0;

	if (count > 1 && strcmp(word[1], "table") == 0) {
		print_table();
		return 0;
	}
	for (unsigned k = 0; k < SCHEDULERS; k++) {
		for (unsigned c = 0; c < COMPILERS; c++)
			failed |= test(k, compilers[c]);
		failed |= test_store(k);
	}
	return failed;
}
