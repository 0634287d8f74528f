/*
 * ide_test.c - dev/ide.c over drives played at the level of their registers: every way of moving
 * data, errors, lost interrupts, drives that do not answer, empty channels.
 */
#include <stdlib.h>
#include <string.h>
#include "../../dev/ide.h"
#include "../../dev/log.h"
#include "fake.h"

enum { NFRAMES = 1024, FIRST_PAGE = 4096, PAGES = 8, SECTOR = 512, TOTAL = FAKE_BLOCKS * 8 };
enum { PCI_ADDRESS = 0xcf8, PCI_DATA = 0xcfc, BUS_MASTER = 0xc000, S = 1000000000 };
enum { ERR = 1, DRQ = 8, DRDY = 0x40, BSY = 0x80 };

int fake_failed;
struct exo_io ios[EXO_NIO];
uint32_t io_frames[EXO_NIO][EXO_IO_BLOCKS];
struct exo_drive drives[EXO_NDRIVE];
union extent_block extent_page;

static uint8_t memory[NFRAMES][EXO_PAGE_SIZE];
static uint8_t disk[2][TOTAL][SECTOR];
static uint64_t now, step = 1000; /* ns, at each look */

/* What the test asks of the drives. */
static struct {
	uint32_t present; /* bit per drive: 0 and 2 at most */
	int dma, lba48, multiple, atapi, floating;
	uint32_t bad_sector; /* commands that touch it fail; 0: none */
	uint32_t deaf;	     /* that many commands are not answered */
	int mute;	     /* interrupts are lost */
	int stays_busy;	     /* after a reset */
	uint32_t slow;	     /* that many readings of a status say that it is busy */
} wish;

/* A channel with at most a master. */
static struct drive {
	uint8_t count[2], lba[3][2], select, status, error, control, command;
	uint32_t left, sector, chunk, in_chunk; /* PIO */
	uint8_t identity[SECTOR];
	uint8_t bm_command, bm_status;
	uint32_t table;
	int irq;
} unit[2];

static struct {
	uint32_t io, status, blocks, count;
} done;
static uint32_t commands, resets;

/* ---- what ide.c needs besides ports ------------------------------------------------------ */

static const void *known[PAGES];

uint64_t x86_phys(const void *p)
{
	const uintptr_t page = (uintptr_t)p / EXO_PAGE_SIZE * EXO_PAGE_SIZE;

	for (uint32_t i = 0; i < PAGES; i++) {
		if (!known[i])
			known[i] = (const void *)page;
		if (known[i] == (const void *)page)
			return (FIRST_PAGE + i) * (uint64_t)EXO_PAGE_SIZE +
			       (uintptr_t)p % EXO_PAGE_SIZE;
	}
	abort();
}

static uint8_t *at_phys(uint64_t phys)
{
	const uint64_t frame = phys / EXO_PAGE_SIZE;

	if (frame < NFRAMES)
		return memory[frame] + phys % EXO_PAGE_SIZE;
	if (frame < FIRST_PAGE || frame >= FIRST_PAGE + PAGES)
		abort(); /* DMA to where nothing is */
	return (uint8_t *)known[frame - FIRST_PAGE] + phys % EXO_PAGE_SIZE;
}

uint8_t *machine_bytes(struct pfn f)
{
	return at_phys((uint64_t)f.n * EXO_PAGE_SIZE);
}

uint64_t machine_now(void)
{
	return now += step;
}

void io_done(uint32_t io, enum exo_status status, uint32_t blocks)
{
	done.io = io;
	done.status = status;
	done.blocks = blocks;
	done.count++;
}

void log_str(const char *s)
{
	(void)s;
}

void log_u64(uint64_t n)
{
	(void)n;
}

void log_hex(uint64_t n)
{
	(void)n;
}

/* ---- drives ------------------------------------------------------------------------------ */

static void put_word(struct drive *d, uint32_t i, uint32_t value)
{
	d->identity[2 * i] = (uint8_t)value;
	d->identity[2 * i + 1] = (uint8_t)(value >> 8);
}

static void make_identity(struct drive *d)
{
	memset(d->identity, 0, SECTOR);
	memcpy(d->identity + 54, "ETTS                                    ", 40);
	put_word(d, 47, wish.multiple ? 0x8000 | 16 : 0);
	put_word(d, 49, 0x200 | (wish.dma ? 0x100 : 0));
	put_word(d, 60, TOTAL);
	put_word(d, 83, (wish.lba48 ? 0x400 : 0) | 0x2000);
	put_word(d, 100, wish.lba48 ? TOTAL : 0);
}

