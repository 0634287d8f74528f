/*
 * seen.h - what the table of calls says, for host tests, and what calls are seen to answer.
 *
 * Every sys_NAME that a test calls goes by way of seen.c (the linker's --wrap), which ends the test
 * when the status is not one that syscall.def lists for the call, and writes the pairs it has seen
 * to the file that SEEN names (exo/test/statuses asks for that).
 */
#ifndef TEST_SEEN_H
#define TEST_SEEN_H

#include <exo/abi.h>

/* Is `status` among those that syscall.def lists for call `number`, or OK? */
int host_documented(uint32_t number, uint64_t status);

/* Name of a call, of a status. */
const char *host_call_name(uint32_t number);
const char *host_status_name(uint64_t status);

#endif
