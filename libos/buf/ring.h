/*
 * ring.h - doubly linked rings of frame numbers in an array, for the policies of the buffer cache.
 *
 * Each ring has a sentinel, an entry of the array that is no frame: sentinel.next is the frame put
 * in last, sentinel.prev the one that has been in for longest. Numbers, not pointers: the array
 * lies in memory that other programs share.
 */
#ifndef BUF_RING_H
#define BUF_RING_H

#include <stdint.h>

struct link {
	uint32_t prev, next;
};

static inline void ring_init(struct link *ring, uint32_t sentinel)
{
	ring[sentinel] = (struct link){sentinel, sentinel};
}

/* Puts `f` right behind `at`: first, if `at` is the sentinel. */
static inline void ring_add(struct link *ring, uint32_t at, uint32_t f)
{
	uint32_t next = ring[at].next;

	ring[f] = (struct link){at, next};
	ring[next].prev = f;
	ring[at].next = f;
}

static inline void ring_remove(struct link *ring, uint32_t f)
{
	struct link l = ring[f];

	ring[l.prev].next = l.next;
	ring[l.next].prev = l.prev;
}

#endif
