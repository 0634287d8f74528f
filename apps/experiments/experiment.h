/*
 * experiment.h - what the experiments' programs share: a clock, counts of the disk, chance by a
 * seed, numbers in arguments, an extent of the user's own.
 *
 * Owns nothing.  Included through experiment_bare.h or experiment_posix.h, by which a program says
 * what it is made of; these print.  Errors are negative errnos.
 */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#include <errno.h>
#include <stdint.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/disk_open.h>
#include <libos/start.h>
#include <libos/tables.h>

enum { EXPERIMENT_BLOCK = 4096, EXPERIMENT_USAGE = 2 };

/* The processor's counter: under QEMU -icount one tick an instruction, under Bochs 10 ns each. */
static inline uint64_t experiment_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* What the boot drive has done, by the kernel's table, and the time. */
struct experiment_cost {
	uint64_t ticks, commands, read, written;
};

static inline struct experiment_cost experiment_now(void)
{
	const volatile struct exo_drive *d = tables_drive(tables_info()->boot_drive);

	return (struct experiment_cost){experiment_ticks(), d->commands, d->blocks_read,
					d->blocks_written};
}

static inline struct experiment_cost experiment_since(const struct experiment_cost *start)
{
	const struct experiment_cost now = experiment_now();

	return (struct experiment_cost){now.ticks - start->ticks, now.commands - start->commands,
					now.read - start->read, now.written - start->written};
}

/* The next of a sequence that the seed begins: *state is the seed at first. */
static inline uint64_t experiment_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* What stands in a place of a seed's data: no two places and no two seeds have the same. */
static inline uint64_t experiment_word(uint64_t seed, uint64_t place)
{
	uint64_t state = seed * 0x2545f4914f6cdd1dull ^ place;

	return experiment_random(&state);
}

/* A decimal number, the whole text, from low to high: 0 or -EINVAL. */
static inline int experiment_number(const char *text, uint64_t low, uint64_t high, uint64_t *n)
{
	*n = 0;
	do {
		if (*text < '0' || *text > '9' || *n > high / 10)
			return -EINVAL;
		*n = *n * 10 + (uint64_t)(*text - '0');
	} while (*++text);
	return *n >= low && *n <= high ? 0 : -EINVAL;
}

/* The volume of a whole extent that the user owns: -ENOENT, -EACCES, -EMFILE. */
static inline int experiment_open(const char *name, struct disk **out)
{
	const int index = start_extent_index(name), slot = build_free_cap();
	int error = index < 0 ? index : slot < 0 ? slot : 0;

	if (!error)
		error = call_result(call_extent_open((uint64_t)index, (uint64_t)slot));
	return error ? error : disk_open((uint32_t)slot, (uint32_t)index, out);
}

#endif
