/*
 * main.c - what threads cost, for bench, which starts it: a program with threads is linked with
 * other parts of the libOS than one without, so the other rows are measured without them.
 *
 * usage: bench-threads switch | create.  Prints the median of many runs, in the processor's ticks.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libos/thread.h>
#include "soak.h"

enum { SAMPLES = 101 };

static volatile int stop;

static void *yields(void *arg)
{
	while (!stop)
		thread_yield();
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

/* To the sibling and back. */
static void there_and_back(void)
{
	thread_yield();
}

static void create_and_join(void)
{
	struct thread *t;

	if (thread_create(&t, NULL, nothing, NULL) == 0)
		(void)thread_join(t, NULL);
}

static void empty(void)
{
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(void (*op)(void))
{
	static uint64_t cost[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		const uint64_t begin = soak_tsc();

		op();
		cost[i] = soak_tsc() - begin;
	}
	qsort(cost, SAMPLES, sizeof(cost[0]), compare);
	return cost[SAMPLES / 2];
}

static double switch_cost(void)
{
	struct thread *t;
	uint64_t both;

	if (thread_create(&t, NULL, yields, NULL))
		exit(1);
	both = median(there_and_back) - median(empty);
	stop = 1;
	(void)thread_join(t, NULL);
	return (double)both / 2;
}

int main(int argc, char **argv)
{
	if (argc != 2 || (strcmp(argv[1], "switch") != 0 && strcmp(argv[1], "create") != 0)) {
		fprintf(stderr, "usage: bench-threads switch | create\n");
		return 2;
	}
	if (strcmp(argv[1], "switch") == 0)
		printf("%.1f\n", switch_cost());
	else
		printf("%.1f\n", (double)(median(create_and_join) - median(empty)));
	return 0;
}
