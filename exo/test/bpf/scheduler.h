/*
 * scheduler.h - what the example schedulers share.
 *
 * Each is one function for the section `sched`, of the name that SCHEDULER gives it: tests compile
 * it for the host too, and compare.  With WITH_STORE it also tries to write into the snapshot,
 * which the verifier must see.
 */
#ifndef TEST_SCHEDULER_H
#define TEST_SCHEDULER_H

#include <exo/sched.h>

#ifndef SCHEDULER
#define SCHEDULER choose
#endif

#ifdef WITH_STORE
#define TRY_TO_WRITE(s) (((struct exo_sched *)(s))->member[0].used = 0)
#else
#define TRY_TO_WRITE(s) ((void)0)
#endif

__attribute__((section("sched"))) uint64_t SCHEDULER(const struct exo_sched *s);

#endif
