/*
 * info.h - the first page of the tables: sizes, time base and counters.
 *
 * `info.frames` and `info.envs` bound every index of a frame or an environment; they are set at
 * boot and never change.  Boot code fills what concerns the machine, kern/ keeps the counters.
 */
#ifndef KERN_INFO_H
#define KERN_INFO_H

#include <exo/tables.h>
#include "table_section.h"

extern struct exo_info info;

#endif
