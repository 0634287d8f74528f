/*
 * kernel.c - what calls, faults and memory cost.
 *
 * Owns the pages that it plays with, for the length of a measurement.  Fault handlers here run as
 * upcalls: they touch general registers and resident data only (libos/upcall.h).
 */
#include <errno.h>
#include <time.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/start.h>
#include <libos/upcall.h>
#include <libos/vm.h>
#include "bench.h"

enum {
	TIMES = 101,
	PAGE_FAULT = 14,
	LOAD_BYTES = 3,	      /* length of "movq (%rdi), %rax" */
	NOWHERE = 0x37fff000, /* an address of no region: the end of the heap's area */
	LEAF_SPAN = 0x200000, /* what a level-1 table translates */
};

static RESIDENT uint64_t page; /* the page that faults, frames and maps are about */
static RESIDENT uint64_t leaf, frame;

const char *boot(double *value)
{
	*value = (double)tables_info()->boot_tsc;
	return NULL;
}

/* ---- calls ------------------------------------------------------------------------------- */

static int do_null(void)
{
	return call_result(call_null());
}

const char *null_call(double *value)
{
	return measure(do_null, NULL, TIMES, value);
}

static int do_clock(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) == 0 ? 0 : -errno;
}

const char *clock_read(double *value)
{
	return measure(do_clock, NULL, TIMES, value);
}

/* ---- faults ------------------------------------------------------------------------------ */

static int skip_load(struct exo_upcall_frame *f)
{
	f->rip += LOAD_BYTES;
	return 1;
}

static int do_fault(void)
{
	register uint64_t at __asm__("rdi") = NOWHERE;

	__asm__ volatile("movq (%%rdi), %%rax" : : "r"(at) : "rax", "memory");
	return 0;
}

const char *fault_upcall(double *value)
{
	/* Every page that measuring touches is there before the handler skips whatever faults. */
	const char *reason = measure(do_null, NULL, TIMES, value);

	if (reason)
		return reason;
	upcall_on_page_fault(skip_load);
	reason = measure(do_fault, NULL, TIMES, value);
	upcall_on_page_fault(NULL);
	return reason;
}

static int unprotect(struct exo_upcall_frame *f)
{
	return (f->addr & ~(uint64_t)(PAGE - 1)) == page &&
	       vm_protect(page, PAGE, VM_READ | VM_WRITE) == 0;
}

static int do_protect(void)
{
	const int error = vm_protect(page, PAGE, VM_READ);

	*(volatile uint8_t *)page = 1;
	return error;
}

const char *prot_trap_unprot(double *value)
{
	const char *reason;
	int error = vm_reserve(0, PAGE, VM_READ | VM_WRITE, VM_ANON, &page);

	if (!error)
		error = vm_populate(page, PAGE, VM_READ | VM_WRITE);
	if (error)
		return because("a page", error);
	upcall_on_page_fault(unprotect);
	reason = measure(do_protect, NULL, TIMES, value);
	upcall_on_page_fault(NULL);
	(void)vm_release(page, PAGE);
	return reason;
}

/* ---- pages ------------------------------------------------------------------------------- */

/* Each touch is that of a new page. */
static int do_touch(void)
{
	*(volatile uint8_t *)page = 1;
	page += PAGE;
	return 0;
}

const char *page_touch(double *value)
{
	const char *reason;
	uint64_t area;
	const int error = vm_reserve(0, TIMES * PAGE, VM_READ | VM_WRITE, VM_ANON, &area);

	if (error)
		return because("an area", error);
	page = area;
	reason = measure(do_touch, NULL, TIMES, value);
	(void)vm_release(area, TIMES * PAGE);
	return reason;
}

/* The level-1 table of this program that translates `va`; 0: there is none. */
static uint32_t find_leaf(uint64_t va)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);

	for (uint32_t f = 1; f < tables_info()->frames; f++) {
		const volatile struct exo_page *p = tables_page(f);

		if (p->state == EXO_PAGE_TABLE && p->owner == self && p->level == 1 &&
		    p->va == (va & ~(uint64_t)(LEAF_SPAN - 1)))
			return f;
	}
	return 0;
}

static int do_map(void)
{
	const uint64_t index = page / PAGE % 512;
	const struct exo_result r =
		call_page_map(LAYOUT_CAP_SELF, leaf, index, frame, 1, EXO_MAP_READ | EXO_MAP_WRITE);

	return call_result(r.status == EXO_OK ? call_page_unmap(LAYOUT_CAP_SELF, leaf, index, 1)
					      : r);
}

/* The page behind one that is there, in the same table, has an empty entry. */
static const char *map_at(uint64_t area, double *value)
{
	const char *reason;
	uint32_t taken;
	int error = vm_populate(area, PAGE, VM_READ | VM_WRITE);

	page = area + PAGE;
	leaf = error ? 0 : find_leaf(page);
	if (!leaf)
		return because("a page table", error ? error : -ENOENT);
	error = frame_take(LAYOUT_CAP_SELF, EXO_PAGE_DATA, &taken);
	if (error)
		return because("a frame", error);
	frame = taken;
	reason = measure(do_map, NULL, TIMES, value);
	(void)frames_free(LAYOUT_CAP_SELF, taken, 1);
	return reason;
}

const char *map_unmap(double *value)
{
	const char *reason;
	uint64_t area;
	int error;

	/* Three pages: two of them are in one table, wherever the area begins. */
	error = vm_reserve(0, 3 * PAGE, VM_READ | VM_WRITE, VM_ANON, &area);
	if (error)
		return because("an area", error);
	reason = map_at((area + PAGE) % LEAF_SPAN ? area : area + PAGE, value);
	(void)vm_release(area, 3 * PAGE);
	return reason;
}
