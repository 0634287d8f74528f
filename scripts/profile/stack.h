/*
 * stack.h - who called whom, and how many instructions each executed.
 *
 * The emulator's part tells of each instruction (or run of instructions within one function) before
 * it is executed, and of what calls and returns do to the stack in memory.
 */
#ifndef PROFILE_STACK_H
#define PROFILE_STACK_H

#include "code.h"
#include "tree.h"

/* Instructions executed since the start: the emulator's part counts them. */
extern uint64_t stack_executed;

/* filtered: only regions count. */
void stack_init(bool filtered);

/* Execution is about to go on at site. */
void stack_step(const struct site *site);

/* An instruction of this kind stored to memory, or loaded from it: what calls and returns do to the
 * stack. */
void stack_stored(enum kind kind, uint64_t va);
void stack_loaded(enum kind kind, uint64_t va);

/* Where execution is: never null after the first step; and which environment's program runs. */
const struct node *stack_node(void);
uint32_t stack_env(void);

/* Is what is executed now inside of the chosen region (always, without one)? */
bool stack_counting(void);

/* Counts what has been executed since the last step: the tree is complete. */
void stack_end(void);

#endif
