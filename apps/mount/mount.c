/*
 * mount: lists what is mounted.
 * mount -t TYPE [-r] [-o size=SIZE] [EXTENT] DIRECTORY: mounts the file system in the extent on the
 * directory; types that live in memory take no extent, but a size.  -r: read-only.
 * One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <libos/mount.h>

static const char usage[] = "mount [-t TYPE [-r] [-o size=SIZE] [EXTENT] DIRECTORY]";

static int list(void)
{
	struct mount_info m;
	int status = TOOL_OK;

	for (unsigned i = 0; i < MOUNT_PLACES; i++) {
		const int there = mount_look(i, &m);

		if (there < 0)
			status = tool_warn_errno("mount");
		if (there <= 0)
			continue;
		printf("%s on %s type %s%s%s%s\n", m.source[0] ? m.source : m.type, m.target,
		       m.type, m.readonly ? " read-only" : "", m.message[0] ? ": " : "", m.message);
	}
	return status;
}

static uint64_t size_of(const char *option)
{
	if (strncmp(option, "size=", 5) != 0)
		tool_die(TOOL_USAGE, "-o %s: the one option is size=SIZE", option);
	return tool_number(option + 5);
}

int main(int argc, char **argv)
{
	struct mount_wish wish = {.type = NULL};
	char why[MOUNT_WHY];
	int c;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "t:ro:", usage)) != -1) {
		wish.type = c == 't' ? optarg : wish.type;
		wish.readonly |= c == 'r';
		wish.size = c == 'o' ? size_of(optarg) : wish.size;
	}
	argc -= optind;
	argv += optind;
	if (!wish.type && argc == 0)
		return tool_done(list());
	if (!wish.type || argc < 1 || argc > 2)
		tool_usage(usage);
	wish.source = argc == 2 ? argv[0] : "";
	wish.target = argv[argc - 1];
	if (mount_make(&wish, why) == 0)
		return TOOL_OK;
	tool_die(TOOL_FAIL, "%s: %s%s%s", wish.target, why, why[0] ? ": " : "", strerror(errno));
}
