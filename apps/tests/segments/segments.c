/*
 * segments.c - the segment registers that one program loads, no other finds: each begins with 0.
 *
 * usage: segments load | look.  `load` keeps the user's data selector in DS, ES, FS and GS for a
 * while, `look` sleeps and reads its own meanwhile, beside it.  GS was forgotten once.
 */
#include <stdint.h>
#include <string.h>
#include <exo/abi.h>
#include <libos/bare.h>

int main(int argc, char **argv);

enum { MS = 1000000, LOAD_MS = 600, LOOKS = 200 };

static void load(void)
{
	const uint64_t until = time_now() + (uint64_t)LOAD_MS * MS;

	while (time_now() < until)
		__asm__ volatile(
			"movw %w0, %%ds; movw %w0, %%es; movw %w0, %%fs; movw %w0, %%gs" ::"r"(
				EXO_USER_SS));
}

static uint64_t loaded(void)
{
	uint64_t ds, es, fs, gs;

	__asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return ds | es | fs | gs;
}

int main(int argc, char **argv)
{
	uint64_t wrong = 0;

	if (argc == 2 && strcmp(argv[1], "load") == 0) {
		load();
		return 0;
	}
	for (uint32_t i = 0; i < LOOKS; i++) {
		(void)time_sleep_until(time_now() + MS, 0);
		wrong += loaded() != 0;
	}
	bare_print("%s segments: %u of %u looks found another's\n", wrong ? "FAIL" : "ok", wrong,
		   (uint64_t)LOOKS);
	return wrong != 0;
}
