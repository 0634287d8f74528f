/*
 * arena.c - memory inside one region that several processes share: a bump pointer and lists of
 * freed blocks.
 *
 * Owns: `struct arena` at the head of the region. Sizes are rounded up to classes, four to each
 * power of two, so at most a quarter is lost; a freed block goes to its class's list and serves
 * only that class again.
 * Invariant: `next` <= `end`; each list holds disjoint blocks below `next`. The region is
 * zeroed as it is handed out, so it need not be zero at the start. Every change of a list or of
 * `next` is one store: a process that dies between two of them leaks a block at most, so a
 * stolen lock needs no repair.
 * Lock: its own, inside each call.
 * Called by the buffer cache, the file systems and the POSIX layer.
 */
#include <stdint.h>
#include <string.h>
#include <libos/arena.h>
#include <libos/lock.h>

#define GRAIN	 16u
#define PAGE	 4096u
#define NCLASSES 100u /* up to 2^(4 + 100/4) = 512 MiB; larger ones are never reused */

struct arena {
	struct lock lock;
	char *next;
	char *end;
	void *freed[NCLASSES];
};
_Static_assert(sizeof(struct arena) < 1024, "as arena.h promises");

/* Rounds `*size` up to its class's size and returns the class. */
static unsigned size_class(size_t *size)
{
	size_t n = *size < GRAIN ? GRAIN : *size;
	unsigned log = 63u - (unsigned)__builtin_clzl(n);
	size_t step = (size_t)1 << log >> 2;

	if (step < GRAIN)
		step = GRAIN;
	n = (n + step - 1) & ~(step - 1);
	*size = n;
	log = 63u - (unsigned)__builtin_clzl(n);
	return (log - 4) * 4 + (unsigned)((n >> (log - 2)) & 3);
}

struct arena *arena_init(void *region, size_t size)
{
	struct arena *a = region;

	if (((uintptr_t)region & (GRAIN - 1)) != 0 || size < 2 * sizeof *a)
		return NULL;
	memset(a, 0, sizeof *a);
	lock_init(&a->lock);
	a->next = (char *)region + ((sizeof *a + GRAIN - 1) & ~(size_t)(GRAIN - 1));
	a->end = (char *)region + size;
	return a;
}

/* A block never used before. */
static void *bump(struct arena *a, size_t size)
{
	uintptr_t align = size >= PAGE ? PAGE : GRAIN;
	uintptr_t at = ((uintptr_t)a->next + align - 1) & ~(align - 1);

	if (at > (uintptr_t)a->end || size > (uintptr_t)a->end - at)
		return NULL;
	char *p = a->next + (at - (uintptr_t)a->next);
	a->next = p + size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size == 0 || size > SIZE_MAX / 4)
		return NULL;
	if (size >= PAGE)
		size = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
	unsigned class = size_class(&size);
	/* A stolen lock needs no repair: see the head. */
	enum lock_state held = lock_acquire(&a->lock);
	void *p = NULL;

	(void)held;
	if (class < NCLASSES && a->freed[class] != NULL) {
		p = a->freed[class];
		memcpy(&a->freed[class], p, sizeof(void *));
	} else {
		p = bump(a, size);
	}
	lock_release(&a->lock);
	if (p != NULL)
		memset(p, 0, size);
	return p;
}

void arena_free(struct arena *a, void *p, size_t size)
{
	if (p == NULL)
		return;
	if (size >= PAGE)
		size = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
	unsigned class = size_class(&size);
	if (class >= NCLASSES)
		return;
	enum lock_state held = lock_acquire(&a->lock);
	(void)held;
	memcpy(p, &a->freed[class], sizeof(void *));
	a->freed[class] = p;
	lock_release(&a->lock);
}

size_t arena_left(const struct arena *a)
{
	return (size_t)(a->end - a->next);
}
