/*
 * ext2.c - the ext2 file system: the operations of fs.h, made of the parts that ext2.h lists.
 *
 * Understands what `mke2fs -t ext2` makes: blocks of 1, 2 and 4 KiB, sparse superblocks, file
 * types, large files, inodes of 128 bytes and more, extra times. Not crash-consistent: after a
 * crash, check it (the superblock says so).
 *
 * Owns: entry into the file system: its lock, the check for read-only, repair after the death
 * of another process.
 * Invariant: at the end of each operation no buffer is pinned, and the tree in the cache is one
 * that a check finds clean once counts and inodes are written (ext2_sync).
 * Lock: e->fs.lock, from ext2_enter to ext2_leave, which every operation does once.
 * Called through fs_ext2_ops.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"
#include "names.h"

#define DEPTH_MAX 65536u /* of directories, when rename looks for a loop */

/* ---- coming in and going out ---- */

/* The process inside died: pins fall; if it was changing something, half of that may be done. */
__attribute__((cold)) void ext2_recover(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);

	buf_recover(e->fs.cache);
	ext2_node_recover(e);
	if (e->changing)
		(void)ext2_bad(e, "a process died while changing it; its user was", c->uid);
}

static void begin(struct ext2 *e)
{
	e->changing = 1;
	e->now = fs_now();
}

/* For operations that change something. On error the lock is not held. */
static int enter_change(struct fs_ctx *c)
{
	struct ext2 *e = ext2_of(c);

	ext2_enter(c);
	int status = e->fs.readonly ? -EROFS : ext2_mark(c);
	if (status != 0)
		ext2_leave(c);
	else
		begin(e);
	return status;
}

/* The end of an operation that changed something, whose answer is `result`. What cannot be written
 * now stays dirty; the caller is told unless it had an error already. */
static int64_t leave_change(struct fs_ctx *c, int64_t result)
{
	const enum buf_want want = buf_wants(c->fs->cache);
	const int status = want == BUF_WANT_NOTHING ? 0 : ext2_settle(c, want);

	ext2_leave(c);
	return result < 0 || status == 0 ? result : status;
}

/* Gives `n` back after what has come to `status`: an error now counts if there was none. */
static int put_after(struct fs_ctx *c, struct ext2_node *n, int status)
{
	const int more = ext2_node_put(c, n);

	return status != 0 ? status : more;
}

/* Whether names can be put into `dir`, and `name` is one. */
static int check_new(const struct ext2_node *dir, const char *name, size_t len)
{
	int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status != 0)
		return status;
	if (!ext2_is_dir(dir))
		return -ENOTDIR;
	if (fs_name_dots(name, len))
		return -EEXIST;
	return dir->pub.attr.nlink == 0 ? -ENOENT : 0;
}

/* ---- the whole ---- */

static int op_unmount(struct fs_ctx *c, int force)
{
	ext2_enter(c);
	begin(ext2_of(c));
	int status = ext2_unmount(c, force);
	if (status == -EBUSY)
		ext2_leave(c);
	else
		c->fs = NULL;
	return status;
}

static int op_sync(struct fs_ctx *c)
{
	ext2_enter(c);
	int status = ext2_sync(c);
	ext2_leave(c);
	return status;
}

static int op_fsync(struct fs_ctx *c, struct fs_node *node)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_node *n = ext2_node_of(node);

	ext2_enter(c);
	int status = n->dirty ? ext2_node_write(c, n) : 0;
	int more;
	if (e->bs == DISK_BLOCK) {
		more = buf_sync_tag(e->fs.cache, c->disk, n->ino);
		status = status != 0 ? status : more;
		more = buf_sync_range(e->fs.cache, c->disk, ext2_itable_block(e, n->ino), 1);
	} else {
		/* Small blocks share a buffer with those of other files: a tag does not tell. */
		more = buf_sync(e->fs.cache, c->disk);
	}
	status = status != 0 ? status : more;
	if (status == 0)
		status = buf_flush(c->disk);
	ext2_leave(c);
	return status;
}

static int op_statfs(struct fs_ctx *c, struct fs_statfs *out)
{
	ext2_enter(c);
	int status = ext2_statfs(c, out);
	ext2_leave(c);
	return status;
}

/* ---- nodes ---- */

static int op_root(struct fs_ctx *c, struct fs_node **out)
{
	struct ext2 *e = ext2_of(c);

	ext2_enter(c);
	ext2_node_ref(e, e->root);
	*out = &e->root->pub;
	ext2_leave(c);
	return 0;
}

