/*
 * pthread_signals.c - POSIX threads, from the standard's text: signals to one thread, and to any.
 *
 * POSIX.1-2008 only, so that the host's pthreads can show that the tests are right.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>
#include "threads.h"

enum { SETTLE_US = 2000, STEP_US = 500, PATIENCE = 10000 };

static volatile sig_atomic_t ran;
static pthread_t ran_in;
static sem_t started;

static void notes(int sig)
{
	(void)sig;
	ran_in = pthread_self();
	ran++;
}

static int handle(int sig, int flags)
{
	struct sigaction action = {.sa_handler = notes, .sa_flags = flags};

	ran = 0;
	sigemptyset(&action.sa_mask);
	return sigaction(sig, &action, NULL);
}

static sigset_t only(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static int block(int sig)
{
	const sigset_t set = only(sig);

	return pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int unblock(int sig)
{
	const sigset_t set = only(sig);

	return pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int is_pending(int sig)
{
	sigset_t set;

	return sigpending(&set) == 0 && sigismember(&set, sig);
}

/* Starts a thread that posts `started` and, in all likelihood, waits by now. */
static int start(pthread_t *t, void *(*fn)(void *), void *arg)
{
	if (sem_init(&started, 0, 0) || pthread_create(t, NULL, fn, arg))
		return -1;
	while (sem_wait(&started))
		;
	return usleep(SETTLE_US);
}

/* Whether *flag is set in the end. */
static int comes(const volatile sig_atomic_t *flag)
{
	for (int i = 0; i < PATIENCE && !*flag; i++)
		(void)usleep(STEP_US);
	return *flag != 0;
}

/* ---- sending -------------------------------------------------------------------------------- */

static void kill_checks(void)
{
	CHECK(pthread_kill(pthread_self(), 0) == 0);
	CHECK(pthread_kill(pthread_self(), 9999) == EINVAL);
	CHECK(pthread_kill(pthread_self(), -1) == EINVAL);
	CHECK_ERROR(raise(9999), EINVAL);
}

/* "at least one … shall be delivered to the sending thread before [it] returns" */
static void kill_itself(void)
{
	CHECK(handle(SIGUSR1, 0) == 0);
	CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && ran == 1);
	CHECK(raise(SIGUSR1) == 0 && ran == 2 && pthread_equal(ran_in, pthread_self()));
}

static volatile sig_atomic_t stop;

static void *yields(void *arg)
{
	sem_post(&started);
	while (!stop)
		sched_yield();
	return arg;
}

/* One of several, all of which let it through: none but that one runs the handler. */
static void kill_one_of_several(void)
{
	pthread_t t[3];

	stop = 0;
	CHECK(handle(SIGUSR1, 0) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(start(&t[i], yields, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		ran = 0;
		CHECK(pthread_kill(t[i], SIGUSR1) == 0 && comes(&ran));
		CHECK(ran == 1 && pthread_equal(ran_in, t[i]));
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

static volatile sig_atomic_t sent;

/* Once the other went on it computes, and calls nothing. */
static void *computes(void *arg)
{
	sem_post(&started);
	while (!sent)
		sched_yield();
	while (!ran)
		;
	return arg;
}

static void kill_one_that_computes(void)
{
	pthread_t t;

	sent = 0;
	CHECK(handle(SIGUSR1, 0) == 0 && start(&t, computes, NULL) == 0);
	sent = 1;
	CHECK(pthread_kill(t, SIGUSR1) == 0 && pthread_join(t, NULL) == 0);
	CHECK(ran == 1 && pthread_equal(ran_in, t));
}

/* "ignored … shall be discarded" */
static void kill_ignored(void)
{
	pthread_t t;

	stop = 0;
	CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	CHECK(start(&t, yields, NULL) == 0 && pthread_kill(t, SIGUSR1) == 0);
	stop = 1;
	CHECK(pthread_join(t, NULL) == 0 && handle(SIGUSR1, 0) == 0);
}

static void *pauses(void *arg)
{
	sem_post(&started);
	(void)pause();
	return arg;
}

/* "if the action … is to terminate … the whole process" */
static void kill_ends_the_process(void)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		pthread_t t;

		_exit(start(&t, pauses, NULL) || pthread_kill(t, SIGHUP) || pthread_join(t, NULL));
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

/* ---- pending and masks ---------------------------------------------------------------------- */

static sem_t go;

/* Bad: how many things were not as they should be. */
static void *has_it_pending(void *arg)
{
	long bad = 0;

	(void)arg;
	sem_post(&started);
	bad += sem_wait(&go) != 0;
	bad += !is_pending(SIGUSR1) || ran != 0;
	bad += unblock(SIGUSR1) != 0;
	bad += ran != 1 || is_pending(SIGUSR1);
	return (void *)bad;
}

/* "pending for the thread" is not pending for another; sent twice it is pending once. */
static void pending_for_one(void)
{
	pthread_t t;
	void *bad;

	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR1) == 0 && sem_init(&go, 0, 0) == 0);
	CHECK(start(&t, has_it_pending, NULL) == 0);
	CHECK(pthread_kill(t, SIGUSR1) == 0 && pthread_kill(t, SIGUSR1) == 0);
	CHECK(!is_pending(SIGUSR1) && sem_post(&go) == 0);
	CHECK(pthread_join(t, &bad) == 0 && bad == NULL);
	CHECK(ran == 1 && pthread_equal(ran_in, t) && unblock(SIGUSR1) == 0 && ran == 1);
}

/* To the process and to the thread: both are delivered. */
static void pending_twice(void)
{
	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR1) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0 && pthread_kill(pthread_self(), SIGUSR1) == 0);
	CHECK(is_pending(SIGUSR1) && ran == 0);
	CHECK(unblock(SIGUSR1) == 0 && ran == 2 && !is_pending(SIGUSR1));
}

