/*
 * Memory that lives until a mark, and text built in it. Each block is its own malloc, so that
 * memory checkers see every overrun and every use after release. The list `blocks` is newest first.
 */
#include "sh.h"

#include "tool.h"

#include <stdlib.h>
#include <string.h>

struct block {
	struct block *older;
	_Alignas(max_align_t) char data[];
};

static struct block *blocks;

void *mem_alloc(size_t size)
{
	struct block *block = tool_alloc(sizeof(*block) + size);

	block->older = blocks;
	blocks = block;
	return memset(block->data, 0, size);
}

void *mem_mark(void)
{
	return blocks;
}

void mem_release(void *mark)
{
	while (blocks != mark) {
		struct block *block = blocks;

		blocks = block->older;
		free(block);
	}
}

char *mem_text(const char *text, size_t length)
{
	char *copy = mem_alloc(length + 1);

	return length ? memcpy(copy, text, length) : copy;
}

void text_add(struct text *text, char c)
{
	if (text->length + 1 >= text->room) {
		char *bigger = mem_alloc(text->room = text->room ? 2 * text->room : 64);

		if (text->length)
			memcpy(bigger, text->at, text->length);
		text->at = bigger;
	}
	text->at[text->length++] = c;
	text->at[text->length] = 0;
}

void text_put(struct text *text, const char *more)
{
	while (*more)
		text_add(text, *more++);
}

void text_quote(struct text *text, const char *word)
{
	text_add(text, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			text_put(text, "'\\'");
		text_add(text, *word);
	}
	text_add(text, '\'');
}
