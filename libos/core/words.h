/*
 * words.h - putting together a message in a caller's buffer, where there may be no C library.
 * Called by core/bpf.c and core/group.c.
 */
#ifndef CORE_WORDS_H
#define CORE_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* Room for `room` bytes, which end in NUL always; words of a file may be anything: what is not
 * printable becomes `?`. */
struct words {
	char *to;
	size_t room;
};

static inline struct words words_in(char *to, size_t room)
{
	struct words w;

	w.to = to;
	w.room = room;
	return w;
}

/* Forgets what was there. */
void words_begin(const struct words *w);

/* Behind what is there already, as much as there is room for. */
void words_add(const struct words *w, const char *text);
void words_number(const struct words *w, uint64_t n);

#endif
