/*
 * tables.h - what the kernel knows, mapped read-only into every program at EXO_TABLES_VA.
 *
 * The info page comes first and tells version, places and sizes of the others; programs check
 * `abi_version` once and reach tables through `table[]`.  The kernel writes these records in
 * place, so a reader that needs two fields to agree reads them twice.  Nothing here is secret.
 */
#ifndef EXO_TABLES_H
#define EXO_TABLES_H

#include <exo/abi.h>
#include <exo/bpf.h>
#include <exo/sched.h>
#include <exo/wake.h>

/* Where the tables are for programs, and for the kernel (the same page tables, see x86/paging.c).
 */
#define EXO_TABLES_VA	  0xffffff7fc0000000ull
#define EXO_TABLES_KERNEL 0xffffffffc0000000ull
#define EXO_INFO_MAGIC	  0x646c6f6865657246ull /* "Freehold" */

enum exo_table_id {
	EXO_TABLE_INFO = 0,
	EXO_TABLE_ENVS = 1,
	EXO_TABLE_QUOTA_USED = 2,
	EXO_TABLE_QUOTA_LIMIT = 3,
	EXO_TABLE_CAPS = 4,
	EXO_TABLE_SLOTS = 5,
	EXO_TABLE_PAGES = 6,
	EXO_TABLE_PAGE_MAPS = 7, /* uint32_t per frame: entries of 4 KiB that map it */
	EXO_TABLE_PAGE_PINS = 8, /* uint32_t per frame: DMA requests and roles that hold it */
	EXO_TABLE_PAGE_FREE = 9, /* bit per frame: 1 = free, bit n%64 of uint64_t n/64 */
	EXO_TABLE_RUN_MAPS = 10, /* uint32_t per 2 MiB run: large entries that map it */
	EXO_TABLE_EXTENTS = 11,
	EXO_TABLE_IO = 12,
	EXO_TABLE_DRIVES = 13,
	EXO_TABLE_REVOKES = 14,	 /* per environment */
	EXO_TABLE_REGISTRY = 15, /* struct exo_bind; count is a power of two */
	EXO_TABLE_GROUPS = 17,	 /* struct exo_group; index 0 is none */
	EXO_TABLE_SCHEDS = 18,	 /* struct exo_sched per group: what its program saw last */
	EXO_TABLE_WAKES = 19,	 /* struct exo_waker per environment */
	EXO_TABLE_TRACE = 20,	 /* struct exo_trace; as many as struct exo_tracing says */
	EXO_TABLE_TRACING = 21,	 /* one struct exo_tracing */
	EXO_NTABLE = 24,
};

struct exo_table {
	uint64_t va;	/* in every program */
	uint32_t count; /* records */
	uint32_t size;	/* bytes of one record */
};

struct exo_info {
	uint64_t magic;
	uint32_t abi_version;
	uint32_t info_size;   /* sizeof(struct exo_info) of the kernel */
	uint32_t frames;      /* frames that have a record */
	uint32_t envs;	      /* environments, index 1..envs-1 */
	uint32_t free_frames; /* now */
	uint32_t tick_ns;     /* length of a CPU slot */
	uint64_t tsc_hz;
	uint64_t tsc_base; /* TSC at time 0 */
	uint64_t ns_mult;  /* ns since boot = ((TSC - tsc_base) * ns_mult) >> 32, as 128 bits */
	uint64_t epoch;	   /* seconds since 1970 (UTC) at time 0 */
	uint64_t ticks;	   /* slots passed since boot */
	uint64_t idle_ticks;
	uint64_t image_id; /* of the boot image */
	uint32_t boot_drive;
	uint32_t current_slot;
	uint64_t boot_tsc; /* TSC when the first program was entered */
	struct exo_table table[EXO_NTABLE];
};
_Static_assert(sizeof(struct exo_info) == 104 + 16 * EXO_NTABLE, "info page");

