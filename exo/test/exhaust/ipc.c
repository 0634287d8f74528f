/*
 * ipc.c - the world of calls between environments: three of them, each with a capability to call
 * the others, with deadlines, events, capabilities that are passed, and deaths.
 */
#include "../../kern/cap.h"
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/event.h"
#include "../../kern/ipc.h"
#include "../../kern/timer.h"
#include "../machine_host.h"
#include "scene.h"
#include "worlds.h"

enum {
	P = 4,	 /* slot: what is passed */
	GOT = 5, /* slot: where it comes to */
	PASS = P << 8 | GOT << 16,
	TAKE = GOT << 16,
};

/* Slot e of each: environment e, if it is not itself; slot P of 1: something that may be passed. */
static void begin_ipc(void)
{
	scene_boot(4, SCENE_SPARE(3));
	scene_env(2, 2, (struct exo_quota){{0, 0, 4}});
	scene_env(3, 3, (struct exo_quota){{0, 0, 4}});
	for (uint32_t e = 1; e < 4; e++) {
		for (uint32_t to = 1; to < 4; to++)
			if (to != e)
				scene_cap(e, to, to, EXO_ENV_CALL);
		envs[e].calls_open = 1;
	}
	scene_cap(1, P, 1, EXO_ENV_CALL | EXO_RIGHT_GRANT);
}

static int time_comes(void)
{
	if (timer_count == 0)
		return 0;
	host_now++;
	timer_expire(host_now);
	return 1;
}

static int tick(void)
{
	if (envs[0].call_head == 0)
		return 0;
	ipc_tick();
	return 1;
}

static int device(void)
{
	if (envs[2].state == EXO_ENV_ZOMBIE)
		return 0;
	event_raise(2, EXO_EV_IO);
	return 1;
}

static const struct outside ipc_outside[] = {
	{"the time that is waited for", time_comes},
	{"a tick, when the dead have callers", tick},
	{"an event of a device for 2", device},
};

static const struct call ipc_calls[] = {
	DO(ipc_call, D(1, 2, 3), D(0), D(0), D(0), D(0), D(0)),
	AS(1 << 1 | 1 << 2, ipc_call, D(2, 3), D(IN(0), IN(1)), D(0), D(0), D(0), D(0)),
	AS(1 << 1, ipc_call, D(2 | PASS), D(0), D(0), D(0), D(0), D(0)),
	AS(1 << 1, ipc_call, D(2 | GOT << 8), D(0), D(0), D(0), D(0), D(0)),
	AS(1 << 3, ipc_call, D(64, 1 << 24 | 1, 1 | 64 << 8, 1 | 64 << 16, P), D(0), D(0), D(0),
	   D(0), D(0)),
	DO(ipc_reply_wait, D(0, 1), D(0), D(0), D(0), D(0), D(0)),
	AS(1 << 2, ipc_reply_wait, D(1 | TAKE, 0 | PASS, 1 | PASS), D(EXO_EV_IO), D(0), D(0), D(0),
	   D(0)),
	AS(1 << 2 | 1 << 3, ipc_reply_wait, D(0, 1), D(0), D(IN(0), IN(1)), D(0), D(0), D(0)),
	IN_VAIN(ipc_reply_wait, D(2, 1 << 24, 64 << 8, 64 << 16), D(0), D(0), D(0), D(0), D(0)),
	AS(1 << 2, cap_drop, D(GOT)),
	AS(1 << 3, env_set, D(0), D(EXO_SET_CALLS), D(0, 1, 2)),
	AS(1 << 2 | 1 << 3, env_kill, D(0), D(0)),
};

/* What is passed is lent: it cannot be passed on. */
static const char *judge_ipc(void)
{
	for (uint32_t e = 1; e < 4; e++)
		if (caps[e].c[GOT].kind != EXO_CAP_NONE &&
		    (caps[e].c[GOT].rights & EXO_RIGHT_GRANT) != 0)
			return "what was lent can be lent on";
	return 0;
}

const struct world world_ipc = {
	.name = "ipc",
	.what = "three environments call each other, with deadlines, passed capabilities and "
		"deaths",
	.begin = begin_ipc,
	.who = 1 << 1 | 1 << 2 | 1 << 3,
	.calls = ipc_calls,
	.call_count = COUNT(ipc_calls),
	.outside = ipc_outside,
	.outside_count = COUNT(ipc_outside),
	.judge = judge_ipc,
	.states = 14000,
};
