/*
 * region.c - the regions of this program: found, made, split, dropped; the heap; faults in them.
 *
 * Owns the sorted array of regions.  It begins in resident memory and moves to pages of its own
 * when it gets long; those are filled at once, since faults are handled with it.
 */
#include <errno.h>
#include <string.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include "vm.h"

enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_FETCH = 16, SPARE = 4 };

static uint64_t page_up(uint64_t n)
{
	return (n + VM_PAGE - 1) & ~(VM_PAGE - 1);
}

/* Index of the first region that ends above va. */
static uint32_t first_above(uint64_t va)
{
	uint32_t low = 0, high = vm.count;

	while (low < high) {
		const uint32_t mid = (low + high) / 2;

		if (vm.regions[mid].end > va)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct vm_region *vm_next(uint64_t va)
{
	const uint32_t i = first_above(va);

	return i < vm.count ? &vm.regions[i] : 0;
}

/* Whether there is a region i, and `va` is in it. */
static inline int holds(uint32_t i, uint64_t va)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): with a count there are regions */
	return i < vm.count && vm.regions[i].start <= va && va < vm.regions[i].end;
}

struct vm_region *vm_find(uint64_t va)
{
	uint32_t i;

	if (holds(vm.last, va))
		return &vm.regions[vm.last];
	if (holds(vm.before, va))
		return &vm.regions[vm.before];
	i = first_above(va);
	if (!holds(i, va))
		return 0;
	vm.before = vm.last;
	vm.last = i;
	return &vm.regions[i];
}

static void insert(uint32_t at, const struct vm_region *r)
{
	memmove(&vm.regions[at + 1], &vm.regions[at], (vm.count - at) * sizeof(*r));
	vm.regions[at] = *r;
	vm.count++;
}

static void erase(uint32_t at)
{
	vm.count--;
	memmove(&vm.regions[at], &vm.regions[at + 1], (vm.count - at) * sizeof(vm.regions[0]));
}

/* The highest place for len bytes below the end of the heap's area; 0: none. */
static uint64_t find_gap(uint64_t len)
{
	uint64_t top = LAYOUT_HEAP_END;
	uint32_t i = first_above(LAYOUT_HEAP_END);

	while (i-- > 0) {
		const struct vm_region *r = &vm.regions[i];

		if (r->end <= top && top - r->end >= len)
			return top - len;
		if (r->start < top)
			top = r->start;
		if (top <= LAYOUT_IMAGE)
			break;
	}
	return 0;
}

/* Makes the array twice as long when it is nearly full. */
static int grow(void)
{
	const uint64_t bytes = page_up(2 * vm.room * sizeof(struct vm_region));
	struct vm_region r = {.kind = VM_ANON, .perm = VM_READ | VM_WRITE, .pinned = 1};

	if (vm.count + SPARE < vm.room)
		return 0;
	r.start = find_gap(bytes);
	r.end = r.start + bytes;
	if (!r.start || vm.count + 2 > vm.room)
		return -ENOMEM;
	for (uint64_t va = r.start; va < r.end; va += VM_PAGE) {
		const int err = vm_fill(va, r.perm);

		if (err) {
			(void)vm_drop(r.start, va, VM_ANON);
			return err;
		}
	}
	/* What the array was in stays a region: as memory nobody uses it is small and rare. */
	memcpy((void *)r.start, vm.regions, vm.count * sizeof(r));
	vm.regions = (struct vm_region *)r.start;
	vm.room = (uint32_t)(bytes / sizeof(r));
	insert(first_above(r.start), &r);
	return 0;
}

static int region_new(struct vm_region *r, uint64_t va, uint64_t len, uint64_t *out)
{
	uint32_t at;
	int err;

	if ((r->perm & VM_WRITE) && (r->perm & VM_EXEC))
		return -EACCES;
	if (!len || va % VM_PAGE || len > LAYOUT_SEGMENT_END)
		return -EINVAL;
	err = grow();
	if (err)
		return err;
	len = page_up(len);
	r->start = va ? va : find_gap(len);
	r->end = r->start + len;
	if (!r->start)
		return -ENOMEM;
	at = first_above(r->start);
	if (at < vm.count && vm.regions[at].start < r->end)
		return -EEXIST;
	insert(at, r);
	*out = r->start;
	return 0;
}

