/*
 * pthread_attrs.c - POSIX threads, from the standard's text: attributes, policies, spin locks,
 * forks.
 *
 * POSIX.1-2008, and a few of GNU's functions, so that the host's pthreads can show that the tests
 * are right.  Where POSIX leaves it to the system whether something is supported, either answer
 * will do, and what is refused must have its standard error.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>
#include "threads.h"

/* ---- every function that there is to be ------------------------------------------------------ */

#define THERE(name)                                                                                \
	{                                                                                          \
#name, (void (*)(void))(name)                                                      \
	}

static const struct {
	const char *name;
	void (*fn)(void);
} there[] = {
	THERE(pthread_atfork),
	THERE(pthread_attr_destroy),
	THERE(pthread_attr_getdetachstate),
	THERE(pthread_attr_getguardsize),
	THERE(pthread_attr_getinheritsched),
	THERE(pthread_attr_getschedparam),
	THERE(pthread_attr_getschedpolicy),
	THERE(pthread_attr_getscope),
	THERE(pthread_attr_getstack),
	THERE(pthread_attr_getstacksize),
	THERE(pthread_attr_init),
	THERE(pthread_attr_setdetachstate),
	THERE(pthread_attr_setguardsize),
	THERE(pthread_attr_setinheritsched),
	THERE(pthread_attr_setschedparam),
	THERE(pthread_attr_setschedpolicy),
	THERE(pthread_attr_setscope),
	THERE(pthread_attr_setstack),
	THERE(pthread_attr_setstacksize),
	THERE(pthread_barrier_destroy),
	THERE(pthread_barrier_init),
	THERE(pthread_barrier_wait),
	THERE(pthread_barrierattr_destroy),
	THERE(pthread_barrierattr_getpshared),
	THERE(pthread_barrierattr_init),
	THERE(pthread_barrierattr_setpshared),
	THERE(pthread_cancel),
	THERE(pthread_cond_broadcast),
	THERE(pthread_cond_destroy),
	THERE(pthread_cond_init),
	THERE(pthread_cond_signal),
	THERE(pthread_cond_timedwait),
	THERE(pthread_cond_wait),
	THERE(pthread_condattr_destroy),
	THERE(pthread_condattr_getclock),
	THERE(pthread_condattr_getpshared),
	THERE(pthread_condattr_init),
	THERE(pthread_condattr_setclock),
	THERE(pthread_condattr_setpshared),
	THERE(pthread_create),
	THERE(pthread_detach),
	THERE(pthread_equal),
	THERE(pthread_exit),
	THERE(pthread_getconcurrency),
	THERE(pthread_getcpuclockid),
	THERE(pthread_getschedparam),
	THERE(pthread_getspecific),
	THERE(pthread_join),
	THERE(pthread_key_create),
	THERE(pthread_key_delete),
	THERE(pthread_kill),
	THERE(pthread_mutex_consistent),
	THERE(pthread_mutex_destroy),
	THERE(pthread_mutex_getprioceiling),
	THERE(pthread_mutex_init),
	THERE(pthread_mutex_lock),
	THERE(pthread_mutex_setprioceiling),
	THERE(pthread_mutex_timedlock),
	THERE(pthread_mutex_trylock),
	THERE(pthread_mutex_unlock),
	THERE(pthread_mutexattr_destroy),
	THERE(pthread_mutexattr_getprioceiling),
	THERE(pthread_mutexattr_getprotocol),
	THERE(pthread_mutexattr_getpshared),
	THERE(pthread_mutexattr_getrobust),
	THERE(pthread_mutexattr_gettype),
	THERE(pthread_mutexattr_init),
	THERE(pthread_mutexattr_setprioceiling),
	THERE(pthread_mutexattr_setprotocol),
	THERE(pthread_mutexattr_setpshared),
	THERE(pthread_mutexattr_setrobust),
	THERE(pthread_mutexattr_settype),
	THERE(pthread_once),
	THERE(pthread_rwlock_destroy),
	THERE(pthread_rwlock_init),
	THERE(pthread_rwlock_rdlock),
	THERE(pthread_rwlock_timedrdlock),
	THERE(pthread_rwlock_timedwrlock),
	THERE(pthread_rwlock_tryrdlock),
	THERE(pthread_rwlock_trywrlock),
	THERE(pthread_rwlock_unlock),
	THERE(pthread_rwlock_wrlock),
	THERE(pthread_rwlockattr_destroy),
	THERE(pthread_rwlockattr_getpshared),
	THERE(pthread_rwlockattr_init),
	THERE(pthread_rwlockattr_setpshared),
	THERE(pthread_self),
	THERE(pthread_setcancelstate),
	THERE(pthread_setcanceltype),
	THERE(pthread_setconcurrency),
	THERE(pthread_setschedparam),
	THERE(pthread_setschedprio),
	THERE(pthread_setspecific),
	THERE(pthread_sigmask),
	THERE(pthread_spin_destroy),
	THERE(pthread_spin_init),
	THERE(pthread_spin_lock),
	THERE(pthread_spin_trylock),
	THERE(pthread_spin_unlock),
	THERE(pthread_testcancel),
	THERE(sem_close),
	THERE(sem_destroy),
	THERE(sem_getvalue),
	THERE(sem_init),
	THERE(sem_open),
	THERE(sem_post),
	THERE(sem_timedwait),
	THERE(sem_trywait),
	THERE(sem_unlink),
	THERE(sem_wait),
	THERE(sched_get_priority_max),
	THERE(sched_get_priority_min),
	THERE(sched_getparam),
	THERE(sched_getscheduler),
	THERE(sched_rr_get_interval),
	THERE(sched_setparam),
	THERE(sched_setscheduler),
	THERE(sched_yield),
	THERE(sched_getcpu),
	THERE(kill),
	THERE(killpg),
	THERE(psiginfo),
	THERE(psignal),
	THERE(raise),
	THERE(sigaction),
	THERE(signal),
	THERE(sigpending),
	THERE(sigprocmask),
	THERE(sigqueue),
	THERE(sigsuspend),
	THERE(sigtimedwait),
	THERE(sigwait),
	THERE(sigwaitinfo),
	THERE(pthread_getattr_np),
	THERE(pthread_getname_np),
	THERE(pthread_setname_np),
	THERE(pthread_timedjoin_np),
	THERE(pthread_tryjoin_np),
};

