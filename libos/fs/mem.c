/*
 * mem.c - a file system in memory: directories, links, symbolic links, sparse files; nothing lasts.
 *
 * Everything stands in the arena that the processes share: a node a file, a tree of pages for its
 * bytes (mem_file.c), names in lists and a hash table (mem_dir.c).  There is no disk and no cache:
 * a page is where its bytes are, and reading is one copy.  Memory is counted, every node, name,
 * table and page of it, and what would go beyond the limit of the mount is answered with ENOSPC, as
 * is a full arena.  A node lives as long as it has a name or is held; a file's last put gives its
 * pages back at once. unmount forgets everything; sync has nothing to do, and the bounds of
 * write-back (buf.h) nothing to bound.
 *
 * Owns: entry into the file system: its lock, the check for read-only, what a death inside means.
 * Invariant: m->used is the sum of what mem_take() gave and mem_give() did not take back; a
 * directory's nlink is 2 and one for each directory in it, another node's is its names; every node
 * is in m->nodes. Lock: m->fs.lock, from enter to leave.  A process that dies while it changes
 * something may have done half of it: then the file system becomes read-only.  Called through
 * fs_mem_ops.
 */
#include <errno.h>
#include <string.h>
#include "mem.h"
#include "names.h"

enum {
	LIMIT_LEAST = 64 << 10,
	PER_NAME = 512, /* bytes of the limit for a place in the hash table, and a file in statfs */
	PLACES_LEAST = 64,
	PLACES_MOST = 1 << 14,
};

/* ---- memory ---- */

void *mem_take(struct mem *m, size_t size)
{
	void *p = size > m->limit - m->used ? NULL : arena_alloc(m->fs.arena, size);

	if (p)
		m->used += size;
	return p;
}

void mem_give(struct mem *m, void *p, size_t size)
{
	m->used -= size;
	arena_free(m->fs.arena, p, size);
}

/* ---- coming in and going out ---- */

static void leave(struct fs_ctx *c)
{
	mem_of(c)->changing = 0;
	lock_release(&c->fs->lock);
}

static void enter(struct fs_ctx *c)
{
	struct mem *m = mem_of(c);

	if (lock_acquire(&c->fs->lock) == LOCK_OK || !m->changing)
		return;
	m->fs.readonly = 1;
	m->fs.message[0] = 0;
	fs_say(m->fs.message, "mem: a process died while changing it; its user was ");
	fs_say_number(m->fs.message, c->uid);
}

/* For operations that change something. On error the lock is not held. */
static int enter_change(struct fs_ctx *c)
{
	enter(c);
	if (c->fs->readonly) {
		leave(c);
		return -EROFS;
	}
	mem_of(c)->changing = 1;
	return 0;
}

static int is_dir(const struct mem_node *n)
{
	return mem_type(n) == FS_IFDIR;
}

static void touch(struct mem_node *n, int modified)
{
	n->pub.attr.ctime = fs_now();
	if (modified)
		n->pub.attr.mtime = n->pub.attr.ctime;
}

/* ---- nodes ---- */

static struct mem_node *node_new(struct fs_ctx *c, uint32_t mode)
{
	struct mem *m = mem_of(c);
	struct mem_node *n = mem_take(m, sizeof *n);

	if (!n)
		return NULL;
	n->pub = (struct fs_node){.fs = &m->fs, .refs = 1};
	n->pub.attr = (struct fs_attr){.ino = ++m->ino,
				       .mode = mode,
				       .nlink = (mode & FS_IFMT) == FS_IFDIR ? 2 : 1,
				       .uid = c->uid,
				       .gid = c->gid,
				       .blksize = MEM_PAGE};
	n->pub.attr.atime = n->pub.attr.mtime = n->pub.attr.ctime = fs_now();
	n->next = m->nodes;
	if (n->next)
		n->next->prev = n;
	m->nodes = n;
	m->files++;
	return n;
}

