/*
 * make.c - see make.h.  First everything is read and checked, then places are given to all parts,
 * then the image is written; the id, made from all that was written, goes in last.
 */
#define _GNU_SOURCE
#include "make.h"
#include "bytes.h"
#include "ext2.h"
#include "init.h"
#include "layout.h"
#include "manifest.h"
#include "memory.h"
#include "report.h"
#include "spawn.h"
#include "temp.h"

#include <errno.h>
#include <exo/crc32c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, PARTITION_TABLE = 446, BLOCK = EXO_BLOCK_SIZE };
#define LOADER_MAX ((uint64_t)EXO_LOADER_SECTORS * SECTOR)
#define KERNEL_MAX (64ull << 20)
#define POOL_ALIGN 256 /* blocks; a kernel that grows by little moves no extent */

struct maker {
	const struct make_args *args;
	struct plan plan;
	struct bytes loader, kernel, init;
	struct exo_image header;
	struct exo_extent record[EXO_NEXTENT]; /* 0: the sentinel; i: plan.extent[i-1] */
	char *staging;
	int fd;
	uint64_t hash;
};

static void *offset_of_block(uint8_t *at, uint64_t block)
{
	return at + block * BLOCK;
}

/* Bytes of a file in whole blocks, with zeros at the end. */
static struct bytes whole_blocks(struct bytes file)
{
	struct bytes padded = {.len = bytes_in_units(file.len, BLOCK) * BLOCK};

	padded.at = memory_take(padded.len);
	memcpy(padded.at, file.at, file.len);
	return padded;
}

/* ---- reading ------------------------------------------------------------------------------- */

static void read_loader(struct maker *m)
{
	const char *path = m->args->loader;

	m->loader = bytes_read_file(path, LOADER_MAX);
	if (m->loader.len <= SECTOR)
		die("%s: too small for a boot sector and a second stage", path);
	if (!bytes_are_zero(m->loader.at + PARTITION_TABLE, SECTOR - 2 - PARTITION_TABLE))
		die("%s: its boot sector reaches into the partition table (byte %d)", path,
		    PARTITION_TABLE);
}

static void read_kernel(struct maker *m)
{
	struct bytes kernel = bytes_read_file(m->args->kernel, KERNEL_MAX);

	if (kernel.len == 0)
		die("%s: empty", m->args->kernel);
	if (m->args->kernel_bytes < kernel.len || m->args->kernel_bytes > KERNEL_MAX)
		die("--kernel-bytes %llu is not between the %llu bytes of %s and %llu",
		    (unsigned long long)m->args->kernel_bytes, (unsigned long long)kernel.len,
		    m->args->kernel, KERNEL_MAX);
	m->kernel = whole_blocks(kernel);
}

static void stop_after_mistakes(void)
{
	if (report_mistakes())
		exit(EXIT_MISTAKE);
}

/* ---- places -------------------------------------------------------------------------------- */

static uint64_t image_bytes(const struct maker *m)
{
	uint64_t size = m->args->size ? m->args->size : m->plan.disk;

	if (size == 0)
		die("no size: say 'disk SIZE' in %s or --size", m->plan.file);
	if (size % BLOCK)
		die("size %llu is not a multiple of %d", (unsigned long long)size, BLOCK);
	return size;
}

static uint64_t after(uint64_t *at, uint64_t blocks)
{
	uint64_t start = *at;

	*at += blocks;
	return start;
}

static void place_parts(struct maker *m)
{
	struct exo_image *h = &m->header;
	uint64_t at = EXO_IMAGE_BLOCK + 1;

	h->magic = EXO_IMAGE_MAGIC;
	h->version = EXO_IMAGE_VERSION;
	h->blocks = image_bytes(m) / BLOCK;
	h->manifest_blocks = bytes_in_units(sizeof(struct exo_manifest), BLOCK);
	h->manifest = after(&at, h->manifest_blocks);
	h->kernel_blocks = m->kernel.len / BLOCK;
	h->kernel = after(&at, h->kernel_blocks);
	h->kernel_bytes = m->args->kernel_bytes;
	h->init_blocks = m->init.len / BLOCK;
	h->init = after(&at, h->init_blocks);
	h->table_blocks = LAYOUT_TABLE_BLOCKS;
	h->table[0] = after(&at, h->table_blocks);
	h->table[1] = after(&at, h->table_blocks);
	h->pool = bytes_in_units(at, POOL_ALIGN) * POOL_ALIGN;
	h->pool_end = h->blocks;
	if (h->pool >= h->pool_end)
		die("%llu bytes are too small: the pool would begin at %llu",
		    (unsigned long long)h->blocks * BLOCK, (unsigned long long)h->pool * BLOCK);
	h->kernel_crc = exo_crc32c(0, m->kernel.at, m->kernel.len);
	h->init_crc = exo_crc32c(0, m->init.at, m->init.len);
}

