/*
 * main.c - usage: callfuzz SEED CALLS.  Runs children that make random calls, KIDS at a time, until
 * CALLS calls are made, and looks whether everything came back.
 *
 * Child i has the seed SEED + i.  Owns the children; single-threaded.
 */
#include <libos/bare.h>
#include <libos/start.h>
#include <libos/time.h>
#include "fuzz.h"

int main(int argc, char **argv);

enum { KIDS = 3, CALLS_OF_ONE = 1500, MS = 1000000, LAST_LOOKS = 5000, SHELL_MS = 10000 };

static struct kid kids[KIDS];
static struct totals totals;

/* One more child in this place.  Its calls count at once as made. */
static void start(uint32_t place, uint64_t seed, uint64_t budget)
{
	const struct kid *sibling = &kids[(place + 1) % KIDS];
	const int error = kid_start(&kids[place], seed % 3 ? sibling : NULL, seed, budget);

	if (error == 0) {
		kid_introduce(&kids[place], &kids[(place + KIDS - 1) % KIDS]);
		return;
	}
	if (totals.failed_starts++ == 0)
		bare_print("fuzz: child %u: error %d\n", seed, (int64_t)error);
	(void)kids_orphans(kids, KIDS); /* something is held by what is to go */
	(void)extents_clear();
	(void)time_sleep_until(time_now() + MS, 0);
}

/* Looks after everyone; how many calls were made by those that have ended. */
static uint64_t look(void)
{
	uint64_t calls = 0;
	uint32_t death = 0;

	for (uint32_t i = 0; i < KIDS; i++) {
		if (kids[i].build.eid == 0 || !kid_look(&kids[i], &death))
			continue;
		totals.death[death % DEATHS]++;
		report_add(&totals, kids[i].s);
		calls += kids[i].s->calls;
		(void)kids_orphans(kids, KIDS);
		(void)extents_clear();
	}
	return calls;
}

static void disturb(uint64_t at)
{
	const struct kid *k = &kids[at % KIDS];

	if (k->build.eid)
		(void)call_event_post(k->build.eid, 1ull << (32 + at % 32));
}

static void run(uint64_t seed, uint64_t calls)
{
	uint64_t made = 0;

	for (uint64_t at = 0; made < calls; at++) {
		for (uint32_t i = 0; i < KIDS; i++)
			if (kids[i].build.eid == 0)
				start(i, seed++, CALLS_OF_ONE);
		(void)time_sleep_until(time_now() + MS, EXO_EV_CHILD);
		disturb(at);
		made += look();
	}
}

/* Ends whoever is left, and waits until nothing is. */
static void finish(void)
{
	uint32_t left = 1;

	for (uint32_t tries = 0; left && tries < LAST_LOOKS; tries++) {
		left = 0;
		for (uint32_t i = 0; i < KIDS; i++) {
			left += kids[i].build.eid != 0;
			if (kids[i].build.eid)
				(void)build_kill(&kids[i].build, 0);
		}
		(void)look();
		left += kids_orphans(kids, KIDS) + extents_clear();
		if (left)
			(void)time_sleep_until(time_now() + MS, EXO_EV_EXTENT);
	}
	kids_drop_grants();
}

/*
 * Until the last program of the manifest is there: children take every console session, which no
 * quota limits, and a program that comes later would get none.
 */
static void wait_for_shell(void)
{
	const uint64_t until = time_now() + (uint64_t)SHELL_MS * MS;

	while (tables_find("sh") == 0 && time_now() < until)
		(void)time_sleep_until(time_now() + MS, 0);
}

int main(int argc, char **argv)
{
	uint64_t seed, calls;

	if (argc != 3 || bare_number(argv[1], &seed) != 0 || bare_number(argv[2], &calls) != 0) {
		bare_print("usage: callfuzz SEED CALLS\n");
		return 2;
	}
	wait_for_shell();
	bare_print("callfuzz: seed %u, %u calls\n", seed, calls);
	/* Ones that do nothing, so that the driver has all that it needs for itself. */
	for (uint32_t i = 0; i < KIDS; i++)
		start(i, 1, 0);
	finish();
	report_begin(&totals);
	run(seed, calls);
	finish();
	return report_end(&totals, seed);
}
