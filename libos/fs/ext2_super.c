/*
 * ext2_super.c - the whole of an ext2 volume: mount and its checks, descriptors of groups,
 * sync, unmount, errors.
 *
 * Owns: `struct ext2`, the superblock and the descriptors in memory, the bit on the disk that
 * says "clean".
 * Invariant: before anything else is written the disk says "in use"; it says "clean" only when
 * all else is durable, nothing was damaged, and no unlinked inode is held. Backup superblocks
 * are left alone.
 * Lock: the file system's, held by the caller, but for mount.
 * Called by ext2.c and the other parts.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"
#include "names.h"

#define SUPER_OFFSET 1024u

/* ---- messages ---- */

void ext2_damaged(struct ext2 *e, const char *what, uint64_t number)
{
	if (!e->failed) {
		e->fs.message[0] = 0;
		fs_say(e->fs.message, "ext2: damaged: ");
		fs_say(e->fs.message, what);
		fs_say(e->fs.message, " ");
		fs_say_number(e->fs.message, number);
	}
	e->failed = 1;
	e->fs.readonly = 1;
}

/* ---- blocks through the cache ---- */

int ext2_get_zeroed(struct fs_ctx *c, uint32_t p, uint32_t tag, struct ext2_block *out)
{
	const struct ext2 *e = ext2_of(c);
	int status = ext2_get_as(c, p, e->bs == DISK_BLOCK ? BUF_OVERWRITE : BUF_READ, out);

	if (status != 0)
		return status;
	memset(out->data, 0, e->bs);
	ext2_dirty(c, out, tag);
	return 0;
}

static int overlap(uint32_t p, uint32_t n, uint32_t q, uint32_t m)
{
	return p < q + m && q < p + n;
}

int ext2_block_ok(const struct ext2 *e, uint32_t p, uint32_t n)
{
	uint32_t first = e->super.first_data_block, per = e->super.blocks_per_group;

	if (p < first || n > e->super.blocks_count || p > e->super.blocks_count - n)
		return 0;
	for (uint32_t g = (p - first) / per; g <= (p + n - 1 - first) / per; g++) {
		const struct ext2_group *gr = &e->groups[g];

		if (overlap(p, n, gr->block_bitmap, 1) || overlap(p, n, gr->inode_bitmap, 1) ||
		    overlap(p, n, gr->inode_table, e->itable_blocks) ||
		    (gr->has_super && overlap(p, n, first + g * per, 1 + e->desc_blocks)))
			return 0;
	}
	return 1;
}

/* ---- mount ---- */

struct feature {
	uint32_t bit;
	const char *name;
};

static void say_features(char *to, uint32_t bits, const struct feature *names)
{
	for (uint32_t i = 0; i < 32; i++) {
		uint32_t bit = (uint32_t)1 << i;
		const struct feature *f = names;

		if (!(bits & bit))
			continue;
		while (f->bit != 0 && f->bit != bit)
			f++;
		fs_say(to, " ");
		fs_say(to, f->name);
		if (f->bit == 0)
			fs_say_number(to, i);
	}
}

/* Refuses or restricts what is not understood: 0, 1 (read only) or -EINVAL, with the names in `m`.
 */
static int check_features(const struct ext2_super *s, struct fs_mount *m)
{
	static const struct feature incompat[] = {
		{0x1, "compression"},	 {0x4, "needs_recovery"}, {0x8, "journal_dev"},
		{0x10, "meta_bg"},	 {0x40, "extent"},	  {0x80, "64bit"},
		{0x100, "mmp"},		 {0x200, "flex_bg"},	  {0x400, "ea_inode"},
		{0x1000, "dirdata"},	 {0x2000, "csum_seed"},	  {0x4000, "large_dir"},
		{0x8000, "inline_data"}, {0x10000, "encrypt"},	  {0x20000, "casefold"},
		{0, "incompat bit "}};
	static const struct feature ro_compat[] = {
		{0x4, "btree_dir"},   {0x8, "huge_file"},	{0x10, "uninit_bg"},
		{0x20, "dir_nlink"},  {0x40, "extra_isize"},	{0x100, "quota"},
		{0x200, "bigalloc"},  {0x400, "metadata_csum"}, {0x1000, "read-only"},
		{0x2000, "project"},  {0x8000, "verity"},	{0x10000, "orphan_present"},
		{0, "ro_compat bit "}};
	uint32_t bad = s->rev_level == 0 ? 0 : s->incompat & ~EXT2_FILETYPE;
	uint32_t odd = s->rev_level == 0 ? 0 : s->ro_compat & ~(EXT2_SPARSE | EXT2_LARGE);

	if (bad != 0) {
		fs_say(m->message, "ext2: features not understood:");
		say_features(m->message, bad, incompat);
		return -EINVAL;
	}
	if (odd != 0) {
		fs_say(m->message, "ext2: read-only because of features:");
		say_features(m->message, odd, ro_compat);
	}
	return odd != 0;
}

