/*
 * dirname PATH: print a path without its last part. One process, no lock.
 */
#include "tool.h"

#include <string.h>

int main(int argc, char **argv)
{
	size_t end;

	tool_init(argv);
	if (argc != 2)
		tool_usage("dirname PATH");
	end = strlen(argv[1]);
	while (end > 1 && argv[1][end - 1] == '/')
		end--;
	while (end > 0 && argv[1][end - 1] != '/')
		end--;
	while (end > 1 && argv[1][end - 1] == '/')
		end--;
	printf("%.*s\n", end ? (int)end : 1, end ? argv[1] : ".");
	return tool_done(TOOL_OK);
}
