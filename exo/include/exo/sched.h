/*
 * sched.h - what a downloaded scheduler sees: a snapshot of its group, and what it answers.
 *
 * The program is called with r1 = the address of a struct exo_sched and r2 = its size, and answers
 * with the index of the member that is to run in this slot.  Any other answer (EXO_SCHED_NONE is
 * one) leaves the slot to the vector.  It cannot write: what it has to remember is either counted
 * for it (used, missed, since, last) or kept in the words, which the member itself or the owner of
 * the group sets and whose meaning is between them and the program.
 */
#ifndef EXO_SCHED_H
#define EXO_SCHED_H

#include <stdint.h>

enum {
	EXO_SCHED_MEMBERS = 64,
	EXO_SCHED_NONE = 64, /* nobody */
	EXO_SCHED_WORDS = 4,
};

struct exo_sched_member {
	uint32_t env;	   /* environment index; 0: nobody has this place */
	uint32_t runnable; /* 1: it can run now */
	uint64_t used;	   /* slots of the group that began with it */
	uint64_t missed;   /* slots that it was chosen for and could not use */
	uint64_t since;	   /* tick since when it has been runnable without running */
	uint64_t word[EXO_SCHED_WORDS];
};
_Static_assert(sizeof(struct exo_sched_member) == 64, "member of a scheduling group");

struct exo_sched {
	uint64_t now;	  /* ns since boot */
	uint64_t tick;	  /* slots passed since boot */
	uint32_t slot;	  /* place in the vector of the slot that is to be filled */
	uint32_t members; /* places that may be taken: 0 .. members-1 */
	uint32_t last;	  /* who ran in the group's slot before; EXO_SCHED_NONE: nobody */
	uint32_t reserved[9];
	struct exo_sched_member member[EXO_SCHED_MEMBERS];
};
_Static_assert(sizeof(struct exo_sched) == 64 + 64 * EXO_SCHED_MEMBERS, "scheduling group");

#endif