struct exo_page {
	uint8_t state;	  /* enum exo_page_state */
	uint8_t level;	  /* TABLE: 1..4 */
	uint16_t owner;	  /* environment index; 0: nobody or the kernel */
	uint32_t present; /* TABLE: entries present in the lower half */
	uint64_t born; /* stamp of when it was taken, or last unshared: older capabilities are dead
			*/
	uint64_t va;   /* TABLE, linked: first address it translates */
	uint32_t parent; /* TABLE: frame of the table that links it; 0: not linked */
	uint32_t bound;	 /* entry of the block registry that names it, + 1; 0: none */
};
_Static_assert(sizeof(struct exo_page) == 32, "page record");

struct exo_env {
	uint32_t gen;
	uint8_t state; /* enum exo_env_state */
	uint8_t slice_upcall;
	uint16_t parent_index;
	uint64_t parent; /* eid of its creator */
	uint64_t principal;
	char name[16];
	uint32_t root, save, upcall_page, io_ring; /* frames; 0: none */
	uint64_t upcall_va, upcall_entry;
	uint64_t event_upcall;		/* mask */
	uint64_t events;		/* pending */
	uint64_t wait_mask;		/* WAITING: what wakes it */
	uint64_t deadline;		/* WAITING: ns since boot; 0: never */
	uint64_t slots[EXO_NSLOT / 64]; /* bit per CPU slot that is its own */
	uint32_t cap_gen;		/* capabilities for it carry this */
	uint16_t io_head, io_tail;	/* its queue: index in the I/O table + 1; 0: empty */
	uint8_t end;			/* ZOMBIE: enum exo_end, and what happened */
	uint8_t end_vector;
	uint8_t group, place; /* scheduling group that it is a member of, and where; 0: none */
	uint32_t end_error;
	uint64_t end_code;
	uint64_t end_addr, end_rip, end_rsp;
	uint64_t used_ticks, given_ticks; /* slots that began with it; donated to others by yield */
	uint64_t faults;
	uint16_t calling;	       /* CALLING: whom it calls; 0: nobody */
	uint16_t client;	       /* whose call it serves; 0: nobody's */
	uint16_t call_next, call_prev; /* CALLING: its place in the queue of whom it calls */
	uint16_t call_head, call_tail; /* who waits for it to take a call; 0: nobody */
	uint8_t calls_open, accepting; /* EXO_SET_CALLS; in ipc_reply_wait */
	uint16_t penalty;	       /* slices it forfeits for those it overran */
	uint32_t overruns;	       /* slices it has overrun */
	uint32_t reserved1;
	uint64_t disk_time; /* ns that drives spent on its requests */
	uint64_t reserved[2];
};
_Static_assert(sizeof(struct exo_env) == 256, "environment record");

struct exo_quota {
	uint32_t n[EXO_NQUOTA];
};

struct exo_cap {
	uint8_t kind; /* enum exo_cap_kind */
	uint8_t rights;
	uint16_t reserved;
	uint32_t object;
	uint64_t gen;
	uint64_t start, len; /* PAGES: frames; EXTENT: blocks; others 0 */
};
_Static_assert(sizeof(struct exo_cap) == 32, "capability record");

struct exo_caps {
	struct exo_cap c[EXO_NCAP];
};

/* What may be asked back (revoke_ask, extent_recall), and the place of the request. */
enum exo_ask_kind {
	EXO_ASK_PAGES = 0,  /* as EXO_QUOTA_PAGES */
	EXO_ASK_SLOTS = 1,  /* as EXO_QUOTA_SLOTS */
	EXO_ASK_EXTENT = 2, /* capabilities to an extent */
	EXO_NASK = 3,
};

struct exo_ask {
	uint32_t n;	   /* PAGES, SLOTS: how many are still to come; EXTENT: 1; 0: nothing */
	uint32_t extent;   /* EXTENT: its index */
	uint64_t deadline; /* ns since boot: from then on it may be taken */
	uint64_t by;	   /* eid of who asks */
};

/* What was taken: a kind of quota, or this, and the number of the thing. */
enum { EXO_TAKEN_MAPPING = 16 }; /* a mapping of this frame */

struct exo_taken {
	uint32_t kind; /* EXO_QUOTA_PAGES, SLOTS or EXTENTS, or EXO_TAKEN_MAPPING */
	uint32_t index;
};

