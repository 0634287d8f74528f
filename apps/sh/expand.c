/*
 * From raw words to arguments: parameters, substitutions, arithmetic, then splitting, then file
 * names. Between the steps a word is a string with a mark for each character: what was quoted
 * neither splits nor matches. Errors are printed, and make the whole expansion NULL.
 */
#include "sh.h"

#include <ctype.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mark {
	MARK_PLAIN,
	MARK_QUOTED, /* means itself */
	MARK_SPLIT,  /* came out of an unquoted expansion: IFS splits it */
	MARK_BREAK,  /* no character: a word ends here, as between the words of "$@" */
	MARK_EMPTY,  /* no character: there is a word here even if it is empty */
};

struct marked {
	struct text text, marks;
};

struct list {
	char **at;
	int count, room;
};

static bool expand_raw(struct marked *out, const char *raw, size_t length, bool quoted);

static void put(struct marked *out, char c, enum mark mark)
{
	text_add(&out->text, c);
	text_add(&out->marks, (char)mark);
}

static void put_value(struct marked *out, const char *value, bool quoted)
{
	for (; *value; value++)
		put(out, *value, quoted ? MARK_QUOTED : MARK_SPLIT);
}

static char *number_text(long long value)
{
	char text[24];

	return mem_text(text, (size_t)snprintf(text, sizeof(text), "%lld", value));
}

/* "$@" makes a word of each argument; "$*" joins them by the first character of IFS. */
static void put_arguments(struct marked *out, char which, bool quoted)
{
	const char *ifs = var_get("IFS");
	const char join = ifs ? *ifs : ' ';

	for (int i = 0; i < shell.arg_count; i++) {
		if (i > 0 && which == '*' && quoted && join)
			put(out, join, MARK_QUOTED);
		else if (i > 0 && !(which == '*' && quoted))
			put(out, ' ', MARK_BREAK);
		if (which == '@' && quoted)
			put(out, ' ', MARK_EMPTY);
		put_value(out, shell.args[i], quoted);
	}
}

/* Value of a parameter other than @ and *; NULL when unset. */
static const char *parameter(const char *name, size_t length)
{
	char *copy = mem_text(name, length);

	if (isdigit((unsigned char)*copy)) {
		const long i = strtol(copy, NULL, 10);

		return i == 0 ? shell.name : i <= shell.arg_count ? shell.args[i - 1] : NULL;
	}
	switch (*copy) {
	case '?':
		return number_text(shell.status);
	case '$':
		return number_text(shell.pid);
	case '#':
		return number_text(shell.arg_count);
	case '!':
		return shell.last_background ? number_text(shell.last_background) : NULL;
	case '-':
		return shell.exit_on_error ? shell.trace ? "ex" : "e" : shell.trace ? "x" : "";
	default:
		return var_get(copy);
	}
}

/* Length of the parameter name at `at`, 0 if there is none. */
static size_t name_length(const char *at, bool braced)
{
	size_t length = 0;

	if (*at && strchr("?$#!@*-", *at))
		return 1;
	if (isdigit((unsigned char)*at)) {
		while (isdigit((unsigned char)at[length]) && (braced || length == 0))
			length++;
		return length;
	}
	while (isalnum((unsigned char)at[length]) || at[length] == '_')
		length++;
	return length;
}

static bool fail(const char *what, size_t length, const char *why)
{
	shell_error("%.*s: %s", (int)(length > 80 ? 80 : length), what, why);
	return false;
}

/* Drop the shortest or longest part of `value` that matches at its beginning or end. */
static char *trim(const char *value, const char *pattern, bool at_end, bool longest)
{
	const size_t length = strlen(value);

	for (size_t i = 0; i <= length; i++) {
		const size_t cut = longest != at_end ? length - i : i;
		char *part = at_end ? mem_text(value + cut, length - cut) : mem_text(value, cut);

		if (fnmatch(pattern, part, 0) == 0)
			return at_end ? mem_text(value, cut) : mem_text(value + cut, length - cut);
	}
	return mem_text(value, length);
}

/* Expand to one text, without splitting or matching. */
static char *expand_part(const char *raw, size_t length, bool quoted)
{
	struct marked out = {0};
	struct text text = {.at = mem_text("", 0)};

	if (!expand_raw(&out, raw, length, quoted))
		return NULL;
	for (size_t i = 0; i < out.text.length; i++)
		if (out.marks.at[i] != MARK_EMPTY)
			text_add(&text, out.text.at[i]);
	return text.at;
}

/* ${NAME=WORD} and ${NAME?WORD}, when the value is missing. */
static bool assign_or_fail(struct marked *out, const char *name, size_t length, char op,
			   const char *word, size_t word_length, bool quoted)
{
	char *value = expand_part(word, word_length, true);

	if (!value)
		return false;
	if (op == '?')
		return fail(name, length, *value ? value : "not set");
	if (!var_is_name(name, length))
		return fail(name, length, "cannot be assigned this way");
	var_set(mem_text(name, length), value);
	put_value(out, value, quoted);
	return true;
}