/* The test is that this compiles and can be linked. */
static void all_are_there(void)
{
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		CHECK(there[i].fn != NULL);
}

/* ---- stacks --------------------------------------------------------------------------------- */

static uintptr_t seen;

static void *shows_stack(void *arg)
{
	seen = (uintptr_t)__builtin_frame_address(0);
	return arg;
}

static void guard_size(void)
{
	pthread_attr_t attr;
	pthread_t t;
	size_t size;

	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_getguardsize(&attr, &size) == 0 &&
	      size == (size_t)sysconf(_SC_PAGESIZE));
	for (size_t guard = 0; guard <= 40000; guard += 20000) {
		CHECK(pthread_attr_setguardsize(&attr, guard) == 0);
		CHECK(pthread_attr_getguardsize(&attr, &size) == 0 && size == guard);
		CHECK(pthread_create(&t, &attr, shows_stack, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
	CHECK(pthread_attr_destroy(&attr) == 0);
}

static void own_stack(void)
{
	const size_t size = 256 * 1024;
	char *const low = aligned_alloc(4096, size);
	pthread_attr_t attr;
	pthread_t t;
	size_t told;
	void *at;

	CHECK(low != NULL && pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setstack(&attr, low, PTHREAD_STACK_MIN - 1) == EINVAL);
	CHECK(pthread_attr_setstack(&attr, low, size) == 0);
	CHECK(pthread_attr_getstack(&attr, &at, &told) == 0 && at == low && told == size);
	for (int i = 0; i < 3; i++) {
		CHECK(pthread_create(&t, &attr, shows_stack, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0 && seen - (uintptr_t)low < size);
		memset(low, 0x5a, size); /* it is ours again */
	}
	CHECK(pthread_attr_destroy(&attr) == 0);
	free(low);
}

static void *knows_stack(void *arg)
{
	const char *const here = (const char *)&arg;
	pthread_attr_t attr;
	size_t size;
	void *low;

	if (pthread_getattr_np(pthread_self(), &attr) ||
	    pthread_attr_getstack(&attr, &low, &size) || pthread_attr_destroy(&attr))
		return (void *)1;
	return (void *)(long)!(here >= (char *)low && here < (char *)low + size);
}

static void known_stack(void)
{
	pthread_t t;
	void *bad;

	CHECK(pthread_create(&t, NULL, knows_stack, NULL) == 0);
	CHECK(pthread_join(t, &bad) == 0 && bad == NULL);
	CHECK(knows_stack(NULL) == NULL);
}

/* ---- policies ------------------------------------------------------------------------------- */

static void priorities(void)
{
	const int policies[] = {SCHED_FIFO, SCHED_RR};
	struct timespec slice = {-1, -1};

	for (int i = 0; i < 2; i++) {
		const int least = sched_get_priority_min(policies[i]);

		CHECK(least >= 0 && sched_get_priority_max(policies[i]) - least >= 31);
	}
	CHECK(sched_get_priority_min(SCHED_OTHER) <= sched_get_priority_max(SCHED_OTHER));
	CHECK_ERROR(sched_get_priority_min(77), EINVAL);
	CHECK_ERROR(sched_get_priority_max(77), EINVAL);
	CHECK(sched_rr_get_interval(0, &slice) == 0 && slice.tv_sec >= 0);
	CHECK(slice.tv_nsec >= 0 && slice.tv_nsec < 1000000000);
}

static void policy_of_process(void)
{
	struct sched_param p = {.sched_priority = -1};
	const int policy = sched_getscheduler(0);

	CHECK(policy == SCHED_OTHER && sched_getscheduler(getpid()) == policy);
	CHECK(sched_getparam(0, &p) == 0 && p.sched_priority == 0);
	CHECK(sched_setparam(0, &p) == 0 && sched_setscheduler(0, policy, &p) != -1);
	CHECK_ERROR(sched_getscheduler(0x3fffffff), ESRCH);
	CHECK_ERROR(sched_setscheduler(0, 77, &p), EINVAL);
	p.sched_priority = 10000;
	CHECK_ERROR(sched_setscheduler(0, SCHED_FIFO, &p), EINVAL);
}

static void *tells_policy(void *arg)
{
	struct sched_param p;
	int policy;

	if (pthread_getschedparam(pthread_self(), &policy, &p))
		return (void *)-1;
	*(int *)arg = p.sched_priority;
	return (void *)(long)policy;
}

/* What a thread with that policy and priority says of itself, or the error of making it. */
static int makes(int policy, int priority, int *told, long *told_policy)
{
	const struct sched_param p = {.sched_priority = priority};
	pthread_attr_t attr;
	pthread_t t;
	void *result;
	int error = pthread_attr_init(&attr);

	if (!error)
		error = pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	if (!error)
		error = pthread_attr_setschedpolicy(&attr, policy);
	if (!error)
		error = pthread_attr_setschedparam(&attr, &p);
	if (!error)
		error = pthread_create(&t, &attr, tells_policy, told);
	if (!error)
		error = pthread_join(t, &result);
	if (!error)
		*told_policy = (long)result;
	return error;
}

/* Who may not, or cannot, is told so. */
static void policy_of_threads(void)
{
	long policy;
	int priority, error;

	CHECK(makes(SCHED_OTHER, 0, &priority, &policy) == 0);
	CHECK(policy == SCHED_OTHER && priority == 0);
	error = makes(SCHED_FIFO, 7, &priority, &policy);
	CHECK(error == ENOTSUP || error == EPERM ||
	      (error == 0 && policy == SCHED_FIFO && priority == 7));
	error = makes(SCHED_RR, 8, &priority, &policy);
	CHECK(error == ENOTSUP || error == EPERM ||
	      (error == 0 && policy == SCHED_RR && priority == 8));
}

static void policy_attributes(void)
{
	pthread_attr_t attr;
	int value;

	CHECK(pthread_attr_init(&attr) == 0);
	CHECK(pthread_attr_setinheritsched(&attr, 77) == EINVAL);
	CHECK(pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED) == 0);
	CHECK(pthread_attr_getinheritsched(&attr, &value) == 0 && value == PTHREAD_INHERIT_SCHED);
	CHECK(pthread_attr_setschedpolicy(&attr, 77) == EINVAL);
	CHECK(pthread_attr_setschedpolicy(&attr, SCHED_OTHER) == 0);
	CHECK(pthread_attr_getschedpolicy(&attr, &value) == 0 && value == SCHED_OTHER);
	CHECK(pthread_attr_getscope(&attr, &value) == 0);
	CHECK(pthread_attr_setscope(&attr, value) == 0);
	CHECK(pthread_attr_setscope(&attr, value == PTHREAD_SCOPE_SYSTEM
						   ? PTHREAD_SCOPE_PROCESS
						   : PTHREAD_SCOPE_SYSTEM) == ENOTSUP);
	CHECK(pthread_attr_setscope(&attr, 77) == EINVAL && pthread_attr_destroy(&attr) == 0);
}

static void policy_changes(void)
{
	struct sched_param p = {.sched_priority = 0}, now;
	int policy, error;

	CHECK(pthread_setschedparam(pthread_self(), SCHED_OTHER, &p) == 0);
	CHECK(pthread_getschedparam(pthread_self(), &policy, &now) == 0);
	CHECK(policy == SCHED_OTHER && now.sched_priority == 0);
	CHECK(pthread_setschedprio(pthread_self(), 0) == 0);
	CHECK(pthread_setschedparam(pthread_self(), 77, &p) == EINVAL);
	p.sched_priority = 9;
	CHECK(pthread_setschedparam(pthread_self(), SCHED_OTHER, &p) == EINVAL);
	error = pthread_setschedparam(pthread_self(), SCHED_RR, &p);
	CHECK(error == 0 || error == ENOTSUP || error == EPERM);
	if (!error) {
		CHECK(pthread_setschedprio(pthread_self(), 11) == 0);
		CHECK(pthread_getschedparam(pthread_self(), &policy, &now) == 0);
		CHECK(policy == SCHED_RR && now.sched_priority == 11);
	}
	p.sched_priority = 0;
	CHECK(pthread_setschedparam(pthread_self(), SCHED_OTHER, &p) == 0);
}

static void concurrency(void)
{
	clockid_t clock;
	int error;

	CHECK(pthread_getconcurrency() == 0 && pthread_setconcurrency(-1) == EINVAL);
	CHECK(pthread_setconcurrency(3) == 0 && pthread_getconcurrency() == 3);
	error = pthread_getcpuclockid(pthread_self(), &clock);
	CHECK(error == 0 || error == ENOTSUP);
}

/* ---- what mutexes and the others can be ------------------------------------------------------ */

static int is_refusal(int error)
{
	return error == 0 || error == ENOTSUP;
}

static void mutex_attributes(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;
	int value;

	CHECK(pthread_mutexattr_init(&attr) == 0);
	CHECK(pthread_mutexattr_getprotocol(&attr, &value) == 0 && value == PTHREAD_PRIO_NONE);
	CHECK(pthread_mutexattr_setprotocol(&attr, 77) == EINVAL);
	CHECK(is_refusal(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT)));
	CHECK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT) == 0);
	CHECK(pthread_mutexattr_getprotocol(&attr, &value) == 0 && value == PTHREAD_PRIO_INHERIT);
	CHECK(pthread_mutexattr_getrobust(&attr, &value) == 0 && value == PTHREAD_MUTEX_STALLED);
	CHECK(pthread_mutexattr_setrobust(&attr, 77) == EINVAL);
	CHECK(is_refusal(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST)));
	CHECK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_STALLED) == 0);
	CHECK(pthread_mutexattr_getpshared(&attr, &value) == 0);
	CHECK(value == PTHREAD_PROCESS_PRIVATE);
	CHECK(pthread_mutexattr_setpshared(&attr, 77) == EINVAL);
	CHECK(is_refusal(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED)));
	CHECK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_PRIVATE) == 0);
	CHECK(pthread_mutex_init(&m, &attr) == 0 && pthread_mutex_lock(&m) == 0);
	/* "The mutex … is not robust"; "The protocol … is PTHREAD_PRIO_NONE" or as good as it */
	CHECK(pthread_mutex_consistent(&m) == EINVAL);
	CHECK(pthread_mutex_getprioceiling(&m, &value) == EINVAL);
	CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_destroy(&m) == 0);
	CHECK(pthread_mutexattr_destroy(&attr) == 0);
}

