/*
 * image.c - programs' read-only pages, kept in the segment and mapped by all who run them.
 *
 * Owns: struct posix_image.  Invariant: an image that has an inode number holds what the file
 * holds: nobody has had the file open for writing since the image was made.  Its number's bit is
 * set in segment.image_inos.  An image with references keeps its pages; one without is kept until
 * its memory is wanted.  Lock: posix_lock, but for filling a page, which ends with one
 * compare-and-exchange.  Called by spawn.c, fork.c, exec.c, process.c and file.c.
 */
#include "posix.h"

#include <libos/time.h>

static uint64_t bit_of(uint64_t ino)
{
	return ino != 0 ? (uint64_t)1 << ino % 64 : 0;
}

static struct posix_image *find(const struct fs_node *n)
{
	for (int i = 0; i < POSIX_NIMAGE; i++)
		if (posix_seg->image[i].ino == n->attr.ino &&
		    posix_seg->image[i].mark == n->fs->mark)
			return &posix_seg->image[i];
	return NULL;
}

/* What the file holds is not this any more. */
static void forget(struct posix_image *image)
{
	uint64_t inos = 0;

	image->ino = 0;
	for (int i = 0; i < POSIX_NIMAGE; i++)
		inos |= bit_of(posix_seg->image[i].ino);
	posix_seg->image_inos = inos;
}

/* Gives the memory of an image without references back; posix_lock is held. */
static void release(struct posix_image *image)
{
	char **page = image->page;

	forget(image);
	image->page = NULL;
	for (uint32_t i = 0; page && i < image->pages; i++) {
		posix_seg->image_pages -= page[i] != NULL;
		arena_free(posix_seg->arena, page[i], EXO_PAGE_SIZE);
	}
	arena_free(posix_seg->arena, page, image->pages * sizeof(*page));
}

/* The one that was not wanted for longest, or NULL. */
static struct posix_image *oldest(void)
{
	struct posix_image *best = NULL;

	for (int i = 0; i < POSIX_NIMAGE; i++) {
		struct posix_image *image = &posix_seg->image[i];

		if (image->refs == 0 && image->page && (!best || image->used < best->used))
			best = image;
	}
	return best;
}

static struct posix_image *place(void)
{
	struct posix_image *old;

	for (int i = 0; i < POSIX_NIMAGE; i++)
		if (posix_seg->image[i].refs == 0 && !posix_seg->image[i].page)
			return &posix_seg->image[i];
	old = oldest();
	if (old)
		release(old);
	return old;
}

static struct posix_image *make(const struct fs_node *n)
{
	const uint32_t pages = (uint32_t)((n->attr.size + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
	struct posix_image *image = pages ? place() : NULL;

	if (!image)
		return NULL;
	image->page = arena_alloc(posix_seg->arena, pages * sizeof(*image->page));
	if (!image->page)
		return NULL;
	image->pages = pages;
	image->mark = n->fs->mark;
	posix_seg->image_inos |= bit_of(n->attr.ino);
	image->ino = n->attr.ino;
	return image;
}

void image_take(struct posix_proc *p, struct fs_node *n)
{
	struct posix_image *image;

	posix_lock();
	image = find(n);
	if (!image && !file_written(n))
		image = make(n);
	if (image) {
		image->refs++;
		image->used = time_now();
		p->image = image;
	}
	posix_unlock();
}

void image_share(struct posix_proc *p)
{
	posix_lock();
	p->image = posix_self->image;
	if (p->image)
		p->image->refs++;
	posix_unlock();
}

void image_drop(struct posix_image *image)
{
	if (image && --image->refs == 0 && image->ino == 0)
		release(image);
}

void image_forget(const struct fs_node *n)
{
	struct posix_image *image;

	/* The file stands in the table as written to, so no image comes to be any more; the bit of
	 * one that is there was set before. */
	if (!(posix_seg->image_inos & bit_of(n->attr.ino)))
		return;
	posix_lock();
	image = find(n);
	if (image) {
		forget(image);
		if (image->refs == 0)
			release(image);
	}
	posix_unlock();
}

void image_recount(void)
{
	for (int i = 0; i < POSIX_NIMAGE; i++)
		posix_seg->image[i].refs = 0;
	for (uint32_t i = 1; i < posix_seg->nprocs; i++) {
		const struct posix_proc *p = &posix_seg->proc[i];

		if (p->state != POSIX_PROC_FREE && p->image)
			p->image->refs++;
		if (p->state != POSIX_PROC_FREE && p->left.image)
			p->left.image->refs++;
	}
}

int image_give_up(void)
{
	struct posix_image *old;

	posix_lock();
	old = oldest();
	if (old)
		release(old);
	posix_unlock();
	return old != NULL;
}

/* A page of memory, for which others' old images are given up. */
static char *new_page(void)
{
	struct posix_image *old;
	char *page = NULL;

	posix_lock();
	while (posix_seg->image_pages >= posix_seg->image_most && (old = oldest()))
		release(old);
	if (posix_seg->image_pages < posix_seg->image_most)
		page = arena_alloc(posix_seg->arena, EXO_PAGE_SIZE);
	posix_seg->image_pages += page != NULL;
	posix_unlock();
	return page;
}

static void free_page(char *page)
{
	posix_lock();
	posix_seg->image_pages--;
	arena_free(posix_seg->arena, page, EXO_PAGE_SIZE);
	posix_unlock();
}

/* Reads the page; another process may be as fast, then its copy counts. */
static char *fill(char **at, struct fs_node *n, uint64_t off)
{
	char *page = new_page(), *nothing = NULL;

	if (!page)
		return NULL;
	if (node_read(n, off, page, EXO_PAGE_SIZE) > 0 &&
	    __atomic_compare_exchange_n(at, &nothing, page, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return page;
	free_page(page);
	return nothing;
}

uint32_t image_frame(struct posix_image *image, struct fs_node *n, uint64_t off)
{
	const uint64_t i = off / EXO_PAGE_SIZE;
	char *page;

	if (i >= image->pages || off % EXO_PAGE_SIZE)
		return 0;
	page = image->page[i];
	if (!page && image->ino == n->attr.ino && image->mark == n->fs->mark)
		page = fill(&image->page[i], n, off);
	if (!page)
		return 0;
	return posix_seg->first_frame +
	       (uint32_t)(((uint64_t)(uintptr_t)page - LAYOUT_SEGMENT) / EXO_PAGE_SIZE);
}
