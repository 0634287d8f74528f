/*
 * spin.h - a function whose instructions can be counted by hand.  Included once by each program.
 */
#ifndef TEST_SPIN_H
#define TEST_SPIN_H

/* 2 * n + 2 instructions. */
void spin(unsigned long n);
__asm__(".globl spin\n.type spin, @function\n"
	"spin: movq %rdi, %rax\n"
	"1: decq %rax\n"
	"jnz 1b\n"
	"ret\n.size spin, . - spin");

#endif
