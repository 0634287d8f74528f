/*
 * files.c - tests of open files: reading, writing, offsets, sizes, attributes.  No state.
 */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <utime.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>

#define NAME "file"

enum { PAGE = 4096, LARGE = 300000 };

/* Opens NAME anew with `text` in it. */
static int made(const char *text)
{
	const int fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd >= 0 && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return fd;
}

static void test_write_read(void)
{
	char back[16] = "";
	const int fd = made("freehold");

	CHECK(fd >= 0);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(read(fd, back, sizeof(back)) == 8);
	CHECK(strcmp(back, "freehold") == 0);
	CHECK(read(fd, back, sizeof(back)) == 0);
	CHECK(close(fd) == 0);
	CHECK_ERROR(close(fd), EBADF);
	CHECK(unlink(NAME) == 0);
}

static void test_large(void)
{
	unsigned char *data = malloc(LARGE), *back = malloc(LARGE);
	const int fd = made("");

	CHECK(data && back && fd >= 0);
	for (int i = 0; i < LARGE; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	CHECK(write(fd, data, LARGE) == LARGE);
	CHECK(pread(fd, back, LARGE, 0) == LARGE);
	CHECK(memcmp(data, back, LARGE) == 0);
	CHECK(pread(fd, back, PAGE, PAGE + 1) == PAGE);
	CHECK(memcmp(data + PAGE + 1, back, PAGE) == 0);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
	free(data);
	free(back);
}

static void test_open_flags(void)
{
	int fd = made("12345");

	CHECK(close(fd) == 0);
	CHECK_ERROR(open(NAME, O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERROR(open("absent", O_RDONLY), ENOENT);
	CHECK_ERROR(open(NAME, O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERROR(open(NAME "/x", O_RDONLY), ENOTDIR);
	CHECK_ERROR(open(".", O_WRONLY), EISDIR);
	fd = open(NAME, O_WRONLY | O_APPEND);
	CHECK(write(fd, "67", 2) == 2);
	CHECK(lseek(fd, 0, SEEK_CUR) == 7);
	CHECK_ERROR(read(fd, &fd, 1), EBADF);
	CHECK(close(fd) == 0);
	fd = open(NAME, O_RDWR | O_TRUNC);
	CHECK(lseek(fd, 0, SEEK_END) == 0);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_bad_pointers(void)
{
	const int fd = made("x");

	CHECK_ERROR(write(fd, (void *)8, 4), EFAULT);
	CHECK_ERROR(read(fd, (void *)8, 4), EFAULT);
	CHECK_ERROR(open((const char *)8, O_RDONLY), EFAULT);
	CHECK_ERROR(stat(NAME, (struct stat *)8), EFAULT);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_seek(void)
{
	char c = 0;
	const int fd = made("abcdef");

	CHECK(lseek(fd, -2, SEEK_END) == 4);
	CHECK(read(fd, &c, 1) == 1 && c == 'e');
	CHECK(lseek(fd, -3, SEEK_CUR) == 2);
	CHECK_ERROR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERROR(lseek(fd, 0, 77), EINVAL);
	CHECK(lseek(fd, 10000, SEEK_SET) == 10000);
	CHECK(write(fd, "z", 1) == 1);
	CHECK(pread(fd, &c, 1, 5000) == 1 && c == 0);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_vectors(void)
{
	char a[3] = "", b[6] = "";
	const struct iovec out[] = {{(void *)(size_t) "one", 3}, {(void *)(size_t) "three", 5}};
	const struct iovec in[] = {{a, 2}, {b, 5}};
	const int fd = made("");

	CHECK(writev(fd, out, 2) == 8);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(readv(fd, in, 2) == 7);
	CHECK(memcmp(a, "on", 2) == 0 && memcmp(b, "ethre", 5) == 0);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_truncate(void)
{
	struct stat st;
	char c = 'x';
	const int fd = made("abcdef");

	CHECK(ftruncate(fd, 3) == 0 && fstat(fd, &st) == 0 && st.st_size == 3);
	CHECK(truncate(NAME, 100) == 0 && fstat(fd, &st) == 0 && st.st_size == 100);
	CHECK(pread(fd, &c, 1, 4) == 1 && c == 0);
	CHECK_ERROR(truncate("absent", 1), ENOENT);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_duplicates(void)
{
	char c;
	const int fd = made("abc"), two = dup(fd);

	CHECK(two > fd && lseek(two, 1, SEEK_SET) == 1);
	CHECK(read(fd, &c, 1) == 1 && c == 'b');
	CHECK(dup2(fd, 40) == 40 && close(fd) == 0);
	CHECK(read(40, &c, 1) == 1 && c == 'c');
	CHECK(fcntl(40, F_DUPFD, 50) == 50);
	CHECK(fcntl(50, F_SETFD, FD_CLOEXEC) == 0 && fcntl(50, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(40, F_GETFD) == 0);
	CHECK((fcntl(50, F_GETFL) & O_ACCMODE) == O_RDWR);
	CHECK(fcntl(50, F_SETFL, O_APPEND) == 0 && (fcntl(40, F_GETFL) & O_APPEND));
	CHECK_ERROR(dup2(60, 61), EBADF);
	CHECK_ERROR(dup(-1), EBADF);
	CHECK(close(two) == 0 && close(40) == 0 && close(50) == 0 && unlink(NAME) == 0);
}

static void test_too_many(void)
{
	int fds[512], n = 0, opened, error;

	while (n < 512 && (fds[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	error = errno;
	opened = n;
	while (n > 0)
		CHECK(close(fds[--n]) == 0);
	CHECK(opened > 200 && opened < 512 && error == EMFILE);
}

static void test_stat(void)
{
	struct stat st, link;
	const int fd = made("12345");

	CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 5);
	CHECK(st.st_nlink == 1 && (st.st_mode & 07777) == 0644 && st.st_uid == 0);
	CHECK(symlink(NAME, "link") == 0);
	CHECK(stat("link", &link) == 0 && link.st_ino == st.st_ino);
	CHECK(lstat("link", &link) == 0 && S_ISLNK(link.st_mode) && link.st_size == 4);
	CHECK(stat(".", &st) == 0 && S_ISDIR(st.st_mode));
	CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK_ERROR(stat("absent", &st), ENOENT);
	CHECK_ERROR(stat("", &st), ENOENT);
	CHECK(close(fd) == 0 && unlink(NAME) == 0 && unlink("link") == 0);
}

static void test_modes(void)
{
	struct stat st;
	const mode_t old = umask(027);
	const int fd = open(NAME, O_RDWR | O_CREAT, 0666);

	CHECK(umask(old) == 027);
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	CHECK(chmod(NAME, 0600) == 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(fchmod(fd, 0755) == 0 && stat(NAME, &st) == 0 && (st.st_mode & 07777) == 0755);
	CHECK(S_ISREG(st.st_mode));
	CHECK(chown(NAME, 12, -1) == 0 && stat(NAME, &st) == 0 && st.st_uid == 12 &&
	      st.st_gid == 0);
	CHECK(access(NAME, R_OK | W_OK | X_OK) == 0);
	CHECK(chmod(NAME, 0600) == 0);
	CHECK_ERROR(access(NAME, X_OK), EACCES);
	CHECK_ERROR(access("absent", F_OK), ENOENT);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_times(void)
{
	const struct timeval tv[2] = {{1000, 0}, {2000, 500000}};
	const struct utimbuf seconds = {3000, 4000};
	struct stat st;
	const int fd = made("x");

	CHECK(utimes(NAME, tv) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_atime == 1000 && st.st_mtime == 2000);
	CHECK(utimes(NAME, NULL) == 0 && fstat(fd, &st) == 0 && st.st_mtime > 1700000000);
	CHECK(utime(NAME, &seconds) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_atime == 3000 && st.st_mtime == 4000);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_unlinked(void)
{
	char c = 0;
	const int fd = made("kept");

	CHECK(unlink(NAME) == 0);
	CHECK_ERROR(open(NAME, O_RDONLY), ENOENT);
	CHECK(pread(fd, &c, 1, 0) == 1 && c == 'k');
	CHECK(close(fd) == 0);
}

static void test_sync(void)
{
	const int fd = made("x");

	CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
	sync();
	CHECK_ERROR(fsync(99), EBADF);
	CHECK(close(fd) == 0 && unlink(NAME) == 0);
}

static void test_statvfs(void)
{
	struct statvfs s;

	CHECK(statvfs("/", &s) == 0 && s.f_blocks > 0 && s.f_bfree <= s.f_blocks);
	CHECK(s.f_namemax == 255 && s.f_frsize >= 1024);
	CHECK_ERROR(statvfs("absent", &s), ENOENT);
}

static void test_advice(void)
{
	static const int all[] = {POSIX_FADV_NORMAL,   POSIX_FADV_RANDOM,   POSIX_FADV_SEQUENTIAL,
				  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE};
	char back[PAGE];
	const int fd = made("freehold");
	int pipes[2];

	CHECK(fd >= 0 && ftruncate(fd, LARGE) == 0 && pipe(pipes) == 0);
	errno = 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		CHECK(posix_fadvise(fd, 0, 0, all[i]) == 0);
		CHECK(posix_fadvise(fd, PAGE / 2, LARGE, all[i]) == 0);
		CHECK(posix_fadvise(fd, 2 * LARGE, 1, all[i]) == 0);
		CHECK(pread(fd, back, 8, 0) == 8 && memcmp(back, "freehold", 8) == 0);
	}
	CHECK(posix_fadvise(fd, 0, 0, 6) == EINVAL && posix_fadvise(fd, 0, 0, -1) == EINVAL);
	CHECK(posix_fadvise(fd, -1, 0, POSIX_FADV_NORMAL) == EINVAL);
	CHECK(posix_fadvise(pipes[0], 0, 0, POSIX_FADV_NORMAL) == ESPIPE);
	CHECK(close(fd) == 0 && close(pipes[0]) == 0 && close(pipes[1]) == 0);
	CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL) == EBADF && errno == 0);
	CHECK(unlink(NAME) == 0);
}

static void test_devices(void)
{
	char bytes[4] = "abc";
	int fd = open("/dev/zero", O_RDWR);

	CHECK(fd >= 0 && read(fd, bytes, 4) == 4 && bytes[0] == 0 && bytes[2] == 0);
	CHECK(write(fd, bytes, 4) == 4 && close(fd) == 0);
	fd = open("/dev/null", O_RDWR);
	CHECK(fd >= 0 && read(fd, bytes, 4) == 0 && write(fd, bytes, 4) == 4);
	CHECK(close(fd) == 0);
	CHECK_ERROR(open("/dev/none", O_RDONLY), ENOENT);
}

static void test_stdio(void)
{
	char line[32] = "";
	int number = 0;
	FILE *f = fopen(NAME, "w+");

	CHECK(f && fprintf(f, "%d %s\n", 42, "words") == 9);
	rewind(f);
	CHECK(fscanf(f, "%d %31s", &number, line) == 2);
	CHECK(number == 42 && strcmp(line, "words") == 0);
	CHECK(fclose(f) == 0 && remove(NAME) == 0);
	f = tmpfile();
	CHECK(f && fputs("x", f) >= 0 && fclose(f) == 0);
}

const struct check file_checks[] = {
	{"write-read", test_write_read},
	{"large", test_large},
	{"open-flags", test_open_flags},
	{"bad-pointers", test_bad_pointers},
	{"seek", test_seek},
	{"vectors", test_vectors},
	{"truncate", test_truncate},
	{"duplicates", test_duplicates},
	{"too-many-descriptors", test_too_many},
	{"stat", test_stat},
	{"modes", test_modes},
	{"times", test_times},
	{"unlinked-file", test_unlinked},
	{"sync", test_sync},
	{"statvfs", test_statvfs},
	{"advice", test_advice},
	{"devices", test_devices},
	{"stdio", test_stdio},
	{NULL, NULL},
};
