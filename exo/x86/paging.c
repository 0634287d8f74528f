/*
 * paging.c - owns the kernel's own page tables and the memory handed out while booting.
 *
 * Invariant: no kernel address is writable and executable, under any of its names.  The last table
 * levels of the table window are shared between the kernel's name for them (supervisor, writable:
 * permissions of level 4 entry 511) and the programs' (user, read-only: entry 510), since the CPU
 * joins the permissions of all levels.  Used while booting; later only machine_root_init and the
 * TLB.
 */
#include <exo/image.h>
#include "../kern/machine.h"
#include "../kern/trace.h"
#include "cpu.h"
#include "paging.h"

enum { P = 1, W = 2, U = 4, LARGE = 128, GLOBAL = 256 };
#define NX (1ull << 63)

extern const uint8_t k_start[], k_text_end[], k_rodata_end[], k_end[], k_guard[], k_guard2[];

static uint64_t kernel_root; /* physical */
static uint64_t boot_next;   /* next physical page of boot_page() */
static uint64_t boot_limit;  /* where memory that it may take ends */
static uint64_t no_trace; /* a page of zeros: what programs read of traces[] while nobody traces */
static uint64_t reach =
	EXO_KERNEL_VA; /* where physical 0 is: the loader's map, then the direct map */

static uint64_t *table_at(uint64_t phys)
{
	return (uint64_t *)(reach + phys);
}

uint64_t x86_phys(const void *p)
{
	uint64_t va = (uint64_t)p;

	return va >= EXO_KERNEL_VA ? va - EXO_KERNEL_VA : va - DIRECT_MAP;
}

