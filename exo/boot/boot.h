/*
 * boot.h - what the loader leaves in low memory for the kernel, at physical BOOT_INFO.
 *
 * Both sides are ours and made together, so there is no version; sizes are asserted because one
 * side is compiled for 16-bit mode.
 */
#ifndef EXO_BOOT_H
#define EXO_BOOT_H

#include <exo/image.h>

#define BOOT_INFO 0x1000u

enum { BOOT_RANGES = 64, BOOT_USABLE = 1 };

/* One range of the BIOS memory map (INT 15h, E820). */
struct boot_range {
	uint64_t base, len;
	uint32_t type; /* BOOT_USABLE: memory */
	uint32_t attributes;
};
_Static_assert(sizeof(struct boot_range) == 24, "as the BIOS writes it");

struct boot_info {
	uint32_t ranges;
	uint32_t drive;	    /* BIOS number booted from */
	uint32_t init_phys; /* where the first program's image was loaded, page aligned */
	uint32_t manifest_phys;
	uint32_t end_phys; /* first byte after everything loaded */
	uint32_t reserved;
	struct exo_image image;
	struct boot_range range[BOOT_RANGES];
};
_Static_assert(sizeof(struct boot_info) == 24 + 144 + 24 * BOOT_RANGES, "loader and kernel agree");

#endif
