/*
 * directory.c - names in directories: making, removing, renaming, listing, and where one stands.
 *
 * Owns nothing; operations of the file system are atomic, so no lock is needed around them.
 * Called by programs and newlib (opendir and friends ask getdents).
 */
#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <libos/vm.h>

/* newlib's rename() calls this. */
int _rename(const char *from, const char *to);

/* A walk to a name whose directory the caller may change; `how` says WALK_DIR or WALK_PARENT. */
static int walk_to_change(int dirfd, const char *path, unsigned how, struct walk *w)
{
	int error = walk_at(dirfd, path, how | WALK_NOFOLLOW, w);

	if (error)
		return error;
	error = w->device ? -EPERM : path_permit(w->dir, W_OK | X_OK);
	if (error)
		walk_done(w);
	return error;
}

static int do_mkdir(int dirfd, const char *path, mode_t mode)
{
	struct walk w;
	int error = walk_to_change(dirfd, path, WALK_DIR | WALK_CREATE, &w);

	if (error)
		return error == -EPERM ? -EEXIST : error;
	error = w.node ? -EEXIST
		       : node_mkdir(w.dir, w.name, w.length, mode & 07777 & ~posix_self->umask);
	walk_done(&w);
	return error;
}

int mkdir(const char *path, mode_t mode)
{
	posix_enter();
	return (int)posix_leave(do_mkdir(AT_FDCWD, path, mode));
}

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	posix_enter();
	return (int)posix_leave(do_mkdir(dirfd, path, mode));
}

static int do_remove(int dirfd, const char *path, int directory)
{
	struct walk w;
	int error = walk_to_change(dirfd, path, directory ? WALK_DIR : WALK_PARENT, &w);

	if (error)
		return error;
	if (w.node && mount_of_root(w.node))
		error = -EBUSY;
	else if (directory)
		error = node_rmdir(w.dir, w.name, w.length);
	else
		error = node_unlink(w.dir, w.name, w.length);
	walk_done(&w);
	return error;
}

int unlink(const char *path)
{
	posix_enter();
	return (int)posix_leave(do_remove(AT_FDCWD, path, 0));
}

int unlinkat(int dirfd, const char *path, int flags)
{
	posix_enter();
	return (int)posix_leave(do_remove(dirfd, path, flags & AT_REMOVEDIR));
}

int rmdir(const char *path)
{
	posix_enter();
	return (int)posix_leave(do_remove(AT_FDCWD, path, 1));
}

static int do_link(const char *from, const char *to)
{
	struct walk old, new;
	int error = walk(NULL, from, WALK_NOFOLLOW, &old);

	if (error)
		return error;
	error = old.device ? -EPERM : walk_to_change(AT_FDCWD, to, WALK_DIR | WALK_CREATE, &new);
	if (error == 0) {
		error = new.node ? -EEXIST : node_link(old.node, new.dir, new.name, new.length);
		walk_done(&new);
	}
	walk_done(&old);
	return error;
}

int link(const char *from, const char *to)
{
	posix_enter();
	return (int)posix_leave(do_link(from, to));
}

static int do_symlink(const char *text, const char *path)
{
	const long length = user_path(text);
	struct walk w;
	int error = length < 0 ? (int)length
			       : walk_to_change(AT_FDCWD, path, WALK_DIR | WALK_CREATE, &w);

	if (error)
		return error;
	error = w.node ? -EEXIST : node_symlink(w.dir, w.name, w.length, text, (size_t)length);
	walk_done(&w);
	return error;
}

int symlink(const char *text, const char *path)
{
	posix_enter();
	return (int)posix_leave(do_symlink(text, path));
}

static ssize_t do_readlink(int dirfd, const char *path, char *to, size_t n)
{
	struct walk w;
	ssize_t result = walk_at(dirfd, path, WALK_NOFOLLOW, &w);

	if (result)
		return result;
	result = user_check(to, n, VM_WRITE);
	if (result == 0)
		result = w.device || (w.node->attr.mode & FS_IFMT) != FS_IFLNK
				 ? -EINVAL
				 : node_readlink(w.node, to, n);
	walk_done(&w);
	return result;
}

