/*
 * wants PAGES ROUNDS - asks init for pages (env=init:r in the manifest), once `go` runs.
 *
 * Each round wants PAGES frames more than init has left over.  Prints an `ok` or `FAIL` line a
 * round: the pages must come, none of them by force.
 */
#include <libos/bare.h>
#include <libos/layout.h>
#include <libos/revoke.h>
#include <libos/start.h>
#include <libos/tables.h>

int main(void);

enum { INIT = 1, MS = 1000000, PATIENCE_MS = 30000 };

static uint32_t number(const char *text)
{
	uint32_t n = 0;

	for (; text && *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint32_t)(*text - '0');
	return n;
}

static int ask(uint32_t round, uint32_t pages)
{
	const uint32_t spare = tables_quota_limit(INIT)->n[EXO_QUOTA_PAGES] -
			       tables_quota_used(INIT)->n[EXO_QUOTA_PAGES];
	uint32_t forced = 0;
	const int64_t got = revoke_pages(LAYOUT_CAP_ENV, INIT, spare + pages,
					 time_now() + PATIENCE_MS * (uint64_t)MS, &forced);
	const int good = got == spare + pages && forced == 0;

	bare_print("%s wants round %u: %u pages more than the %u left over, %u by force\n",
		   good ? "ok" : "FAIL", (uint64_t)round, (uint64_t)pages, (uint64_t)spare,
		   (uint64_t)forced);
	return !good;
}

int main(void)
{
	char **const argv = start_args()->argv;
	int failed = 0;

	while (tables_find("go") == 0)
		(void)time_sleep_until(time_now() + MS, 0);
	for (uint32_t round = 1; round <= number(argv[2]); round++)
		failed |= ask(round, number(argv[1]));
	return failed;
}
