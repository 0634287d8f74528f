/*
 * What every tool shares: its name in messages, options, checked output, lines, directory lists.
 *
 * Invariant: each message is one line on stderr, `prog: message`; a usage error exits with
 * TOOL_USAGE; no tool exits 0 after output was lost. Single-threaded, so no lock.
 * Callers: the programs in apps/, each from its main thread.
 */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum {
	TOOL_OK = 0,
	TOOL_FAIL = 1,
	TOOL_USAGE = 2,
	TOOL_BUFFER = 65536, /* bytes moved per read or write by the copying tools */
};

#define TOOL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Call first. Takes argv; remembers the last part of argv[0] as the name, and buffers stdout. */
void tool_init(char **argv);

/* The name given to tool_init. */
const char *tool_name(void);

/*
 * The next option, as getopt(3) with the same globals optarg and optind; -1 at the end.
 * An unknown option or a missing argument ends the program with TOOL_USAGE and `usage`.
 */
int tool_option(int argc, char **argv, const char *spec, const char *usage);

/* Print `prog: message`. */
void tool_warn(const char *fmt, ...) TOOL_PRINTF(1, 2);

/* Print `prog: what: reason`, the reason being errno's. Returns TOOL_FAIL. */
int tool_warn_errno(const char *what);

/* Print `prog: message` and exit with `status`. */
_Noreturn void tool_die(int status, const char *fmt, ...) TOOL_PRINTF(2, 3);

/* Print `prog: usage: text` and exit with TOOL_USAGE. */
_Noreturn void tool_usage(const char *text);

/* Flush stdout. Returns `status`, or TOOL_FAIL after a message if anything was not written. */
int tool_done(int status);

/* malloc, realloc, strdup that exit with a message when memory is out. */
void *tool_alloc(size_t size);
void *tool_grow(void *old, size_t size);
char *tool_copy(const char *text);

/* `dir/file` in new memory, without doubling a slash. */
char *tool_join(const char *dir, const char *file);

/* The part of `path` after its last slash; trailing slashes do not count. New memory. */
char *tool_base(const char *path);

/* The program's path along PATH, or as given. New memory. */
char *tool_program(const char *program);

/* A decimal number >= 0, optionally followed by k, M or G (powers of 1024); else TOOL_USAGE. */
unsigned long long tool_number(const char *text);

/* `bytes` as a short text such as 4.0K; `out` has room for 24 bytes. Returns out. */
char *tool_human(unsigned long long bytes, char *out);

/*
 * Start the program argv[0], looked for along PATH, with this one's stdin, stdout and stderr.
 * Returns its process id, or -1 with errno set.
 */
pid_t tool_start(char **argv);

/* Wait for it. Returns its exit status, 128 and the signal's number if that ended it. */
int tool_wait(pid_t pid);

/* Write all of `size` bytes to `fd`. False with errno set if that failed. */
bool tool_write(int fd, const void *data, size_t size);

/* A line and the memory it lies in; start with all zero, free(text) in the end. */
struct tool_line {
	char *text;    /* ends in NUL, without its newline */
	size_t length; /* bytes before that NUL; NULs inside are possible */
	size_t room;
	bool ended; /* the newline was there: false only on a last, cut line */
};

/* Read the next line. False at end of file or error (see ferror). */
bool tool_line_read(FILE *file, struct tool_line *line);

/*
 * Call `visit` with each path opened for reading, or with stdin if there is none (name "-").
 * Failures to open or read are reported. Returns the worst status, visit's or TOOL_FAIL.
 */
int tool_each(char **paths, int (*visit)(FILE *file, const char *name));

/* The names in a directory, sorted, without `.` and `..`. */
struct tool_names {
	char **at;
	size_t count;
};

/* Read directory `path`. False with errno set (names empty) if it cannot be read. */
bool tool_names_read(const char *path, struct tool_names *names);
void tool_names_free(struct tool_names *names);

/* Sort strings in byte order, for qsort: pointers to char *. */
int tool_compare(const void *left, const void *right);

#endif