/* "Setting a signal action to SIG_IGN … shall cause the pending signal to be discarded" */
static void pending_then_ignored(void)
{
	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
	CHECK(is_pending(SIGUSR1) && signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	CHECK(!is_pending(SIGUSR1) && handle(SIGUSR1, 0) == 0);
	CHECK(unblock(SIGUSR1) == 0 && ran == 0);
}

/* "The set of signals pending for the child process shall be initialized to the empty set" */
static void pending_is_not_inherited(void)
{
	int status;
	pid_t child;

	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(is_pending(SIGUSR1) || unblock(SIGUSR1) || ran);
	CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
	CHECK(unblock(SIGUSR1) == 0 && ran == 1);
}

/* ---- interrupted waits ----------------------------------------------------------------------- */

static int ends[2];

static void *reads(void *arg)
{
	char c = 0;

	(void)arg;
	sem_post(&started);
	if (read(ends[0], &c, 1) == 1)
		return (void *)(long)c;
	return (void *)(long)-errno;
}

static void interrupts_read(void)
{
	pthread_t t;
	void *got;

	CHECK(pipe(ends) == 0 && handle(SIGUSR1, 0) == 0);
	CHECK(start(&t, reads, NULL) == 0 && pthread_kill(t, SIGUSR1) == 0);
	CHECK(pthread_join(t, &got) == 0 && (long)got == -EINTR);
	CHECK(ran == 1 && pthread_equal(ran_in, t));
	CHECK(handle(SIGUSR1, SA_RESTART) == 0);
	CHECK(start(&t, reads, NULL) == 0 && pthread_kill(t, SIGUSR1) == 0 && comes(&ran));
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(pthread_join(t, &got) == 0 && (long)got == 'x');
	close(ends[0]);
	close(ends[1]);
}

static void *sleeps(void *arg)
{
	const struct timespec *const wanted = arg;
	struct timespec left = {0, 0};

	sem_post(&started);
	return (void *)(long)(nanosleep(wanted, &left) == 0 ? 0 : errno == EINTR ? 1 : 2);
}

/* The sibling sleeps on. */
static void interrupts_one_sleeper(void)
{
	const struct timespec hour = {3600, 0}, moment = {0, 30000000};
	pthread_t t[2];
	void *how;

	CHECK(handle(SIGUSR1, SA_RESTART) == 0);
	CHECK(start(&t[0], sleeps, (void *)&hour) == 0 &&
	      start(&t[1], sleeps, (void *)&moment) == 0);
	CHECK(pthread_kill(t[0], SIGUSR1) == 0);
	CHECK(pthread_join(t[0], &how) == 0 && (long)how == 1);
	CHECK(pthread_join(t[1], &how) == 0 && (long)how == 0);
}

static sem_t wanted;

static void *takes(void *arg)
{
	(void)arg;
	sem_post(&started);
	return (void *)(long)(sem_wait(&wanted) == 0 ? 0 : errno);
}

/* "The sem_wait() function is interruptible by the delivery of a signal." */
static void interrupts_semaphore(void)
{
	pthread_t t;
	void *how;

	CHECK(handle(SIGUSR1, 0) == 0 && sem_init(&wanted, 0, 0) == 0);
	CHECK(start(&t, takes, NULL) == 0 && pthread_kill(t, SIGUSR1) == 0);
	CHECK(pthread_join(t, &how) == 0 && (long)how == EINTR && ran == 1);
	CHECK(handle(SIGUSR1, SA_RESTART) == 0);
	CHECK(start(&t, takes, NULL) == 0 && pthread_kill(t, SIGUSR1) == 0 && comes(&ran));
	CHECK(sem_post(&wanted) == 0);
	CHECK(pthread_join(t, &how) == 0 && (long)how == 0 && sem_destroy(&wanted) == 0);
}

/* ---- waits that go on afterwards ------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static int ready;

static void *locks(void *arg)
{
	long error;

	(void)arg;
	sem_post(&started);
	error = pthread_mutex_lock(&mutex);
	return (void *)(error ? error : pthread_mutex_unlock(&mutex));
}

static void *waits_until_ready(void *arg)
{
	long bad = 0;

	(void)arg;
	pthread_mutex_lock(&mutex);
	sem_post(&started);
	while (!ready)
		bad += pthread_cond_wait(&changed, &mutex) != 0;
	pthread_mutex_unlock(&mutex);
	return (void *)bad;
}

static void *writes(void *arg)
{
	long error;

	(void)arg;
	sem_post(&started);
	error = pthread_rwlock_wrlock(&rwlock);
	return (void *)(error ? error : pthread_rwlock_unlock(&rwlock));
}

static void *meets(void *arg)
{
	const int result = (sem_post(&started), pthread_barrier_wait(&barrier));

	(void)arg;
	return (void *)(long)(result != 0 && result != PTHREAD_BARRIER_SERIAL_THREAD);
}

static void *joins(void *arg)
{
	sem_post(&started);
	return (void *)(long)pthread_join(*(pthread_t *)arg, NULL);
}

/* The handler runs while it waits, and the call ends well after `release`: 1. */
static int goes_on(void *(*fn)(void *), void *arg, int (*release)(void *), void *of)
{
	pthread_t t;
	void *bad;

	if (handle(SIGUSR1, 0) || start(&t, fn, arg) || pthread_kill(t, SIGUSR1) || !comes(&ran) ||
	    !pthread_equal(ran_in, t))
		return 0;
	ran = 0;
	if (pthread_kill(t, SIGUSR1) || !comes(&ran))
		return 0;
	(void)release(of);
	return pthread_join(t, &bad) == 0 && bad == NULL && ran == 1;
}

static int unlock(void *m)
{
	return pthread_mutex_unlock(m);
}

static int make_ready(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&mutex);
	ready = 1;
	pthread_cond_signal(&changed);
	return pthread_mutex_unlock(&mutex);
}

