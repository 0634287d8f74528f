/*
 * conform NAME DIRECTORY [flat] - what POSIX asks of a file system, asked of the one DIRECTORY is
 * on.
 *
 * The host's test_conform.c asks each variant through its operations; this one through the calls of
 * programs, on a mounted instance: paths across mount points, descriptors, programs started from
 * there. `flat`: it has no directories, links or symbolic links, and must refuse them with EPERM.
 * Prints `ok NAME.test` or `FAIL NAME.test: why` lines.  Single-threaded.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <libos/spawn.h>

/* Ends the test with a message unless `condition` holds. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			why = #condition;                                                          \
			line = __LINE__;                                                           \
			return;                                                                    \
		}                                                                                  \
	} while (0)
#define CHECK_ERROR(call, error)                                                                   \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((call) == -1 && errno == (error));                                           \
	} while (0)

enum { BIG = 200000, FILES = 60 };

static const char *why, *top;
static int line, flat;
static char bytes[BIG], got[BIG];

static int write_file(const char *path, const void *from, size_t n)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	const int right = fd >= 0 && write(fd, from, n) == (ssize_t)n;

	return fd >= 0 && close(fd) == 0 && right ? 0 : -1;
}

static int holds(const char *path, const void *what, size_t n)
{
	const int fd = open(path, O_RDONLY);
	const int right =
		fd >= 0 && read(fd, got, sizeof got) == (ssize_t)n && memcmp(got, what, n) == 0;

	return fd >= 0 && close(fd) == 0 && right;
}

static void test_bytes(void)
{
	struct stat st;
	int fd;

	for (int i = 0; i < BIG; i++)
		bytes[i] = (char)(i * 7 + i / 255);
	CHECK(write_file("f", bytes, BIG) == 0 && holds("f", bytes, BIG));
	CHECK(stat("f", &st) == 0 && st.st_size == BIG && S_ISREG(st.st_mode));
	fd = open("f", O_RDWR);
	CHECK(fd >= 0 && pwrite(fd, "middle", 6, 99999) == 6 && fsync(fd) == 0);
	memcpy(bytes + 99999, "middle", 6);
	CHECK(holds("f", bytes, BIG) && lseek(fd, 0, SEEK_END) == BIG);
	CHECK(ftruncate(fd, 1000) == 0 && ftruncate(fd, 3000) == 0);
	memset(bytes + 1000, 0, 2000);
	CHECK(holds("f", bytes, 3000) && close(fd) == 0 && unlink("f") == 0);
}

static void test_append(void)
{
	int fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);

	CHECK(fd >= 0 && write(fd, "one ", 4) == 4 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(write(fd, "two", 3) == 3 && close(fd) == 0 && holds("log", "one two", 7));
	CHECK_ERROR(open("log", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK(unlink("log") == 0);
	CHECK_ERROR(open("log", O_RDONLY), ENOENT);
}

static void test_names(void)
{
	int seen[FILES] = {0}, n = 0;
	struct dirent *d;
	char name[16];
	DIR *dir;

	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "n%d", i);
		CHECK(write_file(name, name, strlen(name)) == 0);
	}
	dir = opendir(".");
	CHECK(dir != NULL);
	while ((d = readdir(dir)))
		if (d->d_name[0] == 'n' && atoi(d->d_name + 1) < FILES)
			n += seen[atoi(d->d_name + 1)]++ == 0;
	CHECK(closedir(dir) == 0 && n == FILES);
	CHECK(rename("n1", "n2") == 0 && holds("n2", "n1", 2) && access("n1", F_OK) == -1);
	CHECK_ERROR(rename("n1", "n3"), ENOENT);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "n%d", i);
		CHECK(i == 1 || unlink(name) == 0);
	}
}

/* A file without a name lives as long as it is open. */
static void test_unlinked(void)
{
	struct stat st;
	const int fd = open("u", O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0 && write(fd, "alive", 5) == 5 && unlink("u") == 0);
	CHECK(access("u", F_OK) == -1 && fstat(fd, &st) == 0 && st.st_nlink == 0);
	CHECK(pread(fd, got, 10, 0) == 5 && memcmp(got, "alive", 5) == 0);
	CHECK(close(fd) == 0);
}

