/*
 * Host stand-in for the libOS's <libos/spawn.h>, so that the shell can be tested on Linux.
 * Callers: the programs in apps/, when built natively by apps/tests/host/run.sh.
 */
#ifndef LIBOS_SPAWN_H
#define LIBOS_SPAWN_H

/*
 * Start the program at `path`; the child's descriptor i is the parent's fds[i], closed if -1, for
 * i below nfds, and there are no others. Returns the process id, or -1 with errno set.
 */
int spawn(const char *path, char *const argv[], char *const envp[], const int *fds, int nfds);

/* No capabilities here: always -1 with errno ECHILD. */
int spawn_cap(int pid);

#endif
