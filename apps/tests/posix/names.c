/*
 * names.c - tests of names: directories, links, renaming, paths.  No state.
 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>

enum { FILES = 100 };

static int touch(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT, 0644);

	return fd < 0 ? -1 : close(fd);
}

static void test_mkdir(void)
{
	struct stat st;

	CHECK(mkdir("d", 0750) == 0 && stat("d", &st) == 0 && S_ISDIR(st.st_mode));
	CHECK((st.st_mode & 07777) == 0750 && st.st_nlink == 2);
	CHECK_ERROR(mkdir("d", 0755), EEXIST);
	CHECK_ERROR(mkdir("no/d", 0755), ENOENT);
	CHECK(mkdir("d/e/", 0755) == 0);
	CHECK_ERROR(rmdir("d"), ENOTEMPTY);
	CHECK_ERROR(unlink("d/e"), EISDIR);
	CHECK(rmdir("d/e") == 0 && rmdir("d") == 0);
	CHECK_ERROR(rmdir("d"), ENOENT);
}

static void test_link(void)
{
	struct stat st;

	CHECK(touch("a") == 0 && link("a", "b") == 0);
	CHECK(stat("b", &st) == 0 && st.st_nlink == 2);
	CHECK_ERROR(link("a", "b"), EEXIST);
	CHECK_ERROR(link("absent", "c"), ENOENT);
	CHECK(unlink("a") == 0 && stat("b", &st) == 0 && st.st_nlink == 1);
	CHECK(unlink("b") == 0);
}

static void test_symlink(void)
{
	char text[32] = "";

	CHECK(symlink("target", "s") == 0);
	CHECK(readlink("s", text, sizeof(text)) == 6 && strcmp(text, "target") == 0);
	CHECK(readlink("s", text, 3) == 3);
	CHECK_ERROR(open("s", O_RDONLY), ENOENT);
	CHECK(close(open("s", O_WRONLY | O_CREAT, 0644)) == 0);
	CHECK(access("target", F_OK) == 0);
	CHECK_ERROR(open("s", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERROR(open("s", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERROR(readlink("target", text, 3), EINVAL);
	CHECK(unlink("s") == 0 && unlink("target") == 0);
	CHECK(symlink("loop", "loop") == 0);
	CHECK_ERROR(open("loop", O_RDONLY), ELOOP);
	CHECK(unlink("loop") == 0);
}

static void test_symlink_directories(void)
{
	CHECK(mkdir("d", 0755) == 0 && symlink("d", "s") == 0 && symlink("../d/./f", "d/t") == 0);
	CHECK(touch("s/f") == 0 && access("d/f", F_OK) == 0);
	CHECK(access("s/../d/t", F_OK) == 0 && access("s/", F_OK) == 0);
	CHECK_ERROR(access("d/f/", F_OK), ENOTDIR);
	CHECK_ERROR(rmdir("s"), ENOTDIR);
	CHECK(unlink("s/f") == 0 && unlink("d/t") == 0 && unlink("s") == 0 && rmdir("d") == 0);
}

static void test_rename(void)
{
	CHECK(touch("a") == 0 && touch("b") == 0 && mkdir("d", 0755) == 0);
	CHECK(rename("a", "c") == 0 && access("a", F_OK) == -1);
	CHECK(rename("c", "b") == 0 && rename("b", "d/b") == 0);
	CHECK_ERROR(rename("absent", "x"), ENOENT);
	CHECK_ERROR(rename("d/b", "d"), EISDIR);
	CHECK_ERROR(rename("d", "d/in"), EINVAL);
	CHECK(rename("d", "e") == 0 && access("e/b", F_OK) == 0);
	CHECK(unlink("e/b") == 0 && rmdir("e") == 0);
}

static void test_readdir(void)
{
	char name[32];
	int seen = 0, dots = 0;
	struct dirent *e;
	DIR *d;

	CHECK(mkdir("d", 0755) == 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "d/file%d", i);
		CHECK(touch(name) == 0);
	}
	d = opendir("d");
	CHECK(d);
	while ((e = readdir(d))) {
		seen += strncmp(e->d_name, "file", 4) == 0 && e->d_type == DT_REG;
		dots += e->d_name[0] == '.' && e->d_type == DT_DIR;
	}
	CHECK(seen == FILES && dots == 2);
	rewinddir(d);
	CHECK(readdir(d) != NULL && closedir(d) == 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "d/file%d", i);
		CHECK(unlink(name) == 0);
	}
	CHECK(rmdir("d") == 0 && opendir("d") == NULL && errno == ENOENT);
}

static void test_working_directory(void)
{
	char path[PATH_MAX], before[PATH_MAX];
	int fd;

	CHECK(getcwd(before, sizeof(before)));
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && chdir("d/e") == 0);
	CHECK(getcwd(path, sizeof(path)) && strcmp(path + strlen(path) - 4, "/d/e") == 0);
	CHECK(getcwd(path, 4) == NULL && errno == ERANGE);
	fd = open("..", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && fchdir(fd) == 0 && close(fd) == 0);
	CHECK(access("e", F_OK) == 0);
	CHECK_ERROR(chdir("absent"), ENOENT);
	CHECK(chdir("/../..") == 0 && getcwd(path, sizeof(path)) && strcmp(path, "/") == 0);
	CHECK(chdir(before) == 0 && rmdir("d/e") == 0 && rmdir("d") == 0);
}

static void test_at(void)
{
	struct stat st;
	int d;

	CHECK(mkdir("d", 0755) == 0);
	d = open("d", O_RDONLY | O_DIRECTORY);
	CHECK(d >= 0 && close(openat(d, "f", O_WRONLY | O_CREAT, 0644)) == 0);
	CHECK(access("d/f", F_OK) == 0 && fstatat(d, "f", &st, 0) == 0 && S_ISREG(st.st_mode));
	CHECK(unlinkat(d, "f", 0) == 0 && unlinkat(AT_FDCWD, "d", AT_REMOVEDIR) == 0);
	CHECK(close(d) == 0);
}

static void test_realpath(void)
{
	char path[PATH_MAX];

	CHECK(mkdir("d", 0755) == 0 && symlink("d", "s") == 0 && touch("d/f") == 0);
	CHECK(realpath("s/../s/./f", path) == path && strcmp(path, "/posix-test/d/f") == 0);
	CHECK(realpath("/", path) && strcmp(path, "/") == 0);
	CHECK(realpath("absent", path) == NULL && errno == ENOENT);
	CHECK(unlink("d/f") == 0 && unlink("s") == 0 && rmdir("d") == 0);
}

static void test_long_names(void)
{
	char name[2000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	CHECK_ERROR(open(name, O_RDONLY), ENAMETOOLONG);
	name[256] = 0;
	CHECK_ERROR(mkdir(name, 0755), ENAMETOOLONG);
	name[255] = 0;
	CHECK(mkdir(name, 0755) == 0 && rmdir(name) == 0);
}

const struct check name_checks[] = {
	{"mkdir", test_mkdir},
	{"link", test_link},
	{"symlink", test_symlink},
	{"symlink-directories", test_symlink_directories},
	{"rename", test_rename},
	{"readdir", test_readdir},
	{"working-directory", test_working_directory},
	{"at-functions", test_at},
	{"realpath", test_realpath},
	{"long-names", test_long_names},
	{NULL, NULL},
};
