/*
 * paging.h - the kernel's own address space, and physical memory as the kernel reaches it.
 *
 *   0xffff800000000000  direct map of all memory: writable, not executable (kernel text and
 *                       read-only data read-only there too)
 *   0xffffff7fc0000000  the tables, read-only for every program
 *   0xffffffff80100000  kernel image: text executable, the rest not; guard page under the stack
 *   0xffffffffbffff000  local APIC registers
 *   0xffffffffc0000000  the tables, for the kernel
 */
#ifndef X86_PAGING_H
#define X86_PAGING_H

#include <stdint.h>

#define DIRECT_MAP 0xffff800000000000ull
#define LAPIC_VA   0xffffffffbffff000ull

static inline void *direct(uint64_t phys)
{
	return (void *)(DIRECT_MAP + phys);
}

/* Physical address of something in the kernel image or the direct map. */
uint64_t x86_phys(const void *p);

/* Builds the final page tables for memory up to `top` (physical) and switches to them. */
void paging_init(uint64_t top);

/* Backs `bytes` at a table's kernel address with zeroed frames. */
void paging_back_table(const void *table, uint64_t bytes);

/* Boot: traces[] has addresses, and zeros for programs to read; nothing to write to. */
void paging_trace(void);

/* Physical address of the kernel's own level-4 table, for when no program runs. */
uint64_t paging_kernel_root(void);

/* Next free physical page while booting, zeroed, from first_free to below limit, which it panics
 * at; ends for good at paging_boot_end(). */
uint64_t boot_page(void);
uint64_t paging_boot_end(void);
void paging_boot_start(uint64_t first_free, uint64_t limit);

#endif
