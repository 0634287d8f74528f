/*
 * head.S - where the loader enters the kernel: long mode, loader's page tables, rdi = BOOT_INFO.
 */
	.section .text.head, "ax"
	.globl kernel_start
kernel_start:
	leaq k_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	movq %rdi, %r12
	leaq k_load_end(%rip), %rdi	/* bss and stacks are not in the image */
	leaq k_end(%rip), %rcx
	subq %rdi, %rcx
	xorl %eax, %eax
	cld
	shrq $3, %rcx			/* both are at the begin of pages */
	rep stosq
	movq %r12, %rdi
	call kernel_main
1:	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
