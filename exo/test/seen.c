/*
 * seen.c - owns the record of which call has answered what in this test program.
 *
 * A call that sleeps answers later, in the save area of its caller: that is looked at when the next
 * call is made, and at the end.  Called by tests in place of the kernel's sys_NAME, see seen.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/info.h"
#include "../kern/machine.h"
#include "seen.h"

static const struct {
	const char *name, *errors;
} calls[] = {
#define CALL(number, name, nargs, args, what, errors, bound, example) [number] = {#name, errors},
#include <exo/syscall.def>
#undef CALL
};

static const char *const statuses[] = {
#define STATUS(name, number, meaning) [number] = #name,
#include <exo/status.def>
#undef STATUS
};

enum {
	NCALL = sizeof calls / sizeof calls[0],
	NSTATUS = sizeof statuses / sizeof statuses[0],
};

static uint8_t seen[NCALL][NSTATUS];
static uint32_t asleep[EXO_NENV]; /* number + 1 of the call in which it sleeps; 0: none */

const char *host_call_name(uint32_t number)
{
	return calls[number].name;
}

const char *host_status_name(uint64_t status)
{
	return status < NSTATUS ? statuses[status] : "no status";
}

int host_documented(uint32_t number, uint64_t status)
{
	const char *at = calls[number].errors;
	size_t length;

	if (status == EXO_OK || status >= NSTATUS)
		return status == EXO_OK;
	for (length = strlen(statuses[status]); at; at = strstr(at, "; ")) {
		at += at[0] == ';' ? 2 : 0;
		if (strncmp(at, statuses[status], length) == 0 && at[length] == ':')
			return 1;
	}
	return 0;
}

static void record(uint32_t number, uint64_t status)
{
	if (!host_documented(number, status)) {
		printf("FAIL %s answered %s: the table of calls does not say so\n",
		       calls[number].name, host_status_name(status));
		exit(1);
	}
	seen[number][status] = 1;
}

/* Answers that have come to sleepers since the last look. */
static void look(void)
{
	for (uint32_t e = 1; e < info.envs; e++) {
		if (asleep[e] == 0 || envs[e].state == EXO_ENV_WAITING ||
		    envs[e].state == EXO_ENV_CALLING)
			continue;
		if (envs[e].state == EXO_ENV_RUNNABLE)
			record(asleep[e] - 1, machine_save((struct pfn){envs[e].save})->regs.rax);
		asleep[e] = 0;
	}
}

/* Who makes a call. */
static uint32_t before(void)
{
	look();
	return cpu_self();
}

static struct exo_result after(uint32_t number, uint32_t me, struct exo_result r)
{
	record(number, r.status);
	if (envs[me].state == EXO_ENV_WAITING || envs[me].state == EXO_ENV_CALLING)
		asleep[me] = number + 1;
	return r;
}

#define PARAMS_0 void
#define PARAMS_1 uint64_t a
#define PARAMS_2 PARAMS_1, uint64_t b
#define PARAMS_3 PARAMS_2, uint64_t c
#define PARAMS_4 PARAMS_3, uint64_t d
#define PARAMS_5 PARAMS_4, uint64_t e
#define PARAMS_6 PARAMS_5, uint64_t f
#define ARGS_0
#define ARGS_1 a
#define ARGS_2 a, b
#define ARGS_3 a, b, c
#define ARGS_4 a, b, c, d
#define ARGS_5 a, b, c, d, e
#define ARGS_6 a, b, c, d, e, f

/* Weak: not every test is linked with every file of the kernel. */
#define CALL(number, name, nargs, args, what, errors, bound, example)                              \
	struct exo_result __real_sys_##name(PARAMS_##nargs) __attribute__((weak));                 \
	struct exo_result __wrap_sys_##name(PARAMS_##nargs);                                       \
	struct exo_result __wrap_sys_##name(PARAMS_##nargs)                                        \
	{                                                                                          \
		const uint32_t me = before();                                                      \
                                                                                                   \
		return after(number, me, __real_sys_##name(ARGS_##nargs));                         \
	}
#include <exo/syscall.def>
#undef CALL

/* Lines `call STATUS`, when they are asked for. */
__attribute__((destructor)) static void tell(void)
{
	const char *const path = getenv("SEEN");
	FILE *const file = path ? fopen(path, "a") : 0;

	if (!file)
		return;
	look();
	for (uint32_t n = 0; n < NCALL; n++)
		for (uint32_t s = 0; s < NSTATUS; s++)
			if (seen[n][s])
				fprintf(file, "%s %s\n", calls[n].name, statuses[s]);
	fclose(file);
}