static void interrupt(struct drive *d)
{
	d->irq = !wish.mute && (d->control & 2) == 0;
	d->bm_status |= 4;
}

static void end(struct drive *d, uint8_t status)
{
	d->status = status;
	d->error = status & ERR ? 4 : 0;
	d->left = 0;
	interrupt(d);
}

static int is_lba48(uint8_t c)
{
	return c == 0x24 || c == 0x25 || c == 0x29 || c == 0x34 || c == 0x35 || c == 0x39;
}

static uint64_t place(const struct drive *d)
{
	uint64_t lba = d->lba[0][0] | d->lba[1][0] << 8 | d->lba[2][0] << 16;

	if (is_lba48(d->command))
		return lba | (uint64_t)d->lba[0][1] << 24 | (uint64_t)d->lba[1][1] << 32;
	return lba | (uint64_t)(d->select & 15) << 24;
}

static uint32_t length(const struct drive *d)
{
	const uint32_t n = d->count[0] | (is_lba48(d->command) ? d->count[1] << 8 : 0);

	return n != 0 ? n : is_lba48(d->command) ? 65536 : 256;
}

/* Takes place and length of a transfer; 0 when it must fail. */
static int aim(struct drive *d)
{
	d->sector = (uint32_t)place(d);
	d->left = length(d);
	if ((d->select & 0x40) == 0 || place(d) + d->left > TOTAL)
		return 0;
	return wish.bad_sector == 0 || wish.bad_sector < d->sector ||
	       wish.bad_sector >= d->sector + d->left;
}

static void pio(struct drive *d, uint32_t chunk, int write)
{
	d->chunk = chunk;
	d->in_chunk = 0;
	if (!aim(d)) {
		end(d, DRDY | ERR);
		return;
	}
	d->status = DRDY | DRQ;
	if (!write)
		interrupt(d);
}

static void dma(struct drive *d, uint8_t *sectors)
{
	uint8_t prd[8];
	uint32_t entry = d->table, left = d->left * SECTOR;

	do {
		uint32_t bytes;
		uint64_t phys;

		memcpy(prd, at_phys(entry), 8);
		entry += 8;
		phys = prd[0] | prd[1] << 8 | prd[2] << 16 | (uint64_t)prd[3] << 24;
		bytes = prd[4] | prd[5] << 8;
		bytes = bytes != 0 ? bytes : 65536;
		if (phys / 65536 != (phys + bytes - 1) / 65536 || bytes > left)
			abort(); /* the bus master cannot do that */
		for (uint32_t i = 0; i < bytes; i++, sectors++) {
			if ((d->bm_command & 8) != 0)
				*at_phys(phys + i) = *sectors;
			else
				*sectors = *at_phys(phys + i);
		}
		left -= bytes;
	} while ((prd[7] & 0x80) == 0);
	if (left != 0)
		abort();
	end(d, DRDY);
}

static void run_command(struct drive *d, uint8_t command)
{
	d->command = command;
	d->status = DRDY | BSY;
	commands++;
	if (command != 0xec && wish.deaf > 0) {
		wish.deaf--;
		return;
	}
	switch (command) {
	case 0xec:
		make_identity(d);
		d->lba[1][0] = wish.atapi ? 0x14 : 0;
		d->status = wish.atapi ? DRDY | ERR : DRDY | DRQ;
		d->left = 1, d->chunk = 1, d->in_chunk = 0;
		break;
	case 0xc6:
		end(d, wish.multiple && d->count[0] == 16 ? DRDY : DRDY | ERR);
		break;
	case 0x20:
	case 0x24:
	case 0x30:
	case 0x34:
		pio(d, 1, command >= 0x30);
		break;
	case 0x29:
	case 0xc4:
	case 0x39:
	case 0xc5:
		pio(d, 16, command == 0x39 || command == 0xc5);
		break;
	case 0x25:
	case 0xc8:
	case 0x35:
	case 0xca:
		if (!aim(d))
			end(d, DRDY | ERR);
		break; /* goes on when the bus master starts */
	default:
		end(d, command == 0xe7 || command == 0xea ? DRDY : DRDY | ERR);
	}
}

/* A sector has passed the data port. */
static void next_sector(struct drive *d, int write)
{
	d->sector++;
	d->left--;
	if (d->left == 0) {
		d->status = DRDY;
		if (write)
			interrupt(d);
	} else if (++d->in_chunk == d->chunk) {
		d->in_chunk = 0;
		interrupt(d);
	}
}

