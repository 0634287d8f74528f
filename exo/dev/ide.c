/*
 * ide.c - owns the IDE channels: which drives there are, and the one request each works on.
 *
 * A request is one or more commands of up to 256 blocks (32 without LBA48).  Data moves by
 * bus-master DMA straight between the drive and the program's frames, or by PIO a DRQ block per
 * interrupt.  A drive that does not answer is polled after POLL_AFTER, its channel reset after
 * GIVE_UP_AFTER and the command tried once more; then the request fails.  Invariant: phase is not
 * IDLE exactly while kern/io.c has a request active on the channel.  Called by kern/io.c and from
 * interrupts; entered one CPU at a time, no lock.
 */
#include "../kern/extent.h"
#include "../kern/io.h"
#include "../kern/machine.h"
#include "../x86/paging.h"
#include "ata.h"
#include "ide.h"
#include "log.h"
#include "pci.h"

enum { CLASS_STORAGE = 1, SUBCLASS_IDE = 1 };
enum { PCI_COMMAND = 4, PCI_CLASS = 8, PCI_BAR4 = 0x20 };
enum { PCI_IO = 1, PCI_MASTER = 4, PROGIF_NATIVE = 0x05, PROGIF_MASTER = 0x80 };

enum {
	NUNIT = 2,
	DMA_FRAMES = 1 << 20, /* frames below 4 GiB: what a 32-bit descriptor reaches */
	PRD_FRAMES = 16,      /* a descriptor stays inside 64 KiB */
	PRD_LAST = 0x8000,
	BLOCKS_LBA28 = 32,
	READY_READS = 1000, /* of the status, for what a drive does at once */
	DELAY_READS = 4,    /* of the alternate status: 400 ns */
	RESET_READS = 64,
	BOOT_READS = 100000, /* before patience ends: an emulator is away for seconds at times */
	LOGGED_ERRORS = 16,  /* per drive; drives[].errors counts them all */
};

static const uint64_t SECOND = 1000 * 1000 * 1000; /* ns */
#define POLL_AFTER    SECOND
#define GIVE_UP_AFTER (10 * SECOND)
#define BOOT_PATIENCE (30 * SECOND) /* as long as disks may take to spin up */

struct prd {
	uint32_t physical;
	uint16_t bytes; /* 0: 64 KiB */
	uint16_t flags;
};
_Static_assert(sizeof(struct prd) == 8, "descriptor");

enum phase {
	PHASE_IDLE,
	PHASE_STUCK, /* the drive was not ready: nothing was sent */
	PHASE_DMA,
	PHASE_IN,    /* PIO */
	PHASE_OUT,   /* PIO */
	PHASE_PLAIN, /* a command without data */
	PHASE_RESET,
};

static struct channel {
	struct ata_regs r;
	uint32_t number;
	uint32_t has_bm;
	uint32_t dead; /* reset did not help: every request fails at the next tick */
	enum phase phase;
	uint32_t io, drive;
	uint32_t done;	 /* blocks of earlier commands */
	uint32_t blocks; /* of this command */
	uint32_t sector; /* PIO: next of this command */
	uint32_t retried;
	uint64_t since; /* when this command began, or the reset */
} channels[NCHANNEL];

/* What drives[] does not tell. */
static struct {
	uint32_t multiple;  /* sectors of a PIO DRQ block */
	uint32_t flush_ext; /* has FLUSH CACHE EXT */
} traits[EXO_NDRIVE];

static _Alignas(EXO_PAGE_SIZE) struct prd prds[NCHANNEL][EXO_IO_BLOCKS];
static _Alignas(EXO_PAGE_SIZE) uint8_t zeros[EXO_PAGE_SIZE];

/* ---- one register after the other -------------------------------------------------------- */

static void delay(const struct channel *c)
{
	for (uint32_t i = 0; i < DELAY_READS; i++)
		(void)get_status(c->r.alternate);
}

