/*
 * $((EXPRESSION)): 64-bit integers that wrap around, C's operators by precedence climbing,
 * variables by name, = and op=. State lives in struct arith on the caller's stack; DEPTH_MAX bounds
 * recursion.
 */
#include "sh.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arith {
	const char *at;
	const char *error;
	int depth;
	bool skip; /* in a branch not taken: no assignment, no division error */
};

static const struct {
	const char *text;
	int level;
} operators[] = {{"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<=", 7}, {">=", 7},
		 {"<<", 8}, {">>", 8}, {"|", 3},  {"^", 4},  {"&", 5},	{"<", 7},
		 {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10}};

enum { OPERATORS = sizeof(operators) / sizeof(operators[0]) };

static long long conditional(struct arith *a);

static void blanks(struct arith *a)
{
	while (isspace((unsigned char)*a->at))
		a->at++;
}

static bool take(struct arith *a, const char *text)
{
	blanks(a);
	if (strncmp(a->at, text, strlen(text)) != 0)
		return false;
	a->at += strlen(text);
	return true;
}

static long long fail(struct arith *a, const char *why)
{
	if (!a->error)
		a->error = why;
	return 0;
}

static long long divide(struct arith *a, bool rest, long long left, long long right)
{
	if (right == 0)
		return a->skip ? 0 : fail(a, "division by zero");
	if (right == -1)
		return rest ? 0 : (long long)(0 - (unsigned long long)left);
	return rest ? left % right : left / right;
}

static long long apply(struct arith *a, const char *op, long long left, long long right)
{
	const unsigned long long x = (unsigned long long)left, y = (unsigned long long)right;

	switch (op[0]) {
	case '|':
		return op[1] == '|' ? left || right : left | right;
	case '&':
		return op[1] == '&' ? left && right : left & right;
	case '^':
		return left ^ right;
	case '=':
		return left == right;
	case '!':
		return left != right;
	case '<':
		return op[1] == '<' ? (long long)(x << (y & 63))
		       : op[1]	    ? left <= right
				    : left < right;
	case '>':
		return op[1] == '>' ? left >> (y & 63) : op[1] ? left >= right : left > right;
	case '+':
		return (long long)(x + y);
	case '-':
		return (long long)(x - y);
	case '*':
		return (long long)(x * y);
	default:
		return divide(a, op[0] == '%', left, right);
	}
}

/* The assignment operator at `at`: its arithmetic part, "" for plain =, NULL if there is none. */
static const char *assignment(struct arith *a)
{
	blanks(a);
	if (a->at[0] == '=' && a->at[1] != '=') {
		a->at++;
		return "";
	}
	for (int i = 0; i < OPERATORS; i++) {
		const size_t length = strlen(operators[i].text);

		if (operators[i].level < 3 || operators[i].level == 6 || operators[i].level == 7)
			continue;
		if (!strncmp(a->at, operators[i].text, length) && a->at[length] == '=') {
			a->at += length + 1;
			return operators[i].text;
		}
	}
	return NULL;
}

static long long variable(struct arith *a)
{
	const char *start = a->at, *op, *text;
	char *name, number[24];
	long long value;

	while (isalnum((unsigned char)*a->at) || *a->at == '_')
		a->at++;
	name = mem_text(start, (size_t)(a->at - start));
	text = var_get(name);
	value = text ? strtoll(text, NULL, 0) : 0;
	op = assignment(a);
	if (!op)
		return value;
	value = *op ? apply(a, op, value, conditional(a)) : conditional(a);
	if (!a->skip && !a->error) {
		snprintf(number, sizeof(number), "%lld", value);
		var_set(name, number);
	}
	return value;
}

static long long primary(struct arith *a)
{
	long long value;
	char *end;

	blanks(a);
	if (take(a, "(")) {
		value = conditional(a);
		return take(a, ")") ? value : fail(a, "missing )");
	}
	if (isdigit((unsigned char)*a->at)) {
		value = strtoll(a->at, &end, 0);
		a->at = end;
		return value;
	}
	if (isalpha((unsigned char)*a->at) || *a->at == '_')
		return variable(a);
	return fail(a, *a->at ? "bad expression" : "unexpected end");
}

static long long unary(struct arith *a)
{
	long long value;

	if (++a->depth > DEPTH_MAX)
		return fail(a, "nested too deeply");
	if (take(a, "-"))
		value = (long long)(0 - (unsigned long long)unary(a));
	else if (take(a, "+"))
		value = unary(a);
	else if (take(a, "!"))
		value = !unary(a);
	else if (take(a, "~"))
		value = ~unary(a);
	else
		value = primary(a);
	a->depth--;
	return value;
}

/* The binary operator of at least `level` at `at`, or -1. */
static int operator_at(struct arith *a, int level)
{
	blanks(a);
	for (int i = 0; i < OPERATORS; i++)
		if (!strncmp(a->at, operators[i].text, strlen(operators[i].text)))
			return operators[i].level >= level ? i : -1;
	return -1;
}

static long long binary(struct arith *a, int level)
{
	long long left = unary(a);
	int op;

	while (!a->error && (op = operator_at(a, level)) >= 0) {
		const bool skip = a->skip;
		long long right;

		a->at += strlen(operators[op].text);
		a->skip |= operators[op].level == 1 ? left != 0 : operators[op].level == 2 && !left;
		right = binary(a, operators[op].level + 1);
		a->skip = skip;
		left = apply(a, operators[op].text, left, right);
	}
	return left;
}

static long long conditional(struct arith *a)
{
	const bool skip = a->skip;
	long long value, yes, no;

	if (++a->depth > DEPTH_MAX)
		return fail(a, "nested too deeply");
	value = binary(a, 1);
	if (take(a, "?")) {
		a->skip = skip || !value;
		yes = conditional(a);
		if (!take(a, ":"))
			return fail(a, "missing :");
		a->skip = skip || value;
		no = conditional(a);
		a->skip = skip;
		value = value ? yes : no;
	}
	a->depth--;
	return value;
}

bool arith_eval(const char *text, long long *value)
{
	struct arith a = {.at = text};

	blanks(&a);
	*value = *a.at ? conditional(&a) : 0;
	blanks(&a);
	if (!a.error && *a.at)
		a.error = "bad expression";
	if (a.error)
		shell_error("%s: %s", text, a.error);
	return !a.error;
}
