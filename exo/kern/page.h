/*
 * page.h - one record per page frame: state, owner, and who holds it.
 *
 * Counted fields have arrays of their own: page_maps (4 KiB entries that map the frame), page_pins
 * (DMA requests and roles: root, save area, upcall stack, I/O ring), run_maps (large entries per
 * 512 frames).  Invariant: a free frame has no owner and no count; a frame changes its state only
 * while all of its counts are 0, so whatever was true when it was mapped stays true: the frames of
 * a run with a large mapping are DATA of one owner.  run_born is above or equal to `born` of each
 * frame of the run, and the greatest of them when none is free.
 */
#ifndef KERN_PAGE_H
#define KERN_PAGE_H

#include <exo/tables.h>
#include "info.h"
#include "table_section.h"

#ifndef NFRAME
#define NFRAME (16u << 20) /* 64 GiB; records exist for the first info.frames */
#endif

enum { RUN = 512 }; /* frames of a large page */

extern struct exo_page pages[NFRAME];
extern uint32_t page_maps[NFRAME];
extern uint32_t page_pins[NFRAME];
extern uint64_t page_free_map[NFRAME / 64];
extern uint32_t run_maps[NFRAME / RUN];
extern uint64_t run_born[NFRAME / RUN]; /* not for programs: they have `born` */

/* Stamp of the latest take or unshare; capabilities to frames are dated with it. */
extern uint64_t page_stamp;

/*
 * Boot, before env_init(): frames first..first+count-1 (inside info.frames) get a state: FREE,
 * KERNEL, DEVICE or NONE.  Frame 0 is never FREE.  May be called again for the same frames.
 */
void page_boot_range(uint32_t first, uint32_t count, enum exo_page_state state);

/* Free frames now. */
uint32_t page_free_count(void);

/*
 * Does this capability (as cap_look gave it) cover `count` DATA frames from `frame` (any number)
 * for reading, and for writing when `write`?  ENV with EXO_ENV_BUILD: that environment's frames.
 * PAGES: its range, of frames not freed or unshared since.  RANGE, TYPE, PERM, STALE.  Looks at
 * each frame.
 */
enum exo_status page_run_right(const struct exo_cap *cap, uint64_t frame, uint32_t count,
			       int write);

/* Is this frame e's DATA, not taken or unshared after `stamp`?  PERM, TYPE, STALE. */
/*@ requires frame < NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> pages[frame].state == EXO_PAGE_DATA &&
	    pages[frame].owner == e && pages[frame].born <= stamp;
*/
static inline enum exo_status page_held(uint32_t frame, uint32_t e, uint64_t stamp)
{
	const struct exo_page *const p = &pages[frame];

	if (p->owner != e)
		return EXO_PERM;
	if (p->state != EXO_PAGE_DATA)
		return EXO_TYPE;
	return p->born <= stamp ? EXO_OK : EXO_STALE;
}

/* page_run_right for one frame; short where it is one's own. */
static inline enum exo_status page_right(const struct exo_cap *cap, uint32_t frame, int write)
{
	if (cap->kind == EXO_CAP_ENV && (cap->rights & EXO_ENV_BUILD) != 0 && frame < info.frames)
		return page_held(frame, cap->object, UINT64_MAX);
	return page_run_right(cap, frame, 1, write);
}

/* page_run_right for `count` frames (at most 512, else RANGE) by slot `slot` of environment e. */
enum exo_status page_covered(uint32_t e, uint64_t slot, uint32_t frame, uint32_t count, int write);

/* A pinned frame is not freed.  The frame must not be free; pins of one frame are bounded. */
void page_pin(uint32_t frame);
void page_unpin(uint32_t frame);

/* BUSY while anything maps, pins, links or fills it, or uses its run. */
enum exo_status page_idle(uint32_t frame);

/* Every capability to this frame is stale from now on. */
void page_unshare(uint32_t frame);

/* Makes an owned, idle frame free and gives back its charge. */
void page_release(uint32_t frame);

#endif
