/*
 * paging.h - where a workload's data is and how far it has come: what a policy of the program's own
 * (own.c) knows, and no general one can.
 *
 * Owns `plan`, which is always there (RESIDENT), as the pager reads it.
 */
#ifndef PAGING_H
#define PAGING_H

#include <stdint.h>

enum workload { PAGING_MULTIPLY, PAGING_COLUMNS, PAGING_GRAPH };

/* Addresses are of whole pages. */
struct paging_plan {
	enum workload workload;
	uint64_t data, pages;	   /* what is gone through: matrix B, or the graph */
	uint64_t left, left_pages; /* multiply: matrix A */
	uint64_t out, out_pages;   /* multiply: matrix C */
	uint64_t at;		   /* page of data in use */
	uint64_t left_at, out_at;  /* pages of A and C in use */
};

extern struct paging_plan plan;

#endif
