/*
 * registry.c - the block registry, as programs use it.
 * Owns nothing: the table is the kernel's.  Called by programs and their caches.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/registry.h>
#include <libos/start.h>
#include <libos/tables.h>

static uint32_t first_of_set(uint32_t extent, uint64_t block)
{
	return exo_bind_set(extent, block, tables_info()->table[EXO_TABLE_REGISTRY].count) *
	       EXO_BIND_WAYS;
}

static int live(const volatile struct exo_bind *b)
{
	return b->state == EXO_BIND_USED && b->gen == tables_extent(b->extent)->gen;
}

/* The entry that holds the block; -1: none. */
static int64_t entry_of(uint32_t extent, uint64_t block)
{
	const uint32_t set = first_of_set(extent, block);

	for (uint32_t i = set; i < set + EXO_BIND_WAYS; i++) {
		const volatile struct exo_bind *b = tables_bind(i);

		if (live(b) && b->extent == extent && b->block == block)
			return i;
	}
	return -1;
}

static uint32_t extent_of(uint32_t cap)
{
	return tables_caps(EXO_EID_INDEX((struct eid){start_self()}))->c[cap % EXO_NCAP].object;
}

int registry_bind(uint32_t cap, uint64_t block, uint32_t frame)
{
	const uint32_t extent = extent_of(cap), set = first_of_set(extent, block);

	if (entry_of(extent, block) >= 0)
		return -EEXIST;
	for (uint32_t i = set; i < set + EXO_BIND_WAYS; i++)
		if (!live(tables_bind(i)))
			return call_result(call_block_bind(cap, block, i, frame));
	return -ENOSPC;
}

int registry_unbind(uint32_t cap, uint64_t block)
{
	const int64_t i = entry_of(extent_of(cap), block);

	return i < 0 ? -ENOENT : call_result(call_block_bind(cap, block, (uint64_t)i, 0));
}

uint32_t registry_find(uint32_t extent, uint64_t block)
{
	const int64_t i = entry_of(extent, block);

	return i < 0 ? 0 : tables_bind((uint32_t)i)->frame;
}
