/*
 * core.c - runs the bytes of an input as calls to the core and to the model, and compares.
 *
 * An input is a row of steps of STEP bytes.  The bytes of a step are the decisions by which near.c
 * chooses a call, in order; when they are used up, numbers follow that depend on them alone.  So
 * most inputs mean something, and a changed byte changes one step.  After each step: the status is
 * one that the model allows, a refused call has changed nothing, the tables are what the model
 * says, every invariant holds, no translation is left in the TLB.  Called by libFuzzer, or by
 * main.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include "../../kern/check.h"
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/event.h"
#include "../../kern/group.h"
#include "../../kern/info.h"
#include "../../kern/ipc.h"
#include "../../kern/slot.h"
#include "../../kern/timer.h"
#include "../../kern/wake.h"
#include "../machine_host.h"
#include "../near.h"
#include "fuzz.h"
#include "model.h"

enum {
	STEP = 16,
	MOST = 1 << 16, /* steps that are kept */
};

const char fuzz_name[] = "fuzz_core";
int fuzz_verbose;

/* ---- decisions --------------------------------------------------------------------------- */

static const uint8_t *bytes; /* of this step, not used yet */
static uint32_t left;
static uint64_t mixed; /* of the bytes of this step, and of what was drawn after them */

static void begin_step(const uint8_t *data)
{
	bytes = data;
	left = STEP;
	mixed = 0x9e3779b97f4a7c15;
	for (uint32_t i = 0; i < STEP; i++)
		mixed = (mixed ^ data[i]) * 0x100000001b3;
	mixed |= 1;
}

uint64_t near_below(uint64_t n)
{
	const uint32_t width = n <= 256 ? 1 : 2;

	if (n <= 65536 && left >= width) {
		const uint64_t word = width == 1 ? bytes[0] : bytes[0] + 256u * bytes[1];

		bytes += width;
		left -= width;
		return word % n;
	}
	mixed ^= mixed << 13;
	mixed ^= mixed >> 7;
	mixed ^= mixed << 17;
	return mixed % n;
}

/* ---- what was done ----------------------------------------------------------------------- */

struct did {
	uint32_t by; /* 0: from outside */
	const char *what;
	struct near_call call; /* where `what` is null */
	uint64_t now;
	struct exo_result result;
};

static struct did row[MOST];
static uint32_t steps, begun; /* those before `begun` made the world */

static void show(uint32_t n)
{
	const struct did *const d = &row[n];
	const char *between = "";

	printf("%5u ", n);
	if (d->what) {
		printf("%s at %llu\n", d->what, (unsigned long long)d->now);
		return;
	}
	printf("environment %u: %s(", d->by, host_call_name(d->call.number));
	for (const char *letter = near_shapes[d->call.number]; *letter; letter++) {
		printf("%s%#llx", between,
		       (unsigned long long)d->call.a[letter - near_shapes[d->call.number]]);
		between = ", ";
	}
	printf(") -> %s, %#llx\n", host_status_name(d->result.status),
	       (unsigned long long)d->result.value);
}

static void fail(const char *why, const char *what)
{
	for (uint32_t n = begun; n < steps && !fuzz_verbose; n++)
		show(n);
	printf("FAIL %s: step %u: %s%s\n", fuzz_name, steps - 1, why, what);
	fflush(stdout);
	abort();
}

static uint64_t count[NEAR_CALLS][2]; /* granted, refused */

/* What became of the choices of groups, by enum exo_group_fault; how often predicates were asked,
   and said no. */
static uint64_t choices[EXO_NGROUP_FAULT], asked, held;

static void count_choices(void)
{
	for (uint32_t g = 1; g < EXO_NGROUP; g++) {
		choices[EXO_GROUP_FOLLOWED] += groups[g].followed;
		for (uint32_t f = 1; f < EXO_NGROUP_FAULT; f++)
			choices[f] += groups[g].failed[f];
	}
	for (uint32_t e = 1; e < NEAR_ENVS; e++) {
		asked += wakers[e].w.asked;
		held += wakers[e].w.held;
	}
}

static int programs_covered(int tell)
{
	int all = held != 0 && asked != held;

	for (uint32_t f = 0; f <= EXO_GROUP_OWNER; f++)
		all &= choices[f] != 0;
	for (uint32_t f = 0; f <= EXO_GROUP_OWNER && (tell || !all); f++)
		printf("choices, fault %u   %8llu\n", f, (unsigned long long)choices[f]);
	if (tell || !all)
		printf("predicates %llu, no %llu\n", (unsigned long long)asked,
		       (unsigned long long)held);
	if (!all)
		printf("FAIL %s: a fault of a group, or an answer of a predicate, never came\n",
		       fuzz_name);
	return all;
}

int fuzz_covered(int tell)
{
	int all = programs_covered(tell);

	for (uint32_t n = 1; n < NEAR_CALLS; n++) {
		if (near_shapes[n] == 0)
			continue;
		if (tell)
			printf("%-16s %8llu %8llu\n", host_call_name(n),
			       (unsigned long long)count[n][0], (unsigned long long)count[n][1]);
		if (count[n][0] != 0 && count[n][1] != 0)
			continue;
		printf("FAIL %s: %s was never %s\n", fuzz_name, host_call_name(n),
		       count[n][0] == 0 ? "granted" : "refused");
		all = 0;
	}
	return all;
}

static struct did *note(struct did d)
{
	row[steps] = d;
	return &row[steps++];
}

/* ---- comparing --------------------------------------------------------------------------- */

/* The registers in which answers come, of who makes a call, as the way into the kernel leaves them.
 */
