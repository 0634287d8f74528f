/*
 * giveback.c - memory of the shared segment goes back to the kernel, when somebody asks init for
 * pages.
 *
 * The frames of the segment are init's, most of them the root's buffer cache, and every process has
 * them mapped, in large pages where the segment is large.  So they leave in runs that are mapped as
 * one (vm_segment_unit), from the end of the cache's memory down: the cache moves what it keeps to
 * other frames and gives up what is coldest (buf_vacate), and then the run is taken out of each
 * process's page tables by right of its owner.  Nobody looks there any more; processes that start
 * later map the rest.
 *
 * Owns `end`.  Invariant: no unit from `end` on, within the cache, is the segment's.  Frames that
 * went do not come back.  Lock: the cache's, inside buf_vacate.  Called by init only: when it ends,
 * all do.
 */
#include "posix.h"

#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/revoke.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

static uint32_t end; /* page of the segment; 0: nothing has left yet */

/* Takes frames first .. first+n-1 out of the tables of others: by its first one, where one entry
 * maps all. */
static void unmap_everywhere(uint32_t first, uint32_t n)
{
	const uint32_t large = n == VM_LARGE_PAGE / VM_PAGE, me = (uint32_t)(start_self() & 0xffff);

	for (uint32_t t = 1; t < tables_info()->frames; t++) {
		const volatile struct exo_page *p = tables_page(t);

		if (p->state != EXO_PAGE_TABLE || p->level != 1 + large || p->owner == me)
			continue;
		for (uint32_t f = first; f < first + (large ? 1 : n); f++)
			(void)call_revoke_take(LAYOUT_CAP_SELF, EXO_ASK_PAGES, f, t);
	}
}

/* A unit of pages leaves the cache, the segment, and init.  0 or a negative errno. */
static int give_unit(const struct posix_mount *m, struct disk *d, uint32_t page, uint32_t unit)
{
	const uint32_t frame = posix_seg->first_frame + page;
	const uint64_t va = LAYOUT_SEGMENT + page * VM_PAGE;
	int error = buf_vacate(m->cache, d, (uint32_t)((va - (uint64_t)m->frames) / VM_PAGE), unit);

	if (error)
		return error;
	end = page;
	error = vm_unmap(va, unit);
	if (error == 0)
		error = call_result(call_page_unshare(frame, unit));
	if (error == 0)
		unmap_everywhere(frame, unit);
	return error ? error : frames_free(LAYOUT_CAP_SELF, frame, unit);
}

/* The last unit that lies within the cache, or 0. */
static uint32_t next_unit(const struct posix_mount *m, uint32_t *unit)
{
	const uint32_t begin = (uint32_t)(((uint64_t)m->frames - LAYOUT_SEGMENT) / VM_PAGE);
	uint32_t least, page;

	*unit = vm_segment_unit(&least);
	if (least < begin)
		least = begin;
	page = end ? end : begin + m->nframes;
	page -= page % *unit;
	return page >= least + *unit ? page - *unit : 0;
}

int posix_give_back(void)
{
	const uint32_t wanted = revoke_asked(EXO_ASK_PAGES, NULL);
	const struct posix_mount *m = &posix_seg->mount[0];
	uint32_t given = 0, unit, page;
	int error = 0;

	if (wanted == 0 || !m->cache || !posix_seg->first_frame)
		return 0;
	posix_enter();
	while (error == 0 && given < wanted && (page = next_unit(m, &unit)) != 0) {
		error = give_unit(m, reach_fs(m->fs)->ctx.disk, page, unit);
		given += error == 0 ? unit : 0;
	}
	upcall_undefer();
	return error == -ENOMEM || error == -EBUSY ? 0 : error;
}
