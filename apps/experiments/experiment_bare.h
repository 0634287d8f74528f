/*
 * experiment_bare.h - experiment.h for programs on the bare libOS: how they print and end.
 */
#ifndef EXPERIMENT_BARE_H
#define EXPERIMENT_BARE_H

#include <libos/bare.h>
#include "experiment.h"

/* A line that the runner reads. */
static inline void metric(const char *name, uint64_t value)
{
	bare_print("metric %s %u\n", name, value);
}

/* Argument `what`: its number, or the end with a message. */
static inline uint64_t argument(const char *what, const char *text, uint64_t low, uint64_t high)
{
	uint64_t n;

	if (experiment_number(text, low, high, &n) == 0)
		return n;
	bare_print("%s: %s is a number from %u to %u, not '%s'\n", start_args()->argv[0], what, low,
		   high, text);
	start_exit(EXPERIMENT_USAGE);
}

/* The end, with the words that the arguments should have been. */
_Noreturn static inline void usage(const char *words)
{
	bare_print("%s: usage: %s\n", start_args()->argv[0], words);
	start_exit(EXPERIMENT_USAGE);
}

/* What an error means, for those that bad arguments lead to. */
static inline const char *error_words(int error)
{
	switch (error) {
	case -ENOENT:
		return "is not there";
	case -ENOSPC:
		return "there is no room for it";
	case -ENOMEM:
		return "not enough memory";
	case -EACCES:
		return "is somebody else's";
	default:
		return "failed";
	}
}

/* The end when something that is necessary failed. */
static inline void need(int error, const char *what)
{
	if (error == 0)
		return;
	bare_print("%s: %s: %s (%d)\n", start_args()->argv[0], what, error_words(error),
		   (int64_t)error);
	start_exit(1);
}

#endif
