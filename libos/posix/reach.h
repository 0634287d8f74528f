/*
 * reach.h - operations on nodes of whichever file system they are of.
 *
 * Owns: struct reach, how this process works with one mounted file system: the operations of its
 * variant, which this program may be linked with or not, and its own way to the disk.  Invariant:
 * an entry counts for the mount whose mark it carries; marks are never used twice, so entries of a
 * mount that is gone are never taken for another's.  A node of a file system that cannot be reached
 * answers -ENODEV to everything, and to being let go of by being handed to init (reach_give_away).
 * No lock: each process has its own.  Called by libos/posix only.
 */
#ifndef POSIX_REACH_H
#define POSIX_REACH_H

#include <errno.h>
#include <libos/fs.h>
#include <libos/posix_segment.h>

struct reach {
	const struct fs_ops *ops;
	struct fs_ctx ctx;
	uint32_t mark; /* of the mounted file system that this is good for; 0: none */
};

extern struct reach reach_table[POSIX_NMOUNT];

/* Finds the variant and opens the volume; NULL: this process cannot. */
struct reach *reach_open(struct fs *fs);

/* Lets init put the node, which this process cannot. */
void reach_give_away(struct fs_node *n);

/* In a forked child, whose rights are its own. */
void reach_copied(void);

/* Whose files this process makes from now on. */
void reach_identity(void);

static inline struct reach *reach_fs(struct fs *fs)
{
	struct reach *r = &reach_table[fs->mark % POSIX_NMOUNT];

	return r->mark == fs->mark ? r : reach_open(fs);
}

static inline void node_ref(struct fs_node *n)
{
	struct reach *r = reach_fs(n->fs);

	if (r)
		r->ops->ref(&r->ctx, n);
}

static inline void node_put(struct fs_node *n)
{
	struct reach *r = reach_fs(n->fs);

	if (r)
		(void)r->ops->put(&r->ctx, n);
	else
		reach_give_away(n);
}

static inline int node_lookup(struct fs_node *dir, const char *name, size_t len,
			      struct fs_node **out)
{
	struct reach *r = reach_fs(dir->fs);

	return r ? r->ops->lookup(&r->ctx, dir, name, len, out) : -ENODEV;
}

static inline int node_setattr(struct fs_node *n, const struct fs_attr *a, uint32_t mask)
{
	struct reach *r = reach_fs(n->fs);

	return r ? r->ops->setattr(&r->ctx, n, a, mask) : -ENODEV;
}

static inline int64_t node_read(struct fs_node *n, uint64_t off, void *to, size_t len)
{
	struct reach *r = reach_fs(n->fs);

	return r ? r->ops->read(&r->ctx, n, off, to, len) : -ENODEV;
}

static inline int64_t node_write(struct fs_node *n, uint64_t off, const void *from, size_t len)
{
	struct reach *r = reach_fs(n->fs);

	return r ? r->ops->write(&r->ctx, n, off, from, len) : -ENODEV;
}

static inline int node_truncate(struct fs_node *n, uint64_t size)
{
	struct reach *r = reach_fs(n->fs);

	return r ? r->ops->truncate(&r->ctx, n, size) : -ENODEV;
}

static inline int node_fsync(struct fs_node *n)
{
	struct reach *r = reach_fs(n->fs);

	return r ? r->ops->fsync(&r->ctx, n) : -ENODEV;
}

static inline int node_statfs(struct fs_node *n, struct fs_statfs *out)
{
	struct reach *r = reach_fs(n->fs);

	return r ? r->ops->statfs(&r->ctx, out) : -ENODEV;
}

static inline int node_create(struct fs_node *dir, const char *name, size_t len, uint32_t mode,
			      struct fs_node **out)
{
	struct reach *r = reach_fs(dir->fs);

	return r ? r->ops->create(&r->ctx, dir, name, len, mode, out) : -ENODEV;
}

static inline int node_mkdir(struct fs_node *dir, const char *name, size_t len, uint32_t mode)
{
	struct reach *r = reach_fs(dir->fs);

	return r ? r->ops->mkdir(&r->ctx, dir, name, len, mode, NULL) : -ENODEV;
}

static inline int node_unlink(struct fs_node *dir, const char *name, size_t len)
{
	struct reach *r = reach_fs(dir->fs);

	return r ? r->ops->unlink(&r->ctx, dir, name, len) : -ENODEV;
}

static inline int node_rmdir(struct fs_node *dir, const char *name, size_t len)
{
	struct reach *r = reach_fs(dir->fs);

	return r ? r->ops->rmdir(&r->ctx, dir, name, len) : -ENODEV;
}

static inline int node_link(struct fs_node *n, struct fs_node *dir, const char *name, size_t len)
{
	struct reach *r = reach_fs(dir->fs);

	if (n->fs != dir->fs)
		return -EXDEV;
	return r ? r->ops->link(&r->ctx, n, dir, name, len) : -ENODEV;
}

static inline int node_symlink(struct fs_node *dir, const char *name, size_t len,
			       const char *target, size_t tlen)
{
	struct reach *r = reach_fs(dir->fs);

	return r ? r->ops->symlink(&r->ctx, dir, name, len, target, tlen, NULL) : -ENODEV;
}

static inline int64_t node_readlink(struct fs_node *n, char *to, size_t len)
{
	struct reach *r = reach_fs(n->fs);

	return r ? r->ops->readlink(&r->ctx, n, to, len) : -ENODEV;
}

static inline int node_rename(struct fs_node *odir, const char *oname, size_t olen,
			      struct fs_node *ndir, const char *nname, size_t nlen)
{
	struct reach *r = reach_fs(odir->fs);

	if (odir->fs != ndir->fs)
		return -EXDEV;
	return r ? r->ops->rename(&r->ctx, odir, oname, olen, ndir, nname, nlen) : -ENODEV;
}

static inline int node_readdir(struct fs_node *dir, uint64_t cookie, struct fs_dirent *ents,
			       unsigned max)
{
	struct reach *r = reach_fs(dir->fs);

	return r ? r->ops->readdir(&r->ctx, dir, cookie, ents, max) : -ENODEV;
}

/* ---- mounts (mount.c) --------------------------------------------------------------------- */

/* The mount whose root n is, or NULL. */
struct posix_mount *mount_of_root(const struct fs_node *n);

/*
 * If something is mounted on *n, its root takes the place of *n, whose reference is given up.  0,
 * or -ENODEV (this program cannot reach it) with *n put.
 */
int mount_cross(struct fs_node **n);

/* If *n is the root of something mounted, the directory it is mounted on takes its place. */
void mount_uncross(struct fs_node **n);

/* Everything of all file systems to the disk; `only_dirty`: of those that have something to write.
 */
int mount_sync(int only_dirty);

/* At the end: all of them, whoever holds what. */
int mount_end_all(void);

#endif
