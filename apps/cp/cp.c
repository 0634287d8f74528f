/*
 * cp [-rp] FROM... TO: copy files; -r whole trees, -p with times. Modes are kept.
 * A file is never copied onto itself, nor a directory into itself: compared by device and inode.
 * One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "cp [-rp] FROM... TO";
static bool recursive, preserve;

static int copy(const char *from, const char *to);

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Move all bytes. Reports and returns the status. */
static int copy_bytes(int in, const char *from, int out, const char *to)
{
	static char buffer[TOOL_BUFFER];
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return tool_warn_errno(from);
		if (!tool_write(out, buffer, (size_t)n))
			return tool_warn_errno(to);
	}
	return TOOL_OK;
}

static int copy_file(const char *from, const struct stat *st, const char *to)
{
	const int in = open(from, O_RDONLY);
	int out, status;

	if (in < 0)
		return tool_warn_errno(from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, st->st_mode & 0777);
	if (out < 0) {
		status = tool_warn_errno(to);
		close(in);
		return status;
	}
	status = copy_bytes(in, from, out, to);
	close(in);
	if (close(out) != 0 && status == TOOL_OK)
		status = tool_warn_errno(to);
	return status;
}

static int copy_link(const char *from, const char *to)
{
	char target[4096];
	const ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return tool_warn_errno(from);
	target[n] = 0;
	if (symlink(target, to) != 0)
		return tool_warn_errno(to);
	return TOOL_OK;
}

/* True if directory `to` is `dir` or lies below it: walk up from it to the root. */
static bool lies_in(const char *to, const struct stat *dir)
{
	char *path = tool_copy(to);
	struct stat st, last = {0};
	bool inside = false;

	for (bool first = true; stat(path, &st) == 0; first = false) {
		char *up;

		if (same(&st, dir))
			inside = true;
		if (inside || (!first && same(&st, &last)))
			break;
		last = st;
		up = tool_join(path, "..");
		free(path);
		path = up;
	}
	free(path);
	return inside;
}

static int copy_dir(const char *from, const struct stat *st, const char *to)
{
	struct tool_names names;
	int status = TOOL_OK;

	if (mkdir(to, 0700) != 0 && errno != EEXIST)
		return tool_warn_errno(to);
	if (lies_in(to, st)) {
		rmdir(to);
		tool_warn("%s: would be copied into itself (%s)", from, to);
		return TOOL_FAIL;
	}
	if (!tool_names_read(from, &names))
		return tool_warn_errno(from);
	for (size_t i = 0; i < names.count; i++) {
		char *source = tool_join(from, names.at[i]), *target = tool_join(to, names.at[i]);

		status |= copy(source, target);
		free(source);
		free(target);
	}
	tool_names_free(&names);
	return status;
}

/* Give `to` the mode and, with -p, the times of what it was copied from. */
static int keep_attributes(const struct stat *st, const char *to)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (chmod(to, st->st_mode & 07777) != 0)
		return tool_warn_errno(to);
	if (preserve && utimensat(AT_FDCWD, to, times, 0) != 0)
		return tool_warn_errno(to);
	return TOOL_OK;
}

static int copy(const char *from, const char *to)
{
	struct stat st, existing;
	int status;

	if ((recursive ? lstat(from, &st) : stat(from, &st)) != 0)
		return tool_warn_errno(from);
	if (stat(to, &existing) == 0 && same(&st, &existing)) {
		tool_warn("%s and %s are the same file", from, to);
		return TOOL_FAIL;
	}
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to);
	if (S_ISDIR(st.st_mode) && !recursive) {
		tool_warn("%s: is a directory (use -r)", from);
		return TOOL_FAIL;
	}
	status = S_ISDIR(st.st_mode) ? copy_dir(from, &st, to) : copy_file(from, &st, to);
	return status ? status : keep_attributes(&st, to);
}

static int copy_into(const char *from, const char *dir)
{
	char *base = tool_base(from), *to = tool_join(dir, base);
	const int status = copy(from, to);

	free(base);
	free(to);
	return status;
}

int main(int argc, char **argv)
{
	struct stat st;
	bool into;
	int c, status = TOOL_OK;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "rRpf", usage)) != -1) {
		recursive |= c == 'r' || c == 'R';
		preserve |= c == 'p';
	}
	if (argc - optind < 2)
		tool_usage(usage);
	into = stat(argv[argc - 1], &st) == 0 && S_ISDIR(st.st_mode);
	if (argc - optind > 2 && !into)
		tool_die(TOOL_FAIL, "%s: not a directory", argv[argc - 1]);
	for (int i = optind; i < argc - 1; i++)
		status |= into ? copy_into(argv[i], argv[argc - 1]) : copy(argv[i], argv[argc - 1]);
	return status;
}
