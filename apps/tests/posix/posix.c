/*
 * posix.c - the POSIX layer's conformance tests: runs every test of this folder, in an empty
 * directory of its own.  With an argument it is the child of a test (child.c).
 * Exit status: 0 when all are ok.  Single-threaded.  Called by apps/tests/guest.tests.
 */
#include "check.h"
#include "child.h"

#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>

#define PLACE "/posix-test"

static int failures;
static char why[256]; /* of the test that runs; "": it holds so far */

const char *check_self;

void check_failed(const char *file, int line, const char *condition)
{
	snprintf(why, sizeof(why), "%s:%d: %s (errno %d)", file, line, condition, errno);
}

static void run(const struct check *checks)
{
	for (; checks->name; checks++) {
		why[0] = 0;
		checks->run();
		if (why[0])
			printf("FAIL %s: %s\n", checks->name, why);
		else
			printf("ok %s\n", checks->name);
		fflush(stdout);
		failures += why[0] != 0;
	}
}

int main(int argc, char **argv)
{
	static const struct check *const all[] = {
		file_checks,   name_checks,	pipe_checks,   process_checks, fork_checks,
		signal_checks, terminal_checks, system_checks, lock_checks,
	};

	check_self = argv[0];
	if (argc > 1)
		return child_main(argc, argv);
	if (argv[0][0] != '/') {
		printf("FAIL place: start this program by its absolute path\n");
		return 1;
	}
	if ((mkdir(PLACE, 0755) && errno != EEXIST) || chdir(PLACE)) {
		printf("FAIL place: cannot stand in %s: %s\n", PLACE, strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		run(all[i]);
	(void)chdir("/");
	if (rmdir(PLACE)) {
		printf("FAIL place: %s is not empty in the end: %s\n", PLACE, strerror(errno));
		failures++;
	}
	return failures != 0;
}
