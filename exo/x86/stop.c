/*
 * stop.c - ending the machine, with a status for the emulator's runner.
 */
#include "../dev/log.h"
#include "../dev/uart.h"
#include "../kern/machine.h"
#include "io.h"
#include "stop.h"

enum { QEMU_EXIT = 0xf4, ACPI_PM1A = 0x604, ACPI_SLEEP5 = 0x2000, BOCHS_SHUTDOWN = 0x8900 };

_Noreturn void stop_machine(uint64_t status)
{
	for (const char *s = "Shutdown"; *s; s++)
		outb(BOCHS_SHUTDOWN, (uint8_t)*s);
	outb(QEMU_EXIT, (uint8_t)(status & 0x7f));
	outw(ACPI_PM1A, ACPI_SLEEP5);
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void machine_halt(uint64_t status)
{
	log_str("freehold: halt ");
	log_u64(status);
	log_str("\n");
	log_urgent(); /* what programs have written and the wire has not taken yet */
	uart_drain();
	stop_machine(status);
}
