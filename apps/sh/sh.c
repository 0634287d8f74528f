/*
 * sh [-ceix] [FILE | TEXT [NAME]] [ARGUMENT...]: the shell. This file owns the state all parts
 * share, reads the command line and feeds the parser: from a text, a file, or stdin, with the
 * editor if that is a terminal.
 */
#include "sh.h"

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static struct io base_io;

struct shell shell = {.io = &base_io, .self = "/bin/sh", .name = "sh"};

void shell_error(const char *fmt, ...)
{
	char line[512];
	size_t used = (size_t)snprintf(line, sizeof(line), "sh: ");
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + used, sizeof(line) - used - 1, fmt, args);
	va_end(args);
	used = strlen(line);
	line[used++] = '\n';
	io_write(shell.io->fd[2], line, used);
}

static void on_interrupt(int number)
{
	(void)number;
	shell.interrupted = true;
	signal(SIGINT, on_interrupt);
}

static void show_prompt(struct text *prompt, bool continued)
{
	const char *set = var_get(continued ? "PS2" : "PS1"), *text;

	text = set ? expand_text(set) : NULL;
	if (!text && continued)
		text = "> ";
	if (!text) {
		text_put(prompt, var_get("PWD") ? var_get("PWD") : "");
		text = " $ ";
	}
	text_put(prompt, text);
}

/* Between commands all text read so far is used up: start anew, so that it does not pile up. */
static void forget_used(struct source *source)
{
	if (!source->continued)
		source->at = source->length = 0;
}

/* A line from the editor. ^C drops the command begun. */
static bool more_edited(struct source *source)
{
	struct text prompt = {0}, line = {0};
	int length;

	forget_used(source);
	if (!source->continued)
		job_poll();
	show_prompt(&prompt, source->continued);
	length = edit_line(prompt.at, &line);
	if (length < 0) {
		shell.interrupted = true;
		return false;
	}
	source_append(source, line.at, (size_t)length);
	return length > 0;
}

/* A line from stdin, byte by byte: commands may read what follows it. */
static bool more_piped(struct source *source)
{
	size_t before;
	char c = 0;

	forget_used(source);
	before = source->length;
	while (c != '\n' && read(0, &c, 1) == 1)
		source_append(source, &c, 1);
	return source->length > before;
}

static int run_interactive(void)
{
	struct source source = {.more = more_edited, .line = 1};

	signal(SIGINT, on_interrupt);
	do {
		shell.control = CONTROL_NONE;
		shell.interrupted = false;
		source.at = source.length = 0;
		source.line = 1;
		source.ended = false;
		exec_source(&source);
		shell.tested = shell.loops = 0;
		if (shell.interrupted)
			shell.status = STATUS_SIGNAL + SIGINT;
	} while (shell.control == CONTROL_INTERRUPT || shell.interrupted ||
		 (shell.control != CONTROL_EXIT && source.length > 0));
	source_free(&source);
	return shell.status;
}

static int run_stdin(void)
{
	struct source source = {.more = more_piped, .line = 1};

	exec_source(&source);
	source_free(&source);
	return shell.status;
}

static int run_file(const char *path)
{
	char *argv[] = {mem_text(".", 1), mem_text(path, strlen(path)), NULL};

	if (access(path, R_OK) != 0) {
		shell_error("%s: %s", path, strerror(errno));
		return STATUS_NOT_FOUND;
	}
	builtin_find(".")(2, argv);
	return shell.status;
}

/* What a shell tells its second shell; see subshell_spawn. */
static void take_state(const char *text)
{
	long pid = shell.pid, background = 0;
	int exit_on_error = 0, trace = 0;

	sscanf(text, "%d %ld %ld %d %d", &shell.status, &pid, &background, &exit_on_error, &trace);
	shell.pid = (pid_t)pid;
	shell.last_background = (pid_t)background;
	shell.exit_on_error = exit_on_error;
	shell.trace = trace;
}

static void import_environment(void)
{
	char now[4096];

	for (char **at = environ; *at; at++) {
		const size_t length = var_assignment(*at);
		char *name = mem_text(*at, length);

		if (length == 0 || !strcmp(name, "IFS"))
			continue;
		var_set(name, *at + length + 1);
		var_export(name);
	}
	if (getcwd(now, sizeof(now)))
		var_set("PWD", now);
}

/* The path by which a second shell is started: absolute, so that cd does not matter. */
static void find_self(const char *name)
{
	struct text text = {0};
	char *path;

	if (*name == '-' || path_find(name, &path) != 0)
		return;
	if (*path != '/') {
		text_put(&text, var_get("PWD") ? var_get("PWD") : "");
		text_add(&text, '/');
	}
	text_put(&text, path);
	shell.self = text.at;
}

static void take_io(void)
{
	for (int i = 0; i < IO_FDS; i++)
		base_io.fd[i] = fcntl(i, F_GETFD) < 0 ? -1 : i;
}

int main(int argc, char **argv)
{
	static const char usage[] = "sh [-eix] [-c TEXT [NAME] | FILE] [ARGUMENT...]";
	const char *text = NULL;
	bool forced = false;
	int c, status;

	take_io();
	tool_init(argv);
	shell.pid = getpid();
	import_environment();
	find_self(argv[0]);
	while ((c = tool_option(argc, argv, "+ceixsQ:", usage)) != -1) {
		forced |= c == 'i';
		shell.exit_on_error |= c == 'e';
		shell.trace |= c == 'x';
		if (c == 'Q')
			take_state(optarg);
		else if (c == 'c')
			text = "";
	}
	if (text && optind == argc)
		tool_usage(usage);
	if (text)
		text = argv[optind++];
	shell.name = optind < argc ? argv[optind] : argv[0];
	shell.args = argv + optind + (optind < argc);
	shell.arg_count = optind < argc ? argc - optind - 1 : 0;
	shell.interactive = forced || (!text && optind == argc && isatty(0) == 1);
	if (text)
		status = exec_text(text);
	else if (optind < argc)
		status = run_file(argv[optind]);
	else
		status = shell.interactive ? run_interactive() : run_stdin();
	mem_release(NULL);
	return status;
}
