/*
 * cat [-n] [FILE...]: copy files to stdout; -n numbers the lines across all files.
 * Without -n it moves bytes with read and write; one process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static unsigned long line;
static bool midline;

static int number_lines(FILE *file, const char *name)
{
	int c;

	(void)name;
	while ((c = getc_unlocked(file)) != EOF) {
		if (!midline)
			printf("%6lu\t", ++line);
		putchar(c);
		midline = c != '\n';
	}
	return TOOL_OK;
}

static int copy(const char *path)
{
	static char buffer[TOOL_BUFFER];
	const int fd = strcmp(path, "-") ? open(path, O_RDONLY) : 0;
	ssize_t n;

	if (fd < 0)
		return tool_warn_errno(path);
	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !tool_write(1, buffer, (size_t)n))
			break;
	}
	if (n < 0)
		tool_warn_errno(path);
	else if (n > 0)
		tool_die(TOOL_FAIL, "write error: %s", strerror(errno));
	if (fd != 0)
		close(fd);
	return n ? TOOL_FAIL : TOOL_OK;
}

int main(int argc, char **argv)
{
	bool number = false;
	int status = TOOL_OK;

	tool_init(argv);
	while (tool_option(argc, argv, "n", "cat [-n] [FILE...]") != -1)
		number = true;
	argv += optind;
	if (number)
		return tool_done(tool_each(argv, number_lines));
	if (!*argv)
		return copy("-");
	for (; *argv; argv++)
		status |= copy(*argv);
	return status;
}
