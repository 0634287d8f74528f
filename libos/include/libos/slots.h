/*
 * slots.h - CPU slots as a thing to have: taking, placing, giving, lending them, and what came of
 * it.
 *
 * The CPU is a vector of SLOTS slots of a ms, in a circle; whose each is, and how often it was
 * used, everybody reads in the kernel's tables.  Owns nothing.  Whose slots are meant is said by a
 * capability slot for the environment (spawn_cap() of a child), 0 being the caller.  Errors are
 * negative errnos, in words by slots_why().  What is refused has changed nothing.
 * Called by programs, and by the command `slots` (apps/lib/slots.c).
 */
#ifndef LIBOS_SLOTS_H
#define LIBOS_SLOTS_H

#include <stdint.h>

enum { SLOTS = 256 };

/* Some of the vector: bit n % 64 of word n / 64 is slot n. */
struct slots {
	uint64_t bit[SLOTS / 64];
};

static inline int slots_has(const struct slots *s, uint32_t n)
{
	return s->bit[n / 64] >> n % 64 & 1;
}

static inline void slots_add(struct slots *s, uint32_t n)
{
	s->bit[n / 64] |= 1ull << n % 64;
}

uint32_t slots_count(const struct slots *s);
struct slots slots_union(const struct slots *a, const struct slots *b);
struct slots slots_without(const struct slots *a, const struct slots *b);

/* ---- places (core/slots_plan.c) ------------------------------------------------------------- */

/*
 * Chooses from `usable` as few as possible so that any `every` slots in a row have at least n of
 * the chosen: n ms in every `every` ms, whenever one begins to count.  -EINVAL: n is 0 or more than
 * `every`, or that more than SLOTS; -ENOSPC: found no way.  For n of 1 there is none then.
 */
int slots_plan(struct slots *plan, const struct slots *usable, uint32_t n, uint32_t every);

/* How many of s are among `every` slots in a row, where there are fewest. */
uint32_t slots_least(const struct slots *s, uint32_t every);

/* ---- owning (core/slots.c) ------------------------------------------------------------------ */

/* What environment `index` owns; 0: what is nobody's. */
struct slots slots_of(uint32_t index);

/* The environment that capability slot `cap` of the caller names; 0: none. */
uint32_t slots_owner(uint32_t cap);

/* Nobody's become the caller's, all of them: -EDQUOT: its quota is used up; -EBUSY: one is taken.
 */
int slots_take(const struct slots *s);

/* The caller's become nobody's: -EACCES: one is not the caller's. */
int slots_free(const struct slots *s);

/* The caller's, and its quota for them, pass to another: -EACCES, -ESRCH. */
int slots_give(uint32_t cap, const struct slots *s);

/*
 * Has them back, from who was given them and may want to keep them: asks (libos/revoke.h), waits,
 * and takes what is not free by then.  Takes a quarter of a second, or more.  How many came back.
 */
int slots_recall(uint32_t cap, const struct slots *s);

/*
 * `cap` has n slots in any `every` from now on, as by slots_plan: of its own, nobody's, and, if
 * that is not enough, the caller's, who keeps one.  What it got goes to *got (may be NULL): its own
 * that serve are not among that.  Errors as slots_plan, slots_take and slots_give.
 */
int slots_reserve(uint32_t cap, uint32_t n, uint32_t every, struct slots *got);

/* How many slots the caller may take more. */
uint32_t slots_room(void);

/* What an errno of the above means for slots. */
const char *slots_why(int error);

/* ---- what came of it ------------------------------------------------------------------------ */

/* How often slots came up since boot, whoever had them: take differences. */
struct slots_use {
	uint64_t used;	 /* their owner, or who serves its call, ran */
	uint64_t missed; /* it could not */
	uint64_t given;	 /* they fell to others: missed, or forfeited */
};

struct slots_use slots_used(const struct slots *s);

/* What is counted by environment, not by slot. */
struct slots_account {
	char name[17];
	uint64_t ran;	     /* slots, anybody's, that began with it */
	uint64_t donated;    /* it yielded what was left of one */
	uint32_t overrun;    /* it was still there after being told of the end */
	uint32_t to_forfeit; /* slots it is to lose for that */
};

/* 0, or -ESRCH: there is no environment of this index. */
int slots_account(uint32_t index, struct slots_account *out);

#endif
