/*
 * rm [-rf] FILE...: remove files; -r whole trees, -f without complaint when missing.
 * Names are read before anything in a directory is removed. One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "rm [-rf] FILE...";
static bool recursive, force;

static int remove_path(const char *path);

static int remove_dir(const char *path)
{
	struct tool_names names;
	int status = TOOL_OK;

	if (!tool_names_read(path, &names))
		return tool_warn_errno(path);
	for (size_t i = 0; i < names.count; i++) {
		char *child = tool_join(path, names.at[i]);

		status |= remove_path(child);
		free(child);
	}
	tool_names_free(&names);
	if (status == TOOL_OK && rmdir(path) != 0)
		return tool_warn_errno(path);
	return status;
}

static int remove_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return force && errno == ENOENT ? TOOL_OK : tool_warn_errno(path);
	if (S_ISDIR(st.st_mode)) {
		if (recursive)
			return remove_dir(path);
		errno = EISDIR;
		return tool_warn_errno(path);
	}
	return unlink(path) == 0 ? TOOL_OK : tool_warn_errno(path);
}

/* `.`, `..` and the root are never removed. */
static bool is_protected(const char *path)
{
	char *base = tool_base(path);
	const bool no = !strcmp(base, ".") || !strcmp(base, "..") || !strcmp(base, "/");

	free(base);
	if (no)
		tool_warn("%s: refusing to remove it", path);
	return no;
}

int main(int argc, char **argv)
{
	int c, status = TOOL_OK;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "rRf", usage)) != -1) {
		recursive |= c == 'r' || c == 'R';
		force |= c == 'f';
	}
	if (optind == argc && !force)
		tool_usage(usage);
	for (argv += optind; *argv; argv++)
		status |= is_protected(*argv) ? TOOL_FAIL : remove_path(*argv);
	return status;
}
