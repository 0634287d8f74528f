/*
 * upcall.c - who handles what the kernel injects; the end of a program that nobody handles.
 *
 * Owns the table of handlers.  Runs on the upcall stack, compiled for general registers only.
 * Called by core/upcall.S and, to register handlers, by the layers above.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

enum { VECTORS = 32, PAGE_FAULT = 14, RED_ZONE = 128, DEFLECT_ROOM = 2048 };

/* The nine and six registers that upcall.S pushed. */
struct pushed {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
};

void upcall_entry(void);
void upcall_deflected(void);
int upcall_dispatch(struct exo_upcall_frame *frame);
_Noreturn void upcall_fatal(const struct exo_upcall_frame *frame, const struct pushed *r);

_Static_assert(LAYOUT_UPCALL == 0x200000 && EXO_USER_CS == 0x2b && EXO_USER_SS == 0x23 &&
		       EXO_UPCALL_EVENT == 1,
	       "upcall.S has these numbers");

static RESIDENT upcall_fn *on_fault[VECTORS];
static RESIDENT upcall_fn *first_on_page_fault;
static RESIDENT upcall_fn *on_event;
static RESIDENT upcall_fn *on_slice, *on_slice_end;
static RESIDENT uint64_t event_mask, memory_mask;

void upcall_on_fault(unsigned vector, upcall_fn *fn)
{
	if (vector < VECTORS)
		on_fault[vector] = fn;
}

void upcall_on_page_fault(upcall_fn *fn)
{
	first_on_page_fault = fn;
}

void upcall_on_event(upcall_fn *fn, uint64_t mask)
{
	on_event = fn;
	event_mask = fn ? mask : 0;
	call_env_set(0, EXO_SET_EVENT_UPCALL, event_mask | memory_mask);
}

void upcall_for_memory(uint64_t mask)
{
	memory_mask = mask;
	call_env_set(0, EXO_SET_EVENT_UPCALL, event_mask | memory_mask);
}

static void want_slices(void)
{
	call_env_set(0, EXO_SET_SLICE_UPCALL,
		     (on_slice ? EXO_SLICE_START : 0) | (on_slice_end ? EXO_SLICE_END : 0));
}

uint64_t upcall_events(void)
{
	return event_mask | memory_mask;
}

void upcall_slice_handler(upcall_fn *fn)
{
	on_slice = fn;
	want_slices();
}

/* Programs with threads have one of their own (libos/sched/preempt.c). */
__attribute__((weak, alias("upcall_slice_handler"))) void upcall_on_slice(upcall_fn *fn);

void upcall_on_slice_end(upcall_fn *fn)
{
	on_slice_end = fn;
	want_slices();
}

void upcall_start(void)
{
	call_env_set(0, EXO_SET_UPCALL_ENTRY, (uint64_t)(uintptr_t)upcall_entry);
	if (event_mask | memory_mask)
		call_env_set(0, EXO_SET_EVENT_UPCALL, event_mask | memory_mask);
	if (on_slice || on_slice_end)
		want_slices();
}

static int dispatch_fault(struct exo_upcall_frame *frame, unsigned vector)
{
	if (vector == PAGE_FAULT && vm_fault(frame))
		return 1;
	return on_fault[vector] && on_fault[vector](frame);
}

__attribute__((noinline)) static void dispatch_event(struct exo_upcall_frame *frame)
{
	if (frame->addr & memory_mask)
		vm_policy_asked(frame);
	if (on_event && (frame->addr & event_mask))
		on_event(frame);
}

/* All that is not for who wants page faults first. */
__attribute__((noinline)) static int dispatch_other(struct exo_upcall_frame *frame)
{
	const unsigned type = frame->what & 0xff;

	if (type == EXO_UPCALL_FAULT)
		return dispatch_fault(frame, (frame->what >> 8) & (VECTORS - 1));
	if (type == EXO_UPCALL_EVENT)
		dispatch_event(frame);
	else if (type == EXO_UPCALL_SLICE && on_slice)
		on_slice(frame);
	else if (type == EXO_UPCALL_END && on_slice_end)
		on_slice_end(frame);
	return 1;
}

