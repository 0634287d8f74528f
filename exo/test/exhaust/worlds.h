/*
 * worlds.h - the worlds of the core.
 */
#ifndef EXHAUST_WORLDS_H
#define EXHAUST_WORLDS_H

#include "exhaust.h"

extern const struct world world_pages, world_shares, world_maps, world_tables, world_caps,
	world_life, world_death, world_cpu, world_sleep, world_ipc, world_revoke, world_registry,
	world_groups, world_loads, world_wakes, world_rings;

#endif
