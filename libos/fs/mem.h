/*
 * mem.h - what the parts of the mem variant share.
 *
 *	mem.c       the operations of fs.h: locking, attributes, names given and taken; the table
 *	mem_dir.c   directories: lists of names, and one hash table to find them
 *	mem_file.c  bytes of files: trees of pages
 *
 * Lock: m->fs.lock is held in all functions declared here.
 */
#ifndef MEM_H
#define MEM_H

#include <stdint.h>
#include <libos/fs.h>

enum { MEM_PAGE = 4096, MEM_LINKS = 32000 };

struct mem_node;

/* A name in a directory.  Lists are in the order of cookies, so a listing goes on where it was. */
struct mem_name {
	struct mem_name *prev, *next; /* in the directory */
	struct mem_name *chain;	      /* in the hash table */
	struct mem_node *dir, *node;
	uint64_t cookie;
	uint32_t hash;
	uint32_t len;
	char text[];
};

struct mem_node {
	struct fs_node pub;
	struct mem_node *prev, *next; /* in m->nodes */
	/* a directory */
	struct mem_node *parent; /* NULL once it was removed */
	struct mem_name *first, *last;
	struct mem_name *listed; /* the name that a listing ended with last, or NULL */
	uint64_t cookie;	 /* of the next name */
	/* a file: page `i` is reached by `height` tables of 512 places, for 0 `tree` is page 0 */
	void *tree;
	uint32_t height;
	/* a symbolic link: attr.size bytes */
	char *target;
};

struct mem {
	struct fs fs;
	uint64_t limit, used; /* bytes of the arena */
	uint64_t files, ino;  /* nodes now; number of the last one made */
	uint32_t changing;    /* inside an operation that changes */
	uint32_t mask;	      /* of table[] */
	struct mem_name **table;
	struct mem_node *nodes, *root;
};

static inline struct mem *mem_of(const struct fs_ctx *c)
{
	return (struct mem *)(void *)c->fs;
}

static inline struct mem_node *mem_node_of(struct fs_node *n)
{
	return (struct mem_node *)(void *)n;
}

static inline uint32_t mem_type(const struct mem_node *n)
{
	return n->pub.attr.mode & FS_IFMT;
}

/* Zeroed memory within the limit, or NULL; and back. */
void *mem_take(struct mem *m, size_t size);
void mem_give(struct mem *m, void *p, size_t size);

/* ---- mem_dir.c ---- */

struct mem_name *mem_name_find(struct mem *m, const struct mem_node *dir, const char *name,
			       size_t len);
/* A new name, or NULL: no room. */
struct mem_name *mem_name_add(struct mem *m, struct mem_node *dir, const char *name, size_t len,
			      struct mem_node *n);
void mem_name_remove(struct mem *m, struct mem_name *e);
int mem_list(struct mem_node *dir, uint64_t cookie, struct fs_dirent *ents, unsigned max);

/* ---- mem_file.c ---- */

int64_t mem_read(const struct mem_node *n, uint64_t off, void *to, size_t len);
int64_t mem_write(struct mem *m, struct mem_node *n, uint64_t off, const void *from, size_t len);
int mem_resize(struct mem *m, struct mem_node *n, uint64_t size);

#endif
