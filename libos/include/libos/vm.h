/*
 * vm.h - the seam of virtual memory: what the program's addresses mean.
 *
 * Owns: the list of regions, the frames and page tables of this program.  Invariant: regions do not
 * overlap and are sorted; an address outside every region is mapped to nothing that vm made.  A
 * variant (vm/demand.c, vm/eager.c) says when frames are taken.  Lock: upcalls cannot change
 * regions, only fill pages; one thread at a time.  All errors are negative errnos.
 * Called by the heap, the POSIX layer (mmap, fork, exec), the builder and the disk.
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
	uint8_t reserved[5];
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

struct build;

/*
 * For fork: gives the child under construction (libos/build.h) a copy of all private memory, maps
 * what is shared (the POSIX segment too), and makes the copy's own idea of its tables right.  The
 * caller goes on to start it.  -ENOTSUP when touched pages are protected with VM_NONE now.
 */
int vm_copy_to(struct build *b);

#endif
