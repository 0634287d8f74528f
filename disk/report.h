/*
 * report.h - how the disk tools speak: mistakes in what the user wrote, problems found in an image,
 * and the end of a program that cannot go on.  One counter for each, so that a command can report
 * everything it found and then say so in its exit status.  Used by every file here.
 */
#ifndef DISK_REPORT_H
#define DISK_REPORT_H

#include <stdbool.h>

enum exit_status {
	EXIT_OK = 0,
	EXIT_PROBLEM = 1, /* the image has problems, or the work failed */
	EXIT_MISTAKE = 2, /* the manifest or the command line is wrong */
};

/* Prints "FILE:LINE: message" on stderr and counts it. */
void report_mistake(const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
unsigned report_mistakes(void);

/* Prints "FILE:LINE: warning: message" on stderr; counts nothing. */
void report_warning(const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints "problem: message" on stdout, where inspection prints everything, and counts it. */
void report_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned report_problems(void);

/* Prints "fhimage: message" on stderr and exits with EXIT_PROBLEM. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