static int rwunlock(void *l)
{
	return pthread_rwlock_unlock(l);
}

static int meet(void *b)
{
	return pthread_barrier_wait(b);
}

static int set_stop(void *arg)
{
	(void)arg;
	stop = 1;
	return 0;
}

/* "If a signal is delivered to a thread waiting for a mutex, upon return from the signal handler
 * the thread shall resume waiting for the mutex as if it was not interrupted." */
static void waits_go_on(void)
{
	pthread_t t;

	CHECK(pthread_mutex_lock(&mutex) == 0 && goes_on(locks, NULL, unlock, &mutex));
	ready = 0;
	CHECK(goes_on(waits_until_ready, NULL, make_ready, NULL));
	CHECK(pthread_rwlock_rdlock(&rwlock) == 0 && goes_on(writes, NULL, rwunlock, &rwlock));
	CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
	CHECK(goes_on(meets, NULL, meet, &barrier) && pthread_barrier_destroy(&barrier) == 0);
	stop = 0;
	CHECK(start(&t, yields, NULL) == 0 && goes_on(joins, &t, set_stop, NULL));
}

static volatile sig_atomic_t nested;

static void reads_itself(int sig)
{
	char c;

	(void)sig;
	nested = 1;
	while (read(ends[0], &c, 1) < 1)
		;
	ran++;
}

