/*
 * ext2_map.c - from a block of a file to a block of the disk, through up to three levels of
 * pointers.
 *
 * Owns: the pointers in inodes and in indirect blocks, and each inode's count of blocks.
 * Invariant: a pointer is used only after ext2_block_ok. Trees on a damaged disk may loop:
 * descending is bounded by three levels, and freeing stops at the first block that is freed
 * twice.
 * Lock: the file system's, held by the caller.
 * Called by ext2_file.c, ext2_dir.c and ext2_inode.c.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"

#define LEVELS 3u

/* The way to a block: index in the inode, then in each indirect block. */
struct way {
	uint32_t depth; /* indirect blocks on the way */
	uint32_t index[LEVELS + 1];
};

/* 0, or -EFBIG for a block beyond triple indirection. */
static int find_way(const struct ext2 *e, uint32_t lblk, struct way *w)
{
	uint64_t rest = lblk;

	if (lblk < EXT2_NDIRECT) {
		*w = (struct way){0, {lblk}};
		return 0;
	}
	rest -= EXT2_NDIRECT;
	for (uint32_t depth = 1; depth <= LEVELS; depth++) {
		uint64_t span = (uint64_t)1 << depth * e->per_log;

		if (rest >= span) {
			rest -= span;
			continue;
		}
		w->depth = depth;
		w->index[0] = EXT2_NDIRECT + depth - 1;
		for (uint32_t i = 1; i <= depth; i++)
			w->index[i] = (uint32_t)(rest >> (depth - i) * e->per_log) &
				      ((1u << e->per_log) - 1);
		return 0;
	}
	return -EFBIG;
}

uint64_t ext2_size_max(const struct ext2 *e)
{
	uint64_t blocks = EXT2_NDIRECT + ((uint64_t)1 << e->per_log) +
			  ((uint64_t)1 << 2 * e->per_log) + ((uint64_t)1 << 3 * e->per_log);
	uint64_t most = (uint64_t)0xffffffff << 9; /* the inode counts 512-byte units in 32 bits */

	/* Less what the indirect blocks themselves count for, amply. */
	most -= most >> 7;
	return blocks << e->bs_log < most ? blocks << e->bs_log : most;
}

/* Counts `n` more (or less) blocks of the file. */
static int count_blocks(struct ext2 *e, struct ext2_node *n, int64_t blocks)
{
	int64_t now = (int64_t)n->pub.attr.blocks + blocks * (int64_t)(e->bs / 512);

	if (now < 0 || now > UINT32_MAX)
		return ext2_bad(e, "block count of inode", n->ino);
	n->pub.attr.blocks = (uint64_t)now;
	ext2_node_dirty(e, n);
	return 0;
}

/* A table of pointers: the inode's own, or an indirect block's. */
struct table {
	uint32_t *at;
	uint32_t len;
	int held; /* `block` is pinned */
	struct ext2_block block;
};

static void table_put(struct table *t)
{
	if (t->held)
		ext2_put(&t->block);
	t->held = 0;
}

static void table_dirty(struct fs_ctx *c, struct ext2_node *n, struct table *t)
{
	if (t->held)
		ext2_dirty(c, &t->block, n->ino);
	else
		ext2_node_dirty(ext2_of(c), n);
}

/* Where a block whose pointer is number `i` of `t` had best be: after the one before it. */
static uint32_t goal_at(const struct ext2 *e, const struct ext2_node *n, const struct table *t,
			uint32_t i)
{
	if (i > 0 && t->at[i - 1] != 0)
		return t->at[i - 1] + 1;
	if (n->run_len > 0 && n->run_block != 0)
		return n->run_block + n->run_len;
	return ext2_goal_of(e, n->ino);
}

/* Allocates the indirect block that pointer `i` of `t` lacks. */
static int add_indirect(struct fs_ctx *c, struct ext2_node *n, struct table *t, uint32_t i)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_block b;
	uint32_t p, got;
	int status = ext2_block_alloc(c, goal_at(e, n, t, i), 1, &p, &got);

	if (status != 0)
		return status;
	status = ext2_get_zeroed(c, p, n->ino, &b);
	if (status == 0) {
		ext2_put(&b);
		status = count_blocks(e, n, 1);
	}
	if (status != 0) {
		int undone = ext2_block_free(c, p, 1);
		return undone != 0 ? undone : status;
	}
	t->at[i] = p;
	table_dirty(c, n, t);
	/* Data follows right after it. */
	n->run_block = p;
	n->run_len = 1;
	n->run_first = UINT32_MAX - 1;
	return 0;
}

/* Goes from `t` to the table that its pointer `i` names. */
static int descend(struct fs_ctx *c, struct ext2_node *n, struct table *t, uint32_t i)
{
	struct ext2 *e = ext2_of(c);
	uint32_t p = t->at[i];
	struct ext2_block b;

	if (!ext2_block_ok(e, p, 1))
		return ext2_bad(e, "indirect block of inode", n->ino);
	int status = ext2_get(c, p, &b);
	if (status != 0)
		return status;
	table_put(t);
	*t = (struct table){(uint32_t *)(void *)b.data, 1u << e->per_log, 1, b};
	return 0;
}

/* The run that begins at pointer `i` of the last table. */
static int leaf_look(struct fs_ctx *c, struct ext2_node *n, const struct table *t, uint32_t i,
		     uint32_t want, struct ext2_run *run)
{
	uint32_t p = t->at[i], len = 1, step = p != 0;

	if (want > t->len - i)
		want = t->len - i;
	while (len < want && t->at[i + len] == p + len * step)
		len++;
	if (p != 0 && !ext2_block_ok(ext2_of(c), p, len))
		return ext2_bad(ext2_of(c), "block of inode", n->ino);
	*run = (struct ext2_run){p, len, 0};
	return 0;
}