static void op_ref(struct fs_ctx *c, struct fs_node *node)
{
	ext2_enter(c);
	ext2_node_ref(ext2_of(c), ext2_node_of(node));
	ext2_leave(c);
}

/* The last reference to a node without a name goes, and the inode with it. */
static int put_last(struct fs_ctx *c, struct ext2_node *n)
{
	struct ext2 *e = ext2_of(c);
	int status = 0;

	if (!e->fs.readonly) {
		status = ext2_mark(c);
		begin(e);
	}
	status = put_after(c, n, status);
	if (e->changing)
		return (int)leave_change(c, status);
	ext2_leave(c);
	return status;
}

static int op_put(struct fs_ctx *c, struct fs_node *node)
{
	ext2_enter(c);
	if (node->refs == 1 && node->attr.nlink == 0)
		return put_last(c, ext2_node_of(node));
	(void)ext2_node_put(c, ext2_node_of(node)); /* does nothing that can fail */
	ext2_leave(c);
	return 0;
}

static int find_node(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		     struct ext2_node **out)
{
	struct ext2_place p;
	int status;

	if (len == 1 && name[0] == '.') {
		ext2_node_ref(ext2_of(c), dir);
		*out = dir;
		return 0;
	}
	if (fs_name_dots(name, len))
		status = ext2_dir_parent(c, dir, &p.ino);
	else
		status = ext2_dir_find(c, dir, name, len, &p);
	return status != 0 ? status : ext2_node_get(c, p.ino, out);
}

static int op_lookup(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		     struct fs_node **out)
{
	struct ext2_node *n = NULL;
	int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status != 0)
		return status;
	ext2_enter(c);
	status = ext2_is_dir(ext2_node_of(dir)) ? find_node(c, ext2_node_of(dir), name, len, &n)
						: -ENOTDIR;
	ext2_leave(c);
	if (status == 0)
		*out = &n->pub;
	return status;
}

static int op_getattr(struct fs_ctx *c, struct fs_node *node, struct fs_attr *out)
{
	ext2_enter(c);
	*out = node->attr;
	ext2_leave(c);
	return 0;
}

static int resize(struct fs_ctx *c, struct ext2_node *n, uint64_t size)
{
	if (ext2_is_dir(n))
		return -EISDIR;
	if (ext2_type_of(n) != FS_IFREG)
		return -EINVAL;
	return ext2_file_resize(c, n, size);
}

static int op_setattr(struct fs_ctx *c, struct fs_node *node, const struct fs_attr *a,
		      uint32_t mask)
{
	struct ext2 *e = ext2_of(c);
	int status = enter_change(c);

	if (status != 0)
		return status;
	if (mask & FS_SET_SIZE)
		status = resize(c, ext2_node_of(node), a->size);
	if (status == 0) {
		fs_attr_take(&node->attr, a, mask);
		ext2_touch(e, ext2_node_of(node), EXT2_TOUCH_C);
	}
	return (int)leave_change(c, status);
}

/* ---- bytes ---- */

/* Reading changes the access time only if nobody read since the last change: most reads then change
 * nothing. */
static void note_access(struct ext2 *e, struct ext2_node *n)
{
	struct fs_attr *a = &n->pub.attr;

	if (!e->marked || !fs_atime_due(&e->fs, a))
		return;
	a->atime = fs_now();
	if (!fs_time_older(&a->atime, &a->mtime))
		ext2_node_dirty(e, n);
}

static int64_t op_read(struct fs_ctx *c, struct fs_node *node, uint64_t off, void *to, size_t len)
{
	struct ext2_node *n = ext2_node_of(node);

	if (ext2_type_of(n) != FS_IFREG)
		return ext2_is_dir(n) ? -EISDIR : -EINVAL;
	ext2_enter(c);
	int64_t got = ext2_file_read(c, n, off, to, len);
	note_access(ext2_of(c), n);
	ext2_leave(c);
	return got;
}

static int64_t op_write(struct fs_ctx *c, struct fs_node *node, uint64_t off, const void *from,
			size_t len)
{
	struct ext2_node *n = ext2_node_of(node);

	if (ext2_is_dir(n))
		return -EISDIR;
	if (ext2_type_of(n) != FS_IFREG)
		return -EINVAL;
	int64_t got = enter_change(c);
	if (got != 0)
		return got;
	got = ext2_file_write(c, n, off, from, len);
	return leave_change(c, got);
}

static int op_advise(struct fs_ctx *c, struct fs_node *node, uint64_t off, uint64_t len,
		     enum fs_advice advice)
{
	if (ext2_type_of(ext2_node_of(node)) != FS_IFREG)
		return -EINVAL;
	ext2_enter(c);
	const int status = ext2_file_advise(c, ext2_node_of(node), off, len, advice);
	ext2_leave(c);
	return status;
}

