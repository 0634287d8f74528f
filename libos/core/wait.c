/*
 * wait.c - waiting in a program that has one thread (libos/wait.h).
 *
 * Owns wait_alone.  Weak, so that the thread layer's definitions take their place where it is
 * linked. Called by the POSIX layer, the disk, the console.
 */
#include <libos/call.h>
#include <libos/upcall.h>
#include <libos/wait.h>

RESIDENT uint32_t wait_alone;

__attribute__((weak)) struct exo_result wait_events(uint64_t mask, uint64_t deadline)
{
	return call_wait(mask, deadline);
}

__attribute__((weak)) int wait_shared(void)
{
	return 0;
}

__attribute__((weak)) void wait_turn(void)
{
}

__attribute__((weak)) void wait_turn_end(void)
{
}

__attribute__((weak)) void wait_over(void)
{
	upcall_poll();
}

__attribute__((weak)) void wait_posted(uint64_t events)
{
	(void)events;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): where there are threads it is written */
__attribute__((weak)) void wait_own(uint64_t *word)
{
	(void)word;
}

__attribute__((weak)) void wait_forked(void)
{
}