static void node_free(struct mem *m, struct mem_node *n)
{
	if (mem_type(n) == FS_IFREG)
		(void)mem_resize(m, n, 0);
	else if (n->target)
		mem_give(m, n->target, (size_t)n->pub.attr.size);
	while (n->first)
		mem_name_remove(m, n->first);
	*(n->prev ? &n->prev->next : &m->nodes) = n->next;
	if (n->next)
		n->next->prev = n->prev;
	m->files--;
	mem_give(m, n, sizeof *n);
}

static void node_put(struct mem *m, struct mem_node *n)
{
	if (--n->pub.refs == 0 && n->pub.attr.nlink == 0)
		node_free(m, n);
}

/* Loses `links` of its links; it goes if nobody holds it. */
static void node_unlink(struct mem *m, struct mem_node *n, uint32_t links)
{
	n->pub.attr.nlink -= links;
	touch(n, 0);
	n->pub.refs++;
	node_put(m, n);
}

static void op_ref(struct fs_ctx *c, struct fs_node *n)
{
	enter(c);
	n->refs++;
	leave(c);
}

static int op_put(struct fs_ctx *c, struct fs_node *n)
{
	enter(c);
	mem_of(c)->changing = n->refs == 1 && n->attr.nlink == 0;
	node_put(mem_of(c), mem_node_of(n));
	leave(c);
	return 0;
}

static int op_root(struct fs_ctx *c, struct fs_node **out)
{
	*out = &mem_of(c)->root->pub;
	op_ref(c, *out);
	return 0;
}

/* ---- the whole ---- */

static uint32_t places_for(uint64_t limit)
{
	uint32_t n = PLACES_LEAST;

	while (n < PLACES_MOST && n < limit / PER_NAME)
		n *= 2;
	return n;
}

static int op_mount(struct fs_mount *in, struct fs **out)
{
	const uint64_t limit = in->limit ? in->limit : arena_left(in->arena) / 2;
	const uint32_t places = places_for(limit);
	struct fs_ctx c = {.fs = NULL};
	struct mem *m;

	*out = NULL;
	if (limit < LIMIT_LEAST) {
		fs_say(in->message, "mem: the least size is ");
		fs_say_number(in->message, LIMIT_LEAST);
		return -EINVAL;
	}
	m = arena_alloc(in->arena, sizeof *m);
	if (!m)
		return -ENOMEM;
	m->fs = (struct fs){.type = FS_TYPE_MEM, .flags = in->flags, .arena = in->arena};
	lock_init(&m->fs.lock);
	m->limit = limit;
	m->mask = places - 1;
	m->table = mem_take(m, places * sizeof(void *));
	c.fs = &m->fs;
	m->root = m->table ? node_new(&c, FS_IFDIR | 0755) : NULL;
	if (!m->root) {
		arena_free(in->arena, m->table, places * sizeof(void *));
		arena_free(in->arena, m, sizeof *m);
		return -ENOMEM;
	}
	m->root->parent = m->root;
	m->fs.readonly = in->flags & FS_MOUNT_RDONLY;
	*out = &m->fs;
	return 0;
}

static int op_unmount(struct fs_ctx *c, int force)
{
	struct mem *m = mem_of(c);

	enter(c);
	for (struct mem_node *n = m->nodes; n && !force; n = n->next)
		if (n->pub.refs > (n == m->root)) {
			leave(c);
			return -EBUSY;
		}
	while (m->nodes)
		node_free(m, m->nodes);
	arena_free(m->fs.arena, m->table, (m->mask + 1) * sizeof(void *));
	arena_free(m->fs.arena, m, sizeof *m);
	c->fs = NULL;
	return 0;
}

static int op_sync(struct fs_ctx *c)
{
	(void)c;
	return 0;
}

static int op_fsync(struct fs_ctx *c, struct fs_node *n)
{
	(void)c, (void)n;
	return 0;
}

