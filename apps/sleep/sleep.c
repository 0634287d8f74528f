/*
 * sleep SECONDS...: wait for the sum of the given times; fractions are allowed. The text is read
 * as digits, so nothing is lost to rounding. One process, no lock.
 */
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NANO = 1000000000 };

static struct timespec parse(const char *text)
{
	struct timespec time = {0};
	const char *at = text;
	long unit = NANO / 10;

	for (; isdigit((unsigned char)*at) && time.tv_sec < 100000000; at++)
		time.tv_sec = time.tv_sec * 10 + (*at - '0');
	if (*at == '.')
		for (at++; isdigit((unsigned char)*at); at++, unit /= 10)
			time.tv_nsec += unit * (*at - '0');
	if (*at || at == text || !strcmp(text, "."))
		tool_die(TOOL_USAGE, "%s: not a time", text);
	return time;
}

int main(int argc, char **argv)
{
	struct timespec total = {0};

	tool_init(argv);
	if (argc < 2)
		tool_usage("sleep SECONDS...");
	for (argv++; *argv; argv++) {
		const struct timespec one = parse(*argv);

		total.tv_sec += one.tv_sec + (total.tv_nsec + one.tv_nsec) / NANO;
		total.tv_nsec = (total.tv_nsec + one.tv_nsec) % NANO;
	}
	while (nanosleep(&total, &total) != 0)
		if (errno != EINTR)
			return tool_warn_errno("nanosleep");
	return TOOL_OK;
}
