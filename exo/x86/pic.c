/*
 * pic.c - owns the 8259 pair.
 */
#include "cpu.h"
#include "io.h"
#include "pic.h"

enum {
	MASTER = 0x20,
	SLAVE = 0xa0, /* command ports; data follows */
	ICW1 = 0x11,
	ICW4 = 0x01,
	EOI = 0x20,
	READ_ISR = 0x0b,
	CASCADE = 2,
};

void pic_init(void)
{
	unsigned open = 1u << PIC_TIMER | 1u << PIC_KEYBOARD | 1u << PIC_COM1 | 1u << CASCADE |
			1u << PIC_IDE0 | 1u << PIC_IDE1;

	outb(MASTER, ICW1);
	outb(SLAVE, ICW1);
	outb(MASTER + 1, VECTOR_PIC);
	outb(SLAVE + 1, VECTOR_PIC + 8);
	outb(MASTER + 1, 1 << CASCADE);
	outb(SLAVE + 1, CASCADE);
	outb(MASTER + 1, ICW4);
	outb(SLAVE + 1, ICW4);
	outb(MASTER + 1, (uint8_t)~open);
	outb(SLAVE + 1, (uint8_t)(~open >> 8));
}

/* A real one has its in-service bit; a glitch of the slave still has to be ended at the master. */
int pic_spurious(unsigned irq)
{
	uint16_t port = irq < 8 ? MASTER : SLAVE;

	if (irq % 8 != 7)
		return 0;
	outb(port, READ_ISR);
	if (inb(port) & 0x80)
		return 0;
	if (irq >= 8)
		outb(MASTER, EOI);
	return 1;
}

void pic_done(unsigned irq)
{
	if (irq >= 8)
		outb(SLAVE, EOI);
	outb(MASTER, EOI);
}
