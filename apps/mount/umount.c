/*
 * umount DIRECTORY...: writes what is mounted there to its extent, and detaches it.  One process,
 * no lock.
 */
#include "tool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <libos/mount.h>

static const char usage[] = "umount DIRECTORY...";

static int detach(const char *target)
{
	if (mount_end(target) == 0)
		return TOOL_OK;
	if (errno != EINVAL)
		return tool_warn_errno(target);
	tool_warn("%s: nothing is mounted there", target);
	return TOOL_FAIL;
}

int main(int argc, char **argv)
{
	int status = TOOL_OK;

	tool_init(argv);
	while (tool_option(argc, argv, "", usage) != -1)
		;
	if (optind == argc)
		tool_usage(usage);
	for (int i = optind; i < argc; i++)
		status |= detach(argv[i]);
	return status;
}
