/*
 * pthread_regress.c - bugs that pthreads had, from the standard's text.
 *
 * POSIX.1-2008 only, so that the host's pthreads can show that the tests are right.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/select.h>
#include <sys/wait.h>
#include "threads.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting, woken;

static void unlock(void *m)
{
	pthread_mutex_unlock(m);
}

static int waiting_now(void)
{
	int n;

	pthread_mutex_lock(&mutex);
	n = waiting;
	pthread_mutex_unlock(&mutex);
	return n;
}

static struct timespec in_s(clockid_t clock, time_t s)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += s;
	return t;
}

/* ---- conditions ----------------------------------------------------------------------------- */

static void *waits_once(void *arg)
{
	const struct timespec until = in_s(CLOCK_REALTIME, 1);

	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	waiting++;
	woken += pthread_cond_timedwait(&changed, &mutex, &until) == 0;
	pthread_cleanup_pop(1);
	pthread_testcancel();
	return arg;
}

/* "A thread that has been unblocked because it has been canceled [...] shall not consume any
 * condition signal [...] if there are other threads blocked on the condition variable." */
static void signal_is_not_lost_with_the_cancelled(void)
{
	pthread_t t[2];

	waiting = woken = 0;
	for (int i = 0; i < 2; i++) {
		CHECK(pthread_create(&t[i], NULL, waits_once, NULL) == 0);
		while (waiting_now() <= i)
			sched_yield();
	}
	pthread_mutex_lock(&mutex);
	CHECK(pthread_cond_signal(&changed) == 0 && pthread_cancel(t[0]) == 0);
	pthread_mutex_unlock(&mutex);
	CHECK(pthread_join(t[0], NULL) == 0 && pthread_join(t[1], NULL) == 0);
	CHECK(woken == 1);
}

