/*
 * env [-i] [-u NAME] [NAME=VALUE...] [PROGRAM [ARGUMENT...]]: run a program in a changed
 * environment, or print it. One process and the program it waits for; no lock.
 */
#include "tool.h"

#include <errno.h>
#include <libos/spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] = "env [-i] [-u NAME] [NAME=VALUE...] [PROGRAM [ARGUMENT...]]";

extern char **environ;

static int run(char **argv)
{
	static const int fds[] = {0, 1, 2};
	char *path = tool_program(argv[0]);
	const pid_t pid = spawn(path, argv, environ, fds, 3);
	int raw = 0;

	free(path);
	if (pid < 0) {
		const bool missing = errno == ENOENT;

		tool_warn_errno(argv[0]);
		return missing ? 127 : 126;
	}
	while (waitpid(pid, &raw, 0) < 0)
		if (errno != EINTR)
			return tool_warn_errno("waitpid");
	return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

int main(int argc, char **argv)
{
	static char *none[] = {NULL};
	int c;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "+iu:", usage)) != -1) {
		if (c == 'i')
			environ = none;
		else
			unsetenv(optarg);
	}
	for (argv += optind; *argv && strchr(*argv, '='); argv++) {
		char *name = tool_copy(*argv);

		name[strcspn(name, "=")] = 0;
		if (setenv(name, strchr(*argv, '=') + 1, 1) != 0)
			tool_warn_errno(name);
		free(name);
	}
	if (*argv)
		return run(argv);
	for (char **at = environ; at && *at; at++)
		puts(*at);
	return tool_done(TOOL_OK);
}
