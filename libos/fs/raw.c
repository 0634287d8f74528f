/*
 * raw.c - named runs of blocks: a file is one run, and its block i is block start + i of the
 *volume.
 *
 *	block 0 .. 3    the directory: a head, then an entry for the root and for each file
 *	block 4 .. 7    the other copy of it; the newer sound one counts (raw_dir.c)
 *	block 8 ..      files, and gaps
 *
 * There is no map, no bitmap and no inode table: an entry says name, start, length of the run,
 *bytes, and how many of them were ever written.  So reading and writing a file that is there
 *touches its own blocks alone, in commands as large as can be.  What it costs: at most 126 files
 *with names of up to 48 bytes, no directories, links or symbolic links (-EPERM), and a file grows
 *only as far as the next one
 * (-ENOSPC).  A size that is declared (truncate of an empty file) gets a run for all of it, and
 *costs nothing; a file that is just written begins some way behind its neighbour.
 *
 * After a crash the directory is the one before or the one after, never a mixture: sync writes
 *data, flushes, writes the older copy anew, flushes; blocks given up are nobody's else before that.
 *fsync is sync.  Bytes overwritten in place are as the disk left them.
 *
 * Write-through (dirty_most 0) is a sync at the end of each operation that changed the directory
 * by more than times, which wait for the next one as they do for fsync; one that changed bytes in
 * place writes these and nothing else.
 *
 * Owns: entry into the file system: its lock, the check for read-only, repair after a death.
 * Invariant: a node is free, or has its name (nlink 1), or lost it and is held; v->fs.dirty says
 *whether the directory is newer than the disk's.  Lock: v->fs.lock, from enter to leave. Called
 *through fs_raw_ops.
 */
#include <string.h>
#include "names.h"
#include "raw.h"

/* ---- coming in and going out ---- */

static void leave(struct fs_ctx *c)
{
	raw_of(c)->changing = 0;
	lock_release(&c->fs->lock);
}

/* The process inside died: pins fall; if it was changing something, half of that may be done. */
static void enter(struct fs_ctx *c)
{
	struct raw *v = raw_of(c);

	if (lock_acquire(&c->fs->lock) == LOCK_OK)
		return;
	buf_recover(v->fs.cache);
	if (!v->changing)
		return;
	v->fs.readonly = 1;
	v->fs.message[0] = 0;
	fs_say(v->fs.message, "raw: a process died while changing it; its user was ");
	fs_say_number(v->fs.message, c->uid);
}

/* For operations that change something. On error the lock is not held. */
static int enter_change(struct fs_ctx *c)
{
	enter(c);
	if (c->fs->readonly) {
		leave(c);
		return -EROFS;
	}
	raw_of(c)->changing = 1;
	return 0;
}

/* The end of an operation that changed something, whose answer is `result`; as in ext2.c. */
static int64_t leave_change(struct fs_ctx *c, int64_t result)
{
	const enum buf_want want = buf_wants(c->fs->cache);
	int status = 0;

	if (want == BUF_WANT_ALL && c->fs->dirty == RAW_SHAPE)
		status = raw_commit(c);
	else if (want != BUF_WANT_NOTHING)
		status = buf_settle(c->fs->cache, c->disk);
	leave(c);
	return result < 0 || status == 0 ? result : status;
}

static int is_root(const struct fs_node *n)
{
	return n == &((const struct raw *)(const void *)n->fs)->node[0].pub;
}

/* ---- the whole ---- */

static int op_unmount(struct fs_ctx *c, int force)
{
	struct raw *v = raw_of(c);
	int status;

	enter(c);
	for (int i = 0; i < RAW_PLACES && !force; i++)
		if (v->node[i].pub.refs) {
			leave(c);
			return -EBUSY;
		}
	status = raw_commit(c);
	raw_free(v);
	c->fs = NULL;
	return status;
}

static int op_sync(struct fs_ctx *c)
{
	int status;

	enter(c);
	status = raw_commit(c);
	leave(c);
	return status;
}

/* A file whose entry is on the disk as it is needs no directory: times can wait for the next sync.
 */
