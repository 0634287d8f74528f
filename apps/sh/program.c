/*
 * Starting programs: finding them along PATH, scripts by their first line, and the second shell
 * that runs what would elsewhere be a forked copy of this one.
 */
#include "sh.h"

#include <errno.h>
#include <fcntl.h>
#include <libos/spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int try_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return STATUS_NOT_FOUND;
	return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? 0 : STATUS_NOT_EXECUTABLE;
}

int path_find(const char *name, char **path)
{
	const char *dirs = var_get("PATH") ? var_get("PATH") : "/bin";
	int worst = STATUS_NOT_FOUND;

	*path = mem_text(name, strlen(name));
	if (!*name || strchr(name, '/'))
		return try_path(name);
	for (;;) {
		const size_t length = strcspn(dirs, ":");
		struct text text = {0};
		int status;

		text_put(&text, length ? mem_text(dirs, length) : ".");
		text_add(&text, '/');
		text_put(&text, name);
		status = try_path(text.at);
		if (status == 0) {
			*path = text.at;
			return 0;
		}
		worst = status < worst ? status : worst;
		if (!dirs[length])
			return worst;
		dirs += length + 1;
	}
}

static pid_t spawn_with(const char *path, char **argv, const struct io *io)
{
	int count = IO_FDS;

	while (count > 0 && io->fd[count - 1] < 0)
		count--;
	return spawn(path, argv, var_environment(), io->fd, count);
}

/* Is what stands at `path` no text?  Programs that cannot be loaded must not be read as scripts. */
static bool is_binary(const char *path)
{
	const int fd = open(path, O_RDONLY);
	char start[256];
	const ssize_t length = fd < 0 ? -1 : read(fd, start, sizeof(start));

	if (fd >= 0)
		close(fd);
	return length > 0 && (start[0] == 0x7f || memchr(start, 0, (size_t)length));
}

/* What runs the script at `path`: the words after #!, else this shell. *argument may be NULL. */
static const char *interpreter(const char *path, char **argument)
{
	const int fd = open(path, O_RDONLY);
	char line[256], *at, *end;
	const ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		close(fd);
	*argument = NULL;
	if (length < 2 || line[0] != '#' || line[1] != '!')
		return shell.self;
	line[length] = 0;
	line[strcspn(line, "\n")] = 0;
	at = line + 2 + strspn(line + 2, " \t");
	end = at + strcspn(at, " \t");
	if (*end) {
		*end++ = 0;
		end += strspn(end, " \t");
		*argument = *end ? mem_text(end, strlen(end)) : NULL;
	}
	return mem_text(at, strlen(at));
}

static pid_t spawn_script(char *path, char **argv, const struct io *io)
{
	int count = 0, n = 0;
	char *argument, **list;
	const char *program = interpreter(path, &argument);

	while (argv[count])
		count++;
	list = mem_alloc((size_t)(count + 3) * sizeof(*list));
	list[n++] = mem_text(program, strlen(program));
	if (argument)
		list[n++] = argument;
	list[n++] = path;
	memcpy(list + n, argv + 1, (size_t)count * sizeof(*list));
	return spawn_with(program, list, io);
}

pid_t program_spawn(char **argv, const struct io *io, int *status)
{
	char *path;
	pid_t pid;

	*status = path_find(argv[0], &path);
	if (*status == STATUS_NOT_FOUND)
		shell_error("%s: not found", argv[0]);
	else if (*status)
		shell_error("%s: not executable", argv[0]);
	if (*status)
		return -1;
	fflush(stdout);
	pid = spawn_with(path, argv, io);
	if (pid < 0 && errno == ENOEXEC) {
		if (!is_binary(path))
			pid = spawn_script(path, argv, io);
		else
			errno = ENOEXEC;
	}
	if (pid < 0) {
		*status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
		shell_error("%s: %s", argv[0], strerror(errno));
	}
	return pid;
}

pid_t subshell_spawn(const char *text, const struct io *io, int *status)
{
	struct text script = {0};
	char state[80], **argv = mem_alloc((size_t)(shell.arg_count + 7) * sizeof(*argv));
	int n = 0;
	pid_t pid;

	snprintf(state, sizeof(state), "%d %ld %ld %d %d", shell.status, (long)shell.pid,
		 (long)shell.last_background, shell.exit_on_error && !shell.tested, shell.trace);
	var_print(&script, false);
	text_put(&script, text);
	argv[n++] = mem_text(shell.self, strlen(shell.self));
	argv[n++] = mem_text("-Q", 2);
	argv[n++] = mem_text(state, strlen(state));
	argv[n++] = mem_text("-c", 2);
	argv[n++] = script.at ? script.at : mem_text("", 0);
	argv[n++] = mem_text(shell.name, strlen(shell.name));
	memcpy(argv + n, shell.args, (size_t)shell.arg_count * sizeof(*argv));
	fflush(stdout);
	pid = spawn_with(shell.self, argv, io);
	if (pid < 0) {
		*status = STATUS_NOT_EXECUTABLE;
		shell_error("cannot start a second shell (%s): %s", shell.self, strerror(errno));
	}
	return pid;
}
