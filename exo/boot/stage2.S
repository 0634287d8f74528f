/*
 * stage2.S - what the loader needs the CPU and the BIOS for; loader.c decides.
 *
 * Runs in real mode with all segments 0, so C pointers are linear addresses below 64 KiB.  C is
 * compiled with -m16 (32-bit registers and calls).  Low memory:
 *
 *   0x01000  struct boot_info         0x10000  read buffer (64 KiB)
 *   0x07c00  loader, stack below      0x70000  page tables of the jump to long mode
 */
	.code16
	.section .stage2, "ax"
	.globl stage2
stage2:
	movzbl boot_drive, %eax
	pushl $0		/* -m16 calls pop 32-bit return addresses */
	calll loader_main	/* does not return */

/* uint32_t bios_read(uint32_t drive, const void *packet): 0 or the BIOS's error. */
	.globl bios_read
bios_read:
	pushl %ebx
	pushl %esi
	pushl %edi
	pushl %ebp
	movl 20(%esp), %edx
	movl 24(%esp), %esi
	movb $0x42, %ah
	int $0x13
	movl $0, %ecx
	jnc 1f
	movzbl %ah, %ecx
	orl $0x100, %ecx
1:	movl %ecx, %eax
	popl %ebp
	popl %edi
	popl %esi
	popl %ebx
	retl

/* uint32_t bios_e820(uint32_t *next, void *entry): bytes written, 0 at the end. */
	.globl bios_e820
bios_e820:
	pushl %ebx
	pushl %esi
	pushl %edi
	pushl %ebp
	movl 20(%esp), %esi
	movl 24(%esp), %edi
	movl (%esi), %ebx
	movl $0xe820, %eax
	movl $0x534d4150, %edx	/* "SMAP" */
	movl $24, %ecx
	int $0x15
	jc 1f
	cmpl $0x534d4150, %eax
	jne 1f
	movl %ebx, (%esi)
	movzbl %cl, %eax
	jmp 2f
1:	xorl %eax, %eax
2:	popl %ebp
	popl %edi
	popl %esi
	popl %ebx
	retl

/* void bios_putc(uint32_t c) */
	.globl bios_putc
bios_putc:
	pushl %ebx
	pushl %ebp
	movl 12(%esp), %eax
	movb $0x0e, %ah
	movl $7, %ebx
	int $0x10
	popl %ebp
	popl %ebx
	retl

/* void a20_enable(void): fast gate, then the BIOS. */
	.globl a20_enable
a20_enable:
	inb $0x92, %al
	orb $2, %al
	andb $0xfe, %al
	outb %al, $0x92
	movw $0x2401, %ax
	int $0x15
	retl

/*
 * void copy_high(uint32_t dst, uint32_t src, uint32_t words): 32-bit words between any physical
 * addresses below 4 GiB, in protected mode with flat data segments.
 */
	.globl copy_high
copy_high:
	pushl %esi
	pushl %edi
	movl 12(%esp), %edi
	movl 16(%esp), %esi
	movl 20(%esp), %ecx
	cli
	lgdtl gdt_pointer
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmp $0x08, $1f		/* 16-bit protected mode */
1:	movw $0x10, %ax
	movw %ax, %ds
	movw %ax, %es
	cld
	.byte 0x67		/* 32-bit addresses; clang has no word for it here */
	rep movsl
	movw $0x18, %ax		/* back to 64 KiB limits before real mode */
	movw %ax, %ds
	movw %ax, %es
	movl %cr0, %eax
	andl $~1, %eax
	movl %eax, %cr0
	ljmp $0, $2f
2:	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	sti
	popl %edi
	popl %esi
	retl

/* uint32_t long_mode_ready(void): 1 where the CPU has long mode. */
	.globl long_mode_ready
long_mode_ready:
	pushl %ebx
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	movl $0, %eax
	jb 1f
	movl $0x80000001, %eax
	cpuid
	movl %edx, %eax
	shrl $29, %eax
	andl $1, %eax
1:	popl %ebx
	retl

/*
 * void enter_kernel(void): builds page tables for the first GiB, at 0 and at EXO_KERNEL_VA, and jumps
 * to the kernel in long mode with rdi = BOOT_INFO.  Interrupts stay off from here.
 */
	.globl enter_kernel
enter_kernel:
	cli
	lgdtl gdt_pointer
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmp $0x20, $1f
	.code32
1:	movw $0x10, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $0x70000, %edi
	xorl %eax, %eax
	movl $3 * 1024, %ecx
	rep stosl
	movl $0x71003, 0x70000		/* level 4: entries 0 and 511 */
	movl $0x71003, 0x70ff8
	movl $0x72003, 0x71000		/* level 3: entries 0 and 510 */
	movl $0x72003, 0x71ff0
	movl $0x72000, %edi
	movl $0x83, %eax		/* level 2: 512 pages of 2 MiB */
2:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x200000, %eax
	cmpl $0x73000, %edi
	jne 2b
	movl $0x20, %eax		/* PAE */
	movl %eax, %cr4
	movl $0x70000, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80010000, %eax		/* paging, and write protection in the kernel too */
	movl %eax, %cr0
	ljmp $0x28, $3f
	.code64
3:	movl $0x1000, %edi
	movabsq $0xffffffff80100000, %rax
	jmp *%rax

	.balign 8
gdt:
	.quad 0
	.quad 0x00009a000000ffff	/* 08: 16-bit code */
	.quad 0x00cf92000000ffff	/* 10: flat data */
	.quad 0x000092000000ffff	/* 18: 64 KiB data */
	.quad 0x00cf9a000000ffff	/* 20: 32-bit code */
	.quad 0x00209a0000000000	/* 28: 64-bit code */
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.section .note.GNU-stack, "", @progbits