static int op_truncate(struct fs_ctx *c, struct fs_node *node, uint64_t size)
{
	int status = enter_change(c);

	if (status != 0)
		return status;
	status = resize(c, ext2_node_of(node), size);
	return (int)leave_change(c, status);
}

static int64_t op_readlink(struct fs_ctx *c, struct fs_node *node, char *to, size_t len)
{
	struct ext2_node *n = ext2_node_of(node);
	const struct ext2 *e = ext2_of(c);
	int64_t got;

	if (ext2_type_of(n) != FS_IFLNK)
		return -EINVAL;
	ext2_enter(c);
	if (n->pub.attr.blocks > (n->file_acl != 0 ? e->bs / 512 : 0)) {
		got = ext2_file_read(c, n, 0, to, len);
	} else if (n->pub.attr.size > EXT2_FAST_MAX) {
		got = ext2_bad(ext2_of(c), "size of symbolic link inode", n->ino);
	} else {
		got = (int64_t)(len < n->pub.attr.size ? len : n->pub.attr.size);
		memcpy(to, n->block, (size_t)got);
	}
	ext2_leave(c);
	return got;
}

/* ---- names: making ---- */

/* Undoes ext2_node_new for what got no name. Returns `status`, the reason, or what failed in
 * undoing. */
static int abandon(struct fs_ctx *c, struct ext2_node *n, int status)
{
	ext2_node_unlink(ext2_of(c), n, n->pub.attr.nlink);
	int undone = ext2_node_put(c, n);

	return undone != 0 ? undone : status;
}

/* What a new node wants before it gets its name. */
struct making {
	uint32_t mode;
	const char *target; /* of a symbolic link */
	size_t tlen;
};

static int furnish(struct fs_ctx *c, struct ext2_node *dir, struct ext2_node *n,
		   const struct making *m)
{
	if (ext2_is_dir(n))
		return ext2_dir_make(c, n, dir->ino);
	if (m->target == NULL)
		return 0;
	if (m->tlen < EXT2_FAST_MAX) {
		memcpy(n->block, m->target, m->tlen);
		n->pub.attr.size = m->tlen;
		return 0;
	}
	int64_t put = ext2_file_write(c, n, 0, m->target, m->tlen);
	if (put < 0)
		return (int)put;
	return (size_t)put == m->tlen ? 0 : -ENOSPC;
}

