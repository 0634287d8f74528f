/*
 * basename PATH [SUFFIX]: print the last part of a path, without the suffix. One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	char *base;

	tool_init(argv);
	if (argc != 2 && argc != 3)
		tool_usage("basename PATH [SUFFIX]");
	base = tool_base(argv[1]);
	if (argc == 3) {
		const size_t length = strlen(base), cut = strlen(argv[2]);

		if (cut < length && !strcmp(base + length - cut, argv[2]))
			base[length - cut] = 0;
	}
	puts(base);
	free(base);
	return tool_done(TOOL_OK);
}
