/*
 * pipe_ring.h - the bytes in a pipe: a ring whose indices run freely.
 *
 * Pure functions, so that host tests run them.  Invariant: tail - head <= size, a power of 2.
 * Lock: the pipe's, held by the caller.  Called by pipe.c and tests.
 */
#ifndef POSIX_PIPE_RING_H
#define POSIX_PIPE_RING_H

#include <string.h>
#include <libos/posix_segment.h>

static inline uint32_t pipe_ring_used(const struct posix_pipe *p)
{
	return p->tail - p->head;
}

static inline uint32_t pipe_ring_room(const struct posix_pipe *p)
{
	return p->size - pipe_ring_used(p);
}

static inline uint32_t pipe_ring_least(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

/* Puts what fits: how many bytes. */
static inline uint32_t pipe_ring_put(struct posix_pipe *p, const char *from, uint64_t n)
{
	const uint32_t count = pipe_ring_least(n, pipe_ring_room(p));
	const uint32_t at = p->tail & (p->size - 1);
	const uint32_t first = pipe_ring_least(count, p->size - at);

	memcpy(p->data + at, from, first);
	memcpy(p->data, from + first, count - first);
	p->tail += count;
	return count;
}

/* Takes what is there, up to n: how many bytes. */
static inline uint32_t pipe_ring_get(struct posix_pipe *p, char *to, uint64_t n)
{
	const uint32_t count = pipe_ring_least(n, pipe_ring_used(p));
	const uint32_t at = p->head & (p->size - 1);
	const uint32_t first = pipe_ring_least(count, p->size - at);

	memcpy(to, p->data + at, first);
	memcpy(to + first, p->data, count - first);
	p->head += count;
	return count;
}

#endif
