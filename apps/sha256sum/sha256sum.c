/*
 * sha256sum [-c] [FILE...]: print checksums, or with -c check the ones listed in the files.
 * One process, no lock.
 */
#include "sha256.h"
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 2 * SHA256_SIZE };

static unsigned long mismatches, unreadable;

/* The sum of a file as text. False after a message if it could not be read. */
static bool sum_path(const char *path, char text[static TEXT + 1])
{
	static char buffer[TOOL_BUFFER];
	const int fd = strcmp(path, "-") ? open(path, O_RDONLY) : 0;
	unsigned char digest[SHA256_SIZE];
	struct sha256 sum;
	ssize_t n = -1;

	sha256_init(&sum);
	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n > 0)
			sha256_add(&sum, buffer, (size_t)n);
		else if (errno != EINTR)
			break;
	}
	if (n < 0)
		tool_warn_errno(path);
	if (fd > 0)
		close(fd);
	sha256_end(&sum, digest);
	for (int i = 0; i < SHA256_SIZE; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return n == 0;
}

/* Check one line, `SUM  NAME`. False if it has another form. */
static bool check_line(const char *line)
{
	char text[TEXT + 1];
	const char *path = line + TEXT + 2;

	for (int i = 0; i < TEXT; i++)
		if (!isxdigit((unsigned char)line[i]))
			return false;
	if (line[TEXT] != ' ' || (line[TEXT + 1] != ' ' && line[TEXT + 1] != '*') || !*path)
		return false;
	if (!sum_path(path, text)) {
		unreadable++;
		printf("%s: FAILED open or read\n", path);
		return true;
	}
	for (int i = 0; i < TEXT; i++) {
		if (text[i] != tolower((unsigned char)line[i])) {
			mismatches++;
			printf("%s: FAILED\n", path);
			return true;
		}
	}
	printf("%s: OK\n", path);
	return true;
}

static int check_list(FILE *file, const char *name)
{
	struct tool_line line = {0};
	unsigned long good = 0, bad = 0;

	while (tool_line_read(file, &line)) {
		if (check_line(line.text))
			good++;
		else
			bad++;
	}
	free(line.text);
	if (bad)
		tool_warn("%s: %lu line(s) are not `SUM  NAME`", name, bad);
	if (!good)
		tool_warn("%s: no checksum found", name);
	return good ? TOOL_OK : TOOL_FAIL;
}

static int check(char **paths)
{
	int status = tool_each(paths, check_list);

	if (mismatches)
		tool_warn("%lu checksum(s) did NOT match", mismatches);
	if (unreadable)
		tool_warn("%lu file(s) could not be read", unreadable);
	return mismatches || unreadable ? TOOL_FAIL : status;
}

int main(int argc, char **argv)
{
	static char dash[] = "-", *standard[] = {dash, NULL};
	char text[TEXT + 1];
	int status = TOOL_OK;
	bool checking = false;

	tool_init(argv);
	while (tool_option(argc, argv, "c", "sha256sum [-c] [FILE...]") != -1)
		checking = true;
	argv += optind;
	if (checking)
		return tool_done(check(argv));
	for (argv = *argv ? argv : standard; *argv; argv++) {
		if (sum_path(*argv, text))
			printf("%s  %s\n", text, *argv);
		else
			status = TOOL_FAIL;
	}
	return tool_done(status);
}
