/*
 * realtime - a job every ten CPU slots that is never late, whatever the other programs do.
 *
 * usage: realtime [JOBS].  The program owns every tenth slot of the vector (its manifest says so),
 * sleeps until one of them comes up, does a job that takes a part of it, and sleeps again.  A job
 * is released when the slot begins and must be done before the program's next slot begins: else its
 * deadline is missed.  Then it gives all slots away but one and does a tenth of the jobs again,
 * which shows what the vector was good for: now it is one among many.
 *
 * Time is counted in slots of the kernel's vector, so a host that stops the emulator for a while
 * stops this clock too.  Exits with 0 when no deadline was missed while the slots were its own.
 */
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/start.h>
#include <libos/tables.h>

int main(int argc, char **argv);

enum { JOBS = 300, TRIES = 5 };

struct record {
	uint64_t jobs, missed, late; /* late: not done within the slot it was released in */
	uint64_t worst;		     /* slots from release to done */
};

static uint32_t period[EXO_NSLOT]; /* from this slot to the next one of ours; 0: not ours */

static uint32_t self(void)
{
	return EXO_EID_INDEX((struct eid){start_self()});
}

static int ours(uint32_t slot)
{
	return tables_slot(slot % EXO_NSLOT)->owner == self();
}

/* How many slots from `slot` to the next one that is ours. */
static uint32_t until_ours(uint32_t slot)
{
	uint32_t n = 1;

	while (n < EXO_NSLOT && !ours(slot + n))
		n++;
	return n;
}

static uint32_t plan(void)
{
	uint32_t count = 0;

	for (uint32_t s = 0; s < EXO_NSLOT; s++) {
		period[s] = ours(s) ? until_ours(s) : 0;
		count += ours(s) != 0;
	}
	return count;
}

/* Slots passed since boot. */
static uint64_t ticks(void)
{
	return tables_info()->ticks;
}

/*
 * Sleeps until slot number `release` begins.  Being woken a slot too early is no harm: that slot is
 * somebody else's, and the next one is ours.
 */
static void sleep_until_slot(uint64_t release)
{
	const uint64_t slot_ns = tables_info()->tick_ns;
	uint64_t now;

	while ((now = ticks()) < release) {
		if (release - now > 1)
			(void)time_sleep_until(
				time_now() + (release - now - 1) * slot_ns - slot_ns / 2, 0);
		else
			(void)call_yield(0);
	}
}

static uint64_t iterations;

static void work(void)
{
	for (uint64_t i = 0; i < iterations; i++)
		__asm__ volatile("");
}

/* Makes a job a tenth to a fifth of a slot long; the shortest of some tries was not disturbed. */
static void calibrate(void)
{
	uint64_t shortest = 0;

	for (iterations = 64; shortest < tables_info()->tick_ns / 10; iterations *= 2) {
		shortest = UINT64_MAX;
		for (uint32_t i = 0; i < TRIES; i++) {
			const uint64_t start = time_now();
			uint64_t took;

			work();
			took = time_now() - start;
			shortest = took < shortest ? took : shortest;
		}
	}
	iterations /= 2;
}

/* One job in each of the slots planned, `jobs` times. */
static struct record run(uint64_t jobs)
{
	struct record r = {.jobs = jobs};
	uint64_t release = ticks() + 2 * EXO_NSLOT;

	while (period[release % EXO_NSLOT] == 0)
		release++;
	for (uint64_t i = 0; i < jobs; i++) {
		const uint32_t next = period[release % EXO_NSLOT];
		uint64_t took;

		sleep_until_slot(release);
		work();
		took = ticks() - release;
		r.missed += took >= next;
		r.late += took >= 1;
		r.worst = took > r.worst ? took : r.worst;
		release += next;
		while (release <= ticks())
			release += period[release % EXO_NSLOT];
	}
	return r;
}

static void print(const char *what, uint32_t slots, const struct record *r)
{
	bare_print("realtime: %s (%u of %u slots): %u deadlines missed of %u, %u jobs left their "
		   "slot, the worst took %u slots\n",
		   what, (uint64_t)slots, (uint64_t)EXO_NSLOT, r->missed, r->jobs, r->late,
		   r->worst + 1);
}

/* All slots but the first are anybody's. */
static void give_up(void)
{
	uint32_t kept = 0;

	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (ours(s) && kept++ > 0)
			(void)call_slot_free(s);
}

int main(int argc, char **argv)
{
	uint64_t jobs = JOBS;
	struct record owned, shared;
	uint32_t slots;

	if (argc > 2 || (argc == 2 && bare_number(argv[1], &jobs) != 0)) {
		bare_print("usage: realtime [JOBS]\n");
		return 2;
	}
	slots = plan();
	if (slots < 2) {
		bare_print("realtime: it has %u CPU slots: see the manifest beside its source\n",
			   (uint64_t)slots);
		return 2;
	}
	calibrate();
	owned = run(jobs);
	print("with slots of its own", slots, &owned);
	give_up();
	shared = run((jobs + 9) / 10);
	print("as one among others", 1, &shared);
	return owned.missed != 0;
}
