/*
 * bystander.c - lives beside an attack and checks that nothing of its own has changed.
 *
 * usage: bystander EXTENT PROGRAM.  Fills pages and the blocks of its extent with a pattern, then
 * checks both and its own progress, over and over, from when an environment named PROGRAM is seen
 * (for at most 10 s) until it is gone.  Prints one line, exits 0 when all was well.
 */
#include <exo/tables.h>
#include <libos/bare.h>
#include <libos/console.h>
#include <libos/start.h>
#include <libos/time.h>
#include <string.h>

int main(int argc, char **argv);

enum { PAGES = 32, BLOCKS = 16, WORDS = 4096 / 8, SECOND = 1000000000, LONGEST_GAP = SECOND };

static uint64_t memory[PAGES * WORDS] __attribute__((aligned(4096)));
static uint64_t block[WORDS] __attribute__((aligned(4096)));

static uint64_t pattern(uint64_t at)
{
	return (at + 1) * 0x9e3779b97f4a7c15ull;
}

static int someone_is_called(const char *name)
{
	const struct exo_info *info = (const struct exo_info *)EXO_TABLES_VA;
	const struct exo_env *env = (const struct exo_env *)info->table[EXO_TABLE_ENVS].va;

	for (uint32_t e = 1; e < info->envs; e++)
		if (env[e].state != EXO_ENV_FREE && env[e].state != EXO_ENV_ZOMBIE &&
		    strncmp(env[e].name, name, sizeof env[e].name) == 0)
			return 1;
	return 0;
}

static int write_all(struct bare_extent *x)
{
	for (uint64_t i = 0; i < PAGES * WORDS; i++)
		memory[i] = pattern(i);
	for (uint64_t b = 0; b < BLOCKS; b++) {
		for (uint64_t i = 0; i < WORDS; i++)
			block[i] = pattern(b * WORDS + i);
		if (bare_write(x, b, block, 1) != 0)
			return 0;
	}
	return bare_flush(x) == 0;
}

static uint64_t wrong_words(struct bare_extent *x)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < PAGES * WORDS; i++)
		wrong += memory[i] != pattern(i);
	for (uint64_t b = 0; b < BLOCKS; b++) {
		if (bare_read(x, b, block, 1) != 0)
			return wrong + WORDS;
		for (uint64_t i = 0; i < WORDS; i++)
			wrong += block[i] != pattern(b * WORDS + i);
	}
	return wrong;
}

static int report(uint64_t rounds, uint64_t wrong, uint64_t gap)
{
	int well = rounds > 0 && wrong == 0 && gap < LONGEST_GAP;

	console_print(well ? "ok bystander: " : "FAIL bystander: ");
	console_dec(rounds);
	console_print(" rounds, ");
	console_dec(wrong);
	console_print(" words wrong, longest gap ");
	console_dec(gap / 1000000);
	console_print(" ms\n");
	return !well;
}

int main(int argc, char **argv)
{
	uint64_t rounds = 0, wrong = 0, gap = 0, start, before;
	struct bare_extent x;
	int seen = 0;

	if (argc != 3 || bare_open(argv[1], &x) != 0 || !write_all(&x)) {
		console_print("bystander: usage: bystander EXTENT PROGRAM\n");
		return 2;
	}
	start = before = time_now();
	for (;;) {
		uint64_t now = time_now();
		int there = someone_is_called(argv[2]);

		seen |= there;
		if ((seen && !there) || (!seen && now > start + 10ull * SECOND))
			break;
		gap = now - before > gap ? now - before : gap;
		before = now;
		wrong += wrong_words(&x);
		rounds += seen != 0;
	}
	return report(rounds, wrong, gap);
}
