/*
 * loader.c - loads what the image header names and starts the kernel.
 *
 * Owns low memory until the kernel runs.  Runs in real mode (gcc -m16); reaches the BIOS and high
 * memory through stage2.S.  Every mistake in the image ends in a message on the screen and COM1
 * and a stopped machine.
 */
#include <exo/crc32c.h>
#include "boot.h"

enum {
	CHUNK_BLOCKS = 8,
	BUFFER = 0x10000,
	HEADER = 0x3000,
	COM1 = 0x3f8,
	DEBUG_PORT = 0xe9,
	QEMU_EXIT = 0xf4,
	BOCHS_SHUTDOWN = 0x8900,
};

/* Disk address packet of INT 13h, function 42h. */
struct packet {
	uint8_t size, zero;
	uint16_t sectors;
	uint16_t offset, segment;
	uint64_t lba;
};

uint32_t bios_read(uint32_t drive, const void *packet);
uint32_t bios_e820(uint32_t *next, void *entry);
void bios_putc(uint32_t c);
void a20_enable(void);
void copy_high(uint32_t dst, uint32_t src, uint32_t words);
uint32_t long_mode_ready(void);
_Noreturn void enter_kernel(void);
_Noreturn void loader_main(void);

extern uint8_t boot_drive;

static struct boot_info *const info = (struct boot_info *)BOOT_INFO;

static void out(uint32_t port, uint8_t byte)
{
	__asm__ volatile("outb %b0, %w1" ::"a"(byte), "d"(port));
}

/* On the screen, COM1 and the emulators' log. */
static void put(const char *s)
{
	for (; *s; s++) {
		bios_putc((uint8_t)*s);
		out(COM1, (uint8_t)*s);
		out(DEBUG_PORT, (uint8_t)*s);
	}
}

/* Ends the emulator; a real machine stands still with the message on its screen. */
static _Noreturn void die(const char *why)
{
	put("freehold: panic: ");
	put(why);
	put("\r\n");
	for (const char *s = "Shutdown"; *s; s++)
		out(BOCHS_SHUTDOWN, (uint8_t)*s);
	out(QEMU_EXIT, 1);
	for (;;)
		__asm__ volatile("hlt");
}

static void memory_map(void)
{
	uint32_t next = 0;

	info->ranges = 0;
	do {
		struct boot_range *r = &info->range[info->ranges];

		if (bios_e820(&next, r) == 0)
			break;
		info->ranges++;
	} while (next != 0 && info->ranges < BOOT_RANGES);
	if (info->ranges == 0)
		die("the BIOS gives no memory map");
}

/* Blocks to physical memory, through the buffer below 1 MiB that the BIOS can reach. */
static void load(uint64_t block, uint32_t blocks, uint32_t phys)
{
	while (blocks > 0) {
		uint32_t n = blocks < CHUNK_BLOCKS ? blocks : CHUNK_BLOCKS;
		struct packet p = {16, 0, (uint16_t)(n * 8), 0, BUFFER >> 4, block * 8};

		if (bios_read(info->drive, &p) != 0)
			die("disk read error while loading");
		copy_high(phys, BUFFER, n * (EXO_BLOCK_SIZE / 4));
		block += n;
		blocks -= n;
		phys += n * EXO_BLOCK_SIZE;
	}
}

static uint32_t page_up(uint32_t n)
{
	return (n + EXO_PAGE_SIZE - 1) & ~(uint32_t)(EXO_PAGE_SIZE - 1);
}

/* Memory from 1 MiB to `end` must be usable in one piece. */
static void check_memory(uint64_t end)
{
	for (uint32_t i = 0; i < info->ranges; i++) {
		const struct boot_range *r = &info->range[i];

		if (r->type == BOOT_USABLE && r->base <= EXO_KERNEL_PHYS && r->base + r->len >= end)
			return;
	}
	die("not enough memory for the kernel and the first program");
}

static void read_header(void)
{
	struct exo_image *image = &info->image;
	const uint8_t *from = (const uint8_t *)HEADER;
	uint32_t crc;

	load(EXO_IMAGE_BLOCK, 1, HEADER);
	for (uint32_t i = 0; i < sizeof *image; i++)
		((uint8_t *)image)[i] = from[i];
	crc = image->crc;
	image->crc = 0;
	if (image->magic != EXO_IMAGE_MAGIC)
		die("no image header in the first partition");
	if (image->version != EXO_IMAGE_VERSION)
		die("the image is of another version");
	if (exo_crc32c(0, (const uint8_t *)image, sizeof *image) != crc)
		die("the image header is damaged (checksum)");
	image->crc = crc;
}

_Noreturn void loader_main(void)
{
	const struct exo_image *image = &info->image;
	uint32_t at;

	info->drive = boot_drive;
	a20_enable();
	if (!long_mode_ready())
		die("this CPU has no 64-bit mode");
	memory_map();
	read_header();
	at = page_up((uint32_t)(EXO_KERNEL_PHYS + image->kernel_bytes));
	info->init_phys = at;
	at += (uint32_t)image->init_blocks * EXO_BLOCK_SIZE;
	info->manifest_phys = at;
	at += (uint32_t)image->manifest_blocks * EXO_BLOCK_SIZE;
	info->end_phys = at;
	check_memory(at);
	load(image->kernel, (uint32_t)image->kernel_blocks, EXO_KERNEL_PHYS);
	load(image->init, (uint32_t)image->init_blocks, info->init_phys);
	load(image->manifest, (uint32_t)image->manifest_blocks, info->manifest_phys);
	enter_kernel();
}