static int op_fsync(struct fs_ctx *c, struct fs_node *n)
{
	const struct raw_run *r = &raw_node_of(n)->run;
	int status;

	enter(c);
	if (c->fs->dirty == RAW_SHAPE) {
		status = raw_commit(c);
	} else {
		status = buf_sync_range(c->fs->cache, c->disk, r->start, r->blocks);
		if (status == 0)
			status = buf_flush(c->disk);
	}
	leave(c);
	return status;
}

static int op_statfs(struct fs_ctx *c, struct fs_statfs *out)
{
	const struct raw *v = raw_of(c);

	enter(c);
	*out = (struct fs_statfs){.bsize = DISK_BLOCK,
				  .namemax = RAW_NAME,
				  .blocks = v->blocks - RAW_FIRST,
				  .bfree = raw_blocks_free(v),
				  .files = RAW_PLACES - 1};
	out->bavail = out->bfree;
	for (int i = 1; i < RAW_PLACES; i++)
		out->ffree += v->node[i].pub.attr.mode == 0;
	leave(c);
	return 0;
}

/* ---- nodes ---- */

static void touch(struct raw *v, struct raw_node *n, int modified)
{
	n->pub.attr.ctime = fs_now();
	if (modified)
		n->pub.attr.mtime = n->pub.attr.ctime;
	raw_dirty(v, RAW_TIMES);
}

/* Frees the place of what has no name and is not held. */
static void settle(struct raw *v, struct raw_node *n)
{
	if (n->pub.refs || n->pub.attr.nlink)
		return;
	raw_release(v, n);
	*n = (struct raw_node){.pub = {.fs = &v->fs}};
}

static void op_ref(struct fs_ctx *c, struct fs_node *n)
{
	enter(c);
	n->refs++;
	leave(c);
}

static int op_put(struct fs_ctx *c, struct fs_node *n)
{
	int last;

	enter(c);
	last = n->refs == 1 && n->attr.nlink == 0;
	raw_of(c)->changing = (uint32_t)last;
	n->refs--;
	settle(raw_of(c), raw_node_of(n));
	if (last)
		return (int)leave_change(c, 0);
	leave(c);
	return 0;
}

static int op_root(struct fs_ctx *c, struct fs_node **out)
{
	*out = &raw_of(c)->node[0].pub;
	op_ref(c, *out);
	return 0;
}

static struct raw_node *find(struct raw *v, const char *name, size_t len)
{
	for (int i = 1; i < RAW_PLACES; i++) {
		struct raw_node *n = &v->node[i];

		if (n->pub.attr.nlink && n->len == len && memcmp(n->name, name, len) == 0)
			return n;
	}
	return NULL;
}

static int op_lookup(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		     struct fs_node **out)
{
	struct raw_node *n;
	int status = fs_name_check(name, len, RAW_NAME);

	if (!is_root(dir))
		return -ENOTDIR;
	if (status)
		return status;
	enter(c);
	n = fs_name_dots(name, len) ? raw_node_of(dir) : find(raw_of(c), name, len);
	if (n) {
		n->pub.refs++;
		*out = &n->pub;
	}
	leave(c);
	return n ? 0 : -ENOENT;
}

/* ---- attributes and bytes ---- */

static int op_getattr(struct fs_ctx *c, struct fs_node *n, struct fs_attr *out)
{
	enter(c);
	*out = n->attr;
	leave(c);
	return 0;
}

static int resize(struct fs_ctx *c, struct fs_node *n, uint64_t size)
{
	int status;

	if (is_root(n))
		return -EISDIR;
	status = size == n->attr.size ? 0 : raw_resize(c, raw_node_of(n), size);
	if (status == 0)
		touch(raw_of(c), raw_node_of(n), 1);
	return status;
}

static int op_truncate(struct fs_ctx *c, struct fs_node *n, uint64_t size)
{
	int status = enter_change(c);

	if (status)
		return status;
	return (int)leave_change(c, resize(c, n, size));
}

