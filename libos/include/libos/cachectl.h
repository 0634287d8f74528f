/*
 * cachectl.h - looking at and setting the cache of a mounted file system: of the one that `path` is
 * on. All POSIX processes of one user share it: whoever may run programs there may set it.
 *
 * Owns nothing.  Implemented in libos/posix/advise.c; called by the tool `bufctl` and by
 * benchmarks.
 */
#ifndef LIBOS_CACHECTL_H
#define LIBOS_CACHECTL_H

#include <libos/buf.h>

/* 0, or -1 with errno: ENODEV (that file system has no cache), or what is wrong with the path.
 * *policy is the name of the cache's policy. */
int cachectl_look(const char *path, struct buf_stats *stats, struct buf_tuning *tuning,
		  const char **policy);

/* Writes what is dirty, then sets the numbers (buf_tune).  0, or -1 with errno set. */
int cachectl_tune(const char *path, const struct buf_tuning *tuning);

/* Writes what is dirty, then forgets what nobody is using: the next reads go to the disk. */
int cachectl_drop(const char *path);

#endif
