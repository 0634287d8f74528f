/*
 * barethreads - threads in a program without an operating system: made and joined, preempted,
 * waiting for each other, each with variables of its own, and a deadline each.
 *
 * Prints `ok` and `FAIL` lines; exit status 0 when all is ok.  Called by apps/tests/guest.tests.
 */
#include <libos/bare.h>
#include <libos/thread.h>
#include <libos/time.h>

int main(void);

enum { THREADS = 5, ROUNDS = 2000, ITEMS = 500, ROOM = 4, MS = 1000000 };

static int failures;

static void check(int good, const char *what)
{
	bare_print("%s barethreads: %s\n", good ? "ok" : "FAIL", what);
	failures += !good;
}

/* ---- a counter that each adds to, with a pause in the middle --------------------------------- */

static struct thread_mutex mutex;
static volatile long counter;
static __thread long mine = 7;

static void *counts(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		thread_mutex_lock(&mutex);
		const long seen = counter;

		if (i % 16 == 0)
			thread_yield();
		for (volatile int spin = 0; spin < 100; spin++)
			;
		counter = seen + 1;
		thread_mutex_unlock(&mutex);
		mine++;
	}
	return mine == 7 + ROUNDS ? arg : NULL;
}

static void mutex_excludes(void)
{
	struct thread *t[THREADS];
	int made = 0, right = 0;
	void *result;

	for (long i = 0; i < THREADS; i++)
		made += thread_create(&t[i], NULL, counts, (void *)(i + 1)) == 0;
	check(made == THREADS, "threads are made");
	for (long i = 0; i < THREADS && made == THREADS; i++)
		right += thread_join(t[i], &result) == 0 && result == (void *)(i + 1);
	check(right == THREADS && mine == 7, "each has variables of its own, and its result");
	check(counter == THREADS * ROUNDS, "a mutex excludes");
}

/* ---- preemption ----------------------------------------------------------------------------- */

static volatile int stop;

static void *computes(void *arg)
{
	while (!stop)
		;
	return arg;
}

static void who_computes_stops_nobody(void)
{
	const uint64_t begin = time_now();
	struct thread *t;

	check(thread_create(&t, NULL, computes, NULL) == 0, "one that computes for ever");
	for (int i = 0; i < 5; i++)
		thread_sleep_until(time_now() + 2 * MS);
	stop = 1;
	check(thread_join(t, NULL) == 0 && time_now() >= begin + 10 * MS, "stops nobody");
}

/* ---- waiting for each other ----------------------------------------------------------------- */

static struct thread_cond changed;
static int ring[ROOM], put, taken;

static void *takes(void *arg)
{
	long sum = 0;

	(void)arg;
	for (int i = 0; i < ITEMS; i++) {
		thread_mutex_lock(&mutex);
		while (taken == put)
			thread_cond_wait(&changed, &mutex, 0);
		sum += ring[taken++ % ROOM];
		thread_cond_broadcast(&changed);
		thread_mutex_unlock(&mutex);
	}
	return (void *)sum;
}

static void condition_passes_items(void)
{
	struct thread *t;
	void *sum;

	check(thread_create(&t, NULL, takes, NULL) == 0, "one that waits");
	for (int i = 0; i < ITEMS; i++) {
		thread_mutex_lock(&mutex);
		while (put - taken == ROOM)
			thread_cond_wait(&changed, &mutex, 0);
		ring[put++ % ROOM] = i;
		thread_cond_signal(&changed);
		thread_mutex_unlock(&mutex);
	}
	check(thread_join(t, &sum) == 0 && (long)sum == ITEMS * (ITEMS - 1) / 2,
	      "a condition passes items");
}

static void waits_end_in_time(void)
{
	const uint64_t begin = time_now();
	struct thread_sem none = {.count = 0};

	check(thread_sem_wait(&none, begin + 3 * MS) < 0 && time_now() >= begin + 3 * MS,
	      "a wait ends in time");
	check(thread_park(begin + 5 * MS) < 0 && time_now() >= begin + 5 * MS,
	      "and so does another");
}

int main(void)
{
	mutex_excludes();
	who_computes_stops_nobody();
	condition_passes_items();
	waits_end_in_time();
	return failures != 0;
}
