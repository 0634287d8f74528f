/*
 * park.c - pages that exist but may not be accessed at all.
 *
 * The hardware has no "present but forbidden", so such pages are unmapped, and their frames are
 * remembered here until access is allowed again.  Owns that list; it lies in memory of its own that
 * comes with the first page parked.
 */
#include <errno.h>
#include <libos/frames.h>
#include <libos/upcall.h>
#include "vm.h"

enum { MOST = 8192 };

struct parked {
	uint32_t page; /* address / 4096 */
	uint32_t frame;
};

static RESIDENT struct parked *parked;
static RESIDENT uint32_t count;

static int ready(void)
{
	uint64_t va;
	int err;

	if (parked)
		return 0;
	err = vm_reserve(0, MOST * sizeof(*parked), VM_READ | VM_WRITE, VM_ANON, &va);
	if (!err) {
		vm_find(va)->pinned = 1;
		parked = (struct parked *)va;
	}
	return err;
}

int vm_park(uint64_t va, uint64_t end)
{
	for (; va < end; va += VM_PAGE) {
		const uint64_t e = vm_pte(va);
		int err;

		if (!e)
			continue;
		err = ready();
		if (!err && count == MOST)
			err = -ENOMEM;
		if (!err)
			err = vm_unmap(va, 1);
		if (err)
			return err;
		vm_policy_unmapped(va, e);
		parked[count++] = (struct parked){(uint32_t)(va / VM_PAGE), PTE_FRAME(e)};
	}
	return 0;
}

uint32_t vm_parked(void)
{
	return count;
}

/* Takes the i-th out of the list. */
static struct parked take(uint32_t i)
{
	const struct parked p = parked[i];

	parked[i] = parked[--count];
	return p;
}

static int inside(const struct parked *p, uint64_t va, uint64_t end)
{
	return p->page >= va / VM_PAGE && p->page < end / VM_PAGE;
}

int vm_unpark(uint64_t va, uint64_t end, unsigned perm)
{
	for (uint32_t i = 0; i < count;) {
		int err;

		if (!inside(&parked[i], va, end)) {
			i++;
			continue;
		}
		err = vm_map((uint64_t)parked[i].page * VM_PAGE, parked[i].frame, 1, perm, 0);
		if (err)
			return err;
		(void)take(i);
	}
	return 0;
}

void vm_park_free(uint64_t va, uint64_t end)
{
	for (uint32_t i = 0; i < count;) {
		if (inside(&parked[i], va, end))
			(void)frames_free(0, take(i).frame, 1);
		else
			i++;
	}
}
