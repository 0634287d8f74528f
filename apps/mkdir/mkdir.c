/*
 * mkdir [-p] [-m MODE] DIR...: make directories; -p with their parents, silent when there already.
 * One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "mkdir [-p] [-m MODE] DIR...";

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Make every directory above the last part of `path`. */
static int make_parents(char *path)
{
	for (char *at = path + 1; *path && *at; at++) {
		int failed;

		if (*at != '/')
			continue;
		*at = 0;
		failed = mkdir(path, 0777) != 0 && !is_dir(path);
		if (failed)
			tool_warn_errno(path);
		*at = '/';
		if (failed)
			return TOOL_FAIL;
	}
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	mode_t mode = 0777;
	bool parents = false;
	int c, status = TOOL_OK;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "pm:", usage)) != -1) {
		if (c == 'p')
			parents = true;
		else
			mode = (mode_t)strtoul(optarg, NULL, 8) & 07777;
	}
	if (optind == argc)
		tool_usage(usage);
	for (argv += optind; *argv; argv++) {
		if (parents && make_parents(*argv) != TOOL_OK)
			status = TOOL_FAIL;
		else if (mkdir(*argv, mode) != 0 && !(parents && errno == EEXIST && is_dir(*argv)))
			status = tool_warn_errno(*argv);
	}
	return status;
}
