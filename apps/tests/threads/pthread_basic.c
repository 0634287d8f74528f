/*
 * pthread_basic.c - POSIX threads, from the standard's text: threads, keys, once, cancellation.
 *
 * POSIX.1-2008 only, so that the host's pthreads can show that the tests are right.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "threads.h"

static void *same(void *arg)
{
	return arg;
}

static void *exits(void *arg)
{
	pthread_exit(arg);
}

/* "makes the value passed to pthread_exit() by the terminating thread available" */
static void join_and_exit(void)
{
	pthread_t t;
	void *result;
	int x;

	CHECK(pthread_create(&t, NULL, same, &x) == 0);
	CHECK(pthread_join(t, &result) == 0 && result == &x);
	CHECK(pthread_create(&t, NULL, exits, &x) == 0);
	CHECK(pthread_join(t, &result) == 0 && result == &x);
	CHECK(pthread_join(pthread_self(), NULL) == EDEADLK);
}

static pthread_t seen_self;

static void *tells_self(void *arg)
{
	seen_self = pthread_self();
	return arg;
}

static void self_and_equal(void)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, tells_self, NULL) == 0 && pthread_join(t, NULL) == 0);
	CHECK(pthread_equal(seen_self, t) && !pthread_equal(pthread_self(), t));
	CHECK(pthread_equal(pthread_self(), pthread_self()));
}

static sem_t posted;

static void *posts(void *arg)
{
	sem_post(&posted);
	return arg;
}

static void detach(void)
{
	pthread_attr_t attr;
	pthread_t t;
	int state;

	CHECK(sem_init(&posted, 0, 0) == 0);
	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_getdetachstate(&attr, &state) == 0 && state == PTHREAD_CREATE_JOINABLE);
	CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
	CHECK(pthread_create(&t, &attr, posts, NULL) == 0 && sem_wait(&posted) == 0);
	CHECK(pthread_create(&t, NULL, posts, NULL) == 0 && pthread_detach(t) == 0);
	CHECK(sem_wait(&posted) == 0);
	CHECK(pthread_attr_setdetachstate(&attr, 77) == EINVAL);
	CHECK(pthread_attr_destroy(&attr) == 0 && sem_destroy(&posted) == 0);
}

static void *uses_stack(void *arg)
{
	volatile char large[200 * 1024];

	large[0] = large[sizeof(large) - 1] = 1;
	return large[0] ? arg : NULL;
}

static void stack_size(void)
{
	pthread_attr_t attr;
	pthread_t t;
	size_t size;
	void *result;

	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setstacksize(&attr, 1) == EINVAL);
	CHECK(pthread_attr_setstacksize(&attr, 256 * 1024) == 0);
	CHECK(pthread_attr_getstacksize(&attr, &size) == 0 && size == 256 * 1024);
	CHECK(pthread_create(&t, &attr, uses_stack, &size) == 0);
	CHECK(pthread_join(t, &result) == 0 && result == &size);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static pthread_key_t key;
static int destroyed, rounds;
static void *destroyed_value;

static void destructor(void *value)
{
	destroyed++;
	destroyed_value = value;
	/* "if, after all the destructors have been called, there are still some non-NULL values" */
	if (rounds++ == 0)
		pthread_setspecific(key, &rounds);
}

static void *sets_value(void *arg)
{
	if (pthread_getspecific(key) != NULL)
		return (void *)1;
	if (pthread_setspecific(key, arg) || pthread_getspecific(key) != arg)
		return (void *)2;
	return NULL;
}

static void keys(void)
{
	pthread_t t;
	void *bad;
	int x;

	destroyed = rounds = 0;
	CHECK(pthread_key_create(&key, destructor) == 0 && pthread_getspecific(key) == NULL);
	CHECK(pthread_setspecific(key, &key) == 0);
	CHECK(pthread_create(&t, NULL, sets_value, &x) == 0);
	CHECK(pthread_join(t, &bad) == 0 && bad == NULL);
	CHECK(destroyed == 2 && destroyed_value == &rounds);
	CHECK(pthread_getspecific(key) == &key);
	CHECK(pthread_key_delete(key) == 0);
	/* "the key shall have the value NULL in all active threads" */
	CHECK(pthread_key_create(&key, NULL) == 0 && pthread_getspecific(key) == NULL);
	CHECK(pthread_key_delete(key) == 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int initialised;

static void initialise(void)
{
	sched_yield();
	initialised++;
}

static void *calls_once(void *arg)
{
	(void)arg;
	if (pthread_once(&once, initialise))
		return (void *)1;
	return (void *)(long)(initialised != 1);
}

static void once_only(void)
{
	pthread_t t[4];
	void *bad;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, calls_once, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], &bad) == 0 && bad == NULL);
	CHECK(initialised == 1);
}

static pthread_once_t once_more = PTHREAD_ONCE_INIT;
static sem_t in_routine;
static int attempts;

/* The first time it waits, to be cancelled. */
static void initialise_late(void)
{
	if (attempts++ == 0) {
		sem_post(&in_routine);
		for (;;)
			sleep(1000);
	}
}

static void *calls_once_more(void *arg)
{
	(void)arg;
	return (void *)(long)pthread_once(&once_more, initialise_late);
}

/* "if init_routine is a cancellation point and is canceled, the effect on once_control shall be as
 * if pthread_once() was never called", also for one that waits for it meanwhile. */
