/*
 * ln [-sf] TARGET... [NAME | DIR]: make links; -s symbolic ones, -f replacing what has the name.
 * One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "ln [-sf] TARGET... [NAME | DIR]";
static bool symbolic, force;

static bool same_file(const char *left, const char *right)
{
	struct stat a, b;

	return lstat(left, &a) == 0 && lstat(right, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int make(const char *target, const char *path)
{
	if (force && !symbolic && same_file(target, path)) {
		tool_warn("%s and %s are the same file", target, path);
		return TOOL_FAIL;
	}
	if (force)
		unlink(path);
	if ((symbolic ? symlink(target, path) : link(target, path)) != 0)
		return tool_warn_errno(path);
	return TOOL_OK;
}

static int make_in(const char *target, const char *dir)
{
	char *base = tool_base(target), *path = tool_join(dir, base);
	const int status = make(target, path);

	free(base);
	free(path);
	return status;
}

int main(int argc, char **argv)
{
	struct stat st;
	const char *last;
	bool into;
	int c, status = TOOL_OK;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "sf", usage)) != -1) {
		symbolic |= c == 's';
		force |= c == 'f';
	}
	if (optind == argc)
		tool_usage(usage);
	if (argc - optind == 1)
		return make_in(argv[optind], ".");
	last = argv[argc - 1];
	into = stat(last, &st) == 0 && S_ISDIR(st.st_mode);
	if (argc - optind > 2 && !into)
		tool_die(TOOL_FAIL, "%s: not a directory", last);
	for (int i = optind; i < argc - 1; i++)
		status |= into ? make_in(argv[i], last) : make(argv[i], last);
	return status;
}
