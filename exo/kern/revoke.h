/*
 * revoke.h - what is asked back of an environment, and what was taken from it.
 *
 * Revocation is visible: who is to lose something is asked first (event EXO_EV_REVOKE), has at
 * least one turn of the slice vector to choose what it can do without, and is told what was taken
 * (EXO_EV_TAKEN).  It works without the loser: from the deadline on the asker takes what it names.
 * Invariant: a request is of a living environment, for no more than its limit.
 */
#ifndef KERN_REVOKE_H
#define KERN_REVOKE_H

#include <exo/tables.h>
#include "table_section.h"

extern struct exo_revoke revokes[EXO_NENV];

/*
 * `me` asks e, by `deadline` (raised to EXO_REVOKE_MIN_NS from now), for n of `kind` (EXTENT: of
 * this index).  BUSY while somebody else's request stands and its deadline has not come.
 */
enum exo_status revoke_record(uint32_t me, uint32_t e, enum exo_ask_kind kind, uint32_t n,
			      uint32_t extent, uint64_t deadline);

/* May `me` take from e what it asked of this kind?  STATE: it asked nothing; AGAIN: not yet. */
enum exo_status revoke_due(uint32_t me, uint32_t e, enum exo_ask_kind kind);

/* Tells e that `index` of `kind` was taken from it. */
void revoke_note_taken(uint32_t e, uint32_t kind, uint32_t index);

/* e is reaped: nothing is asked of whoever comes after it. */
void revoke_forget(uint32_t e);

#endif
