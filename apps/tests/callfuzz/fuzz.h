/*
 * fuzz.h - what the driver and its children share.
 *
 * The driver (main.c, child.c, report.c) is a program on the bare libOS.  A child is an environment
 * with an address space of its own: the driver's code and constants, mapped by right of the driver,
 * so that the child cannot change them; one page of struct shared, where it leaves word of what it
 * does; and pages of its own, to be ruined.  Code of children (body.c, args.c, helpful.c, damage.c,
 * body.S) has therefore no static data, and calls nothing that has.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/layout.h>
#include <libos/tables.h>
#include <libos/vm.h>

enum {
	CALLS = 64, /* numbers that are counted one by one; the last place: those unknown */
	UNKNOWN = CALLS - 1,
	ARGS = 6,
	VECTORS = 32,
	HINTS = 64, /* own frames that a child remembers */
};

/* Numbers of calls, for the few that are treated in a way of their own. */
enum number {
#define CALL(number, name, nargs, args, what, errors, bound, example) N_##name = number,
#include <exo/syscall.def>
#undef CALL
};

/* How many statuses there are; a call answers none beyond. */
enum {
	STATUSES = 0
#define STATUS(name, number, meaning) +1
#include <exo/status.def>
#undef STATUS
};

/* A child's address space: two page tables of level 1. */
enum {
	CHILD_RING = LAYOUT_RING,
	CHILD_SHARED = 0x203000,
	CHILD_CODE = 0x205000,	/* executable: random bytes */
	CHILD_ARENA = 0x240000, /* writable */
	CHILD_ARENA_PAGES = 8,
	CHILD_STACK_PAGES = 4,
	CHILD_STACK = 0x400000, /* its top */
	ARENA_INDEX = 64,	/* of the arena, in its page table; what follows up to ... */
	FREE_INDEX_END = 400,	/* ... this is free for mappings */
};

/* Capability slots of a child. */
enum {
	CHILD_CAP_CONSOLE = 1,
	CHILD_CAP_SCREEN = 6,
	CHILD_CAP_TRACE = 7,
	CHILD_CAP_EXTENT = 8,
	CHILD_CAP_SIBLING = 9,
};

/* All registers, for a leap (body.S knows the order). */
struct leap {
	uint64_t rax, rdi, rsi, rdx, r10, r8, r9, rcx, r11;
	uint64_t rbx, rbp, r12, r13, r14, r15, rsp;
	uint64_t rflags, rip;
	const uint8_t *fpu; /* FXSAVE image to load first; NULL: none */
};

struct counts {
	uint64_t made[CALLS], granted[CALLS];
	uint64_t vector[VECTORS]; /* faults that reached the handler */
	uint64_t upcalls;	  /* other upcalls */
	uint64_t codes;		  /* times that random bytes were run */
	uint64_t restarts;	  /* times that a child began anew after a fault in its own code */
	uint64_t dirty;		  /* calls after which a register was not as promised */
};

/* One page: written by the child, read by the driver.  body.S knows the first five words. */
struct shared {
	uint64_t resume;  /* stack pointer inside fuzz_leap */
	uint64_t target;  /* where it leaps to */
	uint64_t inside;  /* 1 from the leap until it is back */
	uint64_t secret;  /* or of the argument registers after a call */
	uint64_t differs; /* or of the differences of the registers that a call keeps */
	struct counts n;
	uint64_t random; /* state of the generator; the seed at first */
	uint64_t calls, budget;
	uint64_t self;		    /* eid */
	uint64_t number, arg[ARGS]; /* the last call */
	uint32_t careless;	    /* may end itself, and forget deadlines */
	uint32_t known;		    /* call numbers that exist are below */
	uint8_t nargs[CALLS], kind[CALLS][ARGS];
};
_Static_assert(sizeof(struct shared) <= 4096, "one page");
_Static_assert(offsetof(struct shared, n) == 40 && offsetof(struct counts, vector) == 1024 &&
		       offsetof(struct counts, upcalls) == 1280 &&
		       offsetof(struct counts, restarts) == 1296,
	       "as in body.S");
_Static_assert(offsetof(struct leap, rsp) == 120 && offsetof(struct leap, fpu) == 144, "ditto");

/* What a child knows of itself; on its stack. */
struct body {
	struct shared *s;
	uint32_t self; /* index of its record */
	uint32_t hints, hint[HINTS];
	uint32_t run; /* 512 own DATA frames in a row, aligned; 0: none */
	uint8_t fpu[512] __attribute__((aligned(64)));
};

