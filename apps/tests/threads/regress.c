/*
 * regress.c - bugs that threads had, and what only ours promise.
 */
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/sched.h>
#include <libos/time.h>
#include "threads.h"

enum { MS = 1000000 };

static int is(const char *name)
{
	return strcmp(sched_name, name) == 0;
}

/* ---- lent urgency --------------------------------------------------------------------------- */

static struct thread_mutex outer, inner;
static volatile int stop;
static volatile long low_laps, laps_then;
static volatile int timed_out;

static int create_at(int priority, struct thread **t, void *(*fn)(void *), void *arg)
{
	const struct thread_attr attr = {.policy.priority = priority};

	return thread_create(t, &attr, fn, arg);
}

static void set_priority(int priority)
{
	const struct thread_policy policy = {.priority = priority};

	thread_set_policy(thread_self(), &policy);
}

/* Holds what it is told to, and computes. */
static void *holds(void *m)
{
	thread_mutex_lock(m);
	while (!stop)
		low_laps++;
	thread_mutex_unlock(m);
	return NULL;
}

static void *waits_for_inner(void *arg)
{
	thread_mutex_lock(&outer);
	thread_mutex_lock(&inner);
	thread_mutex_unlock(&inner);
	thread_mutex_unlock(&outer);
	return arg;
}

static void *tries_outer(void *arg)
{
	const int error = thread_mutex_lock_until(&outer, time_now() + 3 * MS);

	laps_then = low_laps;
	timed_out = error == -ETIMEDOUT;
	return arg;
}

/* Computes; its result: whether `low` did since the urgent one went, though it is less urgent. */
static void *watches(void *arg)
{
	long overtaken = -1;

	(void)arg;
	while (!stop)
		if (timed_out && overtaken < 0)
			overtaken = low_laps != laps_then;
	return (void *)overtaken;
}

/*
 * low (1) has inner and computes; middle (2) has outer and waits for inner; others compute at 5;
 * one at 10 waits for outer, in vain.  Then all have their own urgency again, and low its place.
 */
static void urgency_goes_with_who_gives_up(void)
{
	struct thread *low, *middle, *busy, *urgent;
	void *overtaken;

	if (!is("prio"))
		return;
	stop = timed_out = 0;
	set_priority(20);
	CHECK(create_at(1, &low, holds, &inner) == 0);
	thread_sleep_until(time_now() + 2 * MS);
	CHECK(create_at(2, &middle, waits_for_inner, NULL) == 0);
	thread_sleep_until(time_now() + 2 * MS);
	CHECK(low->rank == -2 && middle->state == THREAD_BLOCKED);
	CHECK(create_at(5, &busy, watches, NULL) == 0);
	CHECK(create_at(10, &urgent, tries_outer, NULL) == 0);
	thread_sleep_until(time_now() + MS);
	CHECK(low->rank == -10 && middle->rank == -10);
	CHECK(thread_join(urgent, NULL) == 0 && timed_out);
	CHECK(low->rank == -2 && middle->rank == -2);
	thread_sleep_until(time_now() + 5 * MS);
	stop = 1;
	CHECK(thread_join(busy, &overtaken) == 0 && !overtaken);
	CHECK(thread_join(middle, NULL) == 0 && thread_join(low, NULL) == 0);
	set_priority(0);
}

static void *waits_for_outer(void *arg)
{
	thread_mutex_lock(&outer);
	thread_mutex_unlock(&outer);
	return arg;
}

/* Who waits is given another priority: the one that it waits for has it too. */
static void new_urgency_is_lent(void)
{
	const struct thread_policy ten = {.priority = 10}, three = {.priority = 3};
	struct thread *low, *waiter;

	if (!is("prio"))
		return;
	stop = 0;
	set_priority(20);
	CHECK(create_at(1, &low, holds, &outer) == 0);
	thread_sleep_until(time_now() + 2 * MS);
	CHECK(create_at(2, &waiter, waits_for_outer, NULL) == 0);
	thread_sleep_until(time_now() + 2 * MS);
	CHECK(low->rank == -2 && thread_set_policy(waiter, &ten) == 0 && low->rank == -10);
	CHECK(thread_set_policy(waiter, &three) == 0 && low->rank == -3);
	stop = 1;
	CHECK(thread_join(waiter, NULL) == 0 && thread_join(low, NULL) == 0);
	set_priority(0);
}

static void *parks(void *arg)
{
	(void)thread_park(0);
	return arg;
}

/* Three thirds are all there is, and no more: a fourth thread, with next to nothing, is too much.
 */
