/*
 * cpu.c - owns GDT, TSS, IDT and the control registers; set up once while booting.
 *
 * Features are found through CPUID, never by faulting: QEMU takes some unknown CR4 bits silently.
 * Traps from programs push their frame straight into the save area of the environment (TSS.RSP0
 * points there), so nothing is copied when it must be left.
 */
#include <stddef.h>
#include "../kern/machine.h"
#include "cpu.h"
#include "trap.h"

enum {
	MSR_EFER = 0xc0000080u,
	MSR_STAR = 0xc0000081u,
	MSR_LSTAR = 0xc0000082u,
	MSR_SFMASK = 0xc0000084u,
	MSR_GS_BASE = 0xc0000101u,
	EFER_SCE = 1,
	EFER_NXE = 1 << 11,
	CR4_PGE = 1 << 7,
	CR4_OSFXSR = 1 << 9,
	CR4_OSXMMEXCPT = 1 << 10,
	CR4_UMIP = 1 << 11,
	CR4_FSGSBASE = 1 << 16,
	CR4_SMEP = 1 << 20,
	CR4_SMAP = 1 << 21,
	CR0_MP = 2,
	CR0_EM = 4,
	CR0_TS = 8,
	CR0_NE = 32,
	CR0_WP = 1 << 16,
	IST_FAULT = 1,
	IST_DEBUG = 2,
	FLAGS_CLEARED = 0x00257fd5, /* on SYSCALL: everything a program could leave set, IF too */
};

struct gate {
	uint16_t low;
	uint16_t cs;
	uint8_t ist;
	uint8_t type;
	uint16_t mid;
	uint32_t high;
	uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "IDT entry");

struct tss {
	uint32_t reserved0;
	uint32_t rsp[6]; /* rsp0..2, as halves */
	uint32_t reserved1[2];
	uint32_t ist[14]; /* ist1..7, as halves */
	uint32_t reserved2[2];
	uint16_t reserved3;
	uint16_t io_map;
};
_Static_assert(sizeof(struct tss) == 104, "TSS");

struct descriptor {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern const uint8_t k_stack_top[], k_fault_stack_top[];
extern const uint64_t trap_stubs[256];
void call_entry(void);
void call_entry_traced(void);

struct x86_features x86_features;
static struct x86_cpu per_cpu;
static struct tss tss;
static struct gate idt[256];
static uint64_t gdt[8];
static uint64_t debug_stack[32] __attribute__((aligned(16))); /* entry.S leaves it at once */

/* NOLINTNEXTLINE(readability-non-const-parameter): the assembly writes r */
static void cpuid(uint32_t leaf, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(0));
}

/* Bit `bit` of register `reg` (0 eax .. 3 edx) of a leaf; 0 where the CPU has no such leaf. */
static uint8_t feature(uint32_t leaf, unsigned reg, unsigned bit)
{
	uint32_t r[4];

	cpuid(leaf & 0x80000000u, r);
	if (r[0] < leaf)
		return 0;
	cpuid(leaf, r);
	return (r[reg] >> bit) & 1;
}

/*
 * QEMU's own emulation (its CPUID leaf says TCG) reads the stack of an iretq as the supervisor even
 * in user mode, so that SMAP would refuse every return from an upcall.
 */
static uint8_t smap_breaks_iretq(void)
{
	enum { HYPERVISOR_LEAF = 0x40000000, TCGT = 0x54474354 };
	uint32_t r[4];

	if (!feature(1, 2, 31))
		return 0;
	cpuid(HYPERVISOR_LEAF, r);
	return r[1] == TCGT;
}

static void need(uint8_t has, const char *what)
{
	if (!has)
		machine_panic(what, 0, 0);
}

static void check_features(void)
{
	need(feature(0x80000001u, 3, 20), "this CPU has no NX (no-execute pages)");
	need(feature(0x80000001u, 3, 11), "this CPU has no SYSCALL");
	need(feature(1, 3, 24), "this CPU has no FXSAVE");
	need(feature(1, 3, 9), "this CPU has no local APIC");
	need(feature(1, 3, 13), "this CPU has no global pages");
	x86_features.crc32c = feature(1, 2, 20);
	x86_features.smep = feature(7, 1, 7);
	x86_features.smap = feature(7, 1, 20) && !smap_breaks_iretq();
	x86_features.umip = feature(7, 2, 2);
	x86_features.fsgsbase = feature(7, 1, 0);
}

