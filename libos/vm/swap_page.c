/*
 * swap_page.c - pages that go to the program's blocks, and come back.
 *
 * Owns the array of records.  A page may go when it is the program's own anonymous memory above its
 * data (so neither code, data, stack, tables nor the disk's ring ever is), its region is neither
 * pinned nor shared, no request names it, the kernel holds it for nobody, and it is not near the
 * stack pointer of the code that wants memory.  Dirty ones are written, as many as there are blocks
 * in a row for by one command; clean ones that have a copy just go.  A page is unmapped only after
 * its write has succeeded, so a failed one loses nothing.  Runs in the pager (swap.c).
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include "swap.h"

enum { PTE_ACCESSED = 0x20 };

static RESIDENT struct disk_req request;
static RESIDENT void *request_pages[SWAP_BATCH];

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

static int may_go(uint64_t va)
{
	const uint64_t e = vm_pte(va);

	return e && (va + SWAP_NEAR < swap.near || va > swap.near + SWAP_NEAR) &&
	       *tables_page_pins(PTE_FRAME(e)) == 0 && *tables_page_maps(PTE_FRAME(e)) == 1;
}

/* The first in [va, end), which is inside one region; 0: none. */
static uint64_t next_in(uint64_t va, uint64_t end)
{
	while (va < end) {
		const struct swap_page *p = swap_page(va);

		if (!p)
			va = (va | (VM_LARGE_PAGE - 1)) + 1;
		else if (p->here && !p->pins && !p->chosen && may_go(va))
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
static void note_dirty(uint64_t va, uint64_t e)
{
	if (e & PTE_DIRTY)
		swap_forget_copy(swap_record(va));
}

/* Bits of entries can only be cleared by mapping anew; that it was written is kept in its record.
 */
int swap_used(uint64_t va)
{
	const uint64_t e = vm_pte(va);

	if (!(e & PTE_ACCESSED))
		return 0;
	note_dirty(va, e);
	if (vm_unmap(va, 1) || vm_map(va, PTE_FRAME(e), 1, ptab_perm(e), LAYOUT_CAP_SELF))
		start_die("swap: cannot map a page again", START_EXIT_ABI);
	return 1;
}

int swap_dirty(uint64_t va)
{
	return !swap_record(va)->slot || (vm_pte(va) & PTE_DIRTY) != 0;
}

/* A policy of the program's own may be wrong. */
int swap_choose(uint64_t va)
{
	struct swap_page *p = swap_region(va) ? swap_page(va) : 0;

	if (!p || !p->here || p->pins || p->chosen || !may_go(va))
		start_die("swap: the policy chose a page that may not go", START_EXIT_ABI);
	if (swap.chosen == SWAP_BATCH)
		return 0;
	p->chosen = 1;
	swap.list[swap.chosen++] = va;
	return swap.chosen < SWAP_BATCH && swap.chosen < swap.stats.held / 2;
}

/* ---- going ------------------------------------------------------------------------------------
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

/* Its copy is good: it is not here any more. */
static void leave(uint64_t va)
{
	const uint32_t frame = PTE_FRAME(vm_pte(va));

	if (vm_unmap(va, 1) || frames_free(LAYOUT_CAP_SELF, frame, 1))
		start_die("swap: cannot give a page back", START_EXIT_ABI);
	swap_record(va)->here = 0;
	swap.stats.held--;
	swap.stats.out++;
}

static int transfer(enum disk_op op, uint64_t block, uint32_t n)
{
	int err;

	request = (struct disk_req){.op = op, .nblocks = n, .block = block, .pages = request_pages};
	err = disk_submit(swap.disk, &request);
	return err ? err : disk_wait(swap.disk, &request);
}

int swap_ready(void)
{
	return vm_view(LAYOUT_IMAGE) ? transfer(DISK_FLUSH, 0, 0) : -ENOMEM;
}

/* Writes list[0..n), all dirty, as far as blocks follow each other; how many, or why not. */
static int write_run(const uint64_t *list, uint32_t n)
{
	uint64_t block = 0;
	const uint32_t run = swap_slots_take(n, &block);
	int err;

	if (!run)
		return -ENOSPC;
	for (uint32_t i = 0; i < run; i++)
		request_pages[i] = (void *)list[i];
	err = transfer(DISK_WRITE, block, run);
	if (err) /* the blocks stay used: nobody tries them again */
		return err;
	for (uint32_t i = 0; i < run; i++) {
		swap_record(list[i])->slot = (uint32_t)(block + i) + 1;
		leave(list[i]);
	}
	swap.stats.writes++;
	swap.stats.paged_out += run;
	return (int)run;
}

/* The clean ones of the list go; the others stay in it, in order.  How many went. */
static uint32_t drop_clean(void)
{
	uint32_t left = 0, gone = 0;

	for (uint32_t i = 0; i < swap.chosen; i++) {
		const uint64_t va = swap.list[i];

		swap_record(va)->chosen = 0;
		note_dirty(va, vm_pte(va));
		if (swap_record(va)->slot) {
			leave(va);
			gone++;
		} else {
			swap.list[left++] = va;
		}
	}
	swap.chosen = left;
	swap.stats.dropped += gone;
	return gone;
}

int swap_out(uint32_t most)
{
	uint32_t gone, i = 0;
	int n = 0;

	swap.chosen = 0;
	swap_victims();
	for (uint32_t j = most; j < swap.chosen; j++)
		swap_record(swap.list[j])->chosen = 0;
	if (swap.chosen > most)
		swap.chosen = most;
	if (!swap.chosen)
		return -ENOMEM;
	gone = drop_clean();
	while (i < swap.chosen && n >= 0) {
		n = write_run(&swap.list[i], swap.chosen - i);
		if (n > 0)
			i += (uint32_t)n;
	}
	return gone + i ? (int)(gone + i) : n;
}

/* ---- coming ------------------------------------------------------------------------------------
 */

/* Room for one more page, kept ones apart; when nothing can go, or too little is left, those are
 * used. */
static void make_room(void)
{
	while (!swap_room() && swap.stats.held > SWAP_LEAST)
		if (swap_out(SWAP_BATCH) <= 0)
			return;
}

static int note_here(struct swap_page *p)
{
	p->here = 1;
	swap.stats.held++;
	return 0;
}

int swap_fill(uint64_t va, struct swap_page *p, unsigned perm)
{
	const int err = vm_fill(va, perm);

	return err ? err : note_here(p);
}

/* How many pages from va on have copies that follow each other, and none of them is here. */
static uint32_t ahead(uint64_t va, const struct vm_region *r)
{
	const uint32_t slot = swap_record(va)->slot;
	uint32_t n = 1;

	while (n < SWAP_AHEAD && n < swap_room() && va + n * VM_PAGE < r->end) {
		const struct swap_page *p = swap_page(va + n * VM_PAGE);

		if (!p || p->here || p->slot != slot + n)
			break;
		n++;
	}
	return n;
}

/* They were mapped to be read into; none of them keeps what it did not get. */
static void give_up(uint64_t va, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		(void)vm_drop(va + i * VM_PAGE, va + (i + 1) * VM_PAGE, VM_PAGER);
}

static int protect(uint64_t va, unsigned perm)
{
	if (perm & VM_WRITE)
		return 0;
	return call_result(
		call_page_protect(0, ptab_l1(&vm.tables, va), (va / VM_PAGE) & 511, 1, perm));
}

/* Brings what is in the block of va, and what lies behind both. */
static int bring(uint64_t va, const struct vm_region *r)
{
	uint32_t want = ahead(va, r), n = 0;
	int err = 0;

	for (; n < want; n++) {
		err = vm_fill(va + n * VM_PAGE, VM_READ | VM_WRITE);
		if (err)
			break;
		request_pages[n] = (void *)(va + n * VM_PAGE);
	}
	if (n)
		err = transfer(DISK_READ, swap_record(va)->slot - 1, n);
	for (uint32_t i = 0; i < n && !err; i++)
		err = protect(va + i * VM_PAGE, r->perm);
	if (err) {
		give_up(va, n);
		return n ? -EIO : err;
	}
	for (uint32_t i = 0; i < n; i++)
		swap_record(va + i * VM_PAGE)->here = 1;
	swap.stats.held += n;
	swap.stats.out -= n;
	swap.stats.paged_in += n;
	swap.stats.reads++;
	return 0;
}

static int get(uint64_t va)
{
	const struct vm_region *r = vm_find(va);
	struct swap_page *p;
	const int err = swap_page_make(va, &p);

	if (err)
		return err;
	if (p->here)
		return vm_pte(va) ? 0 : -EOWNERDEAD;
	if (vm_pte(va)) /* filled while nothing could be noted */
		return note_here(p);
	return p->slot ? bring(va, r) : swap_fill(va, p, r->perm);
}

/* Whoever asks for pages may take all that are unused between the two; then others must go. */
int swap_in(uint64_t va)
{
	for (;;) {
		int err, n;

		make_room();
		err = get(va);
		if (err != -EDQUOT && err != -ENOMEM)
			return err;
		n = swap_out(SWAP_LEAST);
		if (n < 0)
			return n;
	}
}
