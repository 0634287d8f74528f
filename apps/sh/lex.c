/*
 * From text to tokens. A word keeps its quotes: they mean something until it is expanded. Where a
 * quote or bracket is open at the end of the text, more is asked for; DEPTH_MAX bounds recursion.
 * Callers: parse.c, and expand.c for the extent of a substitution.
 */
#include "sh.h"

#include "tool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { END = -1 };

void source_append(struct source *source, const char *text, size_t length)
{
	if (source->length + length + 1 > source->room) {
		source->room = 2 * (source->length + length + 1);
		source->text = tool_grow(source->text, source->room);
	}
	for (size_t i = 0; i < length; i++) /* a NUL would end the text early */
		if (text[i])
			source->text[source->length++] = text[i];
	source->text[source->length] = 0;
}

struct source source_of(const char *text)
{
	struct source source = {.line = 1};

	source_append(&source, text, strlen(text));
	return source;
}

void source_free(struct source *source)
{
	free(source->text);
	source->text = NULL;
}

static int peek(struct source *source)
{
	while (source->at == source->length) {
		if (!source->ended && source->more && source->more(source))
			continue;
		source->ended = true;
		return END;
	}
	return (unsigned char)source->text[source->at];
}

static int next(struct source *source)
{
	const int c = peek(source);

	if (c == END)
		return END;
	source->at++;
	source->line += c == '\n';
	return c;
}

static bool take(struct source *source, int wanted)
{
	if (peek(source) != wanted)
		return false;
	next(source);
	return true;
}

static char closing(int open)
{
	return open == '(' ? ')' : open == '{' ? '}' : (char)open;
}

/*
 * Copy up to and with `close`; the opening character was copied. `quoted` says that double quotes
 * are around, where ' is an ordinary character. NULL, or what is wrong.
 */
static const char *copy_to(struct source *source, struct text *out, char close, bool quoted,
			   int depth)
{
	int c, last = ' ';

	if (depth > DEPTH_MAX)
		return "quotes or brackets nested too deeply";
	for (;; last = c) {
		const char *error = NULL;

		source->continued = true;
		c = next(source);
		if (c == END)
			return close == '\'' || close == '"' || close == '`' ? "unterminated quote"
									     : "missing bracket";
		text_add(out, (char)c);
		if (c == close)
			return NULL;
		if (close == '\'')
			continue;
		if (c == '\\' && peek(source) != END)
			text_add(out, (char)next(source));
		else if (close == '`')
			continue;
		else if (c == '\'' && close != '"' && !(quoted && close == '}'))
			error = copy_to(source, out, '\'', false, depth + 1);
		else if (c == '"' || c == '`')
			error = copy_to(source, out, (char)c, false, depth + 1);
		else if (c == '(' && close == ')')
			error = copy_to(source, out, ')', false, depth + 1);
		else if (c == '#' && close == ')' && isspace(last))
			while (peek(source) != END && peek(source) != '\n')
				text_add(out, (char)next(source));
		else if (c == '$' && (peek(source) == '(' || peek(source) == '{')) {
			c = next(source);
			text_add(out, (char)c);
			error = copy_to(source, out, closing(c), quoted || close == '"', depth + 1);
		}
		if (error)
			return error;
	}
}

size_t lex_span(const char *text, char close)
{
	void *mark = mem_mark();
	struct source source = {.text = (char *)(size_t)text, .length = strlen(text)};
	struct text out = {0};
	const char *error = copy_to(&source, &out, close, false, 0);

	mem_release(mark);
	return error ? 0 : source.at;
}

static bool is_meta(int c)
{
	return c == END || strchr(" \t\n;&|<>()", c);
}

static void skip_blanks(struct source *source)
{
	for (;;) {
		const int c = peek(source);

		if (c == ' ' || c == '\t' || c == '\r') {
			next(source);
		} else if (c == '\\' && source->at + 1 < source->length &&
			   source->text[source->at + 1] == '\n') {
			source->continued = true;
			next(source);
			next(source);
		} else if (c == '#') {
			while (peek(source) != END && peek(source) != '\n')
				next(source);
		} else {
			return;
		}
	}
}

static struct token operator_token(struct source *source)
{
	static const char *const operators[] = {"<<<", "<<-", "&&", "||", ";;", "<<",
						">>",  "<&",  ">&", "<>", ">|", "&",
						"|",   ";",   "<",  ">",  "(",	")"};
	const char *at = source->text + source->at;
	size_t i = 0;

	while (strncmp(at, operators[i], strlen(operators[i])) != 0)
		i++;
	source->at += strlen(operators[i]);
	return (struct token){TOKEN_OPERATOR, (char *)(size_t)operators[i]};
}

static struct token word_token(struct source *source, const char **error)
{
	struct text out = {0};
	bool digits = true;
	int c;

	while (!is_meta(c = peek(source))) {
		next(source);
		digits &= isdigit(c) != 0;
		if (c == '\\' && take(source, '\n')) {
			source->continued = true;
			continue;
		}
		text_add(&out, (char)c);
		if (c == '\\' && peek(source) != END)
			text_add(&out, (char)next(source));
		else if (c == '\'' || c == '"' || c == '`')
			*error = copy_to(source, &out, (char)c, false, 0);
		else if (c == '$' && (peek(source) == '(' || peek(source) == '{')) {
			c = next(source);
			text_add(&out, (char)c);
			*error = copy_to(source, &out, closing(c), false, 0);
		}
		if (*error)
			return (struct token){TOKEN_END, NULL};
	}
	if (!out.at)
		return lex_token(source, error);
	return (struct token){digits && (c == '<' || c == '>') ? TOKEN_NUMBER : TOKEN_WORD, out.at};
}

struct token lex_token(struct source *source, const char **error)
{
	int c;

	*error = NULL;
	skip_blanks(source);
	c = peek(source);
	if (c == END)
		return (struct token){TOKEN_END, NULL};
	if (c == '\n') {
		next(source);
		return (struct token){TOKEN_NEWLINE, NULL};
	}
	if (is_meta(c))
		return operator_token(source);
	return word_token(source, error);
}

char *lex_line(struct source *source)
{
	struct text out = {0};
	int c = peek(source);

	if (c == END)
		return NULL;
	while ((c = next(source)) != END && c != '\n')
		text_add(&out, (char)c);
	return out.at ? out.at : mem_text("", 0);
}
