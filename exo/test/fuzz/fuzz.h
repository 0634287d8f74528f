/*
 * fuzz.h - between a harness, which runs one input, and what makes inputs: libFuzzer, or main.c.
 */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls.  Does not return when something is wrong: prints what and the sequence. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What main.c calls the test. */
extern const char fuzz_name[];

/* Was each call granted and refused in the inputs so far?  Complains, and can tell how often. */
int fuzz_covered(int tell);

/* Prints each step as it is made, not only after a failure. */
extern int fuzz_verbose;

#endif
