/*
 * path.c - from a path to inodes: names, symbolic links, "." and "..", devices, permissions.
 *
 * Owns: the table of devices under /dev, which exist without inodes.  Holds nothing between calls;
 * a struct walk holds references that walk_done() gives back.  No lock of its own: each step is one
 * operation of the file system.  Called by file.c, directory.c, spawn.c.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LINKS = 40 };

static const struct {
	const char *path;
	enum posix_device device;
} devices[] = {
	{"/dev", DEVICE_DIR},
	{"/dev/", DEVICE_DIR},
	{"/dev/null", DEVICE_NULL},
	{"/dev/tty", DEVICE_TTY},
	{"/dev/console", DEVICE_CONSOLE},
	{"/dev/zero", DEVICE_ZERO},
};

static enum posix_device device_of(const char *path)
{
	if (path[0] != '/' || path[1] != 'd' || path[2] != 'e' || path[3] != 'v')
		return DEVICE_NONE;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (strcmp(path, devices[i].path) == 0)
			return devices[i].device;
	return DEVICE_NONE;
}

int path_permit(const struct fs_node *n, int want)
{
	const uint32_t mode = n->attr.mode;
	uint32_t bits = mode & 7;

	if (posix_self->uid == 0)
		return !(want & X_OK) || (mode & FS_IFMT) == FS_IFDIR || (mode & 0111) ? 0
										       : -EACCES;
	if (n->attr.uid == posix_self->uid)
		bits = mode >> 6 & 7;
	else if (n->attr.gid == posix_self->gid)
		bits = mode >> 3 & 7;
	return (bits & (uint32_t)want) == (uint32_t)want ? 0 : -EACCES;
}

int path_owner(const struct fs_node *n)
{
	return posix_self->uid == 0 || posix_self->uid == n->attr.uid ? 0 : -EPERM;
}

static int is_type(const struct fs_node *n, uint32_t type)
{
	return (n->attr.mode & FS_IFMT) == type;
}

/* The text still to follow, rewritten when a symbolic link comes in. */
struct rest {
	const char *at;
	unsigned links;
	char text[POSIX_PATH];
};

/* Puts the link's text before what is left. */
static int rest_link(struct rest *r, struct fs_node *link)
{
	char text[POSIX_PATH];
	const int joined = *r->at && *r->at != '/';
	const size_t left = strlen(r->at);
	int64_t n;

	if (++r->links > LINKS)
		return -ELOOP;
	n = node_readlink(link, text, sizeof(text));
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENOENT;
	if ((size_t)n + (size_t)joined + left + 1 > sizeof(r->text))
		return -ENAMETOOLONG;
	memmove(r->text + n + joined, r->at, left + 1);
	memcpy(r->text, text, (size_t)n);
	if (joined)
		r->text[n] = '/';
	r->at = r->text;
	return 0;
}

/* Replaces the directory the walk stands in. */
static void step_into(struct walk *w, struct fs_node *n)
{
	if (w->dir && !w->borrowed)
		node_put(w->dir);
	w->borrowed = 0;
	w->dir = n;
}

static int start_at(struct walk *w, struct fs_node *from, const char *path)
{
	struct fs_node *n = path[0] == '/' ? mount_main() : from;

	if (!n)
		return -ENOENT;
	if (!reach_fs(n->fs))
		return -ENODEV;
	step_into(w, n);
	w->borrowed = 1;
	return 0;
}

/* Takes the next name from the rest.  1: there is one; 0: none; else an error. */
static int next_name(struct walk *w, struct rest *r)
{
	size_t n = 0;

	while (*r->at == '/')
		r->at++;
	if (*r->at == 0)
		return 0;
	for (; *r->at && *r->at != '/'; r->at++) {
		if (n == FS_NAME_MAX)
			return -ENAMETOOLONG;
		w->name[n++] = *r->at;
	}
	w->name[n] = 0;
	w->length = n;
	w->slash = *r->at == '/';
	while (*r->at == '/')
		r->at++;
	return 1;
}

/* ".." of a mounted root is that of the directory it is mounted on; a covered directory is not
 * seen. */
static int look_up(struct walk *w, struct fs_node **n)
{
	const int up = w->length == 2 && w->name[0] == '.' && w->name[1] == '.';
	int error;

	if (up && mount_of_root(w->dir) && w->dir != mount_main()) {
		struct fs_node *below = w->dir;

		if (w->borrowed)
			node_ref(below);
		mount_uncross(&below);
		w->borrowed = 0;
		w->dir = below;
	}
	error = node_lookup(w->dir, w->name, w->length, n);
	return error ? error : mount_cross(n);
}

/* Looks the name up: the last one of the path stays in w, others are stepped into. */
static int follow_name(struct walk *w, struct rest *r, struct fs_node *from, unsigned how)
{
	const int last = *r->at == 0;
	struct fs_node *n;
	int error;

	if (!is_type(w->dir, FS_IFDIR))
		return -ENOTDIR;
	error = path_permit(w->dir, X_OK);
	if (error)
		return error;
	error = look_up(w, &n);
	if (error == -ENOENT && last && (how & WALK_CREATE))
		return 0;
	if (error)
		return error;
	if (is_type(n, FS_IFLNK) && !(last && (how & WALK_NOFOLLOW) && !w->slash)) {
		/* A slash behind the link's name says that a directory is meant. */
		if (last && w->slash)
			r->at--;
		error = rest_link(r, n);
		node_put(n);
		if (error == 0 && r->at[0] == '/')
			error = start_at(w, from, r->at);
		return error ? error : 1;
	}
	if (last) {
		w->node = n;
		return w->slash && !is_type(n, FS_IFDIR) ? -ENOTDIR : 0;
	}
	step_into(w, n);
	return 1;
}

/* The path was "/" or ended in a link to it. */
static int at_root(struct walk *w)
{
	w->node = w->dir;
	node_ref(w->node);
	w->length = 1;
	strcpy(w->name, ".");
	return 0;
}

int walk(struct fs_node *from, const char *path, unsigned how, struct walk *w)
{
	const long length = user_path(path);
	struct rest r;
	int error;

	w->dir = w->node = NULL;
	w->length = 0;
	w->slash = w->borrowed = 0;
	w->device = DEVICE_NONE;
	r.at = path;
	r.links = 0;
	if (length < 0)
		return (int)length;
	w->device = device_of(path);
	if (w->device)
		return 0;
	error = start_at(w, from ? from : posix_self->cwd, path);
	while (error == 0) {
		error = next_name(w, &r);
		if (error == 0)
			error = at_root(w);
		else if (error == 1)
			error = follow_name(w, &r, from, how);
		if (error <= 0)
			break;
		if (r.at == r.text && device_of(r.text)) {
			w->device = device_of(r.text);
			step_into(w, NULL);
			return 0;
		}
		error = 0;
	}
	if (error)
		walk_done(w);
	return error;
}

void walk_done(struct walk *w)
{
	if (w->node)
		node_put(w->node);
	step_into(w, NULL);
	w->node = NULL;
}

int walk_at(int dirfd, const char *path, unsigned how, struct walk *w)
{
	struct posix_file *f;

	if (dirfd == AT_FDCWD || (user_path(path) > 0 && path[0] == '/'))
		return walk(NULL, path, how, w);
	w->dir = w->node = NULL;
	w->borrowed = 0;
	f = fd_file(dirfd);
	if (!f)
		return -EBADF;
	if (f->type != POSIX_FILE_NODE)
		return -ENOTDIR;
	return walk(f->node, path, how, w);
}
