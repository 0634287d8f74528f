/*
 * locks.c - tests of record locks between processes: fcntl and lockf.  No state but `fd`, a
 * descriptor of the file that is locked.
 */
#include "check.h"
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/time.h>
#include <sys/wait.h>

#define NAME "locked"

enum { SETTLE_US = 20000, MOST = 4096, COPY_STDIN = 0, COPY_STDOUT = 1 };

static int fd;

static struct flock bytes(short type, off_t start, off_t n)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = n};
}

/* 0, or the errno. */
static int control(int command, short type, off_t start, off_t n)
{
	struct flock l = bytes(type, start, n);

	return fcntl(fd, command, &l) ? errno : 0;
}

static int lock(short type, off_t start, off_t n)
{
	return control(F_SETLK, type, start, n);
}

/* What lock() comes to in another process, which ends then. */
static int lock_elsewhere(short type, off_t start, off_t n)
{
	int status = -1;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(lock(type, start, n));
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : -1;
}

static int begin(void)
{
	fd = open(NAME, O_RDWR | O_CREAT, 0644);
	return fd >= 0;
}

static int end(void)
{
	return close(fd) == 0 && unlink(NAME) == 0;
}

static void test_exclude(void)
{
	CHECK(begin() && lock(F_WRLCK, 10, 10) == 0);
	CHECK(lock_elsewhere(F_WRLCK, 19, 5) == EAGAIN && lock_elsewhere(F_RDLCK, 0, 0) == EAGAIN);
	CHECK(lock_elsewhere(F_WRLCK, 20, 0) == 0 && lock_elsewhere(F_WRLCK, 0, 10) == 0);
	CHECK(lock(F_RDLCK, 10, 10) == 0);
	CHECK(lock_elsewhere(F_RDLCK, 0, 0) == 0 && lock_elsewhere(F_WRLCK, 10, 1) == EAGAIN);
	CHECK(lock(F_UNLCK, 0, 0) == 0 && lock_elsewhere(F_WRLCK, 0, 0) == 0);
	CHECK(end());
}

/* Of the parts that are left around an unlocked middle, and of locks from other places. */
static void test_parts(void)
{
	struct flock back = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = 0, .l_len = -2};

	CHECK(begin() && write(fd, "0123456789", 10) == 10);
	CHECK(lock(F_WRLCK, 0, 100) == 0 && lock(F_UNLCK, 40, 20) == 0);
	CHECK(lock_elsewhere(F_WRLCK, 40, 20) == 0 && lock_elsewhere(F_WRLCK, 39, 1) == EAGAIN);
	CHECK(lock_elsewhere(F_WRLCK, 60, 1) == EAGAIN && lock_elsewhere(F_WRLCK, 100, 0) == 0);
	CHECK(lock(F_UNLCK, 0, 0) == 0 && fcntl(fd, F_SETLK, &back) == 0);
	CHECK(lock_elsewhere(F_WRLCK, 7, 1) == 0 && lock_elsewhere(F_WRLCK, 8, 1) == EAGAIN);
	CHECK(lock_elsewhere(F_WRLCK, 9, 1) == EAGAIN && lock_elsewhere(F_WRLCK, 10, 1) == 0);
	CHECK(end());
}

/* The child sees whose lock is in its way; it has none of its parent's itself. */
static int sees_holder(void)
{
	struct flock l = bytes(F_RDLCK, 0, 0);

	return fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_whence == SEEK_SET &&
	       l.l_start == 5 && l.l_len == 0 && l.l_pid == getppid();
}

static void test_holder(void)
{
	struct flock own = bytes(F_WRLCK, 0, 0);
	int status = -1;
	pid_t pid;

	CHECK(begin() && lock(F_WRLCK, 5, 0) == 0);
	CHECK(fcntl(fd, F_GETLK, &own) == 0 && own.l_type == F_UNLCK);
	pid = fork();
	if (pid == 0)
		_exit(!sees_holder());
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(end());
}

/* Any close of the file by its process drops the locks, whichever descriptor they were made by. */
static void test_close(void)
{
	int other;

	CHECK(begin() && lock(F_WRLCK, 0, 0) == 0);
	other = open(NAME, O_RDONLY);
	CHECK(lock_elsewhere(F_WRLCK, 0, 0) == EAGAIN && close(other) == 0);
	CHECK(lock_elsewhere(F_WRLCK, 0, 0) == 0);
	CHECK(end());
}

static void test_killed(void)
{
	int status, ready[2];
	char c;
	pid_t pid;

	CHECK(begin() && pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		c = (char)lock(F_WRLCK, 0, 0);
		(void)!write(ready[1], &c, 1);
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &c, 1) == 1 && c == 0 && lock(F_RDLCK, 3, 1) == EAGAIN);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(lock(F_WRLCK, 0, 0) == 0);
	CHECK(close(ready[0]) == 0 && close(ready[1]) == 0 && end());
}

/* The program that comes by exec is the same process: it copies, and holds the lock. */
static void test_exec(void)
{
	int to[2], from[2], status;
	char c = 'x';
	pid_t pid;

	CHECK(begin() && pipe(to) == 0 && pipe(from) == 0);
	pid = fork();
	if (pid == 0) {
		if (lock(F_WRLCK, 0, 0) || dup2(to[0], COPY_STDIN) ||
		    dup2(from[1], COPY_STDOUT) != 1)
			_exit(1);
		(void)close(to[1]);
		execl(check_self, check_self, "copy", "", NULL);
		_exit(1);
	}
	CHECK(write(to[1], &c, 1) == 1 && read(from[0], &c, 1) == 1);
	CHECK(lock(F_WRLCK, 0, 0) == EAGAIN && close(to[1]) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0 && lock(F_WRLCK, 0, 0) == 0);
	CHECK(close(to[0]) == 0 && close(from[0]) == 0 && close(from[1]) == 0 && end());
}

