/*
 * time.c - the clock, computed from the processor's counter as the info page says.
 * Owns nothing.  The kernel computes its own time by the same formula.
 */
#include <libos/tables.h>
#include <libos/time.h>
#include <libos/wait.h>

uint64_t time_now(void)
{
	const volatile struct exo_info *info = tables_info();
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)((unsigned __int128)(((uint64_t)high << 32 | low) - info->tsc_base) *
				  info->ns_mult >>
			  32);
}

uint64_t time_real(void)
{
	return tables_info()->epoch * 1000000000ull + time_now();
}

uint64_t time_sleep_until(uint64_t deadline, uint64_t mask)
{
	return wait_events(mask, deadline ? deadline : 1).value;
}
