/*
 * core_world.h - the small world of the core's unit tests, and how they complain.
 *
 * A refused call is compared with the state before it, a granted one is followed by the checker.
 * Included by one file a test program.
 */
#ifndef TEST_CORE_WORLD_H
#define TEST_CORE_WORLD_H

#include <stdio.h>
#include <string.h>
#include "../kern/check.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/io.h"
#include "../kern/slot.h"
#include "../kern/syscall.h"
#include "../kern/table.h"
#include "machine_host.h"

static const char *why; /* the first thing wrong in the running test */
static char why_text[256];

static inline void wrong(int line, const char *what, const char *detail)
{
	if (why)
		return;
	snprintf(why_text, sizeof why_text, "line %d: %s: %s", line, what, detail);
	why = why_text;
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			wrong(__LINE__, "false", #condition);                                      \
	} while (0)

/* The call is granted, and breaks no invariant nor leaves a stale translation; gives its value. */
#define OK(call) granted(__LINE__, #call, (host_remember(), (call)))

/* The call is refused with this status, and has changed nothing. */
#define NO(refusal, call) refused(__LINE__, #call, EXO_##refusal, (host_remember(), (call)))

static inline uint64_t granted(int line, const char *what, struct exo_result r)
{
	const char *const broken = check_state();

	if (r.status != EXO_OK)
		wrong(line, what, host_status_name(r.status));
	else if (broken)
		wrong(line, what, broken);
	else if (!host_tlb_clean())
		wrong(line, what, "translation left in the TLB");
	return r.value;
}

static inline void refused(int line, const char *what, enum exo_status status, struct exo_result r)
{
	if (r.status != (uint64_t)status)
		wrong(line, what, host_status_name(r.status));
	else if (r.value != 0 || !host_same())
		wrong(line, what, "refused, and has changed something");
}

static inline void become(uint32_t e)
{
	cpus[0].current = e;
	cpus[0].resched = 0;
}

/* ---- the small world of the tests -------------------------------------------------------- */

enum {
	FRAMES = 1100,
	FIRST_FREE = 16,
	NENV = 8,
	RUN_START = 512, /* a whole free run */
	SELF = 0,
	/* Frames of environment e: its hundred. */
	ROOT = 0,
	SAVE = 1,
	UPCALL = 2,
	L3 = 3,
	L2 = 4,
	L1 = 5,
	DATA = 10,
	RW = EXO_MAP_READ | EXO_MAP_WRITE,
	RX = EXO_MAP_READ | EXO_MAP_EXEC,
	R = EXO_MAP_READ,
};

static inline uint32_t frame(uint32_t e, uint32_t which)
{
	return FIRST_FREE + e * 60 + which;
}

static inline uint64_t level(uint32_t n)
{
	return EXO_PAGE_TABLE | (uint64_t)n << 8;
}

/* Tables down to level 1 for addresses from 0, and 4 data frames mapped from page 0. */
static inline void build(uint32_t e, uint64_t ce)
{
	OK(sys_page_take(ce, frame(e, ROOT), level(4)));
	OK(sys_page_take(ce, frame(e, SAVE), EXO_PAGE_SAVE));
	OK(sys_page_take(ce, frame(e, UPCALL), EXO_PAGE_UPCALL));
	OK(sys_env_set(ce, EXO_SET_ROOT, frame(e, ROOT)));
	OK(sys_env_set(ce, EXO_SET_SAVE, frame(e, SAVE)));
	OK(sys_env_set(ce, EXO_SET_UPCALL_PAGE, frame(e, UPCALL)));
	for (uint32_t n = 3; n >= 1; n--) {
		OK(sys_page_take(ce, frame(e, ROOT + 6 - n), level(n)));
		OK(sys_table_link(ce, frame(e, n == 3 ? ROOT : 5 - n), 0, frame(e, 6 - n)));
	}
	for (uint32_t i = 0; i < 4; i++)
		OK(sys_page_take(ce, frame(e, DATA + i), EXO_PAGE_DATA));
	OK(sys_page_map(ce, frame(e, L1), 0, frame(e, DATA), 4, ce << 8 | RW));
}

/* Environment 1 as boot leaves it: running, with slot 0. */
static inline void world(void)
{
	host_boot(FRAMES, FIRST_FREE, NENV);
	build(1, SELF);
	OK(sys_slot_take(SELF, 0));
	OK(sys_env_start(SELF, 0x1000, 0x2000, 7));
}

/* A running child e of the current environment, its capability in slot d, CPU slot e. */
static inline void child(uint32_t e, uint64_t d)
{
	OK(sys_env_create(e, d));
	OK(sys_quota_move(d, EXO_QUOTA_PAGES, 55));
	OK(sys_quota_move(d, EXO_QUOTA_SLOTS, 3));
	OK(sys_quota_move(d, EXO_QUOTA_CAPS, 8));
	OK(sys_quota_move(d, EXO_QUOTA_ENVS, 1));
	OK(sys_quota_move(d, EXO_QUOTA_EXTENTS, 1));
	build(e, d);
	OK(sys_slot_take(d, e));
	OK(sys_env_start(d, 0x1000, 0x2000, 7));
}

/* Ticks until slot s begins; whoever is to run then is current. */
static inline void tick_to_slot(uint32_t s)
{
	do
		slot_tick();
	while (cpus[0].position != s);
	cpus[0].current = cpu_next();
}

/* Runs a test and says how it went: 1 when it failed. */
static inline int core_run(const char *program, const char *name, void (*run)(void))
{
	why = 0;
	memset(ios, 0, sizeof ios);
	run();
	if (why)
		printf("FAIL %s_%s: %s\n", program, name, why);
	else
		printf("ok %s_%s\n", program, name);
	return why != 0;
}

#endif
