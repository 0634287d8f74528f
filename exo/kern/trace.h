/*
 * trace.h - the ring of trace records: what happens, in order, while somebody traces.
 *
 * The ring is made of frames of who traces, paid from its quota: EXO_PAGE_TRACE, which nobody can
 * map writable; all programs read it as a table.  A record says what happened to whom, and never an
 * address or an argument.  Nothing is kept of readers: a record's number tells whether it is still
 * the one that was looked for.
 *
 * While nobody traces it costs nothing where it matters: calls, faults and switches are recorded by
 * second copies of the paths in x86/, which are not entered then.  Where trace() stands in kern/ it
 * is one test, in places that are rare.  Invariant: the frames of the ring are pinned once each;
 * who traces is alive.
 */
#ifndef KERN_TRACE_H
#define KERN_TRACE_H

#include <exo/tables.h>
#include "table_section.h"

enum { TRACE_FRAMES = 512 }; /* most of a ring */
enum { TRACE_PER_FRAME = EXO_PAGE_SIZE / sizeof(struct exo_trace) };
_Static_assert(EXO_NTRACE / TRACE_FRAMES == TRACE_PER_FRAME, "the table is the largest ring");

extern struct exo_trace traces[EXO_NTRACE];
extern struct exo_tracing tracing;

/* What it calls is out of the way of the code that does not. */
#define TRACE_PUT __attribute__((cold, noinline))

/* Appends a record.  This and the following are for when somebody traces. */
TRACE_PUT void trace_put(enum exo_trace_kind kind, uint32_t env, uint32_t detail, uint32_t a,
			 uint64_t b);

/* The same, for ENV_START and ENV_END: a and b are the name. */
TRACE_PUT void trace_put_named(enum exo_trace_kind kind, uint32_t env, uint32_t detail);

/* e has the CPU (0: nobody): a record, if that is new. */
TRACE_PUT void trace_put_runs(uint32_t e);

/* Who runs now is entered by this upcall. */
TRACE_PUT void trace_put_upcall(enum exo_upcall_type type);

/* Appends a record if somebody traces. */
static inline void trace(enum exo_trace_kind kind, uint32_t env, uint32_t detail, uint32_t a,
			 uint64_t b)
{
	if (tracing.records != 0)
		trace_put(kind, env, detail, a, b);
}

static inline void trace_named(enum exo_trace_kind kind, uint32_t env, uint32_t detail)
{
	if (tracing.records != 0)
		trace_put_named(kind, env, detail);
}

static inline void trace_runs(uint32_t e)
{
	if (tracing.records != 0)
		trace_put_runs(e);
}

static inline void trace_upcall(enum exo_upcall_type type)
{
	if (tracing.records != 0)
		trace_put_upcall(type);
}

/*
 * The call `number` of `me`, begun when the TSC was `since` and it served `client` (0: nobody), has
 * answered: what that means for callers and callees, and the call itself.
 */
void trace_call(uint32_t me, uint32_t client, uint64_t number, uint64_t status, uint64_t since);

/* e ends: if it is who traces, nobody does any more. */
void trace_env_end(uint32_t e);

#endif