static void set_control(void)
{
	uint64_t cr0, cr4;

	__asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
	cr0 = (cr0 & ~(uint64_t)(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP;
	__asm__ volatile("movq %0, %%cr0" ::"r"(cr0));
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	cr4 |= x86_features.smep ? CR4_SMEP : 0;
	cr4 |= x86_features.smap ? CR4_SMAP : 0;
	cr4 |= x86_features.umip ? CR4_UMIP : 0;
	cr4 |= x86_features.fsgsbase ? CR4_FSGSBASE : 0;
	__asm__ volatile("movq %0, %%cr4" ::"r"(cr4));
	x86_wrmsr(MSR_EFER, x86_rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
}

static void set_gdt(void)
{
	uint64_t base = (uint64_t)&tss;
	struct descriptor d = {sizeof gdt - 1, (uint64_t)gdt};

	gdt[1] = 0x00209a0000000000ull; /* 08 kernel code */
	gdt[2] = 0x0000920000000000ull; /* 10 kernel data */
	gdt[4] = 0x0000f20000000000ull; /* 20 user data; 18 stays empty: no 32-bit programs */
	gdt[5] = 0x0020fa0000000000ull; /* 28 user code */
	gdt[6] = 0x0000890000000000ull | (sizeof tss - 1) | (base & 0xffffff) << 16 |
		 (base >> 24 & 0xff) << 56;
	gdt[7] = base >> 32;
	__asm__ volatile("lgdt %0" ::"m"(d));
	__asm__ volatile(
		"pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" ::"i"(X86_KERNEL_CS)
		: "rax", "memory");
	__asm__ volatile("movw %w0, %%ss; xorl %%eax, %%eax; movw %%ax, %%ds; movw %%ax, %%es;"
			 "movw %%ax, %%fs; movw %%ax, %%gs" ::"r"(X86_KERNEL_SS)
			 : "rax");
}

static void set_ist(unsigned ist, const void *top)
{
	tss.ist[2 * (ist - 1)] = (uint32_t)(uint64_t)top;
	tss.ist[2 * (ist - 1) + 1] = (uint32_t)((uint64_t)top >> 32);
}

static void set_tss(void)
{
	set_ist(IST_FAULT, k_fault_stack_top);
	set_ist(IST_DEBUG, debug_stack + sizeof debug_stack / sizeof debug_stack[0]);
	tss.io_map = sizeof tss;
	__asm__ volatile("ltr %w0" ::"r"(X86_TSS));
}

/* Double fault, NMI, machine check and debug get a stack that is good whatever happened. */
static void set_idt(void)
{
	struct descriptor d = {sizeof idt - 1, (uint64_t)idt};

	for (unsigned v = 0; v < 256; v++) {
		uint64_t at = trap_stubs[v];

		idt[v] = (struct gate){(uint16_t)at,	     X86_KERNEL_CS,	   0, 0x8e,
				       (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
		if (v == 2 || v == 8 || v == 18)
			idt[v].ist = IST_FAULT;
		if (v == 1)
			idt[v].ist = IST_DEBUG;
		if (v == 3 || v == 4)
			idt[v].type = 0xee; /* int3 and into are the program's own */
	}
	__asm__ volatile("lidt %0" ::"m"(d));
}

static void set_call_entry(void)
{
	per_cpu.stack_top = (uint64_t)k_stack_top;
	x86_wrmsr(MSR_GS_BASE, (uint64_t)&per_cpu);
	x86_wrmsr(X86_USER_GS_BASE, 0);
	x86_wrmsr(MSR_STAR, (uint64_t)0x18 << 48 | (uint64_t)X86_KERNEL_CS << 32);
	x86_wrmsr(MSR_SFMASK, FLAGS_CLEARED);
	cpu_trace(0);
}

void cpu_trace(int on)
{
	x86_wrmsr(MSR_LSTAR, on ? (uint64_t)call_entry_traced : (uint64_t)call_entry);
	per_cpu.trap = on ? trap_traced : trap_from_program;
}

void cpu_set_save(struct exo_save *save)
{
	uint64_t end = (uint64_t)save + sizeof(struct exo_regs);

	tss.rsp[0] = (uint32_t)end;
	tss.rsp[1] = (uint32_t)(end >> 32);
	per_cpu.save_end = end;
}

/* As after FNINIT and reset: all exceptions masked. */
void machine_fpu_init(struct exo_save *save)
{
	enum { CONTROL = 0x37f, MXCSR = 0x1f80 };

	for (unsigned i = 0; i < sizeof save->fpu; i++)
		save->fpu[i] = 0;
	save->fpu[0] = CONTROL & 0xff;
	save->fpu[1] = CONTROL >> 8;
	save->fpu[24] = MXCSR & 0xff;
	save->fpu[25] = MXCSR >> 8;
	save->fs_base = 0;
	save->gs_base = 0;
}

void cpu_init(void)
{
	set_idt();
	check_features();
	set_gdt();
	set_tss();
	set_control();
	set_call_entry();
}
