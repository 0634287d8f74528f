/*
 * diskhog - keeps the disk as busy as one program can, for twodisks beside it.
 *
 * Waits until an environment called "beside" is there, then writes its extent over and over, DEPTH
 * commands of a MiB in flight, until that one has ended.
 */
#include <libos/bare.h>
#include <libos/tables.h>

int main(void);

enum { DEPTH = 8, MS = 1000000 };

struct flight {
	struct disk_req req;
	void *pages[DISK_MAX_BLOCKS];
};

static struct flight flights[DEPTH];

static int prepare(struct flight *f)
{
	uint8_t *const buffer = bare_pages(DISK_MAX_BLOCKS);

	if (!buffer)
		return 0;
	for (uint32_t b = 0; b < DISK_MAX_BLOCKS; b++)
		f->pages[b] = buffer + (uint64_t)b * DISK_BLOCK;
	f->req.op = DISK_WRITE;
	f->req.nblocks = DISK_MAX_BLOCKS;
	f->req.pages = f->pages;
	return 1;
}

/* Command after command, in the order of the blocks; ends with everything it began. */
static int flood(struct disk *d)
{
	uint64_t started = 0, ended = 0;
	int err = 0;

	while (!err && (tables_find("beside") != 0 || ended < started)) {
		struct flight *f = &flights[started % DEPTH];

		if (tables_find("beside") != 0 && started - ended < DEPTH) {
			err = disk_submit(d, &f->req);
			f->req.block = (f->req.block + DISK_MAX_BLOCKS) % disk_size(d);
			started += err == 0;
		} else {
			err = disk_wait(d, &flights[ended++ % DEPTH].req);
		}
	}
	return err;
}

int main(void)
{
	struct disk *d;
	int err = bare_open("hog", &d);

	for (uint32_t i = 0; i < DEPTH && !err; i++)
		err = prepare(&flights[i]) ? 0 : -1;
	while (!err && tables_find("beside") == 0)
		(void)time_sleep_until(time_now() + MS, 0);
	if (!err)
		err = flood(d);
	if (err)
		bare_print("diskhog: error %d\n", (int64_t)-err);
	return err != 0;
}
