/*
 * trace.h - recording what the machine does, and reading the record.
 *
 * Who holds the capability in LAYOUT_CAP_TRACE may have the kernel write a record of each thing
 * that happens (exo/trace.def) into a ring, made of page frames of this program; one program at a
 * time. While it does, any program may read it.  A ring does not wait for readers: who is too slow
 * finds later records, and how many it has missed.  A reader is its program's own; owns nothing
 * else. Errors are negative errnos.
 */
#ifndef LIBOS_TRACE_H
#define LIBOS_TRACE_H

#include <exo/tables.h>

struct trace_reader {
	uint64_t next; /* number of the record to be read next */
	uint64_t lost; /* records that were gone before they were read */
};

/*
 * Begins to record into a ring of `frames` page frames (a power of 2, at most 512, of 128 records
 * each), which *r reads from its start.  -EACCES: no right; -EBUSY: somebody records; -EINVAL: no
 * such number; -ENOMEM, -EDQUOT: no such run of frames.
 */
int trace_begin(uint32_t frames, struct trace_reader *r);

/* Ends it, and frees the frames. */
void trace_end(void);

/* *r reads what somebody records, from now on.  Is there somebody?  1, or 0. */
int trace_join(struct trace_reader *r);

/* The next record: 1 and *out, or 0: there is none yet, or nobody records. */
int trace_next(struct trace_reader *r, struct exo_trace *out);

#endif
