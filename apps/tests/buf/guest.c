/*
 * guest.c - runs the suite on the machine: a bare program that was given the extent `blocks`, and
 * whose memory is its own. Prints `ok` and `FAIL` lines.
 */
#include <libos/bare.h>
#include "suite.h"

int main(void);

static void say(const char *name, const char *why, int line)
{
	if (why)
		bare_print("FAIL buf/%s %s: %s:%d\n", buf_policy_name, name, why, (int64_t)line);
	else
		bare_print("ok buf/%s %s\n", buf_policy_name, name);
}

int main(void)
{
	struct suite s = {
		.frames = bare_pages(SUITE_FRAMES),
		.region = bare_pages(SUITE_REGION / DISK_BLOCK),
		.page = bare_pages(1),
		.say = say,
	};

	if (!s.frames || !s.region || !s.page || bare_open("blocks", &s.disk)) {
		bare_print("FAIL buf/%s: no memory or no extent `blocks`\n", buf_policy_name);
		return 1;
	}
	return suite_run(&s) != 0;
}
