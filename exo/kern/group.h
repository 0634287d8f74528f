/*
 * group.h - scheduling groups: whose slots, whose members, whose program chooses.
 *
 * A slot that its owner has handed to a group is for whom the group's program names, while that is
 * a member that can run; else it is as any slot of its owner.  Invariant: a group that is nobody's
 * is all zeros; the slots of a group are its owner's, and counted; envs[].group and place agree
 * with the members, none of which has ended; a program that is set was verified for the group's
 * snapshot, with at most EXO_GROUP_STEPS.
 */
#ifndef KERN_GROUP_H
#define KERN_GROUP_H

#include <exo/tables.h>
#include "bpf.h"
#include "table_section.h"

/* What a group's program sees, and the same as the bytes that the interpreter reads. */
union scene {
	struct exo_sched sched;
	uint8_t bytes[sizeof(struct exo_sched)];
};

extern struct exo_group groups[EXO_NGROUP];
extern union scene scenes[EXO_NGROUP];
extern struct bpf_program group_programs[EXO_NGROUP];

/*@ // what the interpreter may be given: it was accepted
    predicate group_sound(integer g) = checked(&group_programs[g]) &&
      group_programs[g].steps <= EXO_GROUP_STEPS &&
      group_programs[g].context_size == sizeof(struct exo_sched);
    predicate members_kept(struct exo_sched *s) = s->members <= EXO_SCHED_MEMBERS &&
      (\forall integer i; 0 <= i < EXO_SCHED_MEMBERS ==> s->member[i].env < EXO_NENV) &&
      (\forall integer i; s->members <= i < EXO_SCHED_MEMBERS ==> s->member[i].env == 0);
    predicate group_kept(integer g) = groups[g].owner < EXO_NENV &&
      groups[g].row < EXO_GROUP_FAILURES && members_kept(&scenes[g].sched) &&
      (groups[g].insns != 0 ==> groups[g].owner != 0 && group_sound(g)); */

/*
 * The slot at which the CPU is now is group g's: the member that its program gives it to, which can
 * run.  0: the vector decides.  One run of the program, a pass over the members.
 */
uint32_t group_choose(uint32_t g);

/* Does environment e own group g (any number)?  RANGE, PERM. */
enum exo_status group_owned(uint32_t e, uint64_t g);

/* Group g gets the program that was verified, in place of the one it had. */
void group_program(uint32_t g, const struct bpf_program *program);

/* e ends: it is a member no more. */
void group_env_end(uint32_t e);

/* The ZOMBIE z gives up its group: RANGE, PERM, BUSY while it has slots. */
enum exo_status group_reclaim(uint32_t z, uint64_t g);

#endif
