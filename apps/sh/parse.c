/*
 * From tokens to a tree, by recursive descent, one function for each rule; DEPTH_MAX bounds the
 * recursion. A rule that fails returns NULL with parser.error set, and every caller passes it on.
 * Here-documents are read when their line ends and become quoted words.
 */
#include "sh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HERE_MAX = 16, CHAIN_MAX = 500 };

struct here {
	struct redir *redir;
	char *delimiter;
	bool strip, literal;
};

struct parser {
	struct source *source;
	struct token token; /* the next one */
	const char *error;
	int depth;
	struct here here[HERE_MAX]; /* whose text comes after this line */
	int heres;
};

static struct node *parse_list(struct parser *p);

static struct node *node_new(enum node_kind kind)
{
	struct node *node = mem_alloc(sizeof(*node));

	node->kind = kind;
	return node;
}

static void *fail(struct parser *p, const char *why)
{
	if (!p->error)
		p->error = why;
	return NULL;
}

static void *fail_token(struct parser *p)
{
	struct text text = {0};

	if (p->token.kind == TOKEN_END)
		return fail(p, "unexpected end");
	text_put(&text, "unexpected `");
	text_put(&text, p->token.kind == TOKEN_NEWLINE ? "newline" : p->token.text);
	text_put(&text, "'");
	return fail(p, text.at);
}

/* Turn the text of a here-document into a word in double quotes that expands to it. */
static char *quote_here(const char *body)
{
	struct text out = {0};

	text_add(&out, '"');
	for (; *body; body++) {
		size_t span = 0;

		if (body[0] == '\\' && body[1] && strchr("$`\\\n", body[1])) {
			text_add(&out, *body++);
		} else if (body[0] == '\\' || body[0] == '"') {
			text_add(&out, '\\');
		} else if (body[0] == '$' && (body[1] == '(' || body[1] == '{')) {
			span = lex_span(body + 2, body[1] == '(' ? ')' : '}');
			if (span)
				span++; /* with the opening one; the last goes by the loop */
		}
		for (; span > 0; span--)
			text_add(&out, *body++);
		text_add(&out, *body);
	}
	text_add(&out, '"');
	return out.at;
}

static void read_here(struct parser *p, const struct here *here)
{
	struct text body = {0}, literal = {0};
	char *line;

	p->source->continued = true;
	while ((line = lex_line(p->source))) {
		while (here->strip && *line == '\t')
			line++;
		if (strcmp(line, here->delimiter) == 0)
			break;
		if (body.at)
			text_add(&body, '\n'); /* the last newline comes with the redirection */
		text_put(&body, line);
		if (!body.at)
			body.at = mem_text("", 0);
	}
	if (!body.at) {
		here->redir->kind = REDIR_IN;
		here->redir->word = mem_text("/dev/null", 9);
	} else if (here->literal) {
		text_quote(&literal, body.at);
		here->redir->word = literal.at;
	} else {
		here->redir->word = quote_here(body.at);
	}
}

static void advance(struct parser *p)
{
	const char *error;

	p->token = lex_token(p->source, &error);
	if (error)
		fail(p, error);
	if (p->token.kind != TOKEN_NEWLINE)
		return;
	for (int i = 0; i < p->heres; i++)
		read_here(p, &p->here[i]);
	p->heres = 0;
}

static bool is_operator(const struct parser *p, const char *text)
{
	return p->token.kind == TOKEN_OPERATOR && strcmp(p->token.text, text) == 0;
}

static bool is_word(const struct parser *p, const char *text)
{
	return p->token.kind == TOKEN_WORD && strcmp(p->token.text, text) == 0;
}

static bool expect_word(struct parser *p, const char *text)
{
	if (p->error || !is_word(p, text)) {
		fail_token(p);
		return false;
	}
	advance(p);
	return true;
}

static void skip_newlines(struct parser *p)
{
	while (!p->error && p->token.kind == TOKEN_NEWLINE) {
		p->source->continued = true;
		advance(p);
	}
}

