/*
 * main.c - runs the attacks and keeps the score.  usage: attack [NAME ...], all without a name
 *
 * Between two attacks, capabilities that one of them has left behind are dropped.  Before the first
 * and after the last there is a moment in which whoever watches can look at an undisturbed machine.
 */
#include <libos/console.h>
#include <libos/layout.h>
#include <libos/start.h>
#include <libos/time.h>
#include <libos/vm.h>
#include <string.h>
#include "attack.h"

int main(int argc, char **argv);

static const struct {
	const char *name;
	void (*run)(void);
} attacks[] = {
#define ENTRY(name) {#name, attack_##name},
	ATTACKS(ENTRY)
#undef ENTRY
};

enum { COUNT = sizeof attacks / sizeof attacks[0], LULL_MS = 200 };

static const char *running;
static uint64_t said_no, contained, succeeded;
static struct {
	uint64_t refused, contained, succeeded;
} batch;

/* ---- the score --------------------------------------------------------------------------- */

static void line(int ok, const char *name, uint64_t attempts)
{
	console_print(ok ? "ok attack " : "FAIL attack ");
	console_print(running);
	console_print(": ");
	console_print(name);
	if (attempts != 1) {
		console_print(" (");
		console_dec(attempts);
		console_print(" attempts)");
	}
	console_print("\n");
}

void tally(int ok)
{
	batch.contained += ok != 0;
	batch.succeeded += ok == 0;
}

void tally_refused(struct exo_result r)
{
	if (r.status != EXO_OK && r.value == 0)
		batch.refused++;
	else
		batch.succeeded++;
}

void tally_answered(struct exo_result r, enum exo_status status)
{
	if (r.status == status) {
		batch.refused++;
		return;
	}
	batch.succeeded++;
	console_print("  answered ");
	console_print(call_status_name(r.status));
	console_print("\n");
}

void sum_up(const char *name)
{
	const uint64_t attempts = batch.refused + batch.contained + batch.succeeded;

	line(batch.succeeded == 0 && attempts != 0, name, attempts);
	said_no += batch.refused;
	contained += batch.contained;
	succeeded += attempts == 0 ? 1 : batch.succeeded;
	batch.refused = batch.contained = batch.succeeded = 0;
}

void score(const char *name, int ok)
{
	tally(ok);
	sum_up(name);
}

void refused(const char *name, struct exo_result r)
{
	tally_refused(r);
	sum_up(name);
}

void answered(const char *name, struct exo_result r, enum exo_status status)
{
	tally_answered(r, status);
	sum_up(name);
}

void unprepared(const char *name)
{
	console_print("  could not be tried: ");
	score(name, 0);
}

/* ---- chance ------------------------------------------------------------------------------ */

uint64_t next_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void disturb(uint64_t other)
{
	const uint64_t r = next_random();
	volatile uint64_t spin = r / 8 % 4096;

	if (r % 4 == 0)
		(void)call_yield(0);
	else if (r % 4 == 1)
		(void)call_yield(other);
	else if (r % 4 == 2)
		while (spin != 0)
			spin--;
}

/* ---- who and what is there ---------------------------------------------------------------- */

uint32_t self_index(void)
{
	return EXO_EID_INDEX((struct eid){start_self()});
}

uint64_t eid_of(uint32_t e)
{
	return (uint64_t)tables_env(e)->gen << 16 | e;
}

uint32_t find_frame(enum exo_page_state state, int own)
{
	for (uint32_t f = 1; f < tables_info()->frames; f++) {
		const volatile struct exo_page *p = tables_page(f);

		if (p->state == state && (p->owner == self_index()) == own)
			return f;
	}
	return 0;
}

uint32_t find_victim(void)
{
	for (uint32_t e = 1; e < tables_info()->envs; e++)
		if (e != self_index() && tables_env(e)->state >= EXO_ENV_RUNNABLE &&
		    tables_env(e)->state != EXO_ENV_ZOMBIE)
			return e;
	return 0;
}

uint32_t find_free_env(void)
{
	for (uint32_t e = 1; e < tables_info()->envs; e++)
		if (tables_env(e)->state == EXO_ENV_FREE)
			return e;
	return 0;
}

uint32_t free_slot(uint32_t after)
{
	for (uint32_t s = after + 1; s < EXO_NCAP; s++)
		if (tables_caps(self_index())->c[s].kind == EXO_CAP_NONE)
			return s;
	return EXO_NCAP;
}

uint32_t scratch_table(void)
{
	uint64_t va;

	if (vm_find(SCRATCH) == NULL &&
	    (vm_reserve(SCRATCH, VM_PAGE, VM_READ | VM_WRITE, VM_ANON, &va) != 0 ||
	     vm_populate(SCRATCH, VM_PAGE, VM_READ | VM_WRITE) != 0))
		return 0;
	for (uint32_t f = 1; f < tables_info()->frames; f++) {
		const volatile struct exo_page *p = tables_page(f);

		if (p->state == EXO_PAGE_TABLE && p->owner == self_index() && p->level == 1 &&
		    p->va == SCRATCH)
			return f;
	}
	return 0;
}

/* ---- running ----------------------------------------------------------------------------- */

static void run(uint32_t i)
{
	uint8_t before[EXO_NCAP];

	for (uint32_t s = 0; s < EXO_NCAP; s++)
		before[s] = tables_caps(self_index())->c[s].kind;
	running = attacks[i].name;
	attacks[i].run();
	for (uint32_t s = LAYOUT_CAP_FREE; s < EXO_NCAP; s++)
		if (before[s] == EXO_CAP_NONE)
			(void)call_cap_drop(s);
}

static int wanted(const char *name, int argc, char **argv)
{
	for (int a = 1; a < argc; a++)
		if (strcmp(argv[a], name) == 0)
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	uint32_t ran = 0;

	(void)time_sleep_until(time_now() + LULL_MS * MS, 0);
	for (uint32_t i = 0; i < COUNT; i++)
		if (wanted(attacks[i].name, argc, argv)) {
			run(i);
			ran++;
		}
	if (ran == 0) {
		console_print("usage: attack [NAME ...]\n");
		return 2;
	}
	(void)time_sleep_until(time_now() + LULL_MS * MS, 0);
	console_print("attack: ");
	console_dec(said_no + contained + succeeded);
	console_print(" attempts: ");
	console_dec(said_no);
	console_print(" refused, ");
	console_dec(contained);
	console_print(" contained, ");
	console_dec(succeeded);
	console_print(" succeeded\n");
	return succeeded != 0;
}
