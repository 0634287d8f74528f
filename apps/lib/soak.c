/*
 * soak.c - the soaker, a copy of the program that counts what nobody wants (soak.h).
 *
 * Owns `shared`, in the POSIX segment, by which the soaker counts and is told to end.  A lap in
 * which somebody ran is longer than the shortest one, or the kernel has noted a donation; it does
 * not count as soaked.
 */
#include "soak.h"

#include <errno.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/call.h>
#include <libos/posix_segment.h>
#include <libos/start.h>
#include <libos/tables.h>

enum {
	LAP_SLACK = 32,	   /* instructions by which laps without others may differ */
	SETTLE_US = 20000, /* between looks at a soaker that begins */
};

static struct {
	volatile uint64_t soaked; /* instructions */
	volatile uint64_t stop;
} * shared;
static pid_t soaker; /* 0: none */

static void soak(void)
{
	const volatile struct exo_env *self = tables_env((uint32_t)(start_self() & 0xffff));
	uint64_t shortest = UINT64_MAX, then = soak_tsc();

	while (!shared->stop) {
		const uint64_t given = self->given_ticks;
		uint64_t now, lap;

		(void)call_yield(0);
		now = soak_tsc();
		lap = now - then;
		then = now;
		if (self->given_ticks != given)
			continue;
		if (lap < shortest)
			shortest = lap;
		if (lap <= shortest + LAP_SLACK)
			shared->soaked += lap;
	}
}

uint64_t soak_busy(void)
{
	const uint64_t soaked = shared ? shared->soaked : 0;

	return soak_tsc() - soaked;
}

int soak_begin(void)
{
	if (!shared)
		shared = arena_alloc(posix_segment()->arena, sizeof(*shared));
	if (!shared)
		return -ENOMEM;
	shared->stop = 0;
	soaker = fork();
	if (soaker == 0) {
		soak();
		_exit(0);
	}
	if (soaker < 0) {
		soaker = 0;
		return -errno;
	}
	/* It has begun, and knows its shortest lap, when something was soaked. */
	for (const uint64_t before = shared->soaked; shared->soaked == before;)
		(void)usleep(SETTLE_US);
	return 0;
}

void soak_end(void)
{
	if (!soaker)
		return;
	shared->stop = 1;
	(void)waitpid(soaker, NULL, 0);
	soaker = 0;
}