static int make_locked(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		       const struct making *m, struct ext2_node **out)
{
	struct ext2_place p;
	int dirs = (m->mode & FS_IFMT) == FS_IFDIR;
	int status = check_new(dir, name, len);

	if (status != 0)
		return status;
	status = ext2_dir_find(c, dir, name, len, &p);
	if (status != -ENOENT)
		return status == 0 ? -EEXIST : status;
	if (dirs && dir->pub.attr.nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	struct ext2_node *n;
	status = ext2_node_new(c, dir, m->mode, &n);
	if (status != 0)
		return status;
	status = furnish(c, dir, n, m);
	if (status == 0)
		status = ext2_dir_add(c, dir, name, len, n->ino, m->mode);
	if (status != 0)
		return abandon(c, n, status);
	dir->pub.attr.nlink += (uint32_t)dirs;
	*out = n;
	return 0;
}

static int make(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		const struct making *m, struct fs_node **out)
{
	struct ext2_node *n = NULL;
	int status = enter_change(c);

	if (status != 0)
		return status;
	status = make_locked(c, ext2_node_of(dir), name, len, m, &n);
	if (status == 0 && out != NULL)
		*out = &n->pub;
	else if (status == 0)
		status = ext2_node_put(c, n);
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
	if (tlen == 0 || memchr(target, 0, tlen) != NULL)
		return -EINVAL;
	if (tlen > FS_SYMLINK_MAX || tlen >= ext2_of(c)->bs)
		return -ENAMETOOLONG;
	return make(c, dir, name, len,
		    &(struct making){.mode = FS_IFLNK | 0777, .target = target, .tlen = tlen}, out);
}

static int link_locked(struct fs_ctx *c, struct ext2_node *n, struct ext2_node *dir,
		       const char *name, size_t len)
{
	struct ext2_place p;
	int status = check_new(dir, name, len);

	if (status != 0)
		return status;
	if (ext2_is_dir(n))
		return -EPERM;
	if (n->pub.attr.nlink == 0)
		return -ENOENT;
	if (n->pub.attr.nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	status = ext2_dir_find(c, dir, name, len, &p);
	if (status != -ENOENT)
		return status == 0 ? -EEXIST : status;
	status = ext2_dir_add(c, dir, name, len, n->ino, n->pub.attr.mode);
	if (status != 0)
		return status;
	n->pub.attr.nlink++;
	ext2_touch(ext2_of(c), n, EXT2_TOUCH_C);
	return 0;
}

static int op_link(struct fs_ctx *c, struct fs_node *n, struct fs_node *dir, const char *name,
		   size_t len)
{
	int status = enter_change(c);

	if (status != 0)
		return status;
	status = link_locked(c, ext2_node_of(n), ext2_node_of(dir), name, len);
	return (int)leave_change(c, status);
}

/* ---- names: removing ---- */

/* What `name` names in `dir`, with a reference, and where it stands. */
static int find_place(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
		      struct ext2_place *p, struct ext2_node **n)
{
	int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status != 0)
		return status;
	if (!ext2_is_dir(dir))
		return -ENOTDIR;
	status = ext2_dir_find(c, dir, name, len, p);
	return status != 0 ? status : ext2_node_get(c, p->ino, n);
}

/* Whether the directory `n` may go: 0, or why not. */
static int check_dir_removal(struct fs_ctx *c, struct ext2_node *n)
{
	if (n == ext2_of(c)->root)
		return -EBUSY;
	int empty = ext2_dir_empty(c, n);
	return empty < 0 ? empty : empty ? 0 : -ENOTEMPTY;
}

/* Takes the directory `n`, nameless now, from below `dir`. */
static void drop_dir(struct ext2 *e, struct ext2_node *dir, struct ext2_node *n)
{
	ext2_node_unlink(e, n, n->pub.attr.nlink);
	if (dir->pub.attr.nlink > 2)
		dir->pub.attr.nlink--;
	ext2_node_dirty(e, dir);
}

static int remove_locked(struct fs_ctx *c, struct ext2_node *dir, const char *name, size_t len,
			 int want_dir)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_place p;
	struct ext2_node *n;
	int status = find_place(c, dir, name, len, &p, &n);

	if (status != 0)
		return status;
	if (ext2_is_dir(n) != want_dir)
		status = want_dir ? -ENOTDIR : -EISDIR;
	else if (want_dir)
		status = n == dir ? ext2_bad(e, "loop at directory inode", n->ino)
				  : check_dir_removal(c, n);
	if (status == 0)
		status = ext2_dir_remove(c, dir, name, len, &p);
	if (status == 0 && want_dir)
		drop_dir(e, dir, n);
	else if (status == 0)
		ext2_node_unlink(e, n, 1);
	return put_after(c, n, status);
}

static int op_unlink(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len)
{
	if (len > 0 && fs_name_dots(name, len))
		return -EISDIR;
	int status = enter_change(c);
	if (status != 0)
		return status;
	status = remove_locked(c, ext2_node_of(dir), name, len, 0);
	return (int)leave_change(c, status);
}

static int op_rmdir(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len)
{
	if (len > 0 && fs_name_dots(name, len))
		return len == 1 ? -EINVAL : -ENOTEMPTY;
	int status = enter_change(c);
	if (status != 0)
		return status;
	status = remove_locked(c, ext2_node_of(dir), name, len, 1);
	return (int)leave_change(c, status);
}

/* ---- names: rename ---- */

struct move {
	struct ext2_node *from, *to; /* directories */
	struct ext2_node *n;	     /* what moves */
	struct ext2_node *over;	     /* what is replaced, or NULL */
	struct ext2_place at, over_at;
	const char *oname, *nname;
	size_t olen, nlen;
};

/* Whether directory `n` is `below` or one of the directories above it: 1, 0 or an error. */
static int is_above(struct fs_ctx *c, const struct ext2_node *n, struct ext2_node *below)
{
	struct ext2 *e = ext2_of(c);
	struct ext2_node *d = below;
	int result = 0;

	ext2_node_ref(e, d);
	for (uint32_t depth = 0; d != e->root && d != n && result == 0; depth++) {
		struct ext2_node *up = NULL;
		uint32_t ino;

		result = ext2_dir_parent(c, d, &ino);
		if (result == 0)
			result = ext2_node_get(c, ino, &up);
		if (result == 0 && (depth >= DEPTH_MAX || !ext2_is_dir(up)))
			result = ext2_bad(e, "parents of directory inode", below->ino);
		result = put_after(c, d, result);
		d = up;
		if (d == NULL)
			return result;
	}
	result = result != 0 ? result : d == n;
	int more = ext2_node_put(c, d);
	return more != 0 ? more : result;
}

