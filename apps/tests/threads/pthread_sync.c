/*
 * pthread_sync.c - POSIX threads, from the standard's text: mutexes, conditions, locks, barriers.
 *
 * POSIX.1-2008 only, so that the host's pthreads can show that the tests are right.
 */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "threads.h"

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* What a call answers in a thread of its own. */
struct other {
	int (*call)(void *);
	void *arg;
	int answer;
};

static void *answers(void *arg)
{
	struct other *const o = arg;

	o->answer = o->call(o->arg);
	return NULL;
}

static int in_other(int (*call)(void *), void *arg)
{
	struct other o = {call, arg, -1};
	pthread_t t;

	if (pthread_create(&t, NULL, answers, &o) || pthread_join(t, NULL))
		return -1;
	return o.answer;
}

/* ---- mutexes -------------------------------------------------------------------------------- */

static int unlock(void *m)
{
	return pthread_mutex_unlock(m);
}

static int trylock(void *m)
{
	const int error = pthread_mutex_trylock(m);

	if (error == 0)
		pthread_mutex_unlock(m);
	return error;
}

static int make(pthread_mutex_t *m, int type)
{
	pthread_mutexattr_t attr;
	int error = pthread_mutexattr_init(&attr);

	if (!error)
		error = pthread_mutexattr_settype(&attr, type);
	if (!error)
		error = pthread_mutex_init(m, &attr);
	return error ? error : pthread_mutexattr_destroy(&attr);
}

static void mutex_normal(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	CHECK(pthread_mutex_lock(&m) == 0);
	CHECK(pthread_mutex_trylock(&m) == EBUSY && in_other(trylock, &m) == EBUSY);
	CHECK(pthread_mutex_unlock(&m) == 0 && in_other(trylock, &m) == 0);
	CHECK(pthread_mutex_destroy(&m) == 0);
}

static void mutex_recursive(void)
{
	pthread_mutex_t m;

	CHECK(make(&m, PTHREAD_MUTEX_RECURSIVE) == 0);
	CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == 0);
	CHECK(pthread_mutex_trylock(&m) == 0);
	CHECK(in_other(unlock, &m) == EPERM);
	CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == 0);
	CHECK(in_other(trylock, &m) == EBUSY);
	CHECK(pthread_mutex_unlock(&m) == 0 && in_other(trylock, &m) == 0);
	CHECK(pthread_mutex_unlock(&m) == EPERM && pthread_mutex_destroy(&m) == 0);
}

static void mutex_errorcheck(void)
{
	pthread_mutex_t m;

	CHECK(make(&m, 77) == EINVAL);
	CHECK(make(&m, PTHREAD_MUTEX_ERRORCHECK) == 0);
	CHECK(pthread_mutex_unlock(&m) == EPERM);
	CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == EDEADLK);
	CHECK(in_other(unlock, &m) == EPERM && in_other(trylock, &m) == EBUSY);
	CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_destroy(&m) == 0);
}

static int timedlock(void *m)
{
	const struct timespec soon = in_ms(CLOCK_REALTIME, 3);

	return pthread_mutex_timedlock(m, &soon);
}

static void mutex_timed(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	const struct timespec past = {0, 0};

	/* "under no circumstance shall the function fail with a timeout if [it] can be locked" */
	CHECK(pthread_mutex_timedlock(&m, &past) == 0);
	CHECK(in_other(timedlock, &m) == ETIMEDOUT);
	CHECK(pthread_mutex_unlock(&m) == 0);
}

/* ---- conditions ----------------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting, go, gone;

static void *waits(void *arg)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	while (gone >= go)
		pthread_cond_wait(&changed, &mutex);
	gone++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void let(int n, int all)
{
	pthread_mutex_lock(&mutex);
	go = n;
	if (all)
		pthread_cond_broadcast(&changed);
	else
		pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
}

static int value_of(const int *p)
{
	int value;

	pthread_mutex_lock(&mutex);
	value = *p;
	pthread_mutex_unlock(&mutex);
	return value;
}

static void condition_wakes(void)
{
	pthread_t t[4];

	waiting = go = gone = 0;
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, waits, NULL) == 0);
	while (value_of(&waiting) < 4)
		sched_yield();
	let(1, 0);
	while (value_of(&gone) < 1)
		sched_yield();
	let(4, 1);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(gone == 4);
}

static void condition_timed(void)
{
	struct timespec until = in_ms(CLOCK_REALTIME, 3), now;
	const struct timespec senseless = {0, 2000000000};
	pthread_condattr_t attr;
	pthread_cond_t c;

	CHECK(pthread_mutex_lock(&mutex) == 0);
	CHECK(pthread_cond_timedwait(&changed, &mutex, &senseless) == EINVAL);
	CHECK(pthread_cond_timedwait(&changed, &mutex, &until) == ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(now.tv_sec > until.tv_sec ||
	      (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
	CHECK(in_other(trylock, &mutex) == EBUSY); /* it has it again */
	CHECK(pthread_condattr_init(&attr) == 0);
	CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&c, &attr) == 0);
	until = in_ms(CLOCK_MONOTONIC, 2);
	CHECK(pthread_cond_timedwait(&c, &mutex, &until) == ETIMEDOUT);
	CHECK(pthread_cond_destroy(&c) == 0 && pthread_condattr_destroy(&attr) == 0);
	CHECK(pthread_mutex_unlock(&mutex) == 0);
}

