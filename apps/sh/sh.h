/*
 * The shell's parts and what they tell each other. It does not fork: whatever must run beside the
 * shell (pipe elements, subshells, substitutions, background lists) is printed back to text and
 * given to a second shell, along with the state it needs (exec.c, subshell_spawn).
 *
 * Memory: parse trees and expanded words come from mem_alloc and live until the mark taken before
 * them is released; variables, functions and jobs are on the heap. Descriptors: commands run with
 * the map shell.io (their number to ours), so a redirection never disturbs the shell's own.
 * Single-threaded; the only thing a signal handler touches is shell.interrupted.
 */
#ifndef SH_H
#define SH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	IO_FDS = 10,	 /* descriptors a command can name: 0..9 */
	IO_OPENED = 32,	 /* redirections one command can have */
	DEPTH_MAX = 100, /* nesting of commands and quotes in a text */
	CALLS_MAX = 100, /* nesting of functions, eval and sourced files */
	STATUS_SYNTAX = 2,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	STATUS_SIGNAL = 128,
};

/* Why the commands that follow are to be skipped. */
enum control {
	CONTROL_NONE,
	CONTROL_BREAK,
	CONTROL_CONTINUE,
	CONTROL_RETURN,
	CONTROL_EXIT,
	CONTROL_INTERRUPT
};

struct io {
	int fd[IO_FDS]; /* the shell's own number, -1 when closed */
	int opened[IO_OPENED];
	int count; /* of opened: what to close afterwards */
};

struct shell {
	struct io *io;
	const char *self; /* path of this program, for subshells */
	const char *name; /* $0 */
	char **args;	  /* $1.. */
	int arg_count;
	void *arg_block; /* heap that args lies in, if `set` made them */
	int status;	 /* $? */
	pid_t pid;	 /* $$, the same in subshells */
	pid_t last_background;
	enum control control;
	int levels; /* loops still to leave, for break and continue */
	int loops;  /* loops around the current command */
	int calls;
	int tested; /* above 0: a failure is being looked at, so set -e does not act */
	bool interactive, exit_on_error, trace;
	volatile sig_atomic_t interrupted;
};

extern struct shell shell;

/* Print `sh: message` on the current command's descriptor 2. */
void shell_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- memory and text (mem.c) --- */
void *mem_alloc(size_t size);
void *mem_mark(void);
void mem_release(void *mark);
char *mem_text(const char *text, size_t length);

struct text {
	char *at; /* ends in NUL once something was put */
	size_t length, room;
};

void text_add(struct text *text, char c);
void text_put(struct text *text, const char *more);
/* Add `word` in single quotes, so that the shell reads back exactly it. */
void text_quote(struct text *text, const char *word);

/* --- the tree --- */
struct word {
	struct word *next;
	char *text; /* raw: quotes and dollars are still in it */
};

enum redir_kind { REDIR_IN, REDIR_OUT, REDIR_APPEND, REDIR_BOTH, REDIR_DUP, REDIR_TEXT };

struct redir {
	struct redir *next;
	int fd;
	enum redir_kind kind;
	char *word;
};

struct arm {
	struct arm *next;
	struct word *patterns;
	struct node *body;
};

enum node_kind {
	NODE_COMMAND,	 /* words, redirs */
	NODE_PIPE,	 /* a: elements chained by next */
	NODE_NOT,	 /* a */
	NODE_AND,	 /* a, b */
	NODE_OR,	 /* a, b */
	NODE_LIST,	 /* a: commands chained by next; may be empty */
	NODE_BACKGROUND, /* a */
	NODE_SUBSHELL,	 /* a, redirs */
	NODE_GROUP,	 /* a, redirs */
	NODE_IF,	 /* a, b, else c, redirs */
	NODE_WHILE,	 /* a, b, redirs */
	NODE_UNTIL,	 /* a, b, redirs */
	NODE_FOR,	 /* name, words if in, b, redirs */
	NODE_CASE,	 /* name: the raw word; arms, redirs */
	NODE_FUNCTION,	 /* name, a */
};

struct node {
	enum node_kind kind;
	bool in;
	struct node *next, *a, *b, *c;
	struct word *words;
	struct redir *redirs;
	struct arm *arms;
	char *name;
};

