/*
 * inspect.c - see inspect.h.  Reads through layout.c, which trusts nothing; loops here run over
 * records by their number, never along a chain without a count.
 */
#include "inspect.h"
#include "bytes.h"
#include "ext2.h"
#include "layout.h"
#include "manifest.h"
#include "report.h"

#include <exo/crc32c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

enum { SECTOR = 512, PARTITION = 446 };

/* Fields of fixed length, made fit to print: NUL-terminated, and nothing but plain characters. */
struct text {
	char at[160];
};

static struct text plain(const char *from, size_t len)
{
	struct text text = {{0}};

	for (size_t i = 0; i < len && i < sizeof(text.at) - 1 && from[i]; i++)
		text.at[i] = from[i] > ' ' && from[i] < 127 ? from[i] : '?';
	return text;
}

static const char *state_name(uint8_t state)
{
	static const char *const names[] = {"free", "taking", "live", "dying", "system"};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* ---- boot sector and header ---------------------------------------------------------------- */

static uint32_t get_le32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void check_boot_sector(const struct layout *image)
{
	uint64_t sectors = image->header.blocks * (EXO_BLOCK_SIZE / SECTOR) - LAYOUT_PARTITION_LBA;
	uint8_t sector[SECTOR];
	const uint8_t *entry = sector + PARTITION;

	if (!file_read_at(image->fd, sector, sizeof(sector), 0)) {
		report_problem("boot sector: cannot be read");
		return;
	}
	if (sector[SECTOR - 2] != 0x55 || sector[SECTOR - 1] != 0xaa)
		report_problem("boot sector: no 55 aa at its end");
	if (entry[4] != EXO_PARTITION_TYPE)
		report_problem("boot sector: partition 1 has type %#x, expected %#x", entry[4],
			       EXO_PARTITION_TYPE);
	if (entry[0] != 0x80)
		report_problem("boot sector: partition 1 is not active");
	if (get_le32(entry + 8) != LAYOUT_PARTITION_LBA)
		report_problem("boot sector: partition 1 begins at sector %u, expected %d",
			       get_le32(entry + 8), LAYOUT_PARTITION_LBA);
	if (image->header_good &&
	    get_le32(entry + 12) != (sectors < UINT32_MAX ? sectors : UINT32_MAX))
		report_problem("boot sector: partition 1 has %u sectors, expected %llu",
			       get_le32(entry + 12), (ull)sectors);
}

static void print_part(const char *name, uint64_t start, uint64_t blocks)
{
	printf("  %-14s blocks %llu..%llu (%llu)\n", name, (ull)start, (ull)(start + blocks - 1),
	       (ull)blocks);
}

static void print_header(const struct layout *image)
{
	const struct exo_image *h = &image->header;

	printf("image %s: version %u, id %016llx, %llu blocks (%llu MiB)\n", image->path,
	       h->version, (ull)h->id, (ull)h->blocks, (ull)h->blocks / 256);
	print_part("manifest", h->manifest, h->manifest_blocks);
	print_part("kernel", h->kernel, h->kernel_blocks);
	printf("  %-14s %llu bytes of memory\n", "", (ull)h->kernel_bytes);
	print_part("init", h->init, h->init_blocks);
	print_part("extent table A", h->table[0], h->table_blocks);
	print_part("extent table B", h->table[1], h->table_blocks);
	print_part("pool", h->pool, h->pool_end - h->pool);
}

static void check_crc(const struct layout *image, const char *what, uint64_t start, uint64_t blocks,
		      uint64_t expected)
{
	uint8_t block[EXO_BLOCK_SIZE];
	uint32_t crc = 0;

	for (uint64_t i = 0; i < blocks; i++) {
		if (!file_read_at(image->fd, block, sizeof(block), (start + i) * EXO_BLOCK_SIZE)) {
			report_problem("%s: block %llu cannot be read", what, (ull)(start + i));
			return;
		}
		crc = exo_crc32c(crc, block, sizeof(block));
	}
	if (crc != expected)
		report_problem("%s: checksum is %#x, expected %#llx", what, crc, (ull)expected);
}

static void check_init(const struct layout *image)
{
	const struct exo_image *h = &image->header;
	struct exo_init init;
	uint64_t pages = 1;

	if (!file_read_at(image->fd, &init, sizeof(init), h->init * EXO_BLOCK_SIZE))
		report_problem("init: cannot be read");
	else if (init.magic != EXO_INIT_MAGIC)
		report_problem("init: no magic number");
	else if (init.segments > EXO_INIT_SEGMENTS)
		report_problem("init: %u segments, at most %d", init.segments, EXO_INIT_SEGMENTS);
	else {
		for (uint32_t i = 0; i < init.segments; i++)
			pages += init.seg[i].pages;
		if (pages != h->init_blocks)
			report_problem("init: its segments need %llu blocks, the header says %llu",
				       (ull)pages, (ull)h->init_blocks);
	}
}

/* ---- manifest ------------------------------------------------------------------------------ */

static void print_quota(const struct exo_manifest_program *program)
{
	for (unsigned kind = 0; kind <= EXO_QUOTA_GROUPS; kind++) {
		uint32_t n = program->quota.n[kind];

		printf(" %s=%u%s", manifest_quota_name(kind), n & ~EXO_MANIFEST_PERCENT,
		       n & EXO_MANIFEST_PERCENT ? "%" : "");
	}
}

static void print_flags(uint32_t flags)
{
	const char *name;
	uint32_t flag;

	for (unsigned i = 0; (name = manifest_flag_name(i, &flag)); i++)
		if (flags & flag)
			printf(" %s", name);
}

/* The arguments, in the form that the manifest's text has them. */
static void print_args(const struct exo_manifest_program *program)
{
	const char *at = program->args, *end = at + sizeof(program->args);

	if (!*at)
		return;
	printf(" args \"");
	for (const char *start = at; at < end && *at; at += strnlen(at, (size_t)(end - at)) + 1)
		printf("%s%s", at == start ? "" : " ", plain(at, (size_t)(end - at)).at);
	printf("\"");
}

static void print_program(const struct layout *image, const struct exo_manifest_program *program)
{
	printf("program %s name=%s principal=%016llx", plain(program->path, 64).at,
	       plain(program->name, 16).at, (ull)program->principal);
	print_quota(program);
	if (program->slot_every)
		printf(" slot=%u:%u", program->slot_every, program->slot_first);
	print_args(program);
	print_flags(program->flags);
	for (uint32_t i = 0; i < program->extents && i < EXO_MANIFEST_CAPS; i++) {
		struct text name = plain(program->extent[i], sizeof(program->extent[i]));
		char rights[5];

		manifest_rights_text(program->extent_rights[i], rights);
		printf(" extent=%s:%s", name.at, rights);
		if (!layout_find(image, name.at))
			report_problem("program %s: there is no extent %s",
				       plain(program->name, 16).at, name.at);
	}
	if (program->env)
		printf(" env=%u:%02x", program->env, program->env_rights);
	printf("\n");
}

static void print_manifest(const struct layout *image)
{
	const struct exo_manifest *m = &image->manifest;
	struct text main = plain(m->main_extent, sizeof(m->main_extent));

	printf("manifest: main=%s verbose=%s boot-args=%zu bytes\n", main.at,
	       m->verbose ? "yes" : "no", strlen(m->boot_args));
	if (m->boot_args[0])
		printf("  boot-args: %s\n", plain(m->boot_args, sizeof(m->boot_args)).at);
	for (uint32_t i = 0; i < m->programs; i++)
		print_program(image, &m->program[i]);
	if (m->programs && !layout_find(image, main.at))
		report_problem("manifest: the main extent '%s' does not exist", main.at);
}

/* ---- extents ------------------------------------------------------------------------------- */

static void print_tables(const struct layout *image)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct layout_table *copy = &image->copy[i];

		printf("table copy=%c state=%s", 'A' + (int)i, copy->valid ? "valid" : "torn");
		if (copy->valid)
			printf(" seq=%llu%s", (ull)copy->head.seq,
			       copy == image->table ? " current" : "");
		else
			printf(" (%s)", copy->why);
		printf("\n");
	}
}

