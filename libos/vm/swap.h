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
	SWAP_WAIT = 1,	    /* what was begun is not over */
};

#define SWAP_BITS	(LAYOUT_SWAP + 0x1c0000)
#define SWAP_STAGE	(LAYOUT_SWAP + 0x1f0000) /* pages that are being read */
#define SWAP_MAX_BLOCKS ((LAYOUT_HEAP_END - LAYOUT_IMAGE) / VM_PAGE)

struct swap_page {
	uint32_t slot; /* block + 1 of its copy; 0: none */
	uint16_t pins; /* requests under way that name it */
	uint8_t here;
	uint8_t chosen; /* goes in this batch; 0 again when it was pinned or unmapped meanwhile */
};

/* The command under way (swap_move.c). */
enum swap_kind { SWAP_IDLE, SWAP_GOING, SWAP_COMING };

struct swap_move {
	struct disk_req request;
	void *pages[SWAP_BATCH]; /* the request's */
	enum swap_kind kind;
	uint32_t n;
	uint64_t block; /* they go to this one and those behind */
	uint64_t va;	/* they come to this address and those behind */
	uint32_t frame[SWAP_AHEAD];
	uint32_t next;	  /* in the list of those that go: the first of this command */
	uint32_t gone;	  /* of the list, so far */
	uint32_t watched; /* others may write to what goes */
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
	struct swap_move move;
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

/* ---- swap_page.c: records, and what the policy may ask ----------------------------------------
 */

/* Pages that may be taken before those that are kept back or were asked back. */
uint32_t swap_room(void);

/* Whether the page is here and nothing keeps it. */
int swap_may_go(uint64_t va);

/* Its entry says from now on whether it is written to. */
void swap_watch(uint64_t va);

/* If its entry says that it was written to, its copy does not count any more. */
void swap_note_dirty(uint64_t va);

/* Its copy is good: it is not here any more. */
void swap_leave(uint64_t va);

/* Its copy does not count any more. */
void swap_forget_copy(struct swap_page *p);

/* A new page of zeros at va. */
int swap_fill(uint64_t va, struct swap_page *p, unsigned perm);

/*
 * ---- swap_move.c: pages that go and come ------------------------------------------------------
 *
 * SWAP_WAIT: swap.move.request was submitted; when it is over, the same again.
 */

/* The first command makes what commands need (tables, a ring): it is there from now on. */
int swap_ready(void);

/* Ends what is under way if it is over.  A negative errno: it failed, and concerns who wants `va`.
 */
int swap_finish(uint64_t va);

/* Sends up to `most` pages away; 0: some went; a negative errno when none can. */
int swap_out(uint32_t most);

/* Sends pages away until there is room for one more, those apart that are kept; 0: there is, or
 * only SWAP_LEAST are left. */
int swap_make_room(void);

/* Sees to it that va, which swap_area() knows, has a frame with what belongs there. */
int swap_in(uint64_t va);

#endif
