/*
 * file.c - opening files, and what is known of them: stat, modes, owners, times, sizes.
 *
 * Owns nothing: each call is a walk and an operation of the file system.  Called by programs,
 * newlib, and (file_open) spawn.c.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <libos/time.h>
#include <libos/vm.h>

/* What tv_nsec may say in utimensat and futimens; newlib's headers do not name them. */
#ifndef UTIME_NOW
#define UTIME_NOW  (-2L)
#define UTIME_OMIT (-1L)
#endif

enum { DEVICE_MAJOR_SHIFT = 32, NS_PER_US = 1000 };

/* ---- open ---------------------------------------------------------------------------------- */

static int open_device(enum posix_device device, int flags)
{
	static const enum posix_file_type types[] = {
		[DEVICE_NULL] = POSIX_FILE_NULL,
		[DEVICE_ZERO] = POSIX_FILE_ZERO,
		[DEVICE_TTY] = POSIX_FILE_TTY,
		[DEVICE_CONSOLE] = POSIX_FILE_TTY,
	};

	if (device == DEVICE_DIR)
		return -ENOENT;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	return fd_open(&(struct posix_file){.type = types[device],
					    .flags = (uint32_t)flags,
					    .tty = (uint16_t)posix_self->tty},
		       flags & O_CLOEXEC);
}

static int wanted(int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return R_OK;
	case O_WRONLY:
		return W_OK;
	default:
		return R_OK | W_OK;
	}
}

/* May the inode found be opened so?  Truncates it when asked to. */
static int open_existing(struct fs_node *n, int flags)
{
	const uint32_t type = n->attr.mode & FS_IFMT;
	int error;

	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (type == FS_IFLNK)
		return -ELOOP;
	if (type != FS_IFDIR && (flags & O_DIRECTORY))
		return -ENOTDIR;
	if (type == FS_IFDIR && (wanted(flags) & W_OK))
		return -EISDIR;
	if (type != FS_IFDIR && type != FS_IFREG)
		return -ENXIO;
	error = path_permit(n, wanted(flags));
	if (error == 0 && (wanted(flags) & W_OK) && n->fs->readonly)
		error = -EROFS;
	if (error == 0 && (flags & O_TRUNC) && (wanted(flags) & W_OK) && n->attr.size)
		error = node_truncate(n, 0);
	return error;
}

static int open_new(struct walk *w, mode_t mode)
{
	const int error = w->slash ? -EISDIR : path_permit(w->dir, W_OK | X_OK);

	if (error)
		return error;
	return node_create(w->dir, w->name, w->length, mode & 07777 & ~posix_self->umask, &w->node);
}

