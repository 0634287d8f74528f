/*
 * sort [-nru] [-t CHAR] [-k FIELD[,LAST]] [FILE...]: sort lines in byte order, or by number.
 * A merge sort over pointers: stable, and never slow. One process, no lock.
 */
#include "tool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] = "sort [-nru] [-t CHAR] [-k FIELD[,LAST]] [FILE...]";
static bool numeric, reverse, unique;
static int separator; /* 0: runs of blanks */
static unsigned long first_field, last_field;
static char **lines;
static size_t count, room;

struct key {
	const char *at;
	size_t length;
};

static const char *skip_field(const char *at)
{
	if (separator) {
		while (*at && *at != separator)
			at++;
		return at;
	}
	while (isblank((unsigned char)*at))
		at++;
	while (*at && !isblank((unsigned char)*at))
		at++;
	return at;
}

static struct key key_of(const char *line)
{
	const char *start = line, *end;

	if (!first_field)
		return (struct key){line, strlen(line)};
	for (unsigned long i = 1; i < first_field && *start; i++) {
		start = skip_field(start);
		if (separator && *start)
			start++;
	}
	if (!last_field)
		return (struct key){start, strlen(start)};
	end = start;
	for (unsigned long i = first_field; i <= last_field && *end; i++) {
		if (separator && i > first_field)
			end++;
		end = skip_field(end);
	}
	return (struct key){start, (size_t)(end - start)};
}

/* A number as text: sign, digits before and after the point, without useless zeros. */
struct number {
	bool negative;
	const char *whole, *fraction;
	size_t whole_length, fraction_length;
};

static struct number number_of(struct key key)
{
	const char *at = key.at, *end = key.at + key.length;
	struct number n = {0};

	while (at < end && isblank((unsigned char)*at))
		at++;
	if (at < end && *at == '-') {
		n.negative = true;
		at++;
	}
	while (at < end && *at == '0')
		at++;
	for (n.whole = at; at < end && isdigit((unsigned char)*at); at++)
		n.whole_length++;
	n.fraction = at + 1;
	if (at < end && *at == '.')
		for (at++; at < end && isdigit((unsigned char)*at); at++)
			n.fraction_length++;
	while (n.fraction_length && n.fraction[n.fraction_length - 1] == '0')
		n.fraction_length--;
	if (n.whole_length == 0 && n.fraction_length == 0)
		n.negative = false;
	return n;
}

static int compare_text(const char *a, size_t a_length, const char *b, size_t b_length)
{
	const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_numbers(struct key left, struct key right)
{
	const struct number a = number_of(left), b = number_of(right);
	int order;

	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	order = (a.whole_length > b.whole_length) - (a.whole_length < b.whole_length);
	if (!order)
		order = compare_text(a.whole, a.whole_length, b.whole, b.whole_length);
	if (!order)
		order = compare_text(a.fraction, a.fraction_length, b.fraction, b.fraction_length);
	return a.negative ? -order : order;
}

static int compare_keys(const char *left, const char *right)
{
	const struct key a = key_of(left), b = key_of(right);

	return numeric ? compare_numbers(a, b) : compare_text(a.at, a.length, b.at, b.length);
}

static int compare(const char *left, const char *right)
{
	int order = compare_keys(left, right);

	if (order == 0 && !unique)
		order = strcmp(left, right);
	return reverse ? -order : order;
}

/* Sort n lines at `a`, with room for n more pointers at `spare`. */
static void merge_sort(char **a, size_t n, char **spare)
{
	const size_t half = n / 2;
	size_t left = 0, right = half;

	if (n < 2)
		return;
	merge_sort(a, half, spare);
	merge_sort(a + half, n - half, spare);
	memcpy(spare, a, n * sizeof(*a));
	for (size_t i = 0; i < n; i++) {
		if (right == n || (left < half && compare(spare[left], spare[right]) <= 0))
			a[i] = spare[left++];
		else
			a[i] = spare[right++];
	}
}

static int collect(FILE *file, const char *name)
{
	struct tool_line line = {0};

	(void)name;
	while (tool_line_read(file, &line)) {
		if (count == room) {
			room = room ? 2 * room : 256;
			lines = tool_grow(lines, room * sizeof(*lines));
		}
		lines[count++] = tool_copy(line.text);
	}
	free(line.text);
	return TOOL_OK;
}

static void set_key(const char *text)
{
	char *end;

	first_field = strtoul(text, &end, 10);
	if (*end == ',')
		last_field = strtoul(end + 1, &end, 10);
	for (; *end == 'n' || *end == 'r'; end++) {
		numeric |= *end == 'n';
		reverse |= *end == 'r';
	}
	if (*end || !first_field || (last_field && last_field < first_field))
		tool_die(TOOL_USAGE, "%s: not a key", text);
}

static void show(void)
{
	const char *last = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!unique || !last || compare_keys(last, lines[i]) != 0)
			puts(lines[i]);
		last = lines[i];
	}
}

int main(int argc, char **argv)
{
	char **spare;
	int c, status;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "nrut:k:", usage)) != -1) {
		numeric |= c == 'n';
		reverse |= c == 'r';
		unique |= c == 'u';
		if (c == 't')
			separator = (unsigned char)*optarg;
		else if (c == 'k')
			set_key(optarg);
	}
	status = tool_each(argv + optind, collect) ? TOOL_USAGE : TOOL_OK;
	spare = tool_alloc(count * sizeof(*spare));
	merge_sort(lines, count, spare);
	free(spare);
	show();
	for (size_t i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
	return tool_done(status);
}
