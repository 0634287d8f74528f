/*
 * guest.h - what is read of the machine while it runs: physical memory, and in it the kernel's
 * tables.
 *
 * Nothing is ever written.  The emulator's part (qemu.c, bochs.c) says how physical memory is read.
 */
#ifndef PROFILE_GUEST_H
#define PROFILE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <exo/tables.h>

enum { GUEST_PAGE = 4096 };

struct image;

typedef void guest_reader(uint64_t physical, void *to, size_t size);

/* Finds the kernel's variables; to be called before anything else. */
void guest_init(const struct image *kernel, guest_reader *reader);

static inline bool guest_in_kernel(uint64_t va)
{
	return va >> 63 != 0;
}

void guest_read(uint64_t physical, void *to, size_t size);

/* Reads an object of the kernel's that was linked at `va` plus offset; false: not mapped. */
bool guest_read_kernel(uint64_t va, void *to, size_t size);

/* The environment that the kernel says is on the CPU; 0: none. */
uint32_t guest_current(void);

/* The kernel's record of an environment. */
struct exo_env guest_env(uint32_t e);

/* Where `va` of the environment (or of the kernel) is in physical memory; false: nowhere. */
bool guest_translate(uint32_t e, uint64_t va, uint64_t *physical);

#endif
