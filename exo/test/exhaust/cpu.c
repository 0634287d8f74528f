/*
 * cpu.c - worlds of time: three environments at the vector of CPU slots, and what a slice costs
 * that was overrun (cpu); three that sleep until events and deadlines (sleep).
 *
 * In the first, only who is on the CPU calls, and the slots that nobody can own here pass in one
 * move.
 */
#include "../../kern/cap.h"
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/event.h"
#include "../../kern/slot.h"
#include "../../kern/syscall.h"
#include "../../kern/timer.h"
#include "../machine_host.h"
#include "scene.h"
#include "worlds.h"

enum { CHILD = 1, OTHER = 2, OWNED = 1, PENALTIES = 1 };

#define U (1ull << 32) /* an event that programs post */

/* ---- slots --------------------------------------------------------------------------------- */

static void begin_cpu(void)
{
	scene_boot(4, SCENE_SPARE(3));
	scene_env(2, CHILD, (struct exo_quota){{0, 1, 2}});
	scene_env(3, CHILD + 1, (struct exo_quota){{0, 1, 2}});
	scene_cap(2, OTHER, 3, EXO_ENV_GIVE);
	scene_cap(3, OTHER, 2, EXO_ENV_GIVE);
	scene_must(sys_slot_take(0, 0));
	scene_must(sys_slot_take(CHILD, 1));
	cpus[0].position = 0;
	cpus[0].current = 1;
	cpus[0].resched = 0;
}

static const char *tick_wrong;

/* Slices to be forfeited, and those overrun, of all. */
static void sum_up(uint32_t *penalties, uint32_t *overruns)
{
	*penalties = *overruns = 0;
	for (uint32_t e = 1; e < 4; e++) {
		*penalties += envs[e].penalty;
		*overruns += envs[e].overruns;
	}
}

static int tick(void)
{
	uint32_t penalties[2], overruns[2], forfeited = 0;

	sum_up(&penalties[0], &overruns[0]);
	do {
		slot_tick();
		forfeited += cpus[0].forfeit;
	} while (cpus[0].position > OWNED && cpus[0].position < EXO_NSLOT - 1);
	sum_up(&penalties[1], &overruns[1]);
	tick_wrong = penalties[1] + forfeited == penalties[0] + overruns[1] - overruns[0]
			     ? 0
			     : "slices are not forfeited as they were overrun";
	return 1;
}

/* A moment before the end of the slice. */
static int ending(void)
{
	return cpus[0].current != 0 && cpus[0].told == 0 && slot_ending(cpus[0].current);
}

/* The machine is idle: something wakes 3. */
static int device(void)
{
	if (cpus[0].current != 0)
		return 0;
	event_raise(3, U);
	return 1;
}

static const struct outside cpu_outside[] = {
	{"a tick", tick},
	{"the slice is about to end", ending},
	{"nobody runs, and an event comes for 3", device},
};

static const struct call cpu_calls[] = {
	DO(yield, D(0, EID(1), EID(2), EID(3), OLD_EID(2))),
	DO(wait, D(U), D(0)),
	DO(event_post, D(EID(2), EID(3)), D(U)),
	DO(slot_take, D(0), D(0, 1, EXO_NSLOT)),
	DO(slot_give, D(0, 1), D(0, CHILD, OTHER)),
	DO(slot_free, D(0, 1, EXO_NSLOT)),
	AS(1 << 1 | 1 << 2, env_set, D(0), D(EXO_SET_SLICE_UPCALL), D(0, EXO_SLICE_END)),
};

/* Penalties have no bound but that of the counter. */
static int beyond_cpu(void)
{
	for (uint32_t e = 1; e < 4; e++)
		if (envs[e].penalty > PENALTIES)
			return 1;
	return 0;
}

/* What runs is who may: its slot's owner, whoever serves it, or a borrower. */
static const char *judge_cpu(void)
{
	const struct cpu *const cpu = &cpus[0];
	const uint32_t owner = slot_user(slots[cpu->position].owner);

	if (tick_wrong)
		return tick_wrong;
	if (cpu->resched == 0 && cpu->current == 0 && owner != 0)
		return "the CPU is idle in a slot whose owner can run";
	return 0;
}

const struct world world_cpu = {
	.name = "cpu",
	.what = "three environments at a vector of slots: yield, wait, take, give, free, overrun",
	.begin = begin_cpu,
	.who = 1 << 1 | 1 << 2 | 1 << 3,
	.scheduled = 1,
	.calls = cpu_calls,
	.call_count = COUNT(cpu_calls),
	.outside = cpu_outside,
	.outside_count = COUNT(cpu_outside),
	.judge = judge_cpu,
	.beyond = beyond_cpu,
	.states = 8000,
};

/* ---- sleeping ------------------------------------------------------------------------------ */

static void begin_sleep(void)
{
	scene_boot(4, SCENE_SPARE(3));
	scene_env(2, CHILD, (struct exo_quota){{0}});
	scene_env(3, CHILD + 1, (struct exo_quota){{0}});
	envs[2].principal = 1;
	envs[3].principal = 2;
}

/* The time comes that somebody waits for. */
static int time_comes(void)
{
	if (timer_count == 0)
		return 0;
	host_now++;
	timer_expire(host_now);
	return 1;
}

static int device_for_2(void)
{
	if (envs[2].state == EXO_ENV_ZOMBIE)
		return 0;
	event_raise(2, EXO_EV_IO);
	return 1;
}

static const struct outside sleep_outside[] = {
	{"the time that is waited for", time_comes},
	{"an event of a device for 2", device_for_2},
};

static const struct call sleep_calls[] = {
	DO(wait, D(0, U, EXO_EV_IO | EXO_EV_CHILD), D(0)),
	DO(wait, D(0, U), D(IN(0), IN(1), IN(2))),
	DO(event_post, D(EID(1), EID(2), EID(3), OLD_EID(2), 0), D(U)),
	IN_VAIN(event_post, D(EID(2)), D(0, 1, U | 1)),
	AS(1 << 1, env_kill, D(CHILD), D(0)),
};

const struct world world_sleep = {
	.name = "sleep",
	.what = "three environments wait for events and deadlines, post, and end",
	.begin = begin_sleep,
	.who = 1 << 1 | 1 << 2 | 1 << 3,
	.calls = sleep_calls,
	.call_count = COUNT(sleep_calls),
	.outside = sleep_outside,
	.outside_count = COUNT(sleep_outside),
	.states = 8000,
};
