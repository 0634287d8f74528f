/*
 * From the tree back to text, for subshells, functions and the list of jobs. What is printed
 * parses to an equal tree: words are raw, and here-documents have become words. Commands end in
 * newlines inside lists, so that nothing depends on what follows.
 */
#include "sh.h"

#include <stdio.h>

static void print_words(struct text *text, const struct word *word)
{
	for (; word; word = word->next) {
		text_add(text, ' ');
		text_put(text, word->text);
	}
}

static void print_redirs(struct text *text, const struct redir *redir)
{
	static const char *const operators[] = {"<", ">", ">>", "<>", ">&", "<<<"};
	char number[16];

	for (; redir; redir = redir->next) {
		snprintf(number, sizeof(number), " %d", redir->fd);
		text_put(text, number);
		text_put(text, operators[redir->kind]);
		text_put(text, redir->word);
	}
}

static void print_if(struct text *text, const struct node *node)
{
	text_put(text, "if ");
	print_node(text, node->a);
	text_put(text, "then ");
	print_node(text, node->b);
	if (node->c) {
		text_put(text, "else ");
		print_node(text, node->c);
		if (node->c->kind == NODE_IF)
			text_put(text, "\n");
	}
	text_put(text, "fi");
}

static void print_loop(struct text *text, const struct node *node)
{
	if (node->kind == NODE_FOR) {
		text_put(text, "for ");
		text_put(text, node->name);
		if (node->in) {
			text_put(text, " in");
			print_words(text, node->words);
		}
		text_put(text, "\n");
	} else {
		text_put(text, node->kind == NODE_WHILE ? "while " : "until ");
		print_node(text, node->a);
	}
	text_put(text, "do ");
	print_node(text, node->b);
	text_put(text, "done");
}

static void print_case(struct text *text, const struct node *node)
{
	text_put(text, "case ");
	text_put(text, node->name);
	text_put(text, " in\n");
	for (const struct arm *arm = node->arms; arm; arm = arm->next) {
		text_add(text, '(');
		for (const struct word *word = arm->patterns; word; word = word->next) {
			text_put(text, word->text);
			text_put(text, word->next ? "|" : ") ");
		}
		print_node(text, arm->body);
		text_put(text, ";;\n");
	}
	text_put(text, "esac");
}

static void print_chain(struct text *text, const struct node *node, const char *after)
{
	for (; node; node = node->next) {
		print_node(text, node);
		if (node->next || *after == '\n')
			text_put(text, node->kind == NODE_BACKGROUND ? " " : after);
	}
}

static void print_pair(struct text *text, const struct node *node)
{
	print_node(text, node->a);
	text_put(text, node->kind == NODE_AND ? " && " : " || ");
	print_node(text, node->b);
}

static void print_bracketed(struct text *text, const char *open, const struct node *node,
			    const char *close)
{
	text_put(text, open);
	print_node(text, node);
	text_put(text, close);
}

void print_node(struct text *text, const struct node *node)
{
	switch (node->kind) {
	case NODE_COMMAND:
		print_words(text, node->words);
		break;
	case NODE_PIPE:
		print_chain(text, node->a, " | ");
		break;
	case NODE_NOT:
		print_bracketed(text, "! ", node->a, "");
		break;
	case NODE_AND:
	case NODE_OR:
		print_pair(text, node);
		break;
	case NODE_LIST:
		print_chain(text, node->a, "\n");
		break;
	case NODE_BACKGROUND:
		print_bracketed(text, "", node->a, " &");
		break;
	case NODE_SUBSHELL:
		print_bracketed(text, "( ", node->a, ")");
		break;
	case NODE_GROUP:
		print_bracketed(text, "{ ", node->a, "}");
		break;
	case NODE_IF:
		print_if(text, node);
		break;
	case NODE_WHILE:
	case NODE_UNTIL:
	case NODE_FOR:
		print_loop(text, node);
		break;
	case NODE_CASE:
		print_case(text, node);
		break;
	case NODE_FUNCTION:
		text_put(text, node->name);
		print_bracketed(text, "() ", node->a, "");
		break;
	}
	print_redirs(text, node->redirs);
}
