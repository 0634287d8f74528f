/*
 * layout.h - reading an image: its header, manifest and extent tables, each checked.  One reader
 * for inspection, boot arguments and extraction, so that they agree on what a good image is.
 */
#ifndef DISK_LAYOUT_H
#define DISK_LAYOUT_H

#include <exo/image.h>
#include <stdbool.h>

enum {
	LAYOUT_RECORD_BLOCKS = EXO_NEXTENT / EXO_EXTENTS_PER_BLOCK,
	LAYOUT_TABLE_BLOCKS = 1 + LAYOUT_RECORD_BLOCKS,
	LAYOUT_PARTITION_LBA = EXO_IMAGE_BLOCK * 8,
};

/* One copy of the extent table; valid: its header and all its blocks have right checksums. */
struct layout_table {
	struct exo_extents_head head;
	struct exo_extent record[EXO_NEXTENT];
	uint32_t records;
	bool valid;
	const char *why; /* when not valid */
};

struct layout {
	const char *path;
	int fd;
	uint64_t file_bytes;
	struct exo_image header;
	bool header_good, manifest_good;
	struct exo_manifest manifest;
	struct layout_table copy[2];
	const struct layout_table *table; /* the valid one with the higher number, or NULL */
};

/*
 * Reads path and reports every problem with the header, the manifest's frame and the two copies of
 * the extent table; what lies behind a bad header is left zero.  Dies when it cannot be opened.
 */
struct layout *layout_open(const char *path, bool for_writing);

/* CRC-32C of a header with its crc field 0. */
uint32_t layout_header_crc(struct exo_image header);
uint32_t layout_table_crc(struct exo_extents_head head);

/* The live extent with that name, or that number; NULL if there is none. */
const struct exo_extent *layout_find(const struct layout *image, const char *name);

#endif
