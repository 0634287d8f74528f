/*
 * exotop.h - what the files of exotop share.  One process, no lock.
 */
#ifndef EXOTOP_H
#define EXOTOP_H

#include <stddef.h>
#include <stdint.h>

enum { NAME = 16 };

/* A name out of a table: `size` bytes, NUL-terminated only when shorter. */
const char *name_of(const volatile char *from, size_t size, char out[NAME + 1]);

unsigned percent(uint64_t part, uint64_t whole);

/* ---- events.c: what happens, by the trace ring ---------------------------------------------- */

/* Begins to record, or reads what somebody else records; ends the program when neither can be. */
void events_begin(void);

/* Watches for a second, then shows what each environment did in it. */
void events_show(void);

void events_end(void);

#endif
