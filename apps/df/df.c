/*
 * df [-hi] [PATH...]: size and room of the file system each path lies on (default `/`), in KiB,
 * with -h in handy units, with -i as inodes. One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool human, inodes;

static void column(unsigned long long value)
{
	char text[24];

	if (human && !inodes)
		printf(" %10s", tool_human(value, text));
	else
		printf(" %10llu", inodes ? value : value / 1024);
}

static int show(const char *path)
{
	struct statvfs fs;
	unsigned long long total, unused, available, used, unit;

	if (statvfs(path, &fs) != 0)
		return tool_warn_errno(path);
	unit = inodes ? 1 : fs.f_frsize ? fs.f_frsize : fs.f_bsize;
	total = (inodes ? fs.f_files : fs.f_blocks) * unit;
	unused = (inodes ? fs.f_ffree : fs.f_bfree) * unit;
	available = (inodes ? fs.f_favail : fs.f_bavail) * unit;
	used = total - unused;
	column(total);
	column(used);
	column(available);
	if (used + available)
		printf(" %3llu%% %s\n", (used * 100 + used + available - 1) / (used + available),
		       path);
	else
		printf("    - %s\n", path);
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	static char slash[] = "/", *root[] = {slash, NULL};
	int c, status = TOOL_OK;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "hik", "df [-hik] [PATH...]")) != -1) {
		human |= c == 'h';
		inodes |= c == 'i';
	}
	printf(" %10s %10s %10s Use%% Path\n",
	       inodes  ? "Inodes"
	       : human ? "Size"
		       : "KiB",
	       "Used", inodes ? "Free" : "Available");
	for (argv = optind < argc ? argv + optind : root; *argv; argv++)
		status |= show(*argv);
	return tool_done(status);
}
