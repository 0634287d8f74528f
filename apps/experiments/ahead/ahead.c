/*
 * ahead - reads every STRIDE-th of BLOCKS blocks and computes with each: when does it wait?
 *
 *   ahead file BLOCKS STRIDE WINDOW WORK SEED   a file, by read(); the cache reads WINDOW blocks
 *                                               ahead at most, when it sees a sequence
 *   ahead told BLOCKS STRIDE WINDOW WORK SEED   the same, having told it to expect one
 *   ahead own BLOCKS STRIDE WINDOW WORK SEED    the same blocks in extent `spare`, by its own
 *                                               requests: while it computes with what one of them
 *                                               brought, the next ones are under way
 *
 * Of each block all words are summed up WORK times; the sum must be that of what was written.  own
 * knows the stride, so it knows what to read next, and whether to read the gaps along: up to
 * GAP blocks that costs less than another command.
 */
#include "../experiment_posix.h"
#include <fcntl.h>
#include <unistd.h>
#include <libos/cachectl.h>

enum { WORDS = EXPERIMENT_BLOCK / 8, BATCH = 64, GAP = 3, DEPTH = 3, MOST_WORK = 1000 };

static const char path[] = "/ahead.data";

static struct {
	uint64_t blocks, stride, window, work, seed;
} job;

/* ---- the work, the same for all ----------------------------------------------------------- */

static uint64_t word_of(uint64_t block, uint64_t w)
{
	return experiment_word(job.seed, block * WORDS + w);
}

static uint64_t compute(const uint64_t *block)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < job.work; i++)
		for (uint64_t w = 0; w < WORDS; w++)
			sum += block[w] * (i + 1);
	return sum;
}

static uint64_t true_sum(void)
{
	uint64_t block[WORDS], sum = 0;

	for (uint64_t b = 0; b < job.blocks; b += job.stride) {
		for (uint64_t w = 0; w < WORDS; w++)
			block[w] = word_of(b, w);
		sum += compute(block);
	}
	return sum;
}

/* Blocks first .. first+n-1, as they are to be. */
static void fill(uint64_t *to, uint64_t first, uint64_t n)
{
	for (uint64_t i = 0; i < n * WORDS; i++)
		to[i] = word_of(first + i / WORDS, i % WORDS);
}

static void *pages(uint64_t n)
{
	void *const memory = aligned_alloc(EXPERIMENT_BLOCK, n * EXPERIMENT_BLOCK);

	need(memory ? 0 : -ENOMEM, "memory");
	return memory;
}

/* Has each batch of blocks written by put(). */
static void write_all(int (*put)(const void *batch, uint64_t first, uint64_t n))
{
	uint64_t *const batch = pages(BATCH);

	for (uint64_t b = 0; b < job.blocks; b += BATCH) {
		const uint64_t n = job.blocks - b < BATCH ? job.blocks - b : BATCH;

		fill(batch, b, n);
		need(put(batch, b, n), "writing the blocks");
	}
	free(batch);
}

/* ---- a file ------------------------------------------------------------------------------- */

static int file;

static int put_file(const void *batch, uint64_t first, uint64_t n)
{
	const size_t bytes = n * EXPERIMENT_BLOCK;
	const ssize_t put = pwrite(file, batch, bytes, (off_t)(first * EXPERIMENT_BLOCK));

	return put == (ssize_t)bytes ? 0 : put < 0 ? -errno : -ENOSPC;
}

/* Written, out of the cache, and the window set. */
static void file_make(void)
{
	struct buf_tuning tuning;
	struct buf_stats stats;
	const char *policy;

	file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	need(file, path);
	write_all(put_file);
	need(cachectl_look(path, &stats, &tuning, &policy), "the cache");
	tuning.ahead_most = (uint32_t)job.window;
	need(cachectl_tune(path, &tuning), "the window");
	need(cachectl_drop(path), "the cache");
}

static uint64_t file_run(void)
{
	uint64_t *const block = pages(1), sum = 0;

	for (uint64_t b = 0; b < job.blocks; b += job.stride) {
		const ssize_t got =
			pread(file, block, EXPERIMENT_BLOCK, (off_t)(b * EXPERIMENT_BLOCK));

		need(got == EXPERIMENT_BLOCK ? 0 : -EIO, path);
		sum += compute(block);
	}
	return sum;
}

static uint64_t told_run(void)
{
	need(-posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL), path);
	return file_run();
}

/* ---- blocks of its own -------------------------------------------------------------------- */

