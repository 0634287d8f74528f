/*
 * copy.c - fork's part of memory: the child's pages, from this program's page tables.
 *
 * Frames of this program are copied, or mapped in both when their region is shared; frames of
 * others are mapped in both.  The window and the shown tables stay out, and so does the upcall
 * page, which the child has its own.  All of the child's tables are made before the first page is
 * copied: so the record of them (core/build.c) is copied as it will stay, and the child finds its
 * tables there (vm_copied).  Called by fork.
 */
#include <errno.h>
#include <string.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/start.h>
#include <libos/tables.h>
#include "vm.h"

enum { BATCH = 64 };

/* Pages that follow each other and are alike. */
struct run {
	uint64_t va;
	uint32_t count;
	uint32_t mine; /* frames of this program */
	uint64_t bits; /* of the entries: what they allow */
	const struct vm_region *region;
	uint32_t frames[BATCH];
};

/* The child's frames that are still to be filled, and from where. */
struct copies {
	uint32_t count;
	uint32_t frames[BATCH];
	uint64_t from[BATCH];
};

static const struct ptab *child; /* tables of the copy that was made last */

/* What is not copied begins a table, so that no run goes over it. */
_Static_assert(LAYOUT_UPCALL % VM_LARGE_PAGE == 0 && LAYOUT_RING == LAYOUT_UPCALL + VM_PAGE,
	       "upcall page and ring are the first of their table");

static int fill(struct build *b, struct copies *c)
{
	char *window;
	int err = 0;

	if (!c->count)
		return 0;
	window = vm_window(c->frames, c->count, VM_READ | VM_WRITE, b->cap, &err);
	if (!window)
		return err;
	for (uint32_t i = 0; i < c->count; i++)
		memcpy(window + i * VM_PAGE, (const void *)c->from[i], VM_PAGE);
	vm_window_end();
	c->count = 0;
	return 0;
}

static int copy_run(struct build *b, const struct run *r, struct copies *c)
{
	int err = c->count + r->count > BATCH ? fill(b, c) : 0;

	if (!err)
		err = build_pages(b, r->va, r->count, ptab_perm(r->bits), c->frames + c->count);
	if (err)
		return err;
	for (uint32_t i = 0; i < r->count; i++)
		c->from[c->count++] = r->va + i * VM_PAGE;
	return 0;
}

static int give_run(struct build *b, const struct run *r, struct copies *c)
{
	const struct vm_region *const region = r->region;
	uint32_t cap = LAYOUT_CAP_SEGMENT;

	if (r->mine && !(region && region->shared && region->kind != VM_FOREIGN))
		return copy_run(b, r, c);
	if (r->mine)
		cap = LAYOUT_CAP_SELF;
	else if (region && region->off)
		cap = (uint32_t)region->off;
	return build_map_list(b, r->va, r->frames, r->count, ptab_perm(r->bits), cap);
}

static uint32_t is_own(uint64_t e, uint64_t self)
{
	return tables_page(PTE_FRAME(e))->owner == self;
}

/* The run that begins with entry i of the table for addresses from `base` on. */
static void find_run(struct run *r, const volatile uint64_t *table, uint64_t base, uint32_t i)
{
	const uint64_t self = start_self() & 0xffff, first = table[i];
	const uint64_t alike = PTE_PRESENT | PTE_WRITE | PTE_NX;
	uint64_t end;

	r->va = base + i * VM_PAGE;
	r->mine = is_own(first, self);
	r->bits = first & (PTE_WRITE | PTE_NX);
	r->region = vm_find(r->va);
	end = r->region ? (r->region->end - base) / VM_PAGE : i + 1;
	if (end > PTAB_ENTRIES)
		end = PTAB_ENTRIES;
	if (end > i + BATCH)
		end = i + BATCH;
	r->count = 0;
	do
		r->frames[r->count++] = PTE_FRAME(table[i++]);
	while (i < end && ((table[i] ^ first) & alike) == 0 && is_own(table[i], self) == r->mine);
}

/* Pages may come meanwhile, of the stack: `present` counts them, so that the last is not missed. */
static int copy_table(struct build *b, struct copies *c, uint64_t base)
{
	const volatile struct exo_page *const record = tables_page(ptab_l1(&vm.tables, base));
	const volatile uint64_t *table = vm_view(base);
	uint32_t i = 0, seen = 0;
	struct run r;
	int err = table ? 0 : -ENOMEM;

	while (!err && seen < record->present && (i = ptab_next(table, i)) < PTAB_ENTRIES) {
		const uint64_t va = base + i * VM_PAGE;

		r.count = 1;
		if (va != LAYOUT_UPCALL && va != LAYOUT_RING) {
			find_run(&r, table, base, i);
			err = give_run(b, &r, c);
		}
		i += r.count;
		seen += r.count;
	}
	return err;
}

static int is_private(uint64_t index)
{
	const uint64_t va = index * VM_LARGE_PAGE;

	return va != LAYOUT_WINDOW &&
	       (va < LAYOUT_SEGMENT || va - LAYOUT_SEGMENT >= vm.segment_pages * VM_PAGE);
}

/* Indices of the level-1 tables of private memory that have something in them; how many. */
static uint32_t list_tables(uint32_t index[PTAB_LOW + PTAB_HIGH])
{
	uint32_t n = 0;

	for (uint32_t i = 0; (i = ptab_next_low(&vm.tables, i)) < vm.tables.low; i++)
		if (is_private(i) && tables_page(vm.tables.l1[i])->present)
			index[n++] = i;
	for (uint32_t i = 0; i < vm.tables.high; i++)
		if (is_private(vm.tables.high_index[i]))
			index[n++] = vm.tables.high_index[i];
	return n;
}

static int make_tables(struct build *b, const uint32_t *index, uint32_t n)
{
	int err = 0;
	uint32_t table;

	if (vm.segment_pages)
		err = ptab_map_segment(b->tables, vm.segment_frame, vm.segment_pages, 0);
	for (uint32_t i = 0; i < n && !err; i++)
		err = ptab_make_l1(b->tables, index[i] * VM_LARGE_PAGE, &table);
	return err;
}

static int copy_all(struct build *b)
{
	uint32_t index[PTAB_LOW + PTAB_HIGH];
	const uint32_t n = list_tables(index);
	struct copies c;
	int err = vm_parked() ? -ENOTSUP : vm_policy_copy();

	c.count = 0;
	child = b->tables;
	if (!err)
		err = make_tables(b, index, n);
	for (uint32_t i = 0; i < n && !err; i++)
		err = copy_table(b, &c, index[i] * VM_LARGE_PAGE);
	return err ? err : fill(b, &c);
}

int vm_copy_to(struct build *b)
{
	int err;

	vm_enter();
	err = copy_all(b);
	vm_leave();
	return err;
}

/* Nothing is in the copy's window, and nothing shown beside it; and it was made in the midst of
 * this. */
void vm_copied(void)
{
	vm_busy = 0;
	memset(&vm.window, 0, sizeof(vm.window));
	vm.tables = *child;
	vm.tables.ce = LAYOUT_CAP_SELF;
}
