/*
 * child.S - what children do: one page, copied to CHILD_CODE of each.  Entered with rdi = task.
 */
	.section .rodata.child, "a"
	.balign 4096
	.globl child_page
child_page:
	leaq tasks(%rip), %rax
	movslq (%rax,%rdi,4), %rcx
	addq %rcx, %rax
	jmp *%rax
tasks:
	.long spin - tasks
	.long touch_nothing - tasks	/* CHILD_FAULT_IN_UPCALL: the handler does it again */
	.long touch_nothing - tasks
	.long touch_nothing - tasks
	.long noncanonical - tasks
	.long do_hlt - tasks
	.long do_cli - tasks
	.long do_in - tasks
	.long do_out - tasks
	.long do_wrmsr - tasks
	.long do_cr3 - tasks
	.long do_lgdt - tasks
	.long do_int32 - tasks
	.long iret_kernel - tasks
	.long jump_kernel - tasks
	.long read_kernel - tasks
	.long write_tables - tasks

spin:	jmp spin
touch_nothing:
	movq $0x10, %rax
	movq (%rax), %rax
noncanonical:
	movabsq $0x8000000000000000, %rax
	jmp *%rax
do_hlt:	hlt
do_cli:	cli
do_in:	inb $0x60, %al
do_out:	outb %al, $0x80
do_wrmsr:
	movl $0xc0000080, %ecx
	wrmsr
do_cr3:	movq %cr3, %rax
do_lgdt:
	lgdt 0x401000
do_int32:
	int $32
iret_kernel:
	pushq $0x10
	pushq $0x401800
	pushq $2
	pushq $0x08
	pushq $0x400000
	iretq
jump_kernel:
	movabsq $0xffffffff80100000, %rax
	jmp *%rax
read_kernel:
	movabsq $0xffff800000100000, %rax
	movq (%rax), %rax
write_tables:
	movabsq $0xffffff7fc0000000, %rax
	movq %rax, (%rax)
	movl $4, %eax			/* got this far: env_kill(SELF, 99) */
	xorl %edi, %edi
	movl $99, %esi
	syscall

	.globl child_handler
child_handler:				/* a handler that faults */
	movq 0x10, %rax
	jmp child_handler
	.globl child_page_end
child_page_end:
	.balign 4096

	.section .note.GNU-stack, "", @progbits