void paging_boot_start(uint64_t first_free, uint64_t limit)
{
	boot_limit = limit;
	boot_next = (first_free + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE * EXO_PAGE_SIZE;
}

uint64_t boot_page(void)
{
	uint64_t phys = boot_next, *e = table_at(phys);

	if (phys + EXO_PAGE_SIZE > boot_limit)
		machine_panic("not enough memory for the kernel's tables (end of memory)",
			      boot_limit, 0);
	boot_next += EXO_PAGE_SIZE;
	for (uint32_t i = 0; i < 512; i++)
		e[i] = 0;
	return phys;
}

uint64_t paging_boot_end(void)
{
	return boot_next;
}

uint64_t paging_kernel_root(void)
{
	return kernel_root;
}

/* The entry for va at `level` (1: 4 KiB, 2: 2 MiB), with the tables above it made as needed. */
static uint64_t *entry_for(uint64_t va, unsigned level)
{
	uint64_t table = kernel_root;

	for (unsigned l = 4; l > level; l--) {
		uint64_t *e = &table_at(table)[(va >> (12 + 9 * (l - 1))) & 511];

		if (!(*e & P))
			*e = boot_page() | P | W | U;
		table = *e & 0x000ffffffffff000ull;
	}
	return &table_at(table)[(va >> (12 + 9 * (level - 1))) & 511];
}

/* Permissions of one page of the kernel image; 0: a guard page. */
static uint64_t image_flags(uint64_t va)
{
	if (va == (uint64_t)k_guard || va == (uint64_t)k_guard2)
		return 0;
	if (va < (uint64_t)k_text_end)
		return P | GLOBAL;
	if (va < (uint64_t)k_rodata_end)
		return P | GLOBAL | NX;
	return P | W | GLOBAL | NX;
}

static void map_image(void)
{
	for (uint64_t va = (uint64_t)k_start; va < (uint64_t)k_end; va += EXO_PAGE_SIZE) {
		uint64_t flags = image_flags(va);

		if (flags != 0)
			*entry_for(va, 1) = x86_phys((const void *)va) | flags;
	}
	*entry_for(LAPIC_VA, 1) = 0xfee00000ull | P | W | GLOBAL | NX | 0x18; /* uncached */
}

/* One 2 MiB stretch that holds part of the image: page by page, text and constants read-only. */
static void map_direct_small(uint64_t phys)
{
	for (uint64_t p = phys; p < phys + 0x200000; p += EXO_PAGE_SIZE) {
		uint64_t image = p + EXO_KERNEL_VA;
		uint64_t ro = image >= (uint64_t)k_start && image < (uint64_t)k_rodata_end;

		*entry_for(DIRECT_MAP + p, 1) = p | P | (ro ? 0 : W) | GLOBAL | NX;
	}
}

static void map_direct(uint64_t top)
{
	uint64_t image_end = x86_phys(k_rodata_end);

	for (uint64_t p = 0; p < top; p += 0x200000) {
		if (p < image_end)
			map_direct_small(p);
		else
			*entry_for(DIRECT_MAP + p, 2) = p | P | W | LARGE | GLOBAL | NX;
	}
}

/* Programs' name for the tables: its own level-3 table, the kernel's tables below it. */
static void share_tables(void)
{
	uint64_t window = *entry_for(EXO_TABLES_KERNEL, 3);

	*entry_for(EXO_TABLES_VA, 3) = window;
	table_at(kernel_root)[510] &= ~(uint64_t)W;
	table_at(kernel_root)[511] &= ~(uint64_t)U;
	table_at(kernel_root)[256] &= ~(uint64_t)U;
}

void paging_init(uint64_t top)
{
	kernel_root = boot_page();
	map_image();
	map_direct(top);
	(void)entry_for(EXO_TABLES_KERNEL, 2);
	share_tables();
	x86_load_root(kernel_root);
	reach = DIRECT_MAP;
}

void paging_back_table(const void *table, uint64_t bytes)
{
	uint64_t first = (uint64_t)table & ~(uint64_t)(EXO_PAGE_SIZE - 1);

	for (uint64_t va = first; va < (uint64_t)table + bytes; va += EXO_PAGE_SIZE) {
		uint64_t *e = entry_for(va, 1);

		if (!(*e & P))
			*e = boot_page() | P | W | U | GLOBAL | NX;
	}
}

/* The entry for page i of traces[]. */
static uint64_t *trace_entry(uint32_t i)
{
	return entry_for((uint64_t)traces + i * (uint64_t)EXO_PAGE_SIZE, 1);
}

void paging_trace(void)
{
	no_trace = boot_page();
	for (uint32_t i = 0; i < TRACE_FRAMES; i++)
		*trace_entry(i) = no_trace | P | U | NX;
}

/* Not GLOBAL, so that loading the root drops what was translated. */
void machine_trace(struct pfn first, uint32_t frames)
{
	const uint64_t ring = (uint64_t)first.n * EXO_PAGE_SIZE;

	for (uint32_t i = 0; i < TRACE_FRAMES; i++)
		*trace_entry(i) = i < frames ? (ring + i * EXO_PAGE_SIZE) | P | W | U | NX
					     : no_trace | P | U | NX;
	x86_load_root(x86_root());
	cpu_trace(frames != 0);
}

void machine_root_init(struct pfn root)
{
	const uint64_t *from = table_at(kernel_root);
	struct table *to = machine_table(root);

	for (uint32_t i = EXO_USER_L4; i < 512; i++)
		to->e[i] = from[i];
}

/* Many pages are cheaper dropped together, by loading the root again. */
void machine_tlb_drop(struct pfn root, uint64_t va, uint32_t pages)
{
	enum { ONE_BY_ONE = 16 };

	if (x86_root() != (uint64_t)root.n * EXO_PAGE_SIZE)
		return;
	if (pages > ONE_BY_ONE) {
		x86_load_root(x86_root());
		return;
	}
	for (uint32_t i = 0; i < pages; i++)
		x86_invlpg(va + (uint64_t)i * EXO_PAGE_SIZE);
}

static void *frame_at(struct pfn f)
{
	return direct((uint64_t)f.n * EXO_PAGE_SIZE);
}

struct table *machine_table(struct pfn f)
{
	return frame_at(f);
}

struct exo_save *machine_save(struct pfn f)
{
	return frame_at(f);
}

struct exo_ring *machine_ring(struct pfn f)
{
	return frame_at(f);
}

struct exo_upcall_head *machine_upcall_head(struct pfn f)
{
	return frame_at(f);
}

struct exo_upcall_frame *machine_upcall_frame(struct pfn f)
{
	return direct((uint64_t)f.n * EXO_PAGE_SIZE + EXO_PAGE_SIZE -
		      sizeof(struct exo_upcall_frame));
}

uint8_t *machine_bytes(struct pfn f)
{
	return frame_at(f);
}

void machine_zero(struct pfn f)
{
	x86_clear_page(frame_at(f));
}
