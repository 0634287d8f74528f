/*
 * layout.h - where a program's things are in its address space.
 *
 * A convention among our libOSes, not the kernel's: everything small stands in the first two
 * regions of 2 MiB that a program needs anyway, so that a tiny program costs five table pages.
 *
 *   0x00200000  upcall page, ring page, argument block, then the stack, growing down to it
 *   0x00400000  program image, then bss, then the heap, growing up
 *   0x38000000  window: frames mapped for a moment (building a child, clearing)
 *   0x3a000000  vm=swap: its records of pages
 *   0x3f000000  init only: the boot manifest
 *   0x40000000  the POSIX segment, shared by the processes of one user
 */
#ifndef LIBOS_LAYOUT_H
#define LIBOS_LAYOUT_H

#define LAYOUT_UPCALL	   0x00200000ul
#define LAYOUT_RING	   0x00201000ul
#define LAYOUT_ARGS	   0x00204000ul /* struct start_args (core/start.h) */
#define LAYOUT_ARGS_END	   0x00240000ul
#define LAYOUT_STACK_LOW   0x00241000ul /* one guard page above the arguments */
#define LAYOUT_STACK_TOP   0x00400000ul
#define LAYOUT_IMAGE	   0x00400000ul
#define LAYOUT_HEAP_END	   0x38000000ul
#define LAYOUT_WINDOW	   0x38000000ul
#define LAYOUT_WINDOW_END  0x38200000ul
#define LAYOUT_SWAP	   0x3a000000ul
#define LAYOUT_SEGMENT	   0x40000000ul
#define LAYOUT_SEGMENT_END 0x80000000ul

/* Capability slots by convention, filled by whoever builds the program. */
enum layout_cap {
	LAYOUT_CAP_SELF = 0,
	LAYOUT_CAP_CONSOLE = 1,
	LAYOUT_CAP_MACHINE = 2,
	LAYOUT_CAP_SEGMENT = 3, /* EXO_CAP_PAGES over the POSIX segment */
	LAYOUT_CAP_ENV = 5,	/* EXO_CAP_ENV for a program that the manifest names (env=) */
	LAYOUT_CAP_SCREEN = 6,	/* EXO_CAP_DEVICE over the text screen's frames */
	LAYOUT_CAP_TRACE = 7,	/* EXO_CAP_TRACE (trace) */
	LAYOUT_CAP_EXTENT = 8,	/* first of the extents it was given */
	LAYOUT_CAP_FREE = 16,	/* from here on the program's own to use */
};

#endif
