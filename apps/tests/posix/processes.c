/*
 * processes.c - tests of starting, waiting for and ending processes.  No state.
 */
#include "check.h"
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <libos/spawn.h>

enum { MANY = 40, ROUNDS = 60 };

/* What the child `what` writes to its output. */
static int output_of(const char *what, const char *arg, char *out, size_t size)
{
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(fds))
		return -1;
	const int child[3] = {0, fds[1], 2};

	pid = start_child(what, arg, child, 3);
	(void)close(fds[1]);
	n = read(fds[0], out, size - 1);
	out[n > 0 ? n : 0] = 0;
	(void)close(fds[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void test_status(void)
{
	int status = run_child("exit", "0");

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = run_child("exit", "200");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 200);
}

static void test_no_child(void)
{
	int status;

	CHECK_ERROR(waitpid(-1, &status, 0), ECHILD);
	CHECK_ERROR(waitpid(12345, &status, WNOHANG), ECHILD);
}

static void test_no_program(void)
{
	static const int fds[3] = {0, 1, 2};
	char *const argv[] = {(char *)(size_t) "x", NULL};

	CHECK_ERROR(spawn("/bin/absent", argv, NULL, fds, 3), ENOENT);
	CHECK_ERROR(spawn("/bin", argv, NULL, fds, 3), EACCES);
	CHECK(close(open("plain", O_WRONLY | O_CREAT, 0644)) == 0);
	CHECK_ERROR(spawn("plain", argv, NULL, fds, 3), EACCES);
	CHECK(chmod("plain", 0755) == 0);
	CHECK_ERROR(spawn("plain", argv, NULL, fds, 3), ENOEXEC);
	CHECK(unlink("plain") == 0);
}

static void test_script(void)
{
	static const int fds[3] = {0, 1, 2};
	char *const argv[] = {(char *)(size_t) "script", NULL};
	static const char text[] = "#!/bin/sh\nexit 9\n";
	const int fd = open("script", O_WRONLY | O_CREAT, 0755);
	int status;
	pid_t pid;

	CHECK(write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 && close(fd) == 0);
	pid = spawn("./script", argv, NULL, fds, 3);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 9);
	CHECK(unlink("script") == 0);
}

static void test_inherited(void)
{
	char text[64];

	CHECK(output_of("where", NULL, text, sizeof(text)) == 0 &&
	      strcmp(text, "/posix-test") == 0);
	CHECK(setenv("MARK", "seen by the child", 1) == 0);
	CHECK(output_of("environment", "MARK", text, sizeof(text)) == 0 &&
	      strcmp(text, "seen by the child") == 0);
	CHECK(run_child("descriptors", NULL) == 0);
}

static void test_crash(void)
{
	const int status = run_child("crash", NULL);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void test_kill(void)
{
	static const int fds[3] = {-1, 1, 2};
	static const int signals[] = {SIGTERM, SIGKILL, SIGINT};

	for (int i = 0; i < 3; i++) {
		const pid_t pid = start_child(i == 1 ? "loop" : "sleep", "100", fds, 3);
		int status;

		CHECK(pid > 0 && waitpid(pid, &status, WNOHANG) == 0);
		CHECK(kill(pid, 0) == 0 && kill(pid, signals[i]) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
		CHECK_ERROR(kill(pid, 0), ESRCH);
	}
}

static void test_many(void)
{
	static const int fds[3] = {-1, 1, 2};
	pid_t pids[MANY];
	int n = 0, status;

	while (n < MANY && (pids[n] = start_child("sleep", "100", fds, 3)) > 0)
		n++;
	CHECK(n >= 1 && (n == MANY || errno == EAGAIN || errno == ENOMEM));
	for (int i = 0; i < n; i++)
		CHECK(kill(pids[i], SIGKILL) == 0);
	for (int i = 0; i < n; i++)
		CHECK(waitpid(-1, &status, 0) > 0 && WIFSIGNALED(status));
	CHECK_ERROR(waitpid(-1, &status, WNOHANG), ECHILD);
}

static void test_again_and_again(void)
{
	for (int i = 0; i < ROUNDS; i++)
		CHECK(run_child("exit", "5") == 5 << 8);
}

static void test_orphan(void)
{
	CHECK(run_child("orphan", "0") == 0);
	usleep(50000);
	CHECK(run_child("exit", "0") == 0);
}

static void test_system(void)
{
	CHECK(system(NULL) != 0);
	CHECK(WEXITSTATUS(system("exit 4")) == 4);
	CHECK(system("test -d /bin") == 0);
}

/* Each level deals out what it was dealt: the innermost must still get what it needs to run. */
static void test_nested(void)
{
	CHECK(WEXITSTATUS(system("sh -c 'sh -c \"exit 6\"; exit $?'; exit $?")) == 6);
}

static void test_identity(void)
{
	CHECK(getpid() > 1 && getppid() >= 1 && getpid() != getppid());
	CHECK(getuid() == 0 && geteuid() == 0 && getgid() == 0);
	CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
}

const struct check process_checks[] = {
	{"exit-status", test_status},
	{"no-child", test_no_child},
	{"no-program", test_no_program},
	{"script", test_script},
	{"inherited", test_inherited},
	{"crash", test_crash},
	{"kill", test_kill},
	{"many-children", test_many},
	{"again-and-again", test_again_and_again},
	{"orphan", test_orphan},
	{"system", test_system},
	{"nested-programs", test_nested},
	{"identity", test_identity},
	{NULL, NULL},
};
