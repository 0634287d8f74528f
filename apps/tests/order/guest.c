/*
 * guest.c - runs the suite on the machine: a bare program that was given the extent `blocks`.
 * Prints `ok` and `FAIL` lines.
 */
#include <libos/bare.h>
#include "suite.h"

int main(void);

static void say(const char *name, const char *why, int line)
{
	if (why)
		bare_print("FAIL order/%s %s: %s:%d\n", order_name, name, why, (int64_t)line);
	else
		bare_print("ok order/%s %s\n", order_name, name);
}

int main(void)
{
	struct suite s = {.pages = bare_pages(SUITE_PAGES), .say = say};

	if (!s.pages || bare_open("blocks", &s.disk)) {
		bare_print("FAIL order/%s: no memory or no extent `blocks`\n", order_name);
		return 1;
	}
	return suite_run(&s, order_name) != 0;
}
