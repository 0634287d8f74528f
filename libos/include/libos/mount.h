/*
 * mount.h - file systems side by side: attaching one to a directory, detaching it, making one.
 *
 * Owns: the calls of `mount`, `umount` and `mkfs`.  All processes of the segment see the same
 * mounts; each needs the variant among those it was linked with (fs=... of its LIBOS line) to use
 * files there, and gets ENODEV where it has not.  Only user 0 mounts.  Called by programs; done in
 * libos/posix/mount.c.
 */
#ifndef LIBOS_MOUNT_H
#define LIBOS_MOUNT_H

#include <stdint.h>

enum { MOUNT_WHY = 160, MOUNT_NAME = 16, MOUNT_PATH = 1024, MOUNT_PLACES = 8 };

struct mount_wish {
	const char *type;   /* a variant's name: "mem", "raw" … */
	const char *source; /* an extent's name; NULL or "" where the variant needs none */
	const char *target; /* a directory that nothing is mounted on */
	uint64_t size;	    /* most bytes, of one in memory; 0: an eighth of the segment */
	int readonly;
};

/* 0, or -1 with errno, and with words in `why` if there are any to say. */
int mount_make(const struct mount_wish *wish, char why[MOUNT_WHY]);

/* Detaches what is mounted on `target`: -1 with EINVAL (nothing is), EBUSY (files there are in
 * use). */
int mount_end(const char *target);

/* Makes the extent an empty file system of that type; what was there is lost. */
int mount_format(const char *type, const char *extent, char why[MOUNT_WHY]);

struct mount_info {
	char type[MOUNT_NAME];	 /* "?" when this program is not linked with it */
	char source[MOUNT_NAME]; /* "" for one in memory */
	char target[MOUNT_PATH];
	int readonly;
	char message[160]; /* why, or "" */
};

/* What is mounted at place i of MOUNT_PLACES: 1, 0 (nothing), -1 with errno. */
int mount_look(unsigned i, struct mount_info *out);

/* The i-th variant that this program is linked with, or NULL. */
const char *mount_variant(unsigned i);

#endif
