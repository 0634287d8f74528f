/*
 * lend.h - what the server and its clients agree on: one call, and what is in a block.
 */
#ifndef LEND_H
#define LEND_H

#include <stdint.h>

/* The call: w[0] OP_OPEN, w[1] number of a file; the reply: w[0] LENT and w[1] blocks, and the
   capability to them, with EXO_RIGHT_READ; or w[0] NOT_LENT. */
enum { OP_OPEN = 1, LENT = 1, NOT_LENT = 2 };

enum { FILES = 8, FILE_BLOCKS = 64, WORDS = 512 };

/* Word i of block b of the server's extent. */
static inline uint64_t content(uint64_t b, uint64_t i)
{
	return (b * WORDS + i) * 0x9e3779b97f4a7c15ull + 1;
}

#endif
