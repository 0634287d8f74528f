/*
 * yes [WORD]: print a line for ever, until nobody reads it. One process, no lock.
 */
#include "tool.h"

int main(int argc, char **argv)
{
	tool_init(argv);
	while (puts(argc > 1 ? argv[1] : "y") >= 0)
		;
	return tool_done(TOOL_FAIL);
}
