/*
 * memory_test.c - memcpy, memmove, memset, memcmp, strcspn and strnlen of libos/core against plain
 * loops.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *own_memcpy(void *restrict to, const void *restrict from, size_t n);
void *own_memmove(void *to, const void *from, size_t n);
void *own_memset(void *to, int c, size_t n);
int own_memcmp(const void *a, const void *b, size_t n);
size_t own_strcspn(const char *s, const char *reject);
size_t own_strnlen(const char *s, size_t most);

enum { SIZE = 400, MOST = 180, ROUNDS = 100000 };

static uint8_t is[SIZE], want[SIZE], piece[SIZE];

static size_t below(size_t n)
{
	return (size_t)rand() % n;
}

static void fresh(void)
{
	for (int i = 0; i < SIZE; i++)
		is[i] = want[i] = (uint8_t)rand();
}

static int differ(void)
{
	for (int i = 0; i < SIZE; i++)
		if (is[i] != want[i])
			return 1;
	return 0;
}

static int moves(void)
{
	const size_t n = below(MOST), from = below(SIZE - MOST), to = below(SIZE - MOST);

	fresh();
	for (size_t i = 0; i < n; i++)
		piece[i] = want[from + i];
	for (size_t i = 0; i < n; i++)
		want[to + i] = piece[i];
	return own_memmove(is + to, is + from, n) == is + to && !differ();
}

static int copies(void)
{
	const size_t n = below(MOST), from = below(MOST), to = below(SIZE - MOST);

	fresh();
	for (size_t i = 0; i < SIZE; i++)
		piece[i] = (uint8_t)rand();
	for (size_t i = 0; i < n; i++)
		want[to + i] = piece[from + i];
	return own_memcpy(is + to, piece + from, n) == is + to && !differ();
}

static int sets(void)
{
	const size_t n = below(MOST), to = below(SIZE - MOST);
	const int c = rand();

	fresh();
	for (size_t i = 0; i < n; i++)
		want[to + i] = (uint8_t)c;
	return own_memset(is + to, c, n) == is + to && !differ();
}

static int compares(void)
{
	const size_t n = 1 + below(MOST), at = below(n);
	int sign;

	fresh();
	if (own_memcmp(is, want, n) != 0)
		return 0;
	want[at] = (uint8_t)(want[at] + 1 + (int)below(255));
	sign = own_memcmp(is, want, n);
	return sign != 0 && (sign > 0) == (is[at] > want[at]) && own_memcmp(is, want, at) == 0;
}

static int is_in(uint8_t c, const uint8_t *set)
{
	while (*set && *set != c)
		set++;
	return c == *set;
}

/* Strings anywhere in a word, of all bytes or of few, ended by up to six characters. */
static int spans(void)
{
	const size_t at = below(SIZE / 2), end = at + below(MOST);
	const int kinds = below(2) ? 256 : 8;
	uint8_t set[8] = {0};
	size_t n = 0;

	for (size_t i = 0; i < SIZE; i++)
		is[i] = (uint8_t)(0x7c + below((size_t)kinds));
	for (size_t i = below(7); i > 0; i--)
		set[i - 1] = (uint8_t)(1 + 0x7c + below(10));
	is[end] = 0;
	while (!is_in(is[at + n], set))
		n++;
	return own_strcspn((const char *)is + at, (const char *)set) == n;
}

/* Strings anywhere in a word, that end, or go on, before and behind the bytes that count. */
static int lengths(void)
{
	const size_t at = below(SIZE / 2), most = below(MOST);
	size_t n = 0;

	for (size_t i = 0; i < SIZE; i++)
		is[i] = (uint8_t)below(2 * MOST) | 0x80;
	is[at + below(MOST)] = 0;
	is[at + most + below(8)] = 0;
	if (at > 0)
		is[at - 1] = 0;
	while (n < most && is[at + n])
		n++;
	return own_strnlen((const char *)is + at, most) == n;
}

static int all(const char *name, int (*round)(void))
{
	for (int i = 0; i < ROUNDS; i++) {
		if (!round()) {
			printf("FAIL %s: round %d\n", name, i);
			return 1;
		}
	}
	printf("ok %s\n", name);
	return 0;
}

int main(void)
{
	srand(1);
	return all("memory_move", moves) | all("memory_copy", copies) | all("memory_set", sets) |
	       all("memory_compare", compares) | all("string_span", spans) |
	       all("string_length", lengths);
}