static bool expand_trim(struct marked *out, const char *value, const char *op, const char *end,
			bool quoted)
{
	const bool longest = op[1] == op[0];
	char *pattern;

	op += longest ? 2 : 1;
	pattern = expand_pattern(mem_text(op, (size_t)(end - op)));
	if (!pattern)
		return false;
	put_value(out, trim(value ? value : "", pattern, op[-1] == '%', longest), quoted);
	return true;
}

/* What is between the braces of ${...}. */
static bool expand_braces(struct marked *out, const char *at, size_t length, bool quoted)
{
	const char *end = at + length, *value, *op;
	const bool count = *at == '#' && length > 1 && !strchr("-=?+:#%", at[1]);
	size_t name;
	bool missing;

	at += count;
	name = name_length(at, true);
	op = at + name;
	if (name == 0 || op > end || (count && op != end))
		return fail(at - count, length, "bad substitution");
	value = strchr("@*", *at) ? (shell.arg_count ? "" : NULL) : parameter(at, name);
	if (count) {
		put_value(out, number_text(value ? (long long)strlen(value) : 0), quoted);
		return true;
	}
	missing = !value;
	if (op < end && *op == ':') {
		missing |= value && !*value && !strchr("@*", *at);
		op++;
		if (op == end || !strchr("-=?+", *op))
			return fail(at, length, "bad substitution");
	}
	if (op < end && (*op == '#' || *op == '%'))
		return expand_trim(out, value, op, end, quoted);
	if (op < end && !strchr("-=?+", *op))
		return fail(at, length, "bad substitution");
	if (op < end && missing != (*op == '+')) {
		if (*op == '-' || *op == '+')
			return expand_raw(out, op + 1, (size_t)(end - op - 1), quoted);
		return assign_or_fail(out, at, name, *op, op + 1, (size_t)(end - op - 1), quoted);
	}
	if (op < end && *op == '+')
		return true;
	if (*at == '@' || *at == '*')
		put_arguments(out, *at, quoted);
	else if (value)
		put_value(out, value, quoted);
	return true;
}

static bool put_capture(struct marked *out, const char *text, bool quoted)
{
	const char *value = exec_capture(text);

	if (value)
		put_value(out, value, quoted);
	return value != NULL;
}

static bool expand_arithmetic(struct marked *out, const char *raw, size_t length, bool quoted)
{
	const char *text = expand_part(raw, length, true);
	long long value;

	if (!text || !arith_eval(text, &value))
		return false;
	put_value(out, number_text(value), quoted);
	return true;
}

/* What follows a dollar at `at`. Returns the length used after the dollar, or -1. */
static long expand_dollar(struct marked *out, const char *at, bool quoted)
{
	size_t span;
	bool ok = true;

	if (*at == '(' || *at == '{') {
		span = lex_span(at + 1, *at == '(' ? ')' : '}');
		if (span == 0)
			return fail(at, strlen(at), "missing bracket"), -1;
		if (*at == '{')
			ok = expand_braces(out, at + 1, span - 1, quoted);
		else if (at[1] == '(' && at[span - 1] == ')' && span > 2 &&
			 lex_span(at + 2, ')') == span - 2)
			ok = expand_arithmetic(out, at + 2, span - 3, quoted);
		else
			ok = put_capture(out, mem_text(at + 1, span - 1), quoted);
		return ok ? (long)span + 1 : -1;
	}
	span = name_length(at, false);
	if (span == 0)
		put(out, '$', quoted ? MARK_QUOTED : MARK_PLAIN);
	else if (*at == '@' || *at == '*')
		put_arguments(out, *at, quoted);
	else
		put_value(out, parameter(at, span) ? parameter(at, span) : "", quoted);
	return (long)span;
}

/* `...` at `at`, after the first one. Returns the length used, or -1. */
static long expand_backquote(struct marked *out, const char *at, bool quoted)
{
	const size_t span = lex_span(at, '`');
	struct text text = {.at = mem_text("", 0)};

	if (span == 0)
		return fail(at, strlen(at), "unterminated quote"), -1;
	for (const char *end = at + span - 1; at < end; at++) {
		if (*at == '\\' && strchr(quoted ? "$`\\\"" : "$`\\", at[1]))
			at++;
		text_add(&text, *at);
	}
	return put_capture(out, text.at, quoted) ? (long)span : -1;
}

/* A quoted part at `at`, after its opening quote. Returns the length used, or -1. */
static long expand_quoted(struct marked *out, const char *at, char quote)
{
	const size_t span = lex_span(at, quote);

	if (span == 0)
		return fail(at, strlen(at), "unterminated quote"), -1;
	if (quote == '"' && span == 3 && !strncmp(at, "$@", 2) && shell.arg_count == 0)
		return (long)span; /* no argument, no word */
	put(out, ' ', MARK_EMPTY);
	if (quote == '"')
		return expand_raw(out, at, span - 1, true) ? (long)span : -1;
	for (size_t i = 0; i < span - 1; i++)
		put(out, at[i], MARK_QUOTED);
	return (long)span;
}