/* Waits for what a drive does at once; 0 where it does not. */
static int await_ready(const struct channel *c)
{
	for (uint32_t i = 0; i < READY_READS; i++) {
		const struct ata_status s = get_status(c->r.alternate);

		if (!status_busy(s) && !status_wants_data(s))
			return 1;
	}
	return 0;
}

static int await_data(const struct channel *c)
{
	for (uint32_t i = 0; i < READY_READS; i++) {
		const struct ata_status s = get_status(c->r.alternate);

		if (!status_busy(s))
			return status_wants_data(s) && !status_failed(s);
	}
	return 0;
}

static struct ata_select unit_select(uint32_t drive)
{
	const uint32_t slave = drives[drive].unit != 0 ? SELECT_SLAVE : 0;

	return (struct ata_select){(uint8_t)(SELECT_BASE | SELECT_LBA | slave)};
}

/* Writes place and length; lba48: the high bytes first, through the same registers. */
static void set_address(const struct channel *c, uint32_t drive, uint64_t lba, uint32_t sectors)
{
	struct ata_select select = unit_select(drive);

	if (drives[drive].lba48) {
		put_count(c->r.count, (uint8_t)(sectors >> 8));
		for (uint32_t i = 0; i < 3; i++)
			put_lba(c->r.lba[i], (uint8_t)(lba >> (24 + 8 * i)));
	} else {
		select.bits |= lba >> 24 & 0x0f;
	}
	put_count(c->r.count, (uint8_t)sectors);
	for (uint32_t i = 0; i < 3; i++)
		put_lba(c->r.lba[i], (uint8_t)(lba >> 8 * i));
	put_select(c->r.select, select);
}

static struct ata_command pio_command(uint32_t drive, int write)
{
	const struct ata_command commands[2][2][2] = {
		{{ATA_READ, ATA_WRITE}, {ATA_READ_EXT, ATA_WRITE_EXT}},
		{{ATA_READ_MULTIPLE, ATA_WRITE_MULTIPLE},
		 {ATA_READ_MULTIPLE_EXT, ATA_WRITE_MULTIPLE_EXT}},
	};

	return commands[traits[drive].multiple > 1][drives[drive].lba48][write];
}

static struct ata_command dma_command(uint32_t drive, int write)
{
	const struct ata_command commands[2][2] = {
		{ATA_READ_DMA, ATA_WRITE_DMA},
		{ATA_READ_DMA_EXT, ATA_WRITE_DMA_EXT},
	};

	return commands[drives[drive].lba48][write];
}

/* ---- memory of a request ----------------------------------------------------------------- */

/* Frame of block i of the command that channel c works on. */
static uint32_t frame_of(const struct channel *c, uint32_t i)
{
	if (ios[c->io].op == EXO_IO_CLEAR)
		return (uint32_t)(x86_phys(zeros) / EXO_PAGE_SIZE);
	return io_frames[c->io][c->done + i];
}

static uint8_t *sector_memory(const struct channel *c)
{
	uint8_t *frame = machine_bytes((struct pfn){frame_of(c, c->sector / BLOCK_SECTORS)});

	return frame + c->sector % BLOCK_SECTORS * SECTOR_SIZE;
}

/* Describes the command's memory to the bus master; 0 where it does not reach that far. */
static int fill_prds(const struct channel *c)
{
	const uint32_t zero = frame_of(c, 0), count = c->blocks;
	const uint32_t step = ios[c->io].op != EXO_IO_CLEAR; /* one frame serves for all blocks */
	const uint32_t *frame = step ? &io_frames[c->io][c->done] : &zero;
	struct prd *next = prds[c->number];
	uint32_t last = UINT32_MAX - 1; /* no frame follows it: see DMA_FRAMES */

	for (uint32_t i = 0; i < count; i++, frame += step) {
		const uint32_t f = *frame;

		if (f >= DMA_FRAMES)
			return 0;
		if (f - 1 == last && f % PRD_FRAMES != 0)
			next[-1].bytes = (uint16_t)(next[-1].bytes + EXO_PAGE_SIZE);
		else
			*next++ = (struct prd){f * EXO_PAGE_SIZE, EXO_PAGE_SIZE, 0};
		last = f;
	}
	next[-1].flags = PRD_LAST;
	return 1;
}

