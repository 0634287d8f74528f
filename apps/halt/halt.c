/*
 * halt [STATUS]: write everything to disk and stop the machine. One process, no lock.
 */
#include "tool.h"

#include <libos/system.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status = 0;

	tool_init(argv);
	tool_option(argc, argv, "", "halt [STATUS]");
	if (argc - optind > 1)
		tool_usage("halt [STATUS]");
	if (optind < argc)
		status = (int)tool_number(argv[optind]);
	sync();
	system_halt(status);
	return tool_warn_errno("system_halt");
}
