/* hello-posix - says hello, and waits for a signal: what an idle POSIX program costs. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	puts("hello");
	fflush(stdout);
	return pause();
}