/* ---- readers and writers -------------------------------------------------------------------- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static int tryread(void *l)
{
	const int error = pthread_rwlock_tryrdlock(l);

	if (error == 0)
		pthread_rwlock_unlock(l);
	return error;
}

static int trywrite(void *l)
{
	const int error = pthread_rwlock_trywrlock(l);

	if (error == 0)
		pthread_rwlock_unlock(l);
	return error;
}

static int timedwrite(void *l)
{
	const struct timespec soon = in_ms(CLOCK_REALTIME, 3);

	return pthread_rwlock_timedwrlock(l, &soon);
}

static void rwlock_shares(void)
{
	CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
	CHECK(in_other(tryread, &rwlock) == 0 && in_other(trywrite, &rwlock) == EBUSY);
	CHECK(in_other(timedwrite, &rwlock) == ETIMEDOUT && in_other(tryread, &rwlock) == 0);
	CHECK(pthread_rwlock_rdlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
	CHECK(in_other(trywrite, &rwlock) == EBUSY);
	CHECK(pthread_rwlock_unlock(&rwlock) == 0 && in_other(trywrite, &rwlock) == 0);
	CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
	CHECK(in_other(tryread, &rwlock) == EBUSY && in_other(trywrite, &rwlock) == EBUSY);
	CHECK(pthread_rwlock_unlock(&rwlock) == 0 && in_other(tryread, &rwlock) == 0);
}

static long pair[2];

static void *writes_pairs(void *arg)
{
	for (int i = 0; i < 300; i++) {
		pthread_rwlock_wrlock(&rwlock);
		pair[0]++;
		sched_yield();
		pair[1]++;
		pthread_rwlock_unlock(&rwlock);
	}
	return arg;
}

static void *reads_pairs(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 300; i++) {
		pthread_rwlock_rdlock(&rwlock);
		bad += pair[0] != pair[1];
		sched_yield();
		bad += pair[0] != pair[1];
		pthread_rwlock_unlock(&rwlock);
	}
	(void)arg;
	return (void *)bad;
}

static void rwlock_excludes(void)
{
	pthread_t t[5];
	void *bad;

	pair[0] = pair[1] = 0;
	for (int i = 0; i < 5; i++)
		CHECK(pthread_create(&t[i], NULL, i < 2 ? writes_pairs : reads_pairs, NULL) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(pthread_join(t[i], &bad) == 0 && bad == NULL);
	CHECK(pair[0] == 600 && pair[1] == 600);
}

/* ---- barriers and semaphores ---------------------------------------------------------------- */

enum { CROWD = 4, LAPS = 50 };
static pthread_barrier_t barrier;
static int lap_of[CROWD], serials;

static void *runs_laps(void *arg)
{
	const long me = (long)arg;
	long bad = 0;

	for (int lap = 0; lap < LAPS; lap++) {
		lap_of[me] = lap;
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED);
		for (int i = 0; i < CROWD; i++)
			bad += __atomic_load_n(&lap_of[i], __ATOMIC_RELAXED) != lap;
		(void)pthread_barrier_wait(&barrier);
	}
	return (void *)bad;
}

static void barriers(void)
{
	pthread_t t[CROWD];
	void *bad;

	serials = 0;
	CHECK(pthread_barrier_init(&barrier, NULL, 0) == EINVAL);
	CHECK(pthread_barrier_init(&barrier, NULL, CROWD) == 0);
	for (long i = 0; i < CROWD; i++)
		CHECK(pthread_create(&t[i], NULL, runs_laps, (void *)i) == 0);
	for (int i = 0; i < CROWD; i++)
		CHECK(pthread_join(t[i], &bad) == 0 && bad == NULL);
	CHECK(serials == LAPS && pthread_barrier_destroy(&barrier) == 0);
}

