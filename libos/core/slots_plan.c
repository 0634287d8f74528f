/*
 * slots_plan.c - which places of the vector give n slots in any `every` in a row.
 *
 * Owns nothing; arithmetic alone, so it is tested on the host.  A chain is slots around the circle,
 * none further than `every` from the one before: any `every` in a row have one of it.  A plan is n
 * chains that share no slot; the usual one is runs of n, evenly spread.  Called by programs and
 * core/slots.c.
 */
#include <errno.h>
#include <libos/slots.h>

uint32_t slots_count(const struct slots *s)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < SLOTS / 64; w++)
		n += (uint32_t)__builtin_popcountll(s->bit[w]);
	return n;
}

struct slots slots_union(const struct slots *a, const struct slots *b)
{
	struct slots both;

	for (uint32_t w = 0; w < SLOTS / 64; w++)
		both.bit[w] = a->bit[w] | b->bit[w];
	return both;
}

struct slots slots_without(const struct slots *a, const struct slots *b)
{
	struct slots left;

	for (uint32_t w = 0; w < SLOTS / 64; w++)
		left.bit[w] = a->bit[w] & ~b->bit[w];
	return left;
}

/* The one that is furthest after `at` (which may be counted on beyond SLOTS), but not beyond
 * `every`; `at` itself: there is none. */
static uint32_t furthest(const struct slots *usable, uint32_t at, uint32_t every)
{
	uint32_t next = at + every;

	while (next > at && !slots_has(usable, next % SLOTS))
		next--;
	return next;
}

/* The chain that begins at `start` and goes as far as it can in each step.  1, or 0: it breaks. */
static int chain(struct slots *out, const struct slots *usable, uint32_t start, uint32_t every)
{
	*out = (struct slots){{0}};
	if (!slots_has(usable, start))
		return 0;
	slots_add(out, start);
	for (uint32_t at = start, next; at + every < start + SLOTS; at = next) {
		next = furthest(usable, at, every);
		if (next == at)
			return 0;
		slots_add(out, next % SLOTS);
	}
	return 1;
}

/*
 * The shortest chain.  One of the first `every` slots after *from is in it, whichever it is; of
 * equals the first, so that the next chain's slots, from there on, stand beside this one's.
 */
static int shortest(struct slots *out, const struct slots *usable, uint32_t *from, uint32_t every)
{
	const uint32_t first = *from;
	uint32_t least = SLOTS + 1;

	for (uint32_t start = first; start < first + every; start++) {
		struct slots found;

		if (!chain(&found, usable, start % SLOTS, every) || slots_count(&found) >= least)
			continue;
		*out = found;
		*from = start + 1;
		least = slots_count(&found);
	}
	return least <= SLOTS;
}

/* Runs of n slots, as many as it takes, evenly spread: where none of them is in use, the best plan.
 */
static int even(struct slots *out, const struct slots *usable, uint32_t n, uint32_t every)
{
	const uint32_t runs = (SLOTS + every - 1) / every;

	for (uint32_t start = 0; start < every; start++) {
		struct slots rest;

		*out = (struct slots){{0}};
		for (uint32_t i = 0; i < runs * n; i++)
			slots_add(out, (start + i / n * SLOTS / runs + i % n) % SLOTS);
		rest = slots_without(out, usable);
		if (slots_count(&rest) == 0)
			return 1;
	}
	return 0;
}

/* n chains, one after the other. */
static int chains(struct slots *out, const struct slots *usable, uint32_t n, uint32_t every)
{
	struct slots left = *usable;
	uint32_t from = 0;

	*out = (struct slots){{0}};
	for (uint32_t i = 0; i < n; i++) {
		struct slots one;

		if (!shortest(&one, &left, &from, every))
			return 0;
		*out = slots_union(out, &one);
		left = slots_without(&left, &one);
	}
	return 1;
}

int slots_plan(struct slots *plan, const struct slots *usable, uint32_t n, uint32_t every)
{
	struct slots found;

	if (n == 0 || n > every || every > SLOTS)
		return -EINVAL;
	if (!even(&found, usable, n, every) && !chains(&found, usable, n, every))
		return -ENOSPC;
	*plan = found;
	return 0;
}

uint32_t slots_least(const struct slots *s, uint32_t every)
{
	uint32_t least = SLOTS;

	for (uint32_t start = 0; start < SLOTS; start++) {
		uint32_t n = 0;

		for (uint32_t i = 0; i < every; i++)
			n += (uint32_t)slots_has(s, (start + i) % SLOTS);
		least = n < least ? n : least;
	}
	return least;
}
