/*
 * stage1.S - the boot sector: loads the rest of the loader and jumps to it.
 *
 * The BIOS enters at 0:0x7c00 in real mode with the drive in dl.  The image maker puts the partition
 * table over bytes 446..509.  Everything after it (63 sectors) is read to 0x7e00.
 */
	.code16
	.section .stage1, "ax"
	.globl stage1
stage1:
	ljmp $0, $1f
1:	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $0x7c00, %esp
	cld
	sti
	movb %dl, boot_drive
	movw $packet, %si
	movb $0x42, %ah		/* extended read */
	int $0x13
	jc 2f
	jmp stage2
2:	movw $message, %si
3:	lodsb
	testb %al, %al
	jz 4f
	movb $0x0e, %ah
	movw $7, %bx
	int $0x10
	jmp 3b
4:	hlt
	jmp 4b

	.globl boot_drive
boot_drive:
	.byte 0
	.balign 4
packet:
	.byte 16, 0
	.word 63		/* sectors */
	.word 0x7e00, 0		/* to offset, segment */
	.quad 1			/* from LBA 1 */
message:
	.asciz "freehold: cannot read the loader\r\n"
	.org 446
	.fill 64, 1, 0
	.word 0xaa55

	.section .note.GNU-stack, "", @progbits