static int timed_sem(void *s)
{
	const struct timespec soon = in_ms(CLOCK_REALTIME, 2);

	return sem_timedwait(s, &soon) == 0 ? 0 : errno;
}

static void semaphores(void)
{
	sem_t s;
	int value;

	CHECK_ERROR(sem_init(&s, 0, (unsigned)SEM_VALUE_MAX + 1u), EINVAL);
	CHECK(sem_init(&s, 0, 2) == 0);
	CHECK(sem_wait(&s) == 0 && sem_trywait(&s) == 0);
	CHECK_ERROR(sem_trywait(&s), EAGAIN);
	CHECK(in_other(timed_sem, &s) == ETIMEDOUT);
	CHECK(sem_post(&s) == 0 && sem_getvalue(&s, &value) == 0 && value == 1);
	CHECK(in_other(timed_sem, &s) == 0 && sem_destroy(&s) == 0);
}

/* ---- signals ---- */

static pthread_t ran_in;
static volatile int ran;

static void notes(int sig)
{
	(void)sig;
	ran_in = pthread_self();
	ran++;
}

static sigset_t only(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

/* The mask is its creator's at first, and no other's afterwards. */
static void *lets_through(void *arg)
{
	const sigset_t usr1 = only(SIGUSR1);
	long bad;
	sigset_t mine;

	bad = pthread_sigmask(SIG_UNBLOCK, NULL, &mine) || !sigismember(&mine, SIGUSR1);
	bad += pthread_sigmask(SIG_UNBLOCK, &usr1, NULL) != 0;
	(void)pthread_barrier_wait(arg);
	while (!ran)
		sched_yield();
	return (void *)bad;
}

static void mask_of_its_own(void)
{
	const sigset_t usr1 = only(SIGUSR1);
	pthread_barrier_t both;
	sigset_t mine;
	pthread_t t;
	void *bad;

	ran = 0;
	CHECK(signal(SIGUSR1, notes) != SIG_ERR && pthread_barrier_init(&both, NULL, 2) == 0);
	CHECK(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
	CHECK(pthread_create(&t, NULL, lets_through, &both) == 0);
	(void)pthread_barrier_wait(&both);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(pthread_join(t, &bad) == 0 && bad == NULL);
	CHECK(ran == 1 && pthread_equal(ran_in, t));
	CHECK(pthread_sigmask(SIG_UNBLOCK, &usr1, &mine) == 0 && sigismember(&mine, SIGUSR1) &&
	      ran == 1);
	CHECK(pthread_sigmask(99, &usr1, NULL) == EINVAL);
	CHECK(signal(SIGUSR1, SIG_DFL) != SIG_ERR && pthread_barrier_destroy(&both) == 0);
}

static void *waits_for_usr2(void *arg)
{
	const sigset_t usr2 = only(SIGUSR2);
	int sig = 0;

	(void)arg;
	return (void *)(long)(sigwait(&usr2, &sig) || sig != SIGUSR2);
}

/* All have it blocked, and one waits for it. */
static void sigwait_in_one(void)
{
	const sigset_t usr2 = only(SIGUSR2);
	pthread_t t;
	void *bad;

	CHECK(pthread_sigmask(SIG_BLOCK, &usr2, NULL) == 0);
	CHECK(pthread_create(&t, NULL, waits_for_usr2, NULL) == 0);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	CHECK(pthread_join(t, &bad) == 0 && bad == NULL);
	CHECK(pthread_sigmask(SIG_UNBLOCK, &usr2, NULL) == 0);
}

const struct check pthread_sync_checks[] = {
	{"pthread: normal mutexes", mutex_normal},
	{"pthread: recursive mutexes", mutex_recursive},
	{"pthread: mutexes that check", mutex_errorcheck},
	{"pthread: timed mutexes", mutex_timed},
	{"pthread: conditions wake", condition_wakes},
	{"pthread: timed conditions", condition_timed},
	{"pthread: readers share", rwlock_shares},
	{"pthread: writers exclude", rwlock_excludes},
	{"pthread: barriers", barriers},
	{"pthread: semaphores", semaphores},
	{"pthread: a mask of its own", mask_of_its_own},
	{"pthread: one waits for a signal", sigwait_in_one},
	{NULL, NULL},
};
