/*
 * switch.S - from one thread to another, in user mode.
 *
 * thread_switch(save, rsp) keeps what a function must keep, the control words of both floating-point
 * units among it; the rest is the caller's to lose.  A thread that was preempted has all of it on
 * its stack (upcall_deflected in core/upcall.S).  Called by sched/wait.c.
 */
	.section .text.thread_switch, "ax"
	.globl thread_switch
	.type thread_switch, @function
thread_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size thread_switch, . - thread_switch

	.section .note.GNU-stack, "", @progbits
