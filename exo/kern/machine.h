/*
 * machine.h - what the protection core needs from the machine, and nothing else.
 *
 * kern/ is plain C over fixed arrays; these few functions are all it knows of page tables being in
 * memory, TLBs, time and drives.  exo/x86 and exo/dev implement them in the kernel, exo/test in
 * host tests, exo/proof gives them contracts.  All are bounded.
 */
#ifndef KERN_MACHINE_H
#define KERN_MACHINE_H

#include <exo/tables.h>

struct table {
	uint64_t e[512];
};

/* Memory of a frame that has a record.  The kernel reaches all memory through its direct map. */
struct table *machine_table(struct pfn f);
struct exo_save *machine_save(struct pfn f);
struct exo_ring *machine_ring(struct pfn f);
struct exo_upcall_head *machine_upcall_head(struct pfn f);
struct exo_upcall_frame *machine_upcall_frame(struct pfn f); /* at the end of the page */
uint8_t *machine_bytes(struct pfn f);

void machine_zero(struct pfn f);

/* A level-4 table gets the kernel's half, which no call can change. */
void machine_root_init(struct pfn root);

/* Entries for `pages` pages at va of the address space `root` lost rights: no CPU may keep them. */
void machine_tlb_drop(struct pfn root, uint64_t va, uint32_t pages);

/* Nanoseconds since boot. */
/*@ assigns \nothing; */
uint64_t machine_now(void);

/* What the TSC says. */
uint64_t machine_tsc(void);

/*
 * traces[] stands in these frames from now on, and calls, faults and switches are recorded; 0
 * frames: in none, programs read zeros there, and nothing is recorded.
 */
void machine_trace(struct pfn first, uint32_t frames);

/* Interrupts once, EXO_GRACE_NS before the next tick: upcall_ending() (kern/upcall.h). */
void machine_slice_timer(void);

/* Clean FPU state for an environment that starts. */
void machine_fpu_init(struct exo_save *save);

/*
 * Starts the request `io` (index in the I/O table) on its drive, which is idle.  Memory is
 * io_frames[io]; for EXO_IO_CLEAR a page of zeros.  Completion comes by io_done() (kern/io.h),
 * never from inside this call.
 */
void machine_disk_start(uint32_t io);

/* Console: takes a byte if the line has room, else false (console_sent() is called when it has). */
int machine_console_put(uint8_t byte);

_Noreturn void machine_halt(uint64_t status);

/* A kernel bug: prints what with two values and a backtrace, and stops.  Never for user mistakes.
 */
_Noreturn void machine_panic(const char *what, uint64_t a, uint64_t b);

#endif