/* What is left of the pool for the extent that takes the rest; all others are counted. */
static uint64_t rest_of_pool(const struct maker *m)
{
	uint64_t left = m->header.pool_end - m->header.pool;

	for (unsigned i = 0; i < m->plan.extents; i++) {
		const struct plan_extent *e = &m->plan.extent[i];

		if (e->blocks > left) {
			report_mistake(m->plan.file, e->line,
				       "extent '%s' needs %llu KiB, but only %llu KiB are left",
				       e->name, (unsigned long long)e->blocks * 4,
				       (unsigned long long)left * 4);
			stop_after_mistakes();
		}
		left -= e->blocks;
	}
	return left;
}

static void place_extents(struct maker *m)
{
	uint64_t rest = rest_of_pool(m), at = m->header.pool;

	m->record[0] = (struct exo_extent){
		.len = m->header.pool,
		.gen = 1,
		.next = m->plan.extents ? 1 : 0,
		.state = EXO_EXTENT_SYSTEM,
		.name = "system",
	};
	for (unsigned i = 0; i < m->plan.extents; i++) {
		const struct plan_extent *e = &m->plan.extent[i];
		struct exo_extent *record = &m->record[i + 1];

		record->len = e->blocks ? e->blocks : rest;
		if (record->len == 0)
			report_mistake(m->plan.file, e->line, "nothing is left for extent '%s'",
				       e->name);
		record->start = after(&at, record->len);
		record->init = e->fs_block || e->clear ? record->len : 0;
		record->owner = e->owner;
		record->gen = 1;
		record->next = i + 1 < m->plan.extents ? i + 2 : 0;
		record->state = EXO_EXTENT_LIVE;
		memcpy(record->name, e->name, sizeof(record->name));
	}
	stop_after_mistakes();
}

/* ---- the files of the main file system ----------------------------------------------------- */

static void copy_into(const char *what, const char *folder)
{
	struct stat st;

	if (stat(what, &st) < 0)
		die("%s: %s", what, strerror(errno));
	if (S_ISDIR(st.st_mode))
		what = memory_text("%s/.", what);
	spawn_must((const char *const[]){"cp", "-R", "-P", "-p", "--", what, folder, NULL});
}

/* A program that is missing is not an error here: it may be put onto the disk later. */
static void look_for_programs(const struct maker *m)
{
	for (uint32_t i = 0; i < m->plan.manifest.programs; i++) {
		const char *path = m->plan.manifest.program[i].path;
		struct stat st;

		if (stat(memory_text("%s/%s", m->staging, path), &st) < 0 || !S_ISREG(st.st_mode))
			report_warning(m->plan.file, m->plan.program_line[i],
				       "%s is not among the files of the image", path);
	}
}

static void stage_files(struct maker *m)
{
	char *bin;

	m->staging = temp_folder(m->args->out);
	if (chmod(m->staging, 0755) < 0)
		die("%s: %s", m->staging, strerror(errno));
	if (m->args->files)
		copy_into(m->args->files, m->staging);
	bin = memory_text("%s/bin", m->staging);
	if (mkdir(bin, 0755) < 0 ? errno != EEXIST : chmod(bin, 0755) < 0)
		die("%s: %s", bin, strerror(errno));
	for (unsigned i = 0; i < m->args->bins; i++)
		copy_into(m->args->bin[i], bin);
	look_for_programs(m);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void write_blocks(struct maker *m, const void *from, uint64_t bytes, uint64_t block)
{
	file_write_at(m->fd, from, bytes, block * BLOCK);
	m->hash = bytes_hash(m->hash, &block, sizeof(block));
	m->hash = bytes_hash(m->hash, from, bytes);
}

static void put_le32(uint8_t *at, uint64_t n)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(n >> 8 * i);
}