int vm_reserve(uint64_t va, uint64_t len, unsigned perm, enum vm_kind kind, uint64_t *out)
{
	struct vm_region r = {.perm = (uint8_t)perm, .kind = (uint8_t)kind};
	int err;

	if (kind == VM_FOREIGN)
		r.off = LAYOUT_CAP_SEGMENT;
	vm_enter();
	err = region_new(&r, va, len, out);
	if (!err && kind == VM_ANON && perm != VM_NONE) {
		err = vm_policy_promise(r.start, r.end, perm);
		if (err)
			(void)vm_release(r.start, len);
	}
	vm_leave();
	return err;
}

int vm_reserve_pager(uint64_t va, uint64_t len, unsigned perm, vm_pager *pager, void *arg,
		     uint64_t off, uint64_t *out)
{
	struct vm_region r = {
		.perm = (uint8_t)perm, .kind = VM_PAGER, .pager = pager, .arg = arg, .off = off};
	int err;

	vm_enter();
	err = region_new(&r, va, len, out);
	vm_leave();
	return err;
}

/* Makes va a boundary between regions, when it is inside one. */
static int split(uint64_t va)
{
	struct vm_region *r = vm_find(va);
	struct vm_region upper;
	int err;

	if (!r || r->start == va)
		return 0;
	/* That may move it within the array, too. */
	err = grow();
	r = err ? 0 : vm_find(va);
	if (!r)
		return err;
	upper = *r;
	upper.start = va;
	if (r->kind == VM_PAGER)
		upper.off += va - r->start;
	r->end = va;
	insert(first_above(va), &upper);
	return 0;
}

int vm_drop(uint64_t va, uint64_t end, enum vm_kind kind)
{
	if (kind == VM_FOREIGN)
		return vm_unmap(va, (uint32_t)((end - va) / VM_PAGE));
	vm_park_free(va, end);
	if (kind == VM_ANON)
		vm_policy_forget(va, end);
	while (va < end) {
		const uint64_t stop =
			(va | (VM_LARGE_PAGE - 1)) + 1 < end ? (va | (VM_LARGE_PAGE - 1)) + 1 : end;
		const volatile uint64_t *table = vm_view(va);
		uint32_t frames[512], n = 0;
		int err;

		for (uint64_t p = va; table && p < stop; p += VM_PAGE)
			if (table[(p / VM_PAGE) & 511] & PTE_PRESENT)
				frames[n++] = PTE_FRAME(table[(p / VM_PAGE) & 511]);
		err = n ? vm_unmap(va, (uint32_t)((stop - va) / VM_PAGE)) : 0;
		if (err)
			return err;
		for (uint32_t i = 0; i < n; i++)
			(void)frames_free(0, frames[i], 1);
		va = stop;
	}
	return 0;
}

int vm_release(uint64_t va, uint64_t len)
{
	const uint64_t end = va + page_up(len);
	uint32_t i;
	int err;

	if (va % VM_PAGE || end <= va)
		return -EINVAL;
	vm_enter();
	err = split(va);
	if (!err)
		err = split(end);
	for (i = first_above(va); !err && i < vm.count && vm.regions[i].start < end;) {
		err = vm_drop(vm.regions[i].start, vm.regions[i].end, vm.regions[i].kind);
		if (!err)
			erase(i);
	}
	vm_leave();
	return err;
}

static int covered(uint64_t va, uint64_t end)
{
	while (va < end) {
		const struct vm_region *r = vm_find(va);

		if (!r)
			return 0;
		va = r->end;
	}
	return 1;
}

/* Present entries of [va, end) get new permissions. */
static int protect_pages(uint64_t va, uint64_t end, unsigned perm, uint32_t cap)
{
	while (va < end) {
		const uint64_t next = (va | (VM_LARGE_PAGE - 1)) + 1;
		const uint64_t stop = next < end ? next : end;
		const uint32_t l1 = ptab_l1(&vm.tables, va);

		if (l1) {
			const int err = call_result(call_page_protect(0, l1, (va / VM_PAGE) & 511,
								      (stop - va) / VM_PAGE,
								      perm | (uint64_t)cap << 8));

			if (err)
				return err;
		}
		va = stop;
	}
	return 0;
}

