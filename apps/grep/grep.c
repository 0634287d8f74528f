/*
 * grep [-EFchilnqrvwx] [-e] PATTERN [FILE...]: print the lines that match. Status 0 if a line was
 * selected, 1 if none was, 2 after an error. One process, no lock.
 */
#include "tool.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "grep [-EFchilnqrvx] [-e] PATTERN [FILE...]";

static struct {
	bool fixed, ignore_case, invert, number, count, names, quiet, recursive, whole, title;
	int flags; /* for regcomp */
	const char *pattern;
} opt;

static regex_t regex;
static bool selected, failed;

static bool same_text(const char *left, const char *right, size_t length)
{
	if (!opt.ignore_case)
		return memcmp(left, right, length) == 0;
	for (size_t i = 0; i < length; i++)
		if (tolower((unsigned char)left[i]) != tolower((unsigned char)right[i]))
			return false;
	return true;
}

static bool match_fixed(const struct tool_line *line)
{
	const size_t length = strlen(opt.pattern);

	if (opt.whole)
		return line->length == length && same_text(line->text, opt.pattern, length);
	for (size_t i = 0; i + length <= line->length; i++)
		if (same_text(line->text + i, opt.pattern, length))
			return true;
	return false;
}

static bool match_regex(const struct tool_line *line)
{
	regmatch_t match;

	if (regexec(&regex, line->text, 1, &match, 0) != 0)
		return false;
	return !opt.whole || (match.rm_so == 0 && (size_t)match.rm_eo == line->length);
}

static int search(FILE *file, const char *path)
{
	const char *name = strcmp(path, "-") ? path : "(standard input)";
	struct tool_line line = {0};
	unsigned long hits = 0, at = 0;

	while (tool_line_read(file, &line)) {
		at++;
		if ((opt.fixed ? match_fixed(&line) : match_regex(&line)) == opt.invert)
			continue;
		hits++;
		if (opt.quiet || opt.names)
			break;
		if (opt.count)
			continue;
		if (opt.title)
			printf("%s:", name);
		if (opt.number)
			printf("%lu:", at);
		fwrite(line.text, 1, line.length, stdout);
		putchar('\n');
	}
	free(line.text);
	selected |= hits > 0;
	if (opt.count && !opt.quiet && !opt.names)
		printf("%s%s%lu\n", opt.title ? name : "", opt.title ? ":" : "", hits);
	if (opt.names && hits && !opt.quiet)
		puts(name);
	return TOOL_OK;
}

static void search_path(char *path)
{
	char *one[] = {path, NULL};
	struct tool_names names;
	struct stat st;

	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		failed |= tool_each(one, search) != TOOL_OK;
		return;
	}
	if (!opt.recursive) {
		tool_warn("%s: is a directory", path);
		failed = true;
		return;
	}
	if (!tool_names_read(path, &names)) {
		tool_warn_errno(path);
		failed = true;
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		char *child = tool_join(path, names.at[i]);

		if (lstat(child, &st) == 0 && !S_ISLNK(st.st_mode))
			search_path(child);
		free(child);
	}
	tool_names_free(&names);
}

static void set_option(int c)
{
	switch (c) {
	case 'E':
		opt.flags |= REG_EXTENDED;
		break;
	case 'F':
		opt.fixed = true;
		break;
	case 'i':
		opt.ignore_case = true;
		opt.flags |= REG_ICASE;
		break;
	case 'v':
		opt.invert = true;
		break;
	case 'n':
		opt.number = true;
		break;
	case 'c':
		opt.count = true;
		break;
	case 'l':
		opt.names = true;
		break;
	case 'q':
		opt.quiet = true;
		break;
	case 'r':
		opt.recursive = true;
		break;
	case 'x':
		opt.whole = true;
		break;
	default:
		opt.pattern = optarg;
	}
}

/* Compile the pattern; for -x inside an anchored group, so that the longest match counts. */
static void compile(void)
{
	char *text = tool_alloc(strlen(opt.pattern) + 16);
	char why[128];
	int error;

	if (opt.whole)
		sprintf(text, opt.flags & REG_EXTENDED ? "^(%s)$" : "^\\(%s\\)$", opt.pattern);
	else
		strcpy(text, opt.pattern);
	error = regcomp(&regex, text, opt.flags);
	free(text);
	if (error) {
		regerror(error, &regex, why, sizeof(why));
		tool_die(TOOL_USAGE, "%s: %s", opt.pattern, why);
	}
}

int main(int argc, char **argv)
{
	int c, status;
	bool no_title = false;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "EFchilnqrvxe:", usage)) != -1) {
		if (c == 'h')
			no_title = true;
		else
			set_option(c);
	}
	argv += optind;
	if (!opt.pattern && !*argv)
		tool_usage(usage);
	if (!opt.pattern)
		opt.pattern = *argv++;
	if (!opt.fixed)
		compile();
	opt.title = !no_title && (opt.recursive || (argv[0] && argv[1]));
	if (!*argv)
		search_path((char[]){"-"});
	for (; *argv; argv++)
		search_path(*argv);
	if (!opt.fixed)
		regfree(&regex);
	status = failed && !(opt.quiet && selected) ? TOOL_USAGE : !selected;
	c = tool_done(TOOL_OK);
	return c ? TOOL_USAGE : status;
}
