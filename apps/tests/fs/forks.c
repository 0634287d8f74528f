/*
 * forks DIRECTORY - forked processes on a mounted file system: the child goes on with the parent's
 * files and opens its own, the parent finds what it wrote; and so does the child's child, and one
 * that execs. Prints `ok forks.NAME` or `FAIL forks.NAME`.  Single-threaded.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static int failures;

static void check(const char *name, int right)
{
	printf("%s forks.%s\n", right ? "ok" : "FAIL", name);
	fflush(stdout);
	failures += !right;
}

static int write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	const ssize_t n = (ssize_t)strlen(text);

	return fd >= 0 && write(fd, text, (size_t)n) == n && close(fd) == 0 ? 0 : 1;
}

static int holds(const char *path, const char *text)
{
	char got[64] = "";
	const int fd = open(path, O_RDONLY);
	const int right = fd >= 0 && read(fd, got, sizeof(got) - 1) >= 0 && !strcmp(got, text);

	return fd >= 0 && close(fd) == 0 && right;
}

static int status_of(pid_t pid)
{
	int status = -1;

	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Depth 2 forks once more; each writes a file, and to the one that is open. */
static int child(int fd, int depth)
{
	pid_t pid;

	if (write(fd, depth == 1 ? "1" : "2", 1) != 1 || fsync(fd))
		return 1;
	if (write_file(depth == 1 ? "one" : "two", "child"))
		return 2;
	if (depth == 1)
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(child(fd, 1));
	return status_of(pid) == 0 ? 0 : 3;
}

int main(int argc, char **argv)
{
	int fd;
	pid_t pid;

	if (argc != 2 || chdir(argv[1]))
		return 2;
	fd = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0644);
	check("open", fd >= 0 && write(fd, "0", 1) == 1);
	pid = fork();
	if (pid == 0)
		_exit(child(fd, 2));
	check("children", status_of(pid) == 0);
	check("files", holds("shared", "021") && holds("one", "child") && holds("two", "child"));
	pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "one", "two", "shared", NULL);
		_exit(9);
	}
	check("exec", status_of(pid) == 0 && access("one", F_OK) && access("shared", F_OK));
	check("close", close(fd) == 0);
	return failures != 0;
}
