/*
 * privilege.c - instructions that are the kernel's: ports, control registers, MSRs, descriptor
 * tables, the interrupt flag, segments; and kernel memory.
 */
#include <exo/image.h>
#include "attack.h"

struct instruction {
	const char *name;
	uint8_t bytes[12];
	uint8_t length;
	uint8_t fault, other; /* which exceptions count: the second one too, where there is one */
};

static const struct instruction instructions[] = {
	{"hlt", {0xf4}, 1, GP, 0},
	{"cli", {0xfa}, 1, GP, 0},
	{"sti", {0xfb}, 1, GP, 0},
	{"in from the keyboard's controller", {0xe4, 0x64}, 2, GP, 0},
	{"out to the keyboard's controller, which resets", {0xb0, 0xfe, 0xe6, 0x64}, 4, GP, 0},
	{"out to the interrupt controller", {0xb0, 0xff, 0xe6, 0x21}, 4, GP, 0},
	{"out to the drive's command port", {0x66, 0xba, 0xf7, 0x01, 0xb0, 0xef, 0xee}, 7, GP, 0},
	{"out to PCI's configuration", {0x66, 0xba, 0xf8, 0x0c, 0xef}, 5, GP, 0},
	{"ins", {0x66, 0xba, 0xf0, 0x01, 0x6c}, 5, GP, 0},
	{"outs", {0x66, 0xba, 0xf4, 0x00, 0x48, 0x89, 0xfe, 0x6e}, 8, GP, 0},
	{"mov from cr0", {0x0f, 0x20, 0xc0}, 3, GP, 0},
	{"mov from cr2", {0x0f, 0x20, 0xd0}, 3, GP, 0},
	{"mov from cr3", {0x0f, 0x20, 0xd8}, 3, GP, 0},
	{"mov from cr4", {0x0f, 0x20, 0xe0}, 3, GP, 0},
	{"mov from cr8", {0x44, 0x0f, 0x20, 0xc0}, 4, GP, 0},
	{"mov to cr0", {0x0f, 0x22, 0xc7}, 3, GP, 0},
	{"mov to cr3", {0x0f, 0x22, 0xdf}, 3, GP, 0},
	{"mov to cr4", {0x0f, 0x22, 0xe7}, 3, GP, 0},
	{"mov to cr8", {0x44, 0x0f, 0x22, 0xc7}, 4, GP, 0},
	{"mov from dr7", {0x0f, 0x21, 0xf8}, 3, GP, 0},
	{"mov to dr0", {0x0f, 0x23, 0xc7}, 3, GP, 0},
	{"mov to dr7", {0x0f, 0x23, 0xff}, 3, GP, 0},
	{"clts", {0x0f, 0x06}, 2, GP, 0},
	{"lmsw", {0x0f, 0x01, 0xf7}, 3, GP, 0},
	{"lgdt", {0x0f, 0x01, 0x17}, 3, GP, 0},
	{"lidt", {0x0f, 0x01, 0x1f}, 3, GP, 0},
	{"lldt", {0x0f, 0x00, 0xd7}, 3, GP, 0},
	{"ltr", {0x0f, 0x00, 0xdf}, 3, GP, 0},
	{"invlpg", {0x0f, 0x01, 0x3f}, 3, GP, 0},
	{"invd", {0x0f, 0x08}, 2, GP, 0},
	{"wbinvd", {0x0f, 0x09}, 2, GP, 0},
	{"swapgs", {0x0f, 0x01, 0xf8}, 3, GP, 0},
	{"sysretq", {0x48, 0x0f, 0x07}, 3, GP, 0},
	{"sysexit", {0x0f, 0x35}, 2, GP, UD},
	{"sysenter", {0x0f, 0x34}, 2, GP, UD},
	{"rdmsr of EFER", {0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32}, 7, GP, 0},
	{"wrmsr to EFER", {0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x30}, 7, GP, 0},
	{"wrmsr to LSTAR", {0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x30}, 7, GP, 0},
	{"wrmsr to the kernel's GS base", {0xb9, 0x02, 0x01, 0x00, 0xc0, 0x0f, 0x30}, 7, GP, 0},
	{"wrmsr to the APIC base", {0xb9, 0x1b, 0x00, 0x00, 0x00, 0x0f, 0x30}, 7, GP, 0},
	{"xsetbv", {0x0f, 0x01, 0xd1}, 3, GP, UD},
	{"vmcall", {0x0f, 0x01, 0xc1}, 3, UD, GP},
	{"state that no switch saves: vzeroall", {0xc5, 0xfc, 0x77}, 3, UD, 0},
	{"the kernel's code segment: retf", {0x6a, 0x08, 0x57, 0x48, 0xcb}, 5, GP, 0},
	{"the empty code segment: retf", {0x6a, 0x1b, 0x57, 0x48, 0xcb}, 5, GP, 0},
	{"mov ss, the kernel's", {0x6a, 0x10, 0x58, 0x8e, 0xd0}, 5, GP, 0},
	{"mov ds, the kernel's", {0x6a, 0x10, 0x58, 0x8e, 0xd8}, 5, GP, 0},
	{"mov gs, the task's segment", {0x6a, 0x33, 0x58, 0x8e, 0xe8}, 5, GP, 0},
};

