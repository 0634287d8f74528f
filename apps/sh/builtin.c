/*
 * The commands that the shell runs itself: those that change it, and a few that save a process.
 * They use stdin, stdout and stderr, which exec.c has made those of the command.
 */
#include "sh.h"

#include "command.h"
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int true_run(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static int false_run(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 1;
}

/* The number in argv[1], `missing` without one, -1 after a message. */
static int number(int argc, char **argv, int missing)
{
	char *end;
	long value;

	if (argc < 2)
		return missing;
	value = strtol(argv[1], &end, 10);
	if (*argv[1] && !*end && value >= 0 && value < 1 << 30)
		return (int)value;
	shell_error("%s: %s: not a number", argv[0], argv[1]);
	return -1;
}

static int leave_run(int argc, char **argv)
{
	const int levels = number(argc, argv, 1);

	if (levels < 1)
		return STATUS_SYNTAX;
	if (shell.loops == 0)
		return 0;
	shell.levels = levels < shell.loops ? levels : shell.loops;
	shell.control = *argv[0] == 'b' ? CONTROL_BREAK : CONTROL_CONTINUE;
	return 0;
}

static int exit_run(int argc, char **argv)
{
	const int status = number(argc, argv, shell.status);

	shell.control = *argv[0] == 'e' || shell.calls == 0 ? CONTROL_EXIT : CONTROL_RETURN;
	return shell.status = status < 0 ? STATUS_SYNTAX : status & 0xff;
}

static int cd_run(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : var_get("HOME");
	const bool back = dir && !strcmp(dir, "-");
	char old[4096], now[4096];

	if (back)
		dir = var_get("OLDPWD");
	if (!dir) {
		shell_error("cd: %s not set", back ? "OLDPWD" : "HOME");
		return TOOL_FAIL;
	}
	if (!getcwd(old, sizeof(old)))
		old[0] = 0;
	if (chdir(dir) != 0) {
		shell_error("cd: %s: %s", dir, strerror(errno));
		return TOOL_FAIL;
	}
	if (getcwd(now, sizeof(now)))
		var_set("PWD", now);
	var_set("OLDPWD", old);
	if (back)
		puts(now);
	return 0;
}

static int export_run(int argc, char **argv)
{
	struct text text = {.at = mem_text("", 0)};
	int status = 0;

	if (argc == 1 || !strcmp(argv[1], "-p")) {
		var_print_exported(&text);
		fputs(text.at, stdout);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		const size_t length = strcspn(argv[i], "=");
		const char *name = mem_text(argv[i], length);

		if (!var_is_name(name, length)) {
			shell_error("export: %s: not a name", argv[i]);
			status = TOOL_FAIL;
			continue;
		}
		if (argv[i][length])
			var_set(name, argv[i] + length + 1);
		var_export(name);
	}
	return status;
}

static int unset_run(int argc, char **argv)
{
	const bool functions = argc > 1 && !strcmp(argv[1], "-f");

	for (int i = 1; i < argc; i++) {
		if (*argv[i] == '-')
			continue;
		if (functions)
			function_unset(argv[i]);
		else
			var_unset(argv[i]);
	}
	return 0;
}

/* Make the arguments of the shell copies of argv, in one block of heap. */
static void set_args(int count, char **argv)
{
	size_t size = (size_t)(count + 1) * sizeof(char *);
	char **block, *at;

	for (int i = 0; i < count; i++)
		size += strlen(argv[i]) + 1;
	block = tool_alloc(size);
	at = (char *)(block + count + 1);
	for (int i = 0; i < count; i++) {
		block[i] = strcpy(at, argv[i]);
		at += strlen(at) + 1;
	}
	block[count] = NULL;
	free(shell.arg_block);
	shell.arg_block = block;
	shell.args = block;
	shell.arg_count = count;
}

static int set_run(int argc, char **argv)
{
	struct text text = {.at = mem_text("", 0)};
	int i;

	if (argc == 1) {
		var_print(&text, true);
		fputs(text.at, stdout);
		return 0;
	}
	for (i = 1; i < argc && (*argv[i] == '-' || *argv[i] == '+') && argv[i][1]; i++) {
		const bool on = *argv[i] == '-';

		if (!strcmp(argv[i], "--")) {
			set_args(argc - i - 1, argv + i + 1);
			return 0;
		}
		for (const char *letter = argv[i] + 1; *letter; letter++) {
			if (*letter == 'e') {
				shell.exit_on_error = on;
			} else if (*letter == 'x') {
				shell.trace = on;
			} else {
				shell_error("set: -%c: unknown option", *letter);
				return STATUS_SYNTAX;
			}
		}
	}
	if (i < argc)
		set_args(argc - i, argv + i);
	return 0;
}

static int shift_run(int argc, char **argv)
{
	const int by = number(argc, argv, 1);

	if (by < 0)
		return STATUS_SYNTAX;
	if (by > shell.arg_count) {
		shell_error("shift: fewer than %d arguments", by);
		return TOOL_FAIL;
	}
	shell.args += by;
	shell.arg_count -= by;
	return 0;
}

/* A line from stdin, byte by byte so that nothing after it is lost to others. False at the end. */
static bool read_line(struct text *line, struct text *quoted, bool raw)
{
	char c;

	while (read(0, &c, 1) == 1) {
		bool escaped = false;

		if (c == '\\' && !raw) {
			if (read(0, &c, 1) != 1)
				return false;
			if (c == '\n')
				continue;
			escaped = true;
		}
		if (c == '\n' && !escaped)
			return true;
		if (c) {
			text_add(line, c);
			text_add(quoted, (char)('0' + escaped));
		}
	}
	return false;
}

static bool divides(const struct text *line, const struct text *quoted, size_t i, const char *ifs,
		    bool space)
{
	return i < line->length && quoted->at[i] == '0' && strchr(ifs, line->at[i]) &&
	       (!space || isspace((unsigned char)line->at[i]));
}

/* Give each name a field of the line, the last one all that is left. */
static void assign_fields(const struct text *line, const struct text *quoted, int count,
			  char **names)
{
	const char *ifs = var_get("IFS") ? var_get("IFS") : " \t\n";
	size_t at = 0, end = line->length;

	while (end > 0 && divides(line, quoted, end - 1, ifs, true))
		end--;
	for (int i = 0; i < count; i++) {
		size_t start;

		while (at < end && divides(line, quoted, at, ifs, true))
			at++;
		start = at;
		if (i == count - 1)
			at = end;
		while (at < end && !divides(line, quoted, at, ifs, false))
			at++;
		var_set(names[i], start < at ? mem_text(line->at + start, at - start) : "");
		while (at < end && divides(line, quoted, at, ifs, true))
			at++;
		if (at < end && divides(line, quoted, at, ifs, false) && i < count - 1 &&
		    !isspace((unsigned char)line->at[at]))
			at++;
	}
}

static int read_run(int argc, char **argv)
{
	static char reply[] = "REPLY", *standard[] = {reply};
	const bool raw = argc > 1 && !strcmp(argv[1], "-r");
	const int first = 1 + raw;
	struct text line = {0}, quoted = {0};
	bool ended;

	for (int i = first; i < argc; i++) {
		if (!var_is_name(argv[i], strlen(argv[i]))) {
			shell_error("read: %s: not a name", argv[i]);
			return STATUS_SYNTAX;
		}
	}
	ended = read_line(&line, &quoted, raw);
	assign_fields(&line, &quoted, argc > first ? argc - first : 1,
		      argc > first ? argv + first : standard);
	return ended ? 0 : TOOL_FAIL;
}

static int eval_run(int argc, char **argv)
{
	struct text text = {.at = mem_text("", 0)};
	int status = 0;

	for (int i = 1; i < argc; i++) {
		text_put(&text, argv[i]);
		text_add(&text, ' ');
	}
	if (++shell.calls > CALLS_MAX) {
		shell_error("eval: nested too deeply");
		status = exec_failed();
	} else if (argc > 1) {
		shell.status = 0;
		status = exec_text(text.at);
	}
	shell.calls--;
	return status;
}

/* All of a file as text on the heap, or NULL after a message. */
static bool load(const char *path, struct source *source)
{
	char buffer[4096];
	const int fd = open(path, O_RDONLY);
	ssize_t n = -1;

	*source = (struct source){.line = 1};
	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
		source_append(source, buffer, (size_t)n);
	if (n < 0)
		shell_error("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return n == 0;
}

static int source_run(int argc, char **argv)
{
	struct source source;
	int status = TOOL_FAIL;
	char *path;

	if (argc < 2) {
		shell_error(".: usage: . FILE");
		return STATUS_SYNTAX;
	}
	if (!strchr(argv[1], '/') && access(argv[1], R_OK) != 0 && path_find(argv[1], &path) == 0)
		argv[1] = path;
	if (++shell.calls > CALLS_MAX) {
		shell_error("%s: nested too deeply", argv[1]);
		status = exec_failed();
	} else if (load(argv[1], &source)) {
		shell.status = 0;
		status = source.length ? exec_source(&source) : 0;
		source_free(&source);
	}
	shell.calls--;
	if (shell.control == CONTROL_RETURN)
		shell.control = CONTROL_NONE;
	return status;
}

static int type_run(int argc, char **argv)
{
	int status = 0;
	char *path;

	for (int i = 1; i < argc; i++) {
		if (function_get(argv[i])) {
			printf("%s is a function\n", argv[i]);
		} else if (builtin_find(argv[i])) {
			printf("%s is built in\n", argv[i]);
		} else if (path_find(argv[i], &path) == 0) {
			printf("%s is %s\n", argv[i], path);
		} else {
			shell_error("type: %s: not found", argv[i]);
			status = TOOL_FAIL;
		}
	}
	return status;
}

static int umask_run(int argc, char **argv)
{
	const mode_t mask = umask(0);
	char *end;
	unsigned long wanted;

	umask(mask);
	if (argc == 1) {
		printf("%04o\n", (unsigned)mask);
		return 0;
	}
	wanted = strtoul(argv[1], &end, 8);
	if (!*argv[1] || *end || wanted > 0777) {
		shell_error("umask: %s: not a mask", argv[1]);
		return STATUS_SYNTAX;
	}
	umask((mode_t)wanted);
	return 0;
}

/* In the words, %N becomes the process id of that job. */
static void name_jobs(int argc, char **argv)
{
	char text[24];

	for (int i = 1; i < argc; i++) {
		const pid_t pid = job_pid(argv[i]);

		if (pid)
			argv[i] = mem_text(text,
					   (size_t)snprintf(text, sizeof(text), "%ld", (long)pid));
	}
}

static int kill_run(int argc, char **argv)
{
	name_jobs(argc, argv);
	return command_kill(argc, argv);
}

static int slots_run(int argc, char **argv)
{
	name_jobs(argc, argv);
	return command_slots(argc, argv);
}

static int history_run(int argc, char **argv)
{
	const char *line;

	(void)argc;
	(void)argv;
	for (int i = 0; (line = edit_history(i)); i++)
		printf("%5d  %s\n", i + 1, line);
	return 0;
}

static const struct {
	const char *name;
	builtin *run;
} builtins[] = {
	{":", true_run},	  {".", source_run},	  {"[", command_test},
	{"break", leave_run},	  {"cd", cd_run},	  {"continue", leave_run},
	{"echo", command_echo},	  {"eval", eval_run},	  {"exec", true_run},
	{"exit", exit_run},	  {"export", export_run}, {"false", false_run},
	{"history", history_run}, {"jobs", job_command},  {"kill", kill_run},
	{"pwd", command_pwd},	  {"read", read_run},	  {"return", exit_run},
	{"set", set_run},	  {"shift", shift_run},	  {"slots", slots_run},
	{"test", command_test},	  {"true", true_run},	  {"type", type_run},
	{"umask", umask_run},	  {"unset", unset_run},	  {"wait", wait_command},
};

enum { BUILTINS = sizeof(builtins) / sizeof(builtins[0]) };

builtin *builtin_find(const char *name)
{
	for (int i = 0; i < BUILTINS; i++)
		if (strcmp(name, builtins[i].name) == 0)
			return builtins[i].run;
	return NULL;
}

const char *builtin_name(int i)
{
	return i < BUILTINS ? builtins[i].name : NULL;
}
