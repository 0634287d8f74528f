/*
 * attack.h - what the attacks share: the scoreboard, victims, children and threads to sacrifice, a
 * ring, and a way to run instructions that should fault.
 *
 * An attack is named by a claim of doc/book/7-security.md and is one file, NAME.c, whose entry is
 * attack_NAME().  It makes attempts to get what is not the program's; each is scored as refused (a
 * call said no), contained (what was tried had no effect on others) or succeeded, and the program
 * fails when any succeeded.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <libos/call.h>
#include <libos/tables.h>

/* Every attack, in the order in which they run: those that leave their traces come last. */
#define ATTACKS(DO)                                                                                \
	DO(forgery)                                                                                \
	DO(principals)                                                                             \
	DO(frames)                                                                                 \
	DO(paging)                                                                                 \
	DO(tlb)                                                                                    \
	DO(pointers)                                                                               \
	DO(privilege)                                                                              \
	DO(vectors)                                                                                \
	DO(step)                                                                                   \
	DO(sysret)                                                                                 \
	DO(upcalls)                                                                                \
	DO(halt)                                                                                   \
	DO(console)                                                                                \
	DO(trace)                                                                                  \
	DO(deputy)                                                                                 \
	DO(timeout)                                                                                \
	DO(remains)                                                                                \
	DO(blocks)                                                                                 \
	DO(revocation)                                                                             \
	DO(dma)                                                                                    \
	DO(ring)                                                                                   \
	DO(stale)                                                                                  \
	DO(starve)                                                                                 \
	DO(group)                                                                                  \
	DO(quota)                                                                                  \
	DO(calls)

#define DECLARE(name) void attack_##name(void);
ATTACKS(DECLARE)
#undef DECLARE

enum { MS = 1000000, RW = EXO_MAP_READ | EXO_MAP_WRITE, RX = EXO_MAP_READ | EXO_MAP_EXEC };

/* ---- main.c: the score ------------------------------------------------------------------- */

/* One attempt, by its outcome: a line. */
void score(const char *name, int ok);

/* The call must not have answered OK: a line. */
void refused(const char *name, struct exo_result r);

/* The call must have answered exactly this: a line. */
void answered(const char *name, struct exo_result r, enum exo_status status);

/* Many attempts of one kind: each is counted, sum_up() makes one line of them. */
void tally(int ok);
void tally_refused(struct exo_result r);
void tally_answered(struct exo_result r, enum exo_status status);
void sum_up(const char *name);

/* An attack needs something it could not get: counts as failed, since nothing was shown. */
void unprepared(const char *name);

uint64_t next_random(void);

/* Lets others run, or not, for a random while; `other` (an eid, or 0) rather than anybody. */
void disturb(uint64_t other);

/* ---- main.c: who and what is there --------------------------------------------------------- */

uint32_t self_index(void);
uint64_t eid_of(uint32_t e);

/* A frame in `state` that belongs (or not) to this program; 0: there is none. */
uint32_t find_frame(enum exo_page_state state, int own);

/* An environment that is not this one and runs; 0: none. */
uint32_t find_victim(void);

/* An environment record that is free; 0: none. */
uint32_t find_free_env(void);

/* An empty capability slot of this program, not `after` or below. */
uint32_t free_slot(uint32_t after);

/* This program's level-1 table of the region where it maps and unmaps (SCRATCH); 0: none. */
enum { SCRATCH = 0x20000000 };
uint32_t scratch_table(void);

/* ---- child.c ----------------------------------------------------------------------------- */

enum {
	CHILD_CAP = 40, /* capability slots for children, from here on */
	THREAD_CAP = 41,
	OTHER_CAP = 42,
	CHILD_CODE = 0x400000, /* one page: child.S; a thread: this program's image */
	CHILD_DATA = 0x401000, /* stack, growing down from the end of the page */
	CHILD_UPCALL = 0x402000,
	THREAD_STACK = 0x5fc000, /* two pages */
	THREAD_RING = 0x5fe000,	 /* a page of its own */
	THREAD_UPCALL = 0x5ff000,
};