/* ---- a command --------------------------------------------------------------------------- */

static void start_dma(struct channel *c, int write)
{
	const struct bm_command direction = {write ? 0 : BM_TO_MEMORY};
	const struct bm_status clear = {BM_STATUS_ERROR | BM_STATUS_IRQ | BM_STATUS_CAPABLE};

	put_bm_command(c->r.bm_command, direction);
	put_bm_table(c->r.bm_table, (uint32_t)x86_phys(prds[c->number]));
	put_bm_status(c->r.bm_status, clear);
	put_command(c->r.command, dma_command(c->drive, write));
	put_bm_command(c->r.bm_command, (struct bm_command){direction.bits | BM_START});
	c->phase = PHASE_DMA;
}

static void stop_dma(const struct channel *c)
{
	if (!c->has_bm)
		return;
	put_bm_command(c->r.bm_command, (struct bm_command){0});
	put_bm_status(c->r.bm_status,
		      (struct bm_status){BM_STATUS_ERROR | BM_STATUS_IRQ | BM_STATUS_CAPABLE});
}

/* Moves one DRQ block by PIO; the drive is asking for it. */
static void move_data(struct channel *c)
{
	const uint32_t all = c->blocks * BLOCK_SECTORS;

	for (uint32_t i = 0; i < traits[c->drive].multiple && c->sector < all; i++) {
		if (c->phase == PHASE_IN)
			get_sector(c->r.data, sector_memory(c));
		else
			put_sector(c->r.data, sector_memory(c));
		c->sector++;
	}
}

static void start_pio(struct channel *c, int write)
{
	put_command(c->r.command, pio_command(c->drive, write));
	c->phase = write ? PHASE_OUT : PHASE_IN;
	if (!write)
		return;
	delay(c);
	if (await_data(c))
		move_data(c); /* else the interrupt, or the timeout, tells why not */
}

/* Sends the next command of the channel's request.  Never completes it. */
static void start_command(struct channel *c)
{
	const struct exo_io *r = &ios[c->io];
	const uint32_t most = drives[c->drive].lba48 ? EXO_IO_BLOCKS : BLOCKS_LBA28;
	const int write = r->op != EXO_IO_READ;

	c->since = machine_now();
	c->phase = PHASE_STUCK;
	c->sector = 0;
	c->blocks = r->count - c->done < most ? r->count - c->done : most;
	if (c->dead)
		return;
	put_select(c->r.select, unit_select(c->drive));
	delay(c);
	if (!await_ready(c))
		return;
	if (r->op == EXO_IO_FLUSH) {
		c->phase = PHASE_PLAIN;
		put_command(c->r.command, traits[c->drive].flush_ext ? ATA_FLUSH_EXT : ATA_FLUSH);
		return;
	}
	set_address(c, c->drive, (r->block + c->done) * BLOCK_SECTORS, c->blocks * BLOCK_SECTORS);
	if (drives[c->drive].dma && fill_prds(c))
		start_dma(c, write);
	else
		start_pio(c, write);
}

void machine_disk_start(uint32_t io)
{
	struct channel *c = &channels[drives[ios[io].drive].channel];

	c->io = io;
	c->drive = ios[io].drive;
	c->done = 0;
	c->retried = 0;
	start_command(c);
}

static void finish(struct channel *c, enum exo_status status)
{
	c->phase = PHASE_IDLE;
	io_done(c->io, status, c->done);
}