/* ---- body.S ------------------------------------------------------------------------------ */

/* Where a child begins: rdi is its struct shared. */
extern const uint8_t fuzz_entry[], fuzz_upcall[], fuzz_syscall[];

/* All registers from *l, then on at its rip; comes back after a call there, or by a fault. */
struct exo_result fuzz_leap(const struct leap *l);

/* ---- body.c: what a child does ------------------------------------------------------------ */

_Noreturn void fuzz_body(struct shared *s);

static inline uint64_t fuzz_random(struct shared *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random * 0x2545f4914f6cdd1dull >> 11;
}

static inline uint64_t fuzz_below(struct shared *s, uint64_t n)
{
	return fuzz_random(s) % n;
}

/* True in one of n cases. */
static inline int fuzz_one_in(struct shared *s, uint64_t n)
{
	return fuzz_below(s, n) == 0;
}

/* ---- args.c ------------------------------------------------------------------------------ */

/* Fills in nargs and kind from the table of calls: the kind of an argument is told by its name. */
void args_kinds(struct shared *s);

/* A value of this kind that is likely to be right; of no kind: any word. */
uint64_t args_right(struct body *b, uint8_t kind);

/* Any word: random, at a bound, an address of the kernel's or none, or a small number. */
uint64_t args_wild(struct body *b);

/* Who is to sleep in this call wakes up soon. */
void args_wake(struct body *b, uint32_t number, uint64_t *a);

const char *args_call_name(uint32_t number);

/* Is there no such call? */
int args_unknown(uint32_t number);

/* Calls that no child can be granted. */
int args_never(uint32_t number);

/* A frame that b owns, of this state, and of this level when it is not 0; 0: it knows none. */
uint32_t args_own_frame(struct body *b, uint8_t state, uint8_t level);

/* A slot of b with a capability of this kind; some empty one for EXO_CAP_NONE. */
uint32_t args_slot(struct body *b, uint8_t kind);

/* The environment that slot `ce` of b names; b itself when it names none. */
uint32_t args_env(const struct body *b, uint64_t ce);

/* ---- helpful.c: arguments that must fit each other ----------------------------------------- */

void helpful(struct body *b, uint32_t number, uint64_t *a);

/* ---- damage.c ---------------------------------------------------------------------------- */

/* Random contents of registers, flags and FPU around a call. */
void damage_registers(struct body *b, struct leap *l);

/* Puts random bytes into the page that may be executed, and runs them. */
void damage_run(struct body *b);

/* Puts entries into the ring. */
void damage_ring(struct body *b);

/* ---- child.c: the driver's side ------------------------------------------------------------ */

struct kid {
	struct build build; /* eid 0: there is none */
	struct shared *s;
	uint64_t seed;
	uint64_t calls, ticks, when; /* where it was when it was last seen to get on */
	uint64_t wedged;	     /* 1: it was ended because it did not get on */
};

/* Capability slots of the driver. */
enum { KID_CAP_CONSOLE = 12, KID_CAP_SPARE = 13 };

/* Makes and starts a child; sibling may be NULL.  0, or a negative errno. */
int kid_start(struct kid *k, const struct kid *sibling, uint64_t seed, uint64_t budget);

/* Gives another child a capability to k, where that one has an empty slot for it. */
void kid_introduce(const struct kid *k, const struct kid *to);

/* Why children ended; the first ones are enum exo_end. */
enum { DEATH_WEDGED = 6, DEATH_REAPED = 7, DEATHS = 8 };

/* Looks after it: 1 when it has ended and nothing is left of it; then *death says why it did. */
int kid_look(struct kid *k, uint32_t *death);

/* Drops what children are granted; it is made anew for the next one. */
void kids_drop_grants(void);

/* Ends and takes apart the children of children: how many could not be yet. */
uint32_t kids_orphans(const struct kid *kids, uint32_t count);

/* ---- extents.c --------------------------------------------------------------------------- */

/* Sees to it that LAYOUT_CAP_EXTENT is good for the extent that children write to: 1 when it is. */
int extents_prey(void);

/* Frees the extents that children have left: how many could not be yet. */
uint32_t extents_clear(void);

/* ---- report.c ---------------------------------------------------------------------------- */

struct totals {
	struct counts n;
	uint64_t kids, death[DEATHS], scribbled, failed_starts;
	struct exo_quota used, limit; /* the driver's own before the first child */
};

void report_begin(struct totals *t);
void report_add(struct totals *t, const struct shared *s);

/* Prints everything; the exit status. */
int report_end(const struct totals *t, uint64_t seed);

#endif
