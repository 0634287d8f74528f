/*
 * check.h - one line per test: `ok NAME` or `FAIL NAME: why`.
 *
 * Owns the count of failures.  A test is a function that says CHECK of what must hold; its first
 * failure is told and ends it.  Single-threaded.  Called by the files of this folder.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Ends the test with a message unless `condition` holds. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			check_failed(__FILE__, __LINE__, #condition);                              \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* `call` must be -1 with errno `error`. */
#define CHECK_ERROR(call, error)                                                                   \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((call) == -1 && errno == (error));                                           \
	} while (0)

void check_failed(const char *file, int line, const char *condition);

struct check {
	const char *name;
	void (*run)(void);
};

extern const struct check file_checks[], name_checks[], pipe_checks[], process_checks[],
	fork_checks[], signal_checks[], terminal_checks[], system_checks[], lock_checks[];

/* This program's path, to start it again as a child that does what argv[1] says. */
extern const char *check_self;

#endif
