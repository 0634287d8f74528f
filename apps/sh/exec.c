/*
 * Running the tree. Commands that must run beside the shell are programs, or text for a second
 * shell (start); everything else runs here. Each command has a copy of the descriptor map, so that
 * leaving it undoes its redirections; each has its mark, so that leaving it frees its words.
 */
#include "sh.h"

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A simple command after expansion. */
struct command {
	const struct word *assignments;
	int assignment_count;
	char **argv;
	int argc;
};

/* A variable to put back after a command. */
struct saved {
	char *name, *value;
	bool exported;
};

static bool captured; /* a substitution ran, so $? is its status */

int exec_failed(void)
{
	if (!shell.interactive)
		shell.control = CONTROL_EXIT;
	return shell.status = STATUS_SYNTAX;
}

static bool expand_command(const struct node *node, struct command *command)
{
	const struct word *word = node->words;

	*command = (struct command){.assignments = word};
	for (; word && var_assignment(word->text); word = word->next)
		command->assignment_count++;
	captured = false;
	command->argv = expand_words(word, &command->argc);
	return command->argv != NULL;
}

static void trace(const struct command *command)
{
	struct text text = {0};

	text_add(&text, '+');
	for (int i = 0; i < command->argc; i++) {
		text_add(&text, ' ');
		text_put(&text, command->argv[i]);
	}
	text_add(&text, '\n');
	if (shell.trace && command->argc)
		io_write(shell.io->fd[2], text.at, text.length);
}

/* Make a command's assignments. With `saved`, export them and note what was there. */
static bool assign(const struct command *command, struct saved *saved)
{
	const struct word *word = command->assignments;

	for (int i = 0; i < command->assignment_count; i++, word = word->next) {
		const size_t length = var_assignment(word->text);
		const char *name = mem_text(word->text, length), *old = var_get(name);
		const char *value = expand_text(word->text + length + 1);

		if (!value)
			return false;
		if (saved) {
			saved[i].name = mem_text(name, length);
			saved[i].value = old ? mem_text(old, strlen(old)) : NULL;
			saved[i].exported = var_exported(name);
			var_export(name);
		}
		var_set(name, value);
	}
	return true;
}

static void put_back(const struct command *command, const struct saved *saved)
{
	for (int i = command->assignment_count - 1; i >= 0; i--) {
		if (!saved[i].name)
			continue;
		var_unset(saved[i].name);
		if (saved[i].value)
			var_set(saved[i].name, saved[i].value);
		if (saved[i].exported)
			var_export(saved[i].name);
	}
}

static struct saved *saved_for(const struct command *command)
{
	return mem_alloc((size_t)command->assignment_count * sizeof(struct saved));
}

static pid_t start_command(const struct node *node, struct io *io, int *status)
{
	struct command command;
	struct saved *saved;
	struct text text = {0};
	pid_t pid = -1;

	*status = STATUS_SYNTAX;
	if (!expand_command(node, &command))
		return -1;
	*status = TOOL_FAIL;
	if (!io_apply(io, node->redirs))
		return -1;
	*status = 0;
	if (command.argc == 0)
		return -1;
	trace(&command);
	saved = saved_for(&command);
	if (assign(&command, saved)) {
		for (int i = 0; i < command.argc; i++) {
			text_quote(&text, command.argv[i]);
			text_add(&text, ' ');
		}
		if (builtin_find(command.argv[0]) || function_get(command.argv[0]))
			pid = subshell_spawn(text.at, io, status);
		else
			pid = program_spawn(command.argv, io, status);
	}
	put_back(&command, saved);
	return pid;
}

/* Start a command beside the shell, with map `io`. Returns its pid, or -1 with *status set. */
static pid_t start(const struct node *node, struct io *io, int *status)
{
	struct io *outer = shell.io;
	struct text text = {0};
	pid_t pid;

	shell.io = io;
	if (node->kind == NODE_COMMAND) {
		pid = start_command(node, io, status);
	} else {
		print_node(&text, node);
		pid = subshell_spawn(text.at ? text.at : "", io, status);
	}
	shell.io = outer;
	return pid;
}

