/*
 * string.c - strnlen, and strcspn where up to two characters end the run, eight bytes at a time.
 *
 * The library's own strcspn looks through the set for each byte; SQLite's LIKE calls it for each
 * row.  strnlen is what every path that a program names goes through (posix/user.c).
 * Linked before newlib's.  No state.
 */
#include <stddef.h>
#include <stdint.h>

size_t strnlen(const char *s, size_t most);
size_t strcspn(const char *s, const char *reject);

/* Eight bytes of the string, which may be of any type. */
typedef uint64_t __attribute__((may_alias)) word;

enum { WORD = sizeof(word), BYTE_BITS = 8, WORD_BITS = 64 };

static const uint64_t ones = 0x0101010101010101;

/* The lowest bit that is set is in the lowest byte that is zero; 0: none is. */
static inline uint64_t zero_byte(uint64_t v)
{
	return (v - ones) & ~v & ones << (BYTE_BITS - 1);
}

/*
 * Words are aligned here and below, so that none is partly on a page that the string is not on; of
 * the first the bytes before the string do not count.
 */
size_t strnlen(const char *s, size_t most)
{
	const size_t before = (uintptr_t)s % WORD;
	const word *at = (const word *)(uintptr_t)(s - before);
	size_t seen = WORD - before;
	uint64_t hit;

	if (most == 0)
		return 0;
	hit = zero_byte(*at | ((1ull << before * BYTE_BITS) - 1));
	for (; !hit && seen < most; seen += WORD)
		hit = zero_byte(*++at);
	if (hit)
		seen -= WORD - (size_t)__builtin_ctzll(hit) / BYTE_BITS;
	return seen < most ? seen : most;
}

/* Bytes before the first that is a, b or the end. */
static size_t span_until(const char *s, uint64_t a, uint64_t b)
{
	const size_t before = (uintptr_t)s % WORD;
	const word *at = (const word *)(uintptr_t)(s - before);
	uint64_t skip = (1ull << before * BYTE_BITS) - 1;

	for (;; at++, skip = 0) {
		const uint64_t v = *at;
		const uint64_t hit = zero_byte(v | skip) | zero_byte((v ^ a * ones) | skip) |
				     zero_byte((v ^ b * ones) | skip);

		if (hit)
			return (size_t)((const char *)at - s) +
			       (size_t)__builtin_ctzll(hit) / BYTE_BITS;
	}
}

size_t strcspn(const char *s, const char *reject)
{
	const unsigned char *r = (const unsigned char *)reject, *at = (const unsigned char *)s;
	uint64_t set[UINT8_MAX / WORD_BITS + 1] = {1}; /* the end is in it */

	if (!r[0] || !r[1] || !r[2])
		return span_until(s, r[0], r[0] ? r[1] : 0);
	for (; *r; r++)
		set[*r / WORD_BITS] |= 1ull << *r % WORD_BITS;
	while (!(set[*at / WORD_BITS] >> *at % WORD_BITS & 1))
		at++;
	return (size_t)(at - (const unsigned char *)s);
}
