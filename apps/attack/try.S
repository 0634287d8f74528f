/*
 * try.S - where try.c leaves this program's own code for code that should fault, and comes back.
 */
	.text
	.globl try_enter
try_enter:				/* int try_enter(uint64_t arg, code); 0: no fault */
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, try_stack(%rip)
	call *%rsi
	xorl %eax, %eax
	jmp 1f
	.globl try_back
try_back:				/* the fault handler goes on here */
	movl $1, %eax
1:	pushq $0x202			/* whatever flags were tried */
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.globl remains_look
remains_look:				/* first code of an environment: all it finds, to (rdi) */
	movq %rax, (%rdi)
	movq %rbx, 8(%rdi)
	movq %rcx, 16(%rdi)
	movq %rdx, 24(%rdi)
	movq %rsi, 32(%rdi)
	movq %rbp, 40(%rdi)
	movq %r8, 48(%rdi)
	movq %r9, 56(%rdi)
	movq %r10, 64(%rdi)
	movq %r11, 72(%rdi)
	movq %r12, 80(%rdi)
	movq %r13, 88(%rdi)
	movq %r14, 96(%rdi)
	movq %r15, 104(%rdi)
	movw %ds, %ax
	movw %ax, 112(%rdi)
	movw %es, %ax
	movw %ax, 114(%rdi)
	movw %fs, %ax
	movw %ax, 116(%rdi)
	movw %gs, %ax
	movw %ax, 118(%rdi)
	fxsave64 128(%rdi)
	movl $4, %eax			/* env_kill(SELF, 0) */
	xorl %edi, %edi
	xorl %esi, %esi
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
