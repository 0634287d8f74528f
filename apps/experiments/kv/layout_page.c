/*
 * layout_page.c - each key has its place: record k is record k % 16 of block k / 16.
 *
 * A put changes its block where it is; a record lies in one sector, so that it is old or new.  Many
 * small puts are many blocks.  Owns nothing; called by kv.c.
 */
#include "../experiment_posix.h"
#include "kv.h"

static uint64_t page_blocks(uint64_t keys)
{
	return (keys + KV_PER_BLOCK - 1) / KV_PER_BLOCK;
}

static int page_recover(uint64_t keys)
{
	(void)keys;
	return 0;
}

static int page_make(uint64_t keys)
{
	static const struct kv_record none[KV_PER_BLOCK];
	int error = 0;

	for (uint64_t b = 0; b < page_blocks(keys) && !error; b++)
		error = place_write(b, none);
	return error;
}

static int page_put(const struct kv_record *r)
{
	const uint64_t block = r->key / KV_PER_BLOCK;
	struct kv_record page[KV_PER_BLOCK];
	int error = place_read(block, page);

	if (error)
		return error;
	page[r->key % KV_PER_BLOCK] = *r;
	kv_seal(&page[r->key % KV_PER_BLOCK]);
	return place_write(block, page);
}

static int page_get(uint64_t key, struct kv_record *out)
{
	struct kv_record page[KV_PER_BLOCK];
	const int error = place_read(key / KV_PER_BLOCK, page);

	if (error)
		return error;
	*out = page[key % KV_PER_BLOCK];
	return out->key == key && kv_sound(out) ? 0 : -ENOENT;
}

const struct kv_layout layout_page = {
	.name = "page",
	.blocks = page_blocks,
	.make = page_make,
	.recover = page_recover,
	.put = page_put,
	.get = page_get,
	.sync = place_sync,
};
