/*
 * main.c - from the loader to the first program.
 *
 * Owns the order of initialisation: CPU, memory and its records, environments, devices, extent
 * table, first program.  Loops over all memory are allowed here and nowhere else.
 */
#include "../boot/boot.h"
#include "../dev/ide.h"
#include "../dev/kbd.h"
#include "../dev/log.h"
#include "../dev/uart.h"
#include "../dev/vga.h"
#include "../kern/cap.h"
#include "../kern/console.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/extent.h"
#include "../kern/group.h"
#include "../kern/info.h"
#include "../kern/io.h"
#include "../kern/machine.h"
#include "../kern/page.h"
#include "../kern/quota.h"
#include "../kern/registry.h"
#include "../kern/revoke.h"
#include "../kern/slot.h"
#include "../kern/trace.h"
#include "../kern/wake.h"
#include "cpu.h"
#include "first.h"
#include "paging.h"
#include "pic.h"
#include "time.h"
#include "trap.h"

struct cpu cpus[NCPU];
static struct boot_info boot;

void kernel_main(const struct boot_info *from);

/* Frames up to the end of the highest usable range, as far as there is room for records. */
static uint32_t count_frames(void)
{
	uint64_t top = 0;

	for (uint32_t i = 0; i < boot.ranges; i++) {
		const struct boot_range *r = &boot.range[i];

		if (r->type == BOOT_USABLE && r->base + r->len > top)
			top = r->base + r->len;
	}
	top /= EXO_PAGE_SIZE;
	return top < NFRAME ? (uint32_t)top : NFRAME;
}

/* Where the usable range that holds `phys` ends; `phys` itself when there is none. */
static uint64_t usable_end(uint64_t phys)
{
	for (uint32_t i = 0; i < boot.ranges; i++) {
		const struct boot_range *r = &boot.range[i];

		if (r->type == BOOT_USABLE && r->base <= phys && phys < r->base + r->len)
			return r->base + r->len;
	}
	return phys;
}

/* Few environments on a small machine: each costs about 3 KiB of tables. */
static uint32_t count_envs(uint32_t frames)
{
	uint32_t n = frames / 32;

	return n < 32 ? 32 : n > EXO_NENV ? EXO_NENV : n;
}

static void tell_table(enum exo_table_id id, const void *at, uint32_t count, uint32_t size)
{
	uint64_t va = (uint64_t)at - EXO_TABLES_KERNEL + EXO_TABLES_VA;

	info.table[id] = (struct exo_table){va, count, size};
}

static void table(enum exo_table_id id, const void *at, uint32_t count, uint32_t size)
{
	paging_back_table(at, (uint64_t)count * size);
	if (id != EXO_TABLE_INFO)
		tell_table(id, at, count, size);
}

static void back_tables(uint32_t frames, uint32_t nenv)
{
	table(EXO_TABLE_INFO, &info, 1, sizeof info);
	table(EXO_TABLE_ENVS, envs, nenv, sizeof envs[0]);
	table(EXO_TABLE_QUOTA_USED, quota_used, nenv, sizeof quota_used[0]);
	table(EXO_TABLE_QUOTA_LIMIT, quota_limit, nenv, sizeof quota_limit[0]);
	table(EXO_TABLE_CAPS, caps, nenv, sizeof caps[0]);
	table(EXO_TABLE_REVOKES, revokes, nenv, sizeof revokes[0]);
	table(EXO_TABLE_SLOTS, slots, EXO_NSLOT, sizeof slots[0]);
	table(EXO_TABLE_PAGES, pages, frames, sizeof pages[0]);
	table(EXO_TABLE_PAGE_MAPS, page_maps, frames, sizeof page_maps[0]);
	table(EXO_TABLE_PAGE_PINS, page_pins, frames, sizeof page_pins[0]);
	table(EXO_TABLE_PAGE_FREE, page_free_map, (frames + 63) / 64, sizeof page_free_map[0]);
	table(EXO_TABLE_RUN_MAPS, run_maps, (frames + RUN - 1) / RUN, sizeof run_maps[0]);
	table(EXO_TABLE_DRIVES, drives, EXO_NDRIVE, sizeof drives[0]);
	table(EXO_TABLE_REGISTRY, registry, registry_entries(frames), sizeof registry[0]);
	table(EXO_TABLE_GROUPS, groups, EXO_NGROUP, sizeof groups[0]);
	table(EXO_TABLE_SCHEDS, scenes, EXO_NGROUP, sizeof scenes[0]);
	table(EXO_TABLE_WAKES, wakers, nenv, sizeof wakers[0]);
	table(EXO_TABLE_IO, ios, EXO_NIO, sizeof ios[0]);
	table(EXO_TABLE_TRACING, &tracing, 1, sizeof tracing);
	tell_table(EXO_TABLE_TRACE, traces, EXO_NTRACE, sizeof traces[0]);
	paging_trace();
	paging_back_table(io_frames, sizeof io_frames);
	paging_back_table(run_born, (frames + RUN - 1) / RUN * sizeof run_born[0]);
}

