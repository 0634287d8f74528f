/*
 * exercise.h - a fixed sequence of operations that touches everything on a volume and believes no
 * result: for volumes that are damaged, and for disks that fail. Called by test_fuzz.c and
 * test_faults.c.
 */
#ifndef TEST_EXERCISE_H
#define TEST_EXERCISE_H

#include "host.h"

/* Walks the tree, reads all, then changes much. Errors are expected; memory and time are what is
 * tested. */
void exercise(struct rig *r);

/* The names that exercise changes, on a small volume made by mke2fs: `d` is its disk. 0 or an
 * error. */
int exercise_prepare(struct disk *d);

/* The same on a volume of any variant; without directories and links where it has none. */
int exercise_prepare_as(const struct fs_ops *ops, struct disk *d);

#endif
