/*
 * swap_page.c - the records of pages that may go, and what the policy may ask of them.
 *
 * Owns the array of records.  A page may go when it is the program's own anonymous memory above its
 * data (so neither code, data, stack, tables nor the disk's ring ever is), its region is neither
 * pinned nor shared, no request names it, the kernel holds it for nobody, and it is not near the
 * stack pointer of the code that wants memory.  Runs in the pager (swap.c).
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include "swap.h"

enum { PTE_ACCESSED = 0x20 };

/* ---- records ------------------------------------------------------------------------------- */

struct swap_page *swap_page(uint64_t va)
{
	const uint64_t i = (va - LAYOUT_IMAGE) / VM_PAGE;

	return swap.chunk[i / SWAP_CHUNK] ? swap_record(va) : 0;
}

int swap_page_make(uint64_t va, struct swap_page **out)
{
	const uint64_t chunk = (va - LAYOUT_IMAGE) / VM_PAGE / SWAP_CHUNK;
	int err = 0;

	if (!swap.chunk[chunk])
		err = vm_fill(LAYOUT_SWAP + chunk * VM_PAGE, VM_READ | VM_WRITE);
	if (!err)
		swap.chunk[chunk] = 1;
	*out = swap_record(va);
	return err;
}

void swap_forget_copy(struct swap_page *p)
{
	if (p->slot)
		swap_slot_free(p->slot - 1);
	p->slot = 0;
}

const struct vm_region *swap_region(uint64_t va)
{
	const struct vm_region *r = swap_area(va) ? vm_find(va) : 0;

	return r && r->kind == VM_ANON && !r->pinned && !r->shared ? r : 0;
}

/* ---- what the policy may ask ----------------------------------------------------------------- */

static int free_to_go(uint64_t va, const struct swap_page *p)
{
	const uint64_t e = p && p->here && !p->pins ? vm_pte(va) : 0;

	return e && (va + SWAP_NEAR < swap.near || va > swap.near + SWAP_NEAR) &&
	       *tables_page_pins(PTE_FRAME(e)) == 0 && *tables_page_maps(PTE_FRAME(e)) == 1;
}

int swap_may_go(uint64_t va)
{
	return swap_region(va) && free_to_go(va, swap_page(va));
}

/* The first in [va, end), which is inside one region; 0: none. */
static uint64_t next_in(uint64_t va, uint64_t end)
{
	while (va < end) {
		const struct swap_page *p = swap_page(va);

		if (!p)
			va = (va | (VM_LARGE_PAGE - 1)) + 1;
		else if (!p->chosen && free_to_go(va, p))
			return va;
		else
			va += VM_PAGE;
	}
	return 0;
}

uint64_t swap_next(uint64_t va)
{
	uint64_t found = 0;

	va = (va + VM_PAGE - 1) & ~(VM_PAGE - 1);
	if (va < vm.heap)
		va = vm.heap;
	while (!found) {
		const struct vm_region *r = vm_next(va);

		if (!r || r->start >= LAYOUT_HEAP_END)
			return 0;
		if (va < r->start)
			va = r->start;
		if (swap_region(va))
			found = next_in(va, r->end);
		va = r->end;
	}
	return found;
}

/* An entry that was written means that the copy, if any, is not what the page holds. */
void swap_note_dirty(uint64_t va)
{
	if (vm_pte(va) & PTE_DIRTY)
		swap_forget_copy(swap_record(va));
}

/* Bits of entries can only be cleared by mapping anew. */
static void map_anew(uint64_t va, uint64_t e)
{
	if (vm_unmap(va, 1) || vm_map(va, PTE_FRAME(e), 1, ptab_perm(e), LAYOUT_CAP_SELF))
		start_die("swap: cannot map a page again", START_EXIT_ABI);
}

void swap_watch(uint64_t va)
{
	const uint64_t e = vm_pte(va);

	if (e & PTE_DIRTY)
		map_anew(va, e);
}

/* That it was written is kept in its record. */
int swap_used(uint64_t va)
{
	const uint64_t e = vm_pte(va);

	if (!(e & PTE_ACCESSED))
		return 0;
	swap_note_dirty(va);
	map_anew(va, e);
	return 1;
}

int swap_dirty(uint64_t va)
{
	return !swap_record(va)->slot || (vm_pte(va) & PTE_DIRTY) != 0;
}

/* A policy of the program's own may be wrong. */
int swap_choose(uint64_t va)
{
	if (!swap_may_go(va) || swap_record(va)->chosen)
		start_die("swap: the policy chose a page that may not go", START_EXIT_ABI);
	if (swap.chosen == SWAP_BATCH)
		return 0;
	swap_record(va)->chosen = 1;
	swap.list[swap.chosen++] = va;
	return swap.chosen < SWAP_BATCH && swap.chosen < swap.stats.held / 2;
}

/* ---- coming and going -------------------------------------------------------------------------
 */

uint32_t swap_room(void)
{
	const uint32_t me = start_self() & 0xffff;
	const uint32_t left = tables_quota_limit(me)->n[EXO_QUOTA_PAGES] -
			      tables_quota_used(me)->n[EXO_QUOTA_PAGES];
	const uint32_t kept = SWAP_RESERVE + tables_revoke(me)->ask[EXO_ASK_PAGES].n;
	const uint32_t free = tables_info()->free_frames;
	const uint32_t most = left < free ? left : free;

	return most > kept ? most - kept : 0;
}

void swap_leave(uint64_t va)
{
	const uint32_t frame = PTE_FRAME(vm_pte(va));

	if (vm_unmap(va, 1) || frames_free(LAYOUT_CAP_SELF, frame, 1))
		start_die("swap: cannot give a page back", START_EXIT_ABI);
	swap_record(va)->here = 0;
	swap.stats.held--;
	swap.stats.out++;
}

int swap_fill(uint64_t va, struct swap_page *p, unsigned perm)
{
	const int err =
		vm_pte(va) ? 0 : vm_fill(va, perm); /* there: it came while nobody could note it */

	if (err)
		return err;
	p->here = 1;
	swap.stats.held++;
	return 0;
}
