/*
 * moves.h - the moves of a world, numbered: every call with every choice of arguments.
 */
#ifndef EXHAUST_MOVES_H
#define EXHAUST_MOVES_H

#include "exhaust.h"

struct move {
	uint32_t who;  /* 0: from outside */
	uint32_t what; /* index in calls or outside */
	uint64_t a[ARGS];
};

extern struct move moves[];
extern uint32_t move_count;

/* Numbers the moves of w; says what is wrong with its tables and ends the program. */
void moves_make(const struct world *w);

/* A value as it is now. */
uint64_t move_value(uint64_t v);

/* Makes the call. */
struct exo_result move_call(uint32_t number, const uint64_t *a);

/* Prints it for people. */
void move_print(const struct world *w, uint32_t m);

#endif