/* NULL if the superblock's numbers make sense together and fit on a volume of `size` bytes, else
 * what does not. */
static const char *check_super(const struct ext2_super *s, uint64_t size)
{
	if (s->magic != EXT2_MAGIC)
		return "not an ext2 file system";
	if (s->log_block_size > 2 || s->rev_level > 1)
		return "block size or revision not supported";
	uint32_t bs = 1024u << s->log_block_size;
	uint32_t isize = s->rev_level == 0 ? EXT2_INODE_SMALL : s->inode_size;

	if (isize < EXT2_INODE_SMALL || isize > bs || (isize & (isize - 1)) != 0)
		return "bad inode size";
	if (s->first_data_block != (bs == 1024) || s->blocks_count <= s->first_data_block ||
	    (uint64_t)s->blocks_count * bs > size)
		return "bad number of blocks, or larger than the volume";
	if (s->blocks_per_group < 8 || s->blocks_per_group > 8 * bs || s->blocks_per_group % 8 != 0)
		return "bad number of blocks per group";
	if (s->inodes_per_group == 0 || s->inodes_per_group > 8 * bs ||
	    s->inodes_per_group % (bs / isize) != 0)
		return "bad number of inodes per group";
	uint64_t groups =
		((uint64_t)s->blocks_count - s->first_data_block + s->blocks_per_group - 1) /
		s->blocks_per_group;

	if (groups * s->inodes_per_group != s->inodes_count)
		return "bad number of inodes";
	if (s->rev_level != 0 && (s->first_ino < 11 || s->first_ino > s->inodes_count))
		return "bad first inode";
	if (s->free_blocks > s->blocks_count || s->free_inodes > s->inodes_count ||
	    s->r_blocks_count > s->blocks_count)
		return "bad free counts";
	return NULL;
}

static int power_of(uint32_t n, uint32_t base)
{
	while (n % base == 0)
		n /= base;
	return n == 1;
}

static int has_super(const struct ext2_super *s, uint32_t g)
{
	if (g <= 1 || s->rev_level == 0 || !(s->ro_compat & EXT2_SPARSE))
		return 1;
	return power_of(g, 3) || power_of(g, 5) || power_of(g, 7);
}

/* Whether the group's tables lie inside the volume, clear of each other and of the superblock's
 * block. */
static int desc_ok(const struct ext2 *e, const struct ext2_desc *d, uint32_t g)
{
	uint32_t low = e->desc_block + e->desc_blocks, high = e->super.blocks_count;
	uint32_t first = e->super.first_data_block + g * e->super.blocks_per_group;
	uint32_t len =
		high - first < e->super.blocks_per_group ? high - first : e->super.blocks_per_group;

	return e->itable_blocks < high && d->block_bitmap >= low && d->block_bitmap < high &&
	       d->inode_bitmap >= low && d->inode_bitmap < high && d->inode_table >= low &&
	       d->inode_table <= high - e->itable_blocks && d->block_bitmap != d->inode_bitmap &&
	       !overlap(d->inode_table, e->itable_blocks, d->block_bitmap, 1) &&
	       !overlap(d->inode_table, e->itable_blocks, d->inode_bitmap, 1) &&
	       d->free_blocks <= len && d->free_inodes <= e->super.inodes_per_group &&
	       d->used_dirs <= e->super.inodes_per_group;
}

static int load_groups(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);
	uint32_t per = e->bs / sizeof(struct ext2_desc);

	for (uint32_t g = 0; g < e->groups_count; g++) {
		struct ext2_block b;
		int status = ext2_get(c, e->desc_block + g / per, &b);

		if (status != 0)
			return status;
		struct ext2_desc d = ((const struct ext2_desc *)(void *)b.data)[g % per];
		ext2_put(&b);
		if (!desc_ok(e, &d, g))
			return ext2_bad(e, "descriptor of group", g);
		e->groups[g] = (struct ext2_group){.block_bitmap = d.block_bitmap,
						   .inode_bitmap = d.inode_bitmap,
						   .inode_table = d.inode_table,
						   .free_blocks = d.free_blocks,
						   .free_inodes = d.free_inodes,
						   .dirs = d.used_dirs,
						   .has_super = (uint8_t)has_super(&e->super, g),
						   .flags = d.flags};
	}
	return 0;
}