static void test_directories(void)
{
	char path[1024], want[1024];
	struct stat a, b;

	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	CHECK(write_file("d/e/f", "deep", 4) == 0 && holds("d/../d/e/./f", "deep", 4));
	CHECK_ERROR(rmdir("d/e"), ENOTEMPTY);
	CHECK_ERROR(rename("d", "d/e/loop"), EINVAL);
	CHECK(chdir("d/e") == 0 && getcwd(path, sizeof path) != NULL);
	snprintf(want, sizeof want, "%s/d/e", top[1] ? top : "");
	CHECK(strcmp(path, want) == 0 && chdir("../..") == 0);
	CHECK(getcwd(path, sizeof path) && strcmp(path, top) == 0);
	CHECK(stat("d", &a) == 0 && stat("d/e/..", &b) == 0 && a.st_ino == b.st_ino);
	CHECK(a.st_dev == b.st_dev && a.st_nlink == 3);
	CHECK(symlink("d/e", "s") == 0 && holds("s/f", "deep", 4) && unlink("s") == 0);
	CHECK(link("d/e/f", "g") == 0 && stat("g", &a) == 0 && a.st_nlink == 2);
	CHECK(unlink("d/e/f") == 0 && holds("g", "deep", 4) && unlink("g") == 0);
	CHECK(rmdir("d/e") == 0 && rmdir("d") == 0);
}

/* Does something in another process, from `top` on: 0 if all went well. */
static int elsewhere(int (*change)(void))
{
	const pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(chdir(top) || change());
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static int make_tree(void)
{
	return mkdir("d/eight888", 0755) || write_file("d/eight888/f", "1", 1);
}

static int move_tree(void)
{
	return rename("d", "e");
}

static int replace_file(void)
{
	return write_file("e/g", "22", 2) || rename("e/g", "e/eight888/f");
}

static int remove_file(void)
{
	return unlink("e/eight888/f");
}

static int remove_tree(void)
{
	return rmdir("e/eight888") || rmdir("e");
}

/* What one process does to names, another sees, whatever it had found before, and where it stands.
 */
static void test_others(void)
{
	struct stat st;

	CHECK(mkdir("d", 0755) == 0);
	CHECK_ERROR(stat("d/eight888/f", &st), ENOENT);
	CHECK_ERROR(stat("d/eight888", &st), ENOENT);
	CHECK(elsewhere(make_tree) == 0 && stat("d/eight888/f", &st) == 0 && st.st_size == 1);
	CHECK(chdir("d/eight888") == 0 && elsewhere(move_tree) == 0);
	CHECK(holds("f", "1", 1) && holds("../../e/eight888/f", "1", 1));
	CHECK_ERROR(stat("../../d/eight888/f", &st), ENOENT);
	CHECK(elsewhere(replace_file) == 0 && stat("f", &st) == 0 && st.st_size == 2);
	CHECK_ERROR(stat("../g", &st), ENOENT);
	CHECK(elsewhere(remove_file) == 0);
	CHECK_ERROR(stat("f", &st), ENOENT);
	CHECK(elsewhere(remove_tree) == 0);
	CHECK_ERROR(open("f", O_WRONLY | O_CREAT, 0644), ENOENT);
	CHECK(chdir(top) == 0);
	CHECK_ERROR(stat("e/eight888", &st), ENOENT);
	CHECK(mkdir("e", 0755) == 0);
	CHECK_ERROR(stat("e/eight888", &st), ENOENT);
	CHECK(rmdir("e") == 0);
}

static void test_flat(void)
{
	CHECK_ERROR(mkdir("d", 0755), EPERM);
	CHECK_ERROR(symlink("to", "s"), EPERM);
	CHECK(write_file("f", "x", 1) == 0);
	CHECK_ERROR(link("f", "g"), EPERM);
	CHECK(unlink("f") == 0);
}

static void test_attributes(void)
{
	const struct timespec times[2] = {{1000000000, 0}, {1100000000, 0}};
	struct stat st;

	CHECK(write_file("a", "x", 1) == 0 && chmod("a", 0640) == 0);
	CHECK(utimensat(AT_FDCWD, "a", times, 0) == 0 && stat("a", &st) == 0);
	CHECK((st.st_mode & 07777) == 0640 && st.st_mtim.tv_sec == 1100000000);
	CHECK(st.st_atim.tv_sec == 1000000000 && unlink("a") == 0);
}

/* A program that was copied there runs, and with what it read from there. */
static void test_program(void)
{
	static char cat[] = "cat", in_name[] = "in";
	char *const argv[] = {cat, in_name, NULL};
	int fds[3] = {0, -1, 2}, in = open("/bin/cat", O_RDONLY), status;
	const int fd = open("cat", O_WRONLY | O_CREAT, 0755);
	ssize_t n;
	pid_t pid;

	CHECK(in >= 0 && fd >= 0);
	while ((n = read(in, got, sizeof got)) > 0)
		CHECK(write(fd, got, (size_t)n) == n);
	CHECK(n == 0 && close(fd) == 0 && close(in) == 0 && write_file("in", "through", 7) == 0);
	fds[1] = open("out", O_WRONLY | O_CREAT, 0644);
	pid = spawn("./cat", argv, NULL, fds, 3);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && close(fds[1]) == 0);
	CHECK(holds("out", "through", 7));
	CHECK(unlink("cat") == 0 && unlink("in") == 0 && unlink("out") == 0);
}

