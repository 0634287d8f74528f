/*
 * panic.c - how the kernel ends: a bug is printed with values and a symbolised backtrace on COM1
 * and port 0xE9, and the emulator is stopped.  Needs nothing but its own instructions.
 */
#include <exo/image.h>
#include "../kern/machine.h"
#include "cpu.h"
#include "io.h"
#include "stop.h"

enum { COM1 = 0x3f8, COM1_STATUS = 5, COM1_ROOM = 0x20, DEBUG_PORT = 0xe9, FRAMES = 16 };

/* Made from the linked kernel by x86/ksyms.awk: ascending addresses, and names. */
struct ksym {
	uint64_t address;
	const char *name;
};
extern const struct ksym ksyms[];
extern const uint64_t ksym_count;

extern const uint8_t k_start[], k_text_end[], k_stack_low[], k_fault_stack_top[];

static void put(char c)
{
	for (unsigned i = 0; i < 100000 && !(inb(COM1 + COM1_STATUS) & COM1_ROOM); i++)
		;
	outb(COM1, (uint8_t)c);
	outb(DEBUG_PORT, (uint8_t)c);
}

static void text(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			put('\r');
		put(*s);
	}
}

static void hex(uint64_t v)
{
	text("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		put("0123456789abcdef"[v >> shift & 15]);
}

static void symbol(uint64_t at)
{
	uint64_t i = 0;

	while (i < ksym_count && ksyms[i].address <= at)
		i++;
	text("  ");
	hex(at);
	if (i > 0) {
		text(" ");
		text(ksyms[i - 1].name);
		text(" + ");
		hex(at - ksyms[i - 1].address);
	}
	text("\n");
}

/* Follows saved frame pointers as long as they stay in the kernel's stacks and go up. */
static void backtrace(uint64_t rbp)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		const uint64_t *frame = (const uint64_t *)rbp;

		if (rbp < (uint64_t)k_stack_low || rbp + 16 > (uint64_t)k_fault_stack_top ||
		    rbp % 8)
			return;
		if (frame[1] < (uint64_t)k_start || frame[1] >= (uint64_t)k_text_end)
			return;
		symbol(frame[1]);
		if (frame[0] <= rbp)
			return;
		rbp = frame[0];
	}
}

static void value(const char *name, uint64_t v)
{
	text(name);
	hex(v);
}

_Noreturn void machine_panic(const char *what, uint64_t a, uint64_t b)
{
	text("\nfreehold: panic: ");
	text(what);
	value(" ", a);
	value(" ", b);
	text("\n");
	backtrace((uint64_t)__builtin_frame_address(0));
	stop_machine(STOP_PANIC);
}

_Noreturn void panic_trap(const struct exo_regs *r, uint64_t addr)
{
	text("\nfreehold: panic: trap in the kernel:");
	value(" vector ", r->vector);
	value(" error ", r->error);
	value(" address ", addr);
	value("\n rip ", r->rip);
	value(" rsp ", r->rsp);
	value(" rflags ", r->rflags);
	value("\n rax ", r->rax);
	value(" rbx ", r->rbx);
	value(" rcx ", r->rcx);
	value("\n rdx ", r->rdx);
	value(" rsi ", r->rsi);
	value(" rdi ", r->rdi);
	value("\n rbp ", r->rbp);
	value(" r12 ", r->r12);
	value(" r13 ", r->r13);
	text("\n");
	symbol(r->rip);
	backtrace(r->rbp);
	stop_machine(STOP_PANIC);
}
