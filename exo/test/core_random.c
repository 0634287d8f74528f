/*
 * core_random.c - long random sequences of calls with nearly right arguments, on a small machine.
 *
 * After each granted call every invariant is checked, that no translation was left in the TLB, and
 * that the caller touched nothing it had no capability for; after each refused call the state must
 * be what it was, and the status one that syscall.def lists.  Seeded, so that a failure repeats:
 * arguments: [seed [steps]].
 */
#include <stdio.h>
#include <stdlib.h>
#include "../kern/check.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/event.h"
#include "../kern/ipc.h"
#include "../kern/slot.h"
#include "../kern/timer.h"
#include "machine_host.h"
#include "near.h"

enum {
	LIFE = 4000, /* calls until the world is made anew */
	STEPS = 300000,
};

static uint64_t seed;
static uint32_t me; /* who calls */

static uint64_t dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

uint64_t near_below(uint64_t n)
{
	return dice() % n;
}

static int chance(uint32_t percent)
{
	return near_below(100) < percent;
}

/* ---- calling ----------------------------------------------------------------------------- */

static uint64_t granted[NEAR_CALLS], refused[NEAR_CALLS];

static void die(uint32_t step, uint32_t number, const uint64_t *a, const char *what)
{
	printf("FAIL core_random: step %u: environment %u: %s(%#llx, %#llx, %#llx, %#llx, %#llx, "
	       "%#llx): %s\n",
	       step, me, host_call_name(number), (unsigned long long)a[0], (unsigned long long)a[1],
	       (unsigned long long)a[2], (unsigned long long)a[3], (unsigned long long)a[4],
	       (unsigned long long)a[5], what);
	exit(1);
}

static const char *judge(uint32_t number, struct exo_result r)
{
	const char *broken;

	if (!host_documented(number, r.status))
		return host_status_name(r.status);
	if (r.status != EXO_OK) {
		refused[number]++;
		return host_same() ? 0 : "refused, and has changed something";
	}
	granted[number]++;
	broken = check_state();
	if (!broken)
		broken = host_overstep(me);
	if (!broken && !host_tlb_clean())
		broken = "translation left in the TLB";
	host_remember();
	return broken;
}

static void attempt(uint32_t step, const struct near_call *c)
{
	const struct exo_result r = near_do(c);
	const char *const bad = judge(c->number, r);

	if (cpus[0].inbox)
		ipc_left();

	if (bad)
		die(step, c->number, c->a, bad);
}

/* ---- the world --------------------------------------------------------------------------- */

static void must(struct near_call c)
{
	if (near_do(&c).status != EXO_OK) {
		printf("FAIL core_random: the first environment could not be built\n");
		exit(1);
	}
}

static void world(void)
{
	near_boot();
	near_first(must);
	host_remember();
}

/* What comes from outside: ticks, time, devices. */
static void step_outside(uint32_t step)
{
	static const uint64_t none[6];
	const char *broken;

	host_now += chance(3) ? EXO_REVOKE_MIN_NS : near_below(1000000);
	slot_tick();
	timer_expire(host_now);
	ipc_tick();
	for (uint32_t e = 1; e < NEAR_ENVS; e++)
		if (me == 0 || chance(20))
			event_raise(e, me == 0 ? ~0ull : near_below(32));
	cpus[0].current = cpu_next();
	if (me == 0 && cpus[0].current == 0 && chance(10))
		world(); /* each waits for another */
	broken = check_state();
	if (broken)
		die(step, 0, none, broken);
	host_remember();
}

/* Somebody who can run, as if it were its turn; 0: nobody. */
static uint32_t somebody(void)
{
	const uint32_t start = (uint32_t)near_below(NEAR_ENVS);

	for (uint32_t i = 0; i < NEAR_ENVS; i++)
		if (envs[(start + i) % NEAR_ENVS].state == EXO_ENV_RUNNABLE)
			return (start + i) % NEAR_ENVS;
	return 0;
}

/* A run that never got to grant some call has tested nothing of it. */
static int covered(void)
{
	int all = 1;

	for (uint32_t n = 1; n < NEAR_CALLS; n++) {
		if (near_shapes[n] == 0)
			continue;
		if (granted[n] == 0 || refused[n] == 0) {
			printf("FAIL core_random: %s was granted %llu times, refused %llu\n",
			       host_call_name(n), (unsigned long long)granted[n],
			       (unsigned long long)refused[n]);
			all = 0;
		}
	}
	return all;
}

int main(int argc, char **argv)
{
	const uint32_t steps = argc > 2 ? (uint32_t)atoi(argv[2]) : STEPS;

	seed = argc > 1 ? strtoull(argv[1], 0, 0) | 1 : 0x9e3779b97f4a7c15;
	for (uint32_t step = 0; step < steps; step++) {
		if (step % LIFE == 0 || envs[1].state == EXO_ENV_ZOMBIE)
			world();
		me = somebody();
		if (me == 0 || chance(5)) {
			step_outside(step);
			continue;
		}
		cpus[0].current = me;
		cpus[0].resched = 0;
		host_remember();
		const struct near_call c = near_choose(me);

		attempt(step, &c);
	}
	if (argc > 2)
		for (uint32_t n = 1; n < NEAR_CALLS; n++)
			if (near_shapes[n])
				printf("%-16s %8llu %8llu\n", host_call_name(n),
				       (unsigned long long)granted[n],
				       (unsigned long long)refused[n]);
	if (!covered())
		return 1;
	printf("ok core_random\n");
	return 0;
}
