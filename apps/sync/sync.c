/*
 * sync [FILE...]: have everything written, or just the named files, reach the disk.
 * One process, no lock.
 */
#include "tool.h"

#include <fcntl.h>
#include <unistd.h>

static int sync_file(const char *path)
{
	const int fd = open(path, O_RDONLY);
	int status = TOOL_OK;

	if (fd < 0)
		return tool_warn_errno(path);
	if (fsync(fd) != 0)
		status = tool_warn_errno(path);
	close(fd);
	return status;
}

int main(int argc, char **argv)
{
	int status = TOOL_OK;

	tool_init(argv);
	tool_option(argc, argv, "", "sync [FILE...]");
	if (optind == argc)
		sync();
	for (argv += optind; *argv; argv++)
		status |= sync_file(*argv);
	return status;
}
