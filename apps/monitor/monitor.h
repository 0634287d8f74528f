/*
 * monitor.h - the monitor's two halves: monitor.c talks, show.c knows the tables.
 */
#ifndef MONITOR_H
#define MONITOR_H

enum { MONITOR_WORD = 20 }; /* most characters of an argument, with its end */

/* One command with its argument, "" when there is none; says what is wrong with them. */
void show_command(const char *name, const char *argument);

#endif