ssize_t readlink(const char *restrict path, char *restrict to, size_t n)
{
	posix_enter();
	return posix_leave(do_readlink(AT_FDCWD, path, to, n));
}

ssize_t readlinkat(int dirfd, const char *restrict path, char *restrict to, size_t n)
{
	posix_enter();
	return posix_leave(do_readlink(dirfd, path, to, n));
}

static int do_rename(const char *from, const char *to)
{
	struct walk old, new;
	int error = walk_to_change(AT_FDCWD, from, WALK_DIR, &old);

	if (error)
		return error;
	error = walk_to_change(AT_FDCWD, to, WALK_DIR | WALK_CREATE, &new);
	if (error == 0) {
		if (mount_of_root(old.node) || (new.node &&mount_of_root(new.node)))
			error = -EBUSY;
		else if (new.slash && (old.node->attr.mode & FS_IFMT) != FS_IFDIR)
			error = -ENOTDIR;
		else
			error = node_rename(old.dir, old.name, old.length, new.dir, new.name,
					    new.length);
		walk_done(&new);
	}
	walk_done(&old);
	return error;
}

int _rename(const char *from, const char *to)
{
	posix_enter();
	return (int)posix_leave(do_rename(from, to));
}

/* ---- listing ------------------------------------------------------------------------------- */

static unsigned char type_of(uint32_t mode)
{
	return (unsigned char)((mode & FS_IFMT) >> 12);
}

/* Puts one entry at `to` if it fits: its length, or 0. */
static size_t put_entry(const struct fs_dirent *e, char *to, size_t room)
{
	const size_t head = offsetof(struct dirent, d_name);
	const size_t length = (head + e->namelen + 1 + 7) & ~(size_t)7;
	struct dirent *d = (struct dirent *)to;

	if (length > room)
		return 0;
	d->d_ino = (ino_t)e->ino;
	d->d_off = (off_t)e->cookie;
	d->d_reclen = (unsigned short)length;
	d->d_type = type_of(e->mode);
	memcpy(d->d_name, e->name, e->namelen);
	d->d_name[e->namelen] = 0;
	return length;
}

static int do_getdents(int fd, char *to, size_t room)
{
	enum { BATCH = 8 };
	struct fs_dirent entries[BATCH];
	struct posix_file *f = fd_file(fd);
	size_t done = 0;

	if (!f)
		return -EBADF;
	if (f->type != POSIX_FILE_NODE || (f->node->attr.mode & FS_IFMT) != FS_IFDIR)
		return -ENOTDIR;
	for (;;) {
		const int n = node_readdir(f->node, f->offset, entries, BATCH);

		if (n < 0)
			return done ? (int)done : n;
		if (n == 0)
			return (int)done;
		for (int i = 0; i < n; i++) {
			const size_t put = put_entry(&entries[i], to + done, room - done);

			if (put == 0)
				return done ? (int)done : -EINVAL;
			done += put;
			f->offset = entries[i].cookie;
		}
	}
}

int getdents(int fd, void *entries, int bytes)
{
	posix_enter();
	if (bytes < 0 || user_check(entries, (size_t)bytes, VM_WRITE))
		return (int)posix_leave(bytes < 0 ? -EINVAL : -EFAULT);
	return (int)posix_leave(do_getdents(fd, entries, (size_t)bytes));
}

/* ---- the working directory ----------------------------------------------------------------- */

/* Makes n, whose reference it takes, the working directory. */
static int stand_in(struct fs_node *n)
{
	struct fs_node *old = posix_self->cwd;
	int error = 0;

	if ((n->attr.mode & FS_IFMT) != FS_IFDIR)
		error = -ENOTDIR;
	else
		error = path_permit(n, X_OK);
	if (error) {
		node_put(n);
		return error;
	}
	posix_self->cwd = n;
	if (old)
		node_put(old);
	return 0;
}

static int do_chdir(const char *path)
{
	struct walk w;
	struct fs_node *n;
	const int error = walk(NULL, path, 0, &w);

	if (error)
		return error;
	if (w.device)
		return -ENOTDIR;
	n = w.node;
	w.node = NULL;
	walk_done(&w);
	return stand_in(n);
}

