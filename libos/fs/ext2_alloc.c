/*
 * ext2_alloc.c - the bitmaps: which blocks and which inodes are in use.
 *
 * Owns: block and inode bitmaps, and the counts of free ones in groups and superblock.
 * Policy: blocks go right after the previous one of their file, else to an empty stretch of 64,
 * else anywhere in the group, else to the next group that has any. Directories spread over
 * groups, files stay in their directory's.
 * Invariant: a bit and the three counts change together; a bit found in the wrong state is
 * damage.
 * Lock: the file system's, held by the caller.
 * Called by ext2_map.c, ext2_inode.c.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"

static inline int bit_test(const uint8_t *map, uint32_t i)
{
	return map[i >> 3] >> (i & 7) & 1;
}

/* The word of the map that bit `i` is in. The map is there to a multiple of 64 bits. */
static inline uint64_t word_at(const uint8_t *map, uint32_t i)
{
	uint64_t w;

	memcpy(&w, map + (i >> 3 & ~7u), sizeof w);
	return w;
}

/* First bit in [from, to) that differs from those of `word`, all of which are alike, or `to`. */
static inline uint32_t find_other(const uint8_t *map, uint32_t from, uint32_t to, uint64_t word)
{
	for (uint32_t i = from; i < to; i = (i | 63) + 1) {
		uint64_t w = (word_at(map, i) ^ word) >> (i & 63);

		if (w != 0) {
			i += (uint32_t)__builtin_ctzl(w);
			return i < to ? i : to;
		}
	}
	return to;
}

static uint32_t find_clear(const uint8_t *map, uint32_t from, uint32_t to)
{
	return find_other(map, from, to, ~(uint64_t)0);
}

static uint32_t find_set(const uint8_t *map, uint32_t from, uint32_t to)
{
	return find_other(map, from, to, 0);
}

/* Turns each bit in [from, to) into the other. */
static void flip(uint8_t *map, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i = (i | 63) + 1) {
		const uint32_t end = (i | 63) + 1 < to ? (i | 63) + 1 : to;
		const uint64_t w = word_at(map, i) ^ ~(uint64_t)0 >> (64 - (end - i)) << (i & 63);

		memcpy(map + (i >> 3 & ~7u), &w, sizeof w);
	}
}

/* First aligned stretch of 64 clear bits in [from, to), or `to`. */
static uint32_t find_stretch(const uint8_t *map, uint32_t from, uint32_t to)
{
	for (uint32_t i = (from + 63) & ~63u; i + 64 <= to; i += 64)
		if (word_at(map, i) == 0)
			return i;
	return to;
}

static uint32_t group_len(const struct ext2 *e, uint32_t g)
{
	uint32_t first = e->super.first_data_block + g * e->super.blocks_per_group;
	uint32_t left = e->super.blocks_count - first;

	return left < e->super.blocks_per_group ? left : e->super.blocks_per_group;
}

#define STRETCH_MIN 8u /* blocks: fewer are put anywhere */

/* Takes up to `want` blocks of group `g`, best from bit `from` on. -EAGAIN: it has none. */
static int alloc_in(struct fs_ctx *c, uint32_t g, uint32_t from, uint32_t want, uint32_t *first,
		    uint32_t *got)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_group *gr = &e->groups[g];
	uint32_t len = group_len(e, g), n = 0;
	struct ext2_block b;
	int status = ext2_get(c, gr->block_bitmap, &b);

	if (status != 0)
		return status;
	uint32_t bit = from < len && (want < STRETCH_MIN || !bit_test(b.data, from))
			       ? find_clear(b.data, from, len)
			       : find_stretch(b.data, from, len);
	if (bit >= len)
		bit = find_clear(b.data, from, len);
	if (bit >= len)
		bit = find_clear(b.data, 0, len);
	want = want < gr->free_blocks ? want : gr->free_blocks;
	if (bit < len)
		n = find_set(b.data, bit, want < len - bit ? bit + want : len) - bit;
	uint32_t p = e->super.first_data_block + g * e->super.blocks_per_group + bit;
	if (n > 0 && (!ext2_block_ok(e, p, n) || n > e->super.free_blocks)) {
		status = ext2_bad(e, "block bitmap of group", g);
	} else if (n == 0) {
		status = -EAGAIN;
	} else {
		flip(b.data, bit, bit + n);
		ext2_dirty(c, &b, 0);
		gr->free_blocks -= n;
		gr->next = bit + n;
		gr->dirty = 1;
		e->super.free_blocks -= n;
		*first = p;
		*got = n;
	}
	ext2_put(&b);
	return status;
}

int ext2_block_alloc(struct fs_ctx *c, uint32_t goal, uint32_t want, uint32_t *first, uint32_t *got)
{
	struct ext2 *e = ext2_of(c);
	uint32_t reserve =
		c->uid == 0 || c->uid == e->super.def_resuid ? 0 : e->super.r_blocks_count;

	if (e->super.free_blocks <= reserve)
		return -ENOSPC;
	if (want > e->super.free_blocks - reserve)
		want = e->super.free_blocks - reserve;
	if (goal < e->super.first_data_block || goal >= e->super.blocks_count)
		goal = e->super.first_data_block;
	goal -= e->super.first_data_block;
	uint32_t g = goal / e->super.blocks_per_group, from = goal % e->super.blocks_per_group;

	for (uint32_t i = 0; i <= e->groups_count; i++) {
		if (e->groups[g].free_blocks > 0) {
			int status = alloc_in(c, g, from, want, first, got);
			if (status != -EAGAIN)
				return status;
		}
		from = 0;
		g = g + 1 == e->groups_count ? 0 : g + 1;
	}
	return -ENOSPC;
}