static void test_wait(void)
{
	int status = -1;
	pid_t pid;

	CHECK(begin() && lock(F_WRLCK, 0, 10) == 0);
	pid = fork();
	if (pid == 0)
		_exit(control(F_SETLKW, F_WRLCK, 5, 1));
	(void)usleep(SETTLE_US);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(lock(F_UNLCK, 0, 5) == 0);
	(void)usleep(SETTLE_US);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(lock(F_RDLCK, 5, 1) == 0 && lock(F_UNLCK, 5, 5) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(end());
}

/* Each has one byte and waits for the other's: one of them is told, and the other gets it. */
static void test_deadlock(void)
{
	int status = -1, mine, ready[2];
	char c = 0;
	pid_t pid;

	CHECK(begin() && pipe(ready) == 0 && lock(F_WRLCK, 0, 1) == 0);
	pid = fork();
	if (pid == 0) {
		c = (char)lock(F_WRLCK, 1, 1);
		(void)!write(ready[1], &c, 1);
		_exit(control(F_SETLKW, F_WRLCK, 0, 1));
	}
	CHECK(read(ready[0], &c, 1) == 1 && c == 0);
	mine = control(F_SETLKW, F_WRLCK, 1, 1);
	CHECK(mine == 0 || lock(F_UNLCK, 0, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK((mine == EDEADLK && WEXITSTATUS(status) == 0) ||
	      (mine == 0 && WEXITSTATUS(status) == EDEADLK));
	CHECK(close(ready[0]) == 0 && close(ready[1]) == 0 && end());
}

static void nothing(int sig)
{
	(void)sig;
}

static void test_interrupted(void)
{
	const struct sigaction act = {.sa_handler = nothing};
	/* Again and again: the first may come before anybody waits. */
	const struct itimerval again = {{0, SETTLE_US}, {0, SETTLE_US}}, never = {{0, 0}, {0, 0}};
	struct sigaction old;
	int status, ready[2];
	char c = 0;
	pid_t pid;

	CHECK(begin() && pipe(ready) == 0 && sigaction(SIGALRM, &act, &old) == 0);
	pid = fork();
	if (pid == 0) {
		c = (char)lock(F_WRLCK, 0, 0);
		(void)!write(ready[1], &c, 1);
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &c, 1) == 1 && c == 0);
	CHECK(setitimer(ITIMER_REAL, &again, NULL) == 0);
	CHECK(control(F_SETLKW, F_WRLCK, 0, 0) == EINTR);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(sigaction(SIGALRM, &old, NULL) == 0);
	CHECK(close(ready[0]) == 0 && close(ready[1]) == 0 && end());
}

static void test_refused(void)
{
	struct flock l = bytes(F_WRLCK, 0, 0);
	int fds[2], reader;

	CHECK(begin() && pipe(fds) == 0 && (reader = open(NAME, O_RDONLY)) >= 0);
	CHECK_ERROR(fcntl(200, F_SETLK, &l), EBADF);
	CHECK_ERROR(fcntl(reader, F_SETLK, &l), EBADF);
	CHECK_ERROR(fcntl(fds[0], F_SETLK, &l), EINVAL);
	CHECK_ERROR(fcntl(fd, F_SETLK, (struct flock *)8), EFAULT);
	CHECK(lock(77, 0, 0) == EINVAL && lock(F_WRLCK, -1, 0) == EINVAL);
	CHECK(lock(F_WRLCK, 5, -6) == EINVAL && lock(F_WRLCK, INT64_MAX, 2) == EOVERFLOW);
	l.l_whence = 7;
	CHECK_ERROR(fcntl(fd, F_SETLK, &l), EINVAL);
	CHECK(close(reader) == 0 && close(fds[0]) == 0 && close(fds[1]) == 0 && end());
}

/* Single bytes until the table is full; closing the file gives all of them back. */
static void test_too_many(void)
{
	int n = 0, error = 0;

	CHECK(begin());
	while (n < MOST && !(error = lock(F_WRLCK, 2 * n, 1)))
		n++;
	CHECK(error == ENOLCK && n > 10 && lock(F_UNLCK, 0, 1) == 0);
	CHECK(close(fd) == 0 && begin() && lock(F_WRLCK, 0, 0) == 0);
	CHECK(end());
}

static int lockf_elsewhere(int what)
{
	int status = -1;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(lockf(fd, what, 4) ? errno : 0);
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -1;
}

static void test_lockf(void)
{
	CHECK(begin() && lockf(fd, F_TLOCK, 4) == 0 && lockf(fd, F_TEST, 4) == 0);
	CHECK(lockf_elsewhere(F_TEST) == EACCES && lockf_elsewhere(F_TLOCK) == EAGAIN);
	CHECK(lseek(fd, 4, SEEK_SET) == 4 && lockf_elsewhere(F_LOCK) == 0);
	CHECK(lockf(fd, F_ULOCK, -4) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(lockf_elsewhere(F_TLOCK) == 0);
	CHECK_ERROR(lockf(fd, 9, 0), EINVAL);
	CHECK(end());
}

const struct check lock_checks[] = {
	{"lock-exclude", test_exclude},
	{"lock-parts", test_parts},
	{"lock-holder", test_holder},
	{"lock-close", test_close},
	{"lock-killed", test_killed},
	{"lock-exec", test_exec},
	{"lock-wait", test_wait},
	{"lock-deadlock", test_deadlock},
	{"lock-interrupted", test_interrupted},
	{"lock-refused", test_refused},
	{"lock-too-many", test_too_many},
	{"lockf", test_lockf},
	{NULL, NULL},
};
