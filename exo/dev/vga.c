/*
 * vga.c - owns the text screen.
 *
 * The 32 KiB of text memory hold 204 rows; scrolling moves the hardware's window down a row, and
 * only when it reaches the end are its rows copied to the start.  Registers are written once a tick
 * at most.  While a program maps the memory, the screen is that program's: it shows the memory from
 * its start, and nothing is written here.  Invariant: the window [top, top + ROWS) is inside the
 * memory, row and column inside the window.  Called by dev/uart.c and dev/log.c.
 */
#include "../kern/page.h"
#include "../x86/io.h"
#include "../x86/paging.h"
#include "vga.h"

enum { TEXT = 0xb8000, TEXT_BYTES = 32768, COLUMNS = 80, ROWS = 25 };
enum { MEMORY_ROWS = TEXT_BYTES / 2 / COLUMNS };
enum { CRTC_INDEX = 0x3d4, CRTC_DATA = 0x3d5, CRTC_START = 0x0c, CRTC_CURSOR = 0x0e };
enum { BLANK = 0x0720, TAB = 8, ESC = 27 };

static uint32_t top, row, column;
static uint32_t shown_top, shown_cursor;
static int lent; /* a program had it mapped when the last tick came */
static enum { PLAIN, AFTER_ESC, IN_SEQUENCE } state;

static volatile uint16_t *cell(uint32_t r, uint32_t c)
{
	volatile uint16_t *text = direct(TEXT);

	return &text[r * COLUMNS + c];
}

static void clear_row(uint32_t r)
{
	for (uint32_t c = 0; c < COLUMNS; c++)
		*cell(r, c) = BLANK;
}

static void crtc_pair(uint8_t index, uint32_t value)
{
	outb(CRTC_INDEX, index);
	outb(CRTC_DATA, (uint8_t)(value >> 8));
	outb(CRTC_INDEX, (uint8_t)(index + 1));
	outb(CRTC_DATA, (uint8_t)value);
}

static int mapped(void)
{
	uint32_t maps = 0;

	for (uint32_t f = TEXT / EXO_PAGE_SIZE; f < (TEXT + TEXT_BYTES) / EXO_PAGE_SIZE; f++)
		maps |= page_maps[f];
	return maps != 0;
}

/* From the kernel to a program, or back. */
static void change_hands(void)
{
	lent = !lent;
	if (!lent) {
		vga_init();
		return;
	}
	crtc_pair(CRTC_START, 0);
	crtc_pair(CRTC_CURSOR, MEMORY_ROWS * COLUMNS);
}

void vga_tick(void)
{
	const uint32_t cursor = (top + row) * COLUMNS + column;

	if (mapped() != lent)
		change_hands();
	if (lent)
		return;
	if (top != shown_top)
		crtc_pair(CRTC_START, top * COLUMNS);
	if (cursor != shown_cursor)
		crtc_pair(CRTC_CURSOR, cursor);
	shown_top = top;
	shown_cursor = cursor;
}

void vga_init(void)
{
	for (uint32_t r = 0; r < ROWS; r++)
		clear_row(r);
	top = row = column = 0;
	shown_top = shown_cursor = ~0u;
	vga_tick();
}

static void new_line(void)
{
	column = 0;
	if (row + 1 < ROWS) {
		row++;
		return;
	}
	if (top + ROWS < MEMORY_ROWS) {
		top++;
	} else {
		for (uint32_t r = 0; r + 1 < ROWS; r++) {
			for (uint32_t c = 0; c < COLUMNS; c++)
				*cell(r, c) = *cell(top + r + 1, c);
		}
		top = 0;
	}
	clear_row(top + row);
}

static void show(uint8_t byte)
{
	if (column == COLUMNS)
		new_line();
	*cell(top + row, column) = (uint16_t)((BLANK & 0xff00) | byte);
	column++;
}

static void plain(uint8_t byte)
{
	switch (byte) {
	case '\n':
		new_line();
		break;
	case '\r':
		column = 0;
		break;
	case '\b':
		column -= column > 0;
		break;
	case '\t':
		do {
			show(' ');
		} while (column % TAB != 0);
		break;
	case ESC:
		state = AFTER_ESC;
		break;
	default:
		if (byte >= ' ')
			show(byte);
	}
}

void vga_put(uint8_t byte)
{
	if (mapped())
		return;
	if (state == PLAIN)
		plain(byte);
	else if (state == AFTER_ESC)
		state = byte == '[' ? IN_SEQUENCE : PLAIN;
	else if (byte >= '@')
		state = PLAIN;
}
