/*
 * scheduler.h - what the example schedulers share.
 *
 * Each is one function, in the section `sched`, from a snapshot of its group (exo/sched.h) to the
 * index of the member that is to have the slot.  It must compile to BPF with nothing left to link:
 *
 *     clang -target bpf -mcpu=v3 -O2 -ffreestanding -Iexo/include -c apps/examples/schedulers/rr.c
 *     bpf-gcc -Os -mcpu=v3 -ffreestanding -Iexo/include -c apps/examples/schedulers/rr.c
 *
 * `group rr.o COMMAND...` runs programs by it.  For tests it has the name that SCHEDULER gives it,
 * to be compared with the same source compiled for the host; and with WITH_STORE it tries to write
 * into the snapshot, which the kernel must see and refuse.
 */
#ifndef EXAMPLE_SCHEDULER_H
#define EXAMPLE_SCHEDULER_H

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
