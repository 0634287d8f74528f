/*
 * main.c - measures what the machine, the kernel and the libOS cost.  usage: bench [NAME ...]
 *
 * Owns the list of measurements and the way to measure.  Prints a line for each:
 *   bench NAME VALUE UNIT    or    bench NAME - REASON
 * Units are the processor's ticks; they are instructions where the emulator counts so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libos/region.h>
#include "bench.h"
#include "soak.h"

enum { MOST_SAMPLES = 128 };

static const struct bench {
	const char *name, *unit;
	bench_fn *run;
	int soak; /* it waits for the disk or a clock: idle time must not count */
} benches[] = {
	{"boot", "instructions", boot, 0},
	{"null_call", "instructions", null_call, 0},
	{"clock_read", "instructions", clock_read, 0},
	{"fault_upcall", "instructions", fault_upcall, 0},
	{"prot_trap_unprot", "instructions", prot_trap_unprot, 0},
	{"page_touch", "instructions", page_touch, 0},
	{"map_unmap", "instructions", map_unmap, 0},
	{"yield_switch", "instructions", yield_switch, 0},
	{"pct_round_trip", "instructions", pct_round_trip, 0},
	{"pipe_round_trip", "instructions", pipe_round_trip, 0},
	{"thread_switch", "instructions", thread_switch_cost, 0},
	{"thread_create", "instructions", thread_create_cost, 0},
	{"fork_exit_wait", "instructions", fork_exit_wait, 1},
	{"spawn_exit_wait", "instructions", spawn_exit_wait, 1},
	{"process_cost", "KiB", process_cost, 0},
	{"open_close", "instructions", open_close, 0},
	{"stat", "instructions", stat_cached, 0},
	{"pread_4k_cached", "instructions", pread_4k_cached, 0},
	{"read_1b_cached", "instructions", read_1b_cached, 0},
	{"write_4k_cached", "instructions", write_4k_cached, 0},
	{"create_unlink", "instructions", create_unlink, 1},
	{"disk_read_4k", "instructions", disk_read_4k, 1},
	{"disk_read_1m", "instructions/KiB", disk_read_1m, 1},
	{"file_write_fsync", "instructions/KiB", file_write_fsync, 1},
	{"file_read_cold", "instructions/KiB", file_read_cold, 1},
	{"append_fsync", "instructions", append_fsync, 1},
	{"create_1000_sync", "instructions/file", create_1000_sync, 1},
	{"unlink_1000_sync", "instructions/file", unlink_1000_sync, 1},
};
enum { BENCHES = sizeof(benches) / sizeof(benches[0]) };

/* ---- measuring --------------------------------------------------------------------------- */

const char *because(const char *what, int error)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
	return text;
}

static int nothing(void)
{
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The median of `times` costs of `op`: 0 or a negative errno. */
static int sample(bench_op *op, bench_op *prepare, unsigned times, uint64_t *median)
{
	static uint64_t cost[MOST_SAMPLES];

	for (unsigned i = 0; i < times; i++) {
		int error = prepare ? prepare() : 0;
		uint64_t start;

		if (error)
			return error;
		start = soak_busy();
		region_begin("measured");
		error = op();
		region_end("measured");
		cost[i] = soak_busy() - start;
		if (error)
			return error;
	}
	qsort(cost, times, sizeof(cost[0]), compare);
	*median = cost[times / 2];
	return 0;
}

const char *measure(bench_op *op, bench_op *prepare, unsigned times, double *value)
{
	uint64_t empty, cost;
	int error;

	if (times == 0 || times > MOST_SAMPLES)
		return because("measure", -EINVAL);
	error = sample(nothing, NULL, MOST_SAMPLES, &empty);
	if (!error)
		error = sample(op, prepare, times, &cost);
	if (error)
		return because("it failed", error);
	*value = cost > empty ? (double)(cost - empty) : 0;
	return NULL;
}

/* ---- the program ------------------------------------------------------------------------- */

/* 1 when there is a value, 0 when there is a reason. */
static int run(const struct bench *b)
{
	double value = 0;
	const int error = b->soak ? soak_begin() : 0;
	const char *reason = error ? because("the soaker", error) : NULL;

	if (!reason)
		reason = b->run(&value);
	if (reason)
		printf("bench %s - %s\n", b->name, reason);
	else
		printf("bench %s %.*f %s\n", b->name, value == (double)(uint64_t)value ? 0 : 1,
		       value, b->unit);
	(void)fflush(stdout);
	soak_end();
	return reason == NULL;
}

static const struct bench *find(const char *name)
{
	for (unsigned i = 0; i < BENCHES; i++)
		if (strcmp(benches[i].name, name) == 0)
			return &benches[i];
	return NULL;
}

static int usage(const char *name)
{
	fprintf(stderr, "bench: there is no %s\nusage: bench [NAME ...]; names are:\n", name);
	for (unsigned i = 0; i < BENCHES; i++)
		fprintf(stderr, "  %s\n", benches[i].name);
	fprintf(stderr, "or: bench wall-read | wall-write PASSES\n");
	return 2;
}

/* The passes that PASSES says, 1 without it. */
static unsigned passes(int argc, char **argv)
{
	const unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;

	return n < 1000 ? (unsigned)n : 1000;
}

int main(int argc, char **argv)
{
	int good = 1, status;

	if (argc > 1) {
		if (strcmp(argv[1], "wall-read") == 0)
			return wall_read(passes(argc, argv));
		if (strcmp(argv[1], "wall-write") == 0)
			return wall_write(passes(argc, argv));
		status = peer_main(argv[1], argv + 1);
		if (status >= 0)
			return status;
	}
	for (int i = 1; i < argc; i++)
		if (!find(argv[i]))
			return usage(argv[i]);
	for (unsigned i = 0; i < BENCHES && argc < 2; i++)
		good &= run(&benches[i]);
	for (int i = 1; i < argc; i++)
		good &= run(find(argv[i]));
	return !good;
}