/* --- reading (lex.c, parse.c) --- */
struct source {
	bool (*more)(struct source *); /* append a line by source_append; NULL: the text is all */
	char *text;		       /* heap */
	size_t at, length, room;
	int line;
	bool ended;	/* more said no, and is not asked again */
	bool continued; /* in the middle of a command: for the second prompt */
};

void source_append(struct source *source, const char *text, size_t length);
/* A source whose text is `text`. source_free releases it. */
struct source source_of(const char *text);
void source_free(struct source *source);

enum token_kind { TOKEN_END, TOKEN_NEWLINE, TOKEN_WORD, TOKEN_NUMBER, TOKEN_OPERATOR };

struct token {
	enum token_kind kind;
	char *text; /* raw word, digits before a redirection, or operator */
};

/* The next token. On failure *error is set to a message and TOKEN_END returned. */
struct token lex_token(struct source *source, const char **error);
/* Read a line of a here-document; NULL at the end. */
char *lex_line(struct source *source);
/* Length of text up to and with the `close` that ends it, or 0 when it is missing. */
size_t lex_span(const char *text, char close);

enum parse_result { PARSE_END, PARSE_COMMAND, PARSE_ERROR };

/* Parse the next complete command; NULL in *node for an empty line. Errors are printed. */
enum parse_result parse_command(struct source *source, struct node **node);
/* Append the command's text, on one logical line unless quotes hold newlines. */
void print_node(struct text *text, const struct node *node);

/* --- variables (var.c) --- */
bool var_is_name(const char *text, size_t length);
/* Length of NAME in a raw word NAME=..., else 0. */
size_t var_assignment(const char *word);
const char *var_get(const char *name);
void var_set(const char *name, const char *value);
void var_export(const char *name);
bool var_exported(const char *name);
void var_unset(const char *name);
/* A NULL-terminated environment from mem_alloc. */
char **var_environment(void);
/* Print as assignments: what subshells do not get by the environment, or all for `set`. */
void var_print(struct text *text, bool all);
void var_print_exported(struct text *text);
const char *function_get(const char *name);
void function_set(const char *name, const char *text);
void function_unset(const char *name);

/* --- expansion (expand.c, arith.c): NULL after a printed error --- */
char **expand_words(const struct word *words, int *count);
char *expand_text(const char *raw);
char *expand_pattern(const char *raw);
bool arith_eval(const char *text, long long *value);

/* --- running (exec.c, io.c, job.c, builtin.c) --- */
int exec_node(const struct node *node);
/* Run all of a source. Returns the last status. */
int exec_source(struct source *source);
int exec_text(const char *text);
/* The command that is running was an expansion that failed: a script ends there. */
int exec_failed(void);
/* Output of running `text` in a subshell; without its last newlines. NULL after an error. */
char *exec_capture(const char *text);
/* Run argv as a program in place of the shell: wait for it and exit. */
int exec_replace(char **argv);

/* Find `name` along PATH. Status 0 with *path set, or 126, 127. */
int path_find(const char *name, char **path);
/* Start a program with map `io`. Returns its pid, or -1 with *status set, after a message. */
pid_t program_spawn(char **argv, const struct io *io, int *status);
/* Start a second shell that runs `text`. */
pid_t subshell_spawn(const char *text, const struct io *io, int *status);

/* Apply redirections to `io`. False after a message. */
bool io_apply(struct io *io, const struct redir *redirs);
void io_close(struct io *io);
bool io_write(int fd, const char *data, size_t size);

void job_add(pid_t pid, const char *text);
/* Wait for a process. Returns its status as $? has it. */
int job_wait(pid_t pid);
/* Collect finished jobs, telling about them when interactive. */
void job_poll(void);
int job_command(int argc, char **argv);
int wait_command(int argc, char **argv);
/* Process of job %N, or 0. */
pid_t job_pid(const char *word);

typedef int builtin(int argc, char **argv);
builtin *builtin_find(const char *name);
/* Names for completion: the i-th, or NULL. */
const char *builtin_name(int i);

/* --- line editor (edit.c) --- */
/* Read a line with editing. Length, newline included; 0 at end of input; -1 interrupted. */
int edit_line(const char *prompt, struct text *line);
/* The i-th line of history, from 0, or NULL. */
const char *edit_history(int i);

#endif
