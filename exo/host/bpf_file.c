/*
 * bpf_file.c - reads programs.  Owns nothing; called by exo-bpf and the tests.
 *
 * Where the instructions are in an ELF object says the libOS's own reader, which so is tested here
 * too.
 */
#include "bpf_file.h"

#include <ctype.h>
#include <exo/bpf.h>
#include <libos/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a hex digit; 16: it is none. */
static unsigned digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *const found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (unsigned)(found - digits) : 16;
}

long bpf_hex(const char *text, uint8_t *bytes, size_t room)
{
	size_t n = 0;

	for (;;) {
		while (isspace((unsigned char)*text) || *text == ',')
			text++;
		if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
			text += 2;
		if (*text == '\0')
			return (long)n;
		if (digit(text[0]) > 15 || digit(text[1]) > 15)
			return BPF_HEX_BAD;
		if (n == room)
			return BPF_HEX_LONG;
		bytes[n++] = (uint8_t)(digit(text[0]) * 16 + digit(text[1]));
		text += 2;
	}
}

/* The whole file, to be freed; NULL: it cannot be read. */
static uint8_t *read_all(const char *path, size_t *length)
{
	FILE *const file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long end = -1;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0)
		end = ftell(file);
	if (end >= 0)
		bytes = malloc((size_t)end + 1);
	rewind(file);
	*length = bytes ? fread(bytes, 1, (size_t)end, file) : 0;
	fclose(file);
	return bytes;
}

long bpf_object(const char *path, const char *section, uint8_t *bytes, size_t room,
		const char **why)
{
	static char words[BPF_WHY];
	struct bpf_found found;
	size_t length;
	uint8_t *const all = read_all(path, &length);
	long n = -1;

	*why = all ? words : "cannot be read";
	if (all && bpf_find(all, length, section, &found, words) == 0) {
		n = (long)(found.count * sizeof(struct exo_bpf_insn));
		*why = "too long";
		if ((size_t)n > room)
			n = -1;
		else
			memcpy(bytes, all + found.offset, (size_t)n);
	}
	free(all);
	return n;
}