/* True at a word or operator that ends a list. */
static bool at_list_end(const struct parser *p)
{
	static const char *const words[] = {"then", "else", "elif", "fi",
					    "do",   "done", "esac", "}"};

	if (p->error || p->token.kind == TOKEN_END || is_operator(p, ")") || is_operator(p, ";;"))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(p, words[i]))
			return true;
	return false;
}

/* The delimiter without its quotes; *literal says that it had some. */
static char *unquote(const char *raw, bool *literal)
{
	struct text out = {.at = mem_text("", 0)};

	for (*literal = false; *raw; raw++) {
		if (strchr("\\\"'", *raw)) {
			*literal = true;
			if (*raw != '\\' || !*++raw)
				continue;
		}
		text_add(&out, *raw);
	}
	return out.at;
}

static bool add_here(struct parser *p, struct redir *redir, bool strip)
{
	struct here *here = &p->here[p->heres];

	if (p->heres == HERE_MAX) {
		fail(p, "too many here-documents on one line");
		return false;
	}
	*here = (struct here){.redir = redir, .strip = strip};
	here->delimiter = unquote(p->token.text, &here->literal);
	p->heres++;
	return true;
}

/* One redirection, if there is one: false without error when there is none. */
static bool parse_redir(struct parser *p, struct redir ***end)
{
	static const struct {
		const char *text;
		enum redir_kind kind;
		int fd;
	} table[] = {{"<", REDIR_IN, 0},      {">", REDIR_OUT, 1},    {">|", REDIR_OUT, 1},
		     {">>", REDIR_APPEND, 1}, {"<>", REDIR_BOTH, 0},  {"<&", REDIR_DUP, 0},
		     {">&", REDIR_DUP, 1},    {"<<<", REDIR_TEXT, 0}, {"<<", REDIR_TEXT, 0},
		     {"<<-", REDIR_TEXT, 0}};
	const int given = p->token.kind == TOKEN_NUMBER ? atoi(p->token.text) : -1;
	const char *op;
	struct redir *redir;
	size_t i = 0;

	if (p->token.kind == TOKEN_NUMBER)
		advance(p);
	while (i < 10 && !is_operator(p, table[i].text))
		i++;
	if (p->error || i == 10)
		return false;
	redir = mem_alloc(sizeof(*redir));
	redir->kind = table[i].kind;
	redir->fd = given >= 0 ? given : table[i].fd;
	if (redir->fd >= IO_FDS)
		return fail(p, "descriptors go from 0 to 9"), false;
	op = p->token.text;
	advance(p);
	if (p->error || p->token.kind != TOKEN_WORD)
		return fail_token(p), false;
	redir->word = p->token.text;
	if (!strncmp(op, "<<", 2) && op[2] != '<' && !add_here(p, redir, op[2] == '-'))
		return false;
	**end = redir;
	*end = &redir->next;
	advance(p);
	return true;
}

static struct node *parse_redirs(struct parser *p, struct node *node)
{
	struct redir **end = &node->redirs;

	while (parse_redir(p, &end))
		;
	return p->error ? NULL : node;
}

static void add_word(struct parser *p, struct word ***end)
{
	struct word *word = mem_alloc(sizeof(*word));

	word->text = p->token.text;
	**end = word;
	*end = &word->next;
	advance(p);
}

static struct node *parse_compound(struct parser *p);

static struct node *parse_function(struct parser *p, struct node *node)
{
	advance(p);
	if (!is_operator(p, ")"))
		return fail_token(p);
	advance(p);
	skip_newlines(p);
	node->name = node->words->text;
	node->words = NULL;
	node->kind = NODE_FUNCTION;
	if (!var_is_name(node->name, strlen(node->name)))
		return fail(p, "bad function name");
	node->a = parse_compound(p);
	if (!node->a)
		return fail_token(p);
	return node;
}

static struct node *parse_simple(struct parser *p)
{
	struct node *node = node_new(NODE_COMMAND);
	struct word **end = &node->words;
	struct redir **redirs = &node->redirs;

