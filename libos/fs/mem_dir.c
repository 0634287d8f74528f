/*
 * mem_dir.c - directories: a list of names each, and one hash table over all of them.
 *
 * Owns: struct mem_name.  Invariant: a name is in its directory's list, at the place of its cookie,
 * and in the chain of its hash; "." and ".." are not there, they are the cookies 1 and 2.  Forward
 * pointers are changed by one store, so that a process that dies here leaves lists that can be
 * read. See mem.h for the lock.
 */
#include <string.h>
#include "mem.h"

enum { DOTS = 2 };

static uint32_t hash_of(const struct mem_node *dir, const char *name, size_t len)
{
	uint64_t h = dir->pub.attr.ino * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

struct mem_name *mem_name_find(struct mem *m, const struct mem_node *dir, const char *name,
			       size_t len)
{
	const uint32_t hash = hash_of(dir, name, len);

	for (struct mem_name *e = m->table[hash & m->mask]; e; e = e->chain)
		if (e->hash == hash && e->dir == dir && e->len == len &&
		    memcmp(e->text, name, len) == 0)
			return e;
	return NULL;
}

struct mem_name *mem_name_add(struct mem *m, struct mem_node *dir, const char *name, size_t len,
			      struct mem_node *n)
{
	struct mem_name *e = mem_take(m, sizeof *e + len);
	struct mem_name **chain;

	if (!e)
		return NULL;
	*e = (struct mem_name){.prev = dir->last,
			       .dir = dir,
			       .node = n,
			       .cookie = DOTS + ++dir->cookie,
			       .hash = hash_of(dir, name, len),
			       .len = (uint32_t)len};
	memcpy(e->text, name, len);
	chain = &m->table[e->hash & m->mask];
	e->chain = *chain;
	*chain = e;
	*(dir->last ? &dir->last->next : &dir->first) = e;
	dir->last = e;
	return e;
}

void mem_name_remove(struct mem *m, struct mem_name *e)
{
	struct mem_node *const dir = e->dir;
	struct mem_name **at = &m->table[e->hash & m->mask];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	*(e->prev ? &e->prev->next : &dir->first) = e->next;
	*(e->next ? &e->next->prev : &dir->last) = e->prev;
	if (dir->listed == e)
		dir->listed = e->prev;
	mem_give(m, e, sizeof *e + e->len);
}

static void put_entry(struct fs_dirent *d, const char *name, size_t len, const struct mem_node *n,
		      uint64_t cookie)
{
	d->ino = n->pub.attr.ino;
	d->mode = mem_type(n);
	d->cookie = cookie;
	d->namelen = (uint16_t)len;
	memcpy(d->name, name, len);
	d->name[len] = 0;
}

/* The first name after `cookie`, sought from where the last listing ended if that is before it. */
static struct mem_name *after(const struct mem_node *dir, uint64_t cookie)
{
	struct mem_name *e =
		dir->listed && dir->listed->cookie <= cookie ? dir->listed : dir->first;

	while (e && e->cookie <= cookie)
		e = e->next;
	return e;
}

int mem_list(struct mem_node *dir, uint64_t cookie, struct fs_dirent *ents, unsigned max)
{
	unsigned n = 0;

	for (; cookie < DOTS && n < max; cookie++, n++)
		put_entry(&ents[n], "..", (size_t)cookie + 1,
			  cookie && dir->parent ? dir->parent : dir, cookie + 1);
	for (struct mem_name *e = after(dir, cookie); e && n < max; e = e->next, n++) {
		put_entry(&ents[n], e->text, e->len, e->node, e->cookie);
		dir->listed = e;
	}
	return (int)n;
}
