/*
 * own.c - whether what is this program's is as it was: capabilities, CPU slots, limits, frames, and
 * registers of the FPU over a while in which others run, and segment registers.  Owns the copies.
 * Called by bystander.c.
 */
#include <stddef.h>
#include <string.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>
#include "bystander.h"

enum { MOST_PAGES = 64, XMM_BYTES = 16 * 16, SPINS = 20000 };

static struct exo_caps caps;
static struct exo_quota limit;
static uint64_t slots[EXO_NSLOT / 64];
static uint32_t frames[MOST_PAGES], npages;

static uint32_t self_index(void)
{
	return (uint32_t)(start_self() & 0xffff);
}

void own_remember(const void *memory, uint32_t pages)
{
	caps = *(const struct exo_caps *)tables_caps(self_index());
	limit = *(const struct exo_quota *)tables_quota_limit(self_index());
	memcpy(slots, (const void *)tables_env(self_index())->slots, sizeof slots);
	for (npages = 0; npages < pages && npages < MOST_PAGES; npages++)
		frames[npages] = vm_frame((uint64_t)(uintptr_t)memory + npages * VM_PAGE, NULL);
}

/* Frames are mapped once, by this program, and lent to nobody. */
static uint64_t frames_changed(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < npages; i++) {
		const volatile struct exo_page *p = tables_page(frames[i]);

		n += p->owner != self_index() || p->state != EXO_PAGE_DATA ||
		     *tables_page_maps(frames[i]) != 1;
	}
	return n;
}

/* Loads all of XMM and the control words, spins for others to run, and stores them. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the assembly writes them */
static void through_fpu(const uint8_t *in, uint8_t *out, uint32_t *mxcsr, uint16_t *control)
{
	uint64_t spins = SPINS;

	__asm__ volatile("fldcw %[control]\n\tldmxcsr %[mxcsr]\n\t"
			 ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "movdqu 16*\\r(%[in]), %%xmm\\r\n\t.endr\n"
			 "1:\tdecq %[spins]\n\tjnz 1b\n\t"
			 ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "movdqu %%xmm\\r, 16*\\r(%[out])\n\t.endr\n\t"
			 "stmxcsr %[mxcsr]\n\tfnstcw %[control]"
			 : [spins] "+r"(spins), [mxcsr] "+m"(*mxcsr), [control] "+m"(*control)
			 : [in] "r"(in), [out] "r"(out)
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static uint64_t fpu_changed(void)
{
	static uint8_t next;
	uint8_t in[XMM_BYTES], out[XMM_BYTES];
	uint32_t mxcsr = 0x3f80; /* rounds down, all exceptions masked */
	uint16_t control = 0x77f;
	int same;

	for (uint32_t i = 0; i < XMM_BYTES; i++)
		in[i] = (uint8_t)(next + i * 7);
	next++;
	through_fpu(in, out, &mxcsr, &control);
	same = memcmp(in, out, XMM_BYTES) == 0 && mxcsr == 0x3f80 && control == 0x77f;
	mxcsr = 0x1f80;
	control = 0x37f;
	__asm__ volatile("ldmxcsr %0; fldcw %1" ::"m"(mxcsr), "m"(control));
	return !same;
}

/* Segment registers that another program loaded must not be found here. */
static uint64_t segments_changed(void)
{
	uint64_t ds, es, fs, gs;

	__asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return (ds | es | fs | gs) != 0;
}

uint64_t own_changed(void)
{
	const uint32_t me = self_index();

	return (memcmp(&caps, (const void *)tables_caps(me), sizeof caps) != 0) +
	       (memcmp(&limit, (const void *)tables_quota_limit(me), sizeof limit) != 0) +
	       (memcmp(slots, (const void *)tables_env(me)->slots, sizeof slots) != 0) +
	       frames_changed() + segments_changed() + fpu_changed();
}
