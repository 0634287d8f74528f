/*
 * kbd.h - PS/2 keyboard, scan code set 1, US layout.
 */
#ifndef DEV_KBD_H
#define DEV_KBD_H

#include <stdint.h>

/* Empties the controller's buffer. */
void kbd_init(void);

/* IRQ 1: hands what was typed to console_input(). */
void kbd_interrupt(void);

#endif