static void print_extent(uint32_t index, const struct exo_extent *e)
{
	char rights[5];

	manifest_rights_text(e->other_rights, rights);
	printf("extent index=%u name=%s state=%s start=%llu len=%llu init=%llu owner=%016llx "
	       "other=%016llx:%s gen=%u drive=%u next=%u\n",
	       index, plain(e->name, sizeof(e->name)).at, state_name(e->state), (ull)e->start,
	       (ull)e->len, (ull)e->init, (ull)e->owner, (ull)e->other, rights, e->gen, e->drive,
	       e->next);
}

static bool in_use(const struct exo_extent *e)
{
	return e->state != EXO_EXTENT_FREE;
}

/* What one record must be, whatever the others are; the kernel refuses a table without it. */
static void check_record(const struct layout *image, uint32_t index)
{
	const struct exo_extent *e = &image->table->record[index];
	const struct exo_image *h = &image->header;
	bool live = e->state == EXO_EXTENT_LIVE;
	uint64_t low = live ? h->pool : 0, high = live ? h->pool_end : h->blocks;

	if (!live && e->state != EXO_EXTENT_SYSTEM)
		report_problem("extent %u: state %u (%s) may not stand on a disk", index, e->state,
			       state_name(e->state));
	if (e->len == 0)
		report_problem("extent %u: empty", index);
	if (e->start < low || e->start > high || e->len > high - e->start)
		report_problem("extent %u: blocks %llu+%llu are outside %s %llu..%llu", index,
			       (ull)e->start, (ull)e->len, live ? "the pool" : "the drive",
			       (ull)low, (ull)high);
	if (e->init > e->len)
		report_problem("extent %u: %llu blocks readable of %llu", index, (ull)e->init,
			       (ull)e->len);
	if (e->other_rights & ~(EXO_RIGHT_READ | EXO_RIGHT_WRITE))
		report_problem("extent %u: rights %#x for its second principal", index,
			       e->other_rights);
	if (e->next >= image->table->records)
		report_problem("extent %u: the next one, %u, does not exist", index, e->next);
	if (e->drive != 0 || e->payer != 0 || e->reserved0 != 0 ||
	    !bytes_are_zero(e->reserved1, sizeof(e->reserved1)))
		report_problem("extent %u: drive, payer or reserved bytes are not 0", index);
	if (e->gen == 0)
		report_problem("extent %u: generation 0", index);
}