static void shared_attributes(void)
{
	pthread_barrierattr_t b;
	pthread_condattr_t c;
	pthread_rwlockattr_t l;
	int value[3];

	CHECK(!pthread_barrierattr_init(&b) && !pthread_condattr_init(&c) &&
	      !pthread_rwlockattr_init(&l));
	CHECK(pthread_barrierattr_getpshared(&b, &value[0]) == 0);
	CHECK(pthread_condattr_getpshared(&c, &value[1]) == 0);
	CHECK(pthread_rwlockattr_getpshared(&l, &value[2]) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(value[i] == PTHREAD_PROCESS_PRIVATE);
	CHECK(pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_PRIVATE) == 0);
	CHECK(pthread_condattr_setpshared(&c, PTHREAD_PROCESS_PRIVATE) == 0);
	CHECK(pthread_rwlockattr_setpshared(&l, PTHREAD_PROCESS_PRIVATE) == 0);
	CHECK(is_refusal(pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED)));
	CHECK(is_refusal(pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED)));
	CHECK(is_refusal(pthread_rwlockattr_setpshared(&l, PTHREAD_PROCESS_SHARED)));
	CHECK(pthread_condattr_setpshared(&c, 77) == EINVAL);
	CHECK(pthread_condattr_setclock(&c, (clockid_t)77) == EINVAL);
}

