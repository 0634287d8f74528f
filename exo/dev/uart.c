/*
 * uart.c - owns COM1: bytes out as its FIFO has room, bytes in by interrupt.
 *
 * Output is pushed until the FIFO is full; only then is the "empty" interrupt asked for, so that a
 * quiet line costs none.  Invariant: `room` is never more than the FIFO can take.  Without a UART
 * bytes go to the screen alone.  Called by kern/console.c, by the log, and from interrupts.
 */
#include "../kern/console.h"
#include "../kern/machine.h"
#include "../x86/io.h"
#include "uart.h"
#include "vga.h"

enum {
	COM1 = 0x3f8,
	DATA = COM1,
	ENABLE = COM1 + 1, /* with the divisor latch open: its high byte */
	IDENT = COM1 + 2,  /* written: FIFO control */
	LINE = COM1 + 3,
	MODEM = COM1 + 4,
	STATUS = COM1 + 5,
	MODEM_STATUS = COM1 + 6,
	FIFO_SIZE = 16,
};

enum { ENABLE_IN = 1, ENABLE_OUT = 2 };
enum { LINE_8N1 = 3, LINE_DIVISOR = 0x80, FIFO_ON_CLEAR = 7, MODEM_IRQ = 0x0b };
enum { STATUS_IN = 1, STATUS_EMPTY = 0x20, STATUS_IDLE = 0x40, STATUS_ABSENT = 0xff };
enum { IDENT_NONE = 1, IDENT_MASK = 0x0e, IDENT_MODEM = 0, IDENT_OUT = 2, IDENT_LINE = 6 };

static const uint64_t DRAIN_TIME = 200 * 1000 * 1000; /* ns */
enum { DRAIN_READS = 1 << 20, BURST = 64 };

static int present;
static uint32_t room;

void uart_init(void)
{
	outb(ENABLE, 0);
	outb(LINE, LINE_DIVISOR);
	outb(DATA, 1); /* 115200 baud */
	outb(ENABLE, 0);
	outb(LINE, LINE_8N1);
	outb(IDENT, FIFO_ON_CLEAR);
	outb(MODEM, MODEM_IRQ);
	present = inb(STATUS) != STATUS_ABSENT;
	outb(ENABLE, ENABLE_IN);
}

static int have_room(void)
{
	if (room == 0 && (inb(STATUS) & STATUS_EMPTY) != 0)
		room = FIFO_SIZE;
	return room != 0;
}

int machine_console_put(uint8_t byte)
{
	if (present) {
		if (!have_room()) {
			outb(ENABLE, ENABLE_IN | ENABLE_OUT);
			return 0;
		}
		outb(DATA, byte);
		room--;
	}
	vga_put(byte);
	return 1;
}

static void receive(void)
{
	for (uint32_t n = 0; n < FIFO_SIZE && (inb(STATUS) & STATUS_IN) != 0; n++)
		console_input(inb(DATA));
}

void uart_interrupt(void)
{
	/* The line to the interrupt controller falls only when every cause is gone. */
	for (uint32_t n = 0; n < BURST; n++) {
		const uint8_t ident = inb(IDENT);

		if ((ident & IDENT_NONE) != 0)
			return;
		switch (ident & IDENT_MASK) {
		case IDENT_OUT:
			outb(ENABLE, ENABLE_IN);
			console_sent();
			break;
		case IDENT_MODEM:
			(void)inb(MODEM_STATUS);
			break;
		case IDENT_LINE:
			(void)inb(STATUS);
			break;
		default:
			receive();
		}
	}
}

/* Waits, bounded by time and, should the clock not run yet, by number, for a bit of the status. */
static void await(uint8_t bit)
{
	const uint64_t end = machine_now() + DRAIN_TIME;

	for (uint32_t n = 0; n < DRAIN_READS && (inb(STATUS) & bit) == 0; n++) {
		if (machine_now() > end)
			return;
	}
}

void uart_put_polled(uint8_t byte)
{
	if (!present)
		return;
	await(STATUS_EMPTY);
	outb(DATA, byte);
	room = 0;
}

void uart_drain(void)
{
	for (uint32_t n = 0; n < DRAIN_READS && present && console_pending(); n++) {
		await(STATUS_EMPTY);
		console_sent();
	}
	vga_tick();
	if (present)
		await(STATUS_IDLE);
}
