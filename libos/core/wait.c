/*
 * wait.c - waiting in a program that has one thread (libos/wait.h).
 *
 * Owns nothing.  Weak, so that the thread layer's definitions take their place where it is linked.
 * Called by the POSIX layer, the disk, the console.
 */
#include <libos/call.h>
#include <libos/wait.h>

__attribute__((weak)) struct exo_result wait_events(uint64_t mask, uint64_t deadline)
{
	return call_wait(mask, deadline);
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