static void three_thirds_are_admitted(void)
{
	const struct thread_attr third = {.policy = {.period = 30 * MS, .budget = 10 * MS}},
				 bit = {.policy = {.period = 1000 * MS, .budget = 1000}},
				 year = {.policy = {.period = 1ul << 55, .budget = 1ul << 54}};
	struct thread *t[3], *more;

	if (!is("edf"))
		return;
	for (int i = 0; i < 3; i++)
		CHECK(thread_create(&t[i], &third, parks, NULL) == 0);
	CHECK(thread_create(&more, &bit, parks, NULL) == -EBUSY);
	thread_unpark(t[2]);
	CHECK(thread_join(t[2], NULL) == 0);
	CHECK(thread_create(&more, &year, parks, NULL) == -EBUSY);
	CHECK(thread_create(&more, &bit, parks, NULL) == 0);
	thread_unpark(more);
	CHECK(thread_join(more, NULL) == 0);
	for (int i = 0; i < 2; i++) {
		thread_unpark(t[i]);
		CHECK(thread_join(t[i], NULL) == 0);
	}
}

/* ---- readers and writers -------------------------------------------------------------------- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int laps[2], written;

/* Has it nearly always, as another does: there is no time when nobody reads. */
static void *reads_on(void *lap)
{
	while (!written) {
		pthread_rwlock_rdlock(&rwlock);
		thread_yield();
		pthread_rwlock_unlock(&rwlock);
		++*(int *)lap;
	}
	return NULL;
}

/* Its result: how often others read while it waited. */
static void *writes_once(void *arg)
{
	const long before = laps[0] + laps[1];
	long during;

	(void)arg;
	pthread_rwlock_wrlock(&rwlock);
	during = laps[0] + laps[1] - before;
	written = 1;
	pthread_rwlock_unlock(&rwlock);
	return (void *)during;
}

static void writers_do_not_starve(void)
{
	struct thread *reader[2], *writer;
	void *during;

	laps[0] = laps[1] = written = 0;
	for (int i = 0; i < 2; i++)
		CHECK(thread_create(&reader[i], NULL, reads_on, &laps[i]) == 0);
	while (!laps[0] || !laps[1])
		thread_yield();
	CHECK(thread_create(&writer, NULL, writes_once, NULL) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(thread_join(reader[i], NULL) == 0);
	CHECK(thread_join(writer, &during) == 0 && (long)during <= 2);
}

/* ---- what is a thread's own ----------------------------------------------------------------- */

static __thread char large[4000] = {1};
static __thread _Alignas(256) char aligned[3] = {2, 3};

static void *looks_at_its_own(void *arg)
{
	long bad = large[0] != 1 || large[3999] != 0 || aligned[1] != 3;

	bad += (uintptr_t)aligned % 256 != 0;
	large[3999] = (char)(long)arg;
	thread_yield();
	return (void *)(bad + (large[3999] != (char)(long)arg));
}

static void large_variables_are_its_own(void)
{
	struct thread *t[3];
	void *bad;

	for (long i = 0; i < 3; i++)
		CHECK(thread_create(&t[i], NULL, looks_at_its_own, (void *)(i + 1)) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(thread_join(t[i], &bad) == 0 && !bad);
	CHECK(!looks_at_its_own(NULL));
}

/* ---- in the midst of newlib ----------------------------------------------------------------- */

static void *same(void *arg)
{
	return arg;
}

/* One that ends, while its memory is given back, is nobody: not the first thread. */
static void cancelling_who_ends_hits_nobody_else(void)
{
	pthread_t t;

	__malloc_lock(__getreent());
	CHECK(pthread_create(&t, NULL, same, NULL) == 0);
	while (t->state != THREAD_BLOCKED)
		thread_yield();
	CHECK(pthread_cancel(t) == 0);
	__malloc_unlock(__getreent());
	pthread_testcancel();
	CHECK(pthread_join(t, NULL) == 0);
}

static struct thread_sem taken;

static void *keeps_malloc(void *arg)
{
	__malloc_lock(__getreent());
	thread_sem_post(&taken);
	thread_sleep_until(time_now() + 3 * MS);
	__malloc_unlock(__getreent());
	return arg;
}

/* A sibling is in malloc: fork waits until it is not, or nobody in the copy would ever leave it. */
static void fork_waits_for_malloc(void)
{
	struct thread *t;
	int status;
	pid_t child;

	fflush(stdout);
	CHECK(thread_create(&t, NULL, keeps_malloc, NULL) == 0);
	CHECK(thread_sem_wait(&taken, 0) == 0);
	child = fork();
	if (child == 0) {
		free(malloc(3000));
		_exit(7);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(thread_join(t, NULL) == 0 && status == 7 << 8);
}

const struct check regress_checks[] = {
	{"urgency goes with who gives up", urgency_goes_with_who_gives_up},
	{"new urgency is lent", new_urgency_is_lent},
	{"three thirds are admitted", three_thirds_are_admitted},
	{"writers do not starve", writers_do_not_starve},
	{"large __thread variables are its own", large_variables_are_its_own},
	{"cancelling who ends hits nobody else", cancelling_who_ends_hits_nobody_else},
	{"fork waits for malloc", fork_waits_for_malloc},
	{NULL, NULL},
};
