/*
 * monitor - answers questions about the kernel at the console when nothing else does any more.
 *
 * Owns what is typed between two Ctrl-]: the kernel takes the input from everybody else then, and
 * wakes it.  It needs nobody: CPU slots, pages and a principal of its own, no file system, nothing
 * shared; all that it shows are the tables that every program sees.  Never ends.  Called by init.
 */
#include "monitor.h"

#include <errno.h>
#include <string.h>
#include <libos/bare.h>
#include <libos/console.h>
#include <libos/wait.h>

enum { LINE = 64, BACKSPACE = 8, RUBOUT = 127, KILL_LINE = 21 };

static char line[LINE];
static uint32_t length;

static void prompt(void)
{
	length = 0;
	bare_print("monitor> ");
}

/* The word at *at, which is moved behind it; one that is too long is cut. */
static void next_word(const char **at, char word[MONITOR_WORD])
{
	uint32_t n = 0;

	*at += strspn(*at, " ");
	for (; **at && **at != ' '; (*at)++)
		if (n + 1 < MONITOR_WORD)
			word[n++] = **at;
	word[n] = 0;
}

static void run(void)
{
	char name[MONITOR_WORD], argument[MONITOR_WORD], more[MONITOR_WORD];
	const char *at = line;

	line[length] = 0;
	next_word(&at, name);
	next_word(&at, argument);
	next_word(&at, more);
	if (more[0])
		bare_print("a command has one argument at most\r\n");
	else if (name[0])
		show_command(name, argument);
}

static void rub_out(void)
{
	bare_print("\b \b");
	length--;
}

static void typed(char c)
{
	if (c == EXO_ATTENTION) {
		bare_print("\r\n");
		prompt();
	} else if (c == '\r' || c == '\n') {
		bare_print("\r\n");
		run();
		prompt();
	} else if (c == BACKSPACE || c == RUBOUT || c == KILL_LINE) {
		do {
			if (length)
				rub_out();
		} while (c == KILL_LINE && length);
	} else if (c >= ' ' && length + 1 < LINE) {
		line[length++] = c;
		(void)console_write(&c, 1);
	}
}

int main(void)
{
	char bytes[LINE];

	for (;;) {
		const int64_t n = console_read_some(bytes, sizeof(bytes));

		for (int64_t i = 0; i < n; i++)
			typed(bytes[i]);
		if (n == -EAGAIN)
			wait_events(EXO_EV_CONSOLE_IN, 0);
		else if (n < 0)
			return 1; /* started without the right to read */
	}
}
