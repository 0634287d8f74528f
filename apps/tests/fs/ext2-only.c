/*
 * ext2-only DIRECTORY - a program linked with ext2 alone, where another file system is mounted.
 *
 * Whatever it does there must be refused with ENODEV, and change nothing: by path, by the
 * descriptor 3 that it was started with, which is a file there, and from the working directory it
 * was started in. Prints `ok` or `FAIL` lines to descriptor 1.  Single-threaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <libos/mount.h>

static int failures;

static void check(const char *name, int right)
{
	printf("%s ext2-only.%s%s\n", right ? "ok" : "FAIL", name, right ? "" : ": otherwise");
	failures += !right;
}

static int refused(int result, int error)
{
	return result == -1 && errno == error;
}

int main(int argc, char **argv)
{
	char path[256], why[MOUNT_WHY], c;
	const struct mount_wish wish = {.type = "mem", .target = "/tmp"};
	struct mount_info info;
	struct stat st;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof path, "%s/file", argv[1]);
	check("open", refused(open(path, O_RDONLY), ENODEV));
	check("create", refused(open(path, O_WRONLY | O_CREAT, 0644), ENODEV));
	check("stat", refused(stat(argv[1], &st), ENODEV));
	check("chdir", refused(chdir(argv[1]), ENODEV));
	check("unlink", refused(unlink(path), ENODEV));
	check("read", refused((int)read(3, &c, 1), ENODEV));
	check("write", refused((int)write(3, "x", 1), ENODEV));
	check("fstat", fstat(3, &st) == 0 && st.st_size == 5);
	check("close", close(3) == 0);
	check("relative", refused(open("file", O_RDONLY), ENOENT));
	check("back", chdir("/") == 0 && access("bin/sh", X_OK) == 0);
	check("mount", refused(mount_make(&wish, why), ENODEV) && strstr(why, "there are: ext2"));
	check("list", mount_look(1, &info) == 1 && strcmp(info.type, "?") == 0 &&
			      strcmp(info.target, argv[1]) == 0);
	return failures != 0;
}