/* [va, end) loses all permissions, or gets some again. */
__attribute__((noinline)) static int park_pages(uint64_t va, uint64_t end, unsigned perm)
{
	int err;

	vm_enter();
	err = perm == VM_NONE ? vm_park(va, end) : vm_unpark(va, end, perm);
	vm_leave();
	return err;
}

/* Parking may make a region and so move this one in the array: it is found again by its address. */
static int protect_region(struct vm_region *r, unsigned perm)
{
	const uint32_t cap = r->kind == VM_FOREIGN ? (uint32_t)r->off : LAYOUT_CAP_SELF;
	const uint64_t start = r->start;
	int err;

	if (perm == r->perm)
		return 0;
	if (perm == VM_NONE || r->perm == VM_NONE) {
		err = park_pages(start, r->end, perm);
		r = vm_find(start);
	} else {
		err = protect_pages(start, r->end, perm, cap);
	}
	if (!err)
		r->perm = (uint8_t)perm;
	return err;
}

int vm_protect(uint64_t va, uint64_t len, unsigned perm)
{
	const uint64_t end = va + page_up(len);
	struct vm_region *r;
	int err;

	if ((perm & VM_WRITE) && (perm & VM_EXEC))
		return -EACCES;
	if (va % VM_PAGE || end < va)
		return -EINVAL;
	r = vm_find(va);
	if (r && r->start == va && r->end == end)
		return protect_region(r, perm);
	if (!covered(va, end))
		return -ENOMEM;
	vm_enter();
	err = split(va);
	if (!err)
		err = split(end);
	while (!err && va < end) {
		r = vm_find(va);
		va = r->end;
		err = protect_region(r, perm);
	}
	vm_leave();
	return err;
}

static int mark_pinned(uint64_t start, uint64_t end, int pinned)
{
	int err;

	if (end <= start)
		return -EINVAL;
	if (!covered(start, end))
		return -ENOMEM;
	vm_enter();
	err = split(start);
	if (!err)
		err = split(end);
	for (uint64_t va = start; !err && va < end; va = vm_find(va)->end)
		vm_find(va)->pinned = (uint8_t)pinned;
	vm_leave();
	return err;
}

int vm_keep(uint64_t va, uint64_t len)
{
	return mark_pinned(va & ~(VM_PAGE - 1), page_up(va + len), 1);
}

int vm_pin(uint64_t va, uint64_t len, int pinned)
{
	const uint64_t start = va & ~(VM_PAGE - 1), end = page_up(va + len);
	const int err = len ? mark_pinned(start, end, pinned) : 0;

	return err || !len || !pinned ? err : vm_populate(start, end - start, VM_READ);
}

int vm_populate(uint64_t va, uint64_t len, unsigned perm)
{
	const uint64_t end = page_up(va + len);

	for (va &= ~(VM_PAGE - 1); va < end; va += VM_PAGE) {
		const struct vm_region *r = vm_find(va);

		if (!r || (r->perm & perm) != perm)
			return -EFAULT;
		if (r->kind == VM_ANON && !vm_pte(va)) {
			const int err = vm_policy_need(va, r->perm);

			if (err)
				return err;
		}
	}
	return 0;
}

static uint64_t move_break(int64_t delta)
{
	const uint64_t old = vm.brk, now = old + (uint64_t)delta;
	const uint64_t was = page_up(old), is = page_up(now);
	struct vm_region r = {.start = was, .end = is, .kind = VM_ANON, .perm = VM_READ | VM_WRITE};
	const struct vm_region *next = vm_next(was > vm.heap ? was : vm.heap);
	struct vm_region *last;

	if (delta < 0 ? now > old || now < vm.heap : now < old)
		return (uint64_t)-1;
	if (is > was && is > (next ? next->start : LAYOUT_HEAP_END))
		return (uint64_t)-1;
	/* The last page of the heap may have been given back by munmap. */
	last = is > was && was > vm.heap ? vm_find(was - 1) : 0;
	if (last) {
		last->end = is;
	} else if (is > was) {
		if (grow())
			return (uint64_t)-1;
		insert(first_above(was), &r);
	} else if (is < was && vm_release(is, was - is)) {
		return (uint64_t)-1;
	}
	if (is > was && vm_policy_promise(was, is, r.perm)) {
		(void)vm_release(was, is - was);
		return (uint64_t)-1;
	}
	vm.brk = now;
	return old;
}

