/*
 * layout.c - see layout.h.  Nothing in an image is trusted before it was checked: numbers from it
 * become lengths or places only after they were compared with the file's size and their bounds.
 */
#include "layout.h"
#include "bytes.h"
#include "manifest.h"
#include "memory.h"
#include "report.h"

#include <errno.h>
#include <exo/crc32c.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

uint32_t layout_header_crc(struct exo_image header)
{
	header.crc = 0;
	return exo_crc32c(0, (const uint8_t *)&header, sizeof(header));
}

uint32_t layout_table_crc(struct exo_extents_head head)
{
	head.crc = 0;
	return exo_crc32c(0, (const uint8_t *)&head, sizeof(head));
}

/* Reports unless [start, start+len) lies in [low, high), all in blocks. */
static bool blocks_inside(const char *what, uint64_t start, uint64_t len, uint64_t low,
			  uint64_t high)
{
	if (start >= low && start <= high && len <= high - start)
		return true;
	report_problem("%s: blocks %llu+%llu are not inside %llu..%llu", what,
		       (unsigned long long)start, (unsigned long long)len, (unsigned long long)low,
		       (unsigned long long)high);
	return false;
}

/* The parts follow one another, none overlapping, all on the drive. */
static bool check_parts(const struct exo_image *h)
{
	const struct {
		const char *what;
		uint64_t start, len;
	} part[] = {
		{"manifest", h->manifest, h->manifest_blocks},
		{"kernel", h->kernel, h->kernel_blocks},
		{"init", h->init, h->init_blocks},
		{"extent table A", h->table[0], h->table_blocks},
		{"extent table B", h->table[1], h->table_blocks},
		{"pool", h->pool, h->pool_end > h->pool ? h->pool_end - h->pool : 0},
	};
	uint64_t low = EXO_IMAGE_BLOCK + 1;

	for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (!blocks_inside(part[i].what, part[i].start, part[i].len, low, h->blocks))
			return false;
		if (part[i].len == 0) {
			report_problem("%s: empty", part[i].what);
			return false;
		}
		low = part[i].start + part[i].len;
	}
	return true;
}

static bool check_sizes(const struct exo_image *h, uint64_t file_bytes)
{
	if (h->blocks > file_bytes / EXO_BLOCK_SIZE) {
		report_problem("truncated: the header says %llu blocks, the file has %llu bytes",
			       (unsigned long long)h->blocks, (unsigned long long)file_bytes);
		return false;
	}
	if (h->manifest_blocks * EXO_BLOCK_SIZE < sizeof(struct exo_manifest))
		report_problem("manifest: %llu blocks are too few",
			       (unsigned long long)h->manifest_blocks);
	else if (h->table_blocks < 2 || h->table_blocks > LAYOUT_TABLE_BLOCKS)
		report_problem("extent table: %llu blocks, expected 2 to %d",
			       (unsigned long long)h->table_blocks, LAYOUT_TABLE_BLOCKS);
	else if (h->kernel_bytes < (h->kernel_blocks - 1) * EXO_BLOCK_SIZE)
		report_problem("kernel: %llu bytes of memory are fewer than its %llu blocks",
			       (unsigned long long)h->kernel_bytes,
			       (unsigned long long)h->kernel_blocks);
	else
		return true;
	return false;
}

static void read_header(struct layout *image)
{
	struct exo_image *h = &image->header;

	if (!file_read_at(image->fd, h, sizeof(*h), (uint64_t)EXO_IMAGE_BLOCK * EXO_BLOCK_SIZE))
		report_problem("truncated: %llu bytes, before the end of the header",
			       (unsigned long long)image->file_bytes);
	else if (h->magic != EXO_IMAGE_MAGIC)
		report_problem("header: no magic number at block %d: not a Freehold image",
			       EXO_IMAGE_BLOCK);
	else if (h->version != EXO_IMAGE_VERSION)
		report_problem("header: version %u, expected %u", h->version, EXO_IMAGE_VERSION);
	else if (h->crc != layout_header_crc(*h))
		report_problem("header: checksum is %#x, expected %#x", h->crc,
			       layout_header_crc(*h));
	else
		image->header_good = check_parts(h) && check_sizes(h, image->file_bytes);
}