static int run_pipe(const struct node *pipe_node)
{
	pid_t pids[DEPTH_MAX];
	int count = 0, status = 0, input = shell.io->fd[0], ends[2];

	for (const struct node *node = pipe_node->a; node; node = node->next) {
		struct io io = {0};

		if (count == DEPTH_MAX || (node->next && pipe(ends) != 0)) {
			shell_error("cannot make the pipe: %s", strerror(errno));
			status = TOOL_FAIL;
			break;
		}
		memcpy(io.fd, shell.io->fd, sizeof(io.fd));
		io.fd[0] = input;
		if (node->next)
			io.fd[1] = ends[1];
		pids[count++] = start(node, &io, &status);
		io_close(&io);
		if (input != shell.io->fd[0])
			close(input);
		if (node->next) {
			close(ends[1]);
			input = ends[0];
		}
	}
	for (int i = 0; i < count; i++) {
		const int one = pids[i] > 0 ? job_wait(pids[i]) : status;

		if (i == count - 1)
			status = one;
	}
	return status;
}

static int run_background(const struct node *node)
{
	struct io io = {0};
	struct text text = {0};
	int status = 0, null = -1;
	pid_t pid;

	memcpy(io.fd, shell.io->fd, sizeof(io.fd));
	if (!shell.interactive)
		io.fd[0] = null = open("/dev/null", O_RDONLY);
	pid = start(node->a, &io, &status);
	io_close(&io);
	if (null >= 0)
		close(null);
	if (pid < 0)
		return status;
	print_node(&text, node->a);
	shell.last_background = pid;
	job_add(pid, text.at);
	return 0;
}

static int run_subshell(const struct node *node)
{
	struct text text = {0};
	int status = 0;
	pid_t pid;

	print_node(&text, node->a);
	pid = subshell_spawn(text.at ? text.at : "", shell.io, &status);
	return pid < 0 ? status : job_wait(pid);
}

static int run_function(const char *body, const struct command *command)
{
	const struct shell outer = shell;
	int status;

	if (shell.calls >= CALLS_MAX) {
		shell_error("%s: calls nested too deeply", command->argv[0]);
		return exec_failed();
	}
	shell.calls++;
	shell.loops = 0;
	shell.args = command->argv + 1;
	shell.arg_count = command->argc - 1;
	shell.arg_block = NULL;
	status = exec_text(mem_text(body, strlen(body)));
	if (shell.control == CONTROL_RETURN)
		shell.control = CONTROL_NONE;
	free(shell.arg_block);
	shell.calls = outer.calls;
	shell.loops = outer.loops;
	shell.args = outer.args;
	shell.arg_count = outer.arg_count;
	shell.arg_block = outer.arg_block;
	return status;
}

/* Make the shell's descriptors 0..2 those of the command. Returns false if that failed. */
static bool enter_fds(int saved[static 3])
{
	int wanted[3];
	bool ok = true;

	for (int i = 0; i < 3; i++) {
		const int fd = shell.io->fd[i];

		saved[i] = fcntl(i, F_DUPFD, IO_FDS);
		wanted[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD, IO_FDS);
		ok &= fd < 0 || wanted[i] >= 0;
	}
	for (int i = 0; i < 3; i++) {
		if (wanted[i] >= 0) {
			dup2(wanted[i], i);
			close(wanted[i]);
		} else {
			close(i);
		}
	}
	return ok;
}

static void leave_fds(const int saved[static 3])
{
	for (int i = 0; i < 3; i++) {
		if (saved[i] >= 0) {
			dup2(saved[i], i);
			close(saved[i]);
		} else {
			close(i);
		}
	}
}

static int run_builtin(builtin *run, const struct command *command)
{
	const int *fd = shell.io->fd;
	const bool here = fd[0] == 0 && fd[1] == 1 && fd[2] == 2;
	int saved[3], status = TOOL_FAIL;

	fflush(stdout);
	if (here || enter_fds(saved))
		status = run(command->argc, command->argv);
	if (fflush(stdout) != 0) {
		shell_error("%s: write error: %s", command->argv[0], strerror(errno));
		status = TOOL_FAIL;
	}
	clearerr(stdout);
	if (!here)
		leave_fds(saved);
	return status;
}

