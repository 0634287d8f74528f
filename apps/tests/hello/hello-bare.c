/* hello-bare - says hello, and waits for ever: what an idle bare program costs. */
#include <libos/bare.h>
#include <libos/call.h>

int main(void)
{
	bare_print("hello\n");
	(void)call_wait(EXO_EV_CONSOLE_IN, 0);
	return 0;
}
