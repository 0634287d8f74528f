/*
 * spawn.h - running the programs that the tools leave work to (cp, mke2fs, e2fsck).
 */
#ifndef DISK_SPAWN_H
#define DISK_SPAWN_H

/*
 * Runs argv (argv[0] is looked up in PATH and the sbin folders; NULL at the end) and waits.  Each
 * line that it prints goes to `line`, without its newline; NULL: it prints to our own output.
 * Returns its exit status, 128 + the signal that ended it, or 127 when it cannot be run.
 */
int spawn_run(const char *const argv[], void (*line)(const char *text));

/* The same without `line`; dies unless the status is 0. */
void spawn_must(const char *const argv[]);

#endif
