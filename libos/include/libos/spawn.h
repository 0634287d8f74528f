/*
 * spawn.h - starting a program as a new process, without the copy that fork makes.
 * Called by the shell, popen, system and tests; implemented in libos/posix/spawn.c.
 */
#ifndef LIBOS_SPAWN_H
#define LIBOS_SPAWN_H

/*
 * Starts the program at `path` (an ELF file, or a script that begins with #! and an interpreter).
 * The child's descriptor i is the parent's fds[i], closed if -1, for i below nfds, and there are no
 * others.  It has the parent's directory, umask, group and terminal, ignores the signals that the
 * parent ignores, and gets a share of the parent's quotas that comes back when it is waited for
 * (see spawn.c).  envp NULL: the parent's environ.  Returns the process id, or -1 with errno set.
 */
int spawn(const char *path, char *const argv[], char *const envp[], const int *fds, int nfds);

/* The same, in process group `pgrp`: 0 makes a new one, negative keeps the parent's. */
int spawn_group(const char *path, char *const argv[], char *const envp[], const int *fds, int nfds,
		int pgrp);

/* The capability slot that names child `pid` (libos/slots.h); -1 with ECHILD: it is none, or ended.
 */
int spawn_cap(int pid);

#endif
