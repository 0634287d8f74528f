/*
 * build.h - making a new environment out of frames, tables and rights, and taking one apart.
 *
 * Owns: struct build, a child under construction.  Invariant: everything taken for the child is
 * charged to the child and reachable from its record, so build_abort() and build_reap() leave
 * nothing behind.  One build at a time per program (it uses the window of libos/vm.h): another
 * thread that begins one waits. Errors are negative errnos; ENOEXEC comes with words in `why`.
 * Called by spawn, exec and fork of the POSIX layer and by init.
 */
#ifndef LIBOS_BUILD_H
#define LIBOS_BUILD_H

#include <stddef.h>
#include <stdint.h>
#include <exo/abi.h>
#include <libos/start.h>

enum { BUILD_WHY = 96, BUILD_MAX_PAGES = 200000 };

/* Where the bytes of an ELF file come from. */
struct build_source {
	/* Reads exactly n bytes at off into buf: 0, or a negative errno (-ENOEXEC: shorter). */
	int (*read_at)(void *ctx, uint64_t off, void *buf, size_t n);
	/*
	 * May be NULL.  For a page of the file that is mapped without being writable: gives a frame
	 * that already holds it (and stays so), to be mapped by right of `share_cap`; 0: copy it.
	 */
	uint32_t (*share)(void *ctx, uint64_t off);
	void *ctx;
	uint64_t size;	    /* of the file */
	uint32_t share_cap; /* the caller's slot with EXO_CAP_PAGES */
};

/* A capability that the child gets: a copy (cap_grant) of the caller's slot `from` in its `to`. */
struct build_grant {
	uint32_t from, to;
};

/* Frames of others that the child finds mapped. */
struct build_map {
	uint64_t va;
	uint32_t frame, count;
	uint32_t perm; /* VM_* */
	uint32_t cap;  /* the caller's slot that gives the right */
};

/* What the child is to be.  Arrays belong to the caller. */
struct build_spec {
	char name[16];
	uint64_t principal;
	uint32_t quota[EXO_NQUOTA]; /* amounts moved from the caller's limits */
	const struct build_grant *grants;
	uint32_t ngrants;
	const struct build_map *maps;
	uint32_t nmaps;
	uint32_t slots;			 /* CPU slots, spread over the vector … */
	uint32_t slot_every, slot_first; /* … or, when slot_every: first, first+every, … */
	uint32_t stack_pages;		 /* there from the start; 0: 2 */
	uint32_t extents;
	struct start_extent extent[START_EXTENTS]; /* told to the child; the rights are grants */
	uint32_t segment_frame, segment_pages;	   /* the child's POSIX segment: its start is mapped
						      now, by our LAYOUT_CAP_SEGMENT, and the rest by
						      the child as it is touched, by the child's */
	char *const *argv;			   /* NULL-terminated, as envp */
	char *const *envp;			   /* may be NULL */
	const void *personal;
	uint64_t personal_size;
};

struct ptab;

/* A child under construction, or running; the caller keeps it until build_reap(). */
struct build {
	uint64_t eid;
	uint32_t cap; /* the caller's slot with EXO_CAP_ENV for it */
	uint32_t save, upcall;
	struct ptab *tables; /* its page tables, until build_start() or build_abort(); in static
				memory, so that a copy of this program has a copy */
};

/*
 * Builds a program from an ELF file and starts it.  On error `why` (BUILD_WHY bytes, may be NULL)
 * says what is wrong in words and everything taken is given back.
 */
int build_program(struct build *b, const struct build_spec *spec, const struct build_source *from,
		  char *why);

/* ---- the steps, for fork and for loaders of other kinds ---------------------------------- */

/* Creates the environment with quotas, slots, root, save area and upcall page (not yet mapped). */
int build_begin(struct build *b, const struct build_spec *spec);

/*
 * Takes `count` frames for the child and maps them at va of it; their numbers come in frames[] when
 * not NULL.  -EEXIST where something is mapped.
 */
int build_pages(struct build *b, uint64_t va, uint32_t count, unsigned perm, uint32_t *frames);

/* Maps frames that exist: the child's own (cap = b->cap) or others. */
int build_map(struct build *b, const struct build_map *m);

/* Maps frames scattered over memory at consecutive pages. */
int build_map_list(struct build *b, uint64_t va, const uint32_t *frames, uint32_t count,
		   unsigned perm, uint32_t cap);

int build_grant(struct build *b, uint32_t from, uint32_t to);

/* Makes it run: the upcall page is mapped at LAYOUT_UPCALL before. */
int build_start(struct build *b, uint64_t rip, uint64_t rsp, uint64_t arg);

/* Gives back everything of a child that was never started. */
void build_abort(struct build *b);

/* ---- the end ----------------------------------------------------------------------------- */

struct build_end {
	uint32_t end; /* enum exo_end */
	uint32_t vector, error;
	uint64_t code; /* of env_kill: what it said itself, when end is EXO_END_EXIT */
	uint64_t addr, rip, rsp;
	uint64_t ticks, faults;
};

/* Whether the child has ended: 1 or 0. */
int build_ended(const struct build *b);

/* Ends it (code is for its report).  0 or a negative errno. */
int build_kill(const struct build *b, uint64_t code);

/*
 * Takes back all that the ended child `b` held, frees its record, and tells how it ended.
 * -EAGAIN: somebody still maps or uses a frame of it; call again later (the report is filled).
 */
int build_reap(struct build *b, struct build_end *end);

/* The lowest empty capability slot of the caller at or above LAYOUT_CAP_FREE, or -EMFILE. */
int build_free_cap(void);

#endif