/* What a child does when it has started; the routines of child.S. */
enum child_task {
	CHILD_SPIN,	       /* runs for ever without yielding */
	CHILD_FAULT_IN_UPCALL, /* faults, and again in its handler */
	CHILD_LOST_STACK,      /* faults with its upcall page not where it said */
	CHILD_NO_HANDLER,      /* faults without a handler */
	CHILD_NONCANONICAL,    /* jumps to an address that is none */
	CHILD_HLT,
	CHILD_CLI,
	CHILD_IN,
	CHILD_OUT,
	CHILD_WRMSR,
	CHILD_CR3,
	CHILD_LGDT,
	CHILD_INT32,	   /* int $32, the kernel's interrupt */
	CHILD_IRET_KERNEL, /* iretq to the kernel's code segment */
	CHILD_JUMP_KERNEL, /* calls into kernel text */
	CHILD_READ_KERNEL,
	CHILD_WRITE_TABLES, /* writes to the read-only tables */
	CHILD_TASKS
};

struct child {
	uint32_t index;
	uint32_t cap;  /* slot */
	uint32_t leaf; /* level-1 table of the region at CHILD_CODE */
	uint64_t eid;
};

/* Makes and starts a child; 1, or 0 when something was not to be had. */
int child_start(struct child *c, enum child_task task);

/* Waits up to ms for its end; 1 when it has ended. */
int child_wait(const struct child *c, uint64_t ms);

/* Kills it where needed, takes everything back.  1 when nothing of it is left. */
int child_end(const struct child *c);

/* Takes a frame that the child owns and pays for; 0: none. */
uint32_t child_take(const struct child *c, uint64_t type);

/*
 * A thread is an environment with this program's image, data included, at the same addresses; its
 * capabilities, stack and frames are its own.  It must use nothing of the libOS that is about one's
 * own environment: calls, and memory that is there.
 */
struct thread {
	struct child c;
	void (*run)(struct thread *);
	uint64_t arg;
	uint32_t frames[8];		/* frames of its own, for what `run` does */
	uint64_t other;			/* eid of whoever it plays against */
	volatile uint64_t stop, rounds; /* asked to end; what it has done */
	volatile uint64_t result[8];
};

/* Builds a thread in capability slot `cap`; it may get capabilities before it starts. */
int thread_make(struct thread *t, uint32_t cap, void (*run)(struct thread *));
int thread_go(struct thread *t);

/* thread_make, go, and wait for its end; the caller ends it by child_end(). */
int thread_run(struct thread *t, uint32_t cap, void (*run)(struct thread *));

/* Waits up to ms until t has done `rounds`. */
int thread_wait(const struct thread *t, uint64_t rounds, uint64_t ms);

/* ---- try.c: instructions that should fault --------------------------------------------------- */

enum { TRY_NOTHING = 0, GP = 13, PF = 14, UD = 6, DB = 1, BP = 3 };

struct tried {
	uint32_t fault; /* 0: it came to its end; else the exception's vector */
	uint64_t error;
	uint64_t addr;
	uint64_t rip, rflags; /* where it was then */
};

/* Runs code of up to 64 bytes, with rdi = arg; comes back whatever it does. */
struct tried try_code(const uint8_t *code, uint32_t bytes, uint64_t arg);

/* One access: 1 when it was allowed. */
int can_read(uint64_t va);
int can_write(uint64_t va);

/* ---- requests.c: a ring ---------------------------------------------------------------------- */

extern struct exo_ring ring_page; /* also threads' */

enum { DATA_PAGES = 16, TRANSFER_MS = 3000 };
extern uint64_t ring_data[DATA_PAGES * 512]; /* present once ring_open() has said so */

/* The ring page becomes this program's ring; 1, or 0. */
int ring_open(void);
void ring_close(void);

/* The first extent of this program's principal, whole, in slot `cap`, all of it readable; 0: no. */
uint32_t prey_open(uint32_t cap);

/* Frame of page i of ring_data. */
uint32_t data_frame(uint32_t i);

/* One request; what its completion says. */
uint64_t ring_request(struct exo_sqe e);

/* Puts an entry, without a call. */
void ring_put(struct exo_sqe e);

/*
 * A thread in slot `cap` that reads the first blocks of `extent` (a slot of this program) into
 * frames[1..6] of its own, by its slot READER_CAP, with frames[0] as its ring; 1 when it has begun.
 */
enum { READER_CAP = 10 };
int reader_start(struct thread *t, uint32_t cap, uint32_t extent);

/* Until nothing of this program is in flight; 1, or 0 after TRANSFER_MS. */
int ring_drain(void);

#endif