static int op_statfs(struct fs_ctx *c, struct fs_statfs *out)
{
	const struct mem *m = mem_of(c);

	enter(c);
	*out = (struct fs_statfs){.bsize = MEM_PAGE,
				  .namemax = FS_NAME_MAX,
				  .blocks = m->limit / MEM_PAGE,
				  .bfree = (m->limit - m->used) / MEM_PAGE,
				  .ffree = (m->limit - m->used) / PER_NAME};
	out->bavail = out->bfree;
	out->files = m->files + out->ffree;
	leave(c);
	return 0;
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
static int check_file(const struct mem_node *n)
{
	if (is_dir(n))
		return -EISDIR;
	return mem_type(n) == FS_IFREG ? 0 : -EINVAL;
}

static int resize(struct mem *m, struct mem_node *n, uint64_t size)
{
	const uint64_t old = n->pub.attr.size;
	int status = check_file(n);

	if (status == 0)
		status = mem_resize(m, n, size);
	if (status == 0)
		touch(n, size != old);
	return status;
}

static int op_truncate(struct fs_ctx *c, struct fs_node *n, uint64_t size)
{
	int status = enter_change(c);

	if (status)
		return status;
	status = resize(mem_of(c), mem_node_of(n), size);
	leave(c);
	return status;
}

static int op_setattr(struct fs_ctx *c, struct fs_node *n, const struct fs_attr *a, uint32_t mask)
{
	int status = enter_change(c);

	if (status)
		return status;
	if (mask & FS_SET_SIZE)
		status = resize(mem_of(c), mem_node_of(n), a->size);
	if (status == 0) {
		fs_attr_take(&n->attr, a, mask);
		n->attr.ctime = fs_now();
	}
	leave(c);
	return status;
}

static int64_t op_read(struct fs_ctx *c, struct fs_node *n, uint64_t off, void *to, size_t len)
{
	int64_t got = check_file(mem_node_of(n));

	if (got)
		return got;
	enter(c);
	got = mem_read(mem_node_of(n), off, to, len);
	if (fs_atime_due(c->fs, &n->attr))
		n->attr.atime = fs_now();
	leave(c);
	return got;
}

static int64_t op_write(struct fs_ctx *c, struct fs_node *n, uint64_t off, const void *from,
			size_t len)
{
	int64_t put = check_file(mem_node_of(n));

	if (put == 0)
		put = enter_change(c);
	if (put)
		return put;
	put = mem_write(mem_of(c), mem_node_of(n), off, from, len);
	if (put > 0)
		touch(mem_node_of(n), 1);
	leave(c);
	return put;
}

static int64_t op_readlink(struct fs_ctx *c, struct fs_node *n, char *to, size_t len)
{
	const uint64_t size = n->attr.size;

	(void)c;
	if (mem_type(mem_node_of(n)) != FS_IFLNK)
		return -EINVAL;
	if (len > size)
		len = (size_t)size;
	memcpy(to, mem_node_of(n)->target, len);
	return (int64_t)len;
}

/* ---- names: finding and making ---- */

static int find(struct mem *m, struct mem_node *dir, const char *name, size_t len,
		struct mem_node **out)
{
	const struct mem_name *e;

	if (!is_dir(dir))
		return -ENOTDIR;
	if (fs_name_dots(name, len)) {
		*out = len == 1 ? dir : dir->parent;
		return *out ? 0 : -ENOENT;
	}
	e = mem_name_find(m, dir, name, len);
	if (!e)
		return -ENOENT;
	*out = e->node;
	return 0;
}

static int op_lookup(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		     struct fs_node **out)
{
	struct mem_node *n;
	int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status)
		return status;
	enter(c);
	status = find(mem_of(c), mem_node_of(dir), name, len, &n);
	if (status == 0) {
		n->pub.refs++;
		*out = &n->pub;
	}
	leave(c);
	return status;
}

/* Whether `name` can be a new one in `dir`. */
static int check_new(struct mem *m, const struct mem_node *dir, const char *name, size_t len)
{
	const int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status)
		return status;
	if (!is_dir(dir))
		return -ENOTDIR;
	if (fs_name_dots(name, len) || mem_name_find(m, dir, name, len))
		return -EEXIST;
	return dir->pub.attr.nlink == 0 ? -ENOENT : 0;
}

