/*
 * pthread_torture.c - threads that do whatever comes up, all at once, and what must hold meanwhile.
 *
 * Who has a mutex, a lock for writing or a semaphore's place is counted where it has it, so that
 * one too many is noticed; waits end in time, are cancelled, or are woken.  POSIX.1-2008 only, so
 * that the host's pthreads can show that the test is right.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>
#include "threads.h"

enum {
	HANDS = 6,
	ACTIONS = 600,
	LOCKS = 3,
	PLACES = 2,
	LONGEST_NS = 700000,
	SECOND_NS = 1000000000
};

struct hand {
	unsigned chance;
	long bad;
};

static pthread_mutex_t lock[LOCKS];
static int inside[LOCKS];
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static int readers, writers;
static sem_t places;
static int placed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static int gifts;

static unsigned draw(struct hand *h, unsigned below)
{
	h->chance = h->chance * 1103515245 + 12345;
	return (h->chance >> 16) % below;
}

/* At most 0.7 ms from now. */
static struct timespec soon(struct hand *h)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += draw(h, 1000) * (LONGEST_NS / 1000);
	t.tv_sec += t.tv_nsec / SECOND_NS;
	t.tv_nsec %= SECOND_NS;
	return t;
}

/* One more has what *n counts: how many have it. */
static int enter(int *n)
{
	return __atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

static void leave(int *n)
{
	__atomic_sub_fetch(n, 1, __ATOMIC_SEQ_CST);
}

static int now(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void dwell(struct hand *h)
{
	if (draw(h, 3) == 0)
		sched_yield();
	else if (draw(h, 8) == 0)
		(void)usleep(draw(h, 200));
	else
		for (volatile unsigned i = draw(h, 2000); i; i--)
			;
}

/* ---- what comes up -------------------------------------------------------------------------- */

static void use(struct hand *h, unsigned k)
{
	h->bad += enter(&inside[k]) != 1;
	dwell(h);
	leave(&inside[k]);
}

static void locks(struct hand *h)
{
	const unsigned k = draw(h, LOCKS);

	pthread_mutex_lock(&lock[k]);
	use(h, k);
	pthread_mutex_unlock(&lock[k]);
}

/* The one further on for a while only, so that nobody waits in a circle for ever. */
static void locks_two(struct hand *h)
{
	const unsigned first = draw(h, LOCKS), second = (first + 1) % LOCKS;
	const struct timespec until = soon(h);

	pthread_mutex_lock(&lock[first]);
	if (pthread_mutex_timedlock(&lock[second], &until) == 0) {
		use(h, second);
		pthread_mutex_unlock(&lock[second]);
	}
	use(h, first);
	pthread_mutex_unlock(&lock[first]);
}

static void reads(struct hand *h)
{
	pthread_rwlock_rdlock(&shared);
	enter(&readers);
	h->bad += now(&writers) != 0;
	dwell(h);
	h->bad += now(&writers) != 0;
	leave(&readers);
	pthread_rwlock_unlock(&shared);
}

static void writes(struct hand *h)
{
	const struct timespec until = soon(h);

	if (draw(h, 2) ? pthread_rwlock_timedwrlock(&shared, &until)
		       : pthread_rwlock_wrlock(&shared))
		return;
	h->bad += enter(&writers) != 1 || now(&readers) != 0;
	dwell(h);
	h->bad += now(&readers) != 0;
	leave(&writers);
	pthread_rwlock_unlock(&shared);
}

static void takes_place(struct hand *h)
{
	const struct timespec until = soon(h);

	if (sem_timedwait(&places, &until))
		return;
	h->bad += enter(&placed) > PLACES;
	dwell(h);
	leave(&placed);
	sem_post(&places);
}

static void waits_for_gift(struct hand *h)
{
	const struct timespec until = soon(h);

	pthread_mutex_lock(&mutex);
	if (gifts == 0)
		(void)pthread_cond_timedwait(&given, &mutex, &until);
	gifts -= gifts > 0;
	pthread_mutex_unlock(&mutex);
}

static void gives(struct hand *h)
{
	pthread_mutex_lock(&mutex);
	gifts++;
	if (draw(h, 2))
		pthread_cond_signal(&given);
	else
		pthread_cond_broadcast(&given);
	pthread_mutex_unlock(&mutex);
}

static void *same(void *arg)
{
	return arg;
}

static void *sleeps(void *arg)
{
	for (;;)
		(void)usleep(100000);
	return arg;
}

static void unlock(void *m)
{
	pthread_mutex_unlock(m);
}

static void *waits(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	for (;;)
		pthread_cond_wait(&given, &mutex);
	pthread_cleanup_pop(1);
	return arg;
}

static void makes_another(struct hand *h)
{
	static void *(*const does[])(void *) = {same, sleeps, waits};
	const unsigned k = draw(h, 3);
	void *result = NULL;
	pthread_t t;

	if (pthread_create(&t, NULL, does[k], h)) {
		h->bad++;
		return;
	}
	if (k) {
		dwell(h);
		h->bad += pthread_cancel(t) != 0;
	}
	h->bad += pthread_join(t, &result) || result != (k ? PTHREAD_CANCELED : h);
}

static void copies(struct hand *h)
{
	int status = 0;
	pid_t child;

	if (draw(h, 16))
		return;
	child = fork();
	if (child == 0) {
		free(malloc(1000));
		_exit(7);
	}
	h->bad += child < 0 || waitpid(child, &status, 0) != child || status != 7 << 8;
}

/* ---- all at once ---------------------------------------------------------------------------- */

static void *acts(void *hand)
{
	static void (*const actions[])(struct hand *) = {
		locks,	     locks,	     locks_two, reads,	       writes,
		takes_place, waits_for_gift, gives,	makes_another, copies,
	};

	for (int i = 0; i < ACTIONS; i++)
		actions[draw(hand, sizeof(actions) / sizeof(actions[0]))](hand);
	return NULL;
}

static void all_at_once(void)
{
	struct hand hand[HANDS];
	pthread_t t[HANDS];
	long bad = 0;

	fflush(stdout);
	CHECK(sem_init(&places, 0, PLACES) == 0);
	for (int i = 0; i < LOCKS; i++)
		CHECK(pthread_mutex_init(&lock[i], NULL) == 0);
	for (int i = 0; i < HANDS; i++) {
		hand[i] = (struct hand){.chance = (unsigned)i + 1};
		CHECK(pthread_create(&t[i], NULL, acts, &hand[i]) == 0);
	}
	for (int i = 0; i < HANDS; i++) {
		CHECK(pthread_join(t[i], NULL) == 0);
		bad += hand[i].bad;
	}
	CHECK(bad == 0);
	for (int i = 0; i < LOCKS; i++)
		CHECK(pthread_mutex_destroy(&lock[i]) == 0);
	CHECK(pthread_rwlock_destroy(&shared) == 0 && sem_destroy(&places) == 0);
	CHECK(pthread_cond_destroy(&given) == 0 && pthread_mutex_destroy(&mutex) == 0);
}

const struct check pthread_torture_checks[] = {
	{"pthread: all at once", all_at_once},
	{NULL, NULL},
};
