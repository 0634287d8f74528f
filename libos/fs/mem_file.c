/*
 * mem_file.c - bytes of files: pages, reached through tables of 512 places, as in an address space.
 *
 * Owns: tree, height and attr.blocks of a node.  Invariant: a page that is absent reads as zeros;
 * bytes of the last page beyond attr.size are zero, so a file grows by changing its size;
 * attr.blocks counts the pages.  A page is taken out of its table before it is given back.  See
 * mem.h for the lock.
 */
#include <errno.h>
#include <string.h>
#include "mem.h"

enum { PLACES_LOG = 9, PLACES = 1 << PLACES_LOG, HEIGHT_MAX = 4, SECTORS = MEM_PAGE / 512 };

static const uint64_t SIZE_MAX_MEM = (uint64_t)MEM_PAGE << (PLACES_LOG * HEIGHT_MAX);

/* The pages that a tree of `height` can hold. */
static uint64_t span(uint32_t height)
{
	return 1ull << (PLACES_LOG * height);
}

static const char *page_at(const struct mem_node *n, uint64_t i)
{
	void *at = n->tree;

	if (i >= span(n->height))
		return NULL;
	for (uint32_t h = n->height; at && h > 0; h--)
		at = ((void **)at)[i >> (PLACES_LOG * (h - 1)) & (PLACES - 1)];
	return at;
}

/* Lets the tree reach page `i`. */
static int grow(struct mem *m, struct mem_node *n, uint64_t i)
{
	while (i >= span(n->height)) {
		void **table = n->tree ? mem_take(m, MEM_PAGE) : NULL;

		if (n->tree && !table)
			return -ENOSPC;
		if (table)
			table[0] = n->tree;
		/* Between the two stores the page 0 would be taken for a table. */
		n->tree = NULL;
		n->height++;
		n->tree = table;
	}
	return 0;
}

/* Page `i`, made if it is absent; NULL: no room. */
static char *page_make(struct mem *m, struct mem_node *n, uint64_t i)
{
	void **at = &n->tree;

	if (grow(m, n, i))
		return NULL;
	for (uint32_t h = n->height;; h--) {
		if (!*at) {
			void *fresh = mem_take(m, MEM_PAGE);

			if (!fresh)
				return NULL;
			*at = fresh;
			n->pub.attr.blocks += h == 0 ? SECTORS : 0;
		}
		if (h == 0)
			return *at;
		at = (void **)*at + (i >> (PLACES_LOG * (h - 1)) & (PLACES - 1));
	}
}

/* Frees the pages from the `keep`th on of the subtree at `at`; the table too if keep is 0. */
static void cut(struct mem *m, struct mem_node *n, void **at, uint32_t height, uint64_t keep)
{
	void *const p = *at;

	if (!p || keep >= span(height))
		return;
	if (height > 0)
		for (uint32_t k = 0; k < PLACES; k++) {
			const uint64_t before = k * span(height - 1);

			cut(m, n, (void **)p + k, height - 1, keep > before ? keep - before : 0);
		}
	if (keep)
		return;
	*at = NULL;
	n->pub.attr.blocks -= height == 0 ? SECTORS : 0;
	mem_give(m, p, MEM_PAGE);
}

int mem_resize(struct mem *m, struct mem_node *n, uint64_t size)
{
	const uint64_t old = n->pub.attr.size, keep = (size + MEM_PAGE - 1) / MEM_PAGE;

	if (size > SIZE_MAX_MEM)
		return -EFBIG;
	n->pub.attr.size = size;
	if (size >= old)
		return 0;
	cut(m, n, &n->tree, n->height, keep);
	if (!n->tree)
		n->height = 0;
	if (size % MEM_PAGE) {
		char *const last = (char *)page_at(n, size / MEM_PAGE);

		if (last)
			memset(last + size % MEM_PAGE, 0, MEM_PAGE - size % MEM_PAGE);
	}
	return 0;
}

int64_t mem_read(const struct mem_node *n, uint64_t off, void *to, size_t len)
{
	const uint64_t size = n->pub.attr.size;
	char *out = to;

	if (off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	for (size_t done = 0; done < len;) {
		const size_t in = (size_t)((off + done) % MEM_PAGE);
		const size_t part = len - done < MEM_PAGE - in ? len - done : MEM_PAGE - in;
		const char *const page = page_at(n, (off + done) / MEM_PAGE);

		if (page)
			memcpy(out + done, page + in, part);
		else
			memset(out + done, 0, part);
		done += part;
	}
	return (int64_t)len;
}

int64_t mem_write(struct mem *m, struct mem_node *n, uint64_t off, const void *from, size_t len)
{
	size_t done = 0;

	if (len == 0)
		return 0;
	if (off > SIZE_MAX_MEM || len > SIZE_MAX_MEM - off)
		return -EFBIG;
	while (done < len) {
		const size_t in = (size_t)((off + done) % MEM_PAGE);
		const size_t part = len - done < MEM_PAGE - in ? len - done : MEM_PAGE - in;
		char *const page = page_make(m, n, (off + done) / MEM_PAGE);

		if (!page)
			break;
		memcpy(page + in, (const char *)from + done, part);
		done += part;
		if (off + done > n->pub.attr.size)
			n->pub.attr.size = off + done;
	}
	return done ? (int64_t)done : -ENOSPC;
}
