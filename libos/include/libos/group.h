/*
 * group.h - scheduling groups: CPU slots that a downloaded program deals out among members.
 *
 * A group is slots of its owner, up to GROUP_MEMBERS environments, and a program in BPF that the
 * kernel runs whenever such a slot begins (doc/book/10-downloaded-schedulers.md).  What it sees is
 * in exo/sched.h.  Owns nothing.  A group is known by its number; only its owner may change it, and
 * a member its own words.  Errors are negative errnos: -EACCES for a group that is another's.
 * Called by programs, and by the command `group` (apps/group).
 */
#ifndef LIBOS_GROUP_H
#define LIBOS_GROUP_H

#include <stddef.h>
#include <stdint.h>
#include <libos/slots.h>

enum { GROUP_MEMBERS = 64, GROUP_WORDS = 4, GROUP_WHY = 160 };

/*
 * Takes a group that is nobody's: its number, from 1.  A member that could run and did not for more
 * than `patience` slots is a failure of the program; 0: it may wait for ever.  -EDQUOT: no more for
 * this program; -ENFILE: all are taken.
 */
int group_make(uint32_t patience);

/* Its slots are the owner's own again, its members nobody's, its program gone. */
int group_end(uint32_t group);

/* ---- its program ---------------------------------------------------------------------------- */

/*
 * The program is, from the moment that it is accepted, these `count` instructions of 8 bytes; until
 * then the one that was.  -ENOEXEC: refused, with instruction and reason in why.  Waits while other
 * programs load.
 */
int group_load(uint32_t group, const void *insns, uint32_t count, char why[GROUP_WHY]);

/* The same from an object as a compiler made it; `section` as in bpf_find() of libos/bpf.h. */
int group_load_object(uint32_t group, const void *object, size_t size, const char *section,
		      char why[GROUP_WHY]);

/* From a file, where there are files (libos/posix/group_file.c); other errors are in words, too. */
int group_load_file(uint32_t group, const char *path, const char *section, char why[GROUP_WHY]);

/* ---- its members ---------------------------------------------------------------------------- */

/*
 * The environment that the caller's capability slot `cap` names (0: itself) is a member: its place,
 * from 0.  -EBUSY: it is one of a group already; -ENFILE: there is no place.
 */
int group_add(uint32_t group, uint32_t cap);

int group_remove(uint32_t group, uint32_t place);

/* Word `word` of a member, for the program to see.  -EINVAL: nobody has that place. */
int group_word(uint32_t group, uint32_t place, uint32_t word, uint64_t value);

/* The group that environment `index` is a member of, and its place; 0: none. */
uint32_t group_of(uint32_t index, uint32_t *place);

/* ---- its slots ------------------------------------------------------------------------------ */

/* The caller's slots become the group's, or its own again.  -EACCES: one is not the caller's. */
int group_give(uint32_t group, const struct slots *s);
int group_withdraw(uint32_t group, const struct slots *s);

struct slots group_slots(uint32_t group);

/* ---- what came of it ------------------------------------------------------------------------ */

struct group_counts {
	uint32_t slots, members, insns; /* insns 0: it has no program */
	uint32_t bound, most;	      /* steps of a decision: at most, and of the longest so far */
	uint64_t decisions, followed; /* times it was asked; times that who it named ran */
	uint64_t passed;	      /* times it named nobody */
	uint64_t failed;	      /* times it was wrong */
	uint32_t lost;		      /* programs taken from it for being wrong all the time */
};

/* 0, or -EINVAL: there is no such group. */
int group_counts(uint32_t group, struct group_counts *out);

struct group_member {
	uint32_t env;	       /* 0: nobody */
	uint64_t used, missed; /* slots that it had; slots that it was chosen for, asleep */
	uint64_t word[GROUP_WORDS];
};

int group_member(uint32_t group, uint32_t place, struct group_member *out);

/* The last failure in words, or "" when there was none. */
void group_failure(uint32_t group, char why[GROUP_WHY]);

#endif
