/*
 * The program slots: lib/slots.c does the work, which it shares with the shell.
 */
#include "command.h"
#include "tool.h"

int main(int argc, char **argv)
{
	tool_init(argv);
	return tool_done(command_slots(argc, argv));
}
