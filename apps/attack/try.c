/*
 * try.c - runs a few bytes of code that should fault, inside this program.
 *
 * The code stands in a page that is written at one address and run at another.  A fault handler
 * notes what came and goes on behind try_enter(), with the stack as it was there.
 */
#include <libos/upcall.h>
#include <libos/vm.h>
#include <string.h>
#include "attack.h"

enum { EXCEPTIONS = 32, CODE_MAX = 64, FLAGS = 0x202 };

extern RESIDENT uint64_t try_stack;
RESIDENT uint64_t try_stack;
static RESIDENT volatile struct tried caught;

extern const uint8_t try_back[];
int try_enter(uint64_t arg, const uint8_t *code);

static uint8_t *write_at;
static const uint8_t *run_at;

static int on_fault(struct exo_upcall_frame *frame)
{
	caught.fault = (uint32_t)(frame->what >> 8);
	caught.error = frame->error;
	caught.addr = frame->addr;
	caught.rip = frame->rip;
	caught.rflags = frame->rflags;
	frame->rip = (uint64_t)(uintptr_t)try_back;
	frame->rsp = try_stack;
	frame->rflags = FLAGS;
	return 1;
}

/* A page, writable at one address, executable at the other. */
static int prepare(void)
{
	static uint8_t page[VM_PAGE] __attribute__((aligned(4096)));
	uint64_t va;

	page[0] = 0xc3;
	if (vm_reserve(0, VM_PAGE, VM_READ | VM_EXEC, VM_FOREIGN, &va) != 0 ||
	    vm_map(va, vm_frame((uint64_t)(uintptr_t)page, NULL), 1, VM_READ | VM_EXEC, 0) != 0)
		return 0;
	write_at = page;
	run_at = (const uint8_t *)(uintptr_t)va;
	return 1;
}

struct tried try_code(const uint8_t *code, uint32_t bytes, uint64_t arg)
{
	if ((write_at == NULL && !prepare()) || bytes >= CODE_MAX)
		return (struct tried){.fault = EXCEPTIONS};
	memcpy(write_at, code, bytes);
	write_at[bytes] = 0xc3; /* ret */
	for (unsigned v = 0; v < EXCEPTIONS; v++)
		upcall_on_fault(v, on_fault);
	caught.fault = 0;
	(void)try_enter(arg, run_at);
	for (unsigned v = 0; v < EXCEPTIONS; v++)
		upcall_on_fault(v, NULL);
	return (struct tried){caught.fault, caught.error, caught.addr, caught.rip, caught.rflags};
}

int can_read(uint64_t va)
{
	static const uint8_t load[] = {0x8a, 0x07}; /* mov (%rdi),%al */

	return try_code(load, sizeof load, va).fault == 0;
}

int can_write(uint64_t va)
{
	static const uint8_t store[] = {0x88, 0x07}; /* mov %al,(%rdi) */

	return try_code(store, sizeof store, va).fault == 0;
}
