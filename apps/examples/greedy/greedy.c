/*
 * greedy - a program that takes all the CPU time it can get, for examples beside it.
 *
 * usage: greedy PROGRAM.  Spins, never yields, until an environment of that name has come and gone.
 */
#include <libos/bare.h>
#include <libos/tables.h>

int main(int argc, char **argv);

enum { SPIN = 100000 };

static void spin(void)
{
	for (uint32_t i = 0; i < SPIN; i++)
		__asm__ volatile("");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		bare_print("usage: greedy PROGRAM\n");
		return 2;
	}
	while (tables_find(argv[1]) == 0)
		spin();
	while (tables_find(argv[1]) != 0)
		spin();
	return 0;
}
