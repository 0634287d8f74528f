/*
 * tail [-n [+]LINES | -c [+]BYTES | -LINES] [FILE...]: the last part of files; +N starts at the
 * N-th line or byte instead. What is kept is at most the wanted part: a growing text for -c, a
 * ring of lines for -n. One process, no lock.
 */
#include "tool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long long limit = 10;
static bool by_bytes, from_start, titles;

static void skip_to(FILE *file)
{
	unsigned long long left = limit ? limit - 1 : 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF) {
		if (left == 0)
			putchar(c);
		else if (by_bytes || c == '\n')
			left--;
	}
}

/* Keep up to 2*limit bytes, dropping the older half whenever they are full. */
static void last_bytes(FILE *file)
{
	size_t room = 4096, used = 0, start;
	char *kept = tool_alloc(room);
	int c;

	while ((c = getc_unlocked(file)) != EOF) {
		if (used == room && used >= 2 * limit) {
			memmove(kept, kept + used - limit, limit);
			used = limit;
		} else if (used == room) {
			room *= 2;
			kept = tool_grow(kept, room);
		}
		kept[used++] = (char)c;
	}
	start = used > limit ? used - limit : 0;
	fwrite(kept + start, 1, used - start, stdout);
	free(kept);
}

static void last_lines(FILE *file)
{
	struct tool_line *ring = NULL, line = {0};
	size_t room = 0, next = 0;
	unsigned long long count = 0;

	if (limit == 0)
		return;
	for (;; count++) {
		struct tool_line old;

		if (next == room && room < limit) {
			const size_t bigger = room ? 2 * room : 16;

			ring = tool_grow(ring, bigger * sizeof(*ring));
			memset(ring + room, 0, (bigger - room) * sizeof(*ring));
			room = bigger;
		}
		if (!tool_line_read(file, &line))
			break;
		old = ring[next]; /* its memory is for the next line */
		ring[next] = line;
		line = old;
		next = next + 1 == limit ? 0 : next + 1;
	}
	for (unsigned long long i = count > limit ? count - limit : 0; i < count; i++) {
		const struct tool_line *kept = &ring[i % limit]; /* NOLINT: limit is not 0 */

		fwrite(kept->text, 1, kept->length, stdout);
		if (kept->ended)
			putchar('\n');
	}
	for (size_t i = 0; i < room; i++)
		free(ring[i].text);
	free(ring);
	free(line.text);
}

static int show(FILE *file, const char *name)
{
	static bool again;

	if (titles)
		printf("%s==> %s <==\n", again ? "\n" : "",
		       strcmp(name, "-") ? name : "standard input");
	again = true;
	if (from_start)
		skip_to(file);
	else if (by_bytes)
		last_bytes(file);
	else
		last_lines(file);
	return TOOL_OK;
}

static void set_limit(const char *text)
{
	from_start = *text == '+';
	limit = tool_number(text + (*text == '+' || *text == '-'));
}

int main(int argc, char **argv)
{
	int c;

	tool_init(argv);
	if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) {
		set_limit(argv[1]);
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	while ((c = tool_option(argc, argv, "n:c:", "tail [-n LINES | -c BYTES] [FILE...]")) !=
	       -1) {
		by_bytes = c == 'c';
		set_limit(optarg);
	}
	titles = argc - optind > 1;
	return tool_done(tool_each(argv + optind, show));
}
