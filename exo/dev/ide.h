/*
 * ide.h - the IDE shim: PIIX bus-master and plain PIO drives on the two legacy channels.
 *
 * Implements machine_disk_start() (kern/machine.h) and machine_disk_read() (kern/extent.h).
 */
#ifndef DEV_IDE_H
#define DEV_IDE_H

#include <stdint.h>

/* Boot: finds controller and drives, fills drives[].  Bounded; absent drives cost little. */
void ide_init(void);

/* Interrupt of a channel (0: IRQ 14, 1: IRQ 15). */
void ide_interrupt(uint32_t channel);

/* Every tick, `now` in ns since boot: timeouts and resets. */
void ide_tick(uint64_t now);

#endif
