/*
 * env [-i] [-u NAME] [NAME=VALUE...] [PROGRAM [ARGUMENT...]]: run a program in a changed
 * environment, or print it. One process and the program it waits for; no lock.
 */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] = "env [-i] [-u NAME] [NAME=VALUE...] [PROGRAM [ARGUMENT...]]";

extern char **environ;

static int run(char **argv)
{
	const pid_t pid = tool_start(argv);
	const bool missing = errno == ENOENT;

	if (pid > 0)
		return tool_wait(pid);
	tool_warn_errno(argv[0]);
	return missing ? 127 : 126;
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
