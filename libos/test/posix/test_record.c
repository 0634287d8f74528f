/*
 * test_record.c - host tests of the table of record locks (libos/posix/record.c): random calls
 * against a model that keeps a word for each byte, full tables, and rings of those who wait.
 * Single-threaded.  Run by `make host-test`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "record.h"

enum { BYTES = 24, PIDS = 3, NODES = 2, PLACES = 12, STEPS = 300000, SHARED = 1, EXCLUSIVE = 2 };

/* The model: what each process holds of each byte; the last stands for all from there on. */
static int held[NODES][PIDS][BYTES];

static struct posix_record place[PLACES];
static struct posix_records table = {.at = place, .most = PLACES};
static char files[NODES]; /* nodes are only compared */
static int failures;

static void check(const char *name, const char *why)
{
	if (why)
		printf("FAIL record-%s: %s\n", name, why);
	else
		printf("ok record-%s\n", name);
	failures += why != NULL;
}

static struct fs_node *node_of(int n)
{
	return (struct fs_node *)(void *)&files[n];
}

static uint64_t last_of(int byte)
{
	return byte == BYTES - 1 ? RECORD_END : (uint64_t)byte;
}

static struct posix_record made(int node, int pid, int first, int last, int exclusive)
{
	return (struct posix_record){.node = node_of(node),
				     .pid = pid + 1,
				     .first = (uint64_t)first,
				     .last = last_of(last),
				     .exclusive = (uint16_t)exclusive};
}

/* ---- the table against the model ----------------------------------------------------------- */

static int model_conflicts(int node, int pid, int first, int last, int exclusive)
{
	for (int p = 0; p < PIDS; p++)
		for (int b = first; b <= last && p != pid; b++)
			if (held[node][p][b] == EXCLUSIVE || (held[node][p][b] && exclusive))
				return 1;
	return 0;
}

/* As few locks as what is held can be: one for each run of one type. */
static uint32_t model_runs(void)
{
	uint32_t runs = 0;

	for (int n = 0; n < NODES; n++)
		for (int p = 0; p < PIDS; p++)
			for (int b = 0; b < BYTES; b++)
				runs += held[n][p][b] &&
					(b == 0 || held[n][p][b] != held[n][p][b - 1]);
	return runs;
}

/* Every byte of every lock is in the model, once; with the number of locks that says that both are
 * the same. */
static const char *differs(void)
{
	static int seen[NODES][PIDS][BYTES];

	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < table.used; i++) {
		const struct posix_record *e = &place[i];
		const int n = e->node != node_of(0), p = e->pid - 1;

		if (e->first > e->last || e->wanted)
			return "a lock of no bytes, or a wish";
		for (int b = (int)e->first; b < BYTES && (uint64_t)b <= e->last; b++) {
			if (seen[n][p][b])
				return "one byte is in two locks";
			seen[n][p][b] = e->exclusive ? EXCLUSIVE : SHARED;
		}
	}
	if (memcmp(seen, held, sizeof(held)) != 0)
		return "other bytes are locked than should be";
	return table.used == model_runs() ? NULL : "locks that touch were not joined";
}

static const char *try_one(int node, int pid, int first, int last, int how)
{
	const struct posix_record r = made(node, pid, first, last, how == EXCLUSIVE);
	const struct posix_records before = table;
	struct posix_record copy[PLACES];
	int error;

	memcpy(copy, place, sizeof(copy));
	if (how && !record_conflict(&table, &r) !=
			   !model_conflicts(node, pid, first, last, how == EXCLUSIVE))
		return "a conflict was not seen, or there was none";
	if (how && record_conflict(&table, &r))
		return NULL;
	error = how ? record_hold(&table, &r) : record_release(&table, &r);
	if (error)
		return error == -ENOLCK && before.used + 2 > PLACES && before.used == table.used &&
				       !memcmp(copy, place, sizeof(copy))
			       ? NULL
			       : "refused with room left, or not as it was before";
	for (int b = first; b <= last; b++)
		held[node][pid][b] = how;
	return differs();
}

static const char *random_calls(void)
{
	const char *why = NULL;
	uint32_t most = 0;

	srand(1);
	for (int step = 0; step < STEPS && !why; step++) {
		const int first = rand() % BYTES, last = first + rand() % (BYTES - first);
		const int node = rand() % NODES, pid = rand() % PIDS;

		if (rand() % 50 == 0) {
			record_drop(&table, node_of(node), pid + 1);
			memset(held[node][pid], 0, sizeof(held[node][pid]));
			why = differs();
		} else {
			why = try_one(node, pid, first, last, rand() % 3);
		}
		most = table.used > most ? table.used : most;
	}
	if (!why && most < PLACES - 1)
		why = "the table was never full: the test is too tame";
	return why;
}

/* ---- those who wait ------------------------------------------------------------------------ */

/* A holds 0, B holds 1, C holds 2; who waits for whom is a chain until C would wait for A. */
static const char *rings(void)
{
	const struct posix_record b_wants = made(0, 1, 0, 0, 1), c_wants = made(0, 2, 1, 1, 1);
	const struct posix_record a_wants = made(0, 0, 2, 2, 0), a_other = made(0, 0, 5, 5, 1);

	table.used = 0;
	for (int p = 0; p < PIDS; p++) {
		const struct posix_record r = made(0, p, p, p, 1);

		if (record_hold(&table, &r))
			return "a lock was refused";
	}
	if (record_deadlock(&table, &b_wants) || record_want(&table, &b_wants) ||
	    record_deadlock(&table, &c_wants) || record_want(&table, &c_wants))
		return "a chain was taken for a ring";
	if (!record_deadlock(&table, &a_wants))
		return "a ring of three was not seen";
	if (record_deadlock(&table, &a_other))
		return "a free lock was taken for a ring";
	record_met(&table, &c_wants);
	if (record_deadlock(&table, &a_wants))
		return "a wish that was met still counts";
	record_drop(&table, node_of(0), 2);
	return table.used == 2 ? NULL : "a process that closed the file left a lock or a wish";
}

/* A wish keeps nobody from anything. */
static const char *wishes(void)
{
	const struct posix_record wish = made(0, 0, 3, 9, 1), other = made(0, 1, 5, 5, 1);

	table.used = 0;
	if (record_want(&table, &wish))
		return "a wish was refused";
	if (record_conflict(&table, &other) || record_hold(&table, &other))
		return "a wish is in the way of a lock";
	if (!record_conflict(&table, &wish))
		return "the lock was not given";
	table.used = PLACES;
	if (record_want(&table, &wish) != -ENOLCK || record_hold(&table, &other) != -ENOLCK)
		return "a full table took one more";
	table.used = 0;
	return NULL;
}

int main(void)
{
	check("random", random_calls());
	check("rings", rings());
	check("wishes", wishes());
	return failures != 0;
}
