/*
 * fs.h - the seam of file systems: inodes, names and bytes.
 *
 * Owns: `struct fs_ops`, what every variant (fs/ext2.c …) implements, and what it shows of a
 * mounted file system and of its inodes. Path walking, symbolic links on the way, working
 * directories, descriptors and permission checks belong to the layer above, which `walk` may save
 * some of its steps.
 *
 * Sharing: `struct fs` and `struct fs_node` live in memory that processes share at the same
 * address. They hold no pointer to code or to a process's own data; the operations are found by
 * the caller, in its own program, by `fs->type`. What belongs to the process (its disk handle,
 * its user) comes in `struct fs_ctx`.
 * Lock: one per mounted file system, taken inside each operation; operations are atomic to each
 * other. If a process dies inside one that only reads, the next caller repairs the caches and
 * goes on; if it dies inside one that changes the disk, the file system becomes read-only and
 * is marked for a check. Errors: negative errno. On error nothing was changed, unless an
 * operation says otherwise.
 */
#ifndef LIBOS_FS_H
#define LIBOS_FS_H

#include <stddef.h>
#include <stdint.h>
#include <libos/arena.h>
#include <libos/buf.h>
#include <libos/disk.h>
#include <libos/lock.h>

#define FS_NAME_MAX    255u
#define FS_SCRATCH     4u /* blocks that make() is given to work with */
#define FS_SYMLINK_MAX 4095u
#define FS_MESSAGE     160u /* bytes of a message, with its end */

/* Types and bits of a mode: the traditional numbers, whatever the C library calls them. */
#define FS_IFMT	  0170000u
#define FS_IFIFO  0010000u
#define FS_IFCHR  0020000u
#define FS_IFDIR  0040000u
#define FS_IFBLK  0060000u
#define FS_IFREG  0100000u
#define FS_IFLNK  0120000u
#define FS_IFSOCK 0140000u

enum fs_type {
	FS_TYPE_NONE = 0,
	FS_TYPE_EXT2 = 1,
	FS_TYPE_LOG = 2,
	FS_TYPE_RAW = 3,
	FS_TYPE_MEM = 4,
	/* From here on users' own.  Processes that share files find a variant by this number alone:
	 * two that may meet on one machine have two. */
	FS_TYPE_USER = 0x10000
};

enum fs_mount_flags {
	FS_MOUNT_RDONLY = 1, /* never write */
	FS_MOUNT_NOATIME =
		2 /* reading leaves access times alone (else: kept when older than the change) */
};

struct fs_time {
	int64_t sec; /* since 1970, UTC */
	uint32_t nsec;
};

struct fs_attr {
	uint64_t ino;
	uint64_t size;	 /* bytes */
	uint64_t blocks; /* of 512 bytes, in use */
	uint32_t mode;	 /* type and permission bits */
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint32_t blksize; /* best size of transfers */
	uint32_t rdev;	  /* of a device node, as stored */
	struct fs_time atime, mtime, ctime;
};

/* What a program says about how it will read a part of a file. */
enum fs_advice {
	FS_ADVICE_NORMAL = 0,
	FS_ADVICE_RANDOM = 1,	  /* no read-ahead */
	FS_ADVICE_SEQUENTIAL = 2, /* as much as there may be */
	FS_ADVICE_WILLNEED = 3,
	FS_ADVICE_DONTNEED = 4,
	FS_ADVICE_ONCE = 5
};

/* Which members of a `struct fs_attr` setattr is to take. */
enum fs_attr_mask {
	FS_SET_MODE = 1, /* permission bits only; the type stays */
	FS_SET_UID = 2,
	FS_SET_GID = 4,
	FS_SET_SIZE = 8,
	FS_SET_ATIME = 16,
	FS_SET_MTIME = 32
};

/* A mounted file system. Variants put their own state behind this head. */
struct fs {
	uint32_t type;	   /* enum fs_type */
	uint32_t flags;	   /* enum fs_mount_flags, as asked for */
	uint32_t readonly; /* not 0: changes get -EROFS (asked for, or after an error) */
	uint32_t mark;	   /* the layer above's, 0 at first: which of its mounts this is */
	uint32_t dirty;	   /* not 0: memory has changes that are not in the cache's buffers */
	uint32_t spare;
	struct lock lock;
	struct arena *arena;
	struct buf_cache *cache;
	char message[FS_MESSAGE]; /* why it is read-only or what went wrong last; "" if nothing did
				   */
};

/* What somebody may do with a node, as in the bits of its mode. */
enum fs_may { FS_MAY_SEARCH = 1, FS_MAY_EXECUTE = 1, FS_MAY_WRITE = 2, FS_MAY_READ = 4 };

/* Whether the user may do all of `want` with a node that has attributes `a`. */
static inline int fs_permits(const struct fs_attr *a, uint32_t uid, uint32_t gid, unsigned want)
{
	if (uid == 0)
		return !(want & FS_MAY_EXECUTE) || (a->mode & FS_IFMT) == FS_IFDIR ||
		       (a->mode & 0111);
	return (a->mode >> (a->uid == uid ? 6 : a->gid == gid ? 3 : 0) & want) == want;
}

