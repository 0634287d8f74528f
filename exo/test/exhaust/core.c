/*
 * core.c - the list of the core's worlds.
 */
#include "worlds.h"

const struct world *const worlds[] = {
	&world_pages,  &world_shares, &world_maps,  &world_tables, &world_caps,	  &world_life,
	&world_death,  &world_cpu,    &world_sleep, &world_ipc,	   &world_revoke, &world_registry,
	&world_groups, &world_loads,  &world_wakes, &world_rings,
};
const uint32_t world_count = COUNT(worlds);
