/*
 * swap_move.c - pages that go to the program's blocks, and come back: one command at a time.
 *
 * Owns swap.move, the command under way, and swap.list, those that go.  A command has two halves:
 * one of swap_out() and swap_in() begins it and returns SWAP_WAIT; swap_finish() draws the
 * consequences when it is over, whoever calls, so that a thread that cannot let others run ends
 * what another one began that sleeps.  Invariant: between the halves every page is whole: what goes
 * is mapped until its copy is written, so a failed write loses nothing; what comes is read where
 * nobody looks.  Others may run in between, so nothing that was looked at before is believed after:
 * a page that was written to or pinned meanwhile stays, and one whose region is gone does not come.
 * Dirty pages are written, as many as there are blocks in a row for by one command; clean ones that
 * have a copy just go.  Runs in the pager (swap.c).
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/start.h>
#include <libos/wait.h>
#include "swap.h"

static int begin(enum disk_op op, uint64_t block, uint32_t n)
{
	struct swap_move *m = &swap.move;

	m->request = (struct disk_req){.op = op, .nblocks = n, .block = block, .pages = m->pages};
	m->n = n;
	return disk_submit(swap.disk, &m->request);
}

int swap_ready(void)
{
	const int err = vm_view(LAYOUT_IMAGE) ? begin(DISK_FLUSH, 0, 0) : -ENOMEM;

	return err ? err : disk_wait(swap.disk, &swap.move.request);
}

/* ---- going ------------------------------------------------------------------------------------
 */

/* The rest of the list stays. */
static void list_end(uint32_t from)
{
	for (uint32_t i = from; i < swap.chosen; i++)
		swap_record(swap.list[i])->chosen = 0;
	swap.chosen = from;
}

/* Writes those of the list that are next, all dirty, as far as blocks follow each other. */
static int write_run(void)
{
	struct swap_move *m = &swap.move;
	uint64_t *const list = &swap.list[m->next];
	const uint32_t run = swap_slots_take(swap.chosen - m->next, &m->block);
	int err = run ? 0 : -ENOSPC;

	m->watched = wait_shared();
	for (uint32_t i = 0; i < run; i++) {
		m->pages[i] = (void *)list[i];
		if (m->watched)
			swap_watch(list[i]);
	}
	if (!err) /* if it fails the blocks stay used: nobody tries them again */
		err = begin(DISK_WRITE, m->block, run);
	m->kind = err ? SWAP_IDLE : SWAP_GOING;
	return err ? err : SWAP_WAIT;
}

/* It was written to `block`: it leaves, unless something has come between. */
static void written(uint64_t va, uint64_t block)
{
	struct swap_move *m = &swap.move;
	struct swap_page *p = swap_record(va);

	if (!p->chosen || !swap_may_go(va) || (m->watched && (vm_pte(va) & PTE_DIRTY))) {
		p->chosen = 0;
		swap_slot_free(block);
		return;
	}
	p->chosen = 0;
	p->slot = (uint32_t)block + 1;
	swap_leave(va);
	swap.stats.paged_out++;
	m->gone++;
}

static int went(void)
{
	struct swap_move *m = &swap.move;
	int err = m->request.status;

	for (uint32_t i = 0; i < m->n && !err; i++)
		written((uint64_t)m->pages[i], m->block + i);
	m->next += err ? 0 : m->n;
	swap.stats.writes += !err;
	m->kind = SWAP_IDLE;
	if (!err && m->next < swap.chosen)
		err = write_run();
	if (err == SWAP_WAIT)
		return err;
	list_end(m->next);
	return m->gone ? 0 : err;
}

/* The clean ones of the list go; the others stay in it, in order. */
static void drop_clean(void)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < swap.chosen; i++) {
		const uint64_t va = swap.list[i];

		swap_note_dirty(va);
		if (!swap_record(va)->slot) {
			swap.list[left++] = va;
			continue;
		}
		swap_record(va)->chosen = 0;
		swap_leave(va);
		swap.move.gone++;
		swap.stats.dropped++;
	}
	swap.chosen = left;
}

int swap_out(uint32_t most)
{
	int err = 0;

	swap.chosen = 0;
	swap_victims();
	if (swap.chosen > most)
		list_end(most);
	if (!swap.chosen)
		return -ENOMEM;
	swap.move.next = swap.move.gone = 0;
	drop_clean();
	if (swap.chosen)
		err = write_run();
	if (err == SWAP_WAIT)
		return err;
	list_end(0);
	return swap.move.gone ? 0 : err;
}

int swap_make_room(void)
{
	int err = 0;

	while (!err && !swap_room() && swap.stats.held > SWAP_LEAST)
		err = swap_out(SWAP_BATCH);
	return err;
}

