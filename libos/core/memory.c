/*
 * memory.c - memcpy, memmove, memset, memcmp: the string instructions, eight bytes at a time.
 *
 * Emulators, like simple processors, pay for each repetition, so whole words are moved where the
 * library's own version would move bytes or use stores past the cache.  Linked before newlib's.
 * No state.  General registers only: upcall handlers may call them.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

enum { SMALL = 16, BLOCK = 32 };

/* Words may be anywhere and of any type. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

/* Two words that may overlap in the middle cover 8..16 bytes; loaded before stored. */
static inline void copy_small(char *to, const char *from, size_t n)
{
	if (n >= 8) {
		const uint64_t a = *(const word *)from;
		const uint64_t b = *(const word *)(from + n - 8);

		*(word *)to = a;
		*(word *)(to + n - 8) = b;
		return;
	}
	if (n >= 4) {
		typedef uint32_t __attribute__((may_alias, aligned(1))) half;
		const uint32_t a = *(const half *)from;
		const uint32_t b = *(const half *)(from + n - 4);

		*(half *)to = a;
		*(half *)(to + n - 4) = b;
		return;
	}
	if (n) {
		const char a = from[0], b = from[n / 2], c = from[n - 1];

		to[0] = a;
		to[n / 2] = b;
		to[n - 1] = c;
	}
}

/* Forwards; right also when `to` lies below `from` and they overlap. */
static inline void copy_up(void *to, const void *from, size_t n)
{
	/* The last word is read first: it covers the odd bytes that the loop leaves. */
	const uint64_t last = *(const word *)((const char *)from + n - 8);
	word *const end = (word *)((char *)to + n - 8);
	size_t words = n / 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	*end = last;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	if (n <= SMALL)
		copy_small(to, from, n);
	else
		copy_up(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (n <= SMALL) {
		copy_small(t, f, n);
		return to;
	}
	if ((size_t)(t - f) >= n) {
		copy_up(t, f, n);
		return to;
	}
	/* Overlapping upwards: from the end, words by hand (the backward string mode is slow). */
	for (; n >= BLOCK; n -= BLOCK) {
		const word *const from_end = (const word *)(f + n);
		word *const to_end = (word *)(t + n);
		const uint64_t a = from_end[-1], b = from_end[-2], c = from_end[-3],
			       d = from_end[-4];

		to_end[-1] = a;
		to_end[-2] = b;
		to_end[-3] = c;
		to_end[-4] = d;
	}
	while (n >= 8) {
		n -= 8;
		*(word *)(t + n) = *(const word *)(f + n);
	}
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int c, size_t n)
{
	void *result = to;
	const uint64_t fill = (uint8_t)c * 0x0101010101010101ull;
	char *t = to;

	if (n < 8) {
		while (n--)
			*(volatile char *)t++ = (char)c;
	} else {
		size_t words = n / 8;

		*(word *)(t + n - 8) = fill;
		__asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(fill) : "memory");
	}
	return result;
}

/* Two words that differ: the first byte that does decides, the highest one when they are turned
 * round. */
static inline int order(uint64_t a, uint64_t b)
{
	return __builtin_bswap64(a) < __builtin_bswap64(b) ? -1 : 1;
}

/* Of fewer than eight bytes; from four on two halves that may overlap make a word. */
static inline int compare_small(const char *x, const char *y, size_t n)
{
	typedef uint32_t __attribute__((may_alias, aligned(1))) half;

	if (n >= 4) {
		const uint64_t a = *(const half *)x | (uint64_t) * (const half *)(x + n - 4) << 32;
		const uint64_t b = *(const half *)y | (uint64_t) * (const half *)(y + n - 4) << 32;

		return a == b ? 0 : order(a, b);
	}
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return (unsigned char)x[i] - (unsigned char)y[i];
	return 0;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const char *x = a, *y = b;
	uint64_t v, w;

	if (n < 8)
		return compare_small(x, y, n);
	for (size_t i = 0; i < n - 8; i += 8) {
		v = *(const word *)(x + i);
		w = *(const word *)(y + i);
		if (v != w)
			return order(v, w);
	}
	/* The last word covers the odd bytes, and some that were equal. */
	v = *(const word *)(x + n - 8);
	w = *(const word *)(y + n - 8);
	return v == w ? 0 : order(v, w);
}
