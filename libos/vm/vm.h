/*
 * vm.h - what the files of libos/vm share: this program's page tables and regions.
 *
 * Owns struct vm, the one state of virtual memory in this program.  It is resident: faults are
 * handled with it.  Lock: none, see libos/vm.h.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <libos/vm.h>
#include "ptab.h"

enum {
	VM_FIRST_REGIONS = 24,
	VM_VIEWS = 256, /* page tables shown beside the window */
};

/* What is mapped in the window now. */
struct vm_window {
	uint32_t pages;
	uint16_t view[VM_VIEWS]; /* index of the level-1 table shown there; 0: none */
};

struct vm {
	struct vm_region *regions; /* sorted */
	uint32_t count, room;
	uint32_t last, before; /* the regions that were found last */
	uint64_t heap, brk;    /* start of the heap; its end, to the byte */
	uint32_t segment_frame, segment_pages;
	struct vm_window window;
	struct ptab tables;
	struct vm_region first[VM_FIRST_REGIONS];
};

extern struct vm vm;

/*
 * Not 0 while regions, or the disk's queues, change: what comes meanwhile by a fault (only a page
 * that was never touched can) or an event must not look at them.  Among threads it is each one's
 * own where pages swap.
 */
extern uint64_t vm_busy;

/* The level-1 table for va, readable; NULL when there is none, or no room to show it. */
const volatile uint64_t *vm_view(uint64_t va);

/* The entry for va, 0 when nothing is mapped there. */
uint64_t vm_pte(uint64_t va);

/* The pages of a parked range: see vm/park.c. */
int vm_park(uint64_t va, uint64_t end);
int vm_unpark(uint64_t va, uint64_t end, unsigned perm);
void vm_park_free(uint64_t va, uint64_t end);
uint32_t vm_parked(void); /* how many pages are parked */

/* Unmaps what is there in [va, end), and gives the frames back when they are the region's own. */
int vm_drop(uint64_t va, uint64_t end, enum vm_kind kind);

/* ---- the policy: vm/demand.c, vm/eager.c, vm/swap.c --------------------------------------- */

/* Anonymous memory [va, end) was promised. */
int vm_policy_promise(uint64_t va, uint64_t end, unsigned perm);

/* It is touched, and nothing is there: 0 when it is now, or will be when the program goes on. */
int vm_policy_touch(uint64_t va, unsigned perm);

/*
 * The rest has a default (vm/policy.c), for policies by which a page that is there stays.
 */

/* Nothing is at va, of anonymous memory: 0 when it is on return. */
int vm_policy_need(uint64_t va, unsigned perm);

/* Anonymous memory [va, end) is given up. */
void vm_policy_forget(uint64_t va, uint64_t end);

/* va was unmapped, its frame is kept; its entry was this. */
void vm_policy_unmapped(uint64_t va, uint64_t entry);

/* All memory is to be copied to a child: 0, or -ENOTSUP. */
int vm_policy_copy(void);

/* Called with vm_busy 0 after it was not. */
void vm_policy_idle(void);

static inline void vm_enter(void)
{
	vm_busy++;
}

static inline void vm_leave(void)
{
	if (--vm_busy == 0)
		vm_policy_idle();
}

#endif
