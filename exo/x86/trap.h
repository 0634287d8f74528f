/*
 * trap.h - what entry.S calls, and how the first program is entered.
 */
#ifndef X86_TRAP_H
#define X86_TRAP_H

#include <exo/abi.h>

struct exo_regs *trap_from_program(struct exo_regs *regs);
struct exo_regs *trap_traced(struct exo_regs *regs); /* the same, and records it */
void trap_from_kernel(struct exo_regs *regs);

/* Picks who runs now and loads its address space and FPU; idles while there is nobody. */
struct exo_regs *switch_program(void);
struct exo_regs *switch_traced(void); /* the same, and records it */

/* A call that is recorded: `number` is in the table of calls. */
struct exo_result traced_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			      uint64_t f, uint64_t number);

_Noreturn void resume_program(struct exo_regs *regs);

#endif
