/*
 * wc [-lwc] [FILE...]: count lines, words and bytes. One process, no lock.
 */
#include "tool.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

struct count {
	unsigned long long lines, words, bytes;
};

static struct count total;
static bool lines, words, bytes;

static void show(const struct count *count, const char *name)
{
	const char *gap = "";
	const int width = lines + words + bytes > 1 ? 7 : 1;

	if (lines) {
		printf("%*llu", width, count->lines);
		gap = " ";
	}
	if (words) {
		printf("%s%*llu", gap, width, count->words);
		gap = " ";
	}
	if (bytes)
		printf("%s%*llu", gap, width, count->bytes);
	printf("%s%s\n", name ? " " : "", name ? name : "");
}

static int count_file(FILE *file, const char *name)
{
	static unsigned char buffer[TOOL_BUFFER];
	struct count count = {0};
	bool inside = false;
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0) {
		count.bytes += n;
		for (size_t i = 0; i < n; i++) {
			const bool space = isspace(buffer[i]);

			count.lines += buffer[i] == '\n';
			count.words += !space && !inside;
			inside = !space;
		}
	}
	total.lines += count.lines;
	total.words += count.words;
	total.bytes += count.bytes;
	if (!ferror(file))
		show(&count, strcmp(name, "-") ? name : NULL);
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	int c, status;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "lwc", "wc [-lwc] [FILE...]")) != -1) {
		lines |= c == 'l';
		words |= c == 'w';
		bytes |= c == 'c';
	}
	if (!lines && !words && !bytes)
		lines = words = bytes = true;
	status = tool_each(argv + optind, count_file);
	if (argc - optind > 1)
		show(&total, "total");
	return tool_done(status);
}
