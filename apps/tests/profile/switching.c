/*
 * switching.c - two threads that give way to each other in the middle of functions: profile_test.py
 * asks whether each function is counted under its own thread's callers.
 */
#include <libos/region.h>
#include <libos/thread.h>
#include "spin.h"

enum { TURNS = 10, LOOPS = 100 };

static __attribute__((noinline)) void turn(void)
{
	spin(LOOPS);
	thread_yield();
	spin(2 * LOOPS);
}

static void *first(void *arg)
{
	for (int i = 0; i < TURNS; i++)
		turn();
	return arg;
}

static void *second(void *arg)
{
	for (int i = 0; i < 2 * TURNS; i++)
		turn();
	return arg;
}

int main(void)
{
	struct thread *one, *other;

	region_begin("threads");
	if (thread_create(&one, 0, first, 0) || thread_create(&other, 0, second, 0))
		return 1;
	turn();
	if (thread_join(one, 0) || thread_join(other, 0))
		return 1;
	region_end("threads");
	return 0;
}
