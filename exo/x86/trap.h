/*
 * trap.h - what entry.S calls, and how the first program is entered.
 */
#ifndef X86_TRAP_H
#define X86_TRAP_H

#include <exo/abi.h>

struct exo_regs *trap_from_program(struct exo_regs *regs);
void trap_from_kernel(struct exo_regs *regs);

/* Picks who runs now and loads its address space and FPU; idles while there is nobody. */
struct exo_regs *switch_program(void);

_Noreturn void resume_program(struct exo_regs *regs);

#endif