/* The loader's first sector with the partition table put in, and its other sectors. */
static void write_boot(struct maker *m)
{
	uint64_t sectors = m->header.blocks * (BLOCK / SECTOR) - LAYOUT_PARTITION_LBA;
	uint8_t *entry = m->loader.at + PARTITION_TABLE;

	entry[0] = 0x80;	    /* active */
	memset(entry + 1, 0xff, 7); /* places in cylinders: not used */
	entry[4] = EXO_PARTITION_TYPE;
	put_le32(entry + 8, LAYOUT_PARTITION_LBA);
	put_le32(entry + 12, sectors < UINT32_MAX ? sectors : UINT32_MAX);
	m->loader.at[SECTOR - 2] = 0x55;
	m->loader.at[SECTOR - 1] = 0xaa;
	write_blocks(m, m->loader.at, m->loader.len, 0);
}

static void write_file_systems(struct maker *m)
{
	for (unsigned i = 0; i < m->plan.extents; i++) {
		const struct plan_extent *e = &m->plan.extent[i];
		const struct exo_extent *record = &m->record[i + 1];
		bool main = strcmp(e->name, m->plan.manifest.main_extent) == 0;
		struct ext2_wish wish = {
			.label = e->name,
			.tree = main ? m->staging : NULL,
			.bytes = record->len * BLOCK,
			.block = e->fs_block,
			.number = i + 1,
		};
		int fs;

		if (!e->fs_block)
			continue;
		fs = ext2_make(&wish, m->args->out);
		m->hash =
			file_copy_sparse(fs, 0, m->fd, record->start * BLOCK, wish.bytes, m->hash);
		close(fs);
	}
}

/* Both copies hold the same records; A is the newer, so the first change goes to B. */
static void write_tables(struct maker *m)
{
	struct exo_extents_head head = {
		.magic = EXO_EXTENTS_MAGIC,
		.version = EXO_IMAGE_VERSION,
		.id = m->header.id,
		.blocks = LAYOUT_RECORD_BLOCKS,
	};

	for (unsigned i = 0; i < LAYOUT_RECORD_BLOCKS; i++)
		head.block_crc[i] = exo_crc32c(0, offset_of_block((uint8_t *)m->record, i), BLOCK);
	for (unsigned copy = 0; copy < 2; copy++) {
		head.seq = 2 - copy;
		head.crc = layout_table_crc(head);
		file_write_at(m->fd, &head, sizeof(head), m->header.table[copy] * BLOCK);
		file_write_at(m->fd, m->record, sizeof(m->record),
			      (m->header.table[copy] + 1) * BLOCK);
	}
}

static void write_header(struct maker *m)
{
	m->header.crc = layout_header_crc(m->header);
	file_write_at(m->fd, &m->header, sizeof(m->header), (uint64_t)EXO_IMAGE_BLOCK * BLOCK);
}

static void write_image(struct maker *m)
{
	const struct exo_image *h = &m->header;
	char *path;

	m->fd = temp_file(m->args->out, &path);
	m->hash = HASH_START;
	if (ftruncate(m->fd, (off_t)(h->blocks * BLOCK)) < 0)
		die("%s: %s", path, strerror(errno));
	write_boot(m);
	write_blocks(m, &m->plan.manifest, sizeof(m->plan.manifest), h->manifest);
	write_blocks(m, m->kernel.at, m->kernel.len, h->kernel);
	write_blocks(m, m->init.at, m->init.len, h->init);
	write_file_systems(m);
	m->header.id = bytes_hash(m->hash, m->record, sizeof(m->record));
	write_tables(m);
	write_header(m);
	if (close(m->fd) < 0)
		die("%s: %s", path, strerror(errno));
	temp_keep(path, m->args->out);
}

void make_image(const struct make_args *args)
{
	struct maker *m = memory_take(sizeof(*m));

	m->args = args;
	manifest_read(args->manifest, &m->plan);
	stop_after_mistakes();
	read_loader(m);
	read_kernel(m);
	m->init = init_from_elf(args->init);
	place_parts(m);
	place_extents(m);
	if (m->plan.manifest.main_extent[0])
		stage_files(m);
	write_image(m);
}
