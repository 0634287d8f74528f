/*
 * log.c - a log-structured file system: nothing that the disk may need is ever overwritten.
 *
 *	block 0, 1    checkpoints, written in turn: the one with the higher number and a right
 *checksum counts block 3 ..    blocks of files and of their trees, in segments of 64; the first
 *block of a segment (of segment 0, block 2) is its summary, which says where each belonged when
 *written
 *
 * A file is a tree of blocks; inodes are a file too, whose tree begins in the checkpoint.  What
 *changes is copied: the block, the tables above it, the block of its inode, the tables above that,
 *up to a new root, once between two checkpoints; after that it is changed in place.  All copies go
 *one after another into empty segments, so that many small changes become few large writes.  sync
 *and fsync write them, flush, write a checkpoint into the place of the older one, and flush: so the
 *disk always holds one whole state, the last or the one before, with no log to play back and
 *nothing to repair.
 *
 * Blocks given up since the checkpoint are free only after the next one; when free blocks run
 *short, an operation begins with a checkpoint.  When few segments are empty, sync empties those
 *with the fewest blocks in use (log_sync): the summary says whose they may be, the tree whether
 *they are.  A full volume is written in its gaps instead.  64 blocks are kept for removing, which
 *must copy too.
 *
 * Which blocks are in use is not on the disk: mount goes through all trees (not the files' bytes),
 *and thereby checks them.  In memory: two bits a block, and what is held.  Limits: 8 TiB, half as
 *many inodes as blocks, names of a directory are sought one after another; access times last only
 *with other changes.
 *
 * Write-through (dirty_most 0) is a checkpoint at the end of each operation that changed something:
 * nothing less makes a change count.  Write-back within bounds writes the copies early, and they
 * count at the next checkpoint.
 *
 * Owns: entry into the file system: its lock, the check for read-only, repair after a death.
 * Invariant: at the end of each operation no buffer is pinned, and each node that it changed is in
 *the inode file or dirty.  Lock: l->fs.lock, from enter to leave.  Called through fs_log_ops.
 */
#include <string.h>
#include "log.h"
#include "names.h"

/* ---- coming in and going out ---- */

static void leave(struct fs_ctx *c)
{
	log_of(c)->changing = 0;
	lock_release(&c->fs->lock);
}

/* The process inside died: pins fall; if it was changing something, half of that may be done. */
static void enter(struct fs_ctx *c)
{
	struct log *l = log_of(c);

	if (lock_acquire(&c->fs->lock) == LOCK_OK)
		return;
	buf_recover(l->fs.cache);
	if (l->changing)
		(void)log_bad(l, "a process died while changing it; its user was", c->uid);
}

/* For operations that change something, and write `want` blocks. On error the lock is not held. */
static int enter_change(struct fs_ctx *c, uint64_t want)
{
	int status;

	enter(c);
	log_of(c)->changing = 1;
	status = c->fs->readonly ? -EROFS : log_begin(c, want);
	if (status)
		leave(c);
	return status;
}

/* The end of an operation that changed something, whose answer is `result`; as in ext2.c. */
static int64_t leave_change(struct fs_ctx *c, int64_t result)
{
	const enum buf_want want = buf_wants(c->fs->cache);
	int status = 0;

	if (want == BUF_WANT_ALL)
		status = log_checkpoint(c);
	else if (want == BUF_WANT_SETTLE)
		status = buf_settle(c->fs->cache, c->disk);
	leave(c);
	return result < 0 || status == 0 ? result : status;
}

/* Puts the nodes into the inode file, as far as there are any; `status` if that is an error. */
static int settle(struct fs_ctx *c, int status, struct log_node *a, struct log_node *b)
{
	const int first = a ? log_node_store(c, a) : 0, second = b ? log_node_store(c, b) : 0;

	return status ? status : first ? first : second;
}

static int is_dir(const struct log_node *n)
{
	return log_type(n) == FS_IFDIR;
}

static void touch(struct log_node *n, int modified)
{
	n->pub.attr.ctime = fs_now();
	if (modified)
		n->pub.attr.mtime = n->pub.attr.ctime;
	n->dirty = 1;
}

/* ---- the whole ---- */

