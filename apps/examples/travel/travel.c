/*
 * travel - reads single blocks all over its extent, FLIGHT at a time, and says how far the disk's
 *arm had to go for it. The program does not know in which order they are served: that is the
 *variant of the seam `order` that it is linked with.
 *
 *	make example NAME=travel                        as submitted
 *	make example NAME=travel SEAMS='order=cscan'    by the elevator
 */
#include <libos/bare.h>

int main(void);

enum { READS = 512, FLIGHT = 32 };

static struct flight {
	struct disk_req req;
	void *page;
} flights[FLIGHT];

static uint64_t somewhere(uint64_t blocks)
{
	static uint64_t dice = 88172645463325252ull;

	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % blocks;
}

/* A batch is submitted as a whole, then waited for as a whole. */
static int batch(struct disk *d, char *pages)
{
	int err = 0;

	for (uint32_t i = 0; i < FLIGHT && !err; i++) {
		struct flight *f = &flights[i];

		f->page = pages + (size_t)i * DISK_BLOCK;
		f->req = (struct disk_req){.op = DISK_READ,
					   .nblocks = 1,
					   .block = somewhere(disk_size(d)),
					   .pages = &f->page};
		err = disk_submit(d, &f->req);
	}
	for (uint32_t i = 0; i < FLIGHT && !err; i++)
		err = disk_wait(d, &flights[i].req);
	return err;
}

int main(void)
{
	char *pages = bare_pages(FLIGHT);
	struct disk_stats stats;
	struct disk *d;
	int err = bare_open("blocks", &d);

	for (int i = 0; i < READS / FLIGHT && !err && pages; i++)
		err = batch(d, pages);
	disk_get_stats(&stats);
	bare_print("travel: %u reads of one block in %u, %u at a time: the arm went %u blocks and "
		   "back %u times\n",
		   stats.commands, disk_size(d), (uint64_t)FLIGHT, stats.travel, stats.back);
	return err != 0 || !pages || stats.commands != READS;
}
