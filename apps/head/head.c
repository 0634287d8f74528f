/*
 * head [-n LINES | -c BYTES | -LINES] [FILE...]: the first part of files. One process, no lock.
 */
#include "tool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long long limit = 10;
static bool by_bytes, titles;

static int show(FILE *file, const char *name)
{
	static bool again;
	unsigned long long left = limit;
	int c;

	if (titles)
		printf("%s==> %s <==\n", again ? "\n" : "",
		       strcmp(name, "-") ? name : "standard input");
	again = true;
	while (left > 0 && (c = getc_unlocked(file)) != EOF) {
		putchar(c);
		if (by_bytes || c == '\n')
			left--;
	}
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	int c;

	tool_init(argv);
	if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) {
		limit = tool_number(argv[1] + 1);
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	while ((c = tool_option(argc, argv, "n:c:", "head [-n LINES | -c BYTES] [FILE...]")) !=
	       -1) {
		by_bytes = c == 'c';
		limit = tool_number(optarg);
	}
	titles = argc - optind > 1;
	return tool_done(tool_each(argv + optind, show));
}
