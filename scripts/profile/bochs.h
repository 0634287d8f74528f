/*
 * bochs.h - what the parts that work in Bochs alone ask of it: registers, memory, time.
 */
#ifndef PROFILE_BOCHS_H
#define PROFILE_BOCHS_H

#include <stdint.h>

enum { BOCHS_FLAGS = 16, BOCHS_REGISTERS };

extern const char *const bochs_register_names[BOCHS_REGISTERS];

/* The general registers in the order of their encoding, then the flags. */
uint64_t bochs_register(unsigned number);
uint64_t bochs_ticks(void);

#endif
