/*
 * test EXPRESSION and [ EXPRESSION ]: evaluate files, strings and numbers to a status.
 * Grammar: or := and {-o and}; and := not {-a not}; not := {!} primary.
 * State lives in struct expr on the caller's stack. Called by the program test and by the shell.
 */
#include "command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct expr {
	char **at;
	char **end;
	const char *name;
	int depth;
	bool bad; /* malformed; a message was printed */
};

enum { EXPR_DEPTH = 64 };

static bool parse_or(struct expr *e);

static bool fail(struct expr *e, const char *word, const char *why)
{
	if (!e->bad)
		fprintf(stderr, "%s: %s%s%s\n", e->name, word, *word ? ": " : "", why);
	e->bad = true;
	return false;
}

static bool is(const struct expr *e, const char *word)
{
	return e->at < e->end && strcmp(*e->at, word) == 0;
}

static long long number(struct expr *e, const char *text)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		fail(e, text, "not a number");
	return value;
}

static bool is_unary(const char *word)
{
	return word[0] == '-' && word[1] && !word[2] && strchr("bcdefghkLnprsStuwxz", word[1]);
}

static bool unary(struct expr *e, char op, const char *arg)
{
	struct stat st;

	switch (op) {
	case 'n':
		return *arg != 0;
	case 'z':
		return *arg == 0;
	case 't':
		return isatty((int)number(e, arg)) == 1;
	case 'r':
		return access(arg, R_OK) == 0;
	case 'w':
		return access(arg, W_OK) == 0;
	case 'x':
		return access(arg, X_OK) == 0;
	case 'h':
	case 'L':
		return lstat(arg, &st) == 0 && S_ISLNK(st.st_mode);
	default:
		break;
	}
	if (stat(arg, &st) != 0)
		return false;
	switch (op) {
	case 'b':
		return S_ISBLK(st.st_mode);
	case 'c':
		return S_ISCHR(st.st_mode);
	case 'd':
		return S_ISDIR(st.st_mode);
	case 'f':
		return S_ISREG(st.st_mode);
	case 'p':
		return S_ISFIFO(st.st_mode);
	case 's':
		return st.st_size > 0;
	case 'S':
		return S_ISSOCK(st.st_mode);
	case 'g':
		return st.st_mode & S_ISGID;
	case 'u':
		return st.st_mode & S_ISUID;
	case 'k':
		return st.st_mode & S_ISVTX;
	default: /* e */
		return true;
	}
}

static int compare_files(const char *op, const char *left, const char *right)
{
	struct stat a, b;
	const bool have_a = stat(left, &a) == 0, have_b = stat(right, &b) == 0;

	if (!strcmp(op, "-ef"))
		return have_a && have_b && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	if (!strcmp(op, "-nt"))
		return have_a && (!have_b || a.st_mtime > b.st_mtime);
	if (!strcmp(op, "-ot"))
		return have_b && (!have_a || a.st_mtime < b.st_mtime);
	return -1;
}

static int compare_numbers(struct expr *e, const char *op, const char *left, const char *right)
{
	static const char *const ops[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
	long long a, b;
	size_t i = 0;

	while (i < 6 && strcmp(op, ops[i]) != 0)
		i++;
	if (i == 6)
		return -1;
	a = number(e, left);
	b = number(e, right);
	return i == 0	? a == b
	       : i == 1 ? a != b
	       : i == 2 ? a < b
	       : i == 3 ? a <= b
	       : i == 4 ? a > b
			: a >= b;
}

/* The value of `left op right`, or -1 if op is no such operator. */
static int binary(struct expr *e, const char *left, const char *op, const char *right)
{
	int value;

	if (!strcmp(op, "=") || !strcmp(op, "=="))
		return strcmp(left, right) == 0;
	if (!strcmp(op, "!="))
		return strcmp(left, right) != 0;
	if (!strcmp(op, "<"))
		return strcmp(left, right) < 0;
	if (!strcmp(op, ">"))
		return strcmp(left, right) > 0;
	if (op[0] != '-')
		return -1;
	value = compare_files(op, left, right);
	return value >= 0 ? value : compare_numbers(e, op, left, right);
}

static bool primary(struct expr *e)
{
	const long left = e->end - e->at;
	bool value;
	int both;

	if (left <= 0)
		return fail(e, "", "argument expected");
	if (left >= 3) {
		both = binary(e, e->at[0], e->at[1], e->at[2]);
		if (both >= 0) {
			e->at += 3;
			return both;
		}
	}
	if (left >= 3 && is(e, "(")) {
		e->at++;
		value = parse_or(e);
		if (!is(e, ")"))
			return fail(e, "", ") expected");
		e->at++;
		return value;
	}
	if (left >= 2 && is_unary(e->at[0])) {
		e->at += 2;
		return unary(e, e->at[-2][1], e->at[-1]);
	}
	e->at++;
	return *e->at[-1] != 0;
}

static bool parse_not(struct expr *e)
{
	bool negate = false;

	while (e->end - e->at > 1 && is(e, "!") &&
	       (e->end - e->at != 3 || binary(e, e->at[0], e->at[1], e->at[2]) < 0)) {
		negate = !negate;
		e->at++;
	}
	return primary(e) != negate;
}

static bool parse_and(struct expr *e)
{
	bool value = parse_not(e);

	while (!e->bad && is(e, "-a")) {
		e->at++;
		value = parse_not(e) && value;
	}
	return value;
}

static bool parse_or(struct expr *e)
{
	bool value;

	if (++e->depth > EXPR_DEPTH)
		return fail(e, "", "nested too deeply");
	value = parse_and(e);
	while (!e->bad && is(e, "-o")) {
		e->at++;
		value = parse_and(e) || value;
	}
	e->depth--;
	return value;
}

int command_test(int argc, char **argv)
{
	struct expr e = {.at = argv + 1, .end = argv + argc, .name = argv[0]};
	bool value;

	if (argv[0][0] && argv[0][strlen(argv[0]) - 1] == '[') {
		if (argc < 2 || strcmp(argv[argc - 1], "]") != 0) {
			fprintf(stderr, "[: ] expected\n");
			return 2;
		}
		e.end--;
	}
	if (e.at == e.end)
		return 1;
	value = parse_or(&e);
	if (!e.bad && e.at < e.end)
		fail(&e, *e.at, "unexpected argument");
	return e.bad ? 2 : !value;
}
