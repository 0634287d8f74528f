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
 * Lock: the file system's, held by the caller, but for ext2_walk, which takes it.
 * Called by ext2_dir.c, which changes directories and names together; a walk is an operation of its
 * own.
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
	uint64_t hash; /* its low half */
	size_t len;
	const char *text;
	uint64_t tail; /* its last word */
};

/* Adds up to eight bytes of text, as far as they go before a '/' or for `left`, of which there is
 * one at least.  Whether that is for others to follow. */
static inline int key_add(struct key *k, const char *text, size_t left)
{
	uint64_t w = fs_word(text, left);
	const uint64_t hit = fs_hit(w, '/');

	if (hit != 0) {
		w &= (hit ^ (hit - 1)) >> 8; /* the bytes below that one */
		k->len += (unsigned)__builtin_ctzl(hit) / 8;
	} else {
		k->len += left < 8 ? left : 8;
	}
	k->hash = (k->hash ^ w) * 0xff51afd7ed558ccdu;
	k->hash ^= k->hash >> 32;
	k->tail = w;
	return hit == 0 && left > 8 && text[8] != '/';
}

/* Of the name at `text`, which goes up to a '/' or for `left` bytes. */
static inline struct key key_of(const struct ext2_node *dir, const char *text, size_t left)
{
	struct key k = {.dir = dir->id, .hash = dir->id, .text = text};

	while (key_add(&k, text + k.len, left - k.len))
		;
	return k;
}

/* Whether all words but the last are those of the key. */
static int same_start(const struct ext2_name *n, const struct key *k)
{
	for (size_t at = 0; at + 8 < k->len; at += 8)
		if (n->text[at / 8] != fs_word(k->text + at, 8))
			return 0;
	return 1;
}

static inline int same(const struct ext2_name *n, const struct key *k)
{
	return n->place.hash == (uint32_t)k->hash && n->dir == k->dir && n->len == k->len &&
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

	p->hash = (uint32_t)k.hash;
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

/* The answer for a name that is not here, the last one. */
__attribute__((noinline)) static enum fs_walked
not_here(const struct ext2 *e, const struct ext2_node *dir, const char *name, size_t len)
{
	const int absent = len <= FS_NAME_MAX && !fs_name_dots(name, len) && complete(e, dir);

	return absent ? FS_WALK_ABSENT : FS_WALK_STOPPED;
}

/* The node of `ino`, if it is in memory and neither covered nor damaged. */
static inline struct ext2_node *plain_node(const struct ext2 *e, uint32_t ino)
{
	struct ext2_node *n = ext2_node_here(e, ino);

	return n != NULL && n->pub.user == 0 && n->pub.attr.nlink != 0 ? n : NULL;
}

/* Whether the walk may go on through the directory. */
static inline int may_search(const struct fs_ctx *c, const struct ext2_node *dir)
{
	return c->uid == 0 || fs_permits(&dir->pub.attr, c->uid, c->gid, FS_MAY_SEARCH);
}

/* The walk itself, from name `*at` in `*dir`, to where it ends; the text does not end in '/'. */
static inline enum fs_walked go(const struct fs_ctx *c, const struct fs_walk *w, const char **at,
				struct ext2_node **dir, struct ext2_node **found)
{
	const struct ext2 *e = ext2_of(c);
	const char *const end = w->path + w->left;

	for (;;) {
		while (**at == '/')
			++*at;
		if (!may_search(c, *dir))
			return FS_WALK_STOPPED;
		const struct key k = key_of(*dir, *at, (size_t)(end - *at));
		const int last = *at + k.len == end;
		if (last && w->want == FS_WANT_DIR)
			return k.len <= FS_NAME_MAX ? FS_WALK_FOUND : FS_WALK_STOPPED;
		const struct ext2_name *name = *find(e, &k);
		if (name == NULL)
			return last ? not_here(e, *dir, *at, k.len) : FS_WALK_STOPPED;
		struct ext2_node *n = plain_node(e, name->place.ino);
		if (n == NULL || (last ? ext2_type_of(n) == FS_IFLNK : !ext2_is_dir(n)))
			return FS_WALK_STOPPED;
		if (last) {
			*found = n;
			return FS_WALK_FOUND;
		}
		*dir = n;
		*at += k.len + 1;
	}
}

/* References to what a walk from `start` has come to, or the attributes alone. */
static inline void hold(struct ext2 *e, struct fs_walk *w, const struct ext2_node *start,
			struct ext2_node *dir, struct ext2_node *n)
{
	w->node = NULL;
	w->dir = NULL;
	if (n != NULL && w->want == FS_WANT_ATTR) {
		*w->attr = n->pub.attr;
		return;
	}
	if (n != NULL) {
		ext2_node_ref(e, n);
		w->node = &n->pub;
	}
	if (n != NULL && w->want == FS_WANT_NODE)
		return;
	if (dir != start)
		ext2_node_ref(e, dir);
	w->dir = &dir->pub;
}

enum fs_walked ext2_walk(struct fs_ctx *c, struct fs_walk *w)
{
	struct ext2_node *const start = ext2_node_of(w->dir);
	struct ext2_node *dir = start, *n = NULL;
	const char *at = w->path;
	enum fs_walked walked;

	/* A '/' behind the last name asks for more than whether it is there. */
	if (w->left == 0 || at[w->left - 1] == '/' || !ext2_is_dir(start))
		return FS_WALK_STOPPED;
	ext2_enter(c);
	walked = go(c, w, &at, &dir, &n);
	w->left -= (size_t)(at - w->path);
	w->path = at;
	hold(ext2_of(c), w, start, dir, n);
	ext2_leave(c);
	return walked;
}