/* The part of [p, p + n) that lies in one group: `n` of them. */
static int free_in(struct fs_ctx *c, uint32_t g, uint32_t bit, uint32_t n)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_group *gr = &e->groups[g];
	struct ext2_block b;
	int status = ext2_get(c, gr->block_bitmap, &b);

	if (status != 0)
		return status;
	if (find_clear(b.data, bit, bit + n) != bit + n)
		status = ext2_bad(e, "block freed twice in group", g);
	else if (gr->free_blocks + n > group_len(e, g) ||
		 e->super.free_blocks + n > e->super.blocks_count)
		status = ext2_bad(e, "free count of group", g);
	if (status == 0) {
		flip(b.data, bit, bit + n);
		ext2_dirty(c, &b, 0);
		gr->free_blocks += n;
		gr->next = bit < gr->next ? bit : gr->next;
		gr->dirty = 1;
		e->super.free_blocks += n;
	}
	ext2_put(&b);
	return status;
}

int ext2_block_free(struct fs_ctx *c, uint32_t p, uint32_t n)
{
	struct ext2 *e = ext2_of(c);
	uint32_t per = e->super.blocks_per_group;

	if (!ext2_block_ok(e, p, n))
		return ext2_bad(e, "freeing block", p);
	while (n > 0) {
		uint32_t rel = p - e->super.first_data_block, g = rel / per, bit = rel % per;
		uint32_t k = n < per - bit ? n : per - bit;
		int status = free_in(c, g, bit, k);

		if (status != 0)
			return status;
		for (uint32_t i = 0; i < k && e->bs == DISK_BLOCK; i++)
			buf_forget(e->fs.cache, p + i);
		p += k;
		n -= k;
	}
	return 0;
}

uint32_t ext2_goal_of(const struct ext2 *e, uint32_t ino)
{
	uint32_t g = (ino - 1) / e->super.inodes_per_group;

	return e->super.first_data_block + g * e->super.blocks_per_group + e->groups[g].next;
}

/* ---- inodes ---- */

#define DIR_GROUPS 64u /* looked at for a new directory */

/*
 * The group for a new directory: of some after `near` with no fewer free inodes than average, the
 * one with most free blocks.
 */
static uint32_t group_for_dir(const struct ext2 *e, uint32_t near)
{
	uint32_t average = e->super.free_inodes / e->groups_count;
	uint32_t best = near, found = 0;

	for (uint32_t i = 0; i < e->groups_count && i < DIR_GROUPS; i++) {
		uint32_t g = (near + i) % e->groups_count;
		const struct ext2_group *gr = &e->groups[g];

		if (gr->free_inodes == 0 || gr->free_inodes < average)
			continue;
		if (!found || gr->free_blocks > e->groups[best].free_blocks)
			best = g;
		found = 1;
	}
	return best;
}

/* Takes a free inode of group `g`. -EAGAIN: none. */
static int ino_alloc_in(struct fs_ctx *c, uint32_t g, int is_dir, uint32_t *ino)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_group *gr = &e->groups[g];
	uint32_t per = e->super.inodes_per_group;
	struct ext2_block b;

	if (gr->free_inodes == 0)
		return -EAGAIN;
	int status = ext2_get(c, gr->inode_bitmap, &b);
	if (status != 0)
		return status;
	uint32_t bit = find_clear(b.data, g == 0 ? e->first_ino - 1 : 0, per);
	if (bit >= per) {
		status = -EAGAIN;
	} else if (e->super.free_inodes == 0) {
		status = ext2_bad(e, "free inodes of group", g);
	} else {
		flip(b.data, bit, bit + 1);
		ext2_dirty(c, &b, 0);
		gr->free_inodes--;
		gr->dirs += is_dir != 0;
		gr->dirty = 1;
		e->super.free_inodes--;
		*ino = g * per + bit + 1;
	}
	ext2_put(&b);
	return status;
}

int ext2_ino_alloc(struct fs_ctx *c, uint32_t parent, int is_dir, uint32_t *ino)
{
	const struct ext2 *e = ext2_of(c);
	uint32_t near = (parent - 1) / e->super.inodes_per_group;
	uint32_t g = is_dir ? group_for_dir(e, near) : near;

	for (uint32_t i = 0; i < e->groups_count; i++) {
		int status = ino_alloc_in(c, g, is_dir, ino);

		if (status != -EAGAIN)
			return status;
		g = g + 1 == e->groups_count ? 0 : g + 1;
	}
	return -ENOSPC;
}

int ext2_ino_free(struct fs_ctx *c, uint32_t ino, int is_dir)
{
	struct ext2 *e = ext2_of(c);
	uint32_t per = e->super.inodes_per_group, g = (ino - 1) / per, bit = (ino - 1) % per;
	struct ext2_group *gr = &e->groups[g];
	struct ext2_block b;
	int status = ext2_get(c, gr->inode_bitmap, &b);

	if (status != 0)
		return status;
	if (!bit_test(b.data, bit) || gr->free_inodes >= per ||
	    e->super.free_inodes >= e->super.inodes_count || (is_dir && gr->dirs == 0)) {
		status = ext2_bad(e, "freeing inode", ino);
	} else {
		flip(b.data, bit, bit + 1);
		ext2_dirty(c, &b, 0);
		gr->free_inodes++;
		gr->dirs -= is_dir != 0;
		gr->dirty = 1;
		e->super.free_inodes++;
	}
	ext2_put(&b);
	return status;
}
