/*
 * spawn.c - see spawn.h.  Keeps no state; sets PATH for the children once more at each run.
 */
#include "spawn.h"
#include "memory.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become(const char *const argv[], int output)
{
	const char *path = getenv("PATH");
	const char *longer = memory_text("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");

	if (output >= 0 && (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0))
		_exit(127);
	if (setenv("PATH", longer, 1) < 0 || setenv("LC_ALL", "C", 1) < 0)
		_exit(127);
	execvp(argv[0], (char *const *)argv);
	fprintf(stderr, "%s: cannot be run: %m\n", argv[0]);
	_exit(127);
}

static void pass_lines(int from, void (*line)(const char *text))
{
	FILE *file = fdopen(from, "r");
	char text[512];

	if (!file)
		die("out of file descriptors");
	while (fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = 0;
		line(text);
	}
	fclose(file);
}

int spawn_run(const char *const argv[], void (*line)(const char *text))
{
	int ends[2] = {-1, -1}, status;
	pid_t child;

	fflush(NULL);
	if (line && pipe(ends) < 0)
		die("%s: no pipe", argv[0]);
	child = fork();
	if (child < 0)
		die("%s: no new process", argv[0]);
	if (child == 0)
		become(argv, ends[1]);
	if (line) {
		close(ends[1]);
		pass_lines(ends[0], line);
	}
	if (waitpid(child, &status, 0) != child)
		die("%s: lost", argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void spawn_must(const char *const argv[])
{
	int status = spawn_run(argv, NULL);

	if (status != 0)
		die("%s failed with status %d", argv[0], status);
}
