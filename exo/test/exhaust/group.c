/*
 * group.c - worlds of downloaded programs: two groups and whoever is in them (groups), three that
 * want to load (loads), two that sleep by a predicate (wakes).
 *
 * Programs are there from the beginning, or come from outside: that the verifier accepts them is
 * no matter here.
 */
#include <stddef.h>
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/event.h"
#include "../../kern/group.h"
#include "../../kern/info.h"
#include "../../kern/load.h"
#include "../../kern/slot.h"
#include "../../kern/syscall.h"
#include "../../kern/timer.h"
#include "../../kern/wake.h"
#include "../machine_host.h"
#include "scene.h"
#include "worlds.h"

enum { CHILD = 1, OTHER = 2, OWNED = 1, ROW = 2, U_BIT = 32 };

#define U     (1ull << U_BIT)
#define ALL   (1 << 1 | 1 << 2 | 1 << 3)
#define INSN(op, dst, src, off, imm) {(op), (dst) | (src) << 4, (off), (imm)}

/* ---- groups -------------------------------------------------------------------------------- */

/* Answers with the first word of the member at place 0. */
static const struct bpf_program by_word = {
	.insn = {INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, offsetof(struct exo_sched, member[0].word),
		      0),
		 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)},
	.count = 2,
	.context_size = sizeof(struct exo_sched),
	.steps = 2,
};

static void begin_groups(void)
{
	scene_boot(4, SCENE_SPARE(3));
	scene_env(2, CHILD, (struct exo_quota){{0, 1, 1, 0, 0, 0, 0, 1}});
	scene_env(3, CHILD + 1, (struct exo_quota){{0, 0, 1}});
	scene_cap(2, OTHER, 3, EXO_ENV_GIVE);
	scene_cap(3, OTHER, 2, EXO_ENV_ALL & ~EXO_ENV_GIVE);
	scene_must(sys_slot_take(0, 0));
	scene_must(sys_slot_take(CHILD, 1));
	cpus[0].position = 0;
	cpus[0].current = 1;
	cpus[0].resched = 0;
}

/* The slots that nobody can own here pass in one move. */
static int tick(void)
{
	do
		slot_tick();
	while (cpus[0].position > OWNED && cpus[0].position < EXO_NSLOT - 1);
	return 1;
}

static int program_comes(void)
{
	for (uint32_t g = 1; g <= 2; g++) {
		if (groups[g].owner == 0 || groups[g].insns != 0)
			continue;
		group_program(g, &by_word);
		return 1;
	}
	return 0;
}

/* The machine is idle: something wakes those who sleep. */
static int device(void)
{
	if (cpus[0].current != 0)
		return 0;
	for (uint32_t e = 1; e < 4; e++)
		event_raise(e, U);
	return 1;
}

static const struct outside groups_outside[] = {
	{"a tick", tick},
	{"a group gets a program", program_comes},
	{"nobody runs, and an event comes for all", device},
};

static const struct call groups_calls[] = {
	DO(group_take, D(0, 1, 2, EXO_NGROUP), D(0)),
	DO(group_free, D(1, 2)),
	DO(group_join, D(1, 2), D(0, 1, EXO_SCHED_MEMBERS), D(0, CHILD, OTHER)),
	DO(group_leave, D(1, 2), D(0, 1)),
	DO(group_word, D(1, 2), D(0), D(0), D(0, 1, EXO_SCHED_NONE)),
	DO(slot_group, D(0, 1, EXO_NSLOT), D(0, 1, 2)),
	DO(slot_give, D(0, 1), D(CHILD)),
	DO(slot_free, D(0, 1)),
	DO(wait, D(U), D(0)),
	DO(yield, D(0)),
	AS(1 << 1, env_kill, D(CHILD, CHILD + 1), D(0)),
	AS(1 << 1, env_reclaim, D(EID(2)), D(EXO_QUOTA_SLOTS), D(0, 1)),
	AS(1 << 1, env_reclaim, D(EID(2)), D(EXO_QUOTA_GROUPS), D(0, 1, 2)),
};

/* A row of failures goes on to its own bound, which is a test's of its own. */
static int beyond_groups(void)
{
	return groups[1].row > ROW || groups[2].row > ROW;
}

/* What a snapshot says of the last slot, and counts, decide nothing. */
static void plain_groups(void)
{
	for (uint32_t g = 1; g <= 2; g++) {
		struct exo_group *const group = &groups[g];
		struct exo_sched *const s = &scenes[g].sched;

		*group = (struct exo_group){.owner = group->owner,
					    .row = group->row,
					    .slots = group->slots,
					    .insns = group->insns,
					    .bound = group->bound};
		s->now = s->tick = s->slot = 0;
		s->last = 0;
		for (uint32_t i = 0; i < 2; i++) {
			struct exo_sched_member *const m = &s->member[i];

			m->runnable = 0;
			m->used = m->missed = m->since = 0;
		}
	}
}

/* Who was chosen has the slot while it can run. */
static const char *judge_groups(void)
{
	const struct cpu *const cpu = &cpus[0];
	const uint32_t user = slot_user(cpu->chosen);

	return cpu->resched == 0 && cpu->current == 0 && user != 0
		       ? "the CPU is idle though who was chosen can run"
		       : 0;
}