static void privileged(void)
{
	for (uint32_t i = 0; i < sizeof instructions / sizeof instructions[0]; i++) {
		const struct instruction *in = &instructions[i];
		const struct tried t =
			try_code(in->bytes, in->length, (uint64_t)(uintptr_t)ring_data);

		score(in->name, t.fault != 0 && (t.fault == in->fault || t.fault == in->other));
	}
}

/* popf is not refused: it leaves the interrupt flag and IOPL as they are. */
static void flags(void)
{
	/* xor %eax,%eax; push $0x3000 ^ whatever; popf; pushf; pop (%rdi) */
	static const uint8_t off[] = {0x68, 0x02, 0x00, 0x00, 0x00, 0x9d, 0x9c, 0x8f, 0x07};
	static const uint8_t iopl[] = {0x68, 0x02, 0x32, 0x00, 0x00, 0x9d, 0x9c, 0x8f, 0x07};
	uint64_t seen = 0;

	(void)try_code(off, sizeof off, (uint64_t)(uintptr_t)&seen);
	score("clearing the interrupt flag by popf", (seen & 0x200) != 0);
	seen = ~0ull;
	(void)try_code(iopl, sizeof iopl, (uint64_t)(uintptr_t)&seen);
	score("raising IOPL by popf", (seen & 0x3000) == 0);
}

/* Every MiB of the kernel's half that can be named, and the places where something is. */
static void kernel_memory(void)
{
	static const uint64_t spots[] = {
		EXO_KERNEL_VA + EXO_KERNEL_PHYS,
		EXO_KERNEL_VA + EXO_KERNEL_PHYS + 0x40000,
		EXO_TABLES_KERNEL,
		0xffff800000000000ull,
		0xffff800000100000ull,
		0xffff8000fee00000ull,
		0xffff7fffffffffffull,
		0x0000800000000000ull,
		~0ull - 4095,
	};

	for (uint32_t i = 0; i < sizeof spots / sizeof spots[0]; i++) {
		tally(!can_read(spots[i]));
		tally(!can_write(spots[i]));
	}
	for (uint64_t f = 0; f < tables_info()->frames; f += 256) {
		tally(!can_read(0xffff800000000000ull + f * EXO_PAGE_SIZE));
		tally(!can_read(EXO_KERNEL_VA + f * EXO_PAGE_SIZE));
	}
	sum_up("reading and writing the kernel's memory");
	for (uint32_t i = 0; i < EXO_NTABLE; i++)
		if (tables_info()->table[i].va != 0) {
			tally(can_read(tables_info()->table[i].va));
			tally(!can_write(tables_info()->table[i].va));
		}
	sum_up("writing the read-only tables");
}

void attack_privilege(void)
{
	ring_data[0] = 0;
	privileged();
	flags();
	kernel_memory();
}
