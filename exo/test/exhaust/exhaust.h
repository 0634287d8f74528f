/*
 * exhaust.h - what a subsystem's world says to the engine that goes through all of it.
 *
 * A world is a small machine with its first state, the calls that its environments make with all
 * the arguments they try, and what may come from outside.  A move is one call of one environment
 * with one choice of arguments, or one thing from outside.
 */
#ifndef EXHAUST_H
#define EXHAUST_H

#include <exo/tables.h>
#include "../seen.h"
#include "snapshot.h"

enum call_number {
#define CALL(number, name, nargs, args, what, errors, bound, example) CALL_##name = number,
#include <exo/syscall.def>
#undef CALL
};

enum { ARGS = 6, VALUES = 12 };

/* What an argument is tried with. */
struct domain {
	uint32_t n;
	uint64_t v[VALUES];
};

#define D(...)                                                                                     \
	{                                                                                          \
		sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t),                              \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

/* Values that depend on the state in which the call is made. */
#define TAG_EID		0xe100000000000000ull
#define TAG_OLD		0xe200000000000000ull
#define TAG_NOW		0xe300000000000000ull
#define TAG_ENTRY	0xe400000000000000ull
#define EID(e)		(TAG_EID | (uint64_t)(e))	    /* the eid of environment e, now */
#define OLD_EID(e)	(TAG_OLD | (uint64_t)(e))	    /* that of the generation before */
#define IN(nanoseconds) (TAG_NOW | (uint64_t)(nanoseconds)) /* a time, so long from now */
/* A place in the set of the registry that a block of extent x belongs to. */
#define BIND_ENTRY(x, block, place)                                                                \
	(TAG_ENTRY | (uint64_t)(x) << 40 | (uint64_t)(block) << 8 | (uint64_t)(place))

struct call {
	uint32_t number;
	uint32_t who; /* bit e: environment e makes it; 0: all of the world's */
	int in_vain;  /* it is never granted, and is tried for its refusals */
	/* The program does this before, with the arguments, which then are not the call's. */
	void (*prepare)(uint32_t e, const uint64_t *a);
	struct domain arg[ARGS];
};

#define DO(name, ...)                                                                              \
	{                                                                                          \
		.number = CALL_##name, .arg = { __VA_ARGS__ }                                      \
	}
#define AS(mask, name, ...)                                                                        \
	{                                                                                          \
		.number = CALL_##name, .who = (mask), .arg = { __VA_ARGS__ }                       \
	}
#define IN_VAIN(name, ...)                                                                         \
	{                                                                                          \
		.number = CALL_##name, .in_vain = 1, .arg = { __VA_ARGS__ }                        \
	}

/* Something that no environment does: 0 where it cannot happen now. */
struct outside {
	const char *name;
	int (*act)(void);
};

struct world {
	const char *name;
	const char *what;    /* in a few words, for people */
	void (*begin)(void); /* makes the first state */
	uint32_t who;	     /* bit e: environment e makes calls */
	int scheduled; /* only who is on the CPU; else whoever can run, as if it were its turn */
	const struct call *calls;
	uint32_t call_count;
	const struct outside *outside;
	uint32_t outside_count;

	/* Frames whose numbers mean nothing: all that the calls do with one they do with each. */
	uint32_t frames, frame_count;
	/* The same of capability slots, in every environment. */
	uint32_t slots, slot_count;

	/* Null, or what is wrong with this state beyond what every world is judged by. */
	const char *(*judge)(void);
	/* 1: too far away to be gone on from (a count that has no bound).  May be null. */
	int (*beyond)(void);
	/* Takes out of the state what cannot matter, in this world.  May be null. */
	void (*plain)(void);
	uint32_t states; /* at most so many are gone on from, in a small run */
};

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* ---- each of the two programs has one of these --------------------------------------------- */

extern const struct world *const worlds[];
extern const uint32_t world_count;

/* The state is the one from which calls are judged from now on. */
void machine_remember(void);

/* A move is about to be made. */
void machine_watch(void);

/* What is wrong after a granted call of `me` (0: after something from outside), or null. */
const char *machine_judge(uint32_t me);

/* May a call that this status refuses have changed what it has, since the image? */
int machine_noted(enum exo_status status, struct image before);

/* The clock. */
uint64_t *machine_clock(void);

/* What programs, hardware and the way out of the kernel do at once after each move. */
void machine_settle(int scheduled);

/* Takes generations of extents, and what else only this program has, out of the state. */
void machine_plain(void);

#endif
