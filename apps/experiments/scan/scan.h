/*
 * scan.h - what scan knows of its own future, for a policy of its own (own.c).
 */
#ifndef SCAN_H
#define SCAN_H

#include <stdint.h>

/* Blocks 0 .. index-1 are asked for by chance, one for each of the table's `table` blocks behind
 * them, which are read round and round. */
struct scan_plan {
	uint64_t index, table;
	uint64_t position; /* the table's block that is read now */
};

extern struct scan_plan scan_plan;

#endif