static void read_manifest(struct layout *image)
{
	struct exo_manifest *m = &image->manifest;

	if (!file_read_at(image->fd, m, sizeof(*m), image->header.manifest * EXO_BLOCK_SIZE))
		report_problem("manifest: cannot be read");
	else if (m->magic != EXO_MANIFEST_MAGIC)
		report_problem("manifest: no magic number");
	else if (m->version != EXO_IMAGE_VERSION)
		report_problem("manifest: version %u, expected %u", m->version, EXO_IMAGE_VERSION);
	else if (m->crc != manifest_crc(m))
		report_problem("manifest: checksum is %#x, expected %#x", m->crc, manifest_crc(m));
	else if (m->programs > EXO_MANIFEST_PROGRAMS)
		report_problem("manifest: %u programs, at most %d", m->programs,
			       EXO_MANIFEST_PROGRAMS);
	else
		image->manifest_good = true;
	if (!memchr(m->boot_args, 0, sizeof(m->boot_args)))
		report_problem("manifest: boot arguments have no end");
	m->boot_args[sizeof(m->boot_args) - 1] = 0;
}

/* Why the copy's header cannot be right, or NULL. */
static const char *head_wrong(const struct exo_extents_head *head, const struct exo_image *h)
{
	if (head->magic != EXO_EXTENTS_MAGIC)
		return "no magic number";
	if (head->version != EXO_IMAGE_VERSION)
		return "another version";
	if (head->crc != layout_table_crc(*head))
		return "header checksum";
	if (head->id != h->id)
		return "another image's id";
	if (head->blocks != h->table_blocks - 1)
		return "number of blocks";
	return NULL;
}

static const char *read_records(const struct layout *image, uint64_t start,
				struct layout_table *copy)
{
	uint64_t bytes = (uint64_t)copy->head.blocks * EXO_BLOCK_SIZE;
	const uint8_t *at = (const uint8_t *)copy->record;

	if (!file_read_at(image->fd, copy->record, bytes, (start + 1) * EXO_BLOCK_SIZE))
		return "records cannot be read";
	for (uint32_t i = 0; i < copy->head.blocks; i++, at += EXO_BLOCK_SIZE)
		if (exo_crc32c(0, at, EXO_BLOCK_SIZE) != copy->head.block_crc[i])
			return "checksum of its records";
	copy->records = copy->head.blocks * EXO_EXTENTS_PER_BLOCK;
	return NULL;
}

static void read_table(struct layout *image, unsigned which)
{
	struct layout_table *copy = &image->copy[which];
	uint64_t start = image->header.table[which];

	if (!file_read_at(image->fd, &copy->head, sizeof(copy->head), start * EXO_BLOCK_SIZE))
		copy->why = "cannot be read";
	else
		copy->why = head_wrong(&copy->head, &image->header);
	if (!copy->why)
		copy->why = read_records(image, start, copy);
	copy->valid = !copy->why;
}

/* One torn copy is what a crash may leave; both are damage, and so are two of one number. */
static void choose_table(struct layout *image)
{
	const struct layout_table *a = &image->copy[0], *b = &image->copy[1];

	if (!a->valid && !b->valid)
		report_problem("extent table: no valid copy (A: %s; B: %s)", a->why, b->why);
	else if (a->valid && b->valid && a->head.seq == b->head.seq)
		report_problem("extent table: both copies have number %llu",
			       (unsigned long long)a->head.seq);
	if (a->valid && (!b->valid || a->head.seq >= b->head.seq))
		image->table = a;
	else if (b->valid)
		image->table = b;
}

struct layout *layout_open(const char *path, bool for_writing)
{
	struct layout *image = memory_take(sizeof(*image));
	struct stat st;

	image->path = path;
	image->fd = open(path, for_writing ? O_RDWR : O_RDONLY);
	if (image->fd < 0 || fstat(image->fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s: not a regular file", path);
	image->file_bytes = (uint64_t)st.st_size;
	read_header(image);
	if (image->header_good) {
		read_manifest(image);
		read_table(image, 0);
		read_table(image, 1);
		choose_table(image);
	}
	return image;
}

const struct exo_extent *layout_find(const struct layout *image, const char *name)
{
	uint64_t number = 0;
	bool numbered = manifest_number(name, &number);
	bool named = strlen(name) <= sizeof(((struct exo_extent *)0)->name);

	for (uint32_t i = 1; image->table && i < image->table->records; i++) {
		const struct exo_extent *e = &image->table->record[i];

		if (e->state != EXO_EXTENT_LIVE)
			continue;
		if ((named && strncmp(e->name, name, sizeof(e->name)) == 0) ||
		    (numbered && number == i))
			return e;
	}
	return NULL;
}
