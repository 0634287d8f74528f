/*
 * guest.c - owns where in physical memory the kernel's variables are.
 *
 * The kernel's image is linked at a constant distance from where it is loaded; its tables have page
 * tables of their own, which never change once they are made, so each environment's record is
 * looked up once.  One thread calls.
 */
#include "guest.h"
#include <exo/image.h>
#include "image.h"

enum { PRESENT = 1, LARGE = 128, LEVELS = 4 };
#define ADDRESS 0x000ffffffffff000ull

static guest_reader *read_physical;
static uint64_t cpus, envs, kernel_root; /* virtual addresses */
static uint64_t record[EXO_NENV];	 /* physical; 0: not looked up yet */

void guest_init(const struct image *kernel, guest_reader *reader)
{
	read_physical = reader;
	cpus = image_symbol(kernel, "cpus");
	envs = image_symbol(kernel, "envs");
	kernel_root = image_symbol(kernel, "kernel_root");
}

void guest_read(uint64_t physical, void *to, size_t size)
{
	read_physical(physical, to, size);
}

static bool walk(uint64_t table, uint64_t va, uint64_t *physical)
{
	for (int level = LEVELS; level > 0; level--) {
		const int shift = 12 + 9 * (level - 1);
		uint64_t entry;

		guest_read(table + 8 * (va >> shift & 511), &entry, sizeof(entry));
		if (!(entry & PRESENT))
			return false;
		table = entry & ADDRESS;
		if (level > 1 && entry & LARGE) {
			*physical = (table & -(1ull << shift)) | (va & ((1ull << shift) - 1));
			return true;
		}
	}
	*physical = table | (va & (GUEST_PAGE - 1));
	return true;
}

static bool kernel_physical(uint64_t va, uint64_t *physical)
{
	uint64_t root;

	if (va >= EXO_KERNEL_VA && va < EXO_TABLES_KERNEL) {
		*physical = va - EXO_KERNEL_VA;
		return true;
	}
	guest_read(kernel_root - EXO_KERNEL_VA, &root, sizeof(root));
	return walk(root, va, physical);
}

bool guest_read_kernel(uint64_t va, void *to, size_t size)
{
	uint64_t physical;

	if (!kernel_physical(va, &physical))
		return false;
	guest_read(physical, to, size);
	return true;
}

uint32_t guest_current(void)
{
	uint32_t e;

	guest_read(cpus - EXO_KERNEL_VA, &e,
		   sizeof(e)); /* struct cpu.current: entry.S knows the next one */
	return e < EXO_NENV ? e : 0;
}

struct exo_env guest_env(uint32_t e)
{
	struct exo_env env = {0};

	if (record[e] != 0 || kernel_physical(envs + e * sizeof(env), &record[e]))
		guest_read(record[e], &env, sizeof(env));
	return env;
}

bool guest_translate(uint32_t e, uint64_t va, uint64_t *physical)
{
	if (guest_in_kernel(va))
		return kernel_physical(va, physical);
	return walk((uint64_t)guest_env(e).root * GUEST_PAGE, va, physical);
}
