/*
 * console.c - bytes to and from the console session of this program.
 * Owns nothing.  The kernel copies at most 256 bytes a call and wants the memory mapped, so both
 * ends of each piece are touched first; the second may make the first go (vm=swap): then again.
 * Printing a message needs no memory and may be done from upcall handlers.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/layout.h>
#include <libos/wait.h>

enum { PIECE = 256, TRIES = 3 };

int64_t console_write_some(const void *bytes, size_t n)
{
	const volatile char *p = bytes;
	struct exo_result r;

	if (n == 0)
		return 0;
	if (n > PIECE)
		n = PIECE;
	for (int i = 0; i == 0 || (r.status == EXO_FAULT && i < TRIES); i++) {
		(void)p[0];
		(void)p[n - 1];
		r = call_console_write(LAYOUT_CAP_CONSOLE, (uint64_t)(uintptr_t)bytes, n);
	}
	return r.status == EXO_OK ? (int64_t)r.value : call_errno(r.status);
}

int console_write(const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		const int64_t done = console_write_some(p, n);

		if (done < 0)
			return (int)done;
		p += done;
		n -= (size_t)done;
		if (n && done < PIECE)
			wait_events(EXO_EV_CONSOLE_OUT, 0);
	}
	return 0;
}

int64_t console_read_some(void *bytes, size_t n)
{
	volatile char *p = bytes;
	struct exo_result r;

	if (n == 0)
		return 0;
	if (n > PIECE)
		n = PIECE;
	for (int i = 0; i == 0 || (r.status == EXO_FAULT && i < TRIES); i++) {
		p[0] = 0;
		p[n - 1] = 0;
		r = call_console_read(LAYOUT_CAP_CONSOLE, (uint64_t)(uintptr_t)bytes, n);
	}
	return r.status == EXO_OK ? (int64_t)r.value : call_errno(r.status);
}

int64_t console_read(void *bytes, size_t n)
{
	for (;;) {
		const int64_t got = console_read_some(bytes, n);

		if (got != -EAGAIN)
			return got;
		wait_events(EXO_EV_CONSOLE_IN, 0);
	}
}

void console_print(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	(void)console_write(text, n);
}

void console_hex(uint64_t n)
{
	char text[18];
	int at = sizeof(text);

	do {
		text[--at] = "0123456789abcdef"[n & 15];
		n >>= 4;
	} while (n);
	text[--at] = 'x';
	text[--at] = '0';
	(void)console_write(text + at, sizeof(text) - (size_t)at);
}

void console_dec(uint64_t n)
{
	char text[20];
	int at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	(void)console_write(text + at, sizeof(text) - (size_t)at);
}