static int open_walked(struct walk *w, int flags, mode_t mode)
{
	int error, fd;

	if (w->device)
		return open_device(w->device, flags);
	error = w->node ? open_existing(w->node, flags) : open_new(w, mode);
	/* Somebody else may have made it since the walk. */
	if (error == -EEXIST && !w->node && !(flags & O_EXCL)) {
		error = node_lookup(w->dir, w->name, w->length, &w->node);
		if (error == 0)
			error = open_existing(w->node, flags);
	}
	if (error)
		return error;
	fd = fd_open(&(struct posix_file){.type = POSIX_FILE_NODE,
					  .flags = (uint32_t)flags,
					  .node = w->node},
		     flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (wanted(flags) & W_OK)
		image_forget(w->node);
	w->node = NULL;
	return fd;
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	unsigned how = flags & O_CREAT ? WALK_CREATE : 0;
	struct walk w;
	int result;

	if ((flags & O_NOFOLLOW) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		how |= WALK_NOFOLLOW;
	result = walk_at(dirfd, path, how, &w);
	if (result)
		return result;
	result = open_walked(&w, flags, mode);
	walk_done(&w);
	return result;
}

static mode_t creation_mode(int flags, va_list args)
{
	return flags & O_CREAT ? (mode_t)va_arg(args, unsigned) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = creation_mode(flags, args);
	va_end(args);
	posix_enter_point();
	return (int)posix_leave(open_at(AT_FDCWD, path, flags, mode));
}

int openat(int dirfd, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = creation_mode(flags, args);
	va_end(args);
	posix_enter_point();
	return (int)posix_leave(open_at(dirfd, path, flags, mode));
}

/* ---- stat ---------------------------------------------------------------------------------- */

static struct timespec timespec_of(struct fs_time t)
{
	return (struct timespec){.tv_sec = (time_t)t.sec, .tv_nsec = (long)t.nsec};
}

/* Of an inode, in the file system with that mark.  Member by member, for the compiler would clear
 * the whole first. */
static int stat_attr(const struct fs_attr *a, uint32_t mark, struct stat *out)
{
	out->st_dev = (dev_t)(mark % POSIX_NMOUNT + 1);
	out->st_ino = (ino_t)a->ino;
	out->st_mode = (mode_t)a->mode;
	out->st_nlink = (nlink_t)a->nlink;
	out->st_uid = a->uid;
	out->st_gid = a->gid;
	out->st_rdev = a->rdev;
	out->st_size = (off_t)a->size;
	out->st_blksize = a->blksize;
	out->st_blocks = (blkcnt_t)a->blocks;
	out->st_atim = timespec_of(a->atime);
	out->st_mtim = timespec_of(a->mtime);
	out->st_ctim = timespec_of(a->ctime);
	memset(out->st_spare4, 0, sizeof(out->st_spare4));
	return 0;
}

/* Of what has no inode: a device, a pipe. */
static int stat_made(uint32_t mode, uint32_t number, struct stat *out)
{
	memset(out, 0, sizeof(*out));
	out->st_ino = number;
	out->st_mode = (mode_t)mode;
	out->st_nlink = 1;
	out->st_blksize = EXO_PAGE_SIZE;
	if ((mode & FS_IFMT) == FS_IFCHR)
		out->st_rdev = (dev_t)1 << DEVICE_MAJOR_SHIFT | number;
	return 0;
}

static int stat_at(int dirfd, const char *path, unsigned how, struct stat *out)
{
	struct walk w;
	int error = walk_at(dirfd, path, how | WALK_ATTR, &w);

	if (error == 0)
		error = user_check(out, sizeof(*out), VM_WRITE);
	if (error)
		return error;
	if (w.device == DEVICE_DIR)
		return stat_made(FS_IFDIR | 0755, DEVICE_DIR, out);
	if (w.device)
		return stat_made(FS_IFCHR | 0666, w.device, out);
	return stat_attr(&w.attr, w.mark, out);
}

static int stat_fd(int fd, struct stat *out)
{
	static const uint8_t device[POSIX_FILE_NTYPE] = {
		[POSIX_FILE_TTY] = DEVICE_TTY,
		[POSIX_FILE_NULL] = DEVICE_NULL,
		[POSIX_FILE_ZERO] = DEVICE_ZERO,
	};
	struct posix_file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	if (user_check(out, sizeof(*out), VM_WRITE))
		return -EFAULT;
	if (f->type == POSIX_FILE_NODE)
		return stat_attr(&f->node->attr, f->node->fs->mark, out);
	if (device[f->type])
		return stat_made(FS_IFCHR | 0666, device[f->type], out);
	stat_made(FS_IFIFO | 0600, (uint32_t)(f - posix_seg->file), out);
	out->st_size = (off_t)pipe_waiting(f);
	return 0;
}

int stat(const char *restrict path, struct stat *restrict out)
{
	posix_enter();
	return (int)posix_leave(stat_at(AT_FDCWD, path, 0, out));
}

int lstat(const char *restrict path, struct stat *restrict out)
{
	posix_enter();
	return (int)posix_leave(stat_at(AT_FDCWD, path, WALK_NOFOLLOW, out));
}

int fstatat(int dirfd, const char *restrict path, struct stat *restrict out, int flags)
{
	posix_enter();
	return (int)posix_leave(
		stat_at(dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? WALK_NOFOLLOW : 0, out));
}

int fstat(int fd, struct stat *out)
{
	posix_enter();
	return (int)posix_leave(stat_fd(fd, out));
}

static int access_at(int dirfd, const char *path, int mode)
{
	struct walk w;
	int error = mode & ~(R_OK | W_OK | X_OK) ? -EINVAL : walk_at(dirfd, path, 0, &w);

	if (error)
		return error;
	if (w.device)
		error = mode & X_OK && w.device != DEVICE_DIR ? -EACCES : 0;
	else if ((mode & W_OK) && w.node->fs->readonly)
		error = -EROFS;
	else
		error = path_permit(w.node, mode);
	walk_done(&w);
	return error;
}

int access(const char *path, int mode)
{
	posix_enter();
	return (int)posix_leave(access_at(AT_FDCWD, path, mode));
}

int faccessat(int dirfd, const char *path, int mode, int flags)
{
	(void)flags;
	posix_enter();
	return (int)posix_leave(access_at(dirfd, path, mode));
}

/* ---- changing attributes ------------------------------------------------------------------- */

/* Of an inode; the caller must own it. */
static int change_node(struct fs_node *n, const struct fs_attr *a, uint32_t mask)
{
	const int error = path_owner(n);

	return error ? error : node_setattr(n, a, mask);
}

static int change_at(int dirfd, const char *path, unsigned how, const struct fs_attr *a,
		     uint32_t mask)
{
	struct walk w;
	int error = walk_at(dirfd, path, how, &w);

	if (error)
		return error;
	error = w.device ? -EPERM : change_node(w.node, a, mask);
	walk_done(&w);
	return error;
}

static int change_fd(int fd, const struct fs_attr *a, uint32_t mask)
{
	struct posix_file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	return f->type == POSIX_FILE_NODE ? change_node(f->node, a, mask) : -EPERM;
}

int chmod(const char *path, mode_t mode)
{
	const struct fs_attr a = {.mode = mode & 07777};

	posix_enter();
	return (int)posix_leave(change_at(AT_FDCWD, path, 0, &a, FS_SET_MODE));
}

int fchmod(int fd, mode_t mode)
{
	const struct fs_attr a = {.mode = mode & 07777};

	posix_enter();
	return (int)posix_leave(change_fd(fd, &a, FS_SET_MODE));
}

/* -1 leaves an owner as it is. */
static uint32_t owner_mask(uid_t uid, gid_t gid)
{
	return (uid == (uid_t)-1 ? 0 : FS_SET_UID) | (gid == (gid_t)-1 ? 0 : FS_SET_GID);
}

int chown(const char *path, uid_t uid, gid_t gid)
{
	const struct fs_attr a = {.uid = uid, .gid = gid};

	posix_enter();
	return (int)posix_leave(change_at(AT_FDCWD, path, 0, &a, owner_mask(uid, gid)));
}

int lchown(const char *path, uid_t uid, gid_t gid)
{
	const struct fs_attr a = {.uid = uid, .gid = gid};

	posix_enter();
	return (int)posix_leave(change_at(AT_FDCWD, path, WALK_NOFOLLOW, &a, owner_mask(uid, gid)));
}

int fchown(int fd, uid_t uid, gid_t gid)
{
	const struct fs_attr a = {.uid = uid, .gid = gid};

	posix_enter();
	return (int)posix_leave(change_fd(fd, &a, owner_mask(uid, gid)));
}

mode_t umask(mode_t mask)
{
	const mode_t old = (mode_t)posix_self->umask;

	posix_self->umask = mask & 0777;
	return old;
}

int truncate(const char *path, off_t size)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const int result = fd < 0 ? -1 : ftruncate(fd, size);
	const int error = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return result;
}

/* ---- times --------------------------------------------------------------------------------- */

/* Fills access and change time from ts (NULL: now) and says which are meant. */
static int times_of(const struct timespec *ts, struct fs_attr *a, uint32_t *mask)
{
	struct fs_time *to[2] = {&a->atime, &a->mtime};
	static const uint32_t bit[2] = {FS_SET_ATIME, FS_SET_MTIME};

	*mask = 0;
	for (int i = 0; i < 2; i++) {
		const long nsec = ts ? ts[i].tv_nsec : UTIME_NOW;

		if (nsec == UTIME_OMIT)
			continue;
		if (nsec != UTIME_NOW && (nsec < 0 || nsec > 999999999))
			return -EINVAL;
		*mask |= bit[i];
		*to[i] = nsec == UTIME_NOW ? fs_now()
					   : (struct fs_time){ts[i].tv_sec, (uint32_t)nsec};
	}
	return 0;
}

static int change_times(int dirfd, const char *path, int fd, unsigned how,
			const struct timespec *ts)
{
	struct fs_attr a = {.mode = 0};
	uint32_t mask;
	const int error = times_of(ts, &a, &mask);

	if (error || mask == 0)
		return error;
	return path ? change_at(dirfd, path, how, &a, mask) : change_fd(fd, &a, mask);
}

int utimensat(int dirfd, const char *path, const struct timespec *ts, int flags)
{
	const unsigned how = flags & AT_SYMLINK_NOFOLLOW ? WALK_NOFOLLOW : 0;

	posix_enter();
	return (int)posix_leave(path ? change_times(dirfd, path, -1, how, ts) : -EFAULT);
}

int futimens(int fd, const struct timespec *ts)
{
	posix_enter();
	return (int)posix_leave(change_times(AT_FDCWD, NULL, fd, 0, ts));
}

int utimes(const char *path, const struct timeval *tv)
{
	struct timespec ts[2];

	for (int i = 0; tv && i < 2; i++)
		ts[i] = (struct timespec){tv[i].tv_sec, tv[i].tv_usec * NS_PER_US};
	return utimensat(AT_FDCWD, path, tv ? ts : NULL, 0);
}

int utime(const char *path, const struct utimbuf *t)
{
	struct timespec ts[2];

	if (t) {
		ts[0] = (struct timespec){t->actime, 0};
		ts[1] = (struct timespec){t->modtime, 0};
	}
	return utimensat(AT_FDCWD, path, t ? ts : NULL, 0);
}

/* ---- the file system as a whole ------------------------------------------------------------ */

/* Of the file system of n; NULL: the main one. */
static int fill_statvfs(struct fs_node *n, struct statvfs *out)
{
	struct fs_statfs s;
	int error = user_check(out, sizeof(*out), VM_WRITE);

	n = n ? n : mount_main();
	if (error == 0)
		error = n ? node_statfs(n, &s) : -ENOENT;
	if (error)
		return error;
	*out = (struct statvfs){
		.f_bsize = s.bsize,
		.f_frsize = s.bsize,
		.f_blocks = s.blocks,
		.f_bfree = s.bfree,
		.f_bavail = s.bavail,
		.f_files = s.files,
		.f_ffree = s.ffree,
		.f_favail = s.ffree,
		.f_fsid = n->fs->mark % POSIX_NMOUNT + 1,
		.f_flag = n->fs->readonly ? ST_RDONLY : 0,
		.f_namemax = s.namemax,
	};
	return 0;
}

static int statvfs_path(const char *path, struct statvfs *out)
{
	struct walk w;
	int error = walk(NULL, path, 0, &w);

	if (error)
		return error;
	error = fill_statvfs(w.node, out);
	walk_done(&w);
	return error;
}

int statvfs(const char *restrict path, struct statvfs *restrict out)
{
	posix_enter();
	return (int)posix_leave(statvfs_path(path, out));
}

int fstatvfs(int fd, struct statvfs *out)
{
	struct posix_file *f;

	posix_enter();
	f = fd_file(fd);
	return (int)posix_leave(f ? fill_statvfs(f->node, out) : -EBADF);
}
