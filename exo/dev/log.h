/*
 * log.h - the kernel's log: always to port 0xE9, to the console too when the manifest says so.
 */
#ifndef DEV_LOG_H
#define DEV_LOG_H

#include <stdint.h>

/* 1: the log goes to the console too. */
void log_verbose(int on);

/* From now on everything goes to the wire and the screen at once, by polling: the machine ends. */
void log_urgent(void);

void log_str(const char *s);
void log_u64(uint64_t n); /* decimal */
void log_hex(uint64_t n); /* 0x... */

#endif