/* ---- coming ------------------------------------------------------------------------------------
 */

/* The region that va is in, when pages may come to it. */
static const struct vm_region *comes_to(uint64_t va)
{
	const struct vm_region *r = swap_area(va) ? vm_find(va) : 0;

	return r && r->kind == VM_ANON && r->perm != VM_NONE ? r : 0;
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

/* Frames to read into, shown to the disk alone. */
static int stage(uint32_t i)
{
	struct swap_move *m = &swap.move;
	int err = frame_take(LAYOUT_CAP_SELF, EXO_PAGE_DATA, &m->frame[i]);

	if (err)
		return err;
	m->pages[i] = (void *)(SWAP_STAGE + i * VM_PAGE);
	err = vm_map(SWAP_STAGE + i * VM_PAGE, m->frame[i], 1, VM_READ | VM_WRITE, LAYOUT_CAP_SELF);
	if (err)
		(void)frames_free(LAYOUT_CAP_SELF, m->frame[i], 1);
	return err;
}

static void stage_end(uint32_t n)
{
	if (n && vm_unmap(SWAP_STAGE, n))
		start_die("swap: cannot take a page from where it was read", START_EXIT_ABI);
}

/* Brings what is in the block of va, and what lies behind both. */
static int bring(uint64_t va, const struct vm_region *r)
{
	struct swap_move *m = &swap.move;
	const uint32_t want = ahead(va, r);
	uint32_t n = 0;
	int err = 0;

	while (n < want && !err) {
		err = stage(n);
		n += !err;
	}
	if (!n)
		return err;
	m->va = va;
	err = begin(DISK_READ, swap_record(va)->slot - 1, n);
	if (!err) {
		m->kind = SWAP_COMING;
		return SWAP_WAIT;
	}
	stage_end(n);
	for (uint32_t i = 0; i < n; i++)
		(void)frames_free(LAYOUT_CAP_SELF, m->frame[i], 1);
	return -EIO;
}

/* What is in block slot-1 was read to the frame: 1 when that is the page at va now. */
static int install(uint64_t va, uint32_t slot, uint32_t frame)
{
	const struct vm_region *r = comes_to(va);
	struct swap_page *p = r ? swap_page(va) : 0;

	if (!p || p->here || p->slot != slot)
		return 0;
	if (vm_map(va, frame, 1, r->perm, LAYOUT_CAP_SELF))
		start_die("swap: cannot map a page that came", START_EXIT_ABI);
	p->here = 1;
	swap.stats.held++;
	swap.stats.out--;
	swap.stats.paged_in++;
	return 1;
}

static int came(uint64_t wanted)
{
	struct swap_move *m = &swap.move;
	const uint32_t slot = (uint32_t)m->request.block + 1;

	stage_end(m->n);
	for (uint32_t i = 0; i < m->n; i++)
		if (m->request.status || !install(m->va + i * VM_PAGE, slot + i, m->frame[i]))
			(void)frames_free(LAYOUT_CAP_SELF, m->frame[i], 1);
	m->kind = SWAP_IDLE;
	swap.stats.reads += !m->request.status;
	return m->request.status && wanted - m->va < m->n * VM_PAGE ? -EIO : 0;
}

int swap_finish(uint64_t va)
{
	struct swap_move *m = &swap.move;

	if (m->kind == SWAP_IDLE)
		return 0;
	if (m->request.state)
		return SWAP_WAIT;
	return m->kind == SWAP_GOING ? went() : came(va);
}

/* What was looked at before others ran may be different now: then the access is tried again. */
static int get(uint64_t va)
{
	const struct vm_region *r = comes_to(va);
	struct swap_page *p;
	int err = 0;

	if (r)
		err = swap_page_make(va, &p);
	if (err || !r)
		return err;
	if (p->here)
		return vm_pte(va) ? 0 : -EOWNERDEAD;
	return p->slot ? bring(va, r) : swap_fill(va, p, r->perm);
}

/* Whoever asks for pages may take all that are unused between the two; then others must go.  One
 * that has come needs no room: that which is made for others could be its own. */
int swap_in(uint64_t va)
{
	int err = swap_finish(va), got;

	if (err < 0 && swap.move.request.op == DISK_READ)
		return err;
	for (;;) {
		if (!err && !vm_pte(va))
			err = swap_make_room();
		if (err == SWAP_WAIT)
			return err;
		got = get(va);
		if (got != -EDQUOT && got != -ENOMEM)
			return got;
		if (err)
			return err;
		err = swap_out(SWAP_LEAST);
	}
}
