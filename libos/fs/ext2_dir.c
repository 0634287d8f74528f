/*
 * ext2_dir.c - directories: linear lists of names in blocks.
 *
 * Owns: the contents of directories. Invariant: what changes here changes in the cache of names too
 * (ext2_name.c), which every scan fills, so that a directory is scanned once.
 * Directories with a hash index are used as the linear lists that they also are; the first
 * change takes the index's flag away, so that nobody trusts it later.
 * Lock: the file system's, held by the caller.
 * Called by ext2.c.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"

/* ---- blocks of directories ---- */

static uint32_t dir_blocks(const struct ext2 *e, const struct ext2_node *dir)
{
	return (uint32_t)(dir->pub.attr.size >> e->bs_log);
}

static int dir_get(struct fs_ctx *c, struct ext2_node *dir, uint32_t lblk, struct ext2_block *b)
{
	struct ext2_run run;

	if (!buf_stream_has(&dir->ahead, lblk, 1))
		ext2_ahead(c, dir, lblk, 1);
	int status = ext2_map(c, dir, lblk, 1, EXT2_LOOK, &run);
	if (status != 0)
		return status;
	if (run.block == 0)
		return ext2_bad(ext2_of(c), "hole in directory inode", dir->ino);
	return ext2_get(c, run.block, b);
}

/* The entry at `offset`, or NULL if what stands there is none. */
static struct ext2_dirent *entry_at(const struct ext2 *e, const struct ext2_block *b,
				    uint32_t offset)
{
	struct ext2_dirent *d = (struct ext2_dirent *)(void *)(b->data + offset);

	if (offset + EXT2_DIRENT_HEAD > e->bs || d->rec_len < EXT2_DIRENT_HEAD ||
	    d->rec_len % 4 != 0 || d->rec_len > e->bs - offset ||
	    d->name_len > d->rec_len - EXT2_DIRENT_HEAD || d->ino > e->super.inodes_count ||
	    (d->ino != 0 && d->name_len == 0))
		return NULL;
	return d;
}

static int bad_entry(struct ext2 *e, const struct ext2_node *dir)
{
	return ext2_bad(e, "entry in directory inode", dir->ino);
}

static int is_dots(const struct ext2_dirent *d)
{
	return d->name[0] == '.' && (d->name_len == 1 || (d->name_len == 2 && d->name[1] == '.'));
}

/* Bytes that an entry with a name of `len` needs. */
static uint32_t need(size_t len)
{
	return (EXT2_DIRENT_HEAD + (uint32_t)len + 3) & ~3u;
}

static uint8_t type_code(const struct ext2 *e, uint32_t mode)
{
	static const uint8_t codes[16] = {0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7, 0, 6, 0, 0, 0};

	return e->super.incompat & EXT2_FILETYPE ? codes[(mode & FS_IFMT) >> 12] : 0;
}

static uint32_t mode_of_code(uint8_t code)
{
	static const uint32_t modes[8] = {0,	    FS_IFREG, FS_IFDIR,	 FS_IFCHR,
					  FS_IFBLK, FS_IFIFO, FS_IFSOCK, FS_IFLNK};

	return code < 8 ? modes[code] : 0;
}

/* ---- looking ---- */

/* Remembers all names of block `lblk`; tells whether `name` was among them. 1, 0 or an error. */
static int scan_block(struct fs_ctx *c, struct ext2_node *dir, uint32_t lblk, const char *name,
		      size_t len, struct ext2_place *out)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_block b;
	int status = dir_get(c, dir, lblk, &b), found = 0;

	if (status != 0)
		return status;
	for (uint32_t at = 0; at < e->bs;) {
		const struct ext2_dirent *d = entry_at(e, &b, at);

		if (d == NULL) {
			status = bad_entry(e, dir);
			break;
		}
		if (d->ino != 0 && !is_dots(d)) {
			struct ext2_place p = {d->ino, lblk, (uint16_t)at, d->type, 0};

			ext2_name_add(e, dir, d->name, d->name_len, &p);
			if (!found && d->name_len == len && memcmp(d->name, name, len) == 0) {
				*out = p;
				found = 1;
			}
		}
		at += d->rec_len;
	}
	ext2_put(&b);
	return status != 0 ? status : found;
}