/* What a new node is to be. */
struct making {
	uint32_t mode;
	const char *target; /* of a symbolic link */
	size_t tlen;
};

/* A node without a name yet, or NULL: no room. */
static struct mem_node *furnished(struct fs_ctx *c, const struct making *k)
{
	struct mem_node *n = node_new(c, k->mode);

	if (!n || !k->target)
		return n;
	n->target = mem_take(mem_of(c), k->tlen);
	if (!n->target) {
		node_free(mem_of(c), n);
		return NULL;
	}
	memcpy(n->target, k->target, k->tlen);
	n->pub.attr.size = k->tlen;
	return n;
}

static int make_locked(struct fs_ctx *c, struct mem_node *dir, const char *name, size_t len,
		       const struct making *k, struct mem_node **out)
{
	struct mem *m = mem_of(c);
	const int status = check_new(m, dir, name, len), dirs = (k->mode & FS_IFMT) == FS_IFDIR;
	struct mem_node *n;

	if (status)
		return status;
	if (dirs && dir->pub.attr.nlink >= MEM_LINKS)
		return -EMLINK;
	n = furnished(c, k);
	if (!n)
		return -ENOSPC;
	if (!mem_name_add(m, dir, name, len, n)) {
		node_free(m, n);
		return -ENOSPC;
	}
	n->parent = dirs ? dir : NULL;
	dir->pub.attr.nlink += (uint32_t)dirs;
	touch(dir, 1);
	*out = n;
	return 0;
}