static void back_extents(void)
{
	uint64_t records = (boot.image.table_blocks - 1) * EXO_EXTENTS_PER_BLOCK;

	if (records < 1 || records > EXO_NEXTENT)
		machine_panic("image header: extent table of impossible size", records, 0);
	table(EXO_TABLE_EXTENTS, extents, (uint32_t)records, sizeof extents[0]);
}

static void fill_info(uint32_t frames, uint32_t nenv)
{
	info.magic = EXO_INFO_MAGIC;
	info.abi_version = EXO_ABI_VERSION;
	info.info_size = sizeof info;
	info.frames = frames;
	info.envs = nenv;
	info.image_id = boot.image.id;
	tracing.build = (uint64_t)boot.image.kernel_crc << 32 | (uint32_t)boot.image.kernel_bytes;
}

/*
 * A record for every frame: memory is free but for what the kernel and its tables stand in.  What
 * the loader left for the first program is free too: first.c copies it to frames above.
 */
static void record_pages(uint32_t frames)
{
	uint32_t kernel_end = (uint32_t)(paging_boot_end() / EXO_PAGE_SIZE);
	uint32_t blob = boot.init_phys / EXO_PAGE_SIZE, blob_end = boot.end_phys / EXO_PAGE_SIZE;

	page_boot_range(0, frames, EXO_PAGE_NONE);
	for (uint32_t i = 0; i < boot.ranges; i++) {
		const struct boot_range *r = &boot.range[i];
		uint64_t first = (r->base + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;
		uint64_t end = (r->base + r->len) / EXO_PAGE_SIZE;

		end = end < frames ? end : frames;
		if (r->type == BOOT_USABLE && first < end)
			page_boot_range((uint32_t)first, (uint32_t)(end - first), EXO_PAGE_FREE);
	}
	page_boot_range(0, 1, EXO_PAGE_KERNEL);
	page_boot_range(0xa0, 0x60, EXO_PAGE_DEVICE);
	page_boot_range(0x100, blob - 0x100, EXO_PAGE_KERNEL);
	page_boot_range(blob_end, kernel_end - blob_end, EXO_PAGE_KERNEL);
}

static void memory_init(void)
{
	uint32_t frames = count_frames(), nenv = count_envs(frames);

	paging_boot_start(boot.end_phys, usable_end(boot.end_phys));
	paging_init((uint64_t)frames * EXO_PAGE_SIZE);
	back_tables(frames, nenv);
	back_extents();
	fill_info(frames, nenv);
	record_pages(frames);
	registry_init(registry_entries(frames));
	env_init(nenv);
}

void kernel_main(const struct boot_info *from)
{
	const struct exo_manifest *manifest;

	boot = *from;
	cpu_init();
	memory_init();
	manifest = direct(boot.manifest_phys);
	log_verbose(manifest->magic == EXO_MANIFEST_MAGIC && manifest->verbose);
	uart_init();
	vga_init();
	kbd_init();
	pic_init();
	time_init();
	console_init();
	ide_init();
	extent_boot(&boot.image);
	first_program(&boot);
	info.boot_tsc = x86_tsc();
	resume_program(switch_program());
}
