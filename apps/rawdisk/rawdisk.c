/*
 * rawdisk - a disk extent without any file system, on the bare libOS.
 *
 *   rawdisk EXTENT write SEED    fills the extent: each block is stamped with its number and SEED
 *   rawdisk EXTENT verify SEED   reads it back and compares every byte
 *   rawdisk EXTENT info          says how large it is
 *   rawdisk EXTENT bench         times reading all of it, in transfers of 1 MiB
 *
 * Prints one line with the result and exits with 0, or 1 when something was wrong.  One process,
 * DEPTH transfers in flight.
 */
#include <errno.h>
#include <libos/bare.h>
#include <string.h>

enum { DEPTH = 4, WORDS = DISK_BLOCK / 8, REPORT = 8 };

struct flight {
	struct disk_req req;
	void *pages[DISK_MAX_BLOCKS];
	uint64_t *buffer;
};

static struct flight flights[DEPTH];
static struct disk *disk;
static const char *name;
static uint64_t seed, wrong;

static int fail(const char *what, int64_t error)
{
	if (error == -ENODATA)
		bare_print("rawdisk: %s: %s: some blocks were never written\n", name, what);
	else
		bare_print("rawdisk: %s: %s: error %d\n", name, what, -error);
	return 1;
}

/* What word i of a block is to be: every word differs from its neighbours and from other blocks'.
 */
static uint64_t stamp(uint64_t block, uint64_t i)
{
	return (block * WORDS + i) * 0x9e3779b97f4a7c15ull ^ seed;
}

static void fill(const struct flight *f)
{
	for (uint64_t b = 0; b < f->req.nblocks; b++)
		for (uint64_t i = 0; i < WORDS; i++)
			f->buffer[b * WORDS + i] = stamp(f->req.block + b, i);
}

static void compare(const struct flight *f)
{
	for (uint64_t b = 0; b < f->req.nblocks; b++) {
		uint64_t i = 0;

		while (i < WORDS && f->buffer[b * WORDS + i] == stamp(f->req.block + b, i))
			i++;
		if (i == WORDS)
			continue;
		if (wrong++ < REPORT)
			bare_print("rawdisk: %s: block %u word %u is %x, not %x\n", name,
				   f->req.block + b, i, f->buffer[b * WORDS + i],
				   stamp(f->req.block + b, i));
	}
}

static int buffers_ready(void)
{
	for (uint32_t i = 0; i < DEPTH; i++) {
		struct flight *f = &flights[i];

		f->buffer = bare_pages(DISK_MAX_BLOCKS);
		if (!f->buffer)
			return 0;
		for (uint32_t b = 0; b < DISK_MAX_BLOCKS; b++)
			f->pages[b] = f->buffer + b * WORDS;
		f->req.pages = f->pages;
	}
	return 1;
}

/* Goes through the whole extent; `done`, if any, looks at each transfer that was read. */
static int pass(enum disk_op op, void (*before)(const struct flight *),
		void (*after)(const struct flight *))
{
	const uint64_t size = disk_size(disk);
	uint64_t next = 0, started = 0, ended = 0;
	int err = 0;

	while (!err && (next < size || ended < started)) {
		struct flight *f = &flights[started % DEPTH];

		if (next < size && started - ended < DEPTH) {
			f->req.op = op;
			f->req.block = next;
			f->req.nblocks = size - next < DISK_MAX_BLOCKS ? (uint32_t)(size - next)
								       : DISK_MAX_BLOCKS;
			if (before)
				before(f);
			err = disk_submit(disk, &f->req);
			next += f->req.nblocks;
			started += err == 0;
			continue;
		}
		f = &flights[ended++ % DEPTH];
		err = disk_wait(disk, &f->req);
		if (!err && after)
			after(f);
	}
	return err;
}

static int write_all(void)
{
	int err = pass(DISK_WRITE, fill, 0);

	if (!err)
		err = bare_transfer(disk, DISK_FLUSH, 0, 0, 0);
	if (err)
		return fail("write", err);
	bare_print("rawdisk: %s: wrote %u blocks, seed %u\n", name, disk_size(disk), seed);
	return 0;
}

static int verify_all(void)
{
	const int err = pass(DISK_READ, 0, compare);

	if (err)
		return fail("verify", err);
	if (wrong) {
		bare_print("rawdisk: %s: %u of %u blocks are wrong\n", name, wrong,
			   disk_size(disk));
		return 1;
	}
	bare_print("rawdisk: %s: %u blocks are right, seed %u\n", name, disk_size(disk), seed);
	return 0;
}

static int bench(void)
{
	const uint64_t start = time_now();
	const int err = pass(DISK_READ, 0, 0);
	const uint64_t us = (time_now() - start) / 1000 + 1;

	if (err)
		return fail("bench", err);
	bare_print("rawdisk: %s: read %u blocks in %u us, %u KiB/s\n", name, disk_size(disk), us,
		   disk_size(disk) * 4 * 1000000 / us);
	return 0;
}

static int usage(void)
{
	bare_print("rawdisk: usage: rawdisk EXTENT write SEED | verify SEED | info | bench\n");
	return 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	const int seeded = !strcmp(what, "write") || !strcmp(what, "verify");
	int err;

	if (argc != 3 + seeded || (seeded && bare_number(argv[3], &seed)))
		return usage();
	name = argv[1];
	err = bare_open(name, &disk);
	if (err)
		return fail("open", err);
	if (!buffers_ready())
		return fail("buffers", -ENOMEM);
	if (!strcmp(what, "write"))
		return write_all();
	if (!strcmp(what, "verify"))
		return verify_all();
	if (!strcmp(what, "bench"))
		return bench();
	if (strcmp(what, "info") != 0)
		return usage();
	bare_print("rawdisk: %s: %u blocks, %u KiB\n", name, disk_size(disk), disk_size(disk) * 4);
	return 0;
}