static int make(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		const struct making *k, struct fs_node **out)
{
	struct mem_node *n = NULL;
	int status = enter_change(c);

	if (status)
		return status;
	status = make_locked(c, mem_node_of(dir), name, len, k, &n);
	if (status == 0 && out)
		*out = &n->pub;
	else if (status == 0)
		node_put(mem_of(c), n);
	leave(c);
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

static int link_locked(struct mem *m, struct mem_node *n, struct mem_node *dir, const char *name,
		       size_t len)
{
	const int status = is_dir(n) ? -EPERM : check_new(m, dir, name, len);

	if (status)
		return status;
	if (n->pub.attr.nlink == 0)
		return -ENOENT;
	if (n->pub.attr.nlink >= MEM_LINKS)
		return -EMLINK;
	if (!mem_name_add(m, dir, name, len, n))
		return -ENOSPC;
	n->pub.attr.nlink++;
	touch(n, 0);
	touch(dir, 1);
	return 0;
}

static int op_link(struct fs_ctx *c, struct fs_node *n, struct fs_node *dir, const char *name,
		   size_t len)
{
	int status = enter_change(c);

	if (status)
		return status;
	status = link_locked(mem_of(c), mem_node_of(n), mem_node_of(dir), name, len);
	leave(c);
	return status;
}

/* ---- names: removing and moving ---- */

/* The name's entry; -ENOENT and so on. */
static int find_name(struct mem *m, struct mem_node *dir, const char *name, size_t len,
		     struct mem_name **out)
{
	const int status = fs_name_check(name, len, FS_NAME_MAX);

	if (status)
		return status;
	if (!is_dir(dir))
		return -ENOTDIR;
	*out = mem_name_find(m, dir, name, len);
	return *out ? 0 : -ENOENT;
}

/* What lost its last name in `dir`, or one of several. */
static void drop(struct mem *m, struct mem_node *dir, struct mem_node *n)
{
	if (is_dir(n)) {
		dir->pub.attr.nlink--;
		n->parent = NULL;
	}
	node_unlink(m, n, is_dir(n) ? n->pub.attr.nlink : 1);
}

static int remove_locked(struct mem *m, struct mem_node *dir, const char *name, size_t len,
			 int want_dir)
{
	struct mem_name *e;
	struct mem_node *n;
	const int status = find_name(m, dir, name, len, &e);

	if (status)
		return status;
	n = e->node;
	if (is_dir(n) != want_dir)
		return want_dir ? -ENOTDIR : -EISDIR;
	if (want_dir && n->first)
		return -ENOTEMPTY;
	mem_name_remove(m, e);
	touch(dir, 1);
	drop(m, dir, n);
	return 0;
}

static int remove_name(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		       int want_dir)
{
	int status = enter_change(c);

	if (status)
		return status;
	status = remove_locked(mem_of(c), mem_node_of(dir), name, len, want_dir);
	leave(c);
	return status;
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

/* Whether `n` is `below` or a directory above it. */
static int is_above(const struct mem *m, const struct mem_node *n, const struct mem_node *below)
{
	while (below && below != n && below != m->root)
		below = below->parent;
	return below == n;
}

/* Everything that can refuse a move of `n` to where `over` is, or nothing. */
static int check_move(const struct mem *m, const struct mem_node *n, const struct mem_node *from,
		      const struct mem_node *to, const struct mem_node *over)
{
	if (is_dir(n) && from != to && is_above(m, n, to))
		return -EINVAL;
	if (is_dir(n) && from != to && !over && to->pub.attr.nlink >= MEM_LINKS)
		return -EMLINK;
	if (!over || over == n)
		return 0;
	if (is_dir(over) != is_dir(n))
		return is_dir(over) ? -EISDIR : -ENOTDIR;
	return over->first ? -ENOTEMPTY : 0;
}

static void do_move(struct mem *m, struct mem_name *e, struct mem_node *to, struct mem_node *over)
{
	struct mem_node *const n = e->node, *const from = e->dir;

	mem_name_remove(m, e);
	if (is_dir(n) && from != to) {
		from->pub.attr.nlink--;
		to->pub.attr.nlink++;
		n->parent = to;
	}
	touch(n, 0);
	touch(from, 1);
	touch(to, 1);
	if (over)
		drop(m, to, over);
}

static int rename_locked(struct mem *m, struct mem_node *from, const char *oname, size_t olen,
			 struct mem_node *to, const char *nname, size_t nlen)
{
	struct mem_name *e, *at = NULL;
	struct mem_node *over = NULL;
	int status = fs_name_check(nname, nlen, FS_NAME_MAX);

	if (status || (olen > 0 && fs_name_dots(oname, olen)) || fs_name_dots(nname, nlen))
		return status ? status : -EINVAL;
	status = find_name(m, from, oname, olen, &e);
	if (status == 0)
		status = !is_dir(to) ? -ENOTDIR : to->pub.attr.nlink == 0 ? -ENOENT : 0;
	if (status)
		return status;
	at = mem_name_find(m, to, nname, nlen);
	over = at ? at->node : NULL;
	status = check_move(m, e->node, from, to, over);
	if (status || over == e->node)
		return status;
	if (at)
		at->node = e->node;
	else if (!mem_name_add(m, to, nname, nlen, e->node))
		return -ENOSPC;
	do_move(m, e, to, over);
	return 0;
}

static int op_rename(struct fs_ctx *c, struct fs_node *odir, const char *oname, size_t olen,
		     struct fs_node *ndir, const char *nname, size_t nlen)
{
	int status = enter_change(c);

	if (status)
		return status;
	status = rename_locked(mem_of(c), mem_node_of(odir), oname, olen, mem_node_of(ndir), nname,
			       nlen);
	leave(c);
	return status;
}

static int op_readdir(struct fs_ctx *c, struct fs_node *dir, uint64_t cookie,
		      struct fs_dirent *ents, unsigned max)
{
	int n;

	if (!is_dir(mem_node_of(dir)))
		return -ENOTDIR;
	enter(c);
	n = mem_list(mem_node_of(dir), cookie, ents, max);
	leave(c);
	return n;
}

const struct fs_ops fs_mem_ops = {
	.type = FS_TYPE_MEM,
	.name = "mem",
	.traits = FS_DISKLESS,
	.mount = op_mount,
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

FS_VARIANT(fs_mem_ops)
