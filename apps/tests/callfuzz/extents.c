/*
 * extents.c - the extent that children write to, and those that they make.
 *
 * Children act for the driver's principal, so they may free the driver's extent, cut it in pieces
 * or give it away.  The pieces are freed and the run of blocks is taken anew.  Owns where it is.
 * Called by the driver.
 */
#include <libos/start.h>
#include "fuzz.h"

enum { FIRST_INDEX = 100, LAST_INDEX = 160, NAME = 0x79657270 /* "prey" */ };

static struct {
	uint32_t index;
	uint64_t start, len; /* blocks; 0: not known yet */
} prey;

static uint32_t self_index(void)
{
	return (uint32_t)(start_self() & 0xffff);
}

static void learn(void)
{
	const volatile struct exo_extent *x;

	if (prey.len || start_args()->extents == 0)
		return;
	prey.index = start_args()->extent[0].index;
	x = tables_extent(prey.index);
	prey.start = x->start;
	prey.len = x->len;
}

static int is_mine(uint32_t index)
{
	return tables_extent(index)->state != EXO_EXTENT_FREE &&
	       tables_extent(index)->owner == tables_env(self_index())->principal;
}

static int is_whole_prey(uint32_t index)
{
	const volatile struct exo_extent *x = tables_extent(index);

	return index == prey.index && x->start == prey.start && x->len == prey.len &&
	       (x->state == EXO_EXTENT_LIVE || x->state == EXO_EXTENT_TAKING);
}

/* What stands on the drive before it. */
static uint32_t before(void)
{
	uint32_t best = 0;

	for (uint32_t x = 0; x < EXO_NEXTENT; x++)
		if (tables_extent(x)->state != EXO_EXTENT_FREE &&
		    tables_extent(x)->start < prey.start &&
		    tables_extent(x)->start >= tables_extent(best)->start)
			best = x;
	return best;
}

static void take_again(void)
{
	uint32_t x = FIRST_INDEX;

	while (x < LAST_INDEX && tables_extent(x)->state != EXO_EXTENT_FREE)
		x++;
	if (call_extent_take(x, before(), prey.start, prey.len, tables_info()->boot_drive, NAME)
		    .status == EXO_OK)
		prey.index = x;
}

int extents_prey(void)
{
	const volatile struct exo_cap *c = &tables_caps(self_index())->c[LAYOUT_CAP_EXTENT];

	learn();
	if (!prey.len)
		return 0;
	if (!is_mine(prey.index) || !is_whole_prey(prey.index)) {
		take_again();
		return 0;
	}
	if (c->kind == EXO_CAP_EXTENT && c->object == prey.index &&
	    c->gen == tables_extent(prey.index)->gen)
		return 1;
	(void)call_cap_drop(LAYOUT_CAP_EXTENT);
	return call_extent_open(prey.index, LAYOUT_CAP_EXTENT).status == EXO_OK;
}

uint32_t extents_clear(void)
{
	uint32_t left = 0;

	learn();
	for (uint32_t x = 1; x < EXO_NEXTENT; x++) {
		if (!is_mine(x) || is_whole_prey(x))
			continue;
		left++;
		if (call_extent_open(x, KID_CAP_SPARE).status != EXO_OK)
			continue;
		(void)call_extent_free(KID_CAP_SPARE);
		(void)call_cap_drop(KID_CAP_SPARE);
	}
	return left;
}
