/*
 * tr [-d | -s] SET [SET]: replace, delete (-d) or squeeze (-s) bytes. Sets know ranges a-z and the
 * escapes \n \t \r \\. One process, no lock.
 */
#include "tool.h"

#include <string.h>
#include <unistd.h>

static const char usage[] = "tr [-d | -s] SET [SET]";

struct set {
	unsigned char at[256];
	size_t count;
};

static unsigned char take(const char **at)
{
	static const char from[] = "ntr\\", to[] = "\n\t\r\\";
	const char *known;

	if (**at != '\\' || !(*at)[1])
		return (unsigned char)*(*at)++;
	(*at)++;
	known = strchr(from, **at);
	return (unsigned char)(known ? (*at)++, to[known - from] : *(*at)++);
}

static struct set parse(const char *text)
{
	struct set set = {.count = 0};

	while (*text) {
		const unsigned first = take(&text);
		unsigned last = first;

		if (*text == '-' && text[1]) {
			text++;
			last = take(&text);
		}
		if (last < first)
			tool_die(TOOL_USAGE, "a range runs backwards");
		for (unsigned c = first; c <= last && set.count < sizeof(set.at); c++)
			set.at[set.count++] = (unsigned char)c;
	}
	return set;
}

int main(int argc, char **argv)
{
	bool delete = false, squeeze = false, member[256] = {false};
	unsigned char map[256];
	struct set from, to = {.count = 0};
	int c, last = EOF;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "ds", usage)) != -1)
		*(c == 'd' ? &delete : &squeeze) = true;
	if (argc - optind < 1 || argc - optind > 2 || (!delete &&!squeeze && argc - optind != 2))
		tool_usage(usage);
	from = parse(argv[optind]);
	if (argc - optind == 2)
		to = parse(argv[optind + 1]);
	for (int i = 0; i < 256; i++)
		map[i] = (unsigned char)i;
	for (size_t i = 0; i < from.count; i++) {
		if (to.count && !delete)
			map[from.at[i]] = to.at[i < to.count ? i : to.count - 1];
		member[delete || !to.count ? from.at[i] : map[from.at[i]]] = true;
	}
	while ((c = getchar()) != EOF) {
		const int out = map[c];

		if (delete &&member[c])
			continue;
		if (!squeeze || out != last || !member[out])
			putchar(out);
		last = out;
	}
	return tool_done(ferror(stdin) ? tool_warn_errno("stdin") : TOOL_OK);
}
