/*
 * swap.h - what the files of vm=swap share: a record for each page that may go, and the pager.
 *
 * Owns struct swap and, in an area of its own (LAYOUT_SWAP), the array of records and the map of
 * used blocks.  Invariant: a page with `here` has a frame of ours; one with `slot` has a copy in
 * block slot-1 of the extent, and that is what the page holds unless its entry is dirty; one with
 * both is clean or about to lose its copy.  Lock: vm_busy, see swap.c.
 */
#ifndef VM_SWAP_H
#define VM_SWAP_H

#include <libos/disk.h>
#include <libos/layout.h>
#include <libos/swap.h>
#include "vm.h"

enum {
	SWAP_RESERVE =
		12, /* pages kept for faults that must not wait: stack, tables, data of the libOS */
	SWAP_BATCH = 64,  /* pages that go at a time, at most */
	SWAP_LEAST = 8,	  /* pages that stay, whoever asks for them, to get anywhere with */
	SWAP_AHEAD = 8,	  /* pages that come at a time, at most */
	SWAP_CHUNK = 512, /* records in a page of them: those of one page table */
	SWAP_CHUNKS = (LAYOUT_HEAP_END - LAYOUT_IMAGE) / VM_LARGE_PAGE,
	SWAP_NEAR = 0x4000, /* bytes around the stack pointer that stay */
};

#define SWAP_BITS	(LAYOUT_SWAP + 0x1c0000)
#define SWAP_MAX_BLOCKS ((LAYOUT_HEAP_END - LAYOUT_IMAGE) / VM_PAGE)

struct swap_page {
	uint32_t slot; /* block + 1 of its copy; 0: none */
	uint16_t pins; /* requests under way that name it */
	uint8_t here;
	uint8_t chosen; /* goes in this batch */
};

enum swap_state { SWAP_UNKNOWN, SWAP_NONE, SWAP_THERE, SWAP_OPEN };

struct swap {
	uint64_t owner; /* eid: a forked child has the memory, not the extent */
	enum swap_state state;
	uint32_t cap, extent;
	uint64_t blocks;
	struct disk *disk;
	uint64_t near;	  /* stack pointer of the code that needs memory */
	uint64_t cursor;  /* block to look at next */
	uint32_t waiting; /* pages were asked back while vm was busy */
	uint32_t chosen;
	struct vm_stats stats;
	uint64_t list[SWAP_BATCH];  /* what was chosen */
	uint8_t chunk[SWAP_CHUNKS]; /* whether that page of records is there */
};

extern struct swap swap;

/* Whether va is where pages may go from: the heap and what is reserved above it. */
static inline int swap_area(uint64_t va)
{
	return va >= vm.heap && va < LAYOUT_HEAP_END;
}

/* The record of a page that has one. */
static inline struct swap_page *swap_record(uint64_t va)
{
	return (struct swap_page *)LAYOUT_SWAP + (va - LAYOUT_IMAGE) / VM_PAGE;
}

/* The record of va, NULL when nobody has made it.  swap_page_make makes it: 0 or a negative errno.
 */
struct swap_page *swap_page(uint64_t va);
int swap_page_make(uint64_t va, struct swap_page **out);

/* The region that holds va when its pages may go, else NULL. */
const struct vm_region *swap_region(uint64_t va);

/* ---- swap_slots.c: blocks of the extent ---------------------------------------------------- */

/* The map of blocks, all free. */
int swap_slots_start(void);

/* Takes up to `want` free blocks in a row; how many, 0 when all are used; *first. */
uint32_t swap_slots_take(uint32_t want, uint64_t *first);
void swap_slot_free(uint64_t block);

/* ---- swap_page.c: pages that go and come ---------------------------------------------------- */

/* Pages that may be taken before those that are kept back or were asked back. */
uint32_t swap_room(void);

/* What the first look at a page table and the first command make (tables, a ring) is there from now
 * on. */
int swap_ready(void);

/* Sends up to `most` pages away; how many went, or a negative errno when none can. */
int swap_out(uint32_t most);

/* Sees to it that va, which swap_area() knows, has a frame with what belongs there. */
int swap_in(uint64_t va);

/* A new page of zeros at va. */
int swap_fill(uint64_t va, struct swap_page *p, unsigned perm);

/* Its copy does not count any more. */
void swap_forget_copy(struct swap_page *p);

#endif
