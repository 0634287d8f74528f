/*
 * cap.h - the capability table of each environment: what it may name, and how.
 *
 * A slot holds {kind, rights, object, generation, range}.  It is good while its object carries the
 * same generation; revoking bumps the object's, so no list of holders is kept.  Invariant: slot 0
 * of every environment that is not free is its own EXO_CAP_ENV with all rights; every other full
 * slot is charged to its CAPS quota.
 */
#ifndef KERN_CAP_H
#define KERN_CAP_H

#include <exo/tables.h>
#include "table_section.h"

extern struct exo_caps caps[EXO_NENV];

/*
 * Finds slot `slot` (any number) of environment e when it is full and not stale: RANGE, STATE
 * (empty), STALE.  The caller looks at kind and rights, and must not change anything before it has
 * done with *cap, which points into the table.
 */
enum exo_status cap_look_other(uint32_t e, uint64_t slot, const struct exo_cap **cap);

static inline enum exo_status cap_look(uint32_t e, uint64_t slot, const struct exo_cap **cap)
{
	const struct exo_cap *own = &caps[e].c[0]; /* never empty, never stale */
	enum exo_status status = EXO_OK;

	if (slot != 0) {
		const struct exo_cap *other = own;

		status = cap_look_other(e, slot, &other);
		own = other;
	}
	*cap = own;
	return status;
}

/* As cap_look, but a copy. */
enum exo_status cap_read(uint32_t e, uint64_t slot, struct exo_cap *out);

/* As cap_read, and e may pass it to others: PERM. */
enum exo_status cap_for_grant(uint32_t e, uint64_t slot, struct exo_cap *out);

/* As cap_read, and it must be of `kind` (TYPE) and have all of `rights` (PERM). */
enum exo_status cap_find(uint32_t e, uint64_t slot, uint8_t kind, uint32_t rights,
			 struct exo_cap *out);

/* The environment that slot `ce` of e names with `rights`: RANGE, STATE, STALE, TYPE, PERM. */
enum exo_status cap_env(uint32_t e, uint64_t ce, uint32_t rights, uint32_t *target);

/*
 * As cap_env for the caller e of a call, and it must not be a ZOMBIE (STATE).  Slot 0 is the caller
 * itself, which always may and is never dead; cap_live_other() is for all other slots.
 */
enum exo_status cap_live_other(uint32_t e, uint64_t ce, uint32_t rights, uint32_t *target);

/*@ requires 0 < e < EXO_NENV && \valid(target);
    assigns *target;
    ensures \result == EXO_OK ==> 0 < *target < EXO_NENV; */
static inline enum exo_status cap_live_env(uint32_t e, uint64_t ce, uint32_t rights,
					   uint32_t *target)
{
	enum exo_status status = EXO_OK;

	if (ce != 0) {
		uint32_t other = 0; /* only its address is needed: *target can be in a register */

		status = cap_live_other(e, ce, rights, &other);
		e = other;
	}
	*target = e;
	return status;
}

/* May environment e get a capability in slot d?  RANGE, OCCUPIED, QUOTA. */
enum exo_status cap_room(uint32_t e, uint64_t d);

/* Fills slot d of e and charges it; cap_room() must have said OK.  Cannot fail. */
void cap_put(uint32_t e, uint32_t d, struct exo_cap cap);

/* Empties the full slot d (not 0) of e and gives back its charge. */
void cap_clear(uint32_t e, uint32_t d);

/* A capability for environment `target` as it is now. */
struct exo_cap cap_for_env(uint32_t target, uint32_t rights);

#endif
