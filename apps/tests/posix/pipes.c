/*
 * pipes.c - tests of pipes and of waiting for descriptors.  No state.
 */
#include "check.h"
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/wait.h>

enum { LARGE = 200000 };

static void test_pipe(void)
{
	char text[8] = "";
	int fds[2], waiting = 0;

	CHECK(pipe(fds) == 0 && write(fds[1], "abc", 3) == 3);
	CHECK(ioctl(fds[0], FIONREAD, &waiting) == 0 && waiting == 3);
	CHECK(read(fds[0], text, sizeof(text)) == 3 && strcmp(text, "abc") == 0);
	CHECK_ERROR(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERROR(write(fds[0], "x", 1), EBADF);
	CHECK(close(fds[1]) == 0 && read(fds[0], text, 1) == 0 && close(fds[0]) == 0);
}

static void test_broken_pipe(void)
{
	int fds[2];

	CHECK(pipe(fds) == 0 && close(fds[0]) == 0);
	CHECK(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
	CHECK_ERROR(write(fds[1], "x", 1), EPIPE);
	CHECK(signal(SIGPIPE, SIG_DFL) == SIG_IGN && close(fds[1]) == 0);
}

static void test_nonblocking(void)
{
	char c;
	char *page = calloc(1, 4096);
	int fds[2], n = 0;

	CHECK(page && pipe(fds) == 0);
	CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERROR(read(fds[0], &c, 1), EAGAIN);
	while (n < 1000 && write(fds[1], page, 4096) == 4096)
		n++;
	CHECK(n > 0 && n < 1000 && errno == EAGAIN);
	CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
	free(page);
}

/* Sends and receives in turns through a child that copies, more than the pipes hold. */
static void test_through_child(void)
{
	int to[2], from[2], status;
	size_t sent = 0, got = 0;
	pid_t pid;

	CHECK(pipe(to) == 0 && pipe(from) == 0);
	const int fds[3] = {to[0], from[1], 2};

	pid = start_child("copy", NULL, fds, 3);
	CHECK(pid > 0 && close(to[0]) == 0 && close(from[1]) == 0);
	while (got < LARGE) {
		char out[1000], in[1000];
		ssize_t n;

		memset(out, (int)(sent / sizeof(out)), sizeof(out));
		if (sent < LARGE) {
			CHECK(write(to[1], out, sizeof(out)) == (ssize_t)sizeof(out));
			sent += sizeof(out);
		}
		n = read(from[0], in, sizeof(in));
		CHECK(n > 0 && in[0] == (char)(got / sizeof(in)));
		got += (size_t)n;
	}
	CHECK(close(to[1]) == 0 && waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(close(from[0]) == 0 && got == LARGE);
}

/* A writer that is killed leaves an end of file, not a reader that waits for ever. */
static void test_killed_writer(void)
{
	char c;
	int fds[2], status;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	const int child[3] = {-1, fds[1], -1};

	pid = start_child("loop", NULL, child, 3);
	CHECK(pid > 0 && close(fds[1]) == 0 && kill(pid, SIGKILL) == 0);
	CHECK(read(fds[0], &c, 1) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && close(fds[0]) == 0);
}

static void test_killed_reader(void)
{
	int fds[2], status;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	const int child[3] = {-1, fds[1], -1};

	pid = start_child("write", NULL, child, 3);
	CHECK(pid > 0 && close(fds[1]) == 0 && close(fds[0]) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void test_poll(void)
{
	int fds[2];
	struct pollfd p[2];

	CHECK(pipe(fds) == 0);
	p[0] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	p[1] = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	CHECK(poll(p, 1, 0) == 0 && poll(p, 1, 5) == 0);
	CHECK(poll(p, 2, -1) == 1 && p[1].revents == POLLOUT && p[0].revents == 0);
	CHECK(write(fds[1], "x", 1) == 1 && poll(p, 1, -1) == 1 && p[0].revents == POLLIN);
	CHECK(close(fds[1]) == 0 && poll(p, 1, -1) == 1 && (p[0].revents & POLLHUP));
	p[1].fd = fds[1];
	CHECK(poll(p + 1, 1, 0) == 1 && p[1].revents == POLLNVAL && close(fds[0]) == 0);
}

static void test_select(void)
{
	struct timeval soon = {0, 2000};
	int fds[2];
	fd_set in;

	CHECK(pipe(fds) == 0);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	CHECK(select(fds[0] + 1, &in, NULL, NULL, &soon) == 0 && !FD_ISSET(fds[0], &in));
	FD_SET(fds[0], &in);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(select(fds[0] + 1, &in, NULL, NULL, NULL) == 1 && FD_ISSET(fds[0], &in));
	CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
}

static void test_popen(void)
{
	char line[32] = "";
	FILE *f = popen("echo from a shell", "r");

	CHECK(f && fgets(line, sizeof(line), f) && strcmp(line, "from a shell\n") == 0);
	CHECK(pclose(f) == 0);
	f = popen("exit 3", "w");
	CHECK(f && WEXITSTATUS(pclose(f)) == 3);
}

const struct check pipe_checks[] = {
	{"pipe", test_pipe},
	{"broken-pipe", test_broken_pipe},
	{"nonblocking-pipe", test_nonblocking},
	{"pipe-through-child", test_through_child},
	{"killed-writer", test_killed_writer},
	{"killed-reader", test_killed_reader},
	{"poll", test_poll},
	{"select", test_select},
	{"popen", test_popen},
	{NULL, NULL},
};
