/*
 * thread.c - what every scheduler must do: libos/thread.h.
 *
 * Nothing here depends on who runs first.  Threads report by their results; only main CHECKs.
 */
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/sched.h>
#include <libos/time.h>
#include "threads.h"

enum { MANY = 100, MS = 1000000 };

static void *same(void *arg)
{
	return arg;
}

static void join_gives_result(void)
{
	struct thread *t;
	void *result;
	int x;

	CHECK(thread_create(&t, NULL, same, &x) == 0);
	CHECK(thread_join(t, &result) == 0 && result == &x);
	CHECK(thread_join(thread_self(), NULL) == -EDEADLK);
}

static struct thread_sem gate;

static void *returns_at_gate(void *arg)
{
	thread_sem_wait(&gate, 0);
	return arg;
}

static void *exits_at_gate(void *arg)
{
	thread_sem_wait(&gate, 0);
	thread_exit(arg);
}

static void many_at_once(void)
{
	struct thread *t[MANY];
	void *result;

	for (long i = 0; i < MANY; i++)
		CHECK(thread_create(&t[i], NULL, i % 2 ? returns_at_gate : exits_at_gate,
				    (void *)i) == 0);
	CHECK(thread_count == MANY + 1);
	for (int i = 0; i < MANY; i++)
		CHECK(thread_sem_post(&gate) == 0);
	for (long i = MANY; i-- > 0;)
		CHECK(thread_join(t[i], &result) == 0 && result == (void *)i);
	CHECK(thread_count == 1);
}

static struct thread_sem done;

static void *posts(void *arg)
{
	thread_sem_post(&done);
	return arg;
}

static void detached_are_forgotten(void)
{
	const struct thread_attr attr = {.detached = 1};
	struct thread *t;

	for (int i = 0; i < MANY; i++) {
		CHECK(thread_create(&t, &attr, posts, NULL) == 0);
		CHECK(thread_sem_wait(&done, 0) == 0);
	}
	CHECK(thread_create(&t, NULL, posts, NULL) == 0);
	CHECK(thread_detach(t) == 0);
	CHECK(thread_sem_wait(&done, 0) == 0);
	while (thread_count > 1)
		thread_yield();
}

static void bad_stack_size(void)
{
	const struct thread_attr small = {.stack = 100}, huge = {.stack = 1ul << 40};
	struct thread *t;

	CHECK(thread_create(&t, &small, same, NULL) == -EINVAL);
	CHECK(thread_create(&t, &huge, same, NULL) == -ENOMEM);
	CHECK(thread_count == 1);
}

/* ---- what is a thread's own ----------------------------------------------------------------- */

static void *errno_of_its_own(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 200; i++) {
		errno = (int)(long)arg;
		thread_yield();
		bad += errno != (int)(long)arg;
	}
	return (void *)bad;
}

static void errno_is_its_own(void)
{
	struct thread *a, *b;
	void *ra, *rb;

	errno = 99;
	CHECK(thread_create(&a, NULL, errno_of_its_own, (void *)5) == 0);
	CHECK(thread_create(&b, NULL, errno_of_its_own, (void *)6) == 0);
	CHECK(thread_join(a, &ra) == 0 && thread_join(b, &rb) == 0);
	CHECK(!ra && !rb && errno == 99);
}

/* Long enough that slices end in it; the sum is exact if no register was lost. */
static void *adds_up(void *arg)
{
	const double step = (double)(long)arg;
	double sum = 0;
	long bad = 0;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 100000; i++)
			sum += step;
		if (round % 4 == 0)
			thread_yield();
	}
	bad += sum != step * 2000000;
	return (void *)bad;
}

