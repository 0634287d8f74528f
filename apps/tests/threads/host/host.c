/*
 * host.c - the tests of pthreads on this machine's own pthreads: shows that they ask for what POSIX
 * says, and not for what ours does.  Exit status: 0 when all are ok.  Called by `make host-test`.
 */
#include "../threads.h"

static char why[256];

void check_failed(const char *file, int line, const char *condition)
{
	if (!why[0])
		snprintf(why, sizeof(why), "%s:%d: %s (errno %d)", file, line, condition, errno);
}

static int run(const struct check *checks)
{
	int failures = 0;

	for (; checks->name; checks++) {
		why[0] = 0;
		checks->run();
		printf("%s %s: %s\n", why[0] ? "FAIL" : "ok", checks->name, why);
		failures += why[0] != 0;
	}
	return failures;
}

int main(void)
{
	return run(pthread_checks) + run(pthread_sync_checks) + run(pthread_regress_checks) +
		       run(pthread_attr_checks) + run(pthread_signal_checks) +
		       run(pthread_torture_checks) !=
	       0;
}
