/*
 * abi.h - the words the kernel and programs share: names, rights, frames in memory, statuses.
 *
 * Everything here is part of the ABI: each struct has its size asserted and no padding.  Names are
 * physical (a frame is its number, a block its number on the drive, a slot its place in the
 * vector), and each kind of name is a type of its own, so that mixing them up does not compile.
 * Includes nothing of ours; everyone may include it.
 */
#ifndef EXO_ABI_H
#define EXO_ABI_H

#include <stdint.h>

#define EXO_ABI_VERSION 4u

enum exo_status {
#define STATUS(name, number, meaning) EXO_##name = number,
#include <exo/status.def>
#undef STATUS
};

/* What every call returns: rax is an enum exo_status, rdx a value (0 where a call has none). */
struct exo_result {
	uint64_t status;
	uint64_t value;
};

/* ---- names ------------------------------------------------------------------------------- */

struct pfn {
	uint32_t n; /* page frame number: physical address / 4096 */
};
struct eid {
	uint64_t n; /* environment: generation << 16 | index; index 0 is nobody */
};
struct blk {
	uint64_t n; /* disk block: 4 KiB units from the start of its drive */
};
struct xid {
	uint32_t n; /* extent: index in the extent table */
};
struct cslot {
	uint32_t n; /* capability slot in the caller's table */
};
struct slot {
	uint32_t n; /* CPU slot: place in the slice vector */
};
struct uva {
	uint64_t n; /* virtual address of a program */
};

enum {
	EXO_PAGE_SIZE = 4096,
	EXO_BLOCK_SIZE = 4096,
	EXO_NENV = 1024, /* most environments, fewer on small machines: see the info page */
	EXO_NCAP = 64,	 /* capability slots of an environment */
	EXO_NSLOT = 256, /* CPU slots in the vector */
	EXO_NEXTENT = 4096,
	EXO_NIO = 256,	     /* most requests in the kernel at once */
	EXO_IO_BLOCKS = 256, /* most blocks in one request: 1 MiB */
	EXO_NDRIVE = 4,
	EXO_DISK_SHARES = 1 << 20, /* of disk time, all together: EXO_QUOTA_DISK */
	EXO_NSESSION = 16,	   /* console sessions */
	EXO_NBIND = 4096,	   /* most entries of the block registry, fewer on small machines */
	EXO_BIND_WAYS = 8,	   /* entries of one set of it */
	EXO_NGROUP = 9,		   /* scheduling groups, and 0: none */
	EXO_NTRACE = 65536,	   /* most records of a trace ring */
};

#define EXO_EID_INDEX(eid) ((uint32_t)((eid).n & 0xffff))
#define EXO_EID_GEN(eid)   ((uint32_t)((eid).n >> 16))

/* ---- page frames ------------------------------------------------------------------------- */

enum exo_page_state {
	EXO_PAGE_FREE = 0,
	EXO_PAGE_DATA = 1,   /* the owner's, for anything */
	EXO_PAGE_TABLE = 2,  /* page table of level 1..4; never writable by a program */
	EXO_PAGE_SAVE = 3,   /* save area of an environment; never writable by a program */
	EXO_PAGE_UPCALL = 4, /* pinned upcall stack; mapped writable by its owner */
	EXO_PAGE_KERNEL = 5,
	EXO_PAGE_DEVICE = 6,
	EXO_PAGE_NONE = 7,  /* no memory here */
	EXO_PAGE_TRACE = 8, /* for a trace ring; never writable by a program */
};

/* Permissions of a mapping (page_map, page_protect); user access is implied. */
enum {
	EXO_MAP_READ = 1,
	EXO_MAP_WRITE = 2,
	EXO_MAP_EXEC = 4, /* never together with EXO_MAP_WRITE */
};

/*
 * Page-table indices at level 4 that programs may use are below this: the lower half but its last
 * 512 GiB, so that no call instruction can stand where the address after it is none (the kernel
 * returns there by SYSRET, which then faults in the kernel on some processors).
 */