static void report(const struct channel *c, const char *what)
{
	if (drives[c->drive].errors >= LOGGED_ERRORS)
		return;
	log_str("freehold: drive ");
	log_u64(c->drive);
	log_str(", block ");
	log_u64(ios[c->io].block + c->done);
	log_str(": ");
	log_str(what);
	log_str(", status ");
	log_hex(get_status(c->r.alternate).bits);
	log_str(", error ");
	log_hex(get_error(c->r.error).bits);
	log_str("\n");
}

static void command_done(struct channel *c)
{
	c->done += c->blocks;
	if (c->done < ios[c->io].count)
		start_command(c);
	else
		finish(c, EXO_OK);
}

/* ---- interrupts -------------------------------------------------------------------------- */

void ide_interrupt(uint32_t channel)
{
	struct channel *c = &channels[channel];
	struct ata_status status;

	if (c->phase == PHASE_DMA && (get_bm_status(c->r.bm_status).bits & BM_STATUS_IRQ) == 0)
		return; /* not ours, or data is still on its way to memory */
	status = get_status(c->r.status);
	if (c->phase == PHASE_IDLE || c->phase == PHASE_STUCK || c->phase == PHASE_RESET ||
	    status_busy(status))
		return;
	if (c->phase == PHASE_DMA)
		stop_dma(c);
	if (status_failed(status)) { /* the bus master's own error bit is not to be trusted */
		report(c, "the drive reports an error");
		finish(c, EXO_IO);
		return;
	}
	if ((c->phase == PHASE_IN || c->phase == PHASE_OUT) && status_wants_data(status)) {
		move_data(c);
		if (c->phase == PHASE_OUT || c->sector < c->blocks * BLOCK_SECTORS)
			return;
	} else if (c->phase != PHASE_DMA && c->phase != PHASE_PLAIN &&
		   c->sector < c->blocks * BLOCK_SECTORS) {
		return; /* the drive has not asked yet */
	}
	command_done(c);
}

/* ---- timeouts ---------------------------------------------------------------------------- */

static void begin_reset(struct channel *c, uint64_t now)
{
	report(c, "no answer, the channel is reset");
	stop_dma(c);
	put_control(c->r.control, (struct ata_control){CONTROL_RESET});
	for (uint32_t i = 0; i < RESET_READS; i++)
		(void)get_status(c->r.alternate);
	put_control(c->r.control, (struct ata_control){0});
	c->phase = PHASE_RESET;
	c->since = now;
}

static void set_multiple(const struct channel *c, uint32_t drive)
{
	if (traits[drive].multiple <= 1)
		return;
	put_select(c->r.select, unit_select(drive));
	delay(c);
	put_count(c->r.count, (uint8_t)traits[drive].multiple);
	put_command(c->r.command, ATA_SET_MULTIPLE);
	delay(c);
	if (!await_ready(c) || status_failed(get_status(c->r.status)))
		traits[drive].multiple = 1;
}

static void after_reset(struct channel *c, uint64_t now)
{
	if (status_busy(get_status(c->r.alternate))) {
		if (now - c->since < GIVE_UP_AFTER)
			return;
		c->dead = 1;
		report(c, "does not come back from a reset, given up");
		finish(c, EXO_IO);
		return;
	}
	for (uint32_t unit = 0; unit < NUNIT; unit++) {
		const uint32_t drive = c->number * NUNIT + unit;

		if (drives[drive].blocks != 0)
			set_multiple(c, drive);
	}
	if (c->retried) {
		finish(c, EXO_IO);
		return;
	}
	c->retried = 1;
	start_command(c);
}

/* It may be done, with its interrupt lost, or with us having been away, as programs of a host are.
 */
static void overdue(struct channel *c, uint64_t now)
{
	const uint64_t since = c->since;

	ide_interrupt(c->number);
	if (c->phase != PHASE_IDLE && c->since == since && now - since > GIVE_UP_AFTER)
		begin_reset(c, now);
}

