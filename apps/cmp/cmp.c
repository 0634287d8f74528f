/*
 * cmp [-s] FILE FILE: find the first difference. Status 0 equal, 1 different, 2 trouble.
 * One process, no lock.
 */
#include "tool.h"

#include <string.h>
#include <unistd.h>

static FILE *open_or_die(const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;

	if (!file) {
		tool_warn_errno(path);
		_exit(TOOL_USAGE);
	}
	return file;
}

int main(int argc, char **argv)
{
	FILE *left, *right;
	unsigned long long at = 1, line = 1;
	bool silent = false;
	int a, b;

	tool_init(argv);
	while (tool_option(argc, argv, "s", "cmp [-s] FILE FILE") != -1)
		silent = true;
	argv += optind;
	if (argc - optind != 2)
		tool_usage("cmp [-s] FILE FILE");
	left = open_or_die(argv[0]);
	right = open_or_die(argv[1]);
	for (;; at++) {
		a = getc_unlocked(left);
		b = getc_unlocked(right);
		if (a != b || a == EOF)
			break;
		line += a == '\n';
	}
	if (ferror(left) || ferror(right)) {
		tool_warn_errno(ferror(left) ? argv[0] : argv[1]);
		return TOOL_USAGE;
	}
	if (a == b)
		return TOOL_OK;
	if (!silent && (a == EOF || b == EOF))
		tool_warn("EOF on %s after byte %llu", a == EOF ? argv[0] : argv[1], at - 1);
	else if (!silent)
		printf("%s %s differ: char %llu, line %llu\n", argv[0], argv[1], at, line);
	return tool_done(TOOL_FAIL);
}
