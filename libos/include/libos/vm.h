/*
 * vm.h - the seam of virtual memory: what the program's addresses mean.
 *
 * Owns: the list of regions, the frames and page tables of this program.  Invariant: regions do not
 * overlap and are sorted; an address outside every region is mapped to nothing that vm made.  A
 * variant (vm/demand.c, vm/eager.c, vm/swap.c) says when frames are taken, and given back.  Lock:
 * upcalls cannot change regions, only fill pages; one thread at a time.  All errors are negative
 * errnos. Called by the heap, the POSIX layer (mmap, fork, exec), the builder and the disk.
 */
#ifndef LIBOS_VM_H
#define LIBOS_VM_H

#include <stddef.h>
#include <stdint.h>

#define VM_PAGE	      4096ul
#define VM_LARGE_PAGE 0x200000ul

/* The same numbers as EXO_MAP_*.  WRITE and EXEC together are refused. */
enum vm_perm { VM_NONE = 0, VM_READ = 1, VM_WRITE = 2, VM_EXEC = 4 };

enum vm_kind {
	VM_FREE = 0,
	VM_ANON = 1,   /* own frames, zero at first */
	VM_PAGER = 2,  /* own frames, filled by the region's pager */
	VM_FOREIGN = 3 /* frames that somebody else answers for (segment, shared memory, ring) */
};

struct exo_upcall_frame;
struct vm_region;

/*
 * Asked when an access to a VM_PAGER region faults (error: the processor's error code, bit 1 is
 * write, bit 0 is "was present").  Runs as an upcall handler (libos/upcall.h): it may fill the page
 * by vm_fill(), or deflect to code that does.  1: go on, 0: the access is wrong.
 */
typedef int vm_pager(struct vm_region *r, uint64_t va, uint64_t error,
		     struct exo_upcall_frame *frame);

struct vm_region {
	uint64_t start, end; /* page aligned */
	uint8_t perm, kind;
	uint8_t shared; /* fork shares it instead of copying; vm looks at nothing else in it */
	uint8_t pinned; /* its pages stay: vm_pin */
	uint8_t reserved[4];
	vm_pager *pager;
	void *arg;    /* the pager's */
	uint64_t off; /* the pager's, of `start`; kept right when a region is split.  VM_FOREIGN:
			 the capability slot that gives the right to its frames */
};

struct start_args;

/* At start-up: learns tables and regions from the arguments. */
void vm_start(const struct start_args *args);

/*
 * Makes a region of `len` bytes (rounded up) at `va`, or where there is room when va is 0 (from the
 * top of the area below LAYOUT_HEAP_END), and gives its address.  With va given, the place must be
 * free: -EEXIST.  -ENOMEM: no room for it, or no more regions.
 */
int vm_reserve(uint64_t va, uint64_t len, unsigned perm, enum vm_kind kind, uint64_t *out);

/* As vm_reserve, with a pager. */
int vm_reserve_pager(uint64_t va, uint64_t len, unsigned perm, vm_pager *pager, void *arg,
		     uint64_t off, uint64_t *out);

/* Unmaps, gives frames back, and forgets [va, va+len) wherever there is a region. */
int vm_release(uint64_t va, uint64_t len);

/* New permissions for [va, va+len), which regions must cover: -ENOMEM; -EACCES write and exec. */
int vm_protect(uint64_t va, uint64_t len, unsigned perm);

/* The region that holds va, or NULL.  The next one at or above va: vm_next. */
struct vm_region *vm_find(uint64_t va);
struct vm_region *vm_next(uint64_t va);

/*
 * Sees to it that [va, va+len) of anonymous memory is there, so that touching it does not fault
 * (and the kernel can reach it).  -EFAULT where no region is, -ENOMEM.
 */
int vm_populate(uint64_t va, uint64_t len, unsigned perm);

/*
 * Pages of [va, va+len) stay where they are from now on (pinned 1), or need not (0); pinned ones
 * are populated.  What upcall handlers touch, stacks other than the first, and what the kernel is
 * to reach must stay; RESIDENT data, bss and the first stack always do.  -ENOMEM: not all is a
 * region.
 */
int vm_pin(uint64_t va, uint64_t len, int pinned);

/* They stay once they are there, and come on demand: stacks of threads. */
int vm_keep(uint64_t va, uint64_t len);

