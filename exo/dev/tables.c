/*
 * tables.c - owns nothing: finds the drive the machine was booted from, has kern/extent.c load its
 * table, and says what was found.  Called once while booting.
 */
#include "../kern/extent.h"
#include "../kern/info.h"
#include "../kern/io.h"
#include "../kern/machine.h"
#include "../x86/paging.h"
#include "log.h"

static int has_image(uint32_t drive, const struct exo_image *image)
{
	const union extent_block *block = &extent_page;

	if (drives[drive].blocks <= EXO_IMAGE_BLOCK ||
	    machine_disk_read(drive, EXO_IMAGE_BLOCK, &extent_page) != EXO_OK)
		return 0;
	for (uint32_t i = 0; i < sizeof(*image); i++) {
		if (block->bytes[i] != ((const uint8_t *)image)[i])
			return 0;
	}
	return 1;
}

static uint32_t find_drive(const struct exo_image *image)
{
	for (uint32_t d = 0; d < EXO_NDRIVE; d++) {
		if (has_image(d, image))
			return d;
	}
	log_urgent();
	log_str("freehold: no IDE drive has the image that was booted\n");
	machine_panic("no boot drive (image id)", image->id, 0);
}

static void report(struct extent_loaded l)
{
	for (uint32_t c = 0; c < 2; c++) {
		if (l.fault[c] == EXTENT_GOOD)
			continue;
		log_str("freehold: extent table copy ");
		log_u64(c);
		log_str(": ");
		log_str(extent_fault_name(l.fault[c]));
		log_str(l.usable ? "; the other copy is used\n" : "\n");
	}
}

static void load(const struct exo_image *image, uint32_t drive)
{
	struct extent_loaded l;

	if (drives[drive].blocks < image->blocks)
		machine_panic("drive is smaller than its image (blocks)", drives[drive].blocks,
			      image->blocks);
	l = extent_load(image, drive, drives[drive].blocks);
	if (!l.usable)
		log_urgent();
	report(l);
	if (!l.usable) {
		log_str("freehold: extent table unusable: no program is started, nothing was "
			"written\n");
		machine_panic("extent table unusable (faults of copies)", l.fault[0], l.fault[1]);
	}
}

void extent_boot(const struct exo_image *image)
{
	const uint64_t page = x86_phys(&extent_page) / EXO_PAGE_SIZE;
	const uint32_t boot = find_drive(image);

	info.boot_drive = boot;
	io_init((struct pfn){(uint32_t)page});
	load(image, boot);
	for (uint32_t d = 0; d < EXO_NDRIVE; d++) {
		if (d != boot && drives[d].blocks != 0 &&
		    extent_add_drive(d, drives[d].blocks) != EXO_OK)
			log_str("freehold: extent table full: a drive has no extent\n");
	}
	extent_charge_all();
}
