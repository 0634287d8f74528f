/*
 * cachectl.h - looking at and setting the cache of the main file system, which all POSIX processes
 * of one user share: whoever may run programs there may set it.
 *
 * Owns nothing.  Implemented in libos/posix/advise.c; called by the tool `bufctl` and by
 * benchmarks.
 */
#ifndef LIBOS_CACHECTL_H
#define LIBOS_CACHECTL_H

#include <libos/buf.h>

/* 0, or -1 with errno ENODEV: there is no file system.  *policy is the name of the cache's policy.
 */
int cachectl_look(struct buf_stats *stats, struct buf_tuning *tuning, const char **policy);

/* Writes what is dirty, then sets the numbers (buf_tune).  0, or -1 with errno set. */
int cachectl_tune(const struct buf_tuning *tuning);

/* Writes what is dirty, then forgets what nobody is using: the next reads go to the disk. */
int cachectl_drop(void);

#endif