int chdir(const char *path)
{
	posix_enter();
	return (int)posix_leave(do_chdir(path));
}

static int do_fchdir(int fd)
{
	struct posix_file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	if (f->type != POSIX_FILE_NODE)
		return -ENOTDIR;
	if (!reach_fs(f->node->fs))
		return -ENODEV;
	node_ref(f->node);
	return stand_in(f->node);
}

int fchdir(int fd)
{
	posix_enter();
	return (int)posix_leave(do_fchdir(fd));
}

/* Puts "/name" of inode `ino` in `dir` before *at. */
static int put_name(struct fs_node *dir, uint64_t ino, const char *start, char **at)
{
	struct fs_dirent e;
	uint64_t cookie = 0;
	int n;

	while ((n = node_readdir(dir, cookie, &e, 1)) == 1) {
		cookie = e.cookie;
		if (e.ino != ino || strcmp(e.name, ".") == 0 || strcmp(e.name, "..") == 0)
			continue;
		if (*at - start < (ptrdiff_t)e.namelen + 1)
			return -ERANGE;
		*at -= e.namelen;
		memcpy(*at, e.name, e.namelen);
		*--*at = '/';
		return 0;
	}
	return n < 0 ? n : -ENOENT;
}

/* Walks up from n, a directory; the path grows from the end of the buffer. */
static int path_of(struct fs_node *n, char *buffer, size_t size)
{
	struct fs_node *up;
	char *at = buffer + size;
	int error = n ? 0 : -ENOENT;

	*--at = 0;
	if (error == 0)
		node_ref(n);
	while (error == 0) {
		mount_uncross(&n);
		if (n == mount_main())
			break;
		error = node_lookup(n, "..", 2, &up);
		if (error)
			break;
		error = put_name(up, n->attr.ino, buffer, &at);
		node_put(n);
		n = up;
	}
	if (n)
		node_put(n);
	if (error)
		return error;
	if (*at == 0 && at > buffer)
		*--at = '/';
	memmove(buffer, at, strlen(at) + 1);
	return 0;
}

int node_path(struct fs_node *n, char out[POSIX_PATH])
{
	return path_of(n, out, POSIX_PATH);
}

char *getcwd(char *buffer, size_t size)
{
	char *own = NULL;
	long result;

	if (!buffer) {
		size = size ? size : POSIX_PATH;
		buffer = own = malloc(size);
		if (!own)
			return NULL;
	}
	posix_enter();
	if (size < 2)
		result = posix_leave(size ? -ERANGE : -EINVAL);
	else if (user_check(buffer, size, VM_WRITE))
		result = posix_leave(-EFAULT);
	else
		result = posix_leave(path_of(posix_self->cwd, buffer, size));
	if (result == 0)
		return buffer;
	free(own);
	return NULL;
}

/* The directory's absolute path, and then the last name. */
static char *name_in(const char *name, char *out)
{
	const size_t length = strlen(out);

	if (strcmp(name, ".") == 0)
		return out;
	if (length + 1 + strlen(name) + 1 > POSIX_PATH) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (length > 1)
		strcat(out, "/");
	return strcat(out, name);
}

char *realpath(const char *restrict path, char *restrict out)
{
	char *const to = out ? out : malloc(POSIX_PATH);
	char *result = NULL;
	struct walk w;
	long error;

	if (!to)
		return NULL;
	posix_enter();
	error = walk(NULL, path, WALK_DIR, &w);
	if (error == 0 && w.device) {
		strcpy(to, path);
		strcpy(w.name, ".");
	} else if (error == 0) {
		const int is_dir = (w.node->attr.mode & FS_IFMT) == FS_IFDIR;

		error = node_path(is_dir ? w.node : w.dir, to);
		if (is_dir)
			strcpy(w.name, ".");
		walk_done(&w);
	}
	if (posix_leave(error) == 0)
		result = name_in(w.name, to);
	if (!result && !out)
		free(to);
	return result;
}