static void enter(uint32_t e)
{
	struct exo_regs *const regs = &machine_save((struct pfn){envs[e].save})->regs;

	if (envs[e].save == 0)
		return;
	regs->rax = regs->rdx = regs->rdi = regs->rsi = regs->r8 = regs->r9 = regs->r10 = 0;
}

/* As the way out of the kernel: a message for who leaves, then who runs. */
static void leave(void)
{
	if (cpus[0].inbox)
		ipc_left();
	if (cpus[0].resched)
		cpus[0].current = cpu_next();
}

static void compare(void)
{
	const char *what;

	if (fuzz_verbose)
		show(steps - 1);
	what = model_differs();
	if (what)
		fail("differs from the model: ", what);
	if (model_runs() != cpus[0].current)
		fail("differs from the model: ", "who runs");
	what = check_state();
	if (what)
		fail("", what);
}

static void call_step(struct near_call c)
{
	struct did *const d = note((struct did){.by = cpus[0].current, .call = c, .now = host_now});
	struct verdict v;

	enter(d->by);
	host_remember();
	d->result = near_do(&c);
	v = model_call(c.number, c.a, host_now);
	count[c.number][d->result.status != EXO_OK]++;
	if (d->result.status == EXO_OK ? v.refusals != 0
				       : (v.refusals >> d->result.status & 1) == 0)
		fail("differs from the model: the status, granted or refused is ",
		     host_status_name(d->result.status));
	if (d->result.value != v.value)
		fail("differs from the model: ", "the value");
	if (d->result.status != EXO_OK && !host_same())
		fail("refused, and has changed something", "");
	if (!host_tlb_clean())
		fail("a translation is left in the TLB", "");
	leave();
	compare();
}

/* ---- what comes from outside ------------------------------------------------------------- */

static void pass_tick(void)
{
	timer_expire(host_now);
	slot_tick();
	ipc_tick();
	model_tick(host_now);
	leave();
}

static void tick(void)
{
	host_now += near_below(100) < 3 ? (uint64_t)EXO_REVOKE_MIN_NS : near_below(60000) * 20;
	note((struct did){.what = "tick", .now = host_now});
	pass_tick();
	compare();
}

/* Slots pass until one of a group's. */
static void turn(void)
{
	uint32_t n = 0;

	note((struct did){.what = "ticks to a slot of a group", .now = host_now});
	do {
		pass_tick();
		if (model_runs() != cpus[0].current)
			fail("differs from the model: ", "who runs");
	} while (slots[cpus[0].position].group == 0 && ++n < EXO_NSLOT);
	compare();
}

static void device(uint32_t e, uint64_t bits)
{
	note((struct did){.what = "events of a device", .now = host_now});
	event_raise(e, bits);
	model_raise(e, bits);
	leave();
	compare();
}

static void ending(void)
{
	note((struct did){.what = "the slice is about to end", .now = host_now});
	if (slot_ending(cpus[0].current) != model_ending())
		fail("differs from the model: ", "who is told that the slice ends");
	compare();
}

/* ---- an input ---------------------------------------------------------------------------- */

/* The calls that make the world are always the same: what they come to is compared once, after. */
static void build_both(struct near_call c)
{
	note((struct did){.by = 1, .call = c, .result = near_do(&c)});
	model_call(c.number, c.a, host_now);
}

static void world(void)
{
	steps = begun = 0;
	near_boot();
	model_begin();
	near_first(build_both);
	leave();
	compare();
	begun = steps;
}

/* Who can run, from somewhere on; 0: nobody but who runs now. */
static uint32_t somebody_else(void)
{
	const uint32_t start = (uint32_t)near_below(NEAR_ENVS);

	for (uint32_t i = 0; i < NEAR_ENVS; i++) {
		const uint32_t e = (start + i) % NEAR_ENVS;

		if (e != cpus[0].current && envs[e].state == EXO_ENV_RUNNABLE)
			return e;
	}
	return 0;
}

/* Who runs gives the rest of its slice to somebody who can run, so that all come to act. */
static void pass_on(void)
{
	const uint32_t e = somebody_else();

	if (e != 0)
		call_step((struct near_call){25, {env_eid(e).n}});
}

/* Somebody without a CPU slot runs, as if it had been yielded to. */
static void run(uint32_t e)
{
	note((struct did){.what = "the CPU is handed to somebody", .now = host_now});
	cpus[0].next = e;
	cpus[0].resched = 1;
	model_hand_over(e);
	leave();
	compare();
}

/* Nobody runs: everything happens; when that helps nobody, the world begins anew. */
static void idle(void)
{
	for (uint32_t e = 1; e < NEAR_ENVS && cpus[0].current == 0; e++)
		device(e, UINT64_MAX);
	if (cpus[0].current == 0 && somebody_else() != 0)
		run(somebody_else());
	if (cpus[0].current == 0)
		tick();
	if (cpus[0].current == 0 && near_below(100) < 10)
		world();
}

static void step(void)
{
	const uint64_t kind = near_below(100);

	if (cpus[0].current == 0)
		idle();
	else if (kind < 2)
		device(1 + (uint32_t)near_below(NEAR_ENVS - 1), near_below(8));
	else if (kind < 4)
		tick();
	else if (kind == 4)
		ending();
	else if (kind < 7)
		turn();
	else if (kind < 17)
		pass_on();
	else
		call_step(near_choose(cpus[0].current));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	world();
	for (size_t at = 0; at + STEP <= size && steps < MOST - 16; at += STEP) {
		begin_step(data + at);
		step();
	}
	count_choices();
	return 0;
}