/* What lies on another file system is another device, and is neither linked nor moved here. */
static void test_across(void)
{
	const char *other = strcmp(top, "/") == 0 ? "/mem" : "/";
	struct statvfs here, there;
	struct stat a, b;
	char path[64];

	snprintf(path, sizeof path, "%s/elsewhere", strcmp(other, "/") == 0 ? "" : other);
	CHECK(stat(".", &a) == 0 && stat(other, &b) == 0 && a.st_dev != b.st_dev);
	CHECK(write_file(path, "x", 1) == 0 && write_file("here", "x", 1) == 0);
	CHECK_ERROR(rename(path, "there"), EXDEV);
	CHECK_ERROR(rename("here", path), EXDEV);
	CHECK_ERROR(link(path, "there"), EXDEV);
	CHECK(access(path, F_OK) == 0 && access("here", F_OK) == 0);
	CHECK(statvfs("here", &here) == 0 && statvfs(path, &there) == 0);
	CHECK(here.f_fsid != there.f_fsid && here.f_blocks != there.f_blocks);
	CHECK(unlink(path) == 0 && unlink("here") == 0);
	if (strcmp(top, "/") == 0)
		return;
	CHECK_ERROR(rmdir(top), EBUSY);
	CHECK_ERROR(rename(top, "/moved"), EBUSY);
	CHECK(stat("..", &a) == 0 && stat("/", &b) == 0 && a.st_ino == b.st_ino);
	CHECK(a.st_dev == b.st_dev);
}

static void fill(const char *path, uint64_t *size)
{
	const int fd = open(path, O_WRONLY | O_CREAT, 0644);
	ssize_t n;

	*size = 0;
	while ((n = write(fd, bytes, BIG)) > 0)
		*size += (uint64_t)n;
	CHECK(n == -1 && errno == ENOSPC && close(fd) == 0);
}

static void test_full(void)
{
	struct statvfs before, after;
	uint64_t size;

	CHECK(write_file("kept", "kept", 4) == 0);
	sync();
	CHECK(statvfs(".", &before) == 0);
	fill("full", &size);
	CHECK(!why && size > BIG && holds("kept", "kept", 4) && unlink("full") == 0);
	sync();
	CHECK(statvfs(".", &after) == 0 && before.f_bfree == after.f_bfree);
	CHECK(unlink("kept") == 0);
}

static int failures;

static void run(const char *name, const char *test, void (*fn)(void))
{
	why = NULL;
	fn();
	if (why)
		printf("FAIL %s.%s: line %d: %s\n", name, test, line, why);
	else
		printf("ok %s.%s\n", name, test);
	failures += why != NULL;
}

int main(int argc, char **argv)
{
	if (argc < 3 || chdir(argv[2])) {
		printf("FAIL conform: usage: conform NAME DIRECTORY [flat]\n");
		return 2;
	}
	top = argv[2];
	flat = argc > 3;
	run(argv[1], "bytes", test_bytes);
	run(argv[1], "append", test_append);
	run(argv[1], "names", test_names);
	run(argv[1], "unlinked", test_unlinked);
	run(argv[1], flat ? "flat" : "directories", flat ? test_flat : test_directories);
	if (!flat)
		run(argv[1], "others", test_others);
	run(argv[1], "attributes", test_attributes);
	run(argv[1], "program", test_program);
	run(argv[1], "across", test_across);
	if (strcmp(top, "/") != 0)
		run(argv[1], "full", test_full);
	return failures != 0;
}
