/*
 * memory.c - see memory.h.  Owns the chain of all that was taken, which leak checkers follow.
 */
#include "memory.h"
#include "report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct piece {
	struct piece *before;
	_Alignas(max_align_t) unsigned char bytes[];
};

static struct piece *last;

void *memory_take(size_t bytes)
{
	struct piece *piece = bytes < SIZE_MAX / 2 ? calloc(1, sizeof(*piece) + bytes) : NULL;

	if (!piece)
		die("out of memory (%zu bytes)", bytes);
	piece->before = last;
	last = piece;
	return piece->bytes;
}

char *memory_text(const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		die("a text cannot be made");
	text = memory_take((size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}
