/*
 * du [-shka] [PATH...]: blocks used by each directory and what is below it, in KiB. A file with
 * several names is counted once. One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool summary, human, files;

static struct identity {
	dev_t dev;
	ino_t ino;
} * seen;
static size_t seen_count, seen_room;

/* True if this file with several names was met before; remembers it. */
static bool met(const struct stat *st)
{
	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return false;
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].dev == st->st_dev && seen[i].ino == st->st_ino)
			return true;
	if (seen_count == seen_room) {
		seen_room = seen_room ? 2 * seen_room : 64;
		seen = tool_grow(seen, seen_room * sizeof(*seen));
	}
	seen[seen_count++] = (struct identity){st->st_dev, st->st_ino};
	return false;
}

static void show(unsigned long long bytes, const char *path)
{
	char text[24];

	if (human)
		printf("%s\t%s\n", tool_human(bytes, text), path);
	else
		printf("%llu\t%s\n", (bytes + 1023) / 1024, path);
}

/* Bytes used at and below `path`; adds to *status. */
static unsigned long long measure(const char *path, bool top, int *status)
{
	struct tool_names names;
	struct stat st;
	unsigned long long bytes;

	if (lstat(path, &st) != 0) {
		*status = tool_warn_errno(path);
		return 0;
	}
	if (met(&st))
		return 0;
	bytes = (unsigned long long)st.st_blocks * 512;
	if (S_ISDIR(st.st_mode)) {
		if (!tool_names_read(path, &names))
			*status = tool_warn_errno(path);
		for (size_t i = 0; i < names.count; i++) {
			char *child = tool_join(path, names.at[i]);

			bytes += measure(child, false, status);
			free(child);
		}
		tool_names_free(&names);
	}
	if (top || (!summary && (files || S_ISDIR(st.st_mode))))
		show(bytes, path);
	return bytes;
}

int main(int argc, char **argv)
{
	static char dot[] = ".", *here[] = {dot, NULL};
	int c, status = TOOL_OK;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "shka", "du [-shka] [PATH...]")) != -1) {
		summary |= c == 's';
		human |= c == 'h';
		files |= c == 'a';
	}
	for (argv = optind < argc ? argv + optind : here; *argv; argv++)
		measure(*argv, true, &status);
	free(seen);
	return tool_done(status);
}
