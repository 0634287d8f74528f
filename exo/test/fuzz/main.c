/*
 * main.c - runs a harness without libFuzzer: on random inputs, or on files.
 *
 * Arguments: [seed [inputs]], or files, whose steps are shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "fuzz.h"

enum { MOST = 16384, INPUTS = 60 };

static uint64_t seed;

static uint64_t dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void random_inputs(uint32_t count)
{
	static uint8_t input[MOST];

	for (uint32_t n = 0; n < count; n++) {
		for (size_t i = 0; i < MOST; i++)
			input[i] = (uint8_t)(dice() >> 32);
		LLVMFuzzerTestOneInput(input, MOST);
	}
}

static int run_file(const char *path)
{
	static uint8_t input[1 << 20];
	FILE *const file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(input, 1, sizeof input, file);
	fclose(file);
	fuzz_verbose = 1;
	LLVMFuzzerTestOneInput(input, size);
	printf("ok %s %s\n", fuzz_name, path);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc > 1 && access(argv[1], F_OK) == 0) {
		for (int i = 1; i < argc; i++)
			failed |= run_file(argv[i]);
		return failed;
	}
	seed = argc > 1 ? strtoull(argv[1], 0, 0) | 1 : 0x2545f4914f6cdd1d;
	random_inputs(argc > 2 ? (uint32_t)atoi(argv[2]) : INPUTS);
	if (!fuzz_covered(argc > 2))
		return 1;
	printf("ok %s\n", fuzz_name);
	return 0;
}
