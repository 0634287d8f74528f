/*
 * tables.h - reading the kernel's tables, which every program sees read-only.
 *
 * Owns nothing: typed access to what exo/tables.h describes.  Bounds are the caller's: frames below
 * tables_info()->frames, environments below ->envs.  Records change under the reader.
 * Called by the libOS and by programs that look at the machine (exotop).
 */
#ifndef LIBOS_TABLES_H
#define LIBOS_TABLES_H

#include <exo/tables.h>

static inline const volatile struct exo_info *tables_info(void)
{
	return (const volatile struct exo_info *)EXO_TABLES_VA;
}

#define TABLES_GET(name, type, id)                                                                 \
	static inline const volatile type *tables_##name(uint32_t i)                               \
	{                                                                                          \
		return (const volatile type *)tables_info()->table[id].va + i;                     \
	}
TABLES_GET(env, struct exo_env, EXO_TABLE_ENVS)
TABLES_GET(quota_used, struct exo_quota, EXO_TABLE_QUOTA_USED)
TABLES_GET(quota_limit, struct exo_quota, EXO_TABLE_QUOTA_LIMIT)
TABLES_GET(caps, struct exo_caps, EXO_TABLE_CAPS)
TABLES_GET(slot, struct exo_slot, EXO_TABLE_SLOTS)
TABLES_GET(page, struct exo_page, EXO_TABLE_PAGES)
TABLES_GET(page_maps, uint32_t, EXO_TABLE_PAGE_MAPS)
TABLES_GET(page_pins, uint32_t, EXO_TABLE_PAGE_PINS)
TABLES_GET(page_free, uint64_t, EXO_TABLE_PAGE_FREE) /* word of 64 frames */
TABLES_GET(run_maps, uint32_t, EXO_TABLE_RUN_MAPS)
TABLES_GET(extent, struct exo_extent, EXO_TABLE_EXTENTS)
TABLES_GET(io, struct exo_io, EXO_TABLE_IO)
TABLES_GET(revoke, struct exo_revoke, EXO_TABLE_REVOKES)
TABLES_GET(bind, struct exo_bind, EXO_TABLE_REGISTRY)
TABLES_GET(drive, struct exo_drive, EXO_TABLE_DRIVES)
TABLES_GET(group, struct exo_group, EXO_TABLE_GROUPS)
TABLES_GET(sched, struct exo_sched, EXO_TABLE_SCHEDS)
TABLES_GET(waker, struct exo_waker, EXO_TABLE_WAKES)
TABLES_GET(trace, struct exo_trace, EXO_TABLE_TRACE)
TABLES_GET(tracing, struct exo_tracing, EXO_TABLE_TRACING) /* number 0 */
#undef TABLES_GET

/* Whether the environment named by `eid` still exists and has not ended: 1 or 0. */
static inline int tables_alive(uint64_t eid)
{
	const uint32_t index = (uint32_t)(eid & 0xffff);
	const volatile struct exo_env *e = tables_env(index);

	return index != 0 && index < tables_info()->envs && e->gen == (uint32_t)(eid >> 16) &&
	       e->state != EXO_ENV_FREE && e->state != EXO_ENV_ZOMBIE;
}

/* The eid of an environment of this name that has not ended; 0: there is none. */
uint64_t tables_find(const char *name);

#endif
