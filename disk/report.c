/*
 * report.c - the tools' messages and their counts.  Owns the two counters; no locks, one thread.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned mistakes;
static unsigned problems;

void report_mistake(const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s:%u: ", file, line);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	mistakes++;
}

unsigned report_mistakes(void)
{
	return mistakes;
}

void report_warning(const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s:%u: warning: ", file, line);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

void report_problem(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("problem: ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	problems++;
}

unsigned report_problems(void)
{
	return problems;
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fflush(stdout);
	fputs("fhimage: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_PROBLEM);
}
