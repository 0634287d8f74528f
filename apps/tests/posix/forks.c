/*
 * forks.c - tests of fork and exec: what the copy has, what the new program keeps.  No state but
 * what tests look for in the copy.
 */
#include "check.h"
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { ROUNDS = 40, BIG = 1 << 20, DEPTH = 4, SHOWN = 7 };

extern char **environ;

static int kept = 1;

static int status_of(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Replaces this program by the test's child `what`; returns when that cannot be. */
static void exec_child(const char *what, const char *arg)
{
	char *const argv[] = {(char *)(size_t)check_self, (char *)(size_t)what, (char *)(size_t)arg,
			      NULL};

	execve(check_self, argv, environ);
}

/* A child that is the copy of this program and then runs `what`. */
static pid_t fork_exec(const char *what, const char *arg)
{
	const pid_t pid = fork();

	if (pid == 0) {
		exec_child(what, arg);
		_exit(1);
	}
	return pid;
}

static void test_fork(void)
{
	const pid_t me = getpid();
	pid_t pid = fork();

	if (pid == 0)
		_exit(getppid() == me && getpid() != me ? 3 : 1);
	CHECK(pid > 0 && pid != me);
	CHECK(status_of(pid) == 3 << 8);
	CHECK_ERROR(waitpid(pid, NULL, 0), ECHILD);
}

static void test_memory(void)
{
	char *heap = malloc(BIG), on_stack = 1;
	pid_t pid;

	CHECK(heap);
	memset(heap, 'p', BIG);
	pid = fork();
	if (pid == 0) {
		const int same =
			kept == 1 && on_stack == 1 && heap[0] == 'p' && heap[BIG - 1] == 'p';

		kept = on_stack = 2;
		memset(heap, 'c', BIG);
		_exit(same ? 0 : 1);
	}
	CHECK(status_of(pid) == 0);
	CHECK(kept == 1 && on_stack == 1 && heap[0] == 'p' && heap[BIG - 1] == 'p');
	free(heap);
}

/* Its rounding mode is an x87 and an SSE register: both are the caller's in the copy too. */
static void test_rounding(void)
{
	uint32_t up = 0x1f80 | 2 << 13, plain = 0x1f80;
	pid_t pid;

	__asm__ volatile("ldmxcsr %0" ::"m"(up));
	pid = fork();
	if (pid == 0) {
		uint32_t now;

		__asm__ volatile("stmxcsr %0" : "=m"(now));
		_exit((now & 3 << 13) == 2 << 13 ? 0 : 1);
	}
	__asm__ volatile("ldmxcsr %0" ::"m"(plain));
	CHECK(status_of(pid) == 0);
}

static void test_offset(void)
{
	const int fd = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0644);
	char text[8] = "";
	pid_t pid;

	CHECK(fd >= 0 && write(fd, "abc", 3) == 3);
	pid = fork();
	if (pid == 0)
		_exit(write(fd, "def", 3) == 3 ? 0 : 1);
	CHECK(status_of(pid) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 6);
	CHECK(pread(fd, text, 6, 0) == 6 && strcmp(text, "abcdef") == 0);
	CHECK(close(fd) == 0 && unlink("shared") == 0);
}

static void test_pipe(void)
{
	char text[8] = "";
	int fds[2];
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0)
		_exit(write(fds[1], "hello", 5) == 5 ? 0 : 1);
	CHECK(pid > 0 && close(fds[1]) == 0);
	CHECK(read(fds[0], text, sizeof(text)) == 5 && strcmp(text, "hello") == 0);
	CHECK(read(fds[0], text, sizeof(text)) == 0); /* the copy's end is closed too */
	CHECK(status_of(pid) == 0 && close(fds[0]) == 0);
}

static void test_shared_map(void)
{
	volatile int *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(shared != MAP_FAILED);
	*shared = 1;
	pid = fork();
	if (pid == 0) {
		*shared = 2;
		_exit(0);
	}
	CHECK(status_of(pid) == 0 && *shared == 2);
	CHECK(munmap((void *)(uintptr_t)shared, 4096) == 0);
}

static volatile int handled;

static void handle(int sig)
{
	handled = sig;
}

