/*
 * find [PATH...] [-name PATTERN] [-type f|d|l] [-maxdepth N]: print the paths at and below each
 * path for which all conditions hold. Sorted within each directory. One process, no lock.
 */
#include "tool.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] = "find [PATH...] [-name PATTERN] [-type f|d|l] [-maxdepth N]";
static const char *pattern;
static char type;
static unsigned long long deepest = ~0ULL;

static bool wanted(const char *path, mode_t mode)
{
	char *base;
	bool match;

	if ((type == 'f' && !S_ISREG(mode)) || (type == 'd' && !S_ISDIR(mode)) ||
	    (type == 'l' && !S_ISLNK(mode)))
		return false;
	if (!pattern)
		return true;
	base = tool_base(path);
	match = fnmatch(pattern, base, 0) == 0;
	free(base);
	return match;
}

static int walk(const char *path, unsigned long long depth)
{
	struct tool_names names;
	struct stat st;
	int status = TOOL_OK;

	if (lstat(path, &st) != 0)
		return tool_warn_errno(path);
	if (wanted(path, st.st_mode))
		puts(path);
	if (!S_ISDIR(st.st_mode) || depth == deepest)
		return TOOL_OK;
	if (!tool_names_read(path, &names))
		return tool_warn_errno(path);
	for (size_t i = 0; i < names.count; i++) {
		char *child = tool_join(path, names.at[i]);

		status |= walk(child, depth + 1);
		free(child);
	}
	tool_names_free(&names);
	return status;
}

/* Take the conditions, which start at `at`. */
static void take_conditions(char **at)
{
	for (; *at; at += 2) {
		if (!at[1])
			tool_usage(usage);
		if (!strcmp(*at, "-name"))
			pattern = at[1];
		else if (!strcmp(*at, "-type") && strspn(at[1], "fdl") == 1 && !at[1][1])
			type = *at[1];
		else if (!strcmp(*at, "-maxdepth"))
			deepest = tool_number(at[1]);
		else
			tool_usage(usage);
	}
}

int main(int argc, char **argv)
{
	int paths = 1, status = TOOL_OK;

	tool_init(argv);
	while (paths < argc && *argv[paths] != '-')
		paths++;
	take_conditions(argv + paths);
	if (paths == 1)
		status = walk(".", 0);
	for (int i = 1; i < paths; i++)
		status |= walk(argv[i], 0);
	return tool_done(status);
}
