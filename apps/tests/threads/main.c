/*
 * main.c - the tests of threads, in a program linked with one scheduler.
 *
 * usage: threads-VARIANT [measure].  Exit status: 0 when all are ok.  Called by
 * apps/tests/guest.tests.
 */
#include <stdlib.h>
#include <string.h>
#include <libos/sched.h>
#include "threads.h"

static int failures;
static char why[256]; /* of the test that runs; "": it holds so far */

const char *check_self;

void check_failed(const char *file, int line, const char *condition)
{
	if (!why[0])
		snprintf(why, sizeof(why), "%s:%d: %s (errno %d)", file, line, condition, errno);
}

static void run(const struct check *checks)
{
	for (; checks->name; checks++) {
		why[0] = 0;
		checks->run();
		printf("%s %s: %s%s%s\n", why[0] ? "FAIL" : "ok", sched_name, checks->name,
		       why[0] ? ": " : "", why);
		fflush(stdout);
		failures += why[0] != 0;
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "measure") == 0) {
		policy_measure();
		return 0;
	}
	check_self = argv[0];
	run(thread_checks);
	run(wait_checks);
	run(handler_checks);
	run(pthread_checks);
	run(pthread_sync_checks);
	run(pthread_regress_checks);
	run(regress_checks);
	run(pthread_attr_checks);
	run(pthread_signal_checks);
	run(pthread_torture_checks);
	run(policy_checks);
	return failures != 0;
}
