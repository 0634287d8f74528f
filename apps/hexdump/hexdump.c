/*
 * hexdump [-C] [-n BYTES] [-s SKIP] [FILE...]: show bytes in hexadecimal, sixteen a line, with
 * their text under -C; lines that repeat are shown as one `*`. One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 16 };

static bool canonical, starred;
static unsigned long long limit = ~0ULL, skip, at;
static unsigned char row[WIDTH], last[WIDTH];
static size_t filled;

static void show_canonical(void)
{
	printf("%08llx ", at);
	for (size_t i = 0; i < WIDTH; i++) {
		fputs(i == WIDTH / 2 ? "  " : " ", stdout);
		if (i < filled)
			printf("%02x", row[i]);
		else
			fputs("  ", stdout);
	}
	fputs("  |", stdout);
	for (size_t i = 0; i < filled; i++)
		putchar(row[i] >= ' ' && row[i] < 127 ? row[i] : '.');
	puts("|");
}

static void show_words(void)
{
	printf("%07llx", at);
	for (size_t i = 0; i < WIDTH; i += 2) {
		if (i + 1 < filled)
			printf(" %02x%02x", row[i + 1], row[i]);
		else if (i < filled)
			printf(" 00%02x", row[i]);
		else
			fputs("     ", stdout);
	}
	putchar('\n');
}

static void end_row(void)
{
	static bool any;

	if (filled == 0)
		return;
	if (any && filled == WIDTH && memcmp(row, last, WIDTH) == 0) {
		if (!starred)
			puts("*");
		starred = true;
	} else {
		starred = false;
		if (canonical)
			show_canonical();
		else
			show_words();
	}
	any = true;
	memcpy(last, row, WIDTH);
	at += filled;
	filled = 0;
}

static int dump(FILE *file, const char *name)
{
	int c;

	(void)name;
	while (limit > 0 && (c = getc_unlocked(file)) != EOF) {
		if (skip > 0) {
			skip--;
			at++;
			continue;
		}
		row[filled++] = (unsigned char)c;
		limit--;
		if (filled == WIDTH)
			end_row();
	}
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	int c, status;

	tool_init(argv);
	while ((c = tool_option(argc, argv,
				"Cn:s:", "hexdump [-C] [-n BYTES] [-s SKIP] [FILE...]")) != -1) {
		if (c == 'C')
			canonical = true;
		else if (c == 'n')
			limit = tool_number(optarg);
		else
			skip = tool_number(optarg);
	}
	status = tool_each(argv + optind, dump);
	end_row();
	if (at > 0)
		printf(canonical ? "%08llx\n" : "%07llx\n", at);
	return tool_done(status);
}