static int op_unmount(struct fs_ctx *c, int force)
{
	struct log *l = log_of(c);
	int status;

	enter(c);
	for (uint32_t i = 0; i < LOG_BUCKETS && !force; i++)
		for (const struct log_node *n = l->nodes[i]; n; n = n->next)
			if (n->pub.refs > (n == l->root)) {
				leave(c);
				return -EBUSY;
			}
	status = log_checkpoint(c);
	log_free(l);
	c->fs = NULL;
	return status;
}

static int op_sync(struct fs_ctx *c)
{
	int status;

	enter(c);
	log_of(c)->changing = 1;
	status = log_sync(c);
	leave(c);
	return status;
}

static int op_fsync(struct fs_ctx *c, struct fs_node *n)
{
	int status;

	(void)n;
	enter(c);
	log_of(c)->changing = 1;
	status = log_checkpoint(c);
	leave(c);
	return status;
}

static int op_statfs(struct fs_ctx *c, struct fs_statfs *out)
{
	const struct log *l = log_of(c);
	const uint32_t kept = l->used + LOG_RESERVE;

	enter(c);
	*out = (struct fs_statfs){.bsize = DISK_BLOCK,
				  .namemax = FS_NAME_MAX,
				  .blocks = log_capacity(l),
				  .bfree = kept < log_capacity(l) ? log_capacity(l) - kept : 0,
				  .files = l->ino_max - 1,
				  .ffree = l->ino_max - 1 - l->ino_used};
	out->bavail = out->bfree;
	leave(c);
	return 0;
}

/* ---- nodes ---- */

static void op_ref(struct fs_ctx *c, struct fs_node *n)
{
	enter(c);
	n->refs++;
	leave(c);
}

static int op_put(struct fs_ctx *c, struct fs_node *n)
{
	int status = 0, more;

	enter(c);
	if (n->refs == 1 && n->attr.nlink == 0 && !c->fs->readonly) {
		log_of(c)->changing = 1;
		status = log_begin(c, 0);
	}
	more = log_node_put(c, log_node_of(n));
	status = status ? status : more;
	if (log_of(c)->changing)
		return (int)leave_change(c, status);
	leave(c);
	return status;
}

static int op_root(struct fs_ctx *c, struct fs_node **out)
{
	*out = &log_of(c)->root->pub;
	op_ref(c, *out);
	return 0;
}

static int find(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len,
		struct log_node **out)
{
	struct log_spot at;
	int status;

	if (!is_dir(dir))
		return -ENOTDIR;
	if (fs_name_dots(name, len)) {
		if (len == 2 && dir->pub.attr.nlink == 0)
			return -ENOENT;
		return log_node_get(c, len == 1 ? dir->tree.ino : dir->parent, out);
	}
	status = log_dir_find(c, dir, name, len, &at);
	return status ? status : log_node_get(c, at.ino, out);
}

static int op_lookup(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		     struct fs_node **out)
{
	struct log_node *n;
	int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status)
		return status;
	enter(c);
	status = find(c, log_node_of(dir), name, len, &n);
	leave(c);
	if (status == 0)
		*out = &n->pub;
	return status;
}

/* ---- attributes and bytes ---- */

static int op_getattr(struct fs_ctx *c, struct fs_node *n, struct fs_attr *out)
{
	enter(c);
	*out = n->attr;
	leave(c);
	return 0;
}

/* Whether it has bytes: 0, or what to answer. */
static int check_file(const struct log_node *n)
{
	if (is_dir(n))
		return -EISDIR;
	return log_type(n) == FS_IFREG ? 0 : -EINVAL;
}

static int resize(struct fs_ctx *c, struct log_node *n, uint64_t size)
{
	const uint64_t old = n->pub.attr.size;
	int status = check_file(n);

	if (status == 0)
		status = log_resize(c, n, size);
	if (status == 0)
		touch(n, size != old);
	return status;
}

static int op_truncate(struct fs_ctx *c, struct fs_node *n, uint64_t size)
{
	int status = enter_change(c, 0);

	if (status)
		return status;
	status = settle(c, resize(c, log_node_of(n), size), log_node_of(n), NULL);
	return (int)leave_change(c, status);
}

static int op_setattr(struct fs_ctx *c, struct fs_node *n, const struct fs_attr *a, uint32_t mask)
{
	int status = enter_change(c, 0);

	if (status)
		return status;
	if (mask & FS_SET_SIZE)
		status = resize(c, log_node_of(n), a->size);
	if (status == 0) {
		fs_attr_take(&n->attr, a, mask);
		touch(log_node_of(n), 0);
	}
	return (int)leave_change(c, settle(c, status, log_node_of(n), NULL));
}