int ext2_dir_find(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		  struct ext2_place *out)
{
	struct ext2 *e = ext2_of(c);
	const int known = ext2_name_find(e, dir, name, len, out);
	int found = 0;

	if (known != -EAGAIN)
		return known;
	uint64_t epoch = e->epoch;
	for (uint32_t lblk = 0; lblk < dir_blocks(e, dir); lblk++) {
		struct ext2_place p;
		int status = scan_block(c, dir, lblk, name, len, &p);

		if (status < 0)
			return status;
		if (status > 0 && !found)
			*out = p;
		found |= status;
	}
	if (e->epoch == epoch)
		dir->complete = epoch;
	return found ? 0 : -ENOENT;
}

int ext2_dir_empty(struct fs_ctx *c, struct ext2_node *dir)
{
	struct ext2 *e = ext2_of(c);
	int empty = 1;

	for (uint32_t lblk = 0; lblk < dir_blocks(e, dir) && empty; lblk++) {
		struct ext2_block b;
		int status = dir_get(c, dir, lblk, &b);

		if (status != 0)
			return status;
		for (uint32_t at = 0; at < e->bs && empty;) {
			const struct ext2_dirent *d = entry_at(e, &b, at);

			if (d == NULL) {
				empty = bad_entry(e, dir);
				break;
			}
			empty = d->ino == 0 || is_dots(d);
			at += d->rec_len;
		}
		ext2_put(&b);
	}
	return empty;
}

int ext2_dir_read(struct fs_ctx *c, struct ext2_node *dir, uint64_t cookie, struct fs_dirent *ents,
		  unsigned max)
{
	struct ext2 *e = ext2_of(c);
	unsigned n = 0;

	for (uint64_t pos = cookie; n < max && pos < dir->pub.attr.size;
	     pos = ((pos >> e->bs_log) + 1) << e->bs_log) {
		struct ext2_block b;
		int status = dir_get(c, dir, (uint32_t)(pos >> e->bs_log), &b);

		if (status != 0)
			return n > 0 ? (int)n : status;
		uint64_t base = pos & ~(uint64_t)(e->bs - 1);
		for (uint32_t at = 0; at < e->bs && n < max;) {
			const struct ext2_dirent *d = entry_at(e, &b, at);

			if (d == NULL) {
				ext2_put(&b);
				status = bad_entry(e, dir);
				return n > 0 ? (int)n : status;
			}
			at += d->rec_len;
			if (d->ino == 0 || base + at <= pos)
				continue;
			struct fs_dirent *out = &ents[n++];
			out->ino = d->ino;
			out->cookie = base + at;
			out->mode = mode_of_code(d->type);
			out->namelen = d->name_len;
			memcpy(out->name, d->name, d->name_len);
			out->name[d->name_len] = 0;
		}
		ext2_put(&b);
	}
	return (int)n;
}

/* ---- changing ---- */

/* What every change of a directory entails. */
static void changed(struct ext2 *e, struct ext2_node *dir)
{
	dir->flags &= ~EXT2_INDEX_FL;
	ext2_touch(e, dir, EXT2_TOUCH_CM);
}

static void fill_entry(const struct ext2 *e, struct ext2_dirent *d, const char *name, size_t len,
		       uint32_t ino, uint32_t mode)
{
	d->ino = ino;
	d->name_len = (uint8_t)len;
	d->type = type_code(e, mode);
	memcpy(d->name, name, len);
}

