/*
 * ext2_name.c - the cache of names: what stands where in a directory, answered without its blocks.
 *
 * Owns: `struct ext2_name`, in a hash by directory and name. Every scan of a directory (ext2_dir.c)
 * puts all names it meets here, with their places. A directory all of whose names are here is
 * `complete`: then what is not here does not exist, and creating the thousandth file costs what the
 * first did. When the memory for names is used up all are forgotten and the epoch changes, so
 * nothing is complete. Names are compared in words of eight bytes, the last one padded with zeros.
 * Invariant: a cached name is in the directory, at its place; entries never move, so adding one
 * keeps places valid. A directory is named by its node's id, which no other node ever has: what is
 * left of a node that is gone is never found.
 * Lock: the file system's, held by the caller.
 * Called by ext2_dir.c, which changes directories and names together, and by ext2.c to walk.
 */
#include <errno.h>
#include <string.h>
#include "ext2.h"
#include "names.h"

struct ext2_name {
	struct ext2_name *next;
	uint64_t dir; /* its node's id */
	struct ext2_place place;
	uint8_t len;
	uint64_t text[];
};

/* What a name is looked for by. */
struct key {
	uint64_t dir;
	uint32_t hash;
	uint32_t len;
	const char *text;
	uint64_t tail; /* its last word */
};

/* Of the name at `text`, which goes up to a '/' or for `left` bytes. */
static inline struct key key_of(const struct ext2_node *dir, const char *text, size_t left)
{
	uint64_t h = dir->id * 0x9e3779b97f4a7c15u, tail = 0;
	size_t len = 0, n = 8;

	for (; n == 8 && len < left; len += n) {
		uint64_t w = fs_word(text + len, left - len);

		n = fs_before(w, '/');
		if (n == 0)
			break;
		if (n < 8)
			w &= ((uint64_t)1 << 8 * n) - 1;
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		tail = w;
	}
	len = len < left ? len : left;
	return (struct key){dir->id, (uint32_t)h, (uint32_t)len, text, tail};
}

/* Whether all words but the last are those of the key. */
static int same_start(const struct ext2_name *n, const struct key *k)
{
	for (uint32_t at = 0; at + 8 < k->len; at += 8)
		if (n->text[at / 8] != fs_word(k->text + at, 8))
			return 0;
	return 1;
}

static inline int same(const struct ext2_name *n, const struct key *k)
{
	return n->place.hash == k->hash && n->dir == k->dir && n->len == k->len &&
	       n->text[(k->len - 1) / 8] == k->tail && (k->len <= 8 || same_start(n, k));
}

/* Where the pointer to the name is, or would be. */
static inline struct ext2_name **find(const struct ext2 *e, const struct key *k)
{
	struct ext2_name **at = &e->names[k->hash & e->name_mask];

	while (*at != NULL && !same(*at, k))
		at = &(*at)->next;
	return at;
}

static size_t size_of(size_t len)
{
	return sizeof(struct ext2_name) + ((len + 7) & ~(size_t)7);
}

static inline int complete(const struct ext2 *e, const struct ext2_node *dir)
{
	return dir->complete == e->epoch;
}

int ext2_name_find(const struct ext2 *e, const struct ext2_node *dir, const char *name, size_t len,
		   struct ext2_place *out)
{
	const struct key k = key_of(dir, name, len);
	const struct ext2_name *n = *find(e, &k);

	if (n == NULL)
		return complete(e, dir) ? -ENOENT : -EAGAIN;
	*out = n->place;
	return 0;
}

void ext2_names_flush(struct ext2 *e)
{
	for (uint32_t i = 0; i <= e->name_mask; i++) {
		while (e->names[i] != NULL) {
			struct ext2_name *n = e->names[i];

			e->names[i] = n->next;
			arena_free(e->fs.arena, n, size_of(n->len));
		}
	}
	e->name_bytes = 0;
	e->epoch++;
}