/*
 * An inode in memory. The layer above reads it (attr.mode, attr.uid … for permission checks need no
 * call), and changes only `user`, under its own lock: it is 0 when the node appears.
 */
struct fs_node {
	struct fs *fs;
	struct fs_attr attr;
	uint32_t refs; /* holders; the file system's */
	uint32_t spare;
	uint64_t user;
};

struct fs_statfs {
	uint32_t bsize;
	uint32_t namemax;
	uint64_t blocks, bfree, bavail; /* of bsize */
	uint64_t files, ffree;
};

struct fs_dirent {
	uint64_t ino;
	uint64_t cookie; /* where to go on after this one */
	uint32_t mode;	 /* FS_IF… type, 0 if the directory does not say */
	uint16_t namelen;
	char name[FS_NAME_MAX + 1]; /* ends in 0 */
};

/* Who calls: made by each process for itself, for each mounted file system; never in shared memory.
 */
struct fs_ctx {
	struct fs *fs;
	struct disk *disk;
	uint32_t uid, gid; /* of what is created; uid 0 may use reserved blocks */
};

/* What mount is told, and what it tells.  Disk and cache are NULL for FS_DISKLESS. */
struct fs_mount {
	struct disk *disk;
	struct arena *arena;
	struct buf_cache *cache;
	uint32_t flags; /* enum fs_mount_flags */
	uint64_t limit; /* bytes that FS_DISKLESS may take of the arena; 0: its own choice */
	char message[FS_MESSAGE]; /* out: why it was refused or is read-only, with the names; ""
				   * otherwise
				   */
};

/* What is wanted of a walk. */
enum fs_walk_want {
	FS_WANT_NODE, /* what the last name names */
	FS_WANT_BOTH, /* and the directory that it is in */
	FS_WANT_DIR,  /* that one alone, whether there is such a name in it or not */
	FS_WANT_ATTR  /* the attributes of what the last name names; it is not held */
};

/* A way down a path, for `walk`. */
struct fs_walk {
	const char *path;     /* names and '/' … */
	size_t left;	      /* … so many bytes, without a 0 among them */
	struct fs_node *dir;  /* where it begins, and then, where it stands */
	struct fs_node *node; /* what the last name names; NULL at first */
	enum fs_walk_want want;
	struct fs_attr *attr; /* where FS_WANT_ATTR puts them */
};

enum fs_walked {
	FS_WALK_STOPPED, /* before the names that `path` has now, for others to look at */
	FS_WALK_FOUND,	 /* what was wanted, the rest is NULL; `path` is the last name */
	FS_WALK_ABSENT	 /* `dir` has no such name as `path` is now, the last one */
};

/* What a variant cannot do (each answered with -EPERM), what it does without, what it promises. */
enum fs_traits {
	FS_FLAT = 1,	    /* no directory but the root */
	FS_NO_LINKS = 2,    /* a file has one name */
	FS_NO_SYMLINKS = 4, /* no symbolic links */
	FS_DISKLESS = 8,    /* lives in memory: needs no volume, and nothing survives unmount */
	FS_SAFE = 16, /* after a crash it is what a sync has left, the last or the one under way */
	FS_IN_PLACE = 32, /* but for bytes of files that were changed in place since */
};

/*
 * `const struct fs_node *` is not used: looking may load caches. Names are `len` bytes (no 0
 * needed), 1 .. 255, without
 * '/' or 0; else -EINVAL, longer -ENAMETOOLONG. Nodes that come out in `**out` carry a reference:
 * give it back by put. Every operation may return -EIO (the disk, or a damaged file system: then it
 * is read-only from now on) and -ENOMEM (arena or cache too small); those that change something
 * -EROFS and -ENOSPC.
 */
struct fs_ops {
	uint32_t type; /* enum fs_type; FS_TYPE_USER and above in a file of a user's own */
	const char *name;
	uint32_t traits; /* enum fs_traits */

	/* Makes the volume an empty file system; `scratch` is FS_SCRATCH blocks of zeros, aligned
	 * as for transfers.  NULL: not made here (FS_DISKLESS needs none). */
	int (*make)(struct disk *d, void *scratch, char message[FS_MESSAGE]);

	/* Takes the volume. -EINVAL: not this type, damaged, or with unknown features (message
	 * names them). */
	int (*mount)(struct fs_mount *m, struct fs **out);
	/* Writes everything, marks clean, frees the memory; `c->fs` is gone. -EBUSY if a node is
	 * held (the root too), unless `force`. On -EIO it is gone too, and not clean. */
	int (*unmount)(struct fs_ctx *c, int force);
	/* Everything to the disk, durably. */
	int (*sync)(struct fs_ctx *c);
	/* One file's bytes, size and blocks to the disk, durably. */
	int (*fsync)(struct fs_ctx *c, struct fs_node *n);
	int (*statfs)(struct fs_ctx *c, struct fs_statfs *out);

