/*
 * timer.c - owns the heap of deadlines.
 *
 * Invariant: a parent's deadline is not after its children's; timer_place[timer_heap[i]] == i + 1.
 * No lock: one CPU in the kernel.  Called by event.c, env.c and the timer interrupt.
 */
#include "timer.h"
#include "env.h"
#include "event.h"
#include "wake.h"

uint16_t timer_heap[EXO_NENV];
uint16_t timer_place[EXO_NENV];
uint32_t timer_count;

enum { HEAP_LEVELS = 11 }; /* 2^11 > EXO_NENV */

/* e stands at index i from now on. */
/*@ requires i < EXO_NENV && e < EXO_NENV;
    assigns timer_heap[i], timer_place[e]; */
static void place(uint32_t i, uint16_t e)
{
	timer_heap[i] = e;
	timer_place[e] = (uint16_t)(i + 1);
}

/* Finds e's index from i towards the root. */
/*@ requires i < timer_count <= EXO_NENV && e < EXO_NENV;
    assigns timer_heap[0 .. timer_count - 1], timer_place[0 .. EXO_NENV - 1]; */
static void rise(uint32_t i, uint16_t e)
{
	/*@ loop invariant i < timer_count && 0 <= n <= HEAP_LEVELS;
	    loop assigns n, i, timer_heap[0 .. timer_count - 1], timer_place[0 .. EXO_NENV - 1];
	    loop variant HEAP_LEVELS - n; */
	for (uint32_t n = 0; n < HEAP_LEVELS && i != 0; n++) {
		const uint32_t parent = (i - 1) / 2;

		if (envs[timer_heap[parent]].deadline <= envs[e].deadline)
			break;
		place(i, timer_heap[parent]);
		i = parent;
	}
	place(i, e);
}

/* Finds e's index from i towards the leaves. */
/*@ requires i < timer_count <= EXO_NENV && e < EXO_NENV;
    assigns timer_heap[0 .. timer_count - 1], timer_place[0 .. EXO_NENV - 1]; */
static void sink(uint32_t i, uint16_t e)
{
	/*@ loop invariant i < timer_count && 0 <= n <= HEAP_LEVELS;
	    loop assigns n, i, timer_heap[0 .. timer_count - 1], timer_place[0 .. EXO_NENV - 1];
	    loop variant HEAP_LEVELS - n; */
	for (uint32_t n = 0; n < HEAP_LEVELS; n++) {
		uint32_t child = 2 * i + 1;

		if (child >= timer_count)
			break;
		if (child + 1 < timer_count &&
		    envs[timer_heap[child + 1]].deadline < envs[timer_heap[child]].deadline)
			child++;
		if (envs[e].deadline <= envs[timer_heap[child]].deadline)
			break;
		place(i, timer_heap[child]);
		i = child;
	}
	place(i, e);
}

/*@ requires 0 < e < EXO_NENV && timer_place[e] == 0 && timer_count < EXO_NENV;
    ensures timer_place[e] != 0; */
void timer_add(uint32_t e)
{
	timer_count++;
	rise(timer_count - 1, (uint16_t)e);
}

/*@ requires e < EXO_NENV;
    ensures timer_place[e] == 0; */
void timer_drop(uint32_t e)
{
	const uint32_t i = timer_place[e] - 1u;

	if (timer_place[e] == 0)
		return;
	timer_place[e] = 0;
	timer_count--;
	if (i == timer_count)
		return;

	const uint16_t last = timer_heap[timer_count];

	if (i != 0 && envs[last].deadline < envs[timer_heap[(i - 1) / 2]].deadline)
		rise(i, last);
	else
		sink(i, last);
}

void timer_expire(uint64_t now)
{
	/*@ loop invariant 0 <= n <= TIMER_BATCH;
	    loop variant TIMER_BATCH - n; */
	for (uint32_t n = 0; n < TIMER_BATCH; n++) {
		if (timer_count == 0 || envs[timer_heap[0]].deadline > now)
			return;
		wake_over(timer_heap[0]);
		event_wake(timer_heap[0], EXO_TIMEOUT, 0);
	}
}