/* A backslash at `at`. Returns the length used. */
static long expand_backslash(struct marked *out, const char *at, const char *end, bool quoted)
{
	if (at + 1 == end || (quoted && !strchr("$`\"\\\n", at[1]))) {
		put(out, '\\', MARK_QUOTED);
		return 1;
	}
	if (at[1] != '\n')
		put(out, at[1], MARK_QUOTED);
	return 2;
}

static bool expand_raw(struct marked *out, const char *raw, size_t length, bool quoted)
{
	const char *at = raw, *end = raw + length, *home = var_get("HOME");

	if (!quoted && length && *at == '~' && (length == 1 || at[1] == '/') && home) {
		put_value(out, home, true);
		at++;
	}
	while (at < end) {
		long used = 1;

		if (*at == '\\')
			used = expand_backslash(out, at, end, quoted);
		else if (*at == '"' && quoted)
			put(out, ' ', MARK_EMPTY);
		else if (*at == '"' || (*at == '\'' && !quoted))
			used = 1 + expand_quoted(out, at + 1, *at);
		else if (*at == '$')
			used = 1 + expand_dollar(out, at + 1, quoted);
		else if (*at == '`')
			used = 1 + expand_backquote(out, at + 1, quoted);
		else
			put(out, *at, quoted ? MARK_QUOTED : MARK_PLAIN);
		if (used == 0)
			return false;
		at += used;
	}
	return true;
}

static void list_add(struct list *list, char *word)
{
	if (list->count + 1 >= list->room) {
		char **bigger;

		list->room = list->room ? 2 * list->room : 16;
		bigger = mem_alloc((size_t)list->room * sizeof(*bigger));
		if (list->count)
			memcpy(bigger, list->at, (size_t)list->count * sizeof(*bigger));
		list->at = bigger;
	}
	list->at[list->count++] = word;
	list->at[list->count] = NULL;
}

/* The text as a pattern in which quoted characters mean themselves; *magic: it has others. */
static char *pattern_of(const struct marked *word, bool *magic)
{
	struct text pattern = {.at = mem_text("", 0)};

	*magic = false;
	for (size_t i = 0; i < word->text.length; i++) {
		const char c = word->text.at[i];

		if (word->marks.at[i] == MARK_EMPTY || word->marks.at[i] == MARK_BREAK)
			continue;
		if (c == '\\' || (strchr("*?[]", c) && word->marks.at[i] == MARK_QUOTED))
			text_add(&pattern, '\\');
		else if (strchr("*?[", c))
			*magic = true;
		text_add(&pattern, c);
	}
	return pattern.at;
}

/* Add one word after splitting: the files it matches, or itself. */
static void add_matches(struct list *list, const struct marked *word)
{
#ifdef GLOB_QUOTE
	const int flags = GLOB_QUOTE; /* where backslashes are not the default */
#else
	const int flags = 0;
#endif
	bool magic, found = false;
	char *pattern = pattern_of(word, &magic);
	glob_t files;

	if (magic && glob(pattern, flags, NULL, &files) == 0) {
		/* Some libraries call it success to have found nothing. */
		found = files.gl_pathc > 0;
		for (size_t i = 0; i < (size_t)files.gl_pathc; i++)
			list_add(list, mem_text(files.gl_pathv[i], strlen(files.gl_pathv[i])));
		globfree(&files);
	}
	if (!found)
		list_add(list, word->text.at ? word->text.at : mem_text("", 0));
}

/* Split at IFS where allowed, and add each piece. */
static void split(struct list *list, const struct marked *word)
{
	const char *ifs = var_get("IFS") ? var_get("IFS") : " \t\n";
	struct marked piece = {0};
	bool exists = false;

	for (size_t i = 0; i < word->text.length; i++) {
		const char c = word->text.at[i];
		const enum mark mark = (enum mark)word->marks.at[i];
		const bool divides = mark == MARK_SPLIT && strchr(ifs, c);

		if (mark == MARK_EMPTY) {
			exists = true;
		} else if (mark != MARK_BREAK && !divides) {
			put(&piece, c, mark);
			exists = true;
		} else if (exists || (divides && !isspace((unsigned char)c))) {
			add_matches(list, &piece);
			piece = (struct marked){0};
			exists = false;
		}
	}
	if (exists)
		add_matches(list, &piece);
}

char **expand_words(const struct word *words, int *count)
{
	struct list list = {.at = mem_alloc(sizeof(char *))};

	for (; words; words = words->next) {
		struct marked out = {0};

		if (!expand_raw(&out, words->text, strlen(words->text), false))
			return NULL;
		split(&list, &out);
	}
	*count = list.count;
	return list.at;
}

char *expand_text(const char *raw)
{
	return expand_part(raw, strlen(raw), false);
}

char *expand_pattern(const char *raw)
{
	struct marked out = {0};
	bool magic;

	return expand_raw(&out, raw, strlen(raw), false) ? pattern_of(&out, &magic) : NULL;
}
