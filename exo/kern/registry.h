/*
 * registry.h - which page frame holds which disk block, for programs that share what they read.
 *
 * An entry says that a frame holds what stands in a block of an extent; whoever may read the block
 * may map the frame, read-only.  The kernel knows nothing of the contents: the binder has the right
 * to write the block, so it could say the same through the drive.  Idea: Xok's buffer cache
 * registry.  Invariant: an entry that is used names a DATA frame of its environment, and that
 * frame's record names the entry; of the entries that count (extent of the same generation) no two
 * name the same block.
 */
#ifndef KERN_REGISTRY_H
#define KERN_REGISTRY_H

#include <exo/tables.h>
#include "table_section.h"

extern struct exo_bind registry[EXO_NBIND];

/* Entries in use by this boot: a power of two, EXO_BIND_WAYS at least; 0 before registry_init. */
extern uint32_t registry_count;

/* How many entries a machine of so many frames has. */
uint32_t registry_entries(uint32_t frames);

/* Boot: forgets all; `count` as registry_entries() says. */
void registry_init(uint32_t count);

/* Does entry i count: is its extent still of the generation it was bound under? */
int registry_live(uint32_t i);

/* Frame f (any frame) leaves the registry, where it is in it. */
void registry_drop(uint32_t f);

/*
 * May `cap`, a capability to an extent that is not stale, map frame f (any number) read-only?  OK,
 * RANGE (no frame), PERM (no right to read, or not bound to a block that it covers).
 */
enum exo_status registry_right(const struct exo_cap *cap, uint64_t f);

#endif