/* ---- ports ------------------------------------------------------------------------------- */

static struct drive *drive_of(uint16_t port)
{
	const uint32_t c = port >= BUS_MASTER ? port >> 3 & 1 : (port & 0x80) == 0;

	return &unit[c];
}

static int absent(const struct drive *d)
{
	return (wish.present >> 2 * (d - unit) & 1) == 0 || (d->select & 0x10) != 0;
}

static void put_bus_master(struct drive *d, uint16_t port, uint8_t value)
{
	if ((port & 7) == 2) {
		d->bm_status &= (uint8_t) ~(value & 6);
		return;
	}
	d->bm_command = value;
	if ((value & 1) != 0 && d->left != 0 && (d->status & BSY) != 0)
		dma(d, disk[d - unit][d->sector]);
}

void outb(uint16_t port, uint8_t value)
{
	struct drive *d = drive_of(port);

	if (port >= BUS_MASTER) {
		put_bus_master(d, port, value);
	} else if (port == 0x3f6 || port == 0x376) {
		resets += (value & 4) != 0;
		if ((d->control & 4) != 0 && (value & 4) == 0)
			d->status = wish.stays_busy ? BSY : DRDY;
		d->control = value;
	} else if ((port & 7) == 2) {
		d->count[1] = d->count[0], d->count[0] = value;
	} else if ((port & 7) >= 3 && (port & 7) <= 5) {
		d->lba[(port & 7) - 3][1] = d->lba[(port & 7) - 3][0];
		d->lba[(port & 7) - 3][0] = value;
	} else if ((port & 7) == 6) {
		d->select = value;
	} else if ((port & 7) == 7 && !absent(d)) {
		if ((d->status & (BSY | DRQ)) != 0)
			abort(); /* a command while the drive is busy */
		run_command(d, value);
	}
}

static uint8_t status_of(const struct drive *d)
{
	if (wish.slow == 0)
		return d->status;
	wish.slow--;
	return BSY;
}

uint8_t inb(uint16_t port)
{
	struct drive *d = drive_of(port);

	if (port >= BUS_MASTER)
		return (port & 7) == 2 ? d->bm_status : d->bm_command;
	if (wish.floating)
		return 0xff;
	if (absent(d))
		return 0;
	if (port == 0x3f6 || port == 0x376)
		return status_of(d);
	switch (port & 7) {
	case 1:
		return d->error;
	case 3:
	case 4:
	case 5:
		return d->lba[(port & 7) - 3][0];
	case 7:
		d->irq = 0;
		return status_of(d);
	default:
		return 0;
	}
}

static uint32_t pci_address;

void outl(uint16_t port, uint32_t value)
{
	if (port == PCI_ADDRESS)
		pci_address = value;
	else if (port >= BUS_MASTER && (port & 7) == 4)
		drive_of(port)->table = value;
}

uint32_t inl(uint16_t port)
{
	static const uint32_t registers[16] = {0x70108086, 0, 0x01018000,    0, 0, 0,
					       0,	   0, BUS_MASTER | 1};

	if (port != PCI_DATA || (pci_address & 0xffffff00) != 0x80000900)
		return 0xffffffff;
	return wish.dma ? registers[pci_address >> 2 & 15] : 0xffffffff;
}

void insl(uint16_t port, void *to, uint32_t count)
{
	struct drive *d = drive_of(port);

	if (count != SECTOR / 4 || (d->status & DRQ) == 0)
		abort();
	memcpy(to, d->command == 0xec ? d->identity : disk[d - unit][d->sector], SECTOR);
	next_sector(d, 0);
}