/* The list from record 0 goes through every extent in use, once, upwards and without overlaps. */
static void check_list(const struct layout *image)
{
	const struct exo_extent *record = image->table->record;
	uint32_t records = image->table->records, used = 0, seen = 1, at = 0;

	for (uint32_t i = 0; i < records; i++)
		used += i == 0 || in_use(&record[i]);
	while (record[at].next && record[at].next < records) {
		const struct exo_extent *e = &record[at];
		uint32_t next = e->next;

		if (!in_use(&record[next])) {
			report_problem("extent %u: the next one, %u, is free", at, next);
			return;
		}
		if (record[next].start < e->start || record[next].start - e->start < e->len) {
			report_problem("extents %u and %u: overlap, or stand in the wrong order",
				       at, next);
			return;
		}
		if (seen++ > used) {
			report_problem("extent list: goes in a circle");
			return;
		}
		at = next;
	}
	if (seen != used)
		report_problem("extent list: reaches %u records of %u in use", seen, used);
}

static int by_start(const void *left, const void *right)
{
	const struct exo_extent *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Records in use inside the pool, sorted: overlaps between any two, and the free runs between. */
static void check_space(const struct layout *image)
{
	static struct exo_extent sorted[EXO_NEXTENT];
	uint64_t at = image->header.pool;
	uint32_t n = 0;

	for (uint32_t i = 1; i < image->table->records; i++)
		if (in_use(&image->table->record[i]))
			sorted[n++] = image->table->record[i];
	qsort(sorted, n, sizeof(sorted[0]), by_start);
	for (uint32_t i = 0; i < n; i++) {
		struct text name = plain(sorted[i].name, sizeof(sorted[i].name));
		uint64_t end = sorted[i].start + sorted[i].len;

		if (end < sorted[i].start)
			continue;
		if (i > 0 && sorted[i].start < at)
			report_problem("extent %s: overlaps the one before it", name.at);
		if (sorted[i].start > at)
			printf("free start=%llu len=%llu\n", (ull)at, (ull)(sorted[i].start - at));
		at = end > at ? end : at;
	}
	if (at < image->header.pool_end)
		printf("free start=%llu len=%llu\n", (ull)at, (ull)(image->header.pool_end - at));
}

static void check_sentinel(const struct layout *image)
{
	const struct exo_extent *e = &image->table->record[0];

	if (e->state != EXO_EXTENT_SYSTEM || e->start != 0 || e->len > image->header.pool)
		report_problem("extent 0: not the sentinel (state %s, blocks %llu+%llu)",
			       state_name(e->state), (ull)e->start, (ull)e->len);
}

static void print_extents(const struct layout *image)
{
	print_tables(image);
	if (!image->table)
		return;
	check_sentinel(image);
	for (uint32_t i = 0; i < image->table->records; i++) {
		if (!in_use(&image->table->record[i]))
			continue;
		print_extent(i, &image->table->record[i]);
		check_record(image, i);
	}
	check_list(image);
	check_space(image);
}

/* ---- file systems -------------------------------------------------------------------------- */

static void check_file_systems(const struct layout *image)
{
	const struct exo_image *h = &image->header;
	struct text main = plain(image->manifest.main_extent, sizeof(image->manifest.main_extent));
	const struct exo_extent *main_extent = layout_find(image, main.at);

	for (uint32_t i = 1; image->table && i < image->table->records; i++) {
		const struct exo_extent *e = &image->table->record[i];
		struct text name = plain(e->name, sizeof(e->name));

		if (e->state != EXO_EXTENT_LIVE || e->start < h->pool || e->start >= h->pool_end)
			continue;
		if (ext2_is_at(image->fd, e->start * EXO_BLOCK_SIZE))
			ext2_check(image->fd, e->start * EXO_BLOCK_SIZE, name.at);
		else if (e == main_extent && image->manifest_good)
			report_problem("extent %s: no ext2 file system in the main extent",
				       name.at);
	}
}

void inspect_image(const struct inspect_args *args)
{
	const struct layout *image = layout_open(args->image, false);

	if (args->extents_only) {
		if (image->header_good)
			print_extents(image);
		return;
	}
	check_boot_sector(image);
	if (!image->header_good)
		return;
	print_header(image);
	check_crc(image, "kernel", image->header.kernel, image->header.kernel_blocks,
		  image->header.kernel_crc);
	check_crc(image, "init", image->header.init, image->header.init_blocks,
		  image->header.init_crc);
	check_init(image);
	if (image->manifest_good)
		print_manifest(image);
	print_extents(image);
	if (!args->no_fsck)
		check_file_systems(image);
}
