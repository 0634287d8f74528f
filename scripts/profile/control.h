/*
 * control.h - what scripts/profile tells the emulator's part, in the file that PROFILE_CONTROL
 * names.
 *
 * A line each: `image NAME PATH`, of which the first is the kernel, and, before those, what is
 * wanted:
 *
 *   out PATH               where the result goes
 *   region NAME            count, or trace, in that region alone
 *   trace IMAGE FUNCTION   list what it executes (trace.h); of trace, too: depth, skip, limit, each
 * with a number page FRAME             list what writes into this page frame (watch.h) block DRIVE
 * BLOCK      list what goes to this block of a drive, and who wrote it (watch.h)
 */
#ifndef PROFILE_CONTROL_H
#define PROFILE_CONTROL_H

#include <stdio.h>
#include "guest.h"

/* Reads the file, and all that it names. */
void control_start(guest_reader *reader);

/* What a line says behind its first word; null: there is no such line. */
const char *control_option(const char *word);

/* The same, as a number. */
uint64_t control_number(const char *word, uint64_t otherwise);

/* Where results go; what was counted is written there at the end. */
FILE *control_out(void);
void control_end(void);

#endif