static struct disk *volume;

/* A request, and where what it brings goes. */
static struct fetch {
	struct disk_req req;
	void *page[DISK_MAX_BLOCKS];
} fetches[DEPTH];

static void own_make_fetch(struct fetch *f, uint64_t size)
{
	char *const memory = pages(size);

	for (uint64_t i = 0; i < size; i++)
		f->page[i] = memory + i * EXPERIMENT_BLOCK;
}

static int transfer(struct disk_req *r)
{
	const int error = disk_submit(volume, r);

	return error ? error : disk_wait(volume, r);
}

static int put_own(const void *batch, uint64_t first, uint64_t n)
{
	struct fetch *const f = &fetches[0];

	for (uint64_t i = 0; i < n; i++)
		memcpy(f->page[i], (const char *)batch + i * EXPERIMENT_BLOCK, EXPERIMENT_BLOCK);
	f->req = (struct disk_req){
		.op = DISK_WRITE, .nblocks = (uint32_t)n, .block = first, .pages = f->page};
	return transfer(&f->req);
}

static void own_make(void)
{
	need(experiment_open("spare", &volume), "extent 'spare'");
	need(job.blocks > disk_size(volume) ? -ENOSPC : 0, "so many blocks in extent 'spare'");
	for (uint32_t i = 0; i < DEPTH; i++)
		own_make_fetch(&fetches[i], DISK_MAX_BLOCKS);
	write_all(put_own);
}

/* How many blocks from `first` on one request brings. */
static uint64_t reach(uint64_t first)
{
	const uint64_t left = job.blocks - first;
	const uint64_t most = job.window / job.stride * job.stride;
	const uint64_t want = job.stride > GAP || most == 0 ? 1 : most;

	return want < left ? want : left;
}

/* Sends the request for what begins at `first`; where the one after it begins. */
static uint64_t fetch(struct fetch *f, uint64_t first)
{
	const uint64_t n = first < job.blocks ? reach(first) : 0;

	if (n == 0)
		return first;
	f->req = (struct disk_req){
		.op = DISK_READ, .nblocks = (uint32_t)n, .block = first, .pages = f->page};
	need(disk_submit(volume, &f->req), "a request");
	return first + (n + job.stride - 1) / job.stride * job.stride;
}

static uint64_t own_run(void)
{
	uint64_t next = 0, sum = 0;

	for (uint32_t i = 0; i < DEPTH; i++)
		next = fetch(&fetches[i], next);
	for (uint64_t b = 0, turn = 0; b < job.blocks; turn++) {
		struct fetch *const f = &fetches[turn % DEPTH];
		const uint64_t n = f->req.nblocks;

		need(disk_wait(volume, &f->req), "a request");
		for (uint64_t i = 0; i < n; i += job.stride)
			sum += compute(f->page[i]);
		b += (n + job.stride - 1) / job.stride * job.stride;
		next = fetch(f, next);
	}
	return sum;
}

/* ------------------------------------------------------------------------------------------- */

static const struct way {
	const char *name;
	void (*make)(void);
	uint64_t (*run)(void);
} ways[] = {
	{"file", file_make, file_run},
	{"told", file_make, told_run},
	{"own", own_make, own_run},
};

static const char words[] = "ahead file|told|own BLOCKS STRIDE WINDOW WORK SEED";

static const struct way *find_way(const char *name)
{
	for (uint32_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	usage(words);
}

int main(int argc, char **argv)
{
	struct experiment_cost cost;
	const struct way *way;
	uint64_t sum, read;

	if (argc != 7)
		usage(words);
	way = find_way(argv[1]);
	job.blocks = argument("BLOCKS", argv[2], 1, 65536);
	job.stride = argument("STRIDE", argv[3], 1, 65536);
	job.window = argument("WINDOW", argv[4], 0, DISK_MAX_BLOCKS);
	job.work = argument("WORK", argv[5], 1, MOST_WORK);
	job.seed = argument("SEED", argv[6], 0, UINT32_MAX);
	way->make();
	cost = experiment_now();
	sum = way->run();
	cost = experiment_since(&cost);
	read = (job.blocks + job.stride - 1) / job.stride;
	metric("ticks", cost.ticks);
	metric("ticks_per_block", cost.ticks / read);
	metric("disk_commands", cost.commands);
	metric("disk_blocks_read", cost.read);
	if (sum == true_sum())
		return 0;
	fprintf(stderr, "ahead: something else was read than was written\n");
	return 1;
}
