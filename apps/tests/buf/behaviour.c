/*
 * behaviour.c - see behaviour.h. The table says what each policy is for; the heads of libos/buf/
 * (lru.c and its neighbours) say why. Owns nothing.
 */
#include "behaviour.h"

#include <string.h>

enum { SET = 24, HOT = 16, SCAN = 40, ROUNDS = 10, FIRST_SCANNED = 100, SMALL = 8, STEPS = 280 };

const char *const behaviour_pattern[PATTERNS] = {
	"hits (percent, behind the colon) of a set smaller than the cache",
	"hits (percent, behind the colon) of a loop one block larger than the cache",
	"hits (percent, behind the colon) of a hot set between scans",
	"hits (percent, behind the colon) of a hot set between scans that were announced",
	"hits (percent, behind the colon) of a small set beside an endless scan",
	"hits (percent, behind the colon) of a new set after an old one",
};

static const struct expected table[] = {
	/*	   set, loop, scan, advised, steady, move */
	{"lru", {100, 0, 0, 0, 100, 100}, {100, 0, 0, 0, 100, 100}},
	{"clock", {100, 0, 0, 0, 90, 90}, {100, 5, 60, 60, 100, 100}},
	{"mru", {100, 85, 60, 60, 0, 0}, {100, 100, 90, 90, 100, 100}},
	{"arc", {100, 0, 95, 95, 95, 60}, {100, 5, 100, 100, 100, 100}},
	{"guided", {100, 0, 0, 95, 100, 100}, {100, 0, 0, 100, 100, 100}},
	{"none", {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}},
};

const struct expected *behaviour_of(const char *policy)
{
	static const struct expected any = {"", {0}, {100, 100, 100, 100}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].policy, policy))
			return &table[i];
	return &any;
}

static void use(struct buf_cache *c, struct disk *d, uint64_t first, uint64_t n)
{
	for (uint64_t block = first; block < first + n; block++) {
		struct buf *b;

		if (buf_get(c, d, block, BUF_READ, &b) == 0)
			buf_put(b);
	}
}

static uint64_t misses(struct buf_cache *c)
{
	struct buf_stats s;

	buf_get_stats(c, &s);
	return s.misses;
}

/* Round and round; the first round, which must miss, does not count. */
static uint32_t circle(struct buf_cache *c, struct disk *d, uint64_t n)
{
	use(c, d, 0, n);
	const uint64_t before = misses(c);
	for (int i = 0; i < ROUNDS; i++)
		use(c, d, 0, n);
	return 100 - (uint32_t)((misses(c) - before) * 100 / (n * ROUNDS));
}

static uint32_t scans(struct buf_cache *c, struct disk *d, int advise)
{
	uint64_t missed = 0;

	if (advise && buf_advise(c, d, FIRST_SCANNED, 200, BUF_ONCE))
		return 0;
	use(c, d, 0, HOT);
	use(c, d, 0, HOT);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		use(c, d, FIRST_SCANNED + i % 5 * SCAN, SCAN);
		const uint64_t before = misses(c);
		use(c, d, 0, HOT);
		missed += misses(c) - before;
	}
	return 100 - (uint32_t)(missed * 100 / ((uint64_t)HOT * ROUNDS));
}

static uint32_t steady(struct buf_cache *c, struct disk *d)
{
	uint64_t missed = 0;

	use(c, d, 0, SMALL);
	for (uint64_t i = 0; i < STEPS; i++) {
		use(c, d, FIRST_SCANNED + i, 1);
		const uint64_t before = misses(c);
		use(c, d, i % SMALL, 1);
		missed += misses(c) - before;
	}
	return 100 - (uint32_t)(missed * 100 / STEPS);
}

uint32_t behaviour_hits(struct buf_cache *c, struct disk *d, enum pattern p)
{
	switch (p) {
	case PATTERN_SET:
		return circle(c, d, SET);
	case PATTERN_LOOP:
		return circle(c, d, BEHAVIOUR_FRAMES + 1);
	case PATTERN_STEADY:
		return steady(c, d);
	case PATTERN_MOVE:
		use(c, d, FIRST_SCANNED, HOT);
		use(c, d, FIRST_SCANNED, HOT);
		return circle(c, d, SET);
	default:
		return scans(c, d, p == PATTERN_ADVISED);
	}
}