uint64_t vm_sbrk(int64_t delta)
{
	uint64_t old;

	vm_enter();
	old = move_break(delta);
	vm_leave();
	return old;
}

/* The shared segment is mapped as it is touched: a process seldom needs much of it. */
static int segment_fault(uint64_t error, uint32_t page)
{
	if (error & (FAULT_PRESENT | FAULT_FETCH))
		return 0;
	return ptab_map_segment(&vm.tables, vm.segment_frame, vm.segment_pages, page) == 0;
}

int vm_fault(struct exo_upcall_frame *frame)
{
	const uint64_t va = frame->addr, page = va & ~(VM_PAGE - 1);
	const unsigned want = frame->error & FAULT_WRITE   ? VM_WRITE
			      : frame->error & FAULT_FETCH ? VM_EXEC
							   : VM_READ;
	const uint64_t segment_page = (va - LAYOUT_SEGMENT) / VM_PAGE;
	unsigned perm = VM_READ | VM_WRITE;
	int err;

	if (va >= LAYOUT_SEGMENT && segment_page < vm.segment_pages)
		return segment_fault(frame->error, (uint32_t)segment_page);
	/* The stack is known without looking: it may grow while the array of regions changes. */
	if (va < LAYOUT_STACK_LOW || va >= LAYOUT_STACK_TOP) {
		struct vm_region *r = vm_find(va);

		if (r && r->kind == VM_PAGER)
			return r->pager(r, page, frame->error, frame);
		if (!r || r->kind != VM_ANON || !(r->perm & want))
			return 0;
		perm = r->perm;
	}
	if (frame->error & FAULT_PRESENT)
		return 0;
	err = vm_policy_touch(page, perm);
	if (err == -EDQUOT || err == -ENOMEM)
		console_print(err == -ENOMEM ? "out of memory: no free page frame\n"
					     : "out of memory: page quota reached\n");
	return err == 0;
}

static void first_region(uint64_t start, uint64_t end, unsigned perm, enum vm_kind kind,
			 uint64_t off)
{
	const struct vm_region r = {.start = start,
				    .off = off,
				    .end = end,
				    .perm = (uint8_t)perm,
				    .kind = (uint8_t)kind,
				    .shared = kind == VM_FOREIGN};

	if (start < end)
		insert(first_above(start), &r);
}

void vm_start(const struct start_args *a)
{
	const uint64_t bss_end = page_up(a->bss_end);

	vm.regions = vm.first;
	vm.room = VM_FIRST_REGIONS;
	ptab_learn(&vm.tables, a->table, a->tables);
	first_region(LAYOUT_UPCALL, LAYOUT_ARGS_END, VM_READ | VM_WRITE, VM_FOREIGN, 0);
	first_region(LAYOUT_STACK_LOW & ~(VM_PAGE - 1), LAYOUT_STACK_TOP, VM_READ | VM_WRITE,
		     VM_ANON, 0);
	first_region(a->image, a->image_end, VM_READ | VM_WRITE | VM_EXEC, VM_FOREIGN, 0);
	first_region(a->image_end, bss_end, VM_READ | VM_WRITE, VM_ANON, 0);
	first_region(LAYOUT_WINDOW, LAYOUT_WINDOW + VM_WINDOW * VM_PAGE, VM_READ | VM_WRITE,
		     VM_FOREIGN, 0);
	vm.heap = vm.brk = bss_end;
	if (a->segment_pages) {
		first_region(LAYOUT_SEGMENT, LAYOUT_SEGMENT + a->segment_pages * VM_PAGE,
			     VM_READ | VM_WRITE, VM_FOREIGN, LAYOUT_CAP_SEGMENT);
	}
	vm.segment_frame = a->segment_frame;
	vm.segment_pages = a->segment_pages;
	if (vm_policy_promise(a->image_end, bss_end, VM_READ | VM_WRITE))
		start_die("no memory for its data", START_EXIT_ABI);
}