static int64_t op_read(struct fs_ctx *c, struct fs_node *n, uint64_t off, void *to, size_t len)
{
	int64_t got = check_file(log_node_of(n));

	if (got)
		return got;
	enter(c);
	got = log_read(c, log_node_of(n), off, to, len);
	if (fs_atime_due(c->fs, &n->attr))
		n->attr.atime = fs_now();
	leave(c);
	return got;
}

static int64_t op_write(struct fs_ctx *c, struct fs_node *n, uint64_t off, const void *from,
			size_t len)
{
	int64_t put = check_file(log_node_of(n));
	int status;

	if (put == 0)
		put = enter_change(c, len / DISK_BLOCK + 2);
	if (put)
		return put;
	put = log_write(c, log_node_of(n), off, from, len);
	if (put > 0)
		touch(log_node_of(n), 1);
	status = settle(c, 0, log_node_of(n), NULL);
	return leave_change(c, put > 0 && status ? status : put);
}

static int64_t op_readlink(struct fs_ctx *c, struct fs_node *n, char *to, size_t len)
{
	int64_t got;

	if (log_type(log_node_of(n)) != FS_IFLNK)
		return -EINVAL;
	enter(c);
	got = log_read(c, log_node_of(n), 0, to, len);
	leave(c);
	return got;
}

/* ---- names: making ---- */

/* Whether `name` can be a new one in `dir`. */
static int check_new(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len)
{
	struct log_spot at;
	int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status)
		return status;
	if (!is_dir(dir))
		return -ENOTDIR;
	if (fs_name_dots(name, len))
		return -EEXIST;
	if (dir->pub.attr.nlink == 0)
		return -ENOENT;
	status = log_dir_find(c, dir, name, len, &at);
	return status == -ENOENT ? 0 : status ? status : -EEXIST;
}

/* What a new node is to be. */
struct making {
	uint32_t mode;
	const char *target; /* of a symbolic link */
	size_t tlen;
};

/* Gives it its contents and its name. */
static int furnish(struct fs_ctx *c, struct log_node *dir, struct log_node *n, const char *name,
		   size_t len, const struct making *k)
{
	int64_t put = 0;

	n->parent = is_dir(n) ? dir->tree.ino : 0;
	if (k->target)
		put = log_write(c, n, 0, k->target, k->tlen);
	if (put < 0)
		return (int)put;
	if ((size_t)put != k->tlen)
		return -ENOSPC;
	return log_dir_add(c, dir, name, len, n->tree.ino, k->mode);
}

static int make_locked(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len,
		       const struct making *k, struct log_node **out)
{
	const int dirs = (k->mode & FS_IFMT) == FS_IFDIR;
	struct log_node *n;
	int status = check_new(c, dir, name, len);

	if (status == 0 && dirs && dir->pub.attr.nlink >= LOG_LINKS)
		status = -EMLINK;
	if (status == 0)
		status = log_node_new(c, k->mode, &n);
	if (status)
		return status;
	status = furnish(c, dir, n, name, len, k);
	if (status) {
		n->pub.attr.nlink = 0;
		(void)log_node_put(c, n);
		return settle(c, status, dir, NULL);
	}
	dir->pub.attr.nlink += (uint32_t)dirs;
	touch(dir, 1);
	*out = n;
	return settle(c, 0, dir, n);
}

static int make(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		const struct making *k, struct fs_node **out)
{
	struct log_node *n = NULL;
	int status = enter_change(c, 2);

	if (status)
		return status;
	status = make_locked(c, log_node_of(dir), name, len, k, &n);
	if (status == 0 && out)
		*out = &n->pub;
	else if (n)
		(void)log_node_put(c, n);
	(void)leave_change(c, status); /* it exists now, whatever could not be written yet */
	return status;
}

static int op_create(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		     uint32_t mode, struct fs_node **out)
{
	return make(c, dir, name, len, &(struct making){.mode = FS_IFREG | (mode & 07777)}, out);
}

static int op_mkdir(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		    uint32_t mode, struct fs_node **out)
{
	return make(c, dir, name, len, &(struct making){.mode = FS_IFDIR | (mode & 07777)}, out);
}

