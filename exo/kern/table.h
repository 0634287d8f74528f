/*
 * table.h - entries of page tables, as the hardware reads them.
 *
 * Programs build their tables of frames they own, top down: the root is the level-4 frame named by
 * env_set, and a table is linked only under a linked one, so that pages[].va is known and every
 * lost right reaches the TLB.  Invariant: a present leaf counts in page_maps or run_maps of what it
 * maps; writable leads only to DATA and UPCALL frames; nothing is writable and executable.
 */
#ifndef KERN_TABLE_H
#define KERN_TABLE_H

#include <exo/tables.h>

enum { NENTRY = 512 };

/* Bits of an entry; with the frame number times 4096, that is all an entry has. */
#define PTE_P  1ull
#define PTE_W  2ull
#define PTE_U  4ull
#define PTE_A  32ull
#define PTE_D  64ull
#define PTE_PS 128ull
#define PTE_NX (1ull << 63)

/* The lower half: what programs may map. */
#define USER_END 0x800000000000ull

static inline uint32_t entry_frame(uint64_t entry)
{
	return (uint32_t)(entry % (1ull << 52) / EXO_PAGE_SIZE);
}

/* Does this entry of a table of that level map memory (rather than link a table)? */
static inline int entry_is_leaf(uint64_t entry, uint32_t level)
{
	return level == 1 || (level == 2 && (entry & PTE_PS) != 0);
}

/* Where to begin emptying table t: a table at or below it whose own links lead to empty tables
   only. Looks at most at 512 entries of each of 4 tables. */
uint32_t table_lowest(uint32_t t);

/* Empties every entry of table frame t, whose owner is a ZOMBIE (so no CPU translates by it), and
   frees those of the owner's frames that nothing holds any more: at most 512 of either. */
void table_empty(uint32_t t);

/*
 * Empties the leaves of table t (anybody's) that map frame f, or the run it is in; how many those
 * were.  512 entries.  For revocation.
 */
uint32_t table_break(uint32_t t, uint32_t f);

#endif