enum { EXO_USER_L4 = 255 };

/* ---- capabilities ------------------------------------------------------------------------ */

enum exo_cap_kind {
	EXO_CAP_NONE = 0,
	EXO_CAP_ENV = 1,   /* object: environment index; rights EXO_ENV_* */
	EXO_CAP_PAGES = 2, /* object: owner's environment index; range: frames; rights READ|WRITE */
	EXO_CAP_EXTENT = 3,  /* object: extent index; range: blocks; rights READ|WRITE|ADMIN */
	EXO_CAP_CONSOLE = 4, /* object: session; rights READ (input) | WRITE (output) | ADMIN |
				ATTEND */
	EXO_CAP_MACHINE = 5, /* halt */
	EXO_CAP_DEVICE = 6,  /* object 0; range: device frames; rights READ|WRITE */
	EXO_CAP_TRACE = 7,   /* trace_start: what everybody does is recorded, for all to read */
};

enum {
	EXO_RIGHT_READ = 1,
	EXO_RIGHT_WRITE = 2,
	EXO_RIGHT_GRANT = 4,   /* may be granted to others */
	EXO_RIGHT_ADMIN = 8,   /* extent: free, split, recall, revoke; console: new session */
	EXO_RIGHT_ATTEND = 16, /* console: READ is for the operator, between two EXO_ATTENTION */
	EXO_RIGHTS_ALL = 255,
};
enum {
	EXO_ENV_BUILD = 1,   /* take and map frames for it, set it up, start it, use its frames */
	EXO_ENV_KILL = 2,    /* kill, read its report, reap */
	EXO_ENV_GIVE = 16,   /* put capabilities, quota and slots into it */
	EXO_ENV_CALL = 32,   /* call it: ipc_call */
	EXO_ENV_REVOKE = 64, /* ask for its pages and slots, and take them */
	/* EXO_RIGHT_GRANT = 4 as everywhere */
	EXO_ENV_ALL = 1 | 2 | 4 | 16 | 32 | 64,
};

/*
 * This byte at the console (Ctrl-]) takes the input from all who read it to who attends, with
 * EXO_RIGHT_ATTEND, and back again.  Who attends reads it when its turn begins.  While nobody
 * attends it is a byte as any other.
 */
enum { EXO_ATTENTION = 0x1d };

/* Slot 0 of every environment holds EXO_CAP_ENV for itself with all rights, and is never empty. */
#define EXO_SELF ((struct cslot){0})

/* ---- quotas ------------------------------------------------------------------------------ */

enum exo_quota_kind {
	EXO_QUOTA_PAGES = 0,
	EXO_QUOTA_SLOTS = 1,
	EXO_QUOTA_CAPS = 2,
	EXO_QUOTA_ENVS = 3,
	EXO_QUOTA_EXTENTS = 4,
	EXO_QUOTA_IO = 5,     /* requests in flight */
	EXO_QUOTA_DISK = 6,   /* shares of disk time; nothing is counted as used */
	EXO_QUOTA_GROUPS = 7, /* scheduling groups */
	EXO_NQUOTA = 8,
};

/* ---- environments ------------------------------------------------------------------------ */

enum exo_env_state {
	EXO_ENV_FREE = 0,
	EXO_ENV_BUILDING = 1,
	EXO_ENV_RUNNABLE = 2,
	EXO_ENV_WAITING = 3,
	EXO_ENV_ZOMBIE = 4,
	EXO_ENV_CALLING = 5, /* in ipc_call, until the reply */
};