/* `exec`: without a command its redirections stay. */
static int run_exec(struct io *outer, struct io *io, const struct command *command)
{
	if (command->argc > 1)
		return exec_replace(command->argv + 1);
	memcpy(outer->fd, io->fd, sizeof(io->fd));
	io->count = 0;
	return 0;
}

static int run_words(struct io *outer, struct io *io, const struct command *command)
{
	const char *body = function_get(command->argv[0]);
	builtin *run = builtin_find(command->argv[0]);
	int status;
	pid_t pid;

	if (body)
		return run_function(body, command);
	if (!strcmp(command->argv[0], "exec"))
		return run_exec(outer, io, command);
	if (run)
		return run_builtin(run, command);
	pid = program_spawn(command->argv, io, &status);
	return pid < 0 ? status : job_wait(pid);
}

static int run_command(const struct node *node)
{
	struct io *outer = shell.io, io = {0};
	struct command command;
	struct saved *saved;
	int status = TOOL_FAIL;

	if (!expand_command(node, &command))
		return exec_failed();
	memcpy(io.fd, outer->fd, sizeof(io.fd));
	if (io_apply(&io, node->redirs)) {
		shell.io = &io;
		trace(&command);
		if (command.argc == 0) {
			status = assign(&command, NULL) ? 0 : exec_failed();
			if (status == 0 && captured)
				status = shell.status;
		} else {
			saved = saved_for(&command);
			status = assign(&command, saved) ? run_words(outer, &io, &command)
							 : exec_failed();
			put_back(&command, saved);
		}
		shell.io = outer;
	}
	io_close(&io);
	return status;
}

static int run_list(const struct node *list)
{
	int status = list->a ? shell.status : 0;

	for (const struct node *node = list->a; node && !shell.control; node = node->next)
		status = exec_node(node);
	return status;
}

/* Run what is only asked for its status. */
static int run_tested(const struct node *node)
{
	int status;

	shell.tested++;
	status = exec_node(node);
	shell.tested--;
	return status;
}

static int run_and_or(const struct node *node)
{
	const int status = run_tested(node->a);

	if (shell.control || (status == 0) != (node->kind == NODE_AND))
		return status;
	return exec_node(node->b);
}

static int run_if(const struct node *node)
{
	const int status = run_tested(node->a);

	if (shell.control)
		return status;
	if (status == 0)
		return exec_node(node->b);
	return node->c ? exec_node(node->c) : 0;
}

/* After a loop's body: true if the next round comes. */
static bool goes_on(void)
{
	const bool again = shell.control == CONTROL_CONTINUE;

	if (shell.control != CONTROL_BREAK && !again)
		return shell.control == CONTROL_NONE;
	if (--shell.levels > 0)
		return false;
	shell.control = CONTROL_NONE;
	return again;
}

static int run_while(const struct node *node)
{
	int status = 0;

	shell.loops++;
	for (;;) {
		const int tested = run_tested(node->a);

		if (shell.control ? !goes_on() : (tested == 0) != (node->kind == NODE_WHILE))
			break;
		if (!shell.control)
			status = exec_node(node->b);
		if (!goes_on())
			break;
	}
	shell.loops--;
	return shell.control == CONTROL_EXIT || shell.control == CONTROL_RETURN ? shell.status
										: status;
}

static int run_for(const struct node *node)
{
	int count = shell.arg_count, status = 0;
	char **words = shell.args;

	if (node->in && !(words = expand_words(node->words, &count)))
		return exec_failed();
	if (!node->in) { /* the body may change the arguments */
		words = mem_alloc((size_t)count * sizeof(*words));
		for (int i = 0; i < count; i++)
			words[i] = mem_text(shell.args[i], strlen(shell.args[i]));
	}
	shell.loops++;
	for (int i = 0; i < count; i++) {
		var_set(node->name, words[i]);
		status = exec_node(node->b);
		if (!goes_on())
			break;
	}
	shell.loops--;
	return status;
}

static int run_case(const struct node *node)
{
	const char *value = expand_text(node->name), *pattern;

	if (!value)
		return exec_failed();
	for (const struct arm *arm = node->arms; arm; arm = arm->next) {
		for (const struct word *word = arm->patterns; word; word = word->next) {
			pattern = expand_pattern(word->text);
			if (!pattern)
				return exec_failed();
			if (fnmatch(pattern, value, 0) == 0)
				return exec_node(arm->body);
		}
	}
	return 0;
}