/* A handler that waits itself, inside of the wait that it came in, which ends meanwhile. */
static void handlers_may_wait(void)
{
	struct sigaction action = {.sa_handler = reads_itself};
	pthread_t t;
	void *bad;

	ran = nested = 0;
	sigemptyset(&action.sa_mask);
	CHECK(pipe(ends) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
	CHECK(pthread_mutex_lock(&mutex) == 0 && start(&t, locks, NULL) == 0);
	CHECK(pthread_kill(t, SIGUSR2) == 0 && comes(&nested));
	CHECK(pthread_mutex_unlock(&mutex) == 0 && usleep(SETTLE_US) == 0 && ran == 0);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(pthread_join(t, &bad) == 0 && bad == NULL && ran == 1);
	CHECK(signal(SIGUSR2, SIG_DFL) != SIG_ERR && close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* ---- to the process ------------------------------------------------------------------------- */

static void *takes_unblocked(void *arg)
{
	if (unblock(SIGUSR1))
		return (void *)99;
	return takes(arg);
}

/* The sender and a third have it blocked, and the one that lets it through waits already. */
static void process_finds_a_thread(void)
{
	pthread_t other, t;
	void *how;

	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR1) == 0 && sem_init(&wanted, 0, 0) == 0);
	CHECK(start(&other, pauses, NULL) == 0 && start(&t, takes_unblocked, NULL) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(pthread_join(t, &how) == 0 && (long)how == EINTR);
	CHECK(ran == 1 && pthread_equal(ran_in, t) && unblock(SIGUSR1) == 0 && ran == 1);
	CHECK(pthread_cancel(other) == 0 && pthread_join(other, NULL) == 0);
}

/* The same from another process, while all wait. */
static void process_from_outside(void)
{
	pthread_t other, t;
	int status;
	pid_t child;
	void *how;

	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR1) == 0 && sem_init(&wanted, 0, 0) == 0);
	CHECK(start(&other, pauses, NULL) == 0 && start(&t, takes_unblocked, NULL) == 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(usleep(10000) || kill(getppid(), SIGUSR1));
	CHECK(child > 0 && pthread_join(t, &how) == 0 && (long)how == EINTR);
	CHECK(ran == 1 && pthread_equal(ran_in, t) && unblock(SIGUSR1) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(pthread_cancel(other) == 0 && pthread_join(other, NULL) == 0);
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void *accepts(void *arg)
{
	const sigset_t set = only(SIGUSR2);
	int sig = 0;

	sem_post(&started);
	return (void *)(long)(sigwait(&set, &sig) || sig != SIGUSR2 ? 1 : arg ? 0 : 2);
}

/* Two wait for it: the one that it is sent to has it. */
static void sigwait_for_one(void)
{
	pthread_t t[2];
	void *bad;

	CHECK(handle(SIGUSR2, 0) == 0 && block(SIGUSR2) == 0);
	CHECK(start(&t[0], accepts, NULL) == 0 && start(&t[1], accepts, t) == 0);
	CHECK(pthread_kill(t[1], SIGUSR2) == 0 && pthread_join(t[1], &bad) == 0 && bad == NULL);
	CHECK(pthread_kill(t[0], SIGUSR2) == 0 && pthread_join(t[0], &bad) == 0);
	CHECK((long)bad == 2 && ran == 0 && unblock(SIGUSR2) == 0 && ran == 0);
}

static void sigwait_of_what_is_pending(void)
{
	sigset_t set = only(SIGUSR2);
	siginfo_t info;
	int sig = 0;

	CHECK(block(SIGUSR2) == 0 && raise(SIGUSR2) == 0);
	CHECK(sigwait(&set, &sig) == 0 && sig == SIGUSR2 && !is_pending(SIGUSR2));
	CHECK(raise(SIGUSR2) == 0 && sigwaitinfo(&set, &info) == SIGUSR2);
	CHECK(info.si_signo == SIGUSR2 && kill(getpid(), SIGUSR2) == 0);
	CHECK(sigwaitinfo(&set, NULL) == SIGUSR2 && !is_pending(SIGUSR2));
	CHECK(unblock(SIGUSR2) == 0);
}

static void sigtimedwait_ends(void)
{
	const struct timespec none = {0, 0}, soon = {0, 3000000}, senseless = {0, 2000000000};
	const sigset_t set = only(SIGUSR2);
	struct timespec begin, end;
	siginfo_t info;

	CHECK(block(SIGUSR2) == 0);
	CHECK_ERROR(sigtimedwait(&set, &info, &none), EAGAIN);
	CHECK_ERROR(sigtimedwait(&set, &info, &senseless), EINVAL);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &begin) == 0);
	CHECK_ERROR(sigtimedwait(&set, &info, &soon), EAGAIN);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
	CHECK((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec >= 3000000);
	CHECK(raise(SIGUSR2) == 0 && sigtimedwait(&set, &info, &none) == SIGUSR2);
	CHECK(info.si_signo == SIGUSR2 && unblock(SIGUSR2) == 0);
}

static void *waits_for_usr2(void *arg)
{
	const struct timespec hour = {3600, 0};
	const sigset_t set = only(SIGUSR2);

	(void)arg;
	sem_post(&started);
	return (void *)(long)(sigtimedwait(&set, NULL, &hour) == -1 ? errno : 0);
}

/* "The wait was interrupted by an unblocked, caught signal": its handler ran. */
static void sigtimedwait_interrupted(void)
{
	pthread_t t;
	void *how;

	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR2) == 0);
	CHECK(start(&t, waits_for_usr2, NULL) == 0 && pthread_kill(t, SIGUSR1) == 0);
	CHECK(pthread_join(t, &how) == 0 && (long)how == EINTR);
	CHECK(ran == 1 && pthread_equal(ran_in, t) && unblock(SIGUSR2) == 0);
}

