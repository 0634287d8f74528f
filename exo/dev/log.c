/*
 * log.c - owns where the kernel's log goes, and formats its numbers.
 *
 * Port 0xE9 gets every byte (emulators write it to a file; real machines ignore it).  Entered one
 * CPU at a time, no lock.  Called by dev/ and x86/.
 */
#include "../kern/console.h"
#include "../x86/io.h"
#include "log.h"
#include "uart.h"
#include "vga.h"

enum { DEBUG_PORT = 0xe9 };

static int verbose, urgent;

void log_verbose(int on)
{
	verbose = on;
}

void log_urgent(void)
{
	urgent = 1;
}

static void put(uint8_t byte)
{
	outb(DEBUG_PORT, byte);
	if (urgent) {
		uart_put_polled(byte);
		vga_put(byte);
	} else if (verbose) {
		console_log(byte);
	}
}

void log_str(const char *s)
{
	while (*s != 0)
		put((uint8_t)*s++);
	if (urgent)
		vga_tick();
}

static void number(uint64_t n, uint32_t base)
{
	char digits[21];
	uint32_t i = sizeof(digits) - 1;

	digits[i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n != 0);
	log_str(digits + i);
}

void log_u64(uint64_t n)
{
	number(n, 10);
}

void log_hex(uint64_t n)
{
	log_str("0x");
	number(n, 16);
}