static void semaphores_refused(void)
{
	const struct timespec senseless = {0, -1};
	sem_t s, *named;

	CHECK_ERROR(sem_unlink("/there-is-none"), ENOENT);
	named = sem_open("/there-is-none", 0);
	CHECK(named == SEM_FAILED && (errno == ENOSYS || errno == ENOENT));
	CHECK(sem_init(&s, 0, 0) == 0);
	CHECK_ERROR(sem_timedwait(&s, &senseless), EINVAL);
	CHECK(sem_destroy(&s) == 0);
}

/* ---- spin locks ----------------------------------------------------------------------------- */

static pthread_spinlock_t spin;
static long count;

static void *tries_spin(void *arg)
{
	(void)arg;
	return (void *)(long)pthread_spin_trylock(&spin);
}

static void *counts(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		long before;

		pthread_spin_lock(&spin);
		before = count;
		if (i % 100 == 0)
			sched_yield();
		count = before + 1;
		pthread_spin_unlock(&spin);
	}
	return arg;
}

static void spin_locks(void)
{
	pthread_t t[4];
	void *error;

	count = 0;
	CHECK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE) == 0);
	CHECK(pthread_spin_lock(&spin) == 0);
	CHECK(pthread_create(&t[0], NULL, tries_spin, NULL) == 0);
	CHECK(pthread_join(t[0], &error) == 0 && (long)error == EBUSY);
	CHECK(pthread_spin_unlock(&spin) == 0);
	CHECK(pthread_spin_trylock(&spin) == 0 && pthread_spin_unlock(&spin) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, counts, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(count == 8000 && pthread_spin_destroy(&spin) == 0);
}

