/*
 * scan - reads a table round and round through a buffer cache of its own, as the inner loop of a
 * join does, with a block of an index for each of the table.
 *
 *   scan FRAMES TABLE INDEX ROUNDS SEED
 *
 * The cache has FRAMES frames, and the policy that the program is linked with.  It says what it
 * knows (buf_advise) to policies that listen: the index is needed, and so is as much of the table
 * as there is room for; the rest is used once.  INDEX may be 0: a loop and nothing else.  Every
 * block that is read must hold what was written before the measuring.
 */
#include "../experiment_bare.h"
#include <libos/arena.h>
#include <libos/buf.h>
#include "scan.h"

int main(int argc, char **argv);

enum { BATCH = 64, SLACK = 8, HEAD_BYTES = 256, LEAST_HEAP = 65536, MOST = 65536 };

struct scan_plan scan_plan;

static struct disk *volume;
static struct buf_cache *cache;
static uint64_t seed, dice, wrong;

/* All blocks, each with its number's word in front. */
static int write_all(uint64_t blocks)
{
	char *const buffer = bare_pages(BATCH);
	int error = buffer ? 0 : -ENOMEM;

	for (uint64_t b = 0; b < blocks && !error; b += BATCH) {
		const uint64_t n = blocks - b < BATCH ? blocks - b : BATCH;

		for (uint64_t i = 0; i < n; i++)
			*(uint64_t *)(buffer + i * DISK_BLOCK) = experiment_word(seed, b + i);
		error = bare_transfer(volume, DISK_WRITE, b, (uint32_t)n, buffer);
	}
	return error;
}

static int make_cache(uint32_t frames)
{
	const uint32_t heap = LEAST_HEAP + frames * HEAD_BYTES;
	void *const memory = bare_pages(frames), *const region = bare_pages(heap / DISK_BLOCK + 1);

	if (!memory || !region)
		return -ENOMEM;
	cache = buf_init(arena_init(region, heap), memory, frames, disk_size(volume));
	return cache ? 0 : -ENOMEM;
}

/* In the words that there are for it; a quarter of a cache at most is read ahead by them. */
static int advise(uint64_t frames)
{
	const uint64_t room =
		frames > scan_plan.index + SLACK ? frames - scan_plan.index - SLACK : 0;
	const uint64_t kept = room < scan_plan.table ? room : scan_plan.table;
	const uint64_t end = scan_plan.index + scan_plan.table;
	int error = buf_advise(cache, volume, 0, end, BUF_ONCE);

	if (!error && scan_plan.index + kept)
		error = buf_advise(cache, volume, 0, scan_plan.index + kept, BUF_WILLNEED);
	return error;
}

static int use(uint64_t block)
{
	struct buf *b;
	const int error = buf_get(cache, volume, block, BUF_READ, &b);

	if (error)
		return error;
	wrong += *(const uint64_t *)b->data != experiment_word(seed, block);
	buf_put(b);
	return 0;
}

static int run(uint64_t rounds)
{
	int error = 0;

	for (uint64_t i = 0; i < rounds * scan_plan.table && !error; i++) {
		scan_plan.position = i % scan_plan.table;
		error = use(scan_plan.index + scan_plan.position);
		if (!error && scan_plan.index)
			error = use(experiment_random(&dice) % scan_plan.index);
	}
	return error;
}

static void report(const struct experiment_cost *cost)
{
	struct buf_stats s;

	buf_get_stats(cache, &s);
	metric("disk_blocks_read", cost->read);
	metric("disk_commands", cost->commands);
	metric("ticks", cost->ticks);
	metric("hits", s.hits);
	metric("misses", s.misses);
	metric("hit_permille", s.hits * 1000 / (s.hits + s.misses));
}

int main(int argc, char **argv)
{
	struct experiment_cost start;
	uint64_t frames, rounds;

	if (argc != 6)
		usage("scan FRAMES TABLE INDEX ROUNDS SEED");
	frames = argument("FRAMES", argv[1], BUF_MIN_FRAMES, MOST);
	scan_plan.table = argument("TABLE", argv[2], 1, MOST);
	scan_plan.index = argument("INDEX", argv[3], 0, MOST);
	rounds = argument("ROUNDS", argv[4], 1, MOST);
	seed = dice = argument("SEED", argv[5], 0, UINT32_MAX);
	need(experiment_open("spare", &volume), "extent 'spare'");
	need(scan_plan.index + scan_plan.table > disk_size(volume) ? -ENOSPC : 0,
	     "INDEX and TABLE in extent 'spare'");
	need(write_all(scan_plan.index + scan_plan.table), "writing the table");
	need(make_cache((uint32_t)frames), "memory for the cache");
	start = experiment_now();
	need(advise(frames), "advice");
	need(run(rounds), "reading");
	start = experiment_since(&start);
	report(&start);
	if (wrong)
		bare_print("scan: %u blocks held something else\n", wrong);
	return wrong != 0;
}