/* Makes room for `size` bytes in the block, from the entry at `at` on: where, or -ENOSPC. */
static int make_room(struct ext2 *e, const struct ext2_node *dir, const struct ext2_block *b,
		     uint32_t at, uint32_t size)
{
	while (at < e->bs) {
		struct ext2_dirent *d = entry_at(e, b, at);

		if (d == NULL)
			return bad_entry(e, dir);
		uint32_t used = d->ino != 0 ? need(d->name_len) : 0;

		if (d->rec_len >= used + size) {
			if (used == 0)
				return (int)at;
			struct ext2_dirent *after =
				(struct ext2_dirent *)(void *)(b->data + at + used);
			after->ino = 0;
			after->rec_len = (uint16_t)(d->rec_len - used);
			after->name_len = 0;
			d->rec_len = (uint16_t)used;
			return (int)(at + used);
		}
		at += d->rec_len;
	}
	return -ENOSPC;
}

/* A block at the end of the directory, with one empty entry. */
static int append_block(struct fs_ctx *c, struct ext2_node *dir, struct ext2_block *b)
{
	struct ext2 *e = ext2_of(c);
	uint32_t lblk = dir_blocks(e, dir);
	struct ext2_run run;

	if (dir->pub.attr.size + e->bs > INT32_MAX)
		return -ENOSPC;
	int status = ext2_map(c, dir, lblk, 1, EXT2_FILL, &run);
	if (status != 0)
		return status;
	status = ext2_get_zeroed(c, run.block, dir->ino, b);
	if (status != 0) {
		int undone = ext2_unmap(c, dir, lblk);
		return undone != 0 ? undone : status;
	}
	((struct ext2_dirent *)(void *)b->data)->rec_len = (uint16_t)e->bs;
	dir->pub.attr.size += e->bs;
	ext2_node_dirty(e, dir);
	return 0;
}

/* Finds room from block dir->insert_at on, or behind the end: the block, pinned, and the offset in
 * it. */
static int find_room(struct fs_ctx *c, struct ext2_node *dir, uint32_t size, struct ext2_block *b,
		     uint32_t *lblk)
{
	const struct ext2 *e = ext2_of(c);
	uint32_t blocks = dir_blocks(e, dir);

	for (*lblk = dir->insert_at; *lblk < blocks; ++*lblk) {
		int status = dir_get(c, dir, *lblk, b);

		if (status != 0)
			return status;
		uint32_t from = *lblk == dir->insert_at ? dir->insert_offset : 0;
		int at = make_room(ext2_of(c), dir, b, from, size);
		if (at >= 0)
			return at;
		ext2_put(b);
		if (at != -ENOSPC)
			return at;
	}
	*lblk = blocks;
	return append_block(c, dir, b);
}

int ext2_dir_add(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		 uint32_t ino, uint32_t mode)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_block b = {0};
	uint32_t lblk;
	int at = find_room(c, dir, need(len), &b, &lblk);

	if (at < 0 || b.data == NULL)
		return at;
	struct ext2_dirent *d = (struct ext2_dirent *)(void *)(b.data + at);
	fill_entry(e, d, name, len, ino, mode);
	struct ext2_place p = {ino, lblk, (uint16_t)at, d->type, 0};
	ext2_dirty(c, &b, dir->ino);
	ext2_put(&b);
	dir->insert_at = lblk;
	dir->insert_offset = (uint32_t)at;
	ext2_name_add(e, dir, name, len, &p);
	changed(e, dir);
	return 0;
}

/* The entry at `at`, its block pinned, and the one before it in the block (or NULL). Checked to be
 * `name`. */
static int revisit(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		   const struct ext2_place *at, struct ext2_block *b, struct ext2_dirent **before,
		   struct ext2_dirent **entry)
{
	struct ext2 *e = ext2_of(c);
	int status = dir_get(c, dir, at->block, b);

	if (status != 0)
		return status;
	*before = NULL;
	for (uint32_t o = 0; o <= at->offset && o < e->bs;) {
		struct ext2_dirent *d = entry_at(e, b, o);

		if (d == NULL)
			break;
		if (o == at->offset && d->ino == at->ino && d->name_len == len &&
		    memcmp(d->name, name, len) == 0) {
			*entry = d;
			return 0;
		}
		*before = d;
		o += d->rec_len;
	}
	ext2_put(b);
	(void)bad_entry(e, dir);
	return -EIO;
}

