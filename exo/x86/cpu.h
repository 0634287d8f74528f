/*
 * cpu.h - privileged instructions and the processor's own tables.
 */
#ifndef X86_CPU_H
#define X86_CPU_H

#include <exo/abi.h>

enum {
	X86_KERNEL_CS = 0x08,
	X86_KERNEL_SS = 0x10,
	X86_TSS = 0x30,
	X86_IF = 0x200,	     /* in RFLAGS */
	VECTOR_PIC = 0x20,   /* 16 of the old interrupt controllers */
	VECTOR_TIMER = 0x30, /* local APIC */
	VECTOR_SPURIOUS = 0xff,
	VECTOR_CALL = 256, /* in save areas: left by SYSCALL */
};

/* While the kernel runs, the program's GS base is here. */
static const uint32_t X86_USER_GS_BASE = 0xc0000102u;

/* What entry.S reaches through GS; one per CPU. */
struct x86_cpu {
	uint64_t stack_top; /* 0: kernel stack */
	uint64_t user_rsp;  /* 8: scratch of the call entry */
	uint64_t save_end;  /* 16: end of the registers in the save area of who runs */
	struct exo_regs *(*trap)(struct exo_regs *regs); /* 24: what a trap from a program calls */
};

/* Optional features, found through CPUID. */
struct x86_features {
	uint8_t smep, smap, umip, fsgsbase;
	uint8_t crc32c; /* the instruction: SSE4.2 */
};
extern struct x86_features x86_features;

/* Checks what the CPU must have, sets up GDT, TSS, IDT, SYSCALL, and what it may have. */
void cpu_init(void);

/* Calls and traps come by the paths that record, or by those that do not. */
void cpu_trace(int on);

/* A trap inside the kernel: prints registers and stops. */
_Noreturn void panic_trap(const struct exo_regs *regs, uint64_t addr);

/* Save area of the environment that is entered next: traps push their frame there. */
void cpu_set_save(struct exo_save *save);

/* The kernel reaches no memory of a program by its address, though the program has set AC. */
static inline void x86_clac(void)
{
	__asm__ volatile("clac" ::: "cc");
}

static inline void x86_load_root(uint64_t phys)
{
	__asm__ volatile("movq %0, %%cr3" ::"r"(phys) : "memory");
}

static inline uint64_t x86_root(void)
{
	uint64_t phys;

	__asm__ volatile("movq %%cr3, %0" : "=r"(phys));
	return phys;
}

static inline uint64_t x86_fault_address(void)
{
	uint64_t va;

	__asm__ volatile("movq %%cr2, %0" : "=r"(va));
	return va;
}

static inline void x86_invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline uint64_t x86_tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline uint64_t x86_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void x86_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline void x86_clear_page(void *page)
{
	uint64_t words = EXO_PAGE_SIZE / 8;

	__asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0ull) : "memory");
}

/*
 * exo_crc32c(0, at, 8 * n), eight bytes an instruction: what is checked at boot has hundreds of
 * KiB. Only with x86_features.crc32c.
 */
static inline uint32_t x86_crc32c(const uint64_t *at, uint64_t n)
{
	uint64_t crc = 0xffffffff;

	for (uint64_t i = 0; i < n; i++)
		__asm__("crc32q %1, %0" : "+r"(crc) : "m"(at[i]));
	return ~(uint32_t)crc;
}

/* Sleeps with interrupts on until one was handled. */
static inline void x86_idle(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

#endif