/* What follows from the superblock. */
static void set_geometry(struct ext2 *e)
{
	const struct ext2_super *s = &e->super;

	e->bs_log = 10 + s->log_block_size;
	e->bs = 1u << e->bs_log;
	e->per_log = e->bs_log - 2;
	e->first_ino = s->rev_level == 0 ? 11 : s->first_ino;
	e->inode_size = s->rev_level == 0 ? EXT2_INODE_SMALL : s->inode_size;
	e->itable_blocks = s->inodes_per_group / (e->bs / e->inode_size);
	e->groups_count = (uint32_t)(((uint64_t)s->blocks_count - s->first_data_block +
				      s->blocks_per_group - 1) /
				     s->blocks_per_group);
	e->desc_block = s->first_data_block + 1;
	e->desc_blocks =
		(uint32_t)(((uint64_t)e->groups_count * sizeof(struct ext2_desc) + e->bs - 1) >>
			   e->bs_log);
	e->clean = (s->state & (EXT2_VALID | EXT2_ERROR)) == EXT2_VALID;
	e->epoch = 1;
	e->next_id = 1;
}

static uint32_t power_below(uint64_t n, uint32_t least, uint32_t most)
{
	uint32_t p = least;

	while (p < most && (uint64_t)p * 2 <= n)
		p *= 2;
	return p;
}

/* Tables in the arena, sized by what it has. */
static int alloc_tables(struct ext2 *e)
{
	uint64_t room = arena_left(e->fs.arena);

	e->node_max = power_below(room / 4 / sizeof(struct ext2_node), 64, 1u << 20);
	e->node_mask = e->node_max - 1;
	e->name_bytes_max = room / 8;
	e->name_mask = power_below(room / 8 / 64, 64, 1u << 20) - 1;
	e->groups = arena_alloc(e->fs.arena, e->groups_count * sizeof *e->groups);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is a table of pointers */
	e->nodes = arena_alloc(e->fs.arena, ((size_t)e->node_mask + 1) * sizeof *e->nodes);
	e->names =
		arena_alloc(e->fs.arena, ((size_t)e->name_mask + 1) * sizeof(struct ext2_name *));
	return e->groups != NULL && e->nodes != NULL && e->names != NULL ? 0 : -ENOMEM;
}

static void free_all(struct ext2 *e)
{
	struct arena *a = e->fs.arena;

	if (e->names != NULL)
		ext2_names_flush(e);
	if (e->nodes != NULL)
		ext2_node_drop_all(e);
	arena_free(a, e->groups, e->groups_count * sizeof *e->groups);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): as above */
	arena_free(a, e->nodes, ((size_t)e->node_mask + 1) * sizeof *e->nodes);
	arena_free(a, e->names, ((size_t)e->name_mask + 1) * sizeof(struct ext2_name *));
	arena_free(a, e, sizeof *e);
}

static int read_super(struct fs_mount *m, struct ext2_super *out)
{
	struct buf *b;
	int status = buf_get(m->cache, m->disk, 0, BUF_READ, &b);

	if (status != 0) {
		fs_say(m->message, "ext2: cannot read the superblock");
		return status;
	}
	memcpy(out, (const char *)b->data + SUPER_OFFSET, sizeof *out);
	buf_put(b);
	const char *wrong = check_super(out, disk_size(m->disk) * DISK_BLOCK);
	if (wrong == NULL)
		return 0;
	fs_say(m->message, "ext2: ");
	fs_say(m->message, wrong);
	return -EINVAL;
}

/* The rest of mount, with `e` made. */
static int bring_up(struct fs_ctx *c, struct fs_mount *m)
{
	struct ext2 *e = ext2_of(c);
	int status = load_groups(c);

	if (status == 0)
		status = ext2_node_get(c, EXT2_ROOT_INO, &e->root);
	if (status == 0 && !ext2_is_dir(e->root))
		status = ext2_bad(e, "root is no directory, inode", EXT2_ROOT_INO);
	if (status == 0 && !e->fs.readonly) {
		e->super.mnt_count++;
		e->super.mtime = (uint32_t)fs_now().sec;
		status = ext2_mark(c);
	}
	if (status != 0 && m->message[0] == 0)
		fs_say(m->message,
		       e->fs.message[0] != 0 ? e->fs.message : "ext2: the disk or memory failed");
	return status;
}

int ext2_mount(struct fs_mount *m, struct fs **out)
{
	struct ext2_super super;

	m->message[0] = 0;
	int status = read_super(m, &super);
	int restricted = status != 0 ? status : check_features(&super, m);
	if (restricted < 0)
		return restricted;
	struct ext2 *e = arena_alloc(m->arena, sizeof *e);
	if (e == NULL)
		return -ENOMEM;
	e->fs.type = FS_TYPE_EXT2;
	e->fs.flags = m->flags;
	e->fs.readonly = restricted || (m->flags & FS_MOUNT_RDONLY) != 0;
	e->fs.arena = m->arena;
	e->fs.cache = m->cache;
	lock_init(&e->fs.lock);
	memcpy(e->fs.message, m->message, sizeof e->fs.message);
	e->super = super;
	set_geometry(e);
	struct fs_ctx c = {.fs = &e->fs, .disk = m->disk};
	status = alloc_tables(e);
	if (status == 0)
		status = bring_up(&c, m);
	if (status != 0) {
		free_all(e);
		return status;
	}
	*out = &e->fs;
	return 0;
}

