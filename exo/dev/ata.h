/*
 * ata.h - registers, commands and statuses of an IDE channel, each a type of its own.
 *
 * Every register is a struct of one member and takes or gives only its own kind of value: a command
 * written to the count register, or a count to the command register, does not compile
 * (test/dev/misuse.c), and the code is that of a bare outb (test/dev/same_code.sh).
 */
#ifndef DEV_ATA_H
#define DEV_ATA_H

#include <stdint.h>
#include "../x86/io.h"

enum { SECTOR_SIZE = 512, SECTOR_WORDS = SECTOR_SIZE / 4, BLOCK_SECTORS = 8 };

struct reg_data {
	uint16_t port;
};
struct reg_error {
	uint16_t port;
};
struct reg_count {
	uint16_t port;
};
struct reg_lba {
	uint16_t port;
};
struct reg_select {
	uint16_t port;
};
struct reg_status {
	uint16_t port;
};
struct reg_command {
	uint16_t port;
};
struct reg_control {
	uint16_t port;
};
struct reg_bm_command {
	uint16_t port;
};
struct reg_bm_status {
	uint16_t port;
};
struct reg_bm_table {
	uint16_t port;
};

/* A channel: the same ports have another meaning when read. */
struct ata_regs {
	struct reg_data data;
	struct reg_error error;
	struct reg_count count;
	struct reg_lba lba[3]; /* low, mid, high */
	struct reg_select select;
	struct reg_status status; /* reading it ends the interrupt */
	struct reg_command command;
	struct reg_status alternate; /* the same, but leaves the interrupt */
	struct reg_control control;
	struct reg_bm_command bm_command;
	struct reg_bm_status bm_status;
	struct reg_bm_table bm_table;
};

struct ata_command {
	uint8_t code;
};
struct ata_status {
	uint8_t bits;
};
struct ata_error {
	uint8_t bits;
};
struct ata_select {
	uint8_t bits;
};
struct ata_control {
	uint8_t bits;
};
struct bm_command {
	uint8_t bits;
};
struct bm_status {
	uint8_t bits;
};

#define ATA_COMMAND(name, n) static const struct ata_command name = {n}
ATA_COMMAND(ATA_IDENTIFY, 0xec);
ATA_COMMAND(ATA_READ, 0x20);
ATA_COMMAND(ATA_READ_EXT, 0x24);
ATA_COMMAND(ATA_WRITE, 0x30);
ATA_COMMAND(ATA_WRITE_EXT, 0x34);
ATA_COMMAND(ATA_READ_MULTIPLE, 0xc4);
ATA_COMMAND(ATA_READ_MULTIPLE_EXT, 0x29);
ATA_COMMAND(ATA_WRITE_MULTIPLE, 0xc5);
ATA_COMMAND(ATA_WRITE_MULTIPLE_EXT, 0x39);
ATA_COMMAND(ATA_SET_MULTIPLE, 0xc6);
ATA_COMMAND(ATA_READ_DMA, 0xc8);
ATA_COMMAND(ATA_READ_DMA_EXT, 0x25);
ATA_COMMAND(ATA_WRITE_DMA, 0xca);
ATA_COMMAND(ATA_WRITE_DMA_EXT, 0x35);
ATA_COMMAND(ATA_FLUSH, 0xe7);
ATA_COMMAND(ATA_FLUSH_EXT, 0xea);
#undef ATA_COMMAND

enum { STATUS_ERR = 0x01, STATUS_DRQ = 0x08, STATUS_DF = 0x20, STATUS_BSY = 0x80 };
enum { STATUS_FLOATING = 0xff };
enum { SELECT_BASE = 0xa0, SELECT_LBA = 0x40, SELECT_SLAVE = 0x10 };
enum { CONTROL_RESET = 4 };
enum { BM_START = 1, BM_TO_MEMORY = 8 };
enum { BM_STATUS_ERROR = 2, BM_STATUS_IRQ = 4, BM_STATUS_CAPABLE = 0x60 };

static inline struct ata_regs ata_regs(uint16_t base, uint16_t control, uint16_t bus_master)
{
	const uint16_t bm = bus_master;

	return (struct ata_regs){
		.data = {base},
		.error = {(uint16_t)(base + 1)},
		.count = {(uint16_t)(base + 2)},
		.lba = {{(uint16_t)(base + 3)}, {(uint16_t)(base + 4)}, {(uint16_t)(base + 5)}},
		.select = {(uint16_t)(base + 6)},
		.status = {(uint16_t)(base + 7)},
		.command = {(uint16_t)(base + 7)},
		.alternate = {control},
		.control = {control},
		.bm_command = {bm},
		.bm_status = {(uint16_t)(bm + 2)},
		.bm_table = {(uint16_t)(bm + 4)},
	};
}

static inline void put_command(struct reg_command r, struct ata_command c)
{
	outb(r.port, c.code);
}

static inline void put_count(struct reg_count r, uint8_t sectors)
{
	outb(r.port, sectors);
}

static inline void put_lba(struct reg_lba r, uint8_t part)
{
	outb(r.port, part);
}

static inline uint8_t get_lba(struct reg_lba r)
{
	return inb(r.port);
}

static inline void put_select(struct reg_select r, struct ata_select s)
{
	outb(r.port, s.bits);
}

static inline void put_control(struct reg_control r, struct ata_control c)
{
	outb(r.port, c.bits);
}

static inline struct ata_status get_status(struct reg_status r)
{
	return (struct ata_status){inb(r.port)};
}

static inline struct ata_error get_error(struct reg_error r)
{
	return (struct ata_error){inb(r.port)};
}

/* One sector from or to the drive; the memory is SECTOR_SIZE bytes. */
static inline void get_sector(struct reg_data r, uint8_t *to)
{
	insl(r.port, to, SECTOR_WORDS);
}

static inline void put_sector(struct reg_data r, const uint8_t *from)
{
	outsl(r.port, from, SECTOR_WORDS);
}

static inline void put_bm_command(struct reg_bm_command r, struct bm_command c)
{
	outb(r.port, c.bits);
}

static inline struct bm_status get_bm_status(struct reg_bm_status r)
{
	return (struct bm_status){inb(r.port)};
}

/* ERROR and IRQ are cleared by writing 1. */
static inline void put_bm_status(struct reg_bm_status r, struct bm_status s)
{
	outb(r.port, s.bits);
}

static inline void put_bm_table(struct reg_bm_table r, uint32_t physical)
{
	outl(r.port, physical);
}

static inline int status_busy(struct ata_status s)
{
	return (s.bits & STATUS_BSY) != 0;
}

static inline int status_failed(struct ata_status s)
{
	return (s.bits & (STATUS_ERR | STATUS_DF)) != 0;
}

static inline int status_wants_data(struct ata_status s)
{
	return (s.bits & STATUS_DRQ) != 0;
}

#endif