static void floating_point_is_its_own(void)
{
	struct thread *t[4];
	void *bad;

	for (long i = 0; i < 4; i++)
		CHECK(thread_create(&t[i], NULL, adds_up, (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(thread_join(t[i], &bad) == 0 && !bad);
}

static unsigned control_word(void)
{
	unsigned word;

	__asm__ volatile("stmxcsr %0" : "=m"(word));
	return word & ~0x3fu;
}

static void *rounds_up(void *arg)
{
	unsigned up = 0x5f80, back = 0x1f80;
	long bad;

	__asm__ volatile("ldmxcsr %0" ::"m"(up));
	thread_yield();
	bad = control_word() != (up & ~0x3fu);
	__asm__ volatile("ldmxcsr %0" ::"m"(back));
	(void)arg;
	return (void *)bad;
}

static void rounding_is_its_own(void)
{
	const unsigned mine = control_word();
	struct thread *t;
	void *bad;

	CHECK(thread_create(&t, NULL, rounds_up, NULL) == 0);
	for (int i = 0; i < 10; i++) {
		thread_yield();
		CHECK(control_word() == mine);
	}
	CHECK(thread_join(t, &bad) == 0 && !bad);
}

static __thread long mine = 7;
static __thread char zero[100];

static void *counts_its_own(void *arg)
{
	long bad = mine != 7 || zero[99] != 0;

	for (int i = 0; i < 100; i++) {
		mine++;
		zero[99] = (char)(long)arg;
		thread_yield();
		bad += zero[99] != (char)(long)arg;
	}
	return (void *)(bad + (mine != 107));
}

static void variables_are_its_own(void)
{
	struct thread *t[3];
	void *bad;

	CHECK(mine == 7);
	mine = 1000;
	for (long i = 0; i < 3; i++)
		CHECK(thread_create(&t[i], NULL, counts_its_own, (void *)(i + 1)) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(thread_join(t[i], &bad) == 0 && !bad);
	CHECK(mine == 1000 && zero[99] == 0);
	mine = 7;
}

static int deeper(volatile char *above)
{
	volatile char here[1024];

	here[0] = *above;
	if (here[0])
		return 1;
	return deeper(here) + here[0];
}

static void *overflows(void *arg)
{
	char c = 0;

	(void)arg;
	return (void *)(long)deeper(&c);
}

/* In a copy of the program, since it ends there. */
static void guard_page_holds(void)
{
	struct thread *t;
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		(void)close(1);
		if (thread_create(&t, NULL, overflows, NULL) == 0)
			thread_join(t, NULL);
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* ---- memory and stdio ----------------------------------------------------------------------- */

static void *allocates(void *arg)
{
	unsigned char *block[16] = {0};
	unsigned random = (unsigned)(long)arg;
	long bad = 0;

	for (int i = 0; i < 2000; i++) {
		const unsigned at = (random = random * 1103515245 + 12345) >> 16 & 15;
		const size_t size = 16 + (random >> 8 & 1023);

		if (block[at])
			bad += block[at][0] != (unsigned char)(long)arg;
		free(block[at]);
		block[at] = malloc(size);
		if (!block[at])
			return (void *)1;
		memset(block[at], (int)(long)arg, size);
	}
	for (int i = 0; i < 16; i++)
		free(block[i]);
	return (void *)bad;
}

static void malloc_among_threads(void)
{
	struct thread *t[4];
	void *bad;

	for (long i = 0; i < 4; i++)
		CHECK(thread_create(&t[i], NULL, allocates, (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(thread_join(t[i], &bad) == 0 && !bad);
}

static FILE *shared;

static void *writes_lines(void *arg)
{
	for (int i = 0; i < 200; i++)
		fprintf(shared, "%ld%ld%ld%ld%ld\n", (long)arg, (long)arg, (long)arg, (long)arg,
			(long)arg);
	return NULL;
}

static void lines_stay_whole(void)
{
	struct thread *t[4];
	int seen[5] = {0}, c;
	char line[16];

	shared = fopen("/tmp/threads-lines", "w+");
	CHECK(shared);
	for (long i = 0; i < 4; i++)
		CHECK(thread_create(&t[i], NULL, writes_lines, (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(thread_join(t[i], NULL) == 0);
	rewind(shared);
	while (fgets(line, sizeof(line), shared)) {
		c = line[0] - '0';
		CHECK(c >= 1 && c <= 4 && strlen(line) == 6);
		for (int i = 0; i < 5; i++)
			CHECK(line[i] == line[0]);
		seen[c]++;
	}
	fclose(shared);
	unlink("/tmp/threads-lines");
	CHECK(seen[1] == 200 && seen[2] == 200 && seen[3] == 200 && seen[4] == 200);
}

/* ---- each other ----------------------------------------------------------------------------- */

static struct thread_mutex mutex;
static struct thread_cond changed;
static long counter;

static void *increments(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		long seen;

		thread_mutex_lock(&mutex);
		seen = counter;
		if (i % 8 == 0)
			thread_yield();
		for (volatile int spin = 0; spin < 200; spin++)
			;
		counter = seen + 1;
		thread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void mutex_excludes(void)
{
	struct thread *t[5];

	counter = 0;
	for (int i = 0; i < 5; i++)
		CHECK(thread_create(&t[i], NULL, increments, (void *)500) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(thread_join(t[i], NULL) == 0);
	CHECK(counter == 2500);
	CHECK(thread_mutex_trylock(&mutex) == 0 && thread_mutex_trylock(&mutex) == -EBUSY);
	thread_mutex_unlock(&mutex);
}

static void *locks_until(void *arg)
{
	const long error = thread_mutex_lock_until(&mutex, time_now() + (uint64_t)(long)arg);

	if (!error)
		thread_mutex_unlock(&mutex);
	return (void *)error;
}

static void mutex_wait_ends_in_time(void)
{
	struct thread *t;
	void *error;

	thread_mutex_lock(&mutex);
	CHECK(thread_create(&t, NULL, locks_until, (void *)(3l * MS)) == 0);
	CHECK(thread_join(t, &error) == 0 && (long)error == -ETIMEDOUT);
	CHECK(thread_create(&t, NULL, locks_until, (void *)(10000l * MS)) == 0);
	thread_sleep_until(time_now() + 3 * MS);
	thread_mutex_unlock(&mutex);
	CHECK(thread_join(t, &error) == 0 && !error);
	CHECK(!thread_self()->lent);
}

enum { ITEMS = 1000, ROOM = 4 };
static int ring[ROOM], puts_done, takes_done;

static void *consumes(void *arg)
{
	long sum = 0;

	for (int i = 0; i < ITEMS; i++) {
		thread_mutex_lock(&mutex);
		while (takes_done == puts_done)
			thread_cond_wait(&changed, &mutex, 0);
		sum += ring[takes_done++ % ROOM];
		thread_cond_broadcast(&changed);
		thread_mutex_unlock(&mutex);
	}
	(void)arg;
	return (void *)sum;
}

static void condition_passes_items(void)
{
	struct thread *t;
	void *sum;

	puts_done = takes_done = 0;
	CHECK(thread_create(&t, NULL, consumes, NULL) == 0);
	for (int i = 0; i < ITEMS; i++) {
		thread_mutex_lock(&mutex);
		while (puts_done - takes_done == ROOM)
			thread_cond_wait(&changed, &mutex, 0);
		ring[puts_done++ % ROOM] = i;
		thread_cond_signal(&changed);
		thread_mutex_unlock(&mutex);
	}
	CHECK(thread_join(t, &sum) == 0 && (long)sum == ITEMS * (ITEMS - 1) / 2);
}

static void waits_end_in_time(void)
{
	const uint64_t begin = time_now();
	struct thread_sem empty = {.count = 0};

	thread_mutex_lock(&mutex);
	CHECK(thread_cond_wait(&changed, &mutex, begin + 2 * MS) == -ETIMEDOUT);
	CHECK(time_now() >= begin + 2 * MS && mutex.owner == thread_self());
	thread_mutex_unlock(&mutex);
	CHECK(thread_sem_wait(&empty, begin + 4 * MS) == -ETIMEDOUT);
	CHECK(time_now() >= begin + 4 * MS && thread_sem_trywait(&empty) == -EAGAIN);
	CHECK(thread_park(begin + 6 * MS) == -ETIMEDOUT && time_now() >= begin + 6 * MS);
}

static void *parks(void *arg)
{
	(void)arg;
	return (void *)(long)thread_park(0);
}

static void unpark_is_not_lost(void)
{
	struct thread *t;
	void *error;

	thread_unpark(thread_self());
	CHECK(thread_park(0) == 0);
	CHECK(thread_create(&t, NULL, parks, NULL) == 0);
	thread_unpark(t);
	CHECK(thread_join(t, &error) == 0 && !error);
	CHECK(thread_create(&t, NULL, parks, NULL) == 0);
	thread_sleep_until(time_now() + 2 * MS);
	thread_unpark(t);
	CHECK(thread_join(t, &error) == 0 && !error);
}

static int order[4], arrived;

static void *sleeps(void *arg)
{
	thread_sleep_until(time_now() + (uint64_t)(long)arg * 10 * MS);
	order[arrived++] = (int)(long)arg;
	return NULL;
}

static void sleepers_wake_in_order(void)
{
	static const long ms[] = {3, 1, 4, 2};
	struct thread *t[4];

	arrived = 0;
	for (int i = 0; i < 4; i++)
		CHECK(thread_create(&t[i], NULL, sleeps, (void *)ms[i]) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(thread_join(t[i], NULL) == 0);
	CHECK(order[0] == 1 && order[1] == 2 && order[2] == 3 && order[3] == 4);
}

const struct check thread_checks[] = {
	{"join gives the result", join_gives_result},
	{"a hundred at once", many_at_once},
	{"detached ones are forgotten", detached_are_forgotten},
	{"bad stack sizes are refused", bad_stack_size},
	{"errno is its own", errno_is_its_own},
	{"floating point is its own", floating_point_is_its_own},
	{"rounding is its own", rounding_is_its_own},
	{"__thread variables are its own", variables_are_its_own},
	{"the guard page holds", guard_page_holds},
	{"malloc among threads", malloc_among_threads},
	{"lines of stdio stay whole", lines_stay_whole},
	{"a mutex excludes", mutex_excludes},
	{"a wait for a mutex ends in time", mutex_wait_ends_in_time},
	{"a condition passes items", condition_passes_items},
	{"waits end in time", waits_end_in_time},
	{"an unpark is not lost", unpark_is_not_lost},
	{"sleepers wake in order", sleepers_wake_in_order},
	{NULL, NULL},
};
