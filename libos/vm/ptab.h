/*
 * ptab.h - the page tables of one environment: its own ones, or those of a child being built.
 *
 * Owns: which frame is the table for which addresses, for the first 4 GiB.  Invariant: a table
 * named here is linked; tables are never taken out, they go with the environment.  Errors are
 * negative errnos.  Private to libos/vm and libos/core/build.c.  General registers only.
 */
#ifndef VM_PTAB_H
#define VM_PTAB_H

#include <stdint.h>
#include <libos/start.h>

enum {
	PTAB_ENTRIES = 512,
	PTAB_LOW = 512, /* level-1 tables of the first GiB */
	PTAB_GIBS = 4,
	PTAB_HIGH = 16,		/* level-1 tables above it */
	PTAB_SEGMENT_NOW = 128, /* the process table and other things that upcall handlers touch */
	PTAB_SEGMENT_STEP = 16,
	PTE_PRESENT = 1,
	PTE_WRITE = 2,
	PTE_DIRTY = 0x40,
	PTE_LARGE = 0x80,
};
#define PTE_NX	     (1ull << 63)
#define PTE_FRAME(e) ((uint32_t)((e) >> 12))

struct ptab {
	uint32_t ce; /* capability slot of the environment */
	uint32_t root, l3;
	uint32_t l2[PTAB_GIBS];
	uint32_t low;  /* l1[] is 0 from here on */
	uint32_t high; /* used in high_*[] */
	uint32_t high_index[PTAB_HIGH], high_frame[PTAB_HIGH];
	uint32_t l1[PTAB_LOW];
};

/* Knows the tables listed. */
void ptab_learn(struct ptab *t, const struct start_table *list, uint32_t count);

/* Lists them; returns how many, or 0 when there are more than START_TABLES. */
uint32_t ptab_list(const struct ptab *t, struct start_table *list);

/* The level-1 table for va: 0 when there is none. */
uint32_t ptab_l1(const struct ptab *t, uint64_t va);

/* The first index from i on of a level-1 table below 1 GiB, in l1[]; t->low: there is none. */
uint32_t ptab_next_low(const struct ptab *t, uint32_t i);

/* The level-1 table for va, made when there is none, with those above it. */
int ptab_make_l1(struct ptab *t, uint64_t va, uint32_t *frame);

/* Maps and unmaps as vm_map and vm_unmap (libos/vm.h) say.  A failed map leaves nothing. */
int ptab_map(struct ptab *t, uint64_t va, uint32_t frame, uint32_t count, unsigned perm,
	     uint32_t cap);
int ptab_unmap(struct ptab *t, uint64_t va, uint32_t count);

/* Pages of the POSIX segment, which begins with this frame, that are mapped together. */
uint32_t ptab_segment_unit(uint32_t frame);

/*
 * Maps the part of the POSIX segment that its page `first` is in: a large page where it has them;
 * else PTAB_SEGMENT_NOW pages at its start and PTAB_SEGMENT_STEP elsewhere.  By right of the
 * caller's LAYOUT_CAP_SEGMENT.
 */
int ptab_map_segment(struct ptab *t, uint32_t frame, uint32_t pages, uint32_t first);

/* What a present entry allows, as VM_*. */
unsigned ptab_perm(uint64_t pte);

/*
 * The first entry from i on of a table shown at `table` that is not empty; 512: there is none. What
 * is empty does not change meanwhile, as the program does not map and the CPU only marks what is
 * there.
 */
uint32_t ptab_skip(const volatile uint64_t *table, uint32_t i);

static inline uint32_t ptab_next(const volatile uint64_t *table, uint32_t i)
{
	return i < PTAB_ENTRIES && table[i] ? i : ptab_skip(table, i);
}

/* How many frames from frames[0] on follow each other, up to count. */
uint32_t ptab_run(const uint32_t *frames, uint32_t count);

#endif
