/*
 * start.S - where a program begins: rdi = its arguments or 0, rsp = top of its stack, aligned.
 * Called by the kernel, once; goes to start_main() (core/start.c), which does not return.
 */
	.section .text._start, "ax"
	.globl _start
	.type _start, @function
_start:
	xorl	%ebp, %ebp
	call	start_main
	ud2
	.size _start, . - _start

	.section .note.GNU-stack, "", @progbits
