/*
 * mkfs -t TYPE EXTENT: makes the disk extent an empty file system; what was there is lost.  Types
 * that are made elsewhere (ext2: with the image) or nowhere (mem) are refused.  One process, no
 * lock.
 */
#include "tool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <libos/mount.h>

static const char usage[] = "mkfs -t TYPE EXTENT";

int main(int argc, char **argv)
{
	const char *type = NULL;
	char why[MOUNT_WHY];

	tool_init(argv);
	while (tool_option(argc, argv, "t:", usage) != -1)
		type = optarg;
	if (!type || argc - optind != 1)
		tool_usage(usage);
	if (mount_format(type, argv[optind], why) == 0)
		return TOOL_OK;
	tool_die(TOOL_FAIL, "%s: %s%s%s", argv[optind], why, why[0] ? ": " : "", strerror(errno));
}