static int op_setattr(struct fs_ctx *c, struct fs_node *n, const struct fs_attr *a, uint32_t mask)
{
	int status = enter_change(c);

	if (status)
		return status;
	if (mask & FS_SET_SIZE)
		status = resize(c, n, a->size);
	if (status == 0) {
		fs_attr_take(&n->attr, a, mask);
		touch(raw_of(c), raw_node_of(n), 0);
		raw_dirty(raw_of(c), RAW_SHAPE);
	}
	return (int)leave_change(c, status);
}

static int64_t op_read(struct fs_ctx *c, struct fs_node *n, uint64_t off, void *to, size_t len)
{
	int64_t got;

	if (is_root(n))
		return -EISDIR;
	enter(c);
	got = raw_read(c, raw_node_of(n), off, to, len);
	if (fs_atime_due(c->fs, &n->attr)) {
		n->attr.atime = fs_now();
		raw_dirty(raw_of(c), RAW_TIMES);
	}
	leave(c);
	return got;
}

static int64_t op_write(struct fs_ctx *c, struct fs_node *n, uint64_t off, const void *from,
			size_t len)
{
	int64_t put = is_root(n) ? -EISDIR : enter_change(c);

	if (put)
		return put;
	put = raw_write(c, raw_node_of(n), off, from, len);
	if (put > 0)
		touch(raw_of(c), raw_node_of(n), 1);
	return leave_change(c, put);
}

/* ---- names ---- */

/* Gives the node its name; it has none, or another. */
static void set_name(struct raw *v, struct raw_node *n, const char *name, size_t len)
{
	n->len = (uint8_t)len;
	memcpy(n->name, name, len);
	touch(v, &v->node[0], 1);
	raw_dirty(v, RAW_SHAPE);
}

static void drop(struct raw *v, struct raw_node *n)
{
	n->pub.attr.nlink = 0;
	touch(v, n, 0);
	touch(v, &v->node[0], 1);
	raw_dirty(v, RAW_SHAPE);
	settle(v, n);
}

static struct raw_node *free_place(struct raw *v)
{
	for (int i = 1; i < RAW_PLACES; i++)
		if (v->node[i].pub.attr.mode == 0)
			return &v->node[i];
	return NULL;
}

static int create_locked(struct fs_ctx *c, const char *name, size_t len, uint32_t mode,
			 struct fs_node **out)
{
	struct raw *v = raw_of(c);
	struct raw_node *n;
	const int status = fs_name_check(name, len, RAW_NAME);

	if (status)
		return status;
	if (fs_name_dots(name, len) || find(v, name, len))
		return -EEXIST;
	n = free_place(v);
	if (!n)
		return -ENOSPC;
	n->pub.attr = (struct fs_attr){.ino = (uint64_t)(n - v->node) + 1,
				       .mode = FS_IFREG | (mode & 07777),
				       .nlink = 1,
				       .uid = c->uid,
				       .gid = c->gid,
				       .blksize = DISK_BLOCK};
	n->pub.refs = 1;
	touch(v, n, 1);
	n->pub.attr.atime = n->pub.attr.mtime;
	set_name(v, n, name, len);
	*out = &n->pub;
	return 0;
}

static int op_create(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		     uint32_t mode, struct fs_node **out)
{
	int status = is_root(dir) ? enter_change(c) : -ENOTDIR;

	if (status)
		return status;
	status = create_locked(c, name, len, mode, out);
	(void)leave_change(c, status); /* it exists now, whatever could not be written yet */
	return status;
}

static int op_mkdir(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		    uint32_t mode, struct fs_node **out)
{
	(void)c, (void)dir, (void)name, (void)len, (void)mode, (void)out;
	return -EPERM;
}

static int op_link(struct fs_ctx *c, struct fs_node *n, struct fs_node *dir, const char *name,
		   size_t len)
{
	(void)c, (void)n, (void)dir, (void)name, (void)len;
	return -EPERM;
}