/*
 * [va, va+len) will be accessed by code that other threads must not come between: pages of it that
 * are on the disk come now, up to 16, and other threads run meanwhile.  Not a promise: what is not
 * there then comes at the access.
 */
void vm_bring(uint64_t va, uint64_t len);

/* Takes one frame, maps it at va of a pager's region and returns: the pager then writes it. */
int vm_fill(uint64_t va, unsigned perm);

/* The frame mapped at va, 0 if none is. *perm (may be NULL) gets VM_* as mapped. */
uint32_t vm_frame(uint64_t va, unsigned *perm);

/*
 * For transfers: the frames of pages[0], pages[1] … as far as one right covers them, at most count,
 * each made present if need be; *cap gets the capability slot of that right.  How many, or -EFAULT
 * (a page is not there or does not allow `perm`), -ENOMEM, -EDQUOT.
 */
int vm_frames(void *const *pages, uint32_t count, unsigned perm, volatile uint32_t *frames,
	      uint32_t *cap);

/*
 * Pages of the POSIX segment that processes map by one entry or call, and which can therefore only
 * leave it together: a power of 2, in which numbers of pages are aligned.  *first: those from there
 * on may leave.
 */
uint32_t vm_segment_unit(uint32_t *first);

/* Whether the page mapped at va was written since it was mapped: 1 or 0. */
int vm_dirty(uint64_t va);

/*
 * Maps `count` frames from `frame` at va (tables are made as needed); `cap`: the capability slot
 * that gives the right to them.  Runs of 512 that fit become large pages.  The caller made a
 * VM_FOREIGN region there, if anyone is to know.  What is mapped at LAYOUT_SEGMENT is the segment.
 * vm_unmap undoes it, frames stay taken.
 */
int vm_map(uint64_t va, uint32_t frame, uint32_t count, unsigned perm, uint32_t cap);
int vm_unmap(uint64_t va, uint32_t count);

/*
 * The window: maps `count` <= VM_WINDOW frames for a moment, gives the address.  One user at a
 * time, who ends it by vm_window_end().  NULL: refused (see *error, may be NULL).
 */
enum { VM_WINDOW = 256 }; /* pages; the other half of its table page shows page tables */
void *vm_window(const uint32_t *frames, uint32_t count, unsigned perm, uint32_t cap, int *error);
void vm_window_end(void);

/* The heap: moves its end by `delta`, gives the old end; (uint64_t)-1 when there is no room. */
uint64_t vm_sbrk(int64_t delta);

/*
 * For faults: 1 when the access may be tried again.  Called by the upcall layer only.
 */
int vm_fault(struct exo_upcall_frame *frame);

/*
 * For events: somebody asks for pages back (EXO_EV_REVOKE).  Called by the upcall layer only, when
 * the variant has told it to by upcall_for_memory().
 */
void vm_policy_asked(struct exo_upcall_frame *frame);

struct disk_req;

/*
 * For the disk (libos/disk.h): code that works on its queues stands between vm_disk_enter() and
 * vm_disk_leave(), and does not fault.  The first, with a request that is about to be submitted,
 * has it, its array and its pages stay; the second, with one that is over, lets them go.  0, or a
 * negative errno: a page is not there and cannot come.
 */
int vm_disk_enter(const struct disk_req *r);
void vm_disk_leave(const struct disk_req *r);

/* What a variant that sends pages away (vm/swap.c) has done; all 0 for others. */
struct vm_stats {
	uint64_t held;		      /* pages here that may go */
	uint64_t out;		      /* pages that are on the disk only */
	uint64_t paged_in, paged_out; /* pages read, written */
	uint64_t dropped;	      /* pages that went without being written */
	uint64_t reads, writes;	      /* commands */
	uint64_t slots, slots_used;   /* blocks there are, blocks with a copy in them */
};
void vm_get_stats(struct vm_stats *out);

struct build;

/*
 * For fork: gives the child under construction (libos/build.h) a copy of all private memory and
 * maps what is shared (the POSIX segment too).  The caller goes on to start it, and the copy begins
 * with vm_copied(), which makes its own idea of its tables right.  -ENOTSUP when touched pages are
 * protected with VM_NONE now, or are on the disk (vm=swap); a child has no extent to swap to.
 */
int vm_copy_to(struct build *b);
void vm_copied(void);

#endif