	while (!p->error) {
		if (p->token.kind == TOKEN_WORD)
			add_word(p, &end);
		else if (is_operator(p, "(") && node->words && !node->words->next && !node->redirs)
			return parse_function(p, node);
		else if (!parse_redir(p, &redirs))
			break;
	}
	if (!p->error && !node->words && !node->redirs)
		return fail_token(p);
	return p->error ? NULL : node;
}

static struct node *parse_if(struct parser *p)
{
	struct node *node = node_new(NODE_IF);

	if (++p->depth > DEPTH_MAX)
		return fail(p, "nested too deeply");
	advance(p);
	node->a = parse_list(p);
	if (!expect_word(p, "then"))
		return NULL;
	node->b = parse_list(p);
	if (is_word(p, "elif")) {
		node->c = parse_if(p);
	} else {
		if (is_word(p, "else")) {
			advance(p);
			node->c = parse_list(p);
		}
		expect_word(p, "fi");
	}
	p->depth--;
	return p->error ? NULL : node;
}

static struct node *parse_do(struct parser *p)
{
	struct node *body;

	if (!expect_word(p, "do"))
		return NULL;
	body = parse_list(p);
	return expect_word(p, "done") ? body : NULL;
}

static struct node *parse_while(struct parser *p, enum node_kind kind)
{
	struct node *node = node_new(kind);

	advance(p);
	node->a = parse_list(p);
	node->b = parse_do(p);
	return node;
}

static struct node *parse_for(struct parser *p)
{
	struct node *node = node_new(NODE_FOR);
	struct word **end = &node->words;

	advance(p);
	if (p->token.kind != TOKEN_WORD)
		return fail_token(p);
	node->name = p->token.text;
	if (!var_is_name(node->name, strlen(node->name)))
		return fail(p, "bad variable name after `for'");
	advance(p);
	skip_newlines(p);
	if (is_word(p, "in")) {
		node->in = true;
		advance(p);
		while (!p->error && p->token.kind == TOKEN_WORD)
			add_word(p, &end);
	}
	if (is_operator(p, ";"))
		advance(p);
	skip_newlines(p);
	node->b = parse_do(p);
	return node;
}

static struct arm *parse_arm(struct parser *p)
{
	struct arm *arm = mem_alloc(sizeof(*arm));
	struct word **end = &arm->patterns;

	if (is_operator(p, "("))
		advance(p);
	for (;;) {
		if (p->error || p->token.kind != TOKEN_WORD)
			return fail_token(p);
		add_word(p, &end);
		if (!is_operator(p, "|"))
			break;
		advance(p);
	}
	if (!is_operator(p, ")"))
		return fail_token(p);
	advance(p);
	arm->body = parse_list(p);
	if (is_operator(p, ";;"))
		advance(p);
	else if (!is_word(p, "esac"))
		return fail_token(p);
	skip_newlines(p);
	return arm;
}

static struct node *parse_case(struct parser *p)
{
	struct node *node = node_new(NODE_CASE);
	struct arm **end = &node->arms;

	advance(p);
	if (p->token.kind != TOKEN_WORD)
		return fail_token(p);
	node->name = p->token.text;
	advance(p);
	skip_newlines(p);
	if (!expect_word(p, "in"))
		return NULL;
	skip_newlines(p);
	while (!p->error && !is_word(p, "esac")) {
		*end = parse_arm(p);
		if (!*end)
			return NULL;
		end = &(*end)->next;
	}
	advance(p);
	return node;
}

static struct node *parse_braces(struct parser *p)
{
	struct node *node = node_new(NODE_GROUP);

	advance(p);
	node->a = parse_list(p);
	return expect_word(p, "}") ? node : NULL;
}

static struct node *parse_parens(struct parser *p)
{
	struct node *node = node_new(NODE_SUBSHELL);

	advance(p);
	node->a = parse_list(p);
	if (p->error || !is_operator(p, ")"))
		return fail_token(p);
	advance(p);
	return node;
}

/* A compound command with its redirections; NULL without error if there is none. */
static struct node *parse_compound(struct parser *p)
{
	struct node *node = NULL;

