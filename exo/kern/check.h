/*
 * check.h - every invariant of the core over its whole state.
 *
 * For host tests after each call, and for debug boots.  Costs a pass over all tables.
 */
#ifndef KERN_CHECK_H
#define KERN_CHECK_H

/* Null when all hold, else the name of a broken one. */
const char *check_state(void);

/* The same for extents, capabilities to them, and requests (check_disk.c). */
const char *check_disk(void);

/* The same for groups, who loads and wake-up predicates (check_group.c); part of check_state(). */
const char *check_groups(void);

#endif