/* ---- locks ---------------------------------------------------------------------------------- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *waits_to_write(void *arg)
{
	pthread_mutex_lock(&mutex);
	waiting = 1;
	pthread_mutex_unlock(&mutex);
	woken = pthread_rwlock_wrlock(&rwlock) == 0;
	pthread_rwlock_unlock(&rwlock);
	return arg;
}

static void *tries_to_read(void *arg)
{
	*(int *)arg = pthread_rwlock_tryrdlock(&rwlock);
	return NULL;
}

/* "A thread may hold multiple concurrent read locks", also while a writer waits for the first. */
static void who_reads_may_read_again(void)
{
	const struct timespec until = in_s(CLOCK_REALTIME, 1);
	pthread_t writer, reader;
	int error = 0;

	waiting = woken = 0;
	CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
	CHECK(pthread_create(&writer, NULL, waits_to_write, NULL) == 0);
	while (!waiting_now())
		sched_yield();
	(void)usleep(2000);
	CHECK(pthread_rwlock_timedrdlock(&rwlock, &until) == 0);
	CHECK(pthread_rwlock_tryrdlock(&rwlock) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(!woken && pthread_rwlock_unlock(&rwlock) == 0);
	CHECK(pthread_join(writer, NULL) == 0 && woken);
	CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
	CHECK(pthread_create(&reader, NULL, tries_to_read, &error) == 0);
	CHECK(pthread_join(reader, NULL) == 0 && error == EBUSY);
	CHECK(pthread_rwlock_unlock(&rwlock) == 0);
}

/* ---- barriers ------------------------------------------------------------------------------- */

static pthread_barrier_t barrier;
static int passed;

static void *passes(void *arg)
{
	(void)pthread_barrier_wait(&barrier);
	pthread_mutex_lock(&mutex);
	passed++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static int passed_now(void)
{
	int n;

	pthread_mutex_lock(&mutex);
	n = passed;
	pthread_mutex_unlock(&mutex);
	return n;
}

/* The last one may use the barrier's memory anew as soon as it returns from the wait. */
static void barrier_is_free_for_the_last(void)
{
	pthread_t t;

	passed = 0;
	CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
	CHECK(pthread_create(&t, NULL, passes, NULL) == 0);
	(void)usleep(2000);
	(void)pthread_barrier_wait(&barrier);
	CHECK(pthread_barrier_destroy(&barrier) == 0);
	CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
	for (int i = 0; i < 1000 && !passed_now(); i++)
		(void)usleep(1000);
	CHECK(passed == 1 && pthread_join(t, NULL) == 0);
	CHECK(pthread_barrier_destroy(&barrier) == 0);
}

/* ---- times that never come ------------------------------------------------------------------ */

static sem_t posted;

static void *posts_later(void *arg)
{
	(void)usleep(3000);
	pthread_mutex_lock(&mutex);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	sem_post(&posted);
	return arg;
}

static void the_end_of_time_is_far(void)
{
	const struct timespec end = {1l << 60, 0};
	pthread_t t;

	CHECK(sem_init(&posted, 0, 0) == 0);
	pthread_mutex_lock(&mutex);
	CHECK(pthread_create(&t, NULL, posts_later, NULL) == 0);
	CHECK(pthread_cond_timedwait(&changed, &mutex, &end) == 0);
	pthread_mutex_unlock(&mutex);
	CHECK(sem_timedwait(&posted, &end) == 0);
	CHECK(pthread_join(t, NULL) == 0 && sem_destroy(&posted) == 0);
}

static void *sleeps_long(void *arg)
{
	const struct timespec end = {LONG_MAX, 999999999};

	sem_post(&posted);
	(void)nanosleep(&end, NULL);
	return arg;
}

static void a_long_sleep_is_long(void)
{
	pthread_t t;
	void *result;

	CHECK(sem_init(&posted, 0, 0) == 0);
	CHECK(pthread_create(&t, NULL, sleeps_long, NULL) == 0 && sem_wait(&posted) == 0);
	(void)usleep(3000);
	CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0);
	CHECK(result == PTHREAD_CANCELED && sem_destroy(&posted) == 0);
}

/* ---- cancellation --------------------------------------------------------------------------- */

static int file;
static char byte;

static int reads(void)
{
	return (int)read(file, &byte, 1);
}

static int writes(void)
{
	return (int)write(file, "x", 1);
}

static int reads_there(void)
{
	return (int)pread(file, &byte, 1, 0);
}

static int writes_there(void)
{
	return (int)pwrite(file, "x", 1, 0);
}

static int opens(void)
{
	return open("/tmp", O_RDONLY);
}

static int opens_there(void)
{
	return openat(AT_FDCWD, "/tmp", O_RDONLY);
}

static int closes(void)
{
	return close(-1);
}

static int syncs(void)
{
	return fsync(file);
}

static int locks_part(void)
{
	return lockf(file, F_LOCK, 1);
}

static int polls(void)
{
	return poll(NULL, 0, 0);
}

static int selects(void)
{
	struct timeval none = {0, 0};

	return select(0, NULL, NULL, NULL, &none);
}

static int naps(void)
{
	const struct timespec none = {0, 0};

	return nanosleep(&none, NULL);
}

static int looks_for_child(void)
{
	return (int)waitpid(-1, NULL, WNOHANG);
}

static int takes_post(void)
{
	return sem_wait(&posted);
}

static int takes_post_by(void)
{
	const struct timespec past = {0, 0};

	return sem_timedwait(&posted, &past);
}

static void *cancelled_before(void *call)
{
	(void)pthread_cancel(pthread_self());
	(void)(*(int (**)(void))call)();
	return NULL;
}

/* "the thread shall act upon it [...] when [it] calls any function that is a cancellation point",
 * though it would not wait there. */
static void cancelled_where_it_does_not_wait(void)
{
	static int (*const calls[])(void) = {
		reads,	     writes,	      reads_there, writes_there,  opens,
		opens_there, closes,	      syncs,	   polls,	  selects,
		naps,	     looks_for_child, takes_post,  takes_post_by, locks_part,
	};
	pthread_t t;
	void *result;

	CHECK((file = open("/tmp/threads-cancelled", O_RDWR | O_CREAT, 0600)) >= 0);
	CHECK(sem_init(&posted, 0, 1) == 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		CHECK(pthread_create(&t, NULL, cancelled_before, (void *)&calls[i]) == 0);
		CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
	}
	CHECK(close(file) == 0 && unlink("/tmp/threads-cancelled") == 0);
	CHECK(sem_destroy(&posted) == 0);
}

/* ---- sizes ---------------------------------------------------------------------------------- */

static void *same(void *arg)
{
	return arg;
}

static void endless_stack_is_refused(void)
{
	pthread_attr_t attr;
	pthread_t t;
	int error;

	CHECK(pthread_attr_init(&attr) == 0);
	error = pthread_attr_setstacksize(&attr, SIZE_MAX - 4095);
	if (!error)
		error = pthread_create(&t, &attr, same, NULL);
	CHECK(error == EAGAIN || error == EINVAL);
	CHECK(pthread_attr_destroy(&attr) == 0);
}

/* ---- streams -------------------------------------------------------------------------------- */

static const char stream_name[] = "/tmp/threads-stream";
static FILE *stream;
static sem_t may_go;

static void *keeps_stream(void *arg)
{
	flockfile(stream);
	fputc('1', stream);
	sem_post(&posted);
	sem_wait(&may_go);
	fputc('2', stream);
	funlockfile(stream);
	return arg;
}

static int starts_with_stream(pthread_t *t)
{
	stream = fopen(stream_name, "w+");
	return stream && sem_init(&posted, 0, 0) == 0 && sem_init(&may_go, 0, 0) == 0 &&
	       pthread_create(t, NULL, keeps_stream, NULL) == 0 && sem_wait(&posted) == 0;
}

static void *goes_later(void *arg)
{
	(void)usleep(3000);
	sem_post(&may_go);
	return arg;
}

/* "All functions that reference (FILE *) objects [...] shall behave as if they use flockfile()" */
static void a_stream_is_ones_own(void)
{
	char line[8] = "";
	pthread_t t, u;

	CHECK(starts_with_stream(&t));
	CHECK(ftrylockfile(stream) != 0);
	CHECK(pthread_create(&u, NULL, goes_later, NULL) == 0);
	CHECK(fputc('3', stream) == '3');
	CHECK(pthread_join(t, NULL) == 0 && pthread_join(u, NULL) == 0);
	CHECK(ftrylockfile(stream) == 0);
	flockfile(stream);
	funlockfile(stream);
	funlockfile(stream);
	rewind(stream);
	CHECK(fgets(line, sizeof(line), stream) && strcmp(line, "123") == 0);
	CHECK(fclose(stream) == 0 && unlink(stream_name) == 0);
}

/* A sibling has the stream, and is not there. */
static void a_copy_can_print(void)
{
	pthread_t t;
	int status;
	pid_t child;

	fflush(stdout);
	CHECK(starts_with_stream(&t));
	child = fork();
	if (child == 0) {
		alarm(2);
		_exit(fputc('x', stream) == 'x' ? 7 : 1);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(sem_post(&may_go) == 0 && pthread_join(t, NULL) == 0);
	CHECK(fclose(stream) == 0 && unlink(stream_name) == 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* ---- fork ----------------------------------------------------------------------------------- */

static int got;

static void *takes(void *arg)
{
	waiting = 1;
	pthread_mutex_lock(&mutex);
	got++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

/* In the copy: the mutex is ours, and the one that waited for it is not there. */
static int only_one_is_there(void)
{
	pthread_t t;

	pthread_mutex_unlock(&mutex);
	(void)usleep(2000);
	if (got)
		return 1;
	pthread_mutex_lock(&mutex);
	if (pthread_create(&t, NULL, takes, NULL))
		return 2;
	(void)usleep(2000);
	pthread_mutex_unlock(&mutex);
	return pthread_join(t, NULL) || got != 1 ? 3 : 7;
}

/* "The new process [...] shall contain a replica of the calling thread" */
static void who_waits_is_not_copied(void)
{
	pthread_t t;
	int status;
	pid_t child;

	got = waiting = 0;
	fflush(stdout);
	pthread_mutex_lock(&mutex);
	CHECK(pthread_create(&t, NULL, takes, NULL) == 0);
	(void)usleep(2000);
	child = fork();
	if (child == 0)
		_exit(only_one_is_there());
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	pthread_mutex_unlock(&mutex);
	CHECK(pthread_join(t, NULL) == 0 && got == 1);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static volatile int stop;

static void *allocates(void *arg)
{
	while (!stop) {
		for (size_t n = 1; n < 5000; n += 100)
			free(malloc(n));
		sched_yield();
	}
	return arg;
}

/* Whatever the others are doing: fork is not called at a moment of theirs. */
static void a_copy_can_allocate(void)
{
	pthread_t t[2];
	int status = 7 << 8;

	stop = 0;
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, allocates, NULL) == 0);
	for (int i = 0; i < 10 && status == 7 << 8; i++) {
		const pid_t child = fork();

		if (child == 0) {
			free(malloc(3000));
			_exit(7);
		}
		(void)usleep(1000);
		if (child < 0 || waitpid(child, &status, 0) != child)
			status = -1;
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(status == 7 << 8);
}

/* ---- record locks --------------------------------------------------------------------------- */

static int file, to_child[2], to_parent[2];

static int lock_byte(int command, off_t at, short type)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

	return fcntl(file, command, &l);
}

/* Nothing on the stack that it is cancelled on: the host's sanitizer would find it there later. */
static void *waits_for_byte_1(void *arg)
{
	static struct flock byte_1 = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};

	(void)fcntl(file, F_SETLKW, &byte_1);
	return arg;
}

/* Holds byte 1, and wants byte 0 when it is told to. */
static int child_locks(void)
{
	char c = 0;

	(void)close(to_child[1]);
	if (lock_byte(F_SETLK, 1, F_WRLCK) != 0 || write(to_parent[1], &c, 1) != 1 ||
	    read(to_child[0], &c, 1) != 1)
		return 1;
	return lock_byte(F_SETLKW, 0, F_WRLCK) == 0 ? 7 : errno == EDEADLK ? 2 : 3;
}

/* Nobody waits for the child any more, so it may wait: no deadlock. */
static void cancelled_waits_for_no_lock(void)
{
	char name[] = "/tmp/locked-XXXXXX", c;
	int status = 0;
	void *result;
	pthread_t t;
	pid_t child;

	file = mkstemp(name);
	CHECK(file >= 0 && unlink(name) == 0 && pipe(to_child) == 0 && pipe(to_parent) == 0);
	CHECK(lock_byte(F_SETLK, 0, F_WRLCK) == 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(child_locks());
	CHECK(child > 0 && read(to_parent[0], &c, 1) == 1);
	CHECK(pthread_create(&t, NULL, waits_for_byte_1, NULL) == 0);
	(void)usleep(5000);
	CHECK(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0 &&
	      result == PTHREAD_CANCELED);
	CHECK(write(to_child[1], &c, 1) == 1);
	(void)usleep(5000);
	CHECK(lock_byte(F_SETLK, 0, F_UNLCK) == 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	for (int i = 0; i < 2; i++)
		CHECK(close(to_child[i]) == 0 && close(to_parent[i]) == 0);
	CHECK(close(file) == 0);
}

const struct check pthread_regress_checks[] = {
	{"pthread: a signal is not lost with who is cancelled",
	 signal_is_not_lost_with_the_cancelled},
	{"pthread: who reads may read again", who_reads_may_read_again},
	{"pthread: a barrier is free for the last one", barrier_is_free_for_the_last},
	{"pthread: the end of time is far", the_end_of_time_is_far},
	{"pthread: a long sleep is long", a_long_sleep_is_long},
	{"pthread: cancelled where it does not wait", cancelled_where_it_does_not_wait},
	{"pthread: an endless stack is refused", endless_stack_is_refused},
	{"pthread: a stream is one's own", a_stream_is_ones_own},
	{"pthread: a copy can print", a_copy_can_print},
	{"pthread: who waits is not copied", who_waits_is_not_copied},
	{"pthread: a copy can allocate", a_copy_can_allocate},
	{"pthread: who was cancelled waits for no record lock", cancelled_waits_for_no_lock},
	{NULL, NULL},
};
