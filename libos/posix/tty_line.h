/*
 * tty_line.h - the rules of a terminal line: what typed bytes become, what is echoed.
 *
 * Pure functions over struct posix_tty_line: no calls, no memory, no clock, so that the host tests
 * run them.  Lock: the terminal's, held by the caller.  Called by tty.c and tests.
 */
#ifndef POSIX_TTY_LINE_H
#define POSIX_TTY_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <libos/posix_segment.h>

enum { TTY_EOF = 0x100 };

/* What is to be sent to the terminal; bytes that do not fit are lost, as on a slow line. */
struct tty_echo {
	size_t length;
	char bytes[512];
};

/* Canonical mode, echo, signals, newline conversion: what a new terminal does. */
void tty_line_init(struct posix_tty_line *t);

/* The local modes are `lflag` from now on.  What was typed and not read is kept: a line that had no
 * end is read byte by byte when lines are over, and what has no end can be edited when they begin.
 */
void tty_line_modes(struct posix_tty_line *t, uint32_t lflag);

/* One typed byte.  Returns the signal that it stands for, or 0. */
int tty_line_input(struct posix_tty_line *t, uint8_t byte, struct tty_echo *echo);

/* Whether a read would give something (or an end of file) now. */
int tty_line_ready(const struct posix_tty_line *t);

/*
 * Takes up to n bytes: in canonical mode at most one line; 0 is an end of file.  Only when
 * tty_line_ready().
 */
size_t tty_line_take(struct posix_tty_line *t, char *to, size_t n);

/* Bytes waiting. */
size_t tty_line_waiting(const struct posix_tty_line *t);

/* Forgets what was typed and not read. */
void tty_line_flush(struct posix_tty_line *t);

/*
 * Converts output: puts at most `room` bytes into `to` and says in *used how many of the n bytes at
 * `from` they are.  Returns the bytes put.
 */
size_t tty_line_output(const struct posix_tty_line *t, const char *from, size_t n, size_t *used,
		       char *to, size_t room);

#endif
