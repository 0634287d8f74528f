/*
 * start.h - what a program is told when it starts, and what its personality supplies.
 *
 * The builder (libos/build.h) fills a struct start_args at LAYOUT_ARGS of the new program; rdi
 * points to it at entry.  The first program has none (rdi = 0) and gets one made from the kernel's
 * tables.  Pointers in it are addresses of the new program.  Written before the program runs, the
 * program's own afterwards.
 */
#ifndef LIBOS_START_H
#define LIBOS_START_H

#include <stdint.h>

#define START_MAGIC   0x7472617473736f6cull
#define START_VERSION 1u

enum {
	START_TABLES = 24, /* page tables told about; the builder makes no more */
	START_EXTENTS = 8,
	START_EXIT_ABI = 126, /* exit status when kernel and program do not fit */
};

struct start_table {
	uint64_t va; /* first address it translates */
	uint32_t frame;
	uint32_t level; /* 1..4 */
};

struct start_extent {
	char name[8];	/* not NUL-terminated when all 8 are used */
	uint32_t slot;	/* capability slot that holds it */
	uint32_t index; /* in the extent table */
};

struct start_args {
	uint64_t magic;
	uint32_t version;
	uint32_t size;	 /* of everything here, strings and all: bytes from LAYOUT_ARGS */
	uint64_t self;	 /* its own eid */
	uint64_t parent; /* its builder's */
	char **argv;	 /* ends with NULL; in this block, as are the strings */
	char **envp;
	uint32_t argc, envc;
	uint64_t seed[2];	/* for random numbers */
	uint64_t image;		/* first address of the image */
	uint64_t image_end;	/* first address after what was loaded, a page boundary */
	uint64_t bss_end;	/* first address after bss: zero pages on demand from image_end */
	uint64_t stack_low;	/* lowest stack page that is there; lower ones come on demand */
	uint32_t segment_frame; /* POSIX segment: its first frame, LAYOUT_CAP_SEGMENT its right */
	uint32_t segment_pages; /* 0: it has none */
	uint32_t tables;	/* used in table[] */
	uint32_t extents;	/* used in extent[] */
	struct start_table table[START_TABLES];
	struct start_extent extent[START_EXTENTS];
	const void *personal; /* bytes for the personality (descriptors …), in this block */
	uint64_t personal_size;
};

/* The arguments of this program.  Never NULL after start-up. */
const struct start_args *start_args(void);

/* The eid of this program.  In a forked child start_set_self() has made it its own. */
uint64_t start_self(void);
void start_set_self(uint64_t eid);

/* The capability slot of the extent given to this program under `name`, or -ENOENT. */
int start_extent(const char *name);

/* Index of the extent in the extent table whose name is `name` and that is live, or -ENOENT. */
int start_extent_index(const char *name);

/*
 * Ends this environment at once with `status`, for its builder to read.  Nothing is flushed.
 */
_Noreturn void start_exit(int status);

/*
 * Prints "NAME: message" on the console by the shortest way and ends with `status`.
 */
_Noreturn void start_die(const char *message, int status);

/*
 * Supplied by the personality.  start_run() is called when memory, upcalls and the arguments work:
 * the hosted one (core/newlib.c) calls personality_init(), constructors, main, exit; the bare one
 * calls main.
 */
_Noreturn void start_run(const struct start_args *args);

/* The POSIX layer (or another one on top of newlib): sets up descriptors and the like. */
void personality_init(const struct start_args *args);

/* Called by _exit(): closes what must be closed; returns, and then the environment ends. */
void personality_exit(int status);

#endif
