/*
 * env.h - environments: who exists, in what state, with which frames in which roles.
 *
 *   FREE -> BUILDING -> RUNNABLE <-> WAITING, CALLING -> ZOMBIE -> FREE
 *
 * Invariant: index 0 is nobody; a FREE environment holds nothing; the creator of one that is not
 * FREE is not FREE either (it is charged for it until it is reaped or passed on).
 */
#ifndef KERN_ENV_H
#define KERN_ENV_H

#include <exo/tables.h>
#include "table_section.h"

enum { FIRST_ENV = 1 }; /* the first program: all quotas are its at boot */

extern struct exo_env envs[EXO_NENV];

/*
 * Boot, after page_boot_range() and with info.frames set: makes `nenv` (2..EXO_NENV) records, and
 * environment 1, BUILDING, principal 0, creator nobody, with every limit there is.  Boot code then
 * builds it through the calls, with cpus[0].current = 1.
 */
void env_init(uint32_t nenv);

/* The eid of environment e. */
struct eid env_eid(uint32_t e);

/* The environment with this eid: 0 unless it exists now with this generation. */
uint32_t env_by_eid(uint64_t eid);

/*
 * Ends environment e, which is not FREE and not ZOMBIE: off the CPU, no deadline, its creator is
 * told.  The rest is its report.  Used by env_kill and by the fault path.
 */
void env_end(uint32_t e, enum exo_end why, uint8_t vector, uint32_t error, uint64_t addr,
	     uint64_t rip, uint64_t rsp, uint64_t code);

#endif
