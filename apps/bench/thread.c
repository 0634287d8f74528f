/*
 * thread.c - what threads cost, as a program that has some says it (apps/bench/bench-threads).
 * Owns nothing.
 */
#include <stdio.h>
#include "bench.h"

static const char *ask(const char *command, double *value)
{
	FILE *const from = popen(command, "r");
	const int got = from ? fscanf(from, "%lf", value) : 0;

	return from && pclose(from) == 0 && got == 1 ? NULL : "bench-threads did not say";
}

const char *thread_switch_cost(double *value)
{
	return ask("bench-threads switch", value);
}

const char *thread_create_cost(double *value)
{
	return ask("bench-threads create", value);
}
