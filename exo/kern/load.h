/*
 * load.h - programs on their way in: put together, verified a part at a time, then in use.
 *
 * One environment loads at a time, since what the verifier knows takes 235 KB and is there once.
 * Who wants to waits by being marked, and comes to its turn in the circle of numbers: everybody
 * else loads at most once before, for at most EXO_BPF_TICKS, and no hurry of theirs changes that.
 * Invariant: who loads, waits, or has its turn has not ended; not both does one load and another
 * have its turn; who loads for a group owns it.
 */
#ifndef KERN_LOAD_H
#define KERN_LOAD_H

#include <exo/tables.h>
#include "bpf.h"
#include "group.h"
#include "info.h"

struct load {
	uint32_t env;	    /* who loads; 0: nobody */
	uint32_t group;	    /* for this group; 0: its wake-up predicate */
	uint32_t verifying; /* nothing can be put any more */
	uint32_t turn;	    /* who may be next; 0: not sought yet */
	uint32_t last;	/* who loaded last, or let its turn pass: the circle goes on behind it */
	uint64_t since; /* tick at which env began, or turn came */
};

enum { LOAD_WORDS = EXO_NENV / 64 };

extern struct load load;
extern struct bpf_program load_program;	  /* what has been put */
extern uint64_t load_waiting[LOAD_WORDS]; /* bit per environment that has found others before it */

/*@ predicate load_kept = load.env < EXO_NENV && load.turn < EXO_NENV && load.last < EXO_NENV &&
      load.group < EXO_NGROUP && load.since <= info.ticks &&
      (load.env == 0 || load.turn == 0) &&
      (load.env != 0 && load.group != 0 ==> groups[load.group].owner == load.env) &&
      (load.env != 0 ==>
	load_program.count <= (load.group != 0 ? EXO_BPF_MAX_INSNS : EXO_WAKE_INSNS));

    // a copy of a program with right fields is one
    lemma halves_copied{A,B}: \forall struct exo_bpf_insn *from, *to, integer n;
      \at(checked_insns(from, n), A) &&
      (\forall integer k; 0 <= k < n ==> \at(from[k], A) == \at(to[k], B)) ==>
      \at(halves(to, n), B);
    lemma sound_copied{A,B}: \forall struct exo_bpf_insn *from, *to, integer n;
      \at(checked_insns(from, n), A) &&
      (\forall integer k; 0 <= k < n ==> \at(from[k], A) == \at(to[k], B)) ==>
      \at((\forall integer pc; 0 <= pc < n ==> sound(to[pc], pc, n)), B);
    lemma checked_copied{A,B}: \forall struct exo_bpf_insn *from, *to, integer n;
      \at(checked_insns(from, n), A) &&
      (\forall integer k; 0 <= k < n ==> \at(from[k], A) == \at(to[k], B)) ==>
      \at(checked_insns(to, n), B); */

/* Group g is freed: nobody loads for it. */
void load_drop(uint32_t g);

/* e ends: it neither loads nor waits. */
void load_env_end(uint32_t e);

#endif
