/*
 * quota.h - what each environment may hold (limit) and holds (used), per enum exo_quota_kind.
 *
 * Invariant: used <= limit everywhere; the sum of all limits of a kind never changes after boot; a
 * free environment has neither.  The functions below are the only writers.
 */
#ifndef KERN_QUOTA_H
#define KERN_QUOTA_H

#include <exo/tables.h>
#include "table_section.h"

enum { NQUOTA = EXO_NQUOTA };

extern struct exo_quota quota_used[EXO_NENV];
extern struct exo_quota quota_limit[EXO_NENV];

/* OK when environment e may hold n more, else QUOTA.  Changes nothing. */
enum exo_status quota_room(uint32_t e, enum exo_quota_kind kind, uint32_t n);

/* e holds n more; quota_room() must have said OK.  Cannot fail. */
void quota_charge(uint32_t e, enum exo_quota_kind kind, uint32_t n);

/* e holds n less; it must have been charged for them. */
void quota_release(uint32_t e, enum exo_quota_kind kind, uint32_t n);

/* n of what `from` holds, and as much of its limit, become `to`'s.  Cannot fail. */
void quota_pass(uint32_t from, uint32_t to, enum exo_quota_kind kind, uint32_t n);

/* n of the unused limit of `from` become `to`'s: QUOTA when it has less.  n may be anything. */
enum exo_status quota_move(uint32_t from, uint32_t to, enum exo_quota_kind kind, uint64_t n);

/* Everything `from` may hold becomes `to`'s, when `from` is reaped, which holds nothing by then. */
void quota_inherit(uint32_t from, uint32_t to);

/* Boot: environment e gets a limit out of nothing. */
void quota_boot(uint32_t e, enum exo_quota_kind kind, uint32_t limit);

#endif
