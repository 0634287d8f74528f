/*
 * othercache - a program that must not get as far as main: the cache that the POSIX processes share
 * is managed by another policy than it is linked with.
 */
#include <stdio.h>

int main(void)
{
	return puts("othercache: it was let in") == EOF;
}
