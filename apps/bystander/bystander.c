/*
 * bystander.c - lives beside an attack and checks that nothing of its own has changed.
 *
 * usage: bystander EXTENT PROGRAM.  Fills pages and the blocks of its extent with a pattern, then
 * checks both and its own progress, over and over, from when an environment named PROGRAM is seen
 * (for at most 10 s) until it is gone.  Prints one line, exits 0 when all was well.
 */
#include <stddef.h>
#include <libos/bare.h>
#include <libos/tables.h>
#include <libos/time.h>

int main(int argc, char **argv);

enum { PAGES = 32, BLOCKS = 16, WORDS = 4096 / 8, SECOND = 1000000000, LONGEST_GAP = SECOND };

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

static uint64_t wrong_words(struct disk *x)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < PAGES * WORDS; i++)
		wrong += memory[i] != pattern(i);
	for (uint64_t b = 0; b < BLOCKS; b++) {
		if (bare_transfer(x, DISK_READ, b, 1, block) != 0)
			return wrong + WORDS;
		for (uint64_t i = 0; i < WORDS; i++)
			wrong += block[i] != pattern(b * WORDS + i);
	}
	return wrong;
}

static int report(uint64_t rounds, uint64_t wrong, uint64_t gap)
{
	int well = rounds > 0 && wrong == 0 && gap < LONGEST_GAP;

	bare_print("%s bystander: %u rounds, %u words wrong, longest gap %u ms\n",
		   well ? "ok" : "FAIL", rounds, wrong, gap / 1000000);
	return !well;
}

int main(int argc, char **argv)
{
	uint64_t rounds = 0, wrong = 0, gap = 0, start, before;
	struct disk *x;
	int seen = 0;

	if (argc != 3 || bare_open(argv[1], &x) != 0 || !write_all(x)) {
		bare_print("usage: bystander EXTENT PROGRAM\n");
		return 2;
	}
	start = before = time_now();
	for (;;) {
		uint64_t now = time_now();
		int there = tables_find(argv[2]) != 0;

		seen |= there;
		if ((seen && !there) || (!seen && now > start + 10ull * SECOND))
			break;
		gap = now - before > gap ? now - before : gap;
		before = now;
		wrong += wrong_words(x);
		rounds += seen != 0;
	}
	return report(rounds, wrong, gap);
}
