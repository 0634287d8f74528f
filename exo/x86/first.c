/*
 * first.c - builds the first program, by the calls that every program uses for its children.
 *
 * The kernel acts as environment 1 on itself (slot 0 of its own capabilities), so nothing is set up
 * behind the core's checks.  Whatever is refused means that the image is bad, and ends in a panic
 * that says which step.
 */
#include <exo/crc32c.h>
#include "../boot/boot.h"
#include "../kern/cap.h"
#include "../kern/console.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/info.h"
#include "../kern/machine.h"
#include "../kern/page.h"
#include "../kern/slot.h"
#include "../kern/syscall.h"
#include "cpu.h"
#include "first.h"
#include "paging.h"

enum { FIRST = 1, SELF = 0, CONSOLE = 1, MACHINE = 2, SCREEN = 6, TRACE = 7 };

static uint32_t root;

static uint64_t must(struct exo_result r, const char *what, uint64_t value)
{
	if (r.status != EXO_OK)
		machine_panic(what, r.status, value);
	return r.value;
}

/* A free frame, taken; looks on from the last one, above everything that is still being copied. */
static uint32_t take(uint64_t type)
{
	static uint32_t next;

	if (next == 0)
		next = (uint32_t)(paging_boot_end() / EXO_PAGE_SIZE);
	while (next < info.frames && pages[next].state != EXO_PAGE_FREE)
		next++;
	(void)must(sys_page_take(SELF, next, type), "first program: no memory (status, frame)",
		   next);
	return next;
}

static uint32_t index_at(uint64_t va, unsigned level)
{
	return (uint32_t)(va >> (12 + 9 * (level - 1))) & 511;
}

/* The level-1 table for va, made with those above it as needed. */
static uint32_t leaf_table(uint64_t va)
{
	uint32_t table = root;

	for (unsigned level = 4; level > 1; level--) {
		uint64_t e = machine_table((struct pfn){table})->e[index_at(va, level)];
		uint32_t below = (uint32_t)(e / EXO_PAGE_SIZE);

		if (!(e & 1)) {
			below = take(EXO_PAGE_TABLE | (level - 1) << 8);
			(void)must(sys_table_link(SELF, table, index_at(va, level), below),
				   "first program: table (status, address)", va);
		}
		table = below;
	}
	return table;
}

/* One page at va: a copy of `from`, or zeros where it is NULL. */
static uint32_t put_page(uint64_t va, const uint8_t *from, uint64_t perm, uint64_t type)
{
	uint32_t table = leaf_table(va), frame = take(type);
	uint8_t *to = machine_bytes((struct pfn){frame});

	if (from)
		for (uint32_t i = 0; i < EXO_PAGE_SIZE; i++)
			to[i] = from[i];
	(void)must(sys_page_map(SELF, table, index_at(va, 1), frame, 1, perm),
		   "first program: page (status, address)", va);
	return frame;
}

static void put_segment(const struct exo_init_segment *s, const uint8_t *from)
{
	for (uint64_t i = 0; i < (uint64_t)s->pages + s->zero_pages; i++) {
		const uint8_t *page = i < s->pages ? from + i * EXO_PAGE_SIZE : 0;

		(void)put_page(s->va + i * EXO_PAGE_SIZE, page, s->perm, EXO_PAGE_DATA);
	}
}

static void put_image(const struct exo_init *init, uint64_t bytes)
{
	const uint8_t *from = (const uint8_t *)init + EXO_PAGE_SIZE;
	const uint8_t *end = (const uint8_t *)init + bytes;

	if (init->magic != EXO_INIT_MAGIC || init->segments > EXO_INIT_SEGMENTS)
		machine_panic("first program: bad header (magic, segments)", init->magic,
			      init->segments);
	for (uint32_t i = 0; i < init->segments; i++) {
		const struct exo_init_segment *s = &init->seg[i];

		if ((uint64_t)(end - from) < (uint64_t)s->pages * EXO_PAGE_SIZE)
			machine_panic("first program: truncated (segment, pages)", i, s->pages);
		put_segment(s, from);
		from += (uint64_t)s->pages * EXO_PAGE_SIZE;
	}
}

static void set(enum exo_env_what what, uint64_t value)
{
	(void)must(sys_env_set(SELF, what, value), "first program: env_set (status, what)", what);
}

static void put_stack(void)
{
	uint64_t rw = EXO_MAP_READ | EXO_MAP_WRITE;

	for (uint64_t i = 1; i <= EXO_INIT_STACK_PAGES; i++)
		(void)put_page(EXO_INIT_STACK_TOP - i * EXO_PAGE_SIZE, 0, rw, EXO_PAGE_DATA);
	set(EXO_SET_UPCALL_PAGE, put_page(EXO_INIT_UPCALL, 0, rw, EXO_PAGE_UPCALL));
	set(EXO_SET_UPCALL_VA, EXO_INIT_UPCALL);
}

static void put_manifest(const struct boot_info *boot)
{
	for (uint64_t i = 0; i < boot->image.manifest_blocks; i++)
		(void)put_page(EXO_MANIFEST_VA + i * EXO_PAGE_SIZE,
			       direct(boot->manifest_phys + i * EXO_PAGE_SIZE), EXO_MAP_READ,
			       EXO_PAGE_DATA);
}

static void put_caps(void)
{
	struct exo_cap console = {.kind = EXO_CAP_CONSOLE, .rights = 31, .gen = console_gen(0)};
	struct exo_cap machine = {.kind = EXO_CAP_MACHINE, .rights = EXO_RIGHT_GRANT};
	struct exo_cap screen = {.kind = EXO_CAP_DEVICE, .rights = 7, .start = 0xb8, .len = 8};

	cap_put(FIRST, CONSOLE, console);
	cap_put(FIRST, MACHINE, machine);
	cap_put(FIRST, SCREEN, screen);
	cap_put(FIRST, TRACE, (struct exo_cap){.kind = EXO_CAP_TRACE, .rights = EXO_RIGHT_GRANT});
}

static uint32_t checksum(const void *blocks, uint64_t bytes)
{
	return x86_features.crc32c ? x86_crc32c(blocks, bytes / 8) : exo_crc32c(0, blocks, bytes);
}

void first_program(const struct boot_info *boot)
{
	const struct exo_init *init = direct(boot->init_phys);
	uint64_t bytes = boot->image.init_blocks * EXO_BLOCK_SIZE;

	if (checksum(init, bytes) != boot->image.init_crc)
		machine_panic("first program: checksum is wrong (expected)", boot->image.init_crc,
			      0);
	cpu_this()->current = FIRST;
	root = take(EXO_PAGE_TABLE | 4 << 8);
	set(EXO_SET_ROOT, root);
	set(EXO_SET_SAVE, take(EXO_PAGE_SAVE));
	put_image(init, bytes);
	put_stack();
	put_manifest(boot);
	put_caps();
	(void)must(sys_slot_take(SELF, 0), "first program: slot (status)", 0);
	(void)must(sys_env_start(SELF, init->entry, EXO_INIT_STACK_TOP, 0),
		   "first program: start (status, entry)", init->entry);
	cpu_this()->current = 0;
}
