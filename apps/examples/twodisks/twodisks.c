/*
 * twodisks - what a small reader loses to a program that floods the disk: a bounded delay.
 *
 * Reads blocks of its extent one at a time, first alone, then beside diskhog (which begins when
 * this program calls itself "beside"); then keeps the disk busy itself and compares the drive time
 * that both got.  The kernel serves whoever has used less time for its share, so a single read
 * waits for the one command that is on the drive, and two busy programs with equal shares
 * get half of the time each, however large the commands of the other are.
 *
 * Exits with 0 when reads waited for no more than that, and both halves were halves.
 */
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/start.h>
#include <libos/tables.h>

int main(void);

enum {
	READS = 200,
	DEPTH = 4,
	BUSY_BLOCKS = 16,
	BUSY_READS = 2000,
	USUAL_COMMANDS = 3, /* the one on the drive, its own, and one while it waits for the CPU */
	MS = 1000000,
};

struct flight {
	struct disk_req req;
	void *pages[DISK_MAX_BLOCKS];
};

struct record {
	uint64_t ns, worst_ns, commands, worst_commands;
};

static struct flight flights[DEPTH];
static uint8_t *pages;

static int fill_extent(struct disk *d)
{
	int err = 0;

	for (uint64_t b = 0; b < disk_size(d) && !err; b += DISK_MAX_BLOCKS)
		err = bare_transfer(d, DISK_WRITE, b, DISK_MAX_BLOCKS, pages);
	return err;
}

/* What all drives have done so far. */
static uint64_t commands(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < EXO_NDRIVE; i++)
		n += tables_drive(i)->commands;
	return n;
}

/* READS blocks, far from each other, one after the other. */
static int read_slowly(struct disk *d, struct record *r)
{
	int err = 0;

	*r = (struct record){.ns = 0};
	for (uint64_t i = 0; i < READS && !err; i++) {
		const uint64_t before = commands(), start = time_now();
		uint64_t took, others;

		err = bare_transfer(d, DISK_READ, i * 389 % disk_size(d), 1, pages);
		took = time_now() - start;
		others = commands() - before;
		r->ns += took;
		r->commands += others;
		r->worst_ns = took > r->worst_ns ? took : r->worst_ns;
		r->worst_commands = others > r->worst_commands ? others : r->worst_commands;
	}
	return err;
}

static void print(const char *what, const struct record *r)
{
	bare_print("twodisks: %s: a read takes %u us, the worst %u us; %u commands end meanwhile "
		   "in %u "
		   "reads, at most %u in one\n",
		   what, r->ns / READS / 1000, r->worst_ns / 1000, r->commands, (uint64_t)READS,
		   r->worst_commands);
}

/* Commands enough that it always has one waiting. */
static int read_busily(struct disk *d)
{
	uint64_t started = 0, ended = 0;
	int err = 0;

	while (!err && ended < BUSY_READS) {
		struct flight *f = &flights[started % DEPTH];

		if (started < BUSY_READS && started - ended < DEPTH) {
			f->req.op = DISK_READ;
			f->req.block = started * BUSY_BLOCKS % disk_size(d);
			f->req.nblocks = BUSY_BLOCKS;
			f->req.pages = f->pages;
			for (uint32_t b = 0; b < BUSY_BLOCKS; b++)
				f->pages[b] = pages + (uint64_t)b * DISK_BLOCK;
			err = disk_submit(d, &f->req);
			started += err == 0;
		} else {
			err = disk_wait(d, &flights[ended++ % DEPTH].req);
		}
	}
	return err;
}

static uint64_t drive_time(uint64_t eid)
{
	return tables_env(EXO_EID_INDEX((struct eid){eid}))->disk_time;
}

/* Of the drive time that it and the hog get together while both are busy: its part in percent. */
static int busy_part(struct disk *d, uint64_t *percent)
{
	const uint64_t hog = tables_find("diskhog"), me = start_self();
	const uint64_t mine = drive_time(me), its = drive_time(hog);
	const int err = read_busily(d);
	const uint64_t more = drive_time(me) - mine, others = drive_time(hog) - its;

	*percent = more + others != 0 ? more * 100 / (more + others) : 0;
	return err;
}

static void call_itself_beside(void)
{
	uint64_t name = 0;

	for (uint32_t i = 6; i-- > 0;)
		name = name << 8 | (uint8_t) "beside"[i];
	(void)call_env_set(0, EXO_SET_NAME_LO, name);
	(void)time_sleep_until(time_now() + 100ull * MS, 0);
}

static int run(struct disk *d)
{
	struct record alone = {0}, beside = {0};
	uint64_t part = 0;
	int err = fill_extent(d);

	if (!err)
		err = read_slowly(d, &alone);
	if (!err)
		call_itself_beside();
	if (!err)
		err = read_slowly(d, &beside);
	if (!err)
		err = busy_part(d, &part);
	if (err) {
		bare_print("twodisks: error %d\n", (int64_t)-err);
		return 2;
	}
	print("alone", &alone);
	print("beside a program that floods the disk", &beside);
	bare_print("twodisks: both busy: %u%% of the drive time, its share is 50%%\n", part);
	return beside.commands > READS * USUAL_COMMANDS || part < 40 || part > 60;
}

int main(void)
{
	struct disk *d;

	pages = bare_pages(DISK_MAX_BLOCKS);
	if (!pages || bare_open("small", &d) != 0) {
		bare_print("twodisks: it needs an extent `small`: see the manifest beside it\n");
		return 2;
	}
	return run(d);
}