static void test_signals(void)
{
	pid_t pid;

	CHECK(signal(SIGUSR1, handle) != SIG_ERR);
	alarm(100);
	pid = fork();
	if (pid == 0) {
		/* The handler is there, the alarm is not. */
		kill(getpid(), SIGUSR1);
		_exit(handled == SIGUSR1 && alarm(0) == 0 ? 0 : 1);
	}
	CHECK(alarm(0) > 90);
	CHECK(status_of(pid) == 0 && handled == 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	CHECK(kill(pid, SIGTERM) == 0 && status_of(pid) == SIGTERM);
	CHECK(signal(SIGUSR1, SIG_DFL) == handle);
}

/* A copy of a copy of a copy, each waiting for the next. */
static int descend(int depth)
{
	pid_t pid;

	if (depth == 0)
		return SHOWN;
	pid = fork();
	if (pid == 0)
		_exit(descend(depth - 1));
	return WEXITSTATUS(status_of(pid));
}

static void test_generations(void)
{
	CHECK(descend(DEPTH) == SHOWN);
}

static void test_many_forks(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		const pid_t pid = fork();

		if (pid == 0)
			_exit(i);
		CHECK(status_of(pid) == i << 8);
	}
}

static void test_exec(void)
{
	CHECK(status_of(fork_exec("exit", "9")) == 9 << 8);
	CHECK(WTERMSIG(status_of(fork_exec("crash", NULL))) == SIGSEGV);
}

static void test_exec_refused(void)
{
	char *const argv[] = {(char *)(size_t) "x", NULL};
	const pid_t pid = fork();

	if (pid == 0) {
		const int absent = execve("/bin/absent", argv, environ) == -1 && errno == ENOENT;
		const int folder = execve("/bin", argv, environ) == -1 && errno == EACCES;

		/* Nothing is lost by it. */
		exec_child("exit", absent && folder && getpid() > 1 ? "8" : "1");
		_exit(1);
	}
	CHECK(status_of(pid) == 8 << 8);
}

/* Pid and parent stay; the descriptor that is marked is closed, the other not. */
static void test_exec_keeps(void)
{
	char text[64] = "", want[64];
	int fds[2];
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		fcntl(fds[0], F_SETFD, FD_CLOEXEC);
		fcntl(fds[1], F_SETFD, FD_CLOEXEC);
		signal(SIGUSR2, SIG_IGN);
		exec_child("after-exec", NULL);
		_exit(1);
	}
	snprintf(want, sizeof(want), "%d %d 1 1", (int)pid, (int)getpid());
	CHECK(close(fds[1]) == 0);
	CHECK(read(fds[0], text, sizeof(text) - 1) > 0);
	CHECK(status_of(pid) == 0 && strcmp(text, want) == 0);
	CHECK(close(fds[0]) == 0);
}

static void test_exec_again(void)
{
	/* Each of the child's programs replaces itself by the next. */
	CHECK(status_of(fork_exec("exec", "5")) == 0);
}

static void test_many_execs(void)
{
	for (int i = 0; i < ROUNDS; i++)
		CHECK(status_of(fork_exec("exit", "5")) == 5 << 8);
}

static void test_exec_script(void)
{
	char *const argv[] = {(char *)(size_t) "script", NULL};
	static const char text[] = "#!/bin/sh\nexit 11\n";
	const int fd = open("script", O_WRONLY | O_CREAT, 0755);
	pid_t pid;

	CHECK(write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 && close(fd) == 0);
	pid = fork();
	if (pid == 0) {
		execve("./script", argv, environ);
		_exit(1);
	}
	CHECK(status_of(pid) == 11 << 8 && unlink("script") == 0);
}

static void test_exec_killed(void)
{
	const pid_t pid = fork_exec("sleep", "100");

	usleep(20000);
	CHECK(kill(pid, SIGKILL) == 0 && WTERMSIG(status_of(pid)) == SIGKILL);
}

/* Who forked dies first: the orphan that replaced itself is taken in all the same. */
static void test_exec_orphan(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(fork_exec("sleep", "0") > 0 ? 0 : 1);
	CHECK(status_of(pid) == 0);
	usleep(50000);
	CHECK(run_child("exit", "0") == 0);
}

static void test_execvp(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("true", "true", (char *)NULL);
		_exit(1);
	}
	CHECK(status_of(pid) == 0);
	pid = vfork();
	if (pid == 0) {
		execl("/bin/false", "false", (char *)NULL);
		_exit(9);
	}
	CHECK(status_of(pid) == 1 << 8);
}

const struct check fork_checks[] = {
	{"fork", test_fork},
	{"fork-memory", test_memory},
	{"fork-rounding", test_rounding},
	{"fork-offset", test_offset},
	{"fork-pipe", test_pipe},
	{"fork-shared-map", test_shared_map},
	{"fork-signals", test_signals},
	{"fork-generations", test_generations},
	{"fork-many", test_many_forks},
	{"exec", test_exec},
	{"exec-refused", test_exec_refused},
	{"exec-keeps", test_exec_keeps},
	{"exec-again", test_exec_again},
	{"exec-many", test_many_execs},
	{"exec-script", test_exec_script},
	{"exec-killed", test_exec_killed},
	{"exec-orphan", test_exec_orphan},
	{"execvp", test_execvp},
	{NULL, NULL},
};