void ide_tick(uint64_t now)
{
	for (uint32_t i = 0; i < NCHANNEL; i++) {
		struct channel *c = &channels[i];

		if (c->phase == PHASE_IDLE)
			continue;
		if (c->dead)
			finish(c, EXO_IO);
		else if (c->phase == PHASE_RESET)
			after_reset(c, now);
		else if (now - c->since > POLL_AFTER)
			overdue(c, now);
	}
}

/* ---- boot -------------------------------------------------------------------------------- */

/* Waits while the drive is busy; 0 where it stays so. */
static int await_idle(const struct channel *c)
{
	const uint64_t end = machine_now() + BOOT_PATIENCE;

	for (uint32_t reads = 0; reads < BOOT_READS || machine_now() < end; reads++)
		if (!status_busy(get_status(c->r.alternate)))
			return 1;
	return 0;
}

/* Waits until the drive is done or asks for data; 0 when it reports an error or does not answer. */
static int poll(const struct channel *c, int data)
{
	const uint64_t end = machine_now() + BOOT_PATIENCE;

	delay(c);
	for (uint32_t reads = 0; reads < BOOT_READS || machine_now() < end; reads++) {
		const struct ata_status s = get_status(c->r.status);

		if (!status_busy(s) && status_failed(s))
			return 0;
		if (!status_busy(s) && (!data || status_wants_data(s)))
			return 1;
	}
	return 0;
}

enum exo_status machine_disk_read(uint32_t drive, uint64_t block, union extent_block *to)
{
	struct channel *c = &channels[drives[drive].channel];
	uint32_t sector = 0;

	put_select(c->r.select, unit_select(drive));
	if (!poll(c, 0))
		return EXO_IO;
	set_address(c, drive, block * BLOCK_SECTORS, BLOCK_SECTORS);
	put_command(c->r.command, pio_command(drive, 0));
	while (sector < BLOCK_SECTORS) {
		if (!poll(c, 1))
			return EXO_IO;
		for (uint32_t i = 0; i < traits[drive].multiple && sector < BLOCK_SECTORS; i++)
			get_sector(c->r.data, to->bytes + sector++ * SECTOR_SIZE);
	}
	return poll(c, 0) ? EXO_OK : EXO_IO;
}

enum {
	ID_MODEL = 27,
	ID_MULTIPLE = 47,
	ID_CAPABLE = 49,
	ID_SECTORS = 60,
	ID_COMMANDS = 83,
	ID_SECTORS_48 = 100,
	ID_DMA = 0x100,
	ID_LBA = 0x200,
	ID_LBA48 = 0x400,
	ID_FLUSH_EXT = 0x2000,
	MOST_MULTIPLE = 16,
};

/* What a drive says of itself: 256 little-endian words. */
struct identity {
	uint8_t bytes[SECTOR_SIZE];
};

static uint32_t word(const struct identity *id, uint32_t i)
{
	return id->bytes[2 * i] | (uint32_t)id->bytes[2 * i + 1] << 8;
}

static void set_model(struct exo_drive *d, const struct identity *id)
{
	uint32_t end = sizeof(d->model);

	for (uint32_t i = 0; i < sizeof(d->model); i++) /* bytes of each word are swapped */
		d->model[i] = (char)id->bytes[2 * ID_MODEL + (i ^ 1)];
	while (end > 0 && d->model[end - 1] == ' ')
		d->model[--end] = 0;
}

