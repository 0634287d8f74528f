/*
 * system.h - the machine as a whole, for programs that may decide over it.
 * Called by the shell and the tool `halt`; implemented in libos/posix/halt.c.
 */
#ifndef LIBOS_SYSTEM_H
#define LIBOS_SYSTEM_H

/*
 * Stops all other processes at their next call, writes and unmounts the file system, and stops the
 * machine with `status` for the emulator's runner.  A process without the machine's capability asks
 * init to do it.  Returns only if that failed: -1 with errno set.
 */
int system_halt(int status);

#endif