	if (++p->depth > DEPTH_MAX)
		return fail(p, "nested too deeply");
	if (is_operator(p, "("))
		node = parse_parens(p);
	else if (is_word(p, "{"))
		node = parse_braces(p);
	else if (is_word(p, "if"))
		node = parse_if(p);
	else if (is_word(p, "while") || is_word(p, "until"))
		node = parse_while(p, is_word(p, "while") ? NODE_WHILE : NODE_UNTIL);
	else if (is_word(p, "for"))
		node = parse_for(p);
	else if (is_word(p, "case"))
		node = parse_case(p);
	p->depth--;
	return node && !p->error ? parse_redirs(p, node) : NULL;
}

static struct node *parse_element(struct parser *p)
{
	struct node *node;

	if (at_list_end(p))
		return fail_token(p);
	node = parse_compound(p);
	return node || p->error ? node : parse_simple(p);
}

static struct node *parse_pipe(struct parser *p)
{
	struct node *node, *pipe, **end;
	bool negate = false;

	while (is_word(p, "!")) {
		negate = !negate;
		advance(p);
	}
	node = parse_element(p);
	if (node && is_operator(p, "|")) {
		pipe = node_new(NODE_PIPE);
		pipe->a = node;
		for (end = &node->next; node && is_operator(p, "|"); end = &node->next) {
			advance(p);
			skip_newlines(p);
			node = parse_element(p);
			*end = node;
			if (!node)
				break;
		}
		node = node ? pipe : NULL;
	}
	if (node && negate) {
		pipe = node_new(NODE_NOT);
		pipe->a = node;
		node = pipe;
	}
	return node;
}

static struct node *parse_and_or(struct parser *p)
{
	struct node *left = parse_pipe(p);
	int length = 0;

	while (left && (is_operator(p, "&&") || is_operator(p, "||"))) {
		struct node *node = node_new(is_operator(p, "&&") ? NODE_AND : NODE_OR);

		if (++length > CHAIN_MAX)
			return fail(p, "too many && and || in a row");
		advance(p);
		skip_newlines(p);
		node->a = left;
		node->b = parse_pipe(p);
		left = node->b ? node : NULL;
	}
	return p->error ? NULL : left;
}

/* One and-or with the `;` or `&` after it. */
static struct node *parse_item(struct parser *p)
{
	struct node *node = parse_and_or(p), *background;

	if (node && is_operator(p, "&")) {
		background = node_new(NODE_BACKGROUND);
		background->a = node;
		node = background;
		advance(p);
	} else if (node && is_operator(p, ";")) {
		advance(p);
	} else if (node && p->token.kind != TOKEN_NEWLINE && !at_list_end(p)) {
		return fail_token(p);
	}
	return node;
}

static struct node *parse_list(struct parser *p)
{
	struct node *list = node_new(NODE_LIST), **end = &list->a;

	if (++p->depth > DEPTH_MAX)
		return fail(p, "nested too deeply");
	skip_newlines(p);
	while (!at_list_end(p)) {
		struct node *item = parse_item(p);

		if (!item)
			return NULL;
		*end = item;
		end = &item->next;
		skip_newlines(p);
	}
	p->depth--;
	return p->error ? NULL : list;
}

enum parse_result parse_command(struct source *source, struct node **node)
{
	struct parser p = {.source = source};
	struct node **end;

	source->continued = false;
	*node = NULL;
	advance(&p);
	if (!p.error && p.token.kind == TOKEN_END)
		return PARSE_END;
	if (!p.error && p.token.kind == TOKEN_NEWLINE)
		return PARSE_COMMAND;
	*node = node_new(NODE_LIST);
	end = &(*node)->a;
	while (!p.error && p.token.kind != TOKEN_NEWLINE && p.token.kind != TOKEN_END) {
		struct node *item = parse_item(&p);

		if (!item)
			break;
		*end = item;
		end = &item->next;
		if (at_list_end(&p) && p.token.kind != TOKEN_END)
			fail_token(&p);
	}
	if (!p.error)
		return PARSE_COMMAND;
	shell_error("line %d: syntax error: %s", source->line, p.error);
	return PARSE_ERROR;
}
