/*
 * Host stand-in for spawn and system_halt, by fork and exec. A pipe that closes on exec carries
 * errno back, so that a failed exec is a failed spawn. No state, no lock.
 */
#include <libos/spawn.h>
#include <libos/system.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGH = 64, LAST = 256 };

static _Noreturn void fail(int report)
{
	const int error = errno;

	if (write(report, &error, sizeof(error)) != (ssize_t)sizeof(error))
		_exit(125);
	_exit(126);
}

/* Lift all sources above HIGH first, so that no dup2 overwrites one still needed. */
static _Noreturn void child(const char *path, char *const argv[], char *const envp[],
			    const int *fds, int nfds, int report)
{
	int high[HIGH];

	report = fcntl(report, F_DUPFD_CLOEXEC, HIGH);
	for (int i = 0; i < nfds; i++) {
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, HIGH);
		if (fds[i] >= 0 && high[i] < 0)
			fail(report);
	}
	for (int i = 0; i < HIGH; i++) {
		if (i < nfds && high[i] >= 0)
			dup2(high[i], i);
		else
			close(i);
	}
	for (int i = HIGH; i < LAST; i++)
		if (i != report)
			close(i);
	execve(path, argv, envp);
	fail(report);
}

int spawn(const char *path, char *const argv[], char *const envp[], const int *fds, int nfds)
{
	int report[2], error = 0;
	pid_t pid;
	ssize_t n;

	if (nfds > HIGH) {
		errno = EINVAL;
		return -1;
	}
	if (pipe(report) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		child(path, argv, envp, fds, nfds, report[1]);
	close(report[1]);
	while (pid > 0 && (n = read(report[0], &error, sizeof(error))) < 0 && errno == EINTR)
		;
	close(report[0]);
	if (pid > 0 && n == (ssize_t)sizeof(error)) {
		waitpid(pid, NULL, 0);
		errno = error;
		return -1;
	}
	return pid;
}

int system_halt(int status)
{
	printf("halted\n");
	exit(status);
}