static void *suspends(void *arg)
{
	sigset_t all_but;

	(void)arg;
	sigfillset(&all_but);
	sigdelset(&all_but, SIGUSR1);
	sem_post(&started);
	return (void *)(long)(sigsuspend(&all_but) == -1 && errno == EINTR && ran == 1 ? 0 : 1);
}

static void sigsuspend_in_one(void)
{
	pthread_t t;
	void *bad;

	CHECK(handle(SIGUSR1, 0) == 0 && block(SIGUSR1) == 0);
	CHECK(start(&t, suspends, NULL) == 0 && pthread_kill(t, SIGUSR1) == 0);
	CHECK(pthread_join(t, &bad) == 0 && bad == NULL && pthread_equal(ran_in, t));
	CHECK(unblock(SIGUSR1) == 0 && ran == 1);
}

const struct check pthread_signal_checks[] = {
	{"signals: pthread_kill checks", kill_checks},
	{"signals: to itself", kill_itself},
	{"signals: to one of several", kill_one_of_several},
	{"signals: to one that computes", kill_one_that_computes},
	{"signals: ignored", kill_ignored},
	{"signals: one thread's ends the process", kill_ends_the_process},
	{"signals: pending for one", pending_for_one},
	{"signals: pending twice", pending_twice},
	{"signals: pending, then ignored", pending_then_ignored},
	{"signals: pending ones are not inherited", pending_is_not_inherited},
	{"signals: read is interrupted, or restarted", interrupts_read},
	{"signals: one sleeper is interrupted", interrupts_one_sleeper},
	{"signals: sem_wait is interrupted, or restarted", interrupts_semaphore},
	{"signals: waits for each other go on", waits_go_on},
	{"signals: handlers may wait", handlers_may_wait},
	{"signals: the process's find who lets them through", process_finds_a_thread},
	{"signals: from outside, while all wait", process_from_outside},
	{"signals: sigwait of one thread", sigwait_for_one},
	{"signals: sigwait of what is pending", sigwait_of_what_is_pending},
	{"signals: sigtimedwait ends", sigtimedwait_ends},
	{"signals: sigtimedwait is interrupted", sigtimedwait_interrupted},
	{"signals: sigsuspend in one thread", sigsuspend_in_one},
	{NULL, NULL},
};
