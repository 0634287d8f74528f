/*
 * seq [FIRST [STEP]] LAST: print whole numbers in order. One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>

static long long number(const char *text)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (!*text || *end || errno)
		tool_die(TOOL_USAGE, "%s: not a whole number", text);
	return value;
}

int main(int argc, char **argv)
{
	long long first = 1, step = 1, last;

	tool_init(argv);
	if (argc < 2 || argc > 4)
		tool_usage("seq [FIRST [STEP]] LAST");
	last = number(argv[argc - 1]);
	if (argc > 2)
		first = number(argv[1]);
	if (argc > 3)
		step = number(argv[2]);
	if (step == 0)
		tool_die(TOOL_USAGE, "the step is 0");
	for (long long at = first; step > 0 ? at <= last : at >= last;) {
		printf("%lld\n", at);
		if (__builtin_add_overflow(at, step, &at))
			break;
	}
	return tool_done(TOOL_OK);
}
