/*
 * arena.h - memory inside one region that several processes share.
 *
 * Owns: the allocator state at the head of the region. The region is mapped at the same address
 * in every process that uses it, so pointers into it may be stored in it. Pointers to code, to
 * static data or to a process's own memory may not: programs are linked at different addresses.
 * Invariant: a block handed out lies wholly inside the region and overlaps no other; a process
 * that dies in here may leak a block but never breaks a list (each change is one store).
 * Lock: the arena's own, taken inside each call.
 * Called by the buffer cache, file systems and the POSIX layer.
 */
#ifndef LIBOS_ARENA_H
#define LIBOS_ARENA_H

#include <stddef.h>

struct arena;

/*
 * Makes an arena of the `size` bytes at `region` (16-byte aligned). Its state takes less than 1 KiB
 * of them. Returns it, or NULL if the region is too small or misaligned. One process calls this,
 * once.
 */
struct arena *arena_init(void *region, size_t size);

/*
 * `size` bytes (at least 1), zeroed, 16-byte aligned, and page-aligned (4096) if size is 4096 or
 * more. NULL when the region has no such block left. Constant time, but for the zeroing.
 */
void *arena_alloc(struct arena *a, size_t size);

/* Takes back what arena_alloc returned for the same `size`. NULL is ignored. Constant time. */
void arena_free(struct arena *a, void *p, size_t size);

/* Bytes never handed out yet (freed blocks wait in lists and do not count). */
size_t arena_left(const struct arena *a);

#endif
