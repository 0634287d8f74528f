/*
 * trace.c - owns the frames of the ring that this program has begun; one at a time.
 *
 * A record is copied and then looked at once more: the kernel may have written the next one over it
 * meanwhile.  No lock: one thread records and reads.  Called by programs.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/trace.h>

static struct {
	uint32_t first, frames; /* 0 frames: nothing is recorded by this program */
} ring;

static int may_trace(void)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);

	return tables_caps(self)->c[LAYOUT_CAP_TRACE].kind == EXO_CAP_TRACE;
}

int trace_begin(uint32_t frames, struct trace_reader *r)
{
	struct exo_result begun;
	int error;

	if (!may_trace())
		return -EACCES;
	if (frames == 0)
		return -EINVAL;
	if (ring.frames != 0)
		return -EBUSY;
	error = frames_take_run(LAYOUT_CAP_SELF, EXO_PAGE_TRACE, frames, 1, &ring.first);
	if (error)
		return error;
	begun = call_trace_start(LAYOUT_CAP_TRACE, ring.first, frames);
	if (begun.status != EXO_OK) {
		(void)frames_free(LAYOUT_CAP_SELF, ring.first, frames);
		return call_errno(begun.status);
	}
	ring.frames = frames;
	*r = (struct trace_reader){.next = begun.value};
	return 0;
}

void trace_end(void)
{
	if (ring.frames == 0)
		return;
	(void)call_trace_stop();
	(void)frames_free(LAYOUT_CAP_SELF, ring.first, ring.frames);
	ring.frames = 0;
}

int trace_join(struct trace_reader *r)
{
	const volatile struct exo_tracing *t = tables_tracing(0);

	*r = (struct trace_reader){.next = t->last + 1};
	return t->records != 0;
}

/* Goes on at the oldest record of the ring that is likely to stay for long enough. */
static void skip(struct trace_reader *r, uint64_t first, uint64_t last, uint32_t records)
{
	uint64_t oldest = first;

	if (last - first >= records - records / 8)
		oldest = last - records + records / 8 + 1;
	if (oldest > r->next) {
		r->lost += oldest - r->next;
		r->next = oldest;
	}
}

int trace_next(struct trace_reader *r, struct exo_trace *out)
{
	const volatile struct exo_tracing *const now = tables_tracing(0);

	for (;;) {
		const uint32_t records = now->records;
		const volatile struct exo_trace *there;

		if (records == 0 || r->next > now->last)
			return 0;
		there = tables_trace((uint32_t)(r->next & (records - 1)));
		*out = *there;
		if (out->number == r->next && there->number == r->next) {
			r->next++;
			return 1;
		}
		skip(r, now->first, now->last, records);
	}
}
