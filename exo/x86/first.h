/*
 * first.h - making the first program.
 */
#ifndef X86_FIRST_H
#define X86_FIRST_H

struct boot_info;

/* Builds environment 1 out of the image that the loader left in memory, and starts it. */
void first_program(const struct boot_info *boot);

#endif