void outsl(uint16_t port, const void *from, uint32_t count)
{
	struct drive *d = drive_of(port);

	if (count != SECTOR / 4 || (d->status & DRQ) == 0)
		abort();
	memcpy(disk[d - unit][d->sector], from, SECTOR);
	next_sector(d, 1);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void prepare(void)
{
	memset(unit, 0, sizeof(unit));
	for (uint32_t c = 0; c < 2; c++)
		unit[c].status = DRDY;
	for (uint32_t d = 0; d < 2; d++) {
		for (uint32_t s = 0; s < TOTAL; s++)
			memset(disk[d][s], (int)(s * 7 + d), SECTOR);
	}
	memset(memory, 0xee, sizeof(memory));
	memset(&done, 0, sizeof(done));
	commands = resets = 0;
	ide_init();
}

/* Interrupts until the drives are quiet. */
static void interrupts(void)
{
	for (uint32_t n = 0; n < 100000 && (unit[0].irq || unit[1].irq); n++) {
		for (uint32_t c = 0; c < 2; c++) {
			if (unit[c].irq)
				ide_interrupt(c);
		}
	}
}

static void request(enum exo_io_op op, uint32_t drive, uint64_t block, uint32_t count)
{
	ios[9] = (struct exo_io){
		.op = (uint8_t)op, .drive = (uint8_t)drive, .block = block, .count = count};
	for (uint32_t i = 0; i < count; i++) /* runs, a gap, and single frames */
		io_frames[9][i] = i < 40 ? 10 + i : i < 100 ? 60 + i : 1000 - 2 * i;
	done.count = 0;
	machine_disk_start(9);
	interrupts();
}

static int memory_is(uint32_t drive, uint64_t block, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (memcmp(memory[io_frames[9][i]], disk[drive / 2][(block + i) * 8],
			   EXO_BLOCK_SIZE) != 0)
			return 0;
	}
	return 1;
}

static int finished(uint32_t status, uint32_t blocks)
{
	return done.count == 1 && done.io == 9 && done.status == status && done.blocks == blocks;
}

static void all_transfers(void)
{
	for (uint32_t drive = 0; drive <= 2; drive += 2) {
		request(EXO_IO_READ, drive, 100, 256);
		CHECK(finished(EXO_OK, 256) && memory_is(drive, 100, 256));
		request(EXO_IO_READ, drive, 3, 1);
		CHECK(finished(EXO_OK, 1) && memory_is(drive, 3, 1));
		for (uint32_t i = 0; i < 133; i++)
			memset(memory[i < 40	? 10 + i
				      : i < 100 ? 60 + i
						: 1000 - 2 * i],
			       (int)i, EXO_PAGE_SIZE);
		request(EXO_IO_WRITE, drive, 400, 133);
		CHECK(finished(EXO_OK, 133) && memory_is(drive, 400, 133));
		CHECK(disk[drive / 2][533 * 8][0] == (uint8_t)(533 * 8 * 7 + drive / 2));
		request(EXO_IO_CLEAR, drive, 600, 200);
		CHECK(finished(EXO_OK, 200) && disk[drive / 2][800 * 8 - 1][511] == 0);
		CHECK(disk[drive / 2][800 * 8][0] == (uint8_t)(800 * 8 * 7 + drive / 2));
		request(EXO_IO_FLUSH, drive, 0, 0);
		CHECK(finished(EXO_OK, 0));
		CHECK(machine_disk_read(drive, 402, &extent_page) == EXO_OK);
		CHECK(extent_page.bytes[4095] == 2 && extent_page.bytes[0] == 2);
	}
}

static void every_way_of_moving_data(void)
{
	for (uint32_t ways = 0; ways < 8; ways++) {
		wish.dma = ways & 1, wish.lba48 = ways & 2, wish.multiple = ways & 4;
		prepare();
		CHECK(drives[0].blocks == FAKE_BLOCKS && drives[2].blocks == FAKE_BLOCKS);
		CHECK(drives[1].blocks == 0 && drives[3].blocks == 0);
		CHECK(drives[0].dma == wish.dma && drives[0].lba48 == !!wish.lba48);
		CHECK(memcmp(drives[0].model, "TEST\0", 5) == 0 && drives[2].channel == 1);
		all_transfers();
	}
}

static void absent_drives_cost_little(void)
{
	wish.present = 4;
	prepare();
	CHECK(drives[0].blocks == 0 && drives[2].blocks != 0);
	wish.atapi = 1;
	prepare();
	CHECK(drives[2].blocks == 0);
	wish.floating = 1;
	now = 0;
	prepare();
	CHECK(drives[0].blocks == 0 && drives[2].blocks == 0 && now < S / 100 && commands == 0);
}

/* "no boot drive", on a host with much to do: time goes by, and the drive has had no chance to
 * answer. */
static void a_slow_host_has_its_drive(void)
{
	wish.slow = 5000;
	prepare();
	CHECK(drives[0].blocks != 0 && drives[2].blocks != 0);
	wish.slow = 5000;
	step = 60ull * S;
	prepare();
	CHECK(drives[0].blocks != 0 && drives[2].blocks != 0);
	step = 1000;
}

/* Nobody looked for longer than a drive may take: what is done by then is done. */
static void who_was_away_finds_it_done(void)
{
	wish.dma = 1, wish.mute = 1;
	prepare();
	request(EXO_IO_READ, 0, 40, 20);
	ide_tick(now += 3600ull * S);
	CHECK(finished(EXO_OK, 20) && memory_is(0, 40, 20) && resets == 0);
}

