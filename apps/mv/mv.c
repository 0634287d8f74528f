/*
 * mv [-f] FROM... TO: rename files, within one file system. One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "mv [-f] FROM... TO";

static int move(const char *from, const char *to)
{
	return rename(from, to) == 0 ? TOOL_OK : tool_warn_errno(from);
}

static int move_into(const char *from, const char *dir)
{
	char *base = tool_base(from), *to = tool_join(dir, base);
	const int status = move(from, to);

	free(base);
	free(to);
	return status;
}

int main(int argc, char **argv)
{
	struct stat st;
	bool into;
	int status = TOOL_OK;

	tool_init(argv);
	while (tool_option(argc, argv, "f", usage) != -1)
		;
	if (argc - optind < 2)
		tool_usage(usage);
	into = stat(argv[argc - 1], &st) == 0 && S_ISDIR(st.st_mode);
	if (argc - optind > 2 && !into)
		tool_die(TOOL_FAIL, "%s: not a directory", argv[argc - 1]);
	for (int i = optind; i < argc - 1; i++)
		status |= into ? move_into(argv[i], argv[argc - 1]) : move(argv[i], argv[argc - 1]);
	return status;
}
