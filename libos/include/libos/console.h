/*
 * console.h - bytes to and from the session of LAYOUT_CAP_CONSOLE.
 *
 * Owns nothing; waits for the kernel's buffer by events.  Memory that the kernel is told of is made
 * present first.  Callers: start-up, the terminal of the POSIX layer, the bare personality.
 */
#ifndef LIBOS_CONSOLE_H
#define LIBOS_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

/* Writes all n bytes, waiting for room.  0, or a negative errno (no console: -EBADF). */
int console_write(const void *bytes, size_t n);

/* Writes what fits now: how many bytes, or a negative errno. */
int64_t console_write_some(const void *bytes, size_t n);

/* Up to n bytes that were typed; -EAGAIN when there are none (EXO_EV_CONSOLE_IN will tell). */
int64_t console_read_some(void *bytes, size_t n);

/* As console_read_some, but waits for at least one. */
int64_t console_read(void *bytes, size_t n);

/* A string, a number in hex or decimal; for messages where no formatter is. */
void console_print(const char *text);
void console_hex(uint64_t n);
void console_dec(uint64_t n);

#endif
