/*
 * suite.h - what every order of the disk must keep: all requests are done, with the right contents,
 * and those that touch the same blocks in the order of their submission.
 *
 * One source for the machine (guest.c) and for the host (libos/test/seams), linked once with each
 * variant of the seam. What an order is for is asserted by what the arm travels.
 */
#ifndef ORDER_SUITE_H
#define ORDER_SUITE_H

#include <libos/disk.h>

enum {
	SUITE_BLOCKS = 400, /* blocks that the volume must have at least */
	SUITE_FLIGHT = 24,  /* requests at a time */
	SUITE_MOST = 4,	    /* blocks of one */
	SUITE_PAGES = SUITE_FLIGHT * SUITE_MOST,
};

struct suite {
	struct disk *disk;
	char *pages;						  /* SUITE_PAGES of them, aligned */
	void (*say)(const char *name, const char *why, int line); /* why NULL: it passed */
};

/* Runs all; how many failed. What the volume held is lost. */
int suite_run(const struct suite *s, const char *order);

#endif
