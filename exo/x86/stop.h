/*
 * stop.h - ending the emulator.
 */
#ifndef X86_STOP_H
#define X86_STOP_H

#include <stdint.h>

enum { STOP_PANIC = 125 };

/*
 * Ends QEMU (debug-exit device, else ACPI) or Bochs (its shutdown port); a real machine halts.  The
 * status that counts is the line that machine_halt() left on port 0xE9.
 */
_Noreturn void stop_machine(uint64_t status);

#endif
