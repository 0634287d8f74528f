/*
 * suite.h - what every policy of the buffer cache must do, and what each is for.
 *
 * One source for the machine (guest.c: a bare program on an extent of its own) and for the host
 * (libos/test/seams: a disk in memory, under sanitizers), linked once with each variant of the
 * seam.
 */
#ifndef BUF_SUITE_H
#define BUF_SUITE_H

#include <libos/buf.h>

enum {
	SUITE_BLOCKS = 400, /* blocks that the volume must have at least */
	SUITE_FRAMES = 320, /* page-aligned frames at `frames` */
	SUITE_REGION = 256 << 10,
};

struct suite {
	struct disk *disk;
	void *frames, *region;
	void *page;						  /* one more frame */
	void (*say)(const char *name, const char *why, int line); /* why NULL: it passed */
};

/* Runs all; how many failed. What the volume held is lost. */
int suite_run(const struct suite *s);

#endif
