/*
 * record.h - record locks of fcntl: which bytes of which file which process has locked.
 *
 * Pure functions over struct posix_records: no calls, no memory, no clock, so that the host tests
 * run them.  Invariant: locks of one process on one file are disjoint, and two that touch are of
 * different types; no two processes hold what conflicts.  Each write leaves the table sound but for
 * entries of the process that is being served: if that one dies inside, all of its own are dropped
 * with it.  Lock: posix_lock, held by the caller.  Called by record_lock.c and tests.
 */
#ifndef POSIX_RECORD_H
#define POSIX_RECORD_H

#include <stdint.h>
#include <libos/posix_segment.h>

/* The last byte of a lock without an end. */
#define RECORD_END ((uint64_t)INT64_MAX)

/* A lock of another process that `r` cannot be held beside; NULL: none. */
const struct posix_record *record_conflict(const struct posix_records *t,
					   const struct posix_record *r);

/* Whether r's process would wait for itself, by way of others that wait, if it waited for r. */
int record_deadlock(const struct posix_records *t, const struct posix_record *r);

/* r, which conflicts with nothing, is held from now on, in place of what its process held there.
 * 0 or -ENOLCK: the table is full, and nothing has changed. */
int record_hold(struct posix_records *t, const struct posix_record *r);

/* What r's process holds of r's bytes is given up.  0 or -ENOLCK, as there: the rest of a lock may
 * be two. */
int record_release(struct posix_records *t, const struct posix_record *r);

/* r's process waits for r, until it is record_met(); 0 or -ENOLCK. */
int record_want(struct posix_records *t, const struct posix_record *r);
void record_met(struct posix_records *t, const struct posix_record *r);

/* Everything of the process on that file. */
void record_drop(struct posix_records *t, const struct fs_node *node, int32_t pid);

#endif
