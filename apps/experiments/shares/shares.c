/*
 * shares - threads that always want to run: how far are they from the shares that their tickets
 * promise, after 4, 8, 16 ... slices?
 *
 *   shares SLICES SEED TICKETS TICKETS...
 *
 * A thread for each TICKETS.  The scheduler is the one that the program is linked with.  It decides
 * about SEED times APART turns before there are any threads, so that one that goes by chance goes
 * another way.  The error is that of the thread that is off most.
 */
#include "../experiment_bare.h"
#include <libos/thread.h>

int main(int argc, char **argv);

enum { FIRST = 4, MOST_THREADS = 8, MOST_SAMPLES = 16, MILLION = 1000000, HUNDRED = 100 };
enum { APART = 5000 }; /* more turns than are decided about in a short run */

struct sample {
	uint64_t slices, had[MOST_THREADS];
};

static struct thread *threads[MOST_THREADS];
static uint64_t tickets[MOST_THREADS], all_tickets, counted[MOST_THREADS];
static uint32_t count, samples;
static struct sample sample[MOST_SAMPLES];
static uint64_t next_sample = FIRST, last;
static volatile int done;

/* Notes what each had, when that is due.  The caller has just begun a slice: no other is missed. */
static void look(void)
{
	struct sample s = {.slices = 0};

	for (uint32_t i = 0; i < count; i++)
		s.slices += s.had[i] = thread_slices(threads[i]);
	if (s.slices < next_sample || samples == MOST_SAMPLES)
		return;
	sample[samples++] = s;
	next_sample *= 2;
	done = s.slices >= last;
}

static void *spin(void *arg)
{
	uint64_t *const rounds = arg;

	while (!done) {
		look();
		++*rounds;
	}
	return NULL;
}

static int start(void)
{
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		const struct thread_attr attr = {.policy.tickets = (uint32_t)tickets[i]};

		error = thread_create(&threads[i], &attr, spin, &counted[i]);
	}
	for (uint32_t i = 0; i < count && !error; i++)
		error = thread_join(threads[i], NULL);
	return error;
}

/* How far thread i is from its share, in hundredths of a slice. */
static uint64_t off(const struct sample *s, uint32_t i)
{
	const uint64_t had = HUNDRED * s->had[i];
	const uint64_t due = HUNDRED * s->slices * tickets[i] / all_tickets;

	return had > due ? had - due : due - had;
}

static uint64_t worst_off(const struct sample *s)
{
	uint64_t worst = 0;

	for (uint32_t i = 0; i < count; i++)
		worst = off(s, i) > worst ? off(s, i) : worst;
	return worst;
}

static void print_slices(uint64_t hundredths)
{
	bare_print("%u.%s%u\n", hundredths / HUNDRED, hundredths % HUNDRED < 10 ? "0" : "",
		   hundredths % HUNDRED);
}

/* A point of each series. */
static void report(const struct sample *s)
{
	bare_print("metric slices_off %u ", s->slices);
	print_slices(worst_off(s));
	bare_print("metric share_error_ppm %u %u\n", s->slices,
		   worst_off(s) * (MILLION / HUNDRED) / s->slices);
}

/* Tickets of 1 to 1000, a thread each. */
static void read_tickets(char **argv, uint32_t n)
{
	if (n > MOST_THREADS)
		usage("shares SLICES SEED TICKETS TICKETS... (8 at most)");
	count = n;
	for (uint32_t i = 0; i < n; i++)
		all_tickets += tickets[i] = argument("TICKETS", argv[i], 1, 1000);
}

int main(int argc, char **argv)
{
	uint64_t seed;

	if (argc < 5)
		usage("shares SLICES SEED TICKETS TICKETS...");
	last = argument("SLICES", argv[1], FIRST, FIRST << (MOST_SAMPLES - 1));
	seed = argument("SEED", argv[2], 0, 1000);
	read_tickets(argv + 3, (uint32_t)argc - 3);
	for (uint64_t i = 0; i < seed * APART; i++)
		thread_yield();
	need(start(), "threads");
	for (uint32_t i = 0; i < samples; i++)
		report(&sample[i]);
	bare_print("metric slices_off_at_end ");
	print_slices(worst_off(&sample[samples - 1]));
	for (uint32_t i = 0; i < count; i++)
		need(counted[i] ? 0 : -ETIMEDOUT, "a thread that never ran");
	return 0;
}
