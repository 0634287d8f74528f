/*
 * buf_host.c - runs the suite of the buffer cache (apps/tests/buf) on this machine, over a disk in
 * memory.
 */
#include <stdlib.h>
#include "../../../apps/tests/buf/suite.h"
#include "../fs/host.h"

static void say(const char *name, const char *why, int line)
{
	if (why != NULL)
		printf("FAIL buf/%s %s: %s:%d\n", buf_policy_name, name, why, line);
	else
		printf("ok buf/%s %s\n", buf_policy_name, name);
}

int main(void)
{
	struct suite s = {
		.disk = disk_new(SUITE_BLOCKS),
		.frames = host_pages((size_t)SUITE_FRAMES * BUF_SIZE),
		.region = host_pages(SUITE_REGION),
		.page = host_pages(BUF_SIZE),
		.say = say,
	};
	const int failed = suite_run(&s);

	disk_free(s.disk);
	free(s.frames);
	free(s.region);
	free(s.page);
	return failed != 0;
}
