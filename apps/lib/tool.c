/*
 * What every tool shares; see tool.h. Owns the program's name and stdout's buffer.
 * Single-threaded, so no lock.
 */
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <libos/spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *name = "tool";

void tool_init(char **argv)
{
	static char buffer[16384];
	const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;

	if (argv[0])
		name = slash ? slash + 1 : argv[0];
	setvbuf(stdout, buffer, isatty(1) ? _IOLBF : _IOFBF, sizeof(buffer));
}

const char *tool_name(void)
{
	return name;
}

int tool_option(int argc, char **argv, const char *spec, const char *usage)
{
	int c;

	opterr = 0;
	c = getopt(argc, argv, spec);
	if (c == '?')
		tool_usage(usage);
	return c;
}

static void complain(const char *fmt, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", name);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void tool_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
}

int tool_warn_errno(const char *what)
{
	tool_warn("%s: %s", what, strerror(errno));
	return TOOL_FAIL;
}

void tool_die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	exit(status);
}

void tool_usage(const char *text)
{
	tool_die(TOOL_USAGE, "usage: %s", text);
}

int tool_done(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	tool_warn_errno("write error");
	clearerr(stdout);
	return status > TOOL_FAIL ? status : TOOL_FAIL;
}

void *tool_alloc(size_t size)
{
	return tool_grow(NULL, size);
}

void *tool_grow(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory)
		tool_die(TOOL_FAIL, "out of memory");
	return memory;
}

char *tool_copy(const char *text)
{
	const size_t size = strlen(text) + 1;

	return memcpy(tool_alloc(size), text, size);
}

char *tool_join(const char *dir, const char *file)
{
	const size_t length = strlen(dir);
	const bool slash = length && dir[length - 1] == '/';
	char *path = tool_alloc(length + strlen(file) + 2);

	sprintf(path, "%s%s%s", dir, slash ? "" : "/", file);
	return path;
}

char *tool_base(const char *path)
{
	size_t end = strlen(path), start;
	char *base;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	if (start == end && end > 0) /* nothing but slashes */
		start--;
	base = tool_alloc(end - start + 1);
	memcpy(base, path + start, end - start);
	base[end - start] = 0;
	return base;
}

char *tool_program(const char *program)
{
	const char *dirs = getenv("PATH");

	if (!dirs)
		dirs = "/bin";
	while (!strchr(program, '/')) {
		const size_t length = strcspn(dirs, ":");
		char *dir = tool_copy(dirs), *path;

		dir[length] = 0;
		path = tool_join(*dir ? dir : ".", program);
		free(dir);
		if (access(path, X_OK) == 0)
			return path;
		free(path);
		if (!dirs[length])
			break;
		dirs += length + 1;
	}
	return tool_copy(program);
}

unsigned long long tool_number(const char *text)
{
	static const char units[] = "kMG";
	char *end;
	const char *unit;
	unsigned long long value;
	unsigned shift = 0;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end && end[1] == 0) {
		unit = strchr(units, *end == 'K' ? 'k' : *end);
		if (unit) {
			shift = 10 * (unsigned)(unit - units + 1);
			end++;
		}
	}
	if (*text < '0' || *text > '9' || *end || errno || value > ~0ULL >> 1 >> shift)
		tool_die(TOOL_USAGE, "%s: not a number", text);
	return value << shift;
}

char *tool_human(unsigned long long bytes, char *out)
{
	static const char units[] = "BKMGTPE";
	unsigned long long tenths = bytes * 10;
	int unit = 0;

	if (bytes >> 60)
		tenths = bytes;
	while (tenths >= 10240 && units[unit + 1]) {
		tenths = (tenths + 1023) / 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(out, 24, "%llu", bytes);
	else if (tenths < 100)
		snprintf(out, 24, "%llu.%llu%c", tenths / 10, tenths % 10, units[unit]);
	else
		snprintf(out, 24, "%llu%c", (tenths + 9) / 10, units[unit]);
	return out;
}

bool tool_write(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		const ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

bool tool_line_read(FILE *file, struct tool_line *line)
{
	int c;

	line->length = 0;
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (line->length + 1 >= line->room) {
			line->room = line->room ? 2 * line->room : 128;
			line->text = tool_grow(line->text, line->room);
		}
		line->text[line->length++] = (char)c;
	}
	if (c == EOF && line->length == 0)
		return false;
	if (!line->text) {
		line->room = 128;
		line->text = tool_alloc(line->room);
	}
	line->text[line->length] = 0;
	line->ended = c == '\n';
	return true;
}

static int visit_path(const char *path, int (*visit)(FILE *, const char *))
{
	const bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "r");
	int status;

	if (!file)
		return tool_warn_errno(path);
	if (!standard)
		setvbuf(file, NULL, _IOFBF, TOOL_BUFFER);
	errno = 0;
	status = visit(file, path);
	if (ferror(file))
		status = tool_warn_errno(path);
	if (!standard)
		fclose(file);
	return status;
}

int tool_each(char **paths, int (*visit)(FILE *file, const char *name))
{
	int worst = 0;

	if (!*paths)
		return visit_path("-", visit);
	for (; *paths; paths++) {
		const int status = visit_path(*paths, visit);

		if (status > worst)
			worst = status;
	}
	return worst;
}

int tool_compare(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

bool tool_names_read(const char *path, struct tool_names *names)
{
	const struct dirent *entry;
	size_t room = 0;
	DIR *dir = opendir(path);
	int error;

	*names = (struct tool_names){0};
	if (!dir)
		return false;
	while (errno = 0, (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (names->count == room) {
			room = room ? 2 * room : 32;
			names->at = tool_grow(names->at, room * sizeof(*names->at));
		}
		names->at[names->count++] = tool_copy(entry->d_name);
	}
	error = errno;
	closedir(dir);
	if (error) {
		tool_names_free(names);
		errno = error;
		return false;
	}
	if (names->count)
		qsort(names->at, names->count, sizeof(*names->at), tool_compare);
	return true;
}

void tool_names_free(struct tool_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->at[i]);
	free(names->at);
	*names = (struct tool_names){0};
}

/* ---- other programs ------------------------------------------------------------------------- */

pid_t tool_start(char **argv)
{
	static const int fds[] = {0, 1, 2};
	char *path = tool_program(argv[0]);
	const pid_t pid = spawn(path, argv, environ, fds, 3);
	const int error = errno;

	free(path);
	errno = error;
	return pid;
}

int tool_wait(pid_t pid)
{
	int raw = 0;

	while (waitpid(pid, &raw, 0) < 0)
		if (errno != EINTR)
			return tool_warn_errno("waitpid");
	return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}
