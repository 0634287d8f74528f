/*
 * pwd: print the working directory. Stateless. Called by the program pwd and by the shell.
 */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int command_pwd(int argc, char **argv)
{
	char path[4096];

	(void)argc;
	if (!getcwd(path, sizeof(path))) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		return 1;
	}
	puts(path);
	return 0;
}