/* Everything that can refuse a rename. */
static int check_move(struct fs_ctx *c, const struct move *m)
{
	if (ext2_is_dir(m->n) && m->from != m->to) {
		int above = is_above(c, m->n, m->to);
		if (above != 0)
			return above < 0 ? above : -EINVAL;
		if (m->over == NULL && m->to->pub.attr.nlink >= EXT2_LINK_MAX)
			return -EMLINK;
	}
	if (m->over == NULL || m->over == m->n)
		return 0;
	if (ext2_is_dir(m->over) != ext2_is_dir(m->n))
		return ext2_is_dir(m->over) ? -EISDIR : -ENOTDIR;
	if (m->over == m->to || m->over == m->from)
		return -ENOTEMPTY;
	return ext2_is_dir(m->over) ? check_dir_removal(c, m->over) : 0;
}

static int do_move(struct fs_ctx *c, const struct move *m)
{
	struct ext2 *e = ext2_of(c);
	int status;

	if (m->over != NULL)
		status = ext2_dir_replace(c, m->to, m->nname, m->nlen, &m->over_at, m->n->ino,
					  m->n->pub.attr.mode);
	else
		status = ext2_dir_add(c, m->to, m->nname, m->nlen, m->n->ino, m->n->pub.attr.mode);
	if (status == 0)
		status = ext2_dir_remove(c, m->from, m->oname, m->olen, &m->at);
	if (status == 0 && ext2_is_dir(m->n) && m->from != m->to)
		status = ext2_dir_reparent(c, m->n, m->to->ino);
	if (status != 0)
		return status;
	if (ext2_is_dir(m->n) && m->from != m->to) {
		m->to->pub.attr.nlink++;
		if (m->from->pub.attr.nlink > 2)
			m->from->pub.attr.nlink--;
		ext2_node_dirty(e, m->to);
		ext2_node_dirty(e, m->from);
	}
	if (m->over != NULL && ext2_is_dir(m->over))
		drop_dir(e, m->to, m->over);
	else if (m->over != NULL)
		ext2_node_unlink(e, m->over, 1);
	ext2_touch(e, m->n, EXT2_TOUCH_C);
	return 0;
}

static int rename_locked(struct fs_ctx *c, struct move *m)
{
	int status = check_new(m->to, m->nname, m->nlen);

	if (status != 0)
		return status == -EEXIST ? -EINVAL : status;
	if (m->olen > 0 && fs_name_dots(m->oname, m->olen))
		return -EINVAL;
	status = find_place(c, m->from, m->oname, m->olen, &m->at, &m->n);
	if (status != 0)
		return status;
	status = find_place(c, m->to, m->nname, m->nlen, &m->over_at, &m->over);
	if (status == -ENOENT) {
		m->over = NULL;
		status = 0;
	}
	if (status == 0)
		status = check_move(c, m);
	if (status == 0 && m->over != m->n)
		status = do_move(c, m);
	if (m->over != NULL)
		status = put_after(c, m->over, status);
	return put_after(c, m->n, status);
}

static int op_rename(struct fs_ctx *c, struct fs_node *odir, const char *oname, size_t olen,
		     struct fs_node *ndir, const char *nname, size_t nlen)
{
	struct move m = {.from = ext2_node_of(odir),
			 .to = ext2_node_of(ndir),
			 .oname = oname,
			 .nname = nname,
			 .olen = olen,
			 .nlen = nlen};
	int status = enter_change(c);

	if (status != 0)
		return status;
	status = rename_locked(c, &m);
	return (int)leave_change(c, status);
}

static int op_readdir(struct fs_ctx *c, struct fs_node *dir, uint64_t cookie,
		      struct fs_dirent *ents, unsigned max)
{
	if (!ext2_is_dir(ext2_node_of(dir)))
		return -ENOTDIR;
	ext2_enter(c);
	int n = ext2_dir_read(c, ext2_node_of(dir), cookie, ents, max);
	ext2_leave(c);
	return n;
}

const struct fs_ops fs_ext2_ops = {
	.type = FS_TYPE_EXT2,
	.name = "ext2",
	.mount = ext2_mount,
	.unmount = op_unmount,
	.sync = op_sync,
	.fsync = op_fsync,
	.statfs = op_statfs,
	.root = op_root,
	.ref = op_ref,
	.put = op_put,
	.lookup = op_lookup,
	.walk = ext2_walk,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.read = op_read,
	.write = op_write,
	.truncate = op_truncate,
	.advise = op_advise,
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

FS_VARIANT(fs_ext2_ops)
