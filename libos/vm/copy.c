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
struct batch {
	uint64_t va;
	uint32_t count;
	uint32_t mine; /* frames of this program */
	uint64_t bits; /* of the entries: what they allow */
	const struct vm_region *region;
	uint32_t frames[BATCH];
};

static const struct ptab *child; /* tables of the copy that was made last */

static int copy_pages(struct build *b, const struct batch *t)
{
	uint32_t frames[BATCH];
	char *window;
	int err = build_pages(b, t->va, t->count, ptab_perm(t->bits), frames);

	if (err)
		return err;
	window = vm_window(frames, t->count, VM_READ | VM_WRITE, b->cap, &err);
	if (!window)
		return err;
	/* NOLINTNEXTLINE(clang-analyzer-unix.cstring.NullArg): only what is mapped gets here */
	memcpy(window, (const void *)t->va, t->count * VM_PAGE);
	vm_window_end();
	return 0;
}

static int flush(struct build *b, const struct batch *t)
{
	const struct vm_region *r = t->region;
	uint32_t cap = LAYOUT_CAP_SEGMENT;

	if (!t->count)
		return 0;
	if (t->mine && !(r && r->shared && r->kind != VM_FOREIGN))
		return copy_pages(b, t);
	if (t->mine)
		cap = LAYOUT_CAP_SELF;
	else if (r && r->off)
		cap = (uint32_t)r->off;
	return build_map_list(b, t->va, t->frames, t->count, ptab_perm(t->bits), cap);
}

/* The page at va with entry e goes with those before it, or begins anew when they are done. */
static int add(struct build *b, struct batch *t, uint64_t va, uint64_t e, uint64_t self)
{
	const uint64_t bits = e & (PTE_WRITE | PTE_NX);
	const uint32_t mine = tables_page(PTE_FRAME(e))->owner == self;
	const struct vm_region *r = t->region && va < t->region->end ? t->region : vm_find(va);

	if (t->count == BATCH || t->va + t->count * VM_PAGE != va || t->bits != bits ||
	    t->mine != mine || t->region != r) {
		const int err = flush(b, t);

		if (err)
			return err;
		t->va = va;
		t->count = 0;
		t->mine = mine;
		t->bits = bits;
		t->region = r;
	}
	t->frames[t->count++] = PTE_FRAME(e);
	return 0;
}

static int copy_table(struct build *b, struct batch *t, uint64_t base)
{
	const volatile uint64_t *table = vm_view(base);
	const uint64_t self = start_self() & 0xffff;
	int err = table ? 0 : -ENOMEM;

	for (uint32_t i = 0; !err && (i = ptab_next(table, i)) < PTAB_ENTRIES; i++) {
		const uint64_t va = base + i * VM_PAGE;

		if (va != LAYOUT_UPCALL && va != LAYOUT_RING)
			err = add(b, t, va, table[i], self);
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

	for (uint32_t i = 0; i < vm.tables.low; i++)
		if (vm.tables.l1[i] && is_private(i) && tables_page(vm.tables.l1[i])->present)
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
	struct batch t = {.count = 0};
	int err = vm_parked() ? -ENOTSUP : vm_policy_copy();

	child = b->tables;
	if (!err)
		err = make_tables(b, index, n);
	for (uint32_t i = 0; i < n && !err; i++)
		err = copy_table(b, &t, index[i] * VM_LARGE_PAGE);
	return err ? err : flush(b, &t);
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
