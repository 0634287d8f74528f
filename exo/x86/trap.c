/*
 * trap.c - owns what happens between a trap and the next instruction of a program.
 *
 * `loaded` is the save area of the environment whose address space and FPU state the CPU holds; its
 * FPU state goes there when another one is loaded.  While the CPU idles that is nobody's.
 * Interrupts are off in here but inside x86_idle().  Called by entry.S only.
 */
#include "../dev/ide.h"
#include "../dev/kbd.h"
#include "../dev/uart.h"
#include "../dev/vga.h"
#include "../kern/console.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/io.h"
#include "../kern/ipc.h"
#include "../kern/machine.h"
#include "../kern/slot.h"
#include "../kern/timer.h"
#include "../kern/trace.h"
#include "../kern/upcall.h"
#include "cpu.h"
#include "paging.h"
#include "pic.h"
#include "time.h"
#include "trap.h"

enum { EXCEPTIONS = 32, NMI = 2, DOUBLE_FAULT = 8, PAGE_FAULT = 14, MACHINE_CHECK = 18 };
enum { OF_THE_MACHINE = 1 << NMI | 1 << DOUBLE_FAULT | 1 << MACHINE_CHECK };

static struct exo_save nobody __attribute__((aligned(16)));
static struct exo_save *loaded = &nobody;

static struct exo_save *save_of(uint32_t e)
{
	return direct((uint64_t)envs[e].save * EXO_PAGE_SIZE);
}

/*
 * FPU state and segment bases go to one save area and come from another.  Data segment registers
 * are 0 in every program: what one left there, no other finds.  GS is loaded where the program's
 * base is in use, so the kernel's is put aside for that moment.
 */
static inline void exchange(struct exo_save *from, const struct exo_save *to)
{
	__asm__ volatile("fxsave64 %0" : "=m"(from->fpu));
	__asm__ volatile("fxrstor64 %0" ::"m"(to->fpu));
	if (x86_features.fsgsbase)
		__asm__ volatile("rdfsbase %0; swapgs; rdgsbase %1;"
				 "movw %w2, %%ds; movw %w2, %%es; movw %w2, %%fs; movw %w2, %%gs;"
				 "wrgsbase %4; swapgs; wrfsbase %3"
				 : "=&r"(from->fs_base), "=&r"(from->gs_base)
				 : "r"(0), "r"(to->fs_base), "r"(to->gs_base));
	else
		__asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%fs;"
				 "swapgs; movw %w0, %%gs; swapgs" ::"r"(0));
}

static inline void load(uint32_t e, struct exo_save *save)
{
	x86_load_root((uint64_t)envs[e].root * EXO_PAGE_SIZE);
	cpu_set_save(save);
	exchange(loaded, save);
	loaded = save;
}

/*
 * Nobody is runnable.  The program that ran last may be dead and about to be reclaimed by the next
 * one, so nothing of it stays in the CPU.
 */
static void idle(void)
{
	if (loaded != &nobody) {
		x86_load_root(paging_kernel_root());
		exchange(loaded, &nobody);
		loaded = &nobody;
	}
	cpu_this()->current = 0;
	trace_runs(0);
	x86_idle();
}

struct exo_regs *switch_program(void)
{
	struct cpu *cpu = cpu_this();
	struct exo_save *save;
	uint32_t e;

	if (cpu->inbox)
		ipc_left();
	while ((e = cpu_next()) == 0)
		idle();
	cpu->current = e;
	save = save_of(e);
	if (save != loaded)
		load(e, save);
	upcall_pending(e, &save->regs, save->regs.vector != VECTOR_CALL);
	return &save->regs;
}

static void timer(void)
{
	uint64_t now = machine_now();

	timer_expire(now); /* whose time has come can have the slot that begins */
	slot_tick();
	ipc_tick();
	ide_tick(now);
	io_tick();
	console_tick(now);
	vga_tick();
	lapic_done();
}

static void pic(unsigned irq)
{
	if (pic_spurious(irq))
		return;
	if (irq == PIC_KEYBOARD)
		kbd_interrupt();
	else if (irq == PIC_COM1)
		uart_interrupt();
	else if (irq == PIC_IDE0 || irq == PIC_IDE1)
		ide_interrupt(irq - PIC_IDE0);
	pic_done(irq);
}

static void interrupt(unsigned vector)
{
	if (vector == VECTOR_TIMER)
		timer();
	else if (vector >= VECTOR_PIC && vector < VECTOR_PIC + 16)
		pic(vector - VECTOR_PIC);
	else if (vector != VECTOR_SPURIOUS)
		machine_panic("interrupt nobody asked for (vector)", vector, 0);
}

/*
 * The registers are the beginning of the save area, but where the machine failed.  Not inline, as
 * is what follows: what either of them keeps in registers, the other need not save.
 */
__attribute__((noinline)) static struct exo_regs *fault(struct exo_regs *regs)
{
	const unsigned vector = (unsigned)regs->vector;
	uint64_t addr = 0;

	if (vector == PAGE_FAULT)
		addr = x86_fault_address();
	else if ((OF_THE_MACHINE >> vector & 1) != 0)
		machine_panic("machine fault in a program (vector, rip)", vector, regs->rip);
	((struct exo_save *)regs)->addr = addr;
	return upcall_fault(cpu_self(), regs, addr) ? regs : switch_program();
}

__attribute__((noinline)) static struct exo_regs *interrupted(struct exo_regs *regs)
{
	const unsigned vector = (unsigned)regs->vector;
	const uint32_t e = cpu_self();

	interrupt(vector);
	if (cpu_this()->resched)
		return switch_program();
	if (vector == VECTOR_PIC + PIC_TIMER)
		upcall_ending(e, regs);
	/* A slice that follows one's own starts as well. */
	upcall_pending(e, regs, vector == VECTOR_TIMER);
	return regs;
}

struct exo_regs *trap_from_program(struct exo_regs *regs)
{
	if (x86_features.smap)
		x86_clac();
	return regs->vector < EXCEPTIONS ? fault(regs) : interrupted(regs);
}

/*
 * While somebody traces, entry.S enters here.  The paths above are the ones that count, and stay as
 * they are: these go round them.
 */
struct exo_regs *trap_traced(struct exo_regs *regs)
{
	struct exo_regs *next;

	if (regs->vector < EXCEPTIONS)
		trace(EXO_TRACE_FAULT, cpu_self(), (uint32_t)regs->vector, 0, 0);
	next = trap_from_program(regs);
	trace_runs(cpu_self());
	return next;
}

struct exo_regs *switch_traced(void)
{
	struct exo_regs *const next = switch_program();

	trace_runs(cpu_self());
	return next;
}

void trap_from_kernel(struct exo_regs *regs)
{
	if (regs->vector < EXCEPTIONS)
		panic_trap(regs, x86_fault_address());
	interrupt((unsigned)regs->vector);
}
