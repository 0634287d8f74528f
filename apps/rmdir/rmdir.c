/*
 * rmdir DIR...: remove empty directories. One process, no lock.
 */
#include "tool.h"

#include <unistd.h>

int main(int argc, char **argv)
{
	int status = TOOL_OK;

	tool_init(argv);
	tool_option(argc, argv, "", "rmdir DIR...");
	if (optind == argc)
		tool_usage("rmdir DIR...");
	for (argv += optind; *argv; argv++)
		if (rmdir(*argv) != 0)
			status = tool_warn_errno(*argv);
	return status;
}