/* What env_set changes. */
enum exo_env_what {
	EXO_SET_ROOT = 0,	  /* level-4 table frame; only while building */
	EXO_SET_SAVE = 1,	  /* save-area frame; only while building */
	EXO_SET_UPCALL_PAGE = 2,  /* upcall-stack frame; only while building */
	EXO_SET_UPCALL_VA = 3,	  /* where the program maps that page; page aligned, lower half */
	EXO_SET_UPCALL_ENTRY = 4, /* address of the handler; 0: none, so every fault ends it */
	EXO_SET_PRINCIPAL = 5,	  /* equal to or beneath the caller's; only while building */
	EXO_SET_NAME_LO = 6,	  /* 8 characters for people, first half */
	EXO_SET_NAME_HI = 7,
	EXO_SET_EVENT_UPCALL = 8, /* mask of events that come as upcalls while it runs */
	EXO_SET_SLICE_UPCALL = 9, /* EXO_SLICE_START | EXO_SLICE_END: upcalls it wants */
	EXO_SET_CALLS = 10,	  /* 0 or 1: others may call it (ipc_call); 0 at first */
};

enum { EXO_SLICE_START = 1, EXO_SLICE_END = 2 };

/*
 * The upcall EXO_UPCALL_END comes this long before the slice ends; who still runs when it ends
 * forfeits one of its later slices.
 */
enum { EXO_GRACE_NS = 100000 };

/* revoke_take: whatever is not used. */
#define EXO_TAKE_UNUSED UINT64_MAX

/* Nothing is taken from anybody sooner than one turn of the slice vector after it was asked for. */
enum { EXO_REVOKE_MIN_NS = 256000000 };

/* Why an environment ended; in its record until it is reaped. */
enum exo_end {
	EXO_END_NONE = 0,
	EXO_END_EXIT = 1,	  /* env_kill of itself; code is what it said */
	EXO_END_KILLED = 2,	  /* env_kill by a holder; code is what that one said */
	EXO_END_FAULT = 3,	  /* fault without a handler */
	EXO_END_UPCALL_FAULT = 4, /* fault on the upcall stack itself */
	EXO_END_UPCALL_STACK = 5, /* no usable upcall stack */
};

/* Events.  The low half is the kernel's, the high half may be posted by programs. */
#define EXO_EV_CHILD	   (1ull << 0) /* an environment it created ended */
#define EXO_EV_IO	   (1ull << 1) /* a completion was written to its ring */
#define EXO_EV_CONSOLE_IN  (1ull << 2)
#define EXO_EV_CONSOLE_OUT (1ull << 3) /* room again after a short console_write */
#define EXO_EV_EXTENT	   (1ull << 4) /* the extent change it asked for is durable or has failed */
#define EXO_EV_REVOKE	   (1ull << 5) /* something is asked back: its struct exo_revoke says what */
#define EXO_EV_TAKEN	   (1ull << 6) /* something was taken, ditto */
#define EXO_EV_GROUP	   (1ull << 7) /* its group's program failed: struct exo_group says how */
#define EXO_EV_USER	   0xffffffff00000000ull

/* Selectors of every program; there are no others, and DS, ES, FS and GS are 0. */
enum { EXO_USER_CS = 0x2b, EXO_USER_SS = 0x23 };

/* The registers of an environment that is not running; starts its save area. */
struct exo_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct exo_regs) == 176, "the trap entry pushes exactly this");

struct exo_save {
	struct exo_regs regs;
	uint64_t addr; /* faulting address, when the last trap was a page fault */
	uint64_t reserved;
	uint8_t fpu[512];	   /* FXSAVE image */
	uint64_t fs_base, gs_base; /* kept where the CPU has FSGSBASE; else 0 */
	uint8_t unused[4096 - 176 - 16 - 512 - 16];
};
_Static_assert(sizeof(struct exo_save) == 4096, "one page");

/* ---- downloaded programs ----------------------------------------------------------------- */

/* Limits of what bpf_begin to bpf_verify load, beside those of exo/bpf.h and exo/wake.h. */
enum {
	EXO_GROUP_STEPS = 2048, /* most steps of a decision: over it, EXO_BPF_BUDGET */
	EXO_BPF_PUT = 32,	/* most instructions of one bpf_put */
	EXO_BPF_LOOK = 64,	/* most that one bpf_verify looks at */
	/* Ticks after which who loads must make room, and for which who is next has its turn. */
	EXO_BPF_TICKS = 512,
};

