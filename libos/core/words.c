/*
 * words.c - messages; see words.h.  No state.
 */
#include <string.h>
#include "words.h"

void words_begin(const struct words *w)
{
	w->to[0] = 0;
}

void words_add(const struct words *w, const char *text)
{
	size_t n = strnlen(w->to, w->room - 1);

	for (; *text && n + 1 < w->room; n++, text++)
		w->to[n] = *text >= ' ' && *text <= '~' ? *text : '?';
	w->to[n] = 0;
}

void words_number(const struct words *w, uint64_t n)
{
	char digits[21], *at = digits + sizeof(digits) - 1;

	*at = 0;
	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	words_add(w, at);
}