static void describe(struct channel *c, uint32_t drive, const struct identity *id)
{
	struct exo_drive *d = &drives[drive];
	uint64_t sectors = word(id, ID_SECTORS) | (uint64_t)word(id, ID_SECTORS + 1) << 16;

	if ((word(id, ID_CAPABLE) & ID_LBA) == 0)
		return;
	d->lba48 = (word(id, ID_COMMANDS) & ID_LBA48) != 0;
	if (d->lba48) {
		sectors = 0;
		for (uint32_t i = 4; i-- > 0;)
			sectors = sectors << 16 | word(id, ID_SECTORS_48 + i);
	}
	d->dma = c->has_bm && (word(id, ID_CAPABLE) & ID_DMA) != 0;
	traits[drive].flush_ext = (word(id, ID_COMMANDS) & ID_FLUSH_EXT) != 0;
	traits[drive].multiple = word(id, ID_MULTIPLE) & 0xff;
	if (traits[drive].multiple > MOST_MULTIPLE)
		traits[drive].multiple = MOST_MULTIPLE;
	if (traits[drive].multiple == 0)
		traits[drive].multiple = 1;
	set_model(d, id);
	d->blocks = sectors / BLOCK_SECTORS;
	set_multiple(c, drive);
}

/* Reads the identity of an ATA drive; 0: nothing there, or something else. */
static int identify(const struct channel *c, uint32_t drive, struct identity *id)
{
	put_select(c->r.select, unit_select(drive));
	delay(c);
	if (get_status(c->r.status).bits == STATUS_FLOATING || !await_idle(c) || !await_ready(c))
		return 0;
	put_count(c->r.count, 0);
	for (uint32_t i = 0; i < 3; i++)
		put_lba(c->r.lba[i], 0);
	put_command(c->r.command, ATA_IDENTIFY);
	delay(c);
	if (get_status(c->r.status).bits == 0 || !poll(c, 1))
		return 0;
	if (get_lba(c->r.lba[1]) != 0 || get_lba(c->r.lba[2]) != 0)
		return 0; /* ATAPI and SATA bridges sign here */
	get_sector(c->r.data, id->bytes);
	return 1;
}

static void announce(uint32_t drive)
{
	log_str("drive ");
	log_u64(drive);
	log_str(": ");
	log_u64(drives[drive].blocks);
	log_str(drives[drive].lba48 ? " blocks, LBA48, " : " blocks, LBA28, ");
	log_str(drives[drive].dma ? "DMA" : "PIO");
	log_str("\n");
}

/* Port of the bus master's registers; 0: there is none. */
static uint16_t find_bus_master(void)
{
	struct pci_function f;
	uint32_t bar, class;

	if (!pci_find(CLASS_STORAGE, SUBCLASS_IDE, &f))
		return 0;
	class = pci_read(f, PCI_CLASS) >> 8;
	bar = pci_read(f, PCI_BAR4);
	if ((class & PROGIF_MASTER) == 0 || (class & PROGIF_NATIVE) != 0 || (bar & 1) == 0 ||
	    (bar & 0xfffc) == 0)
		return 0;
	pci_write(f, PCI_COMMAND, (pci_read(f, PCI_COMMAND) & 0xffff) | PCI_IO | PCI_MASTER);
	return (uint16_t)(bar & 0xfffc);
}

void ide_init(void)
{
	static const uint16_t base[NCHANNEL] = {0x1f0, 0x170}, control[NCHANNEL] = {0x3f6, 0x376};
	const uint16_t bm = find_bus_master();

	for (uint32_t i = 0; i < NCHANNEL; i++) {
		struct channel *c = &channels[i];

		*c = (struct channel){.number = i, .has_bm = bm != 0};
		c->r = ata_regs(base[i], control[i], (uint16_t)(bm + 8 * i));
		put_control(c->r.control, (struct ata_control){0});
		for (uint32_t unit = 0; unit < NUNIT; unit++) {
			const uint32_t drive = i * NUNIT + unit;
			struct identity id = {{0}};

			drives[drive] =
				(struct exo_drive){.channel = (uint8_t)i, .unit = (uint8_t)unit};
			if (identify(c, drive, &id))
				describe(c, drive, &id);
			if (drives[drive].blocks != 0)
				announce(drive);
		}
	}
}
