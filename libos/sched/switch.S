/*
 * switch.S - from one thread to another, in user mode.
 *
 * thread_switch(from, to) keeps what a function must keep, the control words of both floating-point
 * units among it, and how deep upcalls are deferred; the rest is the caller's to lose.  A thread
 * that was preempted has all of it on its stack (upcall_deflected in core/upcall.S).  What it pops
 * at first is made by sched/thread.c.  Called by sched/wait.c, upcalls deferred.
 */
#define DEFER	0x200000 /* struct exo_upcall_head, at LAYOUT_UPCALL */
#define RSP	0	 /* struct thread */
#define MXCSR	8
#define X87	12
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
	pushq	DEFER
	stmxcsr	MXCSR(%rdi)
	fnstcw	X87(%rdi)
	movq	%rsp, RSP(%rdi)
	movq	RSP(%rsi), %rsp
	ldmxcsr	MXCSR(%rsi)
	fldcw	X87(%rsi)
1:	popq	DEFER
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size thread_switch, . - thread_switch

/* thread_resume(frame): goes on at what thread_switch() left there, or would have (detour.c). */
	.section .text.thread_resume, "ax"
	.globl thread_resume
	.type thread_resume, @function
thread_resume:
	movq	%rdi, %rsp
	jmp	1b
	.size thread_resume, . - thread_resume

	.section .note.GNU-stack, "", @progbits
