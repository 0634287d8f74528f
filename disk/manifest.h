/*
 * manifest.h - the boot manifest: its text (doc/manifest.md) compiled to struct exo_manifest, and
 * the extents that it asks the image maker for.  Used by `fhimage make` and `fhimage check`.
 */
#ifndef DISK_MANIFEST_H
#define DISK_MANIFEST_H

#include <exo/image.h>
#include <stdbool.h>
#include <stddef.h>

enum { PLAN_EXTENTS = 64 };

struct plan_extent {
	char name[8]; /* NUL-terminated */
	uint64_t owner;
	uint64_t blocks;   /* 0: the rest of the pool */
	uint32_t fs_block; /* block size of its ext2 file system; 0: none */
	bool clear;	   /* readable from the start, as zeros */
	unsigned line;
};

struct plan {
	const char *file;
	uint64_t disk; /* bytes; 0: not said */
	struct plan_extent extent[PLAN_EXTENTS];
	unsigned extents;
	struct exo_manifest manifest;
	unsigned program_line[EXO_MANIFEST_PROGRAMS];
};

/*
 * Compiles the text in file.  Every mistake is reported with its line; with any, the plan is not to
 * be used (report_mistakes() tells).  Dies when the file cannot be read.
 */
void manifest_read(const char *file, struct plan *plan);

/*
 * A size: a number, and K, M, G or T for units of 1024.  False if text is not one, or is beyond
 * 2^63 bytes.
 */
bool manifest_size(const char *text, uint64_t *bytes);

/* A whole number, decimal or with 0x in hex; false if text is anything else or beyond 64 bits. */
bool manifest_number(const char *text, uint64_t *number);

/* CRC-32C of the manifest as its crc field wants it. */
uint32_t manifest_crc(const struct exo_manifest *manifest);

/* The name of quota kind n, 0..5, as the manifest's text spells it. */
const char *manifest_quota_name(unsigned kind);

/* The name of program flag number n, or NULL beyond the last; its bit goes to *flag. */
const char *manifest_flag_name(unsigned n, uint32_t *flag);

/* Letters of a set of rights, "rwga" for all; NUL-terminated in to. */
void manifest_rights_text(uint32_t rights, char to[static 5]);

#endif
