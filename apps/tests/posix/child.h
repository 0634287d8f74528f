/*
 * child.h - what the test program does when a test starts it again with arguments.
 * No state.  Called by posix.c; started by run_child().
 */
#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

int child_main(int argc, char **argv);

/* Starts this program as a child that does `what` with `arg` (may be NULL); descriptors as given.
 */
pid_t start_child(const char *what, const char *arg, const int *fds, int nfds);

/* The same with descriptors 0, 1, 2, and waits: the status as of waitpid, or -1. */
int run_child(const char *what, const char *arg);

#endif