/* ---- sync ---- */

/* The superblock to the disk (not flushed), with what memory knows. */
static int write_super(struct fs_ctx *c, int clean)
{
	struct ext2 *e = ext2_of(c);
	struct buf *b;
	int status = buf_get(e->fs.cache, c->disk, 0, BUF_READ, &b);

	if (status != 0)
		return status;
	e->super.state = (uint16_t)((e->super.state & ~EXT2_VALID) | (clean ? EXT2_VALID : 0) |
				    (e->failed ? EXT2_ERROR : 0));
	memcpy((char *)b->data + SUPER_OFFSET, &e->super, sizeof e->super);
	buf_dirty(e->fs.cache, b, 0);
	buf_put(b);
	return buf_sync_range(e->fs.cache, c->disk, 0, 1);
}

int ext2_mark(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);
	int status = e->marked ? 0 : write_super(c, 0);

	if (status == 0)
		e->marked = 1;
	return status;
}

static int write_groups(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);
	uint32_t per = e->bs / sizeof(struct ext2_desc);

	for (uint32_t g = 0; g < e->groups_count; g++) {
		struct ext2_group *gr = &e->groups[g];
		struct ext2_block b;

		if (!gr->dirty)
			continue;
		int status = ext2_get(c, e->desc_block + g / per, &b);
		if (status != 0)
			return status;
		struct ext2_desc *d = &((struct ext2_desc *)(void *)b.data)[g % per];
		d->free_blocks = (uint16_t)gr->free_blocks;
		d->free_inodes = (uint16_t)gr->free_inodes;
		d->used_dirs = (uint16_t)gr->dirs;
		ext2_dirty(c, &b, 0);
		ext2_put(&b);
		gr->dirty = 0;
	}
	return 0;
}

int ext2_settle(struct fs_ctx *c, enum buf_want want)
{
	int status = 0, more;

	if (want == BUF_WANT_ALL) {
		status = ext2_node_write_all(c);
		more = write_groups(c);
		status = status != 0 ? status : more;
	}
	more = buf_settle(ext2_of(c)->fs.cache, c->disk);
	return status != 0 ? status : more;
}

int ext2_sync(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);

	if (!e->marked)
		return 0;
	e->super.wtime = (uint32_t)fs_now().sec;
	int status = ext2_node_write_all(c);
	int more = write_groups(c);
	status = status != 0 ? status : more;
	more = buf_sync(e->fs.cache, c->disk);
	status = status != 0 ? status : more;
	more = buf_flush(c->disk);
	status = status != 0 ? status : more;
	int clean = status == 0 && e->clean && !e->failed && e->orphans == 0;
	more = write_super(c, clean);
	status = status != 0 ? status : more;
	if (status == 0)
		status = buf_flush(c->disk);
	if (status == 0)
		e->fs.dirty = 0;
	if (status == 0 && clean)
		e->marked = 0;
	return status;
}

int ext2_unmount(struct fs_ctx *c, int force)
{
	struct ext2 *e = ext2_of(c);

	for (uint32_t i = 0; i <= e->node_mask; i++)
		for (struct ext2_node *n = e->nodes[i]; n != NULL; n = n->hash_next)
			if (n->pub.refs > (n == e->root) && !force)
				return -EBUSY;
	while (e->orphans > 0 && !e->fs.readonly) {
		struct ext2_node *orphan = NULL;

		for (uint32_t i = 0; i <= e->node_mask; i++)
			for (struct ext2_node *n = e->nodes[i]; n != NULL; n = n->hash_next)
				if (n->pub.attr.nlink == 0)
					orphan = n;
		if (orphan == NULL)
			break;
		orphan->pub.refs = 1;
		(void)ext2_node_put(c, orphan); /* what fails here marks the volume as damaged */
	}
	int status = ext2_sync(c);
	free_all(e);
	return status;
}

int ext2_statfs(struct fs_ctx *c, struct fs_statfs *out)
{
	const struct ext2_super *s = &ext2_of(c)->super;

	*out = (struct fs_statfs){.bsize = ext2_of(c)->bs,
				  .namemax = FS_NAME_MAX,
				  .blocks = s->blocks_count,
				  .bfree = s->free_blocks,
				  .bavail = s->free_blocks > s->r_blocks_count
						    ? s->free_blocks - s->r_blocks_count
						    : 0,
				  .files = s->inodes_count,
				  .ffree = s->free_inodes};
	return 0;
}
