/*
 * body.S - the edges of a child: where it begins, its handler, and the leap into a call or into
 * random code with every register chosen.
 *
 * Whatever happens after a leap ends at fuzz_back, which needs nothing but the page at
 * CHILD_SHARED: the stack pointer may be anything.  A fault outside a leap is damage to the child's
 * own memory, and it begins anew.
 */
	.set SHARED, 0x203000		/* CHILD_SHARED; offsets in struct shared: */
	.set RESUME, SHARED
	.set TARGET, SHARED + 8
	.set INSIDE, SHARED + 16
	.set SECRET, SHARED + 24
	.set DIFFERS, SHARED + 32
	.set VECTOR, SHARED + 40 + 2 * 64 * 8
	.set UPCALLS, VECTOR + 32 * 8
	.set RESTARTS, UPCALLS + 16
	.set STACK_TOP, 0x400000

	.section .text.fuzz, "ax"
	.globl fuzz_entry
fuzz_entry:
	movl	$STACK_TOP, %esp
	movl	$SHARED, %edi
	xorl	%ebp, %ebp
	call	fuzz_body
	ud2

	.globl fuzz_leap
fuzz_leap:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi			/* fuzz_syscall's return compares with it */
	movq	%rsp, RESUME
	movq	136(%rdi), %rax
	movq	%rax, TARGET
	movq	$1, INSIDE
	movq	144(%rdi), %rax
	testq	%rax, %rax
	jz	1f
	fxrstor64 (%rax)
1:	pushq	128(%rdi)
	movq	(%rdi), %rax
	movq	16(%rdi), %rsi
	movq	24(%rdi), %rdx
	movq	32(%rdi), %r10
	movq	40(%rdi), %r8
	movq	48(%rdi), %r9
	movq	56(%rdi), %rcx
	movq	64(%rdi), %r11
	movq	72(%rdi), %rbx
	movq	80(%rdi), %rbp
	movq	88(%rdi), %r12
	movq	96(%rdi), %r13
	movq	104(%rdi), %r14
	movq	112(%rdi), %r15
	popfq
	movq	120(%rdi), %rsp
	movq	8(%rdi), %rdi
	jmp	*TARGET

	.globl fuzz_syscall
fuzz_syscall:
	syscall
	orq	%rsi, %rdi
	orq	%r8, %rdi
	orq	%r9, %rdi
	orq	%r10, %rdi
	movq	%rdi, SECRET
	movq	RESUME, %rdi
	movq	(%rdi), %rdi		/* the struct leap */
	xorq	72(%rdi), %rbx
	xorq	80(%rdi), %rbp
	xorq	88(%rdi), %r12
	xorq	96(%rdi), %r13
	xorq	104(%rdi), %r14
	xorq	112(%rdi), %r15
	xorq	120(%rdi), %rsp
	orq	%rbx, %rbp
	orq	%rbp, %r12
	orq	%r12, %r13
	orq	%r13, %r14
	orq	%r14, %r15
	orq	%r15, %rsp
	movq	%rsp, DIFFERS
fuzz_back:
	movq	RESUME, %rsp
	pushq	$0x2
	popfq
	movq	$0, INSIDE
	fninit
	pushq	$0x1f80
	ldmxcsr	(%rsp)
	addq	$16, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* Faults end the leap, single steps and everything else go on.  rsp: struct exo_upcall_frame. */
	.globl fuzz_upcall
fuzz_upcall:
	pushq	%rax
	movq	8(%rsp), %rax
	testb	%al, %al
	jnz	2f
	shrl	$8, %eax
	andl	$31, %eax
	incq	VECTOR(,%rax,8)
	cmpl	$1, %eax
	je	3f
	movq	$~0, %rax		/* no status */
	xorl	%edx, %edx
	cmpq	$0, INSIDE
	jne	fuzz_back
	incq	RESTARTS
	jmp	fuzz_entry
2:	incq	UPCALLS
3:	popq	%rax
	addq	$24, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