/* 1: go on at the frame; 0: nobody knows. */
int upcall_dispatch(struct exo_upcall_frame *frame)
{
	if (frame->what == (EXO_UPCALL_FAULT | PAGE_FAULT << 8) && first_on_page_fault &&
	    first_on_page_fault(frame))
		return 1;
	return dispatch_other(frame);
}

/* The kernel looks at events only when it leaves for a program anew, so they are fetched here. */
void upcall_poll(void)
{
	const uint64_t mask = event_mask | memory_mask;
	uint64_t bits;

	if (!mask || !(tables_env(start_self() & 0xffff)->events & mask))
		return;
	bits = call_wait(mask, 1).value;
	if (bits)
		upcall_inject(bits);
}

int upcall_deflect_onto(struct exo_upcall_frame *frame,
			void (*fn)(void *arg, struct upcall_context *c), void *arg, uint64_t top)
{
	const uint64_t at = (top - sizeof(struct upcall_context)) & ~15ull;
	struct upcall_context *c = (struct upcall_context *)at;

	if (vm_populate(at - DEFLECT_ROOM, DEFLECT_ROOM + sizeof(*c), VM_READ | VM_WRITE))
		return -EFAULT;
	c->fn = fn;
	c->arg = arg;
	c->rip = frame->rip;
	c->cs = frame->cs;
	c->rflags = frame->rflags;
	c->rsp = frame->rsp;
	c->ss = frame->ss;
	frame->rip = (uint64_t)(uintptr_t)upcall_deflected;
	frame->rsp = (uint64_t)(uintptr_t)&c->fn;
	return 0;
}

int upcall_deflect(struct exo_upcall_frame *frame, void (*fn)(void *arg, struct upcall_context *c),
		   void *arg)
{
	return upcall_deflect_onto(frame, fn, arg, frame->rsp - RED_ZONE);
}

static const char *vector_name(unsigned vector)
{
	static const char *const names[VECTORS] = {
		[0] = "division error",	   [1] = "debug trap",	    [3] = "breakpoint",
		[4] = "overflow",	   [5] = "bound",	    [6] = "invalid instruction",
		[7] = "no coprocessor",	   [11] = "segment",	    [12] = "stack segment",
		[13] = "protection fault", [14] = "page fault",	    [16] = "floating point",
		[17] = "unaligned access", [19] = "floating point",
	};

	return names[vector] ? names[vector] : "exception";
}

/* The number of the POSIX signal that belongs to an exception; shells expect 128 + it. */
static int vector_signal(unsigned vector)
{
	switch (vector) {
	case 0:
	case 16:
	case 19:
		return 8;
	case 1:
	case 3:
		return 5;
	case 6:
		return 4;
	case 17:
		return 10;
	default:
		return 11;
	}
}

static void print_register(const char *name, uint64_t value)
{
	console_print(name);
	console_hex(value);
}

_Noreturn void upcall_fatal(const struct exo_upcall_frame *frame, const struct pushed *r)
{
	const unsigned vector = (frame->what >> 8) & (VECTORS - 1);

	console_print(start_args()->argc ? start_args()->argv[0] : "init");
	console_print(": ");
	console_print(vector_name(vector));
	print_register(" at ", frame->rip);
	print_register(", address ", frame->addr);
	print_register(", error ", frame->error);
	print_register("\n  rsp ", frame->rsp);
	print_register(" rbp ", r->rbp);
	print_register(" rax ", r->rax);
	print_register(" rbx ", r->rbx);
	print_register(" rcx ", r->rcx);
	print_register(" rdx ", r->rdx);
	print_register("\n  rsi ", r->rsi);
	print_register(" rdi ", r->rdi);
	print_register(" r8 ", r->r8);
	print_register(" r9 ", r->r9);
	print_register(" r10 ", r->r10);
	print_register(" r11 ", r->r11);
	print_register("\n  r12 ", r->r12);
	print_register(" r13 ", r->r13);
	print_register(" r14 ", r->r14);
	print_register(" r15 ", r->r15);
	console_print("\n");
	start_exit(128 + vector_signal(vector));
}
