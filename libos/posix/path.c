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

static enum posix_device find_device(const char *path)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (strcmp(path, devices[i].path) == 0)
			return devices[i].device;
	return DEVICE_NONE;
}

static inline enum posix_device device_of(const char *path)
{
	return path[0] == '/' && path[1] == 'd' ? find_device(path) : DEVICE_NONE;
}

int path_permit(const struct fs_node *n, int want)
{
	return fs_permits(&n->attr, posix_self->uid, posix_self->gid, (unsigned)want) ? 0 : -EACCES;
}

int path_owner(const struct fs_node *n)
{
	return posix_self->uid == 0 || posix_self->uid == n->attr.uid ? 0 : -EPERM;
}

static int is_type(const struct fs_node *n, uint32_t type)
{
	return (n->attr.mode & FS_IFMT) == type;
}

_Static_assert(X_OK == FS_MAY_SEARCH && W_OK == FS_MAY_WRITE && R_OK == FS_MAY_READ,
	       "one set of bits");
_Static_assert((int)WALK_WANT == (int)FS_WANT_ATTR && WALK_NOFOLLOW > WALK_WANT,
	       "what a walk wants is said as the file system takes it");

/* The text still to follow, up to `end` with its 0, rewritten when a symbolic link comes in. */
struct rest {
	const char *at, *end;
	unsigned links;
	char text[POSIX_PATH];
};

/* Puts the link's text before what is left. */
static int rest_link(struct rest *r, struct fs_node *link)
{
	char text[POSIX_PATH];
	const int joined = *r->at && *r->at != '/';
	const size_t left = (size_t)(r->end - r->at);
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
	r->end = r->text + n + joined + left;
	return 0;
}

/* Replaces the directory the walk stands in. */
static inline void step_into(struct walk *w, struct fs_node *n)
{
	if (w->dir && !w->borrowed)
		node_put(w->dir);
	w->borrowed = 0;
	w->dir = n;
}

static inline int start_at(struct walk *w, struct fs_node *from, const char *path)
{
	struct fs_node *n = path[0] == '/' ? mount_main() : from;

	if (!n)
		return -ENOENT;
	step_into(w, n);
	w->borrowed = 1;
	return 0;
}

static void set_name(struct walk *w, const char *name, size_t length)
{
	memcpy(w->name, name, length);
	w->name[length] = 0;
	w->length = length;
}

/* The names that the file system knows by heart.  1: there are others; 0: that was all; else an
 * error. */
static int stride(struct walk *w, struct rest *r, unsigned how)
{
	struct reach *const reach = reach_fs(w->dir->fs);
	struct fs_walk f = {.path = r->at,
			    .left = (size_t)(r->end - r->at),
			    .dir = w->dir,
			    .want = (enum fs_walk_want)(how & WALK_WANT),
			    .attr = &w->attr};
	enum fs_walked walked;

	if (!reach)
		return -ENODEV;
	if (!reach->ops->walk)
		return 1;
	w->mark = reach->mark;
	walked = reach->ops->walk(&reach->ctx, &f);
	if (f.dir != w->dir)
		step_into(w, f.dir);
	r->at = f.path;
	if (walked == FS_WALK_STOPPED)
		return 1;
	if (walked == FS_WALK_ABSENT && !(how & WALK_CREATE))
		return -ENOENT;
	w->node = f.node;
	w->slash = 0;
	if (f.dir)
		set_name(w, f.path, f.left);
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
	if (last && (how & WALK_WANT) == WALK_PARENT && !w->slash)
		return 0;
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

/* A name that wants a closer look.  1: there are others; 0: that was all; else an error. */
__attribute__((noinline)) static int step(struct walk *w, struct rest *r, struct fs_node *from,
					  unsigned how)
{
	int error = next_name(w, r);

	if (error == 0)
		error = at_root(w);
	else if (error == 1)
		error = follow_name(w, r, from, how);
	if (error == 1 && r->at == r->text && device_of(r->text)) {
		w->device = device_of(r->text);
		step_into(w, NULL);
		error = 0;
	}
	return error;
}

/* WALK_ATTR: lets go of the node that was found by a closer look. */
static void take_attr(struct walk *w)
{
	w->attr = w->node->attr;
	w->mark = w->node->fs->mark;
	walk_done(w);
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
	if (length < 0)
		return (int)length;
	r.at = path;
	r.end = path + length;
	r.links = 0;
	w->device = device_of(path);
	if (w->device)
		return 0;
	error = start_at(w, from ? from : posix_self->cwd, path);
	if (error == 0)
		do
			error = stride(w, &r, how);
		while (error == 1 && (error = step(w, &r, from, how)) == 1);
	if (error)
		walk_done(w);
	else if (w->node && (how & WALK_WANT) == WALK_ATTR)
		take_attr(w);
	return error;
}

void walk_done(struct walk *w)
{
	if (w->node)
		node_put(w->node);
	step_into(w, NULL);
	w->node = NULL;
}

int walk_from(int dirfd, const char *path, unsigned how, struct walk *w)
{
	struct posix_file *f;

	if (user_path(path) > 0 && path[0] == '/')
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