/* What bpf_verify answers: a reason (exo/bpf.def), the instruction it is about, steps. */
#define EXO_BPF_ANSWER_REASON(value) ((uint32_t)((value)&0xffff))
#define EXO_BPF_ANSWER_AT(value)     ((uint32_t)((value) >> 16 & 0xffff))
#define EXO_BPF_ANSWER_STEPS(value)  ((uint32_t)((value) >> 32))

/* Failures in a row after which a group loses its program. */
enum { EXO_GROUP_FAILURES = 16 };

/* ---- upcalls ----------------------------------------------------------------------------- */

enum exo_upcall_type {
	EXO_UPCALL_FAULT = 0, /* vector: the exception; addr: cr2 for page faults */
	EXO_UPCALL_EVENT = 1, /* addr: the pending events of its event-upcall mask */
	EXO_UPCALL_SLICE = 2, /* a slice starts; the frame holds where it was interrupted */
	EXO_UPCALL_END = 3,   /* its slice ends in EXO_GRACE_NS: yield before */
};

/*
 * An upcall is a call injected into the program: general and FPU registers are as the program left
 * them, and this frame is on top of the upcall stack with rsp at its first word.  "addq $24,%rsp;
 * iretq" returns from it without the kernel.
 */
struct exo_upcall_frame {
	uint64_t what; /* type | vector << 8 */
	uint64_t error;
	uint64_t addr;
	uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct exo_upcall_frame) == 64, "8 words");

/* Start of the upcall-stack page; the rest is the stack, growing down from its end. */
struct exo_upcall_head {
	uint64_t defer; /* nonzero: no event and no slice upcalls now (faults always come) */
	uint64_t reserved[7];
};
_Static_assert(sizeof(struct exo_upcall_head) == 64, "one line");

/* ---- disk I/O ---------------------------------------------------------------------------- */

enum exo_io_op {
	EXO_IO_READ = 1,
	EXO_IO_WRITE = 2,
	EXO_IO_FLUSH = 3, /* everything this drive has completed is durable */
	EXO_IO_CLEAR = 4, /* the kernel writes zeros; makes blocks of a new extent readable */
};

enum { EXO_RING_SQ = 32, EXO_RING_CQ = 64, EXO_RING_LIST = 480 };

struct exo_sqe {
	uint8_t op;	   /* enum exo_io_op */
	uint8_t reserved0; /* 0 */
	uint16_t cap;	   /* capability slot: EXO_CAP_EXTENT */
	uint16_t pages;	   /* capability slot for the frames: EXO_SELF, or EXO_CAP_PAGES */
	uint16_t count;	   /* blocks, 1..EXO_IO_BLOCKS; 0 for FLUSH */
	uint64_t block;	   /* first block, on the extent's drive */
	uint32_t list;	   /* READ, WRITE: list[list .. list+count) are the frame numbers */
	uint32_t reserved1;
	uint64_t tag; /* comes back in the completion */
};
_Static_assert(sizeof(struct exo_sqe) == 32, "SQ entry");

struct exo_cqe {
	uint64_t tag;
	uint32_t status; /* enum exo_status */
	uint32_t count;	 /* blocks transferred */
};
_Static_assert(sizeof(struct exo_cqe) == 16, "CQ entry");

/*
 * The ring is one data page of the program.  Indices run freely; entry i is at i % size.  The
 * kernel reads an entry and its part of the list once, at io_submit, and not again.
 */
struct exo_ring {
	uint32_t sq_tail; /* program: entries put */
	uint32_t sq_head; /* kernel: entries taken */
	uint32_t cq_tail; /* kernel: completions put */
	uint32_t cq_head; /* program: completions taken */
	uint32_t reserved[12];
	struct exo_sqe sq[EXO_RING_SQ];
	struct exo_cqe cq[EXO_RING_CQ];
	uint32_t list[EXO_RING_LIST];
	uint32_t reserved2[16];
};
_Static_assert(sizeof(struct exo_ring) == 4096, "one page");

#endif