static int op_symlink(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		      const char *target, size_t tlen, struct fs_node **out)
{
	(void)c, (void)dir, (void)name, (void)len, (void)target, (void)tlen, (void)out;
	return -EPERM;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as all that read */
static int64_t op_readlink(struct fs_ctx *c, struct fs_node *n, char *to, size_t len)
{
	(void)c, (void)n, (void)to, (void)len;
	return -EINVAL;
}

static int op_unlink(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len)
{
	struct raw_node *n;
	int status = is_root(dir) ? fs_name_check(name, len, RAW_NAME) : -ENOTDIR;

	if (status == 0 && fs_name_dots(name, len))
		status = -EISDIR;
	if (status == 0)
		status = enter_change(c);
	if (status)
		return status;
	n = find(raw_of(c), name, len);
	if (n)
		drop(raw_of(c), n);
	return (int)leave_change(c, n ? 0 : -ENOENT);
}

/* Nothing that it could remove: says what is wrong with the name. */
static int op_rmdir(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len)
{
	const int status = is_root(dir) ? fs_name_check(name, len, RAW_NAME) : -ENOTDIR;
	int there;

	if (status)
		return status;
	if (fs_name_dots(name, len))
		return len == 1 ? -EINVAL : -ENOTEMPTY;
	enter(c);
	there = find(raw_of(c), name, len) != NULL;
	leave(c);
	return there ? -ENOTDIR : -ENOENT;
}

static int rename_locked(struct raw *v, const char *oname, size_t olen, const char *nname,
			 size_t nlen)
{
	struct raw_node *n = find(v, oname, olen), *over = find(v, nname, nlen);

	if (!n)
		return -ENOENT;
	if (n == over)
		return 0;
	if (over)
		drop(v, over);
	set_name(v, n, nname, nlen);
	touch(v, n, 0);
	return 0;
}

static int op_rename(struct fs_ctx *c, struct fs_node *odir, const char *oname, size_t olen,
		     struct fs_node *ndir, const char *nname, size_t nlen)
{
	int status = is_root(odir) && is_root(ndir) ? 0 : -ENOTDIR;

	if (status == 0)
		status = fs_name_check(oname, olen, RAW_NAME);
	if (status == 0)
		status = fs_name_check(nname, nlen, RAW_NAME);
	if (status == 0 && (fs_name_dots(oname, olen) || fs_name_dots(nname, nlen)))
		status = -EINVAL;
	if (status == 0)
		status = enter_change(c);
	if (status)
		return status;
	return (int)leave_change(c, rename_locked(raw_of(c), oname, olen, nname, nlen));
}

/* Cookies: 1 and 2 for "." and "..", then the places. */
static int op_readdir(struct fs_ctx *c, struct fs_node *dir, uint64_t cookie,
		      struct fs_dirent *ents, unsigned max)
{
	const struct raw *v = raw_of(c);
	unsigned n = 0;

	if (!is_root(dir))
		return -ENOTDIR;
	enter(c);
	for (; cookie < RAW_PLACES + 1 && n < max; cookie++) {
		const struct raw_node *at = &v->node[cookie < 2 ? 0 : cookie - 1];
		const size_t len = cookie < 2 ? (size_t)cookie + 1 : at->len;

		if (at->pub.attr.nlink == 0)
			continue;
		ents[n].ino = at->pub.attr.ino;
		ents[n].mode = at->pub.attr.mode & FS_IFMT;
		ents[n].cookie = cookie + 1;
		ents[n].namelen = (uint16_t)len;
		memcpy(ents[n].name, cookie < 2 ? ".." : at->name, len);
		ents[n++].name[len] = 0;
	}
	leave(c);
	return (int)n;
}

const struct fs_ops fs_raw_ops = {
	.type = FS_TYPE_RAW,
	.name = "raw",
	.traits = FS_FLAT | FS_NO_LINKS | FS_NO_SYMLINKS | FS_SAFE | FS_IN_PLACE,
	.make = raw_make,
	.mount = raw_mount,
	.unmount = op_unmount,
	.sync = op_sync,
	.fsync = op_fsync,
	.statfs = op_statfs,
	.root = op_root,
	.ref = op_ref,
	.put = op_put,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.read = op_read,
	.write = op_write,
	.truncate = op_truncate,
	.create = op_create,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.link = op_link,
	.symlink = op_symlink,
	.readlink = op_readlink,
	.rename = op_rename,
	.readdir = op_readdir,
};

FS_VARIANT(fs_raw_ops)