enum { EXO_NTAKEN = 6 };

/* What is asked of an environment, and what was taken from it. */
struct exo_revoke {
	struct exo_ask ask[EXO_NASK];
	uint64_t taken;			  /* things taken so far */
	struct exo_taken log[EXO_NTAKEN]; /* the latest: number i (from 0) at i % EXO_NTAKEN */
};
_Static_assert(sizeof(struct exo_revoke) == 128, "revocation record");

enum exo_bind_state { EXO_BIND_FREE = 0, EXO_BIND_USED = 1 };

/*
 * An entry of the block registry: `frame` of `env` holds what stands in `block` (of the drive) of
 * extent `extent`.  It counts while the extent has generation `gen`.
 */
struct exo_bind {
	uint64_t block;
	uint32_t frame;
	uint16_t env;
	uint8_t reserved;
	uint8_t state; /* enum exo_bind_state */
	uint32_t extent, gen;
};
_Static_assert(sizeof(struct exo_bind) == 24, "registry entry");

/*
 * The set that a block of an extent belongs to, in a registry of `count` entries: it may be bound
 * to the entries EXO_BIND_WAYS * set and the following EXO_BIND_WAYS - 1.
 */
static inline uint32_t exo_bind_set(uint32_t extent, uint64_t block, uint32_t count)
{
	const uint64_t mixed = (block ^ (uint64_t)extent << 40) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(mixed >> 40) & (count / EXO_BIND_WAYS - 1);
}

struct exo_slot {
	uint16_t owner;	 /* environment index; 0: nobody */
	uint16_t group;	 /* scheduling group of its owner that it is for; 0: the owner itself */
	uint32_t used;	 /* times its owner (whom its group chose) ran when it came up */
	uint32_t missed; /* times its owner was not runnable */
	uint32_t given;	 /* times it fell to somebody else */
};
_Static_assert(sizeof(struct exo_slot) == 16, "slot record");

/* Why a group's choice was not followed. */
enum exo_group_fault {
	EXO_GROUP_FOLLOWED = 0,
	EXO_GROUP_NONSENSE = 1, /* the answer is no place */
	EXO_GROUP_EMPTY = 2,	/* nobody has that place: not yet, or it left, or it ended */
	EXO_GROUP_ASLEEP = 3,	/* that member cannot run */
	/* Another waits for longer than the group's patience, and than who is named. */
	EXO_GROUP_STARVED = 4,
	EXO_GROUP_OWNER = 5, /* the owner has ended: nobody is asked */
	EXO_NGROUP_FAULT = 8,
};

/*
 * A scheduling group: CPU slots of its owner, members, and a program that chooses who of these has
 * such a slot.  Where the choice is not followed the slot is as if it were in no group.
 */
struct exo_group {
	uint16_t owner; /* environment index; 0: the group is free */
	uint8_t fault;	/* the last failure: enum exo_group_fault, what was answered, when */
	uint8_t reserved0;
	uint32_t answer; /* EXO_GROUP_STARVED: the place that waits; the rest: the answer */
	uint64_t tick;
	uint32_t row;	   /* failures in a row; at EXO_GROUP_FAILURES it loses its program */
	uint32_t patience; /* ticks that a member may be runnable and not run; 0: for ever */
	uint32_t slots;	   /* CPU slots that it has */
	uint32_t insns;	   /* of its program; 0: it has none, and the vector decides */
	uint32_t bound;	   /* most steps of a decision, as the verifier says */
	uint32_t most;	   /* most that one has taken, by this program */
	uint32_t loaded;   /* programs that it has had, */
	uint32_t lost;	   /* and how many of them were taken from it */
	uint64_t decisions, steps;	   /* times it was asked; steps of all of these */
	uint64_t followed;		   /* times the member that was named ran */
	uint64_t passed;		   /* times it named nobody (EXO_SCHED_NONE) */
	uint64_t failed[EXO_NGROUP_FAULT]; /* by enum exo_group_fault */
	uint64_t time;			   /* ns that all decisions took, with the snapshot */
	uint64_t reserved[5];
};
_Static_assert(sizeof(struct exo_group) == 192, "scheduling group");

