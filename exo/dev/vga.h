/*
 * vga.h - text screen, 80 x 25, as a mirror of the console.
 */
#ifndef DEV_VGA_H
#define DEV_VGA_H

#include <stdint.h>

/* Clears the screen. */
void vga_init(void);

/* Shows a byte: \n \r \b \t move; escape sequences are swallowed. */
void vga_put(uint8_t byte);

/* Moves the hardware's window and cursor to where text is now; every tick. */
void vga_tick(void);

#endif
