/*
 * test_pipe.c - host tests of the ring in a pipe (libos/posix/pipe_ring.h), against a plain queue.
 * Single-threaded.  Run by `make host-test`.
 */
#include <stdio.h>
#include <stdlib.h>
#include "pipe_ring.h"

enum { SIZE = 64, STEPS = 200000, START = 0xffffff80u };

static char ring[SIZE];
static struct posix_pipe p = {.size = SIZE, .data = ring};

/* Puts and takes random amounts; bytes must come out as they went in, and the bounds must hold. */
static const char *run(void)
{
	uint32_t in = 0, out = 0;
	char bytes[SIZE * 2];

	/* Near the end of the indices' range, so that they wrap on the way. */
	p.head = p.tail = START;
	srand(1);
	for (int step = 0; step < STEPS; step++) {
		const uint64_t n = (uint64_t)rand() % sizeof(bytes);
		const uint32_t room = pipe_ring_room(&p), used = pipe_ring_used(&p);
		uint32_t done;

		if (room + used != SIZE)
			return "room and bytes are not the size";
		if (rand() & 1) {
			for (uint64_t i = 0; i < n; i++)
				bytes[i] = (char)(in + i);
			done = pipe_ring_put(&p, bytes, n);
			if (done != (n < room ? n : room))
				return "put another amount than fits";
			in += done;
			continue;
		}
		done = pipe_ring_get(&p, bytes, n);
		if (done != (n < used ? n : used))
			return "took another amount than there is";
		for (uint32_t i = 0; i < done; i++)
			if (bytes[i] != (char)(out + i))
				return "a byte came out wrong";
		out += done;
	}
	return in - out == pipe_ring_used(&p) ? NULL : "bytes were lost";
}

int main(void)
{
	const char *why = run();

	if (why)
		printf("FAIL pipe-ring: %s\n", why);
	else
		printf("ok pipe-ring\n");
	return why != NULL;
}