void ext2_name_add(struct ext2 *e, const struct ext2_node *dir, const char *name, size_t len,
		   struct ext2_place *p)
{
	const struct key k = key_of(dir, name, len);

	p->hash = k.hash;
	if (e->name_bytes + size_of(len) > e->name_bytes_max)
		ext2_names_flush(e);
	struct ext2_name **at = find(e, &k);
	/* A name with a '/' in it, on a damaged disk, is none that anybody can ask for. */
	if (*at != NULL || k.len != len)
		return;
	struct ext2_name *n = arena_alloc(e->fs.arena, size_of(len));
	if (n == NULL) {
		ext2_names_flush(e);
		return;
	}
	e->name_bytes += size_of(len);
	*n = (struct ext2_name){NULL, k.dir, *p, (uint8_t)len};
	for (size_t i = 0; i < len; i += 8)
		n->text[i / 8] = fs_word(name + i, len - i);
	*at = n;
}

void ext2_name_remove(struct ext2 *e, const struct ext2_node *dir, const struct ext2_place *p)
{
	struct ext2_name **at = &e->names[p->hash & e->name_mask];
	struct ext2_name *n;

	while ((n = *at) != NULL &&
	       (n->dir != dir->id || n->place.block != p->block || n->place.offset != p->offset))
		at = &n->next;
	if (n == NULL)
		return;
	*at = n->next;
	e->name_bytes -= size_of(n->len);
	arena_free(e->fs.arena, n, size_of(n->len));
}

/* ---- walking ---- */

/* The answer for a name that is not here. */
static enum fs_walked not_here(const struct ext2 *e, const struct ext2_node *dir,
			       const struct key *k, size_t left)
{
	const int last = k->len == left && left <= FS_NAME_MAX && !fs_name_dots(k->text, left);

	return last && complete(e, dir) ? FS_WALK_ABSENT : FS_WALK_STOPPED;
}

/* The node of `ino`, if it is in memory and neither covered nor damaged. */
static inline struct ext2_node *plain_node(const struct ext2 *e, uint32_t ino)
{
	struct ext2_node *n = ext2_node_here(e, ino);

	return n != NULL && n->pub.user == 0 && n->pub.attr.nlink != 0 ? n : NULL;
}

/* The walk itself, but for which directory is where it ends: it begins in `*dir`, which is one. */
static inline enum fs_walked go(const struct fs_ctx *c, struct ext2_node **dir, struct fs_walk *w)
{
	const struct ext2 *e = ext2_of(c);

	for (;;) {
		for (; w->left > 0 && *w->path == '/'; w->left--)
			w->path++;
		if (w->left == 0 || !fs_permits(&(*dir)->pub.attr, c->uid, c->gid, FS_MAY_SEARCH))
			return FS_WALK_STOPPED;
		const struct key k = key_of(*dir, w->path, w->left);
		const int last = k.len == w->left;
		if (last && w->want == FS_WANT_DIR)
			return k.len <= FS_NAME_MAX ? FS_WALK_FOUND : FS_WALK_STOPPED;
		const struct ext2_name *name = *find(e, &k);
		if (name == NULL)
			return not_here(e, *dir, &k, w->left);
		struct ext2_node *n = plain_node(e, name->place.ino);
		if (n == NULL || (last ? ext2_type_of(n) == FS_IFLNK : !ext2_is_dir(n)))
			return FS_WALK_STOPPED;
		if (last) {
			w->node = &n->pub;
			return FS_WALK_FOUND;
		}
		*dir = n;
		w->path += k.len + 1;
		w->left -= k.len + 1;
	}
}

enum fs_walked ext2_name_walk(const struct fs_ctx *c, struct fs_walk *w)
{
	struct ext2_node *dir = ext2_node_of(w->dir);
	struct fs_walk at = *w; /* so that it is in registers: the text might be anywhere */
	const enum fs_walked walked = ext2_is_dir(dir) ? go(c, &dir, &at) : FS_WALK_STOPPED;

	*w = at;
	w->dir = &dir->pub;
	return walked;
}
