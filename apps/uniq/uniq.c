/*
 * uniq [-cdu] [FILE]: join equal lines that follow each other; -c counts them, -d shows only those
 * that repeat, -u only those that do not. One process, no lock.
 */
#include "tool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool counted, repeated, single;

static void show(const struct tool_line *line, unsigned long count)
{
	if (count == 0 || (repeated && count == 1) || (single && count > 1))
		return;
	if (counted)
		printf("%7lu ", count);
	puts(line->text);
}

static int join(FILE *file, const char *name)
{
	struct tool_line lines[2] = {{0}};
	unsigned long count = 0;
	int next = 0;

	(void)name;
	while (tool_line_read(file, &lines[next])) {
		if (count && !strcmp(lines[next].text, lines[!next].text)) {
			count++;
			continue;
		}
		show(&lines[!next], count);
		count = 1;
		next = !next;
	}
	show(&lines[!next], count);
	free(lines[0].text);
	free(lines[1].text);
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	int c;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "cdu", "uniq [-cdu] [FILE]")) != -1) {
		counted |= c == 'c';
		repeated |= c == 'd';
		single |= c == 'u';
	}
	return tool_done(tool_each(argv + optind, join));
}
