/*
 * form.h - the form of a state: states with equal forms go on alike.
 */
#ifndef EXHAUST_FORM_H
#define EXHAUST_FORM_H

#include "exhaust.h"

/* Once, after snap_begin(). */
void form_begin(void);

/* The form of the world's state, as a number.  The world is spoilt by this. */
uint64_t form_of(const struct world *w);

#endif