static int op_symlink(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		      const char *target, size_t tlen, struct fs_node **out)
{
	if (tlen == 0 || memchr(target, 0, tlen))
		return -EINVAL;
	if (tlen > FS_SYMLINK_MAX)
		return -ENAMETOOLONG;
	return make(c, dir, name, len,
		    &(struct making){.mode = FS_IFLNK | 0777, .target = target, .tlen = tlen}, out);
}

static int link_locked(struct fs_ctx *c, struct log_node *n, struct log_node *dir, const char *name,
		       size_t len)
{
	int status = is_dir(n) ? -EPERM : check_new(c, dir, name, len);

	if (status)
		return status;
	if (n->pub.attr.nlink == 0)
		return -ENOENT;
	if (n->pub.attr.nlink >= LOG_LINKS)
		return -EMLINK;
	status = log_dir_add(c, dir, name, len, n->tree.ino, n->pub.attr.mode);
	if (status)
		return settle(c, status, dir, NULL);
	n->pub.attr.nlink++;
	touch(n, 0);
	touch(dir, 1);
	return settle(c, 0, dir, n);
}

static int op_link(struct fs_ctx *c, struct fs_node *n, struct fs_node *dir, const char *name,
		   size_t len)
{
	int status = enter_change(c, 2);

	if (status)
		return status;
	status = link_locked(c, log_node_of(n), log_node_of(dir), name, len);
	return (int)leave_change(c, status);
}

/* ---- names: removing ---- */

/* What `name` names in `dir`, with a reference, and where. */
static int find_spot(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len,
		     struct log_spot *at, struct log_node **n)
{
	int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status)
		return status;
	if (!is_dir(dir))
		return -ENOTDIR;
	status = log_dir_find(c, dir, name, len, at);
	return status ? status : log_node_get(c, at->ino, n);
}

/* 0, -ENOTEMPTY, or an error. */
static int check_empty(struct fs_ctx *c, struct log_node *dir)
{
	struct fs_dirent e;
	const int k = log_dir_read(c, dir, 2, &e, 1);

	return k > 0 ? -ENOTEMPTY : k;
}

/* Takes a link from what lost its name in `dir`. */
static void drop(struct log_node *dir, struct log_node *n)
{
	if (is_dir(n))
		dir->pub.attr.nlink--;
	n->pub.attr.nlink = is_dir(n) ? 0 : n->pub.attr.nlink - 1;
	touch(n, 0);
	touch(dir, 1);
}

static int remove_locked(struct fs_ctx *c, struct log_node *dir, const char *name, size_t len,
			 int want_dir)
{
	struct log_spot at;
	struct log_node *n;
	int status = find_spot(c, dir, name, len, &at, &n), more;

	if (status)
		return status;
	if (is_dir(n) != want_dir)
		status = want_dir ? -ENOTDIR : -EISDIR;
	else if (want_dir)
		status = n == dir || n == log_of(c)->root
				 ? log_bad(log_of(c), "loop at inode", at.ino)
				 : check_empty(c, n);
	if (status == 0)
		status = log_dir_remove(c, dir, &at);
	if (status == 0)
		drop(dir, n);
	status = settle(c, status, dir, n);
	more = log_node_put(c, n);
	return status ? status : more;
}

static int remove_name(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		       int want_dir)
{
	int status = enter_change(c, 0);

	if (status)
		return status;
	status = remove_locked(c, log_node_of(dir), name, len, want_dir);
	return (int)leave_change(c, status);
}

static int op_unlink(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len)
{
	if (len > 0 && fs_name_dots(name, len))
		return -EISDIR;
	return remove_name(c, dir, name, len, 0);
}

static int op_rmdir(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len)
{
	if (len > 0 && fs_name_dots(name, len))
		return len == 1 ? -EINVAL : -ENOTEMPTY;
	return remove_name(c, dir, name, len, 1);
}

/* ---- names: rename ---- */

struct renaming {
	struct log_node *from, *to; /* directories */
	struct log_node *n, *over;  /* what moves; what is replaced, or NULL */
	struct log_spot at, over_at;
	const char *name; /* the new one */
	size_t len;
};

