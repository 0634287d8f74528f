/*
 * trace.c - recording what others do without the right to, ending what others record, and writing
 * to the record: through its table, through frames that are of its type, through frames of others.
 *
 * Works whether somebody traces meanwhile or not.
 */
#include <libos/layout.h>
#include "attack.h"

enum { CAP = 47, AT = 4 };

static uint64_t table_va(enum exo_table_id id)
{
	return tables_info()->table[id].va;
}

static void begin(void)
{
	const uint64_t before = tables_tracing(0)->by;
	uint32_t own = 0;

	for (uint32_t f = 1; f < tables_info()->frames && own == 0; f++)
		if (call_page_take(0, f, EXO_PAGE_TRACE).status == EXO_OK)
			own = f;
	for (uint64_t s = 0; s <= EXO_NCAP; s++)
		tally_refused(call_trace_start(s, own, 1));
	tally_refused(call_trace_start(~0ull, own, 1));
	tally_refused(call_trace_start(1ull << 32 | LAYOUT_CAP_TRACE, own, 1));
	tally(tables_tracing(0)->by == before);
	sum_up("beginning by every slot");
	tally_refused(call_trace_stop());
	tally(tables_tracing(0)->by == before);
	sum_up("ending what others have begun");
	tally(call_page_free(0, own).status == EXO_OK);
	sum_up("the frame comes back");
}

static void by_table(void)
{
	const uint64_t ring = table_va(EXO_TABLE_TRACE);
	const uint64_t last = ring + (EXO_NTRACE - 1) * sizeof(struct exo_trace);

	tally(!can_write(ring));
	tally(!can_write(last));
	tally(!can_write(ring + EXO_PAGE_SIZE / 2 * 3));
	tally(!can_write(table_va(EXO_TABLE_TRACING)));
	tally(can_read(ring) && can_read(last)); /* as everybody may */
	sum_up("writing to the record");
}

/* What a frame for records is used as, if not for records. */
static void misuse(uint32_t table, uint32_t f)
{
	tally_answered(call_page_map(0, table, AT, f, 1, RW), EXO_TYPE);
	tally_answered(call_page_map(0, table, AT, f, 1, RX), EXO_TYPE);
	tally_answered(call_page_share(f, 1, 0, CAP, EXO_RIGHT_READ), EXO_TYPE);
	tally_answered(call_io_setup(f), EXO_TYPE);
	tally_answered(call_table_link(0, table, AT, f), EXO_TYPE);
	tally(call_page_map(0, table, AT, f, 1, EXO_MAP_READ).status == EXO_OK);
	tally_answered(call_page_protect(0, table, AT, 1, RW), EXO_TYPE);
	tally(call_page_unmap(0, table, AT, 1).status == EXO_OK);
}

static void by_frame(void)
{
	const uint32_t table = scratch_table();
	uint32_t f = 1;

	while (f < tables_info()->frames && call_page_take(0, f, EXO_PAGE_TRACE).status != EXO_OK)
		f++;
	if (table == 0 || f == tables_info()->frames) {
		unprepared("a frame for records");
		return;
	}
	misuse(table, f);
	tally(call_page_free(0, f).status == EXO_OK);
	sum_up("a frame for records as something else");
}

/* The ring of who traces, where somebody does: its frames are another's. */
static void by_ring(void)
{
	const volatile struct exo_tracing *const now = tables_tracing(0);
	const uint32_t table = scratch_table(), f = now->frame;

	if (now->records == 0)
		return;
	tally_refused(call_page_map(0, table, AT, f, 1, RW));
	tally_refused(call_page_map(0, table, AT, f, 1, EXO_MAP_READ));
	tally_refused(call_page_free(0, f));
	tally_refused(call_page_take(0, f, EXO_PAGE_DATA));
	tally_refused(call_page_unshare(f, 1));
	tally_refused(call_env_reclaim(now->by, EXO_QUOTA_PAGES, f));
	tally_refused(call_revoke_take(0, EXO_ASK_PAGES, f, table));
	sum_up("the ring that another traces into");
}

void attack_trace(void)
{
	begin();
	by_table();
	by_frame();
	by_ring();
}
