/*
 * uart.h - COM1, a 16550.  Also implements machine_console_put() (kern/machine.h).
 */
#ifndef DEV_UART_H
#define DEV_UART_H

#include <stdint.h>

/* 115200 8N1, FIFOs on, receive interrupts on. */
void uart_init(void);

/* IRQ 4: hands typed bytes to console_input(), tells console_sent() of room. */
void uart_interrupt(void);

/* Sends a byte by polling, bounded; for when the machine ends. */
void uart_put_polled(uint8_t byte);

/* Waits, bounded, until everything that sessions wrote has left the wire. */
void uart_drain(void);

#endif
