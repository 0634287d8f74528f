/*
 * behaviour.h - access patterns, and how many of their accesses each policy finds in the cache.
 * Called by suite.c.
 */
#ifndef BUF_BEHAVIOUR_H
#define BUF_BEHAVIOUR_H

#include <libos/buf.h>

enum { BEHAVIOUR_FRAMES = 32 };

enum pattern {
	PATTERN_SET = 0, /* fewer blocks than frames, again and again */
	PATTERN_LOOP,	 /* one block more than frames, round and round */
	PATTERN_SCAN,	 /* a set used often, and a long scan between each two uses of it */
	PATTERN_ADVISED, /* the same, and the scan was said to be of blocks used once */
	PATTERN_STEADY,	 /* a small set, one of it after each block of an endless scan */
	PATTERN_MOVE,	 /* another set than the one that was used often before */
	PATTERNS
};

extern const char *const behaviour_pattern[PATTERNS];

/* Bounds of the hits in percent. */
struct expected {
	const char *policy;
	uint8_t least[PATTERNS], most[PATTERNS];
};

/* The row of a policy; one that is not in the table may do what it likes. */
const struct expected *behaviour_of(const char *policy);

/* Runs a pattern on an empty cache of BEHAVIOUR_FRAMES: percent of hits in what it measures. */
uint32_t behaviour_hits(struct buf_cache *c, struct disk *d, enum pattern p);

#endif
