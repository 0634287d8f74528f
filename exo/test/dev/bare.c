/*
 * bare.c - what typed.c does, with bare ports and numbers.  Only the argument keeps its type, since
 * it decides how the ports are handed over.
 */
#include "../../dev/ata.h"

void send_command(struct ata_regs r);
uint32_t read_status(struct ata_regs r);
void send_address(struct ata_regs r, uint64_t lba, uint32_t sectors);
void start_transfer(struct ata_regs r, uint32_t table);
uint32_t wait_idle(struct ata_regs r);

void send_command(struct ata_regs r)
{
	outb(r.command.port, 0xe7);
}

uint32_t read_status(struct ata_regs r)
{
	const uint8_t s = inb(r.status.port);

	return (s & 0x21) != 0 ? inb(r.error.port) : 0;
}

void send_address(struct ata_regs r, uint64_t lba, uint32_t sectors)
{
	outb(r.select.port, 0xe0);
	outb(r.count.port, (uint8_t)sectors);
	for (uint32_t i = 0; i < 3; i++)
		outb(r.lba[i].port, (uint8_t)(lba >> 8 * i));
}

void start_transfer(struct ata_regs r, uint32_t table)
{
	outl(r.bm_table.port, table);
	outb(r.bm_status.port, 6);
	outb(r.command.port, 0xc8);
	outb(r.bm_command.port, 9);
}

uint32_t wait_idle(struct ata_regs r)
{
	for (uint32_t i = 0; i < 1000; i++) {
		if ((inb(r.alternate.port) & 0x80) == 0)
			return 1;
	}
	return 0;
}
