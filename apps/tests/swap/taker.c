/*
 * taker - asks `swapper`, for which it has a capability, for pages, several times, and gets them
 * without force.  It waits until that one has filled its memory.
 */
#include <libos/bare.h>
#include <libos/layout.h>
#include <libos/revoke.h>
#include <libos/tables.h>

enum { TIMES = 3, PAGES = 4, FEW = 128, MS = 1000000 };

static uint32_t unused(uint32_t e)
{
	return tables_quota_limit(e)->n[EXO_QUOTA_PAGES] - tables_quota_used(e)->n[EXO_QUOTA_PAGES];
}

int main(void)
{
	const uint32_t e = (uint32_t)(tables_find("swapper") & 0xffff);
	uint32_t got = 0, forced = 0, one;

	while (tables_find("swapper") && unused(e) > FEW)
		(void)time_sleep_until(time_now() + MS, 0);
	for (int i = 0; i < TIMES; i++) {
		const int64_t n = revoke_pages(LAYOUT_CAP_ENV, e, unused(e) + PAGES,
					       time_now() + 3000ull * MS, &one);

		got += n > 0 ? (uint32_t)n : 0;
		forced += one;
		(void)time_sleep_until(time_now() + 20 * MS, 0);
	}
	bare_print("%s taker: asked %u times, got %u pages, %u by force\n",
		   got >= TIMES * PAGES && !forced ? "ok" : "FAIL", (uint64_t)TIMES, (uint64_t)got,
		   (uint64_t)forced);
	return got < TIMES * PAGES || forced;
}
