/*
 * memory.h - memory that lasts as long as the program: a command does one thing and ends, so
 * nothing is freed before.  Running out of it ends the program, so nobody has to ask.
 */
#ifndef DISK_MEMORY_H
#define DISK_MEMORY_H

#include <stddef.h>

/* Zeroed. */
void *memory_take(size_t bytes) __attribute__((returns_nonnull));

/* The text that printf would print. */
char *memory_text(const char *format, ...) __attribute__((returns_nonnull, format(printf, 1, 2)));

#endif
