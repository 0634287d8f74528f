/*
 * wait.c - a thread that waits for the world does not stop its siblings, with any scheduler.
 *
 * Who waits is woken only by what a sibling does afterwards, so a layer that stopped the program
 * would hang here.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <libos/build.h>
#include <libos/sched.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>
#include "threads.h"

enum { MS = 1000000, BLOCKS = 64, BLOCK = 4096 };

static int ends[2];

static void *reads_one(void *arg)
{
	char c = 0;

	(void)arg;
	return (void *)(long)(read(ends[0], &c, 1) == 1 ? c : -1);
}

static void pipe_read_waits_alone(void)
{
	struct thread *t;
	void *got;

	CHECK(pipe(ends) == 0);
	CHECK(thread_create(&t, NULL, reads_one, NULL) == 0);
	while (t->state != THREAD_BLOCKED)
		thread_yield();
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(thread_join(t, &got) == 0 && (long)got == 'x');
	close(ends[0]);
	close(ends[1]);
}

static void two_read_one_pipe(void)
{
	struct thread *a, *b;
	void *x, *y;

	CHECK(pipe(ends) == 0);
	CHECK(thread_create(&a, NULL, reads_one, NULL) == 0);
	CHECK(thread_create(&b, NULL, reads_one, NULL) == 0);
	while (a->state != THREAD_BLOCKED || b->state != THREAD_BLOCKED)
		thread_yield();
	CHECK(write(ends[1], "p", 1) == 1);
	thread_sleep_until(time_now() + MS);
	CHECK(write(ends[1], "q", 1) == 1);
	CHECK(thread_join(a, &x) == 0 && thread_join(b, &y) == 0);
	CHECK((long)x + (long)y == 'p' + 'q');
	close(ends[0]);
	close(ends[1]);
}

static void *fills_pipe(void *arg)
{
	static char bytes[100000];

	(void)arg;
	return (void *)(long)write(ends[1], bytes, sizeof(bytes));
}

static void pipe_write_waits_alone(void)
{
	struct thread *t;
	char piece[1000];
	long total = 0;
	void *put;

	CHECK(pipe(ends) == 0);
	CHECK(thread_create(&t, NULL, fills_pipe, NULL) == 0);
	while (total < 100000) {
		const ssize_t n = read(ends[0], piece, sizeof(piece));

		CHECK(n > 0);
		total += n;
	}
	CHECK(thread_join(t, &put) == 0 && (long)put == 100000);
	close(ends[0]);
	close(ends[1]);
}

static void *naps(void *arg)
{
	usleep(5000);
	return arg;
}

static void sleep_waits_alone(void)
{
	struct thread *t;
	long laps = 0;

	CHECK(thread_create(&t, NULL, naps, NULL) == 0);
	while (t->state != THREAD_ENDED) {
		thread_yield();
		laps++;
	}
	CHECK(thread_join(t, NULL) == 0 && laps > 10);
}

static void *starts_and_waits(void *arg)
{
	int status = -1;
	const pid_t child = fork();

	(void)arg;
	if (child == 0) {
		execl("/bin/sleep", "sleep", "0.02", NULL);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return (void *)1;
	return (void *)(long)status;
}

static void waitpid_waits_alone(void)
{
	struct thread *t;
	long laps = 0;
	void *status;

	CHECK(thread_create(&t, NULL, starts_and_waits, NULL) == 0);
	while (t->state != THREAD_ENDED) {
		thread_yield();
		laps++;
	}
	CHECK(thread_join(t, &status) == 0 && !status && laps > 10);
}

/* Two threads, two files, through the cache and to the disk. */
static void *writes_file(void *arg)
{
	char name[32], block[BLOCK], back[BLOCK];
	long bad = 0;
	int fd;

	(void)snprintf(name, sizeof(name), "/tmp/threads-%ld", (long)arg);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < BLOCKS; i++) {
		memset(block, (int)(long)arg + i, sizeof(block));
		bad += write(fd, block, sizeof(block)) != BLOCK;
		if (i % 16 == 15)
			bad += fsync(fd) != 0;
	}
	for (int i = 0; i < BLOCKS; i++) {
		memset(block, (int)(long)arg + i, sizeof(block));
		bad += pread(fd, back, sizeof(back), (off_t)i * BLOCK) != BLOCK ||
		       memcmp(block, back, BLOCK) != 0;
	}
	close(fd);
	return (void *)(bad + (unlink(name) != 0));
}

