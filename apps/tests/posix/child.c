/*
 * child.c - the child's side of the tests, chosen by argv[1].  No state.
 */
#include "child.h"
#include "check.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/spawn.h>

enum { UNKNOWN = 99, STDIN_BUFFER = 512 };

extern char **environ;

static int do_exit(const char *arg)
{
	return atoi(arg);
}

static int do_crash(const char *arg)
{
	(void)arg;
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
	return 0;
}

static int do_loop(const char *arg)
{
	volatile int forever = 1;

	(void)arg;
	while (forever)
		;
	return 0;
}

static int do_sleep(const char *arg)
{
	sleep((unsigned)atoi(arg));
	return 0;
}

/* Copies its input to its output until the end. */
static int do_copy(const char *arg)
{
	char buffer[STDIN_BUFFER];
	ssize_t n;

	(void)arg;
	while ((n = read(0, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, (size_t)n) != n)
			return 1;
	return n != 0;
}

/* One byte back for each one that comes. */
static int do_where(const char *arg)
{
	char path[STDIN_BUFFER];

	(void)arg;
	return getcwd(path, sizeof(path)) && write(1, path, strlen(path)) > 0 ? 0 : 1;
}

static int do_environment(const char *arg)
{
	const char *value = getenv(arg);

	return value && write(1, value, strlen(value)) > 0 ? 0 : 1;
}

/* 0 when exactly descriptors 0, 1 and 2 are open. */
static int do_descriptors(const char *arg)
{
	(void)arg;
	for (int fd = 0; fd < 64; fd++)
		if ((dup2(fd, fd) == fd) != (fd <= 2))
			return 1;
	return 0;
}

/* Leaves a child of its own behind. */
static int do_orphan(const char *arg)
{
	static const int fds[] = {-1, -1, -1};

	return start_child("sleep", arg, fds, 3) > 0 ? 0 : 1;
}

/* Tells who it is, that only 0, 1 and 2 are open, and whether SIGUSR2 is ignored. */
static int do_after_exec(const char *arg)
{
	struct sigaction action;

	sigaction(SIGUSR2, NULL, &action);
	dprintf(1, "%d %d %d %d", (int)getpid(), (int)getppid(), do_descriptors(arg) == 0,
		action.sa_handler == SIG_IGN);
	return 0;
}

/* Replaces itself `arg` times. */
static int do_exec(const char *arg)
{
	const int left = atoi(arg);
	char next[STDIN_BUFFER];
	char *const argv[] = {(char *)(size_t)check_self, (char *)(size_t) "exec", next, NULL};

	if (left == 0)
		return 0;
	snprintf(next, sizeof(next), "%d", left - 1);
	execve(check_self, argv, environ);
	return 1;
}

static int do_dies_writing(const char *arg)
{
	(void)arg;
	for (;;)
		if (write(1, "x", 1) < 0)
			return 1;
}

static const struct {
	const char *name;
	int (*run)(const char *arg);
} jobs[] = {
	{"exit", do_exit},
	{"crash", do_crash},
	{"loop", do_loop},
	{"sleep", do_sleep},
	{"copy", do_copy},
	{"where", do_where},
	{"environment", do_environment},
	{"descriptors", do_descriptors},
	{"orphan", do_orphan},
	{"write", do_dies_writing},
	{"after-exec", do_after_exec},
	{"exec", do_exec},
};

int child_main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (strcmp(argv[1], jobs[i].name) == 0)
			return jobs[i].run(argc > 2 ? argv[2] : "");
	return UNKNOWN;
}

pid_t start_child(const char *what, const char *arg, const int *fds, int nfds)
{
	char *const argv[] = {(char *)(size_t)check_self, (char *)(size_t)what, (char *)(size_t)arg,
			      NULL};

	return spawn(check_self, argv, environ, fds, nfds);
}

int run_child(const char *what, const char *arg)
{
	static const int fds[] = {0, 1, 2};
	const pid_t pid = start_child(what, arg, fds, 3);
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}