static int run_definition(const struct node *node)
{
	struct text text = {0};

	print_node(&text, node->a);
	function_set(node->name, text.at);
	return 0;
}

static int run(const struct node *node)
{
	switch (node->kind) {
	case NODE_COMMAND:
		return run_command(node);
	case NODE_PIPE:
		return run_pipe(node);
	case NODE_NOT:
		return !run_tested(node->a);
	case NODE_AND:
	case NODE_OR:
		return run_and_or(node);
	case NODE_LIST:
		return run_list(node);
	case NODE_BACKGROUND:
		return run_background(node);
	case NODE_SUBSHELL:
		return run_subshell(node);
	case NODE_GROUP:
		return exec_node(node->a);
	case NODE_IF:
		return run_if(node);
	case NODE_WHILE:
	case NODE_UNTIL:
		return run_while(node);
	case NODE_FOR:
		return run_for(node);
	case NODE_CASE:
		return run_case(node);
	case NODE_FUNCTION:
		return run_definition(node);
	}
	return 0;
}

/* Run a compound command with its redirections in force. */
static int run_redirected(const struct node *node)
{
	struct io *outer = shell.io, io = {0};
	int status = TOOL_FAIL;

	memcpy(io.fd, outer->fd, sizeof(io.fd));
	if (io_apply(&io, node->redirs)) {
		shell.io = &io;
		status = run(node);
		shell.io = outer;
	}
	io_close(&io);
	return status;
}

int exec_node(const struct node *node)
{
	const bool simple = node->kind == NODE_COMMAND || node->kind == NODE_PIPE ||
			    node->kind == NODE_SUBSHELL;
	void *mark = mem_mark();
	int status;

	if (shell.control)
		return shell.status;
	status = node->redirs && node->kind != NODE_COMMAND ? run_redirected(node) : run(node);
	if (shell.control != CONTROL_EXIT && shell.control != CONTROL_RETURN)
		shell.status = status;
	if (shell.interrupted) {
		shell.control = CONTROL_INTERRUPT;
		shell.status = STATUS_SIGNAL + SIGINT;
	}
	if (simple && status && shell.exit_on_error && !shell.tested && !shell.control)
		shell.control = CONTROL_EXIT;
	mem_release(mark);
	return shell.status;
}

int exec_source(struct source *source)
{
	enum parse_result result;
	struct node *node;

	do {
		void *mark = mem_mark();

		result = parse_command(source, &node);
		if (result == PARSE_COMMAND && node)
			exec_node(node);
		else if (result == PARSE_ERROR)
			shell.status = STATUS_SYNTAX;
		mem_release(mark);
	} while (result == PARSE_COMMAND && !shell.control);
	return shell.status;
}

int exec_text(const char *text)
{
	struct source source = source_of(text);
	const int status = exec_source(&source);

	source_free(&source);
	return status;
}

char *exec_capture(const char *text)
{
	struct io io = {0};
	struct text out = {.at = mem_text("", 0)};
	char buffer[4096];
	int ends[2];
	ssize_t n;
	pid_t pid;

	if (pipe(ends) != 0) {
		shell_error("cannot make the pipe: %s", strerror(errno));
		return NULL;
	}
	memcpy(io.fd, shell.io->fd, sizeof(io.fd));
	io.fd[1] = ends[1];
	pid = subshell_spawn(text, &io, &shell.status);
	close(ends[1]);
	while (pid > 0 &&
	       ((n = read(ends[0], buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR)))
		for (ssize_t i = 0; i < n; i++)
			if (buffer[i])
				text_add(&out, buffer[i]);
	close(ends[0]);
	if (pid > 0)
		shell.status = job_wait(pid);
	captured = true;
	while (out.length > 0 && out.at[out.length - 1] == '\n')
		out.at[--out.length] = 0;
	return out.at;
}

int exec_replace(char **argv)
{
	int status;
	const pid_t pid = program_spawn(argv, shell.io, &status);

	shell.status = pid < 0 ? status : job_wait(pid);
	shell.control = CONTROL_EXIT;
	return shell.status;
}
