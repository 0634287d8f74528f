/*
 * page.c - single pages of this program: filling, finding, showing their tables, the window.
 *
 * Owns the table page of the window: its first half shows frames for a moment, its second half the
 * program's own level-1 tables, read-only, so that entries can be read without asking.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/upcall.h>
#include "vm.h"

#define VIEW_VA	   (LAYOUT_WINDOW + VM_WINDOW * VM_PAGE)
#define TABLE_SPAN VM_LARGE_PAGE

RESIDENT struct vm vm;
RESIDENT uint64_t vm_busy;

int vm_fill(uint64_t va, unsigned perm)
{
	uint32_t table = ptab_l1(&vm.tables, va), frame;
	int err = table ? 0 : ptab_make_l1(&vm.tables, va, &table);

	if (err)
		return err;
	err = frame_take(0, EXO_PAGE_DATA, &frame);
	if (err)
		return err;
	err = call_result(call_page_map(0, table, (va / VM_PAGE) & 511, frame, 1, perm));
	if (err)
		(void)frames_free(0, frame, 1);
	return err;
}

/* Who maps the segment tells us its frames: in large pages there is no entry to read for each. */
int vm_map(uint64_t va, uint32_t frame, uint32_t count, unsigned perm, uint32_t cap)
{
	const int err = ptab_map(&vm.tables, va, frame, count, perm, cap);

	if (!err && va == LAYOUT_SEGMENT) {
		vm.segment_frame = frame;
		vm.segment_pages = count;
	}
	return err;
}

int vm_unmap(uint64_t va, uint32_t count)
{
	return ptab_unmap(&vm.tables, va, count);
}

const volatile uint64_t *vm_view(uint64_t va)
{
	const uint64_t index = va / TABLE_SPAN;
	const uint32_t slot = index % VM_VIEWS;
	const uint64_t at = VIEW_VA + slot * VM_PAGE;
	const uint32_t table = ptab_l1(&vm.tables, va);

	if (!table)
		return 0;
	if (vm.window.view[slot] != index) {
		if (vm.window.view[slot] && vm_unmap(at, 1))
			return 0;
		vm.window.view[slot] = 0;
		if (vm_map(at, table, 1, VM_READ, LAYOUT_CAP_SELF))
			return 0;
		vm.window.view[slot] = (uint16_t)index;
	}
	return (const volatile uint64_t *)at;
}

uint64_t vm_pte(uint64_t va)
{
	const volatile uint64_t *table = vm_view(va);
	const uint64_t e = table ? table[(va / VM_PAGE) & 511] : 0;

	return e & PTE_PRESENT ? e : 0;
}

uint32_t vm_frame(uint64_t va, unsigned *perm)
{
	const uint64_t page = (va - LAYOUT_SEGMENT) / VM_PAGE;
	uint64_t e;

	if (va >= LAYOUT_SEGMENT && page < vm.segment_pages) {
		if (perm)
			*perm = VM_READ | VM_WRITE;
		return vm.segment_frame + (uint32_t)page;
	}
	e = vm_pte(va);
	if (e && perm)
		*perm = ptab_perm(e);
	return PTE_FRAME(e);
}

uint32_t vm_segment_unit(uint32_t *first)
{
	const uint32_t unit = ptab_segment_unit(vm.segment_frame);

	*first = unit > PTAB_SEGMENT_NOW ? unit : PTAB_SEGMENT_NOW;
	return unit;
}

/* Frames of the segment are known by counting. */
static uint32_t segment_frames(void *const *pages, uint32_t count, volatile uint32_t *frames)
{
	uint32_t n = 0;

	while (n < count) {
		const uint64_t page = ((uint64_t)(uintptr_t)pages[n] - LAYOUT_SEGMENT) / VM_PAGE;

		if (page >= vm.segment_pages)
			break;
		frames[n++] = vm.segment_frame + (uint32_t)page;
	}
	return n;
}

/* A page of our own that is not there, or not as it should be: the frame that it gets. */
static int missing_frame(uint64_t va, unsigned perm, volatile uint32_t *frame)
{
	unsigned has = 0;
	const int err = vm_populate(va, VM_PAGE, perm);

	if (err)
		return err;
	*frame = vm_frame(va, &has);
	return *frame && (has & perm) == perm ? 0 : -EFAULT;
}

/*
 * Frames of pages whose entries are in `table`, which begins with the address `base`, as long as
 * these have all the bits of `need`; how many.
 */
static uint32_t shown_frames(void *const *pages, uint32_t count, const volatile uint64_t *table,
			     uint64_t base, uint64_t need, volatile uint32_t *frames)
{
	uint32_t n = 0;

	for (; n < count; n++) {
		const uint64_t at = (uint64_t)(uintptr_t)pages[n] - base;
		const uint64_t e = at < TABLE_SPAN ? table[at / VM_PAGE] : 0;

		if ((e & need) != need)
			break;
		frames[n] = PTE_FRAME(e);
	}
	return n;
}

int vm_frames(void *const *pages, uint32_t count, unsigned perm, volatile uint32_t *frames,
	      uint32_t *cap)
{
	const uint64_t need = PTE_PRESENT | (perm & VM_WRITE ? PTE_WRITE : 0u);
	const uint64_t segment = vm.segment_pages * VM_PAGE;
	uint32_t n = segment_frames(pages, count, frames);

	*cap = n ? LAYOUT_CAP_SEGMENT : LAYOUT_CAP_SELF;
	if (n)
		return (int)n;
	while (n < count) {
		const uint64_t va = (uint64_t)(uintptr_t)pages[n];
		const uint64_t base = va & ~(TABLE_SPAN - 1);
		const volatile uint64_t *table;
		uint32_t got = 0;

		if (va - LAYOUT_SEGMENT < segment)
			break;
		table = vm_view(va);
		if (table)
			got = shown_frames(pages + n, count - n, table, base, need, frames + n);
		if (!got) {
			const int err = missing_frame(va, perm, &frames[n]);

			if (err)
				return err;
			got = 1;
		}
		n += got;
	}
	return (int)n;
}

int vm_dirty(uint64_t va)
{
	return (vm_pte(va) & PTE_DIRTY) != 0;
}

void *vm_window(const uint32_t *frames, uint32_t count, unsigned perm, uint32_t cap, int *error)
{
	int err = vm.window.pages || count > VM_WINDOW ? -EBUSY : 0;
	uint32_t done = 0;

	while (!err && done < count) {
		const uint32_t n = ptab_run(frames + done, count - done);

		err = vm_map(LAYOUT_WINDOW + done * VM_PAGE, frames[done], n, perm, cap);
		if (!err)
			done += n;
	}
	if (err && done)
		(void)vm_unmap(LAYOUT_WINDOW, done);
	if (error)
		*error = err;
	if (err)
		return 0;
	vm.window.pages = count;
	return (void *)LAYOUT_WINDOW;
}

void vm_window_end(void)
{
	(void)vm_unmap(LAYOUT_WINDOW, vm.window.pages);
	vm.window.pages = 0;
}
