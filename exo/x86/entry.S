/*
 * entry.S - the only ways into the kernel and out of it.
 *
 * A trap from a program pushes its frame into the save area (TSS.RSP0 = end of struct exo_regs
 * there) and goes on with the kernel stack; a call saves only what C does not keep, and builds the
 * full save area only when the program must be left.  Leaving by sysretq clears every register
 * that C may have used.
 *
 * The debug exception alone comes on a stack of its own: a program can have one wait (single step,
 * a load of SS, then a call) until the first instruction of the kernel, where the stack is still
 * the program's.
 */
	.set REGS_VECTOR, 120		/* offsets in struct exo_regs */
	.set REGS_CS, 144
	.set REGS_SIZE, 176
	.set CPU_STACK, 0		/* offsets in struct x86_cpu */
	.set CPU_USER_RSP, 8
	.set CPU_SAVE_END, 16
	.set CPU_TRAP, 24
	.set TRAP_FLAG, 0x100
	.set USER_CS, 0x2b
	.set USER_SS, 0x23

	.text

	/* One stub a vector; the CPU pushes an error code for some, we push 0 for the others. */
	.altmacro
	.macro stub v
	.balign 16
stub_\v:
	.if (\v == 1)
	jmp debug
	.endif
	.if (\v == 8) || (\v >= 10 && \v <= 14) || (\v == 17) || (\v == 21) || (\v == 29) || (\v == 30)
	.else
	pushq $0
	.endif
	pushq $\v
	jmp trap
	.endm
	.set i, 0
	.rept 256
	stub %i
	.set i, i + 1
	.endr

	.macro address v
	.quad stub_\v
	.endm
	.section .rodata
	.balign 8
	.globl trap_stubs
trap_stubs:
	.set i, 0
	.rept 256
	address %i
	.set i, i + 1
	.endr
	.text

	/* On the debug stack.  From a program it goes on as any other trap, in the save area. */
	.balign 16
debug:
	testb $3, 8(%rsp)		/* cs */
	jz debug_in_kernel
	pushq %rax
	swapgs
	movq %gs:CPU_SAVE_END, %rax
	swapgs
	pushq 40(%rsp)			/* ss, rsp, rflags, cs, rip */
	popq -8(%rax)
	pushq 32(%rsp)
	popq -16(%rax)
	pushq 24(%rsp)
	popq -24(%rax)
	pushq 16(%rsp)
	popq -32(%rax)
	pushq 8(%rsp)
	popq -40(%rax)
	popq -56(%rax)			/* rax, where the vector will be */
	leaq -40(%rax), %rsp
	movq -16(%rsp), %rax
	pushq $0
	pushq $1
	jmp trap

debug_in_kernel:			/* a step of the program's that waited: it has been taken */
	andl $~TRAP_FLAG, 16(%rsp)
	iretq

	.balign 16
trap:
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	testb $3, REGS_CS(%rsp)
	jz trap_in_kernel
	swapgs
	movq %gs:CPU_STACK, %rsp
	xorl %ebp, %ebp
	call *%gs:CPU_TRAP		/* (regs); whose registers to load */
	movq %rax, %rsp
resume:
	swapgs
restore:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $16, %rsp			/* vector, error */
	iretq

trap_in_kernel:				/* interrupts while idle; anything else is a bug */
	movq %rsp, %rbp
	andq $~15, %rsp
	call trap_from_kernel
	movq %rbp, %rsp
	jmp restore

/* void resume_program(struct exo_regs *): enters a program from its save area. */
	.globl resume_program
resume_program:
	movq %rdi, %rsp
	jmp resume

	/*
	 * The way in by SYSCALL, and out, twice: as it is, and for as long as somebody traces.  The call
	 * may end in another program: then its registers go to the save area, as a trap would leave them.
	 */
	.macro call_path name, switch, traced
	.balign 16
	.globl \name
\name:
	swapgs
	movq %rsp, %gs:CPU_USER_RSP
	movq %gs:CPU_STACK, %rsp
	pushq %r11			/* rflags */
	pushq %rcx			/* rip */
	cmpq $CALL_COUNT, %rax
	jae 2f
	movq %r10, %rcx
#ifdef CHECK_CALLS
	movq %rax, checked_number(%rip)
#endif
	.if \traced
	pushq %rax
	pushq %rax			/* the seventh argument */
	call traced_call
	addq $16, %rsp
	.else
	call *call_table(,%rax,8)	/* rax: status, rdx: value */
	.endif
#ifdef CHECK_CALLS
	pushq %rax
	pushq %rdx
	call checked_call
	popq %rdx
	popq %rax
#endif
1:	cmpl $0, cpus + 4(%rip)		/* struct cpu.resched */
	jne 3f
	popq %rcx
	popq %r11
	movq %gs:CPU_USER_RSP, %rsp
	xorl %edi, %edi
	xorl %esi, %esi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	swapgs
	sysretq
2:	movl $1, %eax			/* EXO_CALL */
	xorl %edx, %edx
	jmp 1b

3:	popq %rcx
	popq %r11
	movq %gs:CPU_SAVE_END, %rsp
	pushq $USER_SS
	pushq %gs:CPU_USER_RSP
	pushq %r11
	pushq $USER_CS
	pushq %rcx
	pushq $0
	pushq $256			/* VECTOR_CALL */
	pushq $0			/* rdi */
	pushq $0			/* rsi */
	pushq %rdx
	pushq $0			/* rcx */
	pushq %rax
	pushq $0			/* r8 .. r11 */
	pushq $0
	pushq $0
	pushq $0
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %gs:CPU_STACK, %rsp
	xorl %ebp, %ebp
	call \switch			/* whose registers to load */
	movq %rax, %rsp
	jmp resume
	.endm

	call_path call_entry, switch_program, 0
	call_path call_entry_traced, switch_traced, 1

	.section .note.GNU-stack, "", @progbits