/* ---- fork ----------------------------------------------------------------------------------- */

static char order[16];
static size_t done;

static void note(char c)
{
	if (done < sizeof(order) - 1)
		order[done++] = c;
}

static void prepare_a(void)
{
	note('a');
}
static void prepare_b(void)
{
	note('b');
}
static void parent_a(void)
{
	note('A');
}
static void parent_b(void)
{
	note('B');
}
static void child_a(void)
{
	note('1');
}
static void child_b(void)
{
	note('2');
}

/* "parent and child … in the order in which they were established", prepare in the reverse one. */
static void fork_handlers(void)
{
	int status;
	pid_t child;

	CHECK(pthread_atfork(prepare_a, parent_a, child_a) == 0);
	CHECK(pthread_atfork(NULL, NULL, NULL) == 0);
	CHECK(pthread_atfork(prepare_b, parent_b, child_b) == 0);
	fflush(stdout);
	done = 0;
	memset(order, 0, sizeof(order));
	child = fork();
	if (child == 0)
		_exit(strcmp(order, "ba12") != 0);
	CHECK(child > 0 && strcmp(order, "baAB") == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* ---- GNU's ---------------------------------------------------------------------------------- */

static sem_t let_go;

static void *waits_to_go(void *arg)
{
	while (sem_wait(&let_go))
		;
	return arg;
}

static void names(void)
{
	char name[16] = "";
	pthread_t t;

	CHECK(sem_init(&let_go, 0, 0) == 0 && pthread_create(&t, NULL, waits_to_go, NULL) == 0);
	CHECK(pthread_setname_np(t, "a name of 15 ch") == 0);
	CHECK(pthread_getname_np(t, name, sizeof(name)) == 0 && !strcmp(name, "a name of 15 ch"));
	CHECK(pthread_setname_np(t, "one of sixteen ch") == ERANGE);
	CHECK(pthread_getname_np(t, name, 1) == ERANGE);
	CHECK(sem_post(&let_go) == 0 && pthread_join(t, NULL) == 0);
}

static void joins_that_end(void)
{
	struct timespec soon;
	void *result = NULL;
	pthread_t t;

	CHECK(sem_init(&let_go, 0, 0) == 0);
	CHECK(pthread_create(&t, NULL, waits_to_go, &let_go) == 0);
	CHECK(pthread_tryjoin_np(t, &result) == EBUSY);
	CHECK(clock_gettime(CLOCK_REALTIME, &soon) == 0);
	CHECK(pthread_timedjoin_np(t, &result, &soon) == ETIMEDOUT && result == NULL);
	soon.tv_sec += 1000;
	CHECK(sem_post(&let_go) == 0 && pthread_timedjoin_np(t, &result, &soon) == 0);
	CHECK(result == &let_go && sem_destroy(&let_go) == 0);
}

/* Is cancelled, and is not at a point of cancellation: the error of a join that does not wait. */
static void *joins_without_waiting(void *ended)
{
	(void)pthread_cancel(pthread_self());
	return (void *)(intptr_t)pthread_tryjoin_np(*(pthread_t *)ended, NULL);
}

static void a_join_that_does_not_wait_is_not_cancelled(void)
{
	pthread_t ended, t;
	void *result = &t;

	CHECK(sem_init(&let_go, 0, 1) == 0);
	CHECK(pthread_create(&ended, NULL, waits_to_go, &let_go) == 0);
	(void)usleep(10000);
	CHECK(pthread_create(&t, NULL, joins_without_waiting, &ended) == 0);
	CHECK(pthread_join(t, &result) == 0 && result == NULL && sem_destroy(&let_go) == 0);
}

const struct check pthread_attr_checks[] = {
	{"pthread: all functions are there", all_are_there},
	{"pthread: guards of stacks", guard_size},
	{"pthread: a stack of one's own", own_stack},
	{"pthread: where a stack is", known_stack},
	{"pthread: priorities", priorities},
	{"pthread: the process's policy", policy_of_process},
	{"pthread: policies of threads", policy_of_threads},
	{"pthread: attributes of policies", policy_attributes},
	{"pthread: policies change", policy_changes},
	{"pthread: concurrency", concurrency},
	{"pthread: attributes of mutexes", mutex_attributes},
	{"pthread: attributes of sharing", shared_attributes},
	{"pthread: semaphores refused", semaphores_refused},
	{"pthread: spin locks", spin_locks},
	{"pthread: handlers of fork", fork_handlers},
	{"pthread: names", names},
	{"pthread: joins that end", joins_that_end},
	{"pthread: a join that does not wait is not cancelled",
	 a_join_that_does_not_wait_is_not_cancelled},
	{NULL, NULL},
};