static void errors_are_reported_once(void)
{
	for (uint32_t ways = 0; ways < 4; ways++) {
		wish.dma = ways & 1, wish.multiple = ways & 2, wish.bad_sector = 0;
		prepare();
		wish.bad_sector = 50 * 8 + 3;
		request(EXO_IO_READ, 0, 40, 20);
		CHECK(done.count == 1 && done.status == EXO_IO && done.blocks < 20);
		request(EXO_IO_WRITE, 0, 50, 1);
		CHECK(finished(EXO_IO, 0));
		request(EXO_IO_READ, 0, 51, 9);
		CHECK(finished(EXO_OK, 9));
		CHECK(resets == 0);
	}
}

static void a_lost_interrupt_is_polled_for(void)
{
	for (uint32_t ways = 0; ways < 4; ways++) {
		wish.dma = ways & 1, wish.multiple = ways & 2;
		prepare();
		wish.mute = 1;
		request(EXO_IO_READ, 0, 40, 20);
		CHECK(done.count == 0);
		ide_tick(now + S / 2);
		CHECK(done.count == 0);
		for (uint32_t i = 0; i < 200 && done.count == 0; i++)
			ide_tick(now + 2ull * S);
		CHECK(finished(EXO_OK, 20) && memory_is(0, 40, 20) && resets == 0);
		wish.mute = 0;
	}
}

static void a_deaf_drive_is_reset_and_tried_again(void)
{
	wish.dma = 1, wish.multiple = 16;
	prepare();
	wish.deaf = 1;
	request(EXO_IO_READ, 0, 40, 20);
	ide_tick(now += 5ull * S);
	CHECK(done.count == 0 && resets == 0);
	ide_tick(now += 6ull * S);
	CHECK(resets == 1 && done.count == 0);
	ide_tick(now);
	interrupts();
	CHECK(finished(EXO_OK, 20) && memory_is(0, 40, 20));
	wish.deaf =
		2; /* the command, and after the reset SET MULTIPLE: the second try is late too */
	request(EXO_IO_READ, 0, 40, 20);
	for (uint32_t i = 0; i < 6 && done.count == 0; i++)
		ide_tick(now += 11ull * S);
	CHECK(finished(EXO_IO, 0));
}

static void a_dead_drive_fails_at_once_from_then_on(void)
{
	wish.dma = 1;
	prepare();
	wish.deaf = 1, wish.stays_busy = 1;
	request(EXO_IO_READ, 0, 40, 1);
	for (uint32_t i = 0; i < 3; i++)
		ide_tick(now += 11ull * S);
	CHECK(finished(EXO_IO, 0) && resets == 1);
	request(EXO_IO_READ, 0, 40, 1);
	CHECK(done.count == 0); /* never from inside the call */
	ide_tick(now);
	CHECK(finished(EXO_IO, 0) && resets == 1);
	request(EXO_IO_READ, 2, 40, 1); /* the other channel works */
	CHECK(finished(EXO_OK, 1));
}

static void stray_interrupts_do_nothing(void)
{
	wish.dma = 1;
	prepare();
	ide_interrupt(0);
	ide_interrupt(1);
	CHECK(done.count == 0);
	wish.deaf = 1;
	request(EXO_IO_READ, 0, 40, 1);
	ide_interrupt(0);
	CHECK(done.count == 0);
}

#undef RUN_TEST
#define RUN_TEST(name)                                                                             \
	do {                                                                                       \
		const int before = fake_failed;                                                    \
		memset(&wish, 0, sizeof(wish));                                                    \
		wish.present = 5;                                                                  \
		name();                                                                            \
		if (fake_failed == before)                                                         \
			printf("ok %s\n", #name);                                                  \
	} while (0)

int main(void)
{
	RUN_TEST(every_way_of_moving_data);
	RUN_TEST(absent_drives_cost_little);
	RUN_TEST(a_slow_host_has_its_drive);
	RUN_TEST(who_was_away_finds_it_done);
	RUN_TEST(errors_are_reported_once);
	RUN_TEST(a_lost_interrupt_is_polled_for);
	RUN_TEST(a_deaf_drive_is_reset_and_tried_again);
	RUN_TEST(a_dead_drive_fails_at_once_from_then_on);
	RUN_TEST(stray_interrupts_do_nothing);
	return fake_failed != 0;
}