/* Whether directory n is `below` or one of the directories above it: 1, 0 or an error. */
static int is_above(struct fs_ctx *c, const struct log_node *n, const struct log_node *below)
{
	struct log *l = log_of(c);
	uint32_t ino = below->tree.ino;

	for (uint32_t depth = 0; ino != n->tree.ino; depth++) {
		struct log_node *d;
		int status;

		if (ino == LOG_ROOT_INO)
			return 0;
		if (depth >= l->ino_max)
			return log_bad(l, "parents of directory inode", below->tree.ino);
		status = log_node_get(c, ino, &d);
		if (status)
			return status;
		ino = d->parent;
		status = log_node_put(c, d);
		if (status)
			return status;
	}
	return 1;
}

/* Everything that can refuse it. */
static int check_rename(struct fs_ctx *c, const struct renaming *m)
{
	if (m->to->pub.attr.nlink == 0)
		return -ENOENT;
	if (is_dir(m->n) && m->from != m->to) {
		const int above = is_above(c, m->n, m->to);

		if (above)
			return above < 0 ? above : -EINVAL;
		if (!m->over && m->to->pub.attr.nlink >= LOG_LINKS)
			return -EMLINK;
	}
	if (is_dir(m->n) && m->n == m->to)
		return -EINVAL;
	if (!m->over || m->over == m->n)
		return 0;
	if (is_dir(m->over) != is_dir(m->n))
		return is_dir(m->over) ? -EISDIR : -ENOTDIR;
	return is_dir(m->over) ? check_empty(c, m->over) : 0;
}

static int do_rename(struct fs_ctx *c, const struct renaming *m)
{
	int status;

	if (m->over)
		status =
			log_dir_replace(c, m->to, &m->over_at, m->n->tree.ino, m->n->pub.attr.mode);
	else
		status =
			log_dir_add(c, m->to, m->name, m->len, m->n->tree.ino, m->n->pub.attr.mode);
	if (status == 0)
		status = log_dir_remove(c, m->from, &m->at);
	if (status)
		return status;
	if (is_dir(m->n) && m->from != m->to) {
		m->from->pub.attr.nlink--;
		m->to->pub.attr.nlink++;
		m->n->parent = m->to->tree.ino;
	}
	if (m->over)
		drop(m->to, m->over);
	touch(m->n, 0);
	touch(m->from, 1);
	touch(m->to, 1);
	return 0;
}

static int rename_locked(struct fs_ctx *c, struct renaming *m, const char *oname, size_t olen)
{
	int status, more;

	status = find_spot(c, m->from, oname, olen, &m->at, &m->n);
	if (status)
		return status;
	status = find_spot(c, m->to, m->name, m->len, &m->over_at, &m->over);
	if (status == -ENOENT) {
		m->over = NULL;
		status = 0;
	}
	if (status == 0)
		status = check_rename(c, m);
	if (status == 0 && m->over != m->n)
		status = do_rename(c, m);
	status = settle(c, settle(c, status, m->from, m->to), m->n, m->over);
	more = m->over ? log_node_put(c, m->over) : 0;
	status = status ? status : more;
	more = log_node_put(c, m->n);
	return status ? status : more;
}

static int op_rename(struct fs_ctx *c, struct fs_node *odir, const char *oname, size_t olen,
		     struct fs_node *ndir, const char *nname, size_t nlen)
{
	struct renaming m = {
		.from = log_node_of(odir), .to = log_node_of(ndir), .name = nname, .len = nlen};
	int status = fs_name_check(nname, nlen, FS_NAME_MAX);

	if (status == 0 && (fs_name_dots(nname, nlen) || (olen > 0 && fs_name_dots(oname, olen))))
		status = -EINVAL;
	if (status == 0)
		status = enter_change(c, 2);
	if (status)
		return status;
	status = rename_locked(c, &m, oname, olen);
	return (int)leave_change(c, status);
}

static int op_readdir(struct fs_ctx *c, struct fs_node *dir, uint64_t cookie,
		      struct fs_dirent *ents, unsigned max)
{
	int n;

	if (!is_dir(log_node_of(dir)))
		return -ENOTDIR;
	enter(c);
	n = log_dir_read(c, log_node_of(dir), cookie, ents, max);
	leave(c);
	return n;
}

static int op_check(struct fs_ctx *c)
{
	int line;

	enter(c);
	line = log_check(c);
	leave(c);
	return line;
}

const struct fs_ops fs_log_ops = {
	.type = FS_TYPE_LOG,
	.name = "log",
	.traits = FS_SAFE,
	.make = log_make,
	.mount = log_mount,
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
	.check = op_check,
};

FS_VARIANT(fs_log_ops)
