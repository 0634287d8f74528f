/*
 * experiment_posix.h - experiment.h for programs on the POSIX libOS: how they print and end.
 */
#ifndef EXPERIMENT_POSIX_H
#define EXPERIMENT_POSIX_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "experiment.h"

/* A line that the runner reads. */
static inline void metric(const char *name, uint64_t value)
{
	printf("metric %s %" PRIu64 "\n", name, value);
}

/* Argument `what`: its number, or the end with a message. */
static inline uint64_t argument(const char *what, const char *text, uint64_t low, uint64_t high)
{
	uint64_t n;

	if (experiment_number(text, low, high, &n) == 0)
		return n;
	fprintf(stderr, "%s: %s is a number from %" PRIu64 " to %" PRIu64 ", not '%s'\n",
		start_args()->argv[0], what, low, high, text);
	exit(EXPERIMENT_USAGE);
}

/* The end, with the words that the arguments should have been. */
_Noreturn static inline void usage(const char *words)
{
	fprintf(stderr, "%s: usage: %s\n", start_args()->argv[0], words);
	exit(EXPERIMENT_USAGE);
}

/* The end when something that is necessary failed: a negative errno, or -1 with errno set. */
static inline void need(int error, const char *what)
{
	if (error >= 0)
		return;
	fprintf(stderr, "%s: %s: %s\n", start_args()->argv[0], what,
		strerror(error == -1 ? errno : -error));
	exit(1);
}

#endif
