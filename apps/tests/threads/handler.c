/*
 * handler.c - where signals of a program with threads run while all of them wait.
 *
 * Found when pages were to be waited for: the thread that had blocked last ran the handler, also
 * when it slept for the disk with the file system's lock held; a handler that wrote to a file then
 * waited for its own thread.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <libos/sched.h>
#include "threads.h"

enum { ENOUGH = 50, ROUNDS = 5000, PAUSE_US = 300, BLOCK = 4096 };

static int fd;
static volatile int handled, failed;

static void writes_too(int sig)
{
	const char c = 'h';

	(void)sig;
	failed += pwrite(fd, &c, 1, BLOCK) != 1;
	handled++;
}

/* Most of the time it waits for the disk. */
static void *writes_and_syncs(void *arg)
{
	static char block[BLOCK];
	long bad = 0;

	(void)arg;
	for (int i = 0; i < ROUNDS && handled < ENOUGH; i++) {
		bad += pwrite(fd, block, BLOCK, 0) != BLOCK;
		bad += fsync(fd) != 0;
	}
	return (void *)bad;
}

static pid_t start_sender(pid_t to)
{
	const pid_t child = fork();

	if (child)
		return child;
	while (kill(to, SIGUSR1) == 0)
		usleep(PAUSE_US);
	_exit(0);
}

static void handler_never_runs_inside_the_file_system(void)
{
	static const char name[] = "/handled";
	struct thread *t;
	void *bad = NULL;
	pid_t child;

	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && signal(SIGUSR1, writes_too) != SIG_ERR);
	CHECK(thread_create(&t, NULL, writes_and_syncs, NULL) == 0);
	child = start_sender(getpid());
	CHECK(child > 0);
	CHECK(thread_join(t, &bad) == 0);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	CHECK(!bad && !failed && handled >= ENOUGH);
	CHECK(signal(SIGUSR1, SIG_DFL) != SIG_ERR && close(fd) == 0 && unlink(name) == 0);
}

static sem_t rung;

static void posts(int sig)
{
	(void)sig;
	sem_post(&rung);
}

static void *waits_for_alarm(void *arg)
{
	(void)arg;
	return sem_wait(&rung) == 0 ? &rung : NULL;
}

/* Nobody was woken for it. */
static void alarm_rings_while_all_wait_for_each_other(void)
{
	const struct itimerval soon = {.it_value = {.tv_usec = 2000}};
	struct thread *t;
	void *result;

	CHECK(sem_init(&rung, 0, 0) == 0 && signal(SIGALRM, posts) != SIG_ERR);
	CHECK(thread_create(&t, NULL, waits_for_alarm, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK(thread_join(t, &result) == 0 && result == &rung);
	CHECK(signal(SIGALRM, SIG_DFL) != SIG_ERR && sem_destroy(&rung) == 0);
}

const struct check handler_checks[] = {
	{"a handler never runs inside the file system", handler_never_runs_inside_the_file_system},
	{"an alarm rings while all wait for each other", alarm_rings_while_all_wait_for_each_other},
	{NULL, NULL},
};
