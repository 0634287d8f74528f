/*
 * console.h - one line of output and one of input, shared by sessions without mixing.
 *
 * Each session has a buffer; whole lines are taken from them in turn.  Invariant: between two line
 * ends the console shows bytes of one session only.  Input is one ring for whoever may read; the
 * last one that found it empty is told.  Entered one CPU at a time, no lock.
 */
#ifndef KERN_CONSOLE_H
#define KERN_CONSOLE_H

#include <exo/tables.h>

/* Boot: session 0 exists, nobody's. */
void console_init(void);

/* Generation that capabilities for the session (below EXO_NSESSION) carry. */
uint64_t console_gen(uint32_t session);

/* Ends the session: capabilities are stale, what it has written is still shown, its place is free
   (session 0 lives on).  For cap_revoke. */
void console_revoke(uint32_t session);

/* e has ended: the sessions it made end, nobody is told of input in its place. */
void console_env_end(uint32_t e);

/* A byte was typed; lost when the ring of 256 is full. */
void console_input(uint8_t byte);

/* The line can take more.  From dev/uart.c. */
void console_sent(void);

/* Every tick, `now` in ns since boot: text without a line end gets its turn after a while. */
void console_tick(uint64_t now);

/* Bytes written by sessions and not shown yet. */
uint32_t console_pending(void);

/* A byte of the kernel's log, shown like a session's of its own; dropped when there is no room. */
void console_log(uint8_t byte);

#endif
