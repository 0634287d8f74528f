/*
 * date [-u] [-d @SECONDS] [+FORMAT]: print the time, or that many seconds after 1970 began.
 * One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "date [-u] [-d @SECONDS] [+FORMAT]";

int main(int argc, char **argv)
{
	const char *format = "%a %b %e %H:%M:%S UTC %Y";
	const struct tm *parts;
	char text[512];
	time_t when = time(NULL);
	bool utc = false;
	int c;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "ud:", usage)) != -1) {
		if (c == 'u')
			utc = true;
		else if (*optarg == '@')
			when = (time_t)tool_number(optarg + 1);
		else
			tool_usage(usage);
	}
	if (argc - optind > 1 || (optind < argc && *argv[optind] != '+'))
		tool_usage(usage);
	if (optind < argc)
		format = argv[optind] + 1;
	else if (!utc && getenv("TZ"))
		format = "%a %b %e %H:%M:%S %Z %Y";
	parts = utc ? gmtime(&when) : localtime(&when);
	if (!parts)
		tool_die(TOOL_FAIL, "the time cannot be shown");
	text[0] = 0;
	if (*format && strftime(text, sizeof(text), format, parts) == 0)
		tool_die(TOOL_FAIL, "%s: gives nothing, or too much", format);
	puts(text);
	return tool_done(TOOL_OK);
}
