/*
 * touch [-c] FILE...: set a file's times to now, making it unless -c. One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int touch(const char *path, bool make)
{
	int fd;

	if (utimensat(AT_FDCWD, path, NULL, 0) == 0)
		return TOOL_OK;
	if (errno != ENOENT)
		return tool_warn_errno(path);
	if (!make)
		return TOOL_OK;
	fd = open(path, O_WRONLY | O_CREAT, 0666);
	if (fd < 0 || close(fd) != 0)
		return tool_warn_errno(path);
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	bool make = true;
	int status = TOOL_OK;

	tool_init(argv);
	while (tool_option(argc, argv, "c", "touch [-c] FILE...") != -1)
		make = false;
	if (optind == argc)
		tool_usage("touch [-c] FILE...");
	for (argv += optind; *argv; argv++)
		status |= touch(*argv, make);
	return status;
}