const struct world world_groups = {
	.name = "groups",
	.what = "two groups of three environments: members, slots, choices, ends",
	.begin = begin_groups,
	.who = ALL,
	.scheduled = 1,
	.calls = groups_calls,
	.call_count = COUNT(groups_calls),
	.outside = groups_outside,
	.outside_count = COUNT(groups_outside),
	.judge = judge_groups,
	.beyond = beyond_groups,
	.plain = plain_groups,
	.states = 6000,
};

/* ---- loading ------------------------------------------------------------------------------- */

static void begin_loads(void)
{
	scene_boot(4, SCENE_SPARE(3));
	scene_env(2, CHILD, (struct exo_quota){{0}});
	scene_env(3, CHILD + 1, (struct exo_quota){{0}});
	scene_must(sys_group_take(1, 0));
}

/* Half the time that somebody may load, or has to come in. */
static int time_passes(void)
{
	info.ticks += EXO_BPF_TICKS / 2;
	return 1;
}

static const struct outside loads_outside[] = {{"half of EXO_BPF_TICKS pass", time_passes}};

static const struct call loads_calls[] = {
	DO(bpf_begin, D(0, 1, EXO_NGROUP)),
	DO(bpf_verify, ),
	IN_VAIN(bpf_put, D(0), D(0, 1)),
	AS(1 << 1, group_free, D(1)),
	AS(1 << 1, env_kill, D(CHILD, CHILD + 1), D(0)),
};

static void plain_loads(void)
{
	const uint64_t age = info.ticks - load.since;

	if (load.env == 0 && load.turn == 0)
		load.since = 0;
	else
		load.since = 0 - (age < EXO_BPF_TICKS ? age : EXO_BPF_TICKS);
	if (load.env == 0)
		load.group = load.verifying = 0;
	load_program.context_size = 0;
	info.ticks = 0;
}

/* Nobody loads who was to make room for another that has asked since. */
static const char *judge_loads(void)
{
	return load.env != 0 && (load_waiting[load.env / 64] >> load.env % 64 & 1) != 0
		       ? "who loads waits to load"
		       : 0;
}

const struct world world_loads = {
	.name = "loads",
	.what = "three environments begin to load, are over, make room, end",
	.begin = begin_loads,
	.who = ALL,
	.calls = loads_calls,
	.call_count = COUNT(loads_calls),
	.outside = loads_outside,
	.outside_count = COUNT(loads_outside),
	.judge = judge_loads,
	.plain = plain_loads,
	.states = 8000,
};

/* ---- predicates ---------------------------------------------------------------------------- */

/* Wakes when U has come as often as word 0 says. */
static const struct bpf_program by_count = {
	.insn = {INSN(BPF_ALU64 | BPF_MOV, 0, 0, 0, 0),
		 INSN(BPF_LDX | BPF_MEM | BPF_H, 2, 1, offsetof(struct exo_wake, count[U_BIT]), 0),
		 INSN(BPF_LDX | BPF_MEM | BPF_DW, 3, 1, offsetof(struct exo_wake, word), 0),
		 INSN(BPF_JMP | BPF_JLT | BPF_X, 2, 3, 1, 0), INSN(BPF_ALU64 | BPF_MOV, 0, 0, 0, 1),
		 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)},
	.count = 6,
	.context_size = sizeof(struct exo_wake),
	.steps = 6,
};

static void begin_wakes(void)
{
	scene_boot(4, SCENE_SPARE(3));
	scene_env(2, CHILD, (struct exo_quota){{0, 1}});
	scene_env(3, CHILD + 1, (struct exo_quota){{0}});
	scene_must(sys_slot_take(CHILD, 1));
	wake_program(2, &by_count);
	wake_program(3, &by_count);
}

static int time_comes(void)
{
	if (timer_count == 0)
		return 0;
	host_now++;
	timer_expire(host_now);
	return 1;
}

/* The slot of 2 begins. */
static int slot_of_2(void)
{
	do
		slot_tick();
	while (cpus[0].position != 1);
	return 1;
}

static int disk(void)
{
	for (uint32_t e = 2; e <= 3; e++)
		event_raise(e, EXO_EV_IO);
	return 1;
}

static const struct outside wakes_outside[] = {
	{"the time that is waited for", time_comes},
	{"a CPU slot of 2", slot_of_2},
	{"a disk event for 2 and 3", disk},
};

static const struct call wakes_calls[] = {
	DO(wait_until, D(0, U, EXO_EV_IO), D(0, IN(0), IN(1)), D(0, 1, 2), D(0), D(0), D(0)),
	AS(1 << 3, wait, D(U), D(0)),
	DO(event_post, D(EID(2), EID(3)), D(U)),
	AS(1 << 1, env_kill, D(CHILD), D(0)),
};

/* Counts, and what was seen: of who is awake all, else what only tells. */
static void plain_wakes(void)
{
	for (uint32_t e = 2; e <= 3; e++) {
		struct exo_waker *const w = &wakers[e].w;

		w->asked = w->held = w->steps = w->most = 0;
		w->seen.now = w->seen.slept = w->seen.events = 0;
		w->seen.count[1] = 0;
		if (!w->asleep)
			w->seen = (struct exo_wake){0};
	}
}

const struct world world_wakes = {
	.name = "wakes",
	.what = "two environments sleep until an event has come twice, or a slot of theirs",
	.begin = begin_wakes,
	.who = ALL,
	.calls = wakes_calls,
	.call_count = COUNT(wakes_calls),
	.outside = wakes_outside,
	.outside_count = COUNT(wakes_outside),
	.plain = plain_wakes,
	.states = 8000,
};
