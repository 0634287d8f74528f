/*
 * echo [-neE] WORD...: print the words. -n leaves out the newline, -e understands escapes.
 * Stateless. Called by the program echo and by the shell.
 */
#include "command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Value of up to `most` digits of base 8 or 16 at *at, which moves past them. */
static int digits(const char **at, int base, int most)
{
	static const char set[] = "0123456789abcdef";
	int value = 0;

	for (; most > 0 && **at; most--, (*at)++) {
		const char c = **at >= 'A' && **at <= 'F' ? (char)(**at + 32) : **at;
		const char *digit = memchr(set, c, (size_t)base);

		if (!digit)
			break;
		value = value * base + (int)(digit - set);
	}
	return value;
}

/* Print one word with its escapes. False if it held \c: stop all output. */
static bool put_escaped(const char *at)
{
	static const char from[] = "abefnrtv\\", to[] = "\a\b\033\f\n\r\t\v\\";

	while (*at) {
		const char c = *at++;
		const char *known;

		if (c != '\\' || !*at) {
			putchar(c);
			continue;
		}
		known = strchr(from, *at);
		if (known) {
			putchar(to[known - from]);
			at++;
		} else if (*at == 'c') {
			return false;
		} else if (*at == '0') {
			at++;
			putchar(digits(&at, 8, 3));
		} else if (*at == 'x') {
			at++;
			putchar(digits(&at, 16, 2));
		} else {
			putchar('\\');
		}
	}
	return true;
}

int command_echo(int argc, char **argv)
{
	bool newline = true, escapes = false;
	int i;

	for (i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-' || !word[1] || strspn(word + 1, "neE") != strlen(word + 1))
			break;
		for (word++; *word; word++) {
			if (*word == 'n')
				newline = false;
			else
				escapes = *word == 'e';
		}
	}
	for (const int first = i; i < argc; i++) {
		if (i > first)
			putchar(' ');
		if (!escapes)
			fputs(argv[i], stdout);
		else if (!put_escaped(argv[i]))
			return 0;
	}
	if (newline)
		putchar('\n');
	return 0;
}