/* Allocates for the hole `run` at pointer `i` of the last table. */
static int leaf_fill(struct fs_ctx *c, struct ext2_node *n, struct table *t, uint32_t i,
		     struct ext2_run *run)
{
	struct ext2 *e = ext2_of(c);
	uint32_t p, got;
	int status = ext2_block_alloc(c, goal_at(e, n, t, i), run->len, &p, &got);

	if (status != 0)
		return status;
	status = count_blocks(e, n, got);
	if (status != 0)
		return status;
	for (uint32_t k = 0; k < got; k++)
		t->at[i + k] = p + k;
	table_dirty(c, n, t);
	*run = (struct ext2_run){p, got, 1};
	return 0;
}

/* A hole because the indirect block at `level` of the way is missing: up to where the next one
 * would begin. */
static void missing(const struct ext2 *e, const struct way *w, uint32_t level, uint32_t want,
		    struct ext2_run *run)
{
	uint64_t span = (uint64_t)1 << (w->depth - level) * e->per_log, at = 0;

	for (uint32_t i = level + 1; i <= w->depth; i++)
		at = at << e->per_log | w->index[i];
	*run = (struct ext2_run){0, want < span - at ? want : (uint32_t)(span - at), 0};
}

int ext2_map_slowly(struct fs_ctx *c, struct ext2_node *n, uint32_t lblk, uint32_t want,
		    enum ext2_how how, struct ext2_run *run)
{
	struct ext2 *e = ext2_of(c);
	struct table t = {.at = n->block, .len = EXT2_NDIRECT};
	struct way w;
	uint32_t level = 0;
	int status = find_way(e, lblk, &w);

	for (; status == 0 && level < w.depth; level++) {
		if (t.at[w.index[level]] == 0 && how == EXT2_LOOK) {
			missing(e, &w, level, want, run);
			table_put(&t);
			return 0;
		}
		if (t.at[w.index[level]] == 0)
			status = add_indirect(c, n, &t, w.index[level]);
		if (status == 0)
			status = descend(c, n, &t, w.index[level]);
	}
	if (status == 0)
		status = leaf_look(c, n, &t, w.index[level], want, run);
	if (status == 0 && run->block == 0 && how == EXT2_FILL)
		status = leaf_fill(c, n, &t, w.index[level], run);
	table_put(&t);
	if (status == 0 && run->block != 0) {
		n->run_first = lblk;
		n->run_block = run->block;
		n->run_len = run->len;
	}
	return status;
}

/* ---- freeing ---- */

/* Frees the data blocks named by pointers [i, len) of `at`, in runs, and clears the pointers. */
static int free_leaves(struct fs_ctx *c, struct ext2_node *n, uint32_t *at, uint32_t i,
		       uint32_t len)
{
	for (;;) {
		while (i < len && at[i] == 0)
			i++;
		if (i >= len)
			return 0;
		uint32_t p = at[i], k = 1;

		while (i + k < len && at[i + k] == p + k)
			k++;
		int status = ext2_block_free(c, p, k);
		if (status == 0)
			status = count_blocks(ext2_of(c), n, -(int64_t)k);
		if (status != 0)
			return status;
		for (; k > 0; k--)
			at[i++] = 0;
	}
}

/*
 * Frees what hangs on pointer `*slot`, not 0, to an indirect block of `level` (1 .. 3), from its
 * `from`-th data block on; the block itself too if `from` is 0. Recursion is as deep as `level`.
 */
static int free_tree(struct fs_ctx *c, struct ext2_node *n, uint32_t *slot, uint32_t level,
		     uint64_t from)
{
	struct ext2 *e = ext2_of(c);
	struct table t = {.at = slot};
	uint64_t span = (uint64_t)1 << (level - 1) * e->per_log;
	uint32_t p = *slot, i = (uint32_t)(from / span);
	int status = descend(c, n, &t, 0);
	if (status != 0)
		return status;
	if (level == 1)
		status = free_leaves(c, n, t.at, i, t.len);
	for (uint64_t rest = from % span; level > 1 && i < t.len && status == 0; i++, rest = 0)
		if (t.at[i] != 0)
			status = free_tree(c, n, t.at + i, level - 1, rest);
	table_dirty(c, n, &t);
	table_put(&t);
	if (status != 0 || from != 0)
		return status;
	status = ext2_block_free(c, p, 1);
	if (status == 0)
		status = count_blocks(e, n, -1);
	if (status == 0)
		*slot = 0;
	return status;
}

/* ext2_unmap where there are indirect blocks. */
static int free_trees(struct fs_ctx *c, struct ext2_node *n, uint32_t keep)
{
	const struct ext2 *e = ext2_of(c);
	uint64_t begin = EXT2_NDIRECT;
	int status = 0;

	for (uint32_t level = 1; level <= LEVELS && status == 0; level++) {
		uint64_t span = (uint64_t)1 << level * e->per_log;
		uint32_t *slot = &n->block[EXT2_NDIRECT + level - 1];

		if (*slot != 0 && keep < begin + span)
			status = free_tree(c, n, slot, level, keep > begin ? keep - begin : 0);
		begin += span;
	}
	return status;
}

int ext2_unmap(struct fs_ctx *c, struct ext2_node *n, uint32_t keep)
{
	const uint32_t *const slot = &n->block[EXT2_NDIRECT];
	int status = free_leaves(c, n, n->block, keep, EXT2_NDIRECT);

	n->run_len = 0;
	n->ahead.end = 0;
	if (status == 0 && (slot[0] | slot[1] | slot[2]) != 0)
		status = free_trees(c, n, keep);
	ext2_node_dirty(ext2_of(c), n);
	return status;
}
