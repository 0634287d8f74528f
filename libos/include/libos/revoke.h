/*
 * revoke.h - asking other programs for page frames and CPU slots, and being asked.
 *
 * Who is asked gets EXO_EV_REVOKE, for example as an event upcall (libos/upcall.h), finds in
 * revoke_asked() how much is wanted and by when, and frees what it can do without best.  What it
 * has not freed by then may be taken from it, wherever the asker likes: EXO_EV_TAKEN, and
 * revoke_taken() tells what it was.  Owns nothing.  Errors are negative errnos.
 */
#ifndef LIBOS_REVOKE_H
#define LIBOS_REVOKE_H

#include <exo/tables.h>

/*
 * How many frames (EXO_ASK_PAGES) or slots (EXO_ASK_SLOTS) this program has to free for what is
 * asked of it: what it may take and has not taken counts first, and costs it nothing.  The time by
 * which goes to *deadline (ns since boot, may be NULL).
 */
uint32_t revoke_asked(enum exo_ask_kind kind, uint64_t *deadline);

/*
 * Thing number `i` (from 0) that was taken from this program: 1 and *what; 0 when there are fewer,
 * or when it is so long ago that the record of it is gone.
 */
int revoke_taken(uint64_t i, struct exo_taken *what);

/*
 * Asks the environment `index` of capability slot `cap` (EXO_ENV_REVOKE) for n frames by `deadline`
 * and waits; what it has not freed then is taken, what it took last first.  How many frames this
 * program may take more now, at most n; *forced (may be NULL) gets how many of them were taken by
 * force.  Waits at least EXO_REVOKE_MIN_NS if the other one does not answer.
 */
int64_t revoke_pages(uint32_t cap, uint32_t index, uint32_t n, uint64_t deadline, uint32_t *forced);

#endif
