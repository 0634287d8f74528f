/*
 * control.h - what scripts/profile tells the emulator's part, in the file that PROFILE_CONTROL
 * names.
 *
 * A line each:  `out PATH`, `region NAME`, and `image NAME PATH`, of which the first is the kernel;
 * region comes before images.  The rest is for tracing (trace.h).
 */
#ifndef PROFILE_CONTROL_H
#define PROFILE_CONTROL_H

#include "guest.h"

/* Reads the file, and all that it names. */
void control_start(guest_reader *reader);

/* Writes what was counted. */
void control_end(void);

#endif
