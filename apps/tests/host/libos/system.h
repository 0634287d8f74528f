/*
 * Host stand-in for the libOS's <libos/system.h>: halting ends the program with `status`.
 */
#ifndef LIBOS_SYSTEM_H
#define LIBOS_SYSTEM_H

/* Stop the machine. Returns only if that failed: -1 with errno set. */
int system_halt(int status);

#endif