static void once_cancelled(void)
{
	pthread_t first, second;
	void *result;

	CHECK(sem_init(&in_routine, 0, 0) == 0);
	CHECK(pthread_create(&first, NULL, calls_once_more, NULL) == 0);
	CHECK(sem_wait(&in_routine) == 0);
	CHECK(pthread_create(&second, NULL, calls_once_more, NULL) == 0);
	(void)usleep(1000);
	CHECK(pthread_cancel(first) == 0 && pthread_join(first, &result) == 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK(pthread_join(second, &result) == 0 && result == NULL && attempts == 2);
	CHECK(pthread_once(&once_more, initialise_late) == 0 && attempts == 2);
}

/* ---- cancellation --------------------------------------------------------------------------- */

static int cleaned[2], cleanups;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void note(void *arg)
{
	cleaned[cleanups++] = (int)(long)arg;
}

static void unlock(void *arg)
{
	pthread_mutex_unlock(arg);
}

static void *pops(void *arg)
{
	pthread_cleanup_push(note, (void *)1);
	pthread_cleanup_push(note, (void *)2);
	pthread_cleanup_pop(1);
	pthread_cleanup_pop(0);
	return arg;
}

static void *exits_inside(void *arg)
{
	pthread_cleanup_push(note, (void *)1);
	pthread_cleanup_push(note, (void *)2);
	pthread_exit(arg);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

/* Handlers run in the reverse order of pushing. */
static void cleanup_handlers(void)
{
	pthread_t t;

	cleanups = 0;
	CHECK(pthread_create(&t, NULL, pops, NULL) == 0 && pthread_join(t, NULL) == 0);
	CHECK(cleanups == 1 && cleaned[0] == 2);
	cleanups = 0;
	CHECK(pthread_create(&t, NULL, exits_inside, NULL) == 0 && pthread_join(t, NULL) == 0);
	CHECK(cleanups == 2 && cleaned[0] == 2 && cleaned[1] == 1);
}

/* "the mutex is (in effect) re-acquired before calling the first cancellation cleanup handler" */
static void *waits_for_ever(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	sem_post(&posted);
	for (;;)
		pthread_cond_wait(&never, &mutex);
	pthread_cleanup_pop(0);
	return arg;
}

static void *sleeps_for_ever(void *arg)
{
	sem_post(&posted);
	for (;;)
		sleep(1000);
	return arg;
}

static int pipe_ends[2];

static void *reads_for_ever(void *arg)
{
	char c;

	sem_post(&posted);
	while (read(pipe_ends[0], &c, 1) < 1)
		;
	return arg;
}

static void *tests_for_ever(void *arg)
{
	sem_post(&posted);
	for (;;) {
		pthread_testcancel();
		sched_yield();
	}
	return arg;
}

static int cancel_one(void *(*fn)(void *))
{
	pthread_t t;
	void *result = NULL;

	if (sem_init(&posted, 0, 0) || pthread_create(&t, NULL, fn, NULL) || sem_wait(&posted))
		return 0;
	(void)usleep(1000);
	if (pthread_cancel(t) || pthread_join(t, &result))
		return 0;
	return result == PTHREAD_CANCELED;
}

static void cancel_where_it_waits(void)
{
	CHECK(cancel_one(tests_for_ever));
	CHECK(cancel_one(sleeps_for_ever));
	CHECK(cancel_one(waits_for_ever));
	CHECK(pthread_mutex_trylock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
	CHECK(pipe(pipe_ends) == 0);
	CHECK(cancel_one(reads_for_ever));
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void *disables(void *arg)
{
	int old;

	if (pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) || old != PTHREAD_CANCEL_ENABLE)
		return (void *)1;
	sem_post(&posted);
	(void)usleep(3000);
	pthread_testcancel();
	cleanups = 100;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	pthread_testcancel();
	return arg;
}

static void cancel_can_wait(void)
{
	cleanups = 0;
	CHECK(cancel_one(disables) && cleanups == 100);
}

static volatile int go_on;
static int type_before; /* not on the stack: sanitizers do not see frames go that are cancelled */

/* Anywhere: there is no point of cancellation in the loops, once it has gone on. */
static void *computes_for_ever(void *arg)
{
	if (pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type_before) ||
	    type_before != PTHREAD_CANCEL_DEFERRED)
		return arg;
	sem_post(&posted);
	while (!go_on)
		sched_yield();
	for (volatile long i = 0;; i = i + 1)
		;
	return arg;
}

static void cancel_anywhere(void)
{
	pthread_t t;
	void *result;

	go_on = 0;
	CHECK(sem_init(&posted, 0, 0) == 0);
	CHECK(pthread_create(&t, NULL, computes_for_ever, NULL) == 0 && sem_wait(&posted) == 0);
	go_on = 1;
	CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0);
	CHECK(result == PTHREAD_CANCELED && pthread_setcanceltype(77, NULL) == EINVAL);
}

static void *cancels_itself(void *arg)
{
	pthread_cancel(pthread_self());
	cleanups = 1; /* deferred: nothing yet */
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type_before);
	pthread_testcancel();
	cleanups = 2;
	return arg;
}

static void cancel_oneself(void)
{
	pthread_t t;
	void *result;

	cleanups = 0;
	CHECK(pthread_create(&t, NULL, cancels_itself, NULL) == 0);
	CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED && cleanups == 1);
}

const struct check pthread_checks[] = {
	{"pthread: join and exit", join_and_exit},
	{"pthread: self and equal", self_and_equal},
	{"pthread: detach", detach},
	{"pthread: stack size", stack_size},
	{"pthread: keys and destructors", keys},
	{"pthread: once", once_only},
	{"pthread: once, cancelled", once_cancelled},
	{"pthread: cleanup handlers", cleanup_handlers},
	{"pthread: cancelled where it waits", cancel_where_it_waits},
	{"pthread: cancellation can wait", cancel_can_wait},
	{"pthread: cancelled anywhere", cancel_anywhere},
	{"pthread: cancels itself", cancel_oneself},
	{NULL, NULL},
};