	/* The root directory. */
	int (*root)(struct fs_ctx *c, struct fs_node **out);
	/* One more / one less reference. The last put of an unlinked file frees it on the disk. */
	void (*ref)(struct fs_ctx *c, struct fs_node *n);
	int (*put)(struct fs_ctx *c, struct fs_node *n);

	/* `name` in `dir`; "." and ".." work as stored. -ENOENT, -ENOTDIR. */
	int (*lookup)(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		      struct fs_node **out);
	/*
	 * Several names at once, as far as it takes nothing but memory: through directories that
	 * the caller may search, past nothing that is covered (`user`), and onto nothing that is a
	 * symbolic link. It may stop anywhere, and says nothing of why. `node`, and `dir` if it is
	 * another than before, come with a reference. NULL: this variant only has lookup.
	 */
	enum fs_walked (*walk)(struct fs_ctx *c, struct fs_walk *w);
	int (*getattr)(struct fs_ctx *c, struct fs_node *n, struct fs_attr *out);
	/* Takes the members of `a` that `mask` names; ctime becomes now. -EFBIG, -EISDIR for a
	 * size. */
	int (*setattr)(struct fs_ctx *c, struct fs_node *n, const struct fs_attr *a, uint32_t mask);

	/* `to` and `from` here and below must not fault into this file system (a mapped file of it
	 * not yet in memory): its lock is held during the copy. The layer above touches such pages
	 * first. Bytes at `off`: how many were read (0 at the end), -EISDIR, -EINVAL (not a file).
	 */
	int64_t (*read)(struct fs_ctx *c, struct fs_node *n, uint64_t off, void *to, size_t len);
	/* How many were written: fewer than `len` if the disk filled up or failed on the way.
	 * -EFBIG. Bytes between the old end and `off` read as zero. */
	int64_t (*write)(struct fs_ctx *c, struct fs_node *n, uint64_t off, const void *from,
			 size_t len);
	/* Cuts or extends (with zeroes) to `size`. */
	int (*truncate)(struct fs_ctx *c, struct fs_node *n, uint64_t size);

	/* What is to be expected of bytes off .. off+len-1; how they are to be read counts for the
	 * whole file. NULL: this variant does not listen. */
	int (*advise)(struct fs_ctx *c, struct fs_node *n, uint64_t off, uint64_t len,
		      enum fs_advice advice);

	/* A regular file (type bits of `mode` are ignored). -EEXIST, -ENOTDIR. */
	int (*create)(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		      uint32_t mode, struct fs_node **out);
	/* A directory. `out` may be NULL. -EEXIST, -EMLINK. */
	int (*mkdir)(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		     uint32_t mode, struct fs_node **out);
	/* A name of a file. -EISDIR, -ENOENT. */
	int (*unlink)(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len);
	/* An empty directory. -ENOTEMPTY, -ENOTDIR, -ENOENT, -EINVAL for "." . */
	int (*rmdir)(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len);
	/* One more name for `n`, which is no directory (-EPERM). -EEXIST, -EMLINK. */
	int (*link)(struct fs_ctx *c, struct fs_node *n, struct fs_node *dir, const char *name,
		    size_t len);
	/* A symbolic link to the `tlen` bytes at `target` (1 .. FS_SYMLINK_MAX and less than a
	 * block). */
	int (*symlink)(struct fs_ctx *c, struct fs_node *dir, const char *name, size_t len,
		       const char *target, size_t tlen, struct fs_node **out);
	/* Its text, no 0 added: how many bytes were put, at most `len`. -EINVAL: not a symbolic
	 * link. */
	int64_t (*readlink)(struct fs_ctx *c, struct fs_node *n, char *to, size_t len);
	/* POSIX rename: replaces what `nname` named. -EINVAL: a directory into itself; -ENOTEMPTY,
	 * -EISDIR, -ENOTDIR, -EMLINK. */
	int (*rename)(struct fs_ctx *c, struct fs_node *odir, const char *oname, size_t olen,
		      struct fs_node *ndir, const char *nname, size_t nlen);
	/* Up to `max` entries from `cookie` (0: the start): how many, 0 at the end. "." and ".."
	 * are among them. Entries added or removed meanwhile may or may not be seen; all others
	 * are, once. */
	int (*readdir)(struct fs_ctx *c, struct fs_node *dir, uint64_t cookie,
		       struct fs_dirent *ents, unsigned max);
	/* Whether all that is kept about the volume agrees: 0, or the line of what does not.  NULL:
	 * has no such check.  For tests. */
	int (*check)(struct fs_ctx *c);
};

extern const struct fs_ops fs_ext2_ops;

/*
 * A variant's file ends with FS_VARIANT(its ops): the linker gathers the pointers of all variants
 * that a program is linked with, in the order of its LIBOS line, between these two.
 */
#define FS_VARIANT(ops)                                                                            \
	static const struct fs_ops *const ops##_here                                               \
		__attribute__((used, section("fs_variants"))) = &(ops);

extern const struct fs_ops *const __start_fs_variants[];
extern const struct fs_ops *const __stop_fs_variants[];

/* The time of day, given by the layer above (by tests: a counter). */
struct fs_time fs_now(void);

#endif
