/*
 * kbd.c - owns the PS/2 keyboard: which modifiers are down, and what its keys mean.
 *
 * The controller translates to scan code set 1.  Keys send what a serial terminal's would: Enter
 * carriage return, Backspace DEL, arrows escape sequences.  Called from interrupts.
 */
#include "../kern/console.h"
#include "../x86/io.h"
#include "kbd.h"

enum { DATA = 0x60, STATUS = 0x64, STATUS_FULL = 1, STATUS_MOUSE = 0x20, BURST = 16 };
enum {
	RELEASED = 0x80,
	PREFIX = 0xe0,
	CTRL = 0x1d,
	SHIFT_LEFT = 0x2a,
	SHIFT_RIGHT = 0x36,
	CAPS = 0x3a,
	NKEY = 0x3a,
	SLASH = 0x35,
	ENTER = 0x1c,
};

static const char plain[NKEY + 1] =
	"\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[NKEY + 1] =
	"\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static int shift, ctrl, caps, prefixed;

static void send(const char *s)
{
	while (*s != 0)
		console_input((uint8_t)*s++);
}

/* Keys of the block between letters and number pad: prefix 0xe0. */
static void extended(uint8_t code)
{
	static const struct {
		uint8_t code;
		char sequence[5];
	} keys[] = {
		{0x48, "\033[A"},  {0x50, "\033[B"}, {0x4d, "\033[C"},	{0x4b, "\033[D"},
		{0x47, "\033[H"},  {0x4f, "\033[F"}, {0x53, "\033[3~"}, {0x49, "\033[5~"},
		{0x51, "\033[6~"}, {SLASH, "/"},     {ENTER, "\r"},
	};

	for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].code == code)
			send(keys[i].sequence);
	}
}

static void key(uint8_t code)
{
	uint8_t c;

	if (code >= NKEY)
		return;
	c = (uint8_t)(shift ? shifted[code] : plain[code]);
	if (caps && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
		c ^= 'a' ^ 'A';
	if (ctrl && c >= '@' && c < 0x7f)
		c &= 0x1f;
	if (c != 0)
		console_input(c);
}

static void scan(uint8_t code)
{
	const int down = (code & RELEASED) == 0, was_prefixed = prefixed;

	prefixed = code == PREFIX;
	if (prefixed)
		return;
	code &= RELEASED - 1;
	if (code == CTRL)
		ctrl = down;
	else if (code == SHIFT_LEFT || code == SHIFT_RIGHT)
		shift = was_prefixed ? shift : down; /* prefixed: part of a navigation key */
	else if (code == CAPS && down)
		caps = !caps;
	else if (down && was_prefixed)
		extended(code);
	else if (down)
		key(code);
}

void kbd_init(void)
{
	for (uint32_t n = 0; n < BURST && (inb(STATUS) & STATUS_FULL) != 0; n++)
		(void)inb(DATA);
}

void kbd_interrupt(void)
{
	for (uint32_t n = 0; n < BURST; n++) {
		const uint8_t status = inb(STATUS);
		uint8_t code;

		if ((status & STATUS_FULL) == 0 || status == 0xff)
			return;
		code = inb(DATA);
		if ((status & STATUS_MOUSE) == 0)
			scan(code);
	}
}