/* A sleeper's predicate, and what it sees. */
struct exo_waker {
	struct exo_wake seen; /* while it sleeps in wait_until, as of the last time it was asked */
	uint32_t insns;	      /* 0: it has none */
	uint32_t bound;
	uint32_t asleep;	     /* 1: it sleeps in wait_until */
	uint32_t most;		     /* most steps of one run */
	uint64_t asked, held, steps; /* runs; runs that left it asleep; steps of all */
	struct exo_bpf_insn insn[EXO_WAKE_INSNS];
	uint64_t reserved[2];
};
_Static_assert(sizeof(struct exo_waker) == 512, "wake-up predicate");

enum exo_extent_state {
	EXO_EXTENT_FREE = 0,
	EXO_EXTENT_TAKING = 1, /* record on its way to the disk */
	EXO_EXTENT_LIVE = 2,
	EXO_EXTENT_DYING = 3,  /* draining, then its removal on its way to the disk */
	EXO_EXTENT_SYSTEM = 4, /* sentinels and reserved regions: nobody's */
};

/* One extent, in memory and on the disk alike. */
struct exo_extent {
	uint64_t start, len; /* blocks of its drive */
	uint64_t init;	     /* blocks from start that may be read */
	uint64_t owner;	     /* principal */
	uint64_t other;	     /* a second principal with other_rights; 0 rights: none */
	uint32_t gen;
	uint32_t next; /* following extent of the drive by start; 0: last */
	uint8_t state;
	uint8_t drive;
	uint8_t other_rights;
	uint8_t reserved0;
	uint16_t payer; /* environment whose EXTENTS it counts against; 0: none.  Not on the disk */
	uint8_t reserved1[2];
	char name[8]; /* for people: "main", "raw1" */
};
_Static_assert(sizeof(struct exo_extent) == 64, "extent record");

enum exo_io_state {
	EXO_IOS_FREE = 0,
	EXO_IOS_QUEUED = 1,
	EXO_IOS_ACTIVE = 2,
};

struct exo_io {
	uint8_t state; /* enum exo_io_state */
	uint8_t op;
	uint8_t drive;
	uint8_t reserved0;
	uint16_t env;  /* 0: the kernel, for the extent table */
	uint16_t next; /* queue link: index + 1 */
	uint32_t extent;
	uint32_t count;
	uint64_t block;
	uint64_t tag;
};
_Static_assert(sizeof(struct exo_io) == 32, "I/O record");

struct exo_drive {
	uint64_t blocks; /* 0: absent */
	uint8_t channel, unit;
	uint8_t dma, lba48; /* 1: used */
	uint32_t errors;
	uint64_t commands, blocks_read, blocks_written;
	char model[40];
};
_Static_assert(sizeof(struct exo_drive) == 80, "drive record");

/* ---- tracing ----------------------------------------------------------------------------- */

enum exo_trace_kind {
#define TRACE(number, name, what, env, detail, a, b) EXO_TRACE_##name = (number),
#include <exo/trace.def>
#undef TRACE
};

/*
 * Record `number` stands at number % tracing.records until the one that comes so many later takes
 * its place: who finds another number there has lost it, or is too early.  Numbers begin at 1 and
 * never begin again.  What the fields mean, trace.def says for each kind.
 */
struct exo_trace {
	uint64_t number;
	uint64_t tsc;
	uint8_t kind; /* enum exo_trace_kind */
	uint8_t detail;
	uint16_t env;
	uint32_t a;
	uint64_t b;
};
_Static_assert(sizeof(struct exo_trace) == 32, "trace record");

struct exo_tracing {
	uint64_t build;	  /* of the kernel: what is known of another one does not fit this */
	uint64_t first;	  /* number of the ring's first record, EXO_TRACE_START */
	uint64_t last;	  /* number of the latest one */
	uint64_t by;	  /* eid of who traces; 0: nobody */
	uint32_t records; /* that the ring holds, a power of two; 0: nobody traces */
	uint32_t frame;	  /* the first of its frames */
	uint64_t reserved[3];
};
_Static_assert(sizeof(struct exo_tracing) == 64, "state of tracing");

#endif