static void files_of_several_threads(void)
{
	struct thread *t[3];
	void *bad;

	for (long i = 0; i < 3; i++)
		CHECK(thread_create(&t[i], NULL, writes_file, (void *)(i * 50)) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(thread_join(t[i], &bad) == 0 && !bad);
}

/* ---- building programs ----------------------------------------------------------------------- */

static char program[BLOCKS * BLOCK];
static size_t program_size;

/* The disk in slow: whoever builds waits in the midst of it, where the window of libos/vm.h is its
 * own. */
static int read_slowly(void *ctx, uint64_t off, void *to, size_t n)
{
	(void)ctx;
	if (off > program_size || n > program_size - off)
		return -ENOEXEC;
	thread_sleep_until(time_now() + MS);
	memcpy(to, program + off, n);
	return 0;
}

/* Builds the program, waits for its end, and takes it apart: how it ended, or a negative errno. */
static long build_one(void)
{
	const struct build_source source = {.read_at = read_slowly, .size = program_size};
	const struct build_spec spec = {
		.name = "built",
		.principal = tables_env((uint32_t)(start_self() & 0xffff))->principal,
		.quota = {[EXO_QUOTA_PAGES] = 128, [EXO_QUOTA_SLOTS] = 1, [EXO_QUOTA_CAPS] = 4},
		.slots = 1,
	};
	struct build_end end;
	struct build b;
	int error = build_program(&b, &spec, &source, NULL);

	if (error)
		return error;
	while (!build_ended(&b))
		thread_sleep_until(time_now() + MS);
	error = build_reap(&b, &end);
	return error ? error : end.end == EXO_END_EXIT ? (long)end.code : -EIO;
}

static void *builds(void *arg)
{
	(void)arg;
	return (void *)build_one();
}

static void two_build_at_once(void)
{
	const int fd = open("/bin/rawdisk", O_RDONLY);
	struct thread *t[3];
	long alone;
	void *end;

	CHECK(fd >= 0);
	program_size = (size_t)read(fd, program, sizeof(program));
	CHECK(close(fd) == 0 && program_size > BLOCK && program_size < sizeof(program));
	alone = build_one();
	CHECK(alone > 0);
	for (int i = 0; i < 3; i++)
		CHECK(thread_create(&t[i], NULL, builds, NULL) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(thread_join(t[i], &end) == 0 && (long)end == alone);
}

/* ---- signals -------------------------------------------------------------------------------- */

static sem_t rung;

/* sem_post() is one of the few calls that handlers may make. */
static void ring(int sig)
{
	(void)sig;
	sem_post(&rung);
}

static void *waits_for_ring(void *arg)
{
	(void)arg;
	return (void *)(long)sem_wait(&rung);
}

/* All threads wait for each other when it comes: one runs the handler all the same. */
static void signal_among_waiters(void)
{
	struct thread *t;
	void *error;
	int status;
	pid_t child;

	CHECK(sem_init(&rung, 0, 0) == 0 && signal(SIGUSR1, ring) != SIG_ERR);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		usleep(10000);
		_exit(kill(getppid(), SIGUSR1));
	}
	CHECK(child > 0);
	CHECK(thread_create(&t, NULL, waits_for_ring, NULL) == 0);
	CHECK(thread_join(t, &error) == 0 && !error);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	signal(SIGUSR1, SIG_DFL);
}

static volatile int alarms;

static void count_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void *spins_for_alarm(void *arg)
{
	(void)arg;
	while (!alarms)
		thread_yield();
	return NULL;
}

static void alarm_among_threads(void)
{
	const struct itimerval soon = {.it_value.tv_usec = 3000};
	struct thread *t;

	alarms = 0;
	CHECK(signal(SIGALRM, count_alarm) != SIG_ERR);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK(thread_create(&t, NULL, spins_for_alarm, NULL) == 0);
	CHECK(thread_join(t, NULL) == 0 && alarms == 1);
	signal(SIGALRM, SIG_DFL);
}

/* ---- fork ----------------------------------------------------------------------------------- */

static void *forks(void *arg)
{
	int status = -1;
	pid_t child;

	(void)arg;
	child = fork();
	if (child == 0) {
		thread_yield();
		usleep(1000);
		_exit(thread_count == 1 ? 7 : 1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return (void *)1;
	return (void *)(long)(status != 7 << 8);
}

static void *yields_for_ever(void *arg)
{
	while (!*(volatile int *)arg)
		thread_yield();
	return NULL;
}

static void copy_has_one_thread(void)
{
	struct thread *t, *other;
	volatile int stop = 0;
	void *bad;

	CHECK(thread_create(&other, NULL, yields_for_ever, (void *)&stop) == 0);
	CHECK(thread_create(&t, NULL, forks, NULL) == 0);
	CHECK(thread_join(t, &bad) == 0);
	stop = 1;
	CHECK(thread_join(other, NULL) == 0 && !bad);
}

const struct check wait_checks[] = {
	{"a pipe's reader waits alone", pipe_read_waits_alone},
	{"two read one pipe", two_read_one_pipe},
	{"a pipe's writer waits alone", pipe_write_waits_alone},
	{"a sleeper waits alone", sleep_waits_alone},
	{"who waits for a child waits alone", waitpid_waits_alone},
	{"files of several threads", files_of_several_threads},
	{"two build at once", two_build_at_once},
	{"a signal among waiters", signal_among_waiters},
	{"an alarm among threads", alarm_among_threads},
	{"a copy has one thread", copy_has_one_thread},
	{NULL, NULL},
};
