/*
 * shell.c - commands run by the shell on behalf of a program: system, popen.
 *
 * Owns the list of popen's streams.  One thread, no lock.  Called by programs.
 */
#define _GNU_SOURCE /* pipe2 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/spawn.h>

#define SHELL "/bin/sh"

enum { NO_SHELL = 127 << 8 };

static pid_t start_shell(const char *command, const int fds[3])
{
	char *const argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			      (char *)(uintptr_t)command, NULL};

	return spawn(SHELL, argv, NULL, fds, 3);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

int system(const char *command)
{
	static const int fds[3] = {0, 1, 2};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction old_int, old_quit;
	pid_t pid;
	int status = NO_SHELL;

	if (!command)
		return access(SHELL, X_OK) == 0;
	pid = start_shell(command, fds);
	(void)sigaction(SIGINT, &ignore, &old_int);
	(void)sigaction(SIGQUIT, &ignore, &old_quit);
	if (pid > 0)
		status = wait_for(pid);
	(void)sigaction(SIGINT, &old_int, NULL);
	(void)sigaction(SIGQUIT, &old_quit, NULL);
	return status;
}

/* ---- popen --------------------------------------------------------------------------------- */

struct command {
	struct command *next;
	FILE *file;
	pid_t pid;
};

static struct command *commands;

static FILE *open_command(const char *text, int reading, struct command *c)
{
	int ends[2], fds[3] = {0, 1, 2};
	const int mine = reading ? 0 : 1;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	fds[1 - mine] = ends[1 - mine];
	c->pid = start_shell(text, fds);
	(void)close(ends[1 - mine]);
	c->file = c->pid < 0 ? NULL : fdopen(ends[mine], reading ? "r" : "w");
	if (!c->file)
		(void)close(ends[mine]);
	return c->file;
}

FILE *popen(const char *text, const char *mode)
{
	struct command *c;

	if (mode[0] != 'r' && mode[0] != 'w') {
		errno = EINVAL;
		return NULL;
	}
	c = malloc(sizeof(*c));
	if (!c)
		return NULL;
	if (!open_command(text, mode[0] == 'r', c)) {
		free(c);
		return NULL;
	}
	c->next = commands;
	commands = c;
	return c->file;
}

int pclose(FILE *file)
{
	for (struct command **at = &commands; *at; at = &(*at)->next) {
		struct command *c = *at;
		int status;

		if (c->file != file)
			continue;
		*at = c->next;
		(void)fclose(file);
		status = wait_for(c->pid);
		free(c);
		return status;
	}
	errno = ECHILD;
	return -1;
}
