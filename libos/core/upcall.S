/*
 * upcall.S - where the kernel enters the program for faults, events and slices.
 *
 * On entry rsp points to a struct exo_upcall_frame at the top of the upcall stack and all registers
 * are the interrupted code's.  Called by the kernel; calls core/upcall.c.
 */
	.section .text.upcall_entry, "ax"
	.globl upcall_entry
	.type upcall_entry, @function
/* The way most upcalls take: C code of the dispatch saves what it uses beyond these nine. */
upcall_entry:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	leaq	72(%rsp), %rdi
	subq	$8, %rsp
	cld
	call	upcall_dispatch
	addq	$8, %rsp
	testl	%eax, %eax
	jz	1f
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$24, %rsp
	iretq
/* Nobody knew what to do: the six others join the nine for the report. */
1:	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	leaq	120(%rsp), %rdi
	movq	%rsp, %rsi
	call	upcall_fatal
	ud2
	.size upcall_entry, . - upcall_entry

/*
 * A deflected upcall continues here, on the interrupted code's own stack, registers still as they
 * were; rsp points to fn, arg and the words for iretq.  With the pushes it is a struct
 * upcall_context.
 */
	.section .text.upcall_deflected, "ax"
	.globl upcall_deflected
	.type upcall_deflected, @function
upcall_deflected:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rbx
	subq	$528, %rsp
	andq	$-64, %rsp
	fxsave64 (%rsp)
	fninit
	movl	$0x1f80, 512(%rsp)
	ldmxcsr	512(%rsp)
	movq	128(%rbx), %rdi
	movq	%rbx, %rsi
	xorl	%ebp, %ebp
	call	*120(%rbx)
	fxrstor64 (%rsp)
	movq	%rbx, %rdi
	.size upcall_deflected, . - upcall_deflected

/* upcall_resume(context): all general registers from it, then on at its rip. */
	.globl upcall_resume
	.type upcall_resume, @function
upcall_resume:
	movq	%rdi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$16, %rsp
	iretq
	.size upcall_resume, . - upcall_resume

/*
 * upcall_leave(context): what upcall_deflected does at its end, from the upcall stack: there the
 * kernel holds others back until iretq, so the stack that the context is on is free when they come.
 */
	.section .text.upcall_leave, "ax"
	.globl upcall_leave
	.type upcall_leave, @function
upcall_leave:
	leaq	-528(%rdi), %rax
	andq	$-64, %rax
	fxrstor64 (%rax)
	movq	%rdi, %rsi
	movl	$0x201000 - 176, %edi /* end of the page at LAYOUT_UPCALL, less a context */
	movq	%rdi, %rsp
	movl	$176 / 8, %ecx
	rep movsq
	decq	0x200000 /* struct exo_upcall_head.defer */
	movq	%rsp, %rdi
	jmp	upcall_resume
	.size upcall_leave, . - upcall_leave

/*
 * upcall_inject(events): an event upcall without the kernel.  The frame returns to our caller; from
 * the moment that rsp is on the upcall stack, the kernel holds others back.
 */
	.section .text.upcall_inject, "ax"
	.globl upcall_inject
	.type upcall_inject, @function
upcall_inject:
	popq	%rax
	movq	%rsp, %rcx
	pushfq
	popq	%rdx
	movl	$0x201000, %esi /* end of the page at LAYOUT_UPCALL */
	movq	%rsi, %rsp
	pushq	$0x23 /* EXO_USER_SS */
	pushq	%rcx
	pushq	%rdx
	pushq	$0x2b /* EXO_USER_CS */
	pushq	%rax
	pushq	%rdi
	pushq	$0
	pushq	$1 /* EXO_UPCALL_EVENT */
	jmp	upcall_entry
	.size upcall_inject, . - upcall_inject

	.section .note.GNU-stack, "", @progbits