int ext2_dir_remove(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		    const struct ext2_place *at)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_dirent *before = NULL, *d = NULL;
	struct ext2_block b;
	int status = revisit(c, dir, name, len, at, &b, &before, &d);

	if (status != 0)
		return status;
	dir->insert_at = at->block;
	dir->insert_offset = at->offset;
	if (before != NULL) {
		dir->insert_offset = (uint32_t)((uint8_t *)before - b.data);
		before->rec_len = (uint16_t)(before->rec_len + d->rec_len);
	}
	d->ino = 0;
	ext2_dirty(c, &b, dir->ino);
	ext2_put(&b);
	ext2_name_remove(e, dir, at);
	changed(e, dir);
	return 0;
}

int ext2_dir_replace(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		     const struct ext2_place *at, uint32_t ino, uint32_t mode)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_dirent *before = NULL, *d = NULL;
	struct ext2_block b;
	int status = revisit(c, dir, name, len, at, &b, &before, &d);

	if (status != 0)
		return status;
	d->ino = ino;
	d->type = type_code(e, mode);
	struct ext2_place p = {ino, at->block, at->offset, d->type, 0};
	ext2_dirty(c, &b, dir->ino);
	ext2_put(&b);
	ext2_name_remove(e, dir, at);
	ext2_name_add(e, dir, name, len, &p);
	changed(e, dir);
	return 0;
}

int ext2_dir_make(struct fs_ctx *c, struct ext2_node *dir, uint32_t parent)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_block b;
	int status = append_block(c, dir, &b);

	if (status != 0)
		return status;
	struct ext2_dirent *d = (struct ext2_dirent *)(void *)b.data;
	fill_entry(e, d, ".", 1, dir->ino, FS_IFDIR);
	d->rec_len = (uint16_t)need(1);
	d = (struct ext2_dirent *)(void *)(b.data + need(1));
	fill_entry(e, d, "..", 2, parent, FS_IFDIR);
	d->rec_len = (uint16_t)(e->bs - need(1));
	ext2_put(&b);
	dir->complete = e->epoch;
	return 0;
}

/* The ".." of a directory, its block pinned. */
static int find_parent(struct fs_ctx *c, struct ext2_node *dir, struct ext2_block *b,
		       struct ext2_dirent **out)
{
	struct ext2 *e = ext2_of(c);
	int status = dir_get(c, dir, 0, b);

	if (status != 0)
		return status;
	const struct ext2_dirent *dot = entry_at(e, b, 0);
	struct ext2_dirent *d =
		dot == NULL || dot->rec_len >= e->bs ? NULL : entry_at(e, b, dot->rec_len);
	if (d != NULL && d->ino != 0 && d->name_len == 2 && is_dots(d)) {
		*out = d;
		return 0;
	}
	ext2_put(b);
	return ext2_bad(e, "no parent in directory inode", dir->ino);
}

int ext2_dir_parent(struct fs_ctx *c, struct ext2_node *dir, uint32_t *ino)
{
	struct ext2_block b;
	struct ext2_dirent *d;
	int status = find_parent(c, dir, &b, &d);

	if (status != 0)
		return status;
	*ino = d->ino;
	ext2_put(&b);
	return 0;
}

int ext2_dir_reparent(struct fs_ctx *c, struct ext2_node *dir, uint32_t parent)
{
	struct ext2_block b;
	struct ext2_dirent *d;
	int status = find_parent(c, dir, &b, &d);

	if (status != 0)
		return status;
	d->ino = parent;
	ext2_dirty(c, &b, dir->ino);
	ext2_put(&b);
	dir->flags &= ~EXT2_INDEX_FL;
	ext2_node_dirty(ext2_of(c), dir);
	return 0;
}
