/*
 * copy.c - fork's part of memory: the child's pages, from this program's page tables.
 *
 * Frames of this program are copied, or mapped in both when their region is shared; frames of
 * others are mapped in both.  The window and the shown tables stay out, and so does the upcall
 * page, which the child has its own.  The copy of struct vm then gets the child's tables.  Called
 * by fork.
 */
#include <errno.h>
#include <string.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/tables.h>
#include "vm.h"

enum { BATCH = 64 };

/* Pages of one kind that follow each other. */
struct batch {
	uint64_t va;
	uint32_t count;
	unsigned perm;
	uint32_t own; /* 1: to be copied; 0: to be mapped by right of cap */
	uint32_t cap;
	uint32_t frames[BATCH];
};

static int copy_pages(struct build *b, const struct batch *t)
{
	uint32_t frames[BATCH];
	char *window;
	int err = build_pages(b, t->va, t->count, t->perm, frames);

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

static int flush(struct build *b, struct batch *t)
{
	int err = 0;

	if (t->count && t->own)
		err = copy_pages(b, t);
	else if (t->count)
		err = build_map_list(b, t->va, t->frames, t->count, t->perm, t->cap);
	t->count = 0;
	return err;
}

/* What becomes of the page at va with entry e. */
static struct batch sort_page(uint64_t va, uint64_t e)
{
	const struct vm_region *r = vm_find(va);
	const uint32_t owner = tables_page(PTE_FRAME(e))->owner;
	const int mine = owner == (start_self() & 0xffff);

	return (struct batch){
		.va = va,
		.perm = ptab_perm(e),
		.own = mine && !(r && r->shared && r->kind != VM_FOREIGN),
		.cap = mine	     ? LAYOUT_CAP_SELF
		       : r && r->off ? (uint32_t)r->off
				     : LAYOUT_CAP_SEGMENT,
	};
}

static int add(struct build *b, struct batch *t, uint64_t va, uint64_t e)
{
	const struct batch page = sort_page(va, e);

	if (t->count && (t->count == BATCH || t->va + t->count * VM_PAGE != va ||
			 t->perm != page.perm || t->own != page.own || t->cap != page.cap)) {
		const int err = flush(b, t);

		if (err)
			return err;
	}
	if (!t->count)
		*t = page;
	t->frames[t->count++] = PTE_FRAME(e);
	return 0;
}

static int copy_table(struct build *b, struct batch *t, uint64_t base)
{
	const volatile uint64_t *table = vm_view(base);
	int err = table ? 0 : -ENOMEM;

	for (uint64_t i = 0; !err && i < 512; i++) {
		const uint64_t e = table[i], va = base + i * VM_PAGE;

		if ((e & PTE_PRESENT) && va != LAYOUT_UPCALL && va != LAYOUT_RING)
			err = add(b, t, va, e);
	}
	return err;
}

static int in_segment(uint64_t va)
{
	return va >= LAYOUT_SEGMENT && va - LAYOUT_SEGMENT < vm.segment_pages * VM_PAGE;
}

/* The copy of struct vm knows the child's tables, and that nothing is in its window. */
static int correct_copy(struct build *b)
{
	const struct vm_window none = {0};
	struct ptab tables = *b->tables;
	int err;

	tables.ce = LAYOUT_CAP_SELF;
	err = build_write(b, (uint64_t)(uintptr_t)&vm.tables, &tables, sizeof(tables));
	return err ? err : build_write(b, (uint64_t)(uintptr_t)&vm.window, &none, sizeof(none));
}

static int copy_all(struct build *b)
{
	struct batch t = {.count = 0};
	int err = vm_parked() ? -ENOTSUP : vm_policy_copy();

	for (uint64_t i = 0; !err && i < vm.tables.low; i++)
		if (vm.tables.l1[i] && i != LAYOUT_WINDOW / VM_LARGE_PAGE)
			err = copy_table(b, &t, i * VM_LARGE_PAGE);
	for (uint32_t i = 0; !err && i < vm.tables.high; i++)
		if (!in_segment(vm.tables.high_index[i] * VM_LARGE_PAGE))
			err = copy_table(b, &t, vm.tables.high_index[i] * VM_LARGE_PAGE);
	if (!err)
		err = flush(b, &t);
	if (!err && vm.segment_pages)
		err = ptab_map_segment(b->tables, vm.segment_frame, vm.segment_pages, 0);
	return err ? err : correct_copy(b);
}

int vm_copy_to(struct build *b)
{
	int err;

	vm_enter();
	err = copy_all(b);
	vm_leave();
	return err;
}
