/*
 * bystander.c - lives beside an attack and checks that nothing of its own has changed.
 *
 * usage: bystander EXTENT PROGRAM.  Fills pages and the blocks of its extent with a pattern, then
 * checks both, what else is its own (own.c), and its progress, over and over, from when an
 * environment named PROGRAM is seen (for at most 10 s) until all of that name are gone; then
 * whether the whole machine adds up (ledger.c).  Prints one line, exits 0 when all was well.
 */
#include <stddef.h>
#include <libos/bare.h>
#include <libos/tables.h>
#include <libos/time.h>
#include "bystander.h"

int main(int argc, char **argv);

enum { PAGES = 32, BLOCKS = 16, WORDS = 4096 / 8, SECOND = 1000000000 };

/* In which each round is to get on: without the disk, which the emulator's host may hold up, and
 * with it. */
static const uint64_t longest_gap = SECOND, longest_wait = 10ull * SECOND;

static uint64_t memory[PAGES * WORDS] __attribute__((aligned(4096)));
static uint64_t block[WORDS] __attribute__((aligned(4096)));

static uint64_t pattern(uint64_t at)
{
	return (at + 1) * 0x9e3779b97f4a7c15ull;
}

static int write_all(struct disk *x)
{
	for (uint64_t i = 0; i < PAGES * WORDS; i++)
		memory[i] = pattern(i);
	for (uint64_t b = 0; b < BLOCKS; b++) {
		for (uint64_t i = 0; i < WORDS; i++)
			block[i] = pattern(b * WORDS + i);
		if (bare_transfer(x, DISK_WRITE, b, 1, block) != 0)
			return 0;
	}
	return bare_transfer(x, DISK_FLUSH, 0, 0, NULL) == 0;
}

static uint64_t wrong_in_memory(void)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < PAGES * WORDS; i++)
		wrong += memory[i] != pattern(i);
	return wrong;
}

static uint64_t wrong_on_disk(struct disk *x)
{
	uint64_t wrong = 0;

	for (uint64_t b = 0; b < BLOCKS; b++) {
		if (bare_transfer(x, DISK_READ, b, 1, block) != 0)
			return wrong + WORDS;
		for (uint64_t i = 0; i < WORDS; i++)
			wrong += block[i] != pattern(b * WORDS + i);
	}
	return wrong;
}

struct watch {
	uint64_t rounds, wrong, changed, gap, wait;
};

static void note_longest(uint64_t *longest, uint64_t since)
{
	const uint64_t took = time_now() - since;

	*longest = took > *longest ? took : *longest;
}

/* One look at everything that is this program's. */
static void look(struct disk *x, struct watch *w, int counts)
{
	uint64_t start = time_now();

	w->wrong += wrong_in_memory();
	w->changed += own_changed();
	note_longest(&w->gap, start);
	start = time_now();
	w->wrong += wrong_on_disk(x);
	note_longest(&w->wait, start);
	w->rounds += counts != 0;
}

static void watch(struct disk *x, const char *program, struct watch *w)
{
	const uint64_t start = time_now();
	int seen = 0;

	for (;;) {
		const uint64_t now = time_now();
		const int there = tables_find(program) != 0;

		seen |= there;
		if ((seen && !there) || (!seen && now > start + 10ull * SECOND))
			return;
		look(x, w, seen);
	}
}

static int report(const char *name, const struct watch *w)
{
	const uint64_t sums = ledger_wrong();
	const int well = w->rounds > 0 && !w->wrong && !w->changed && !sums &&
			 w->gap < longest_gap && w->wait < longest_wait;

	bare_print("%s bystander: %s: %u rounds, %u words wrong, %u things of its own changed, "
		   "%u sums of the machine wrong, longest gap %u ms, %u ms for the disk\n",
		   well ? "ok" : "FAIL", name, w->rounds, w->wrong, w->changed, sums,
		   w->gap / 1000000, w->wait / 1000000);
	return !well;
}

int main(int argc, char **argv)
{
	struct watch w = {0};
	struct disk *x;

	if (argc != 3 || bare_open(argv[1], &x) != 0 || !write_all(x)) {
		bare_print("usage: bystander EXTENT PROGRAM\n");
		return 2;
	}
	(void)wrong_on_disk(x);
	own_remember(memory, PAGES);
	ledger_remember();
	watch(x, argv[2], &w);
	return report(argv[1], &w);
}
