/*
 * registry.c - owns registry[] and each frame's `bound`; call block_bind.
 *
 * The place of an entry is named by the caller, in the set of EXO_BIND_WAYS that the block belongs
 * to (exo_bind_set in exo/tables.h), so a call looks at one set.  Entries of extents that have
 * changed their generation do not count and are overwritten by whoever comes next.  An entry costs
 * a page frame, so nobody can hold more of them than it pays for.  No lock: one CPU in the kernel.
 * Called by programs, by table.c for the right to map, by page.c when a frame is freed.
 */
#include "registry.h"
#include "cap.h"
#include "cpu.h"
#include "extent.h"
#include "info.h"
#include "page.h"
#include "syscall.h"

struct exo_bind registry[EXO_NBIND] TABLE(registry);
uint32_t registry_count;

enum { FRAMES_EACH = 8, LEAST = 64 }; /* an entry for so many frames, but not fewer than */

uint32_t registry_entries(uint32_t frames)
{
	uint32_t count = LEAST;

	while (count < EXO_NBIND && count * 2 <= frames / FRAMES_EACH)
		count *= 2;
	return count;
}

void registry_init(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		registry[i] = (struct exo_bind){0};
	registry_count = count;
}

/*@ requires i < EXO_NBIND && registry[i].extent < EXO_NEXTENT;
    assigns \nothing; */
int registry_live(uint32_t i)
{
	return registry[i].state == EXO_BIND_USED &&
	       registry[i].gen == extent_gen(registry[i].extent);
}

/*@ requires f < NFRAME && pages[f].bound <= EXO_NBIND;
    assigns registry[0 .. EXO_NBIND - 1], pages[f].bound;
    ensures pages[f].bound == 0; */
void registry_drop(uint32_t f)
{
	if (pages[f].bound == 0)
		return;
	registry[pages[f].bound - 1] = (struct exo_bind){0};
	pages[f].bound = 0;
}

/*@ requires \valid_read(cap) && cap->kind == EXO_CAP_EXTENT && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> f < info.frames && pages[f].state == EXO_PAGE_DATA; */
enum exo_status registry_right(const struct exo_cap *cap, uint64_t f)
{
	const struct exo_bind *b;

	if (f >= info.frames)
		return EXO_RANGE;
	if (pages[f].bound == 0 || (cap->rights & EXO_RIGHT_READ) == 0)
		return EXO_PERM;
	b = &registry[pages[f].bound - 1];
	if (b->extent != cap->object || b->gen != cap->gen || b->block < cap->start ||
	    b->block - cap->start >= cap->len)
		return EXO_PERM;
	return EXO_OK;
}

/* Does entry i count, for this block of this extent? */
static int holds(uint32_t i, uint32_t extent, uint64_t block)
{
	return registry_live(i) && registry[i].extent == extent && registry[i].block == block;
}

/* May frame f of e go to `entry`, for a block that nobody holds yet in its set? */
static enum exo_status may_bind(uint32_t e, uint32_t extent, uint64_t block, uint32_t entry,
				uint64_t f)
{
	const uint32_t set = entry / EXO_BIND_WAYS * EXO_BIND_WAYS;

	if (f >= info.frames)
		return EXO_RANGE;
	if (pages[f].owner != e)
		return EXO_PERM;
	if (pages[f].state != EXO_PAGE_DATA)
		return EXO_TYPE;
	if (pages[f].bound != 0)
		return EXO_BUSY;
	/*@ loop invariant set <= i <= set + EXO_BIND_WAYS;
	    loop assigns i;
	    loop variant set + EXO_BIND_WAYS - i; */
	for (uint32_t i = set; i < set + EXO_BIND_WAYS; i++)
		if (holds(i, extent, block))
			return EXO_OCCUPIED;
	return registry_live(entry) ? EXO_OCCUPIED : EXO_OK;
}

/* Entry `entry` of the block goes: its own environment may, and who may revoke. */
static enum exo_status unbind(uint32_t e, const struct exo_cap *cap, uint64_t block, uint32_t entry)
{
	if (!holds(entry, cap->object, block))
		return EXO_STATE;
	if (registry[entry].env != e && (cap->rights & EXO_RIGHT_ADMIN) == 0)
		return EXO_PERM;
	registry_drop(registry[entry].frame);
	return EXO_OK;
}

struct exo_result sys_block_bind(uint64_t s, uint64_t block, uint64_t entry, uint64_t frame)
{
	const uint32_t e = cpu_self();
	struct exo_cap cap;
	enum exo_status status = cap_find(e, s, EXO_CAP_EXTENT, EXO_RIGHT_WRITE, &cap);

	if (status != EXO_OK)
		return refuse(status);
	if (block < cap.start || block - cap.start >= cap.len || entry >= registry_count ||
	    entry / EXO_BIND_WAYS != exo_bind_set(cap.object, block, registry_count))
		return refuse(EXO_RANGE);
	if (frame == 0)
		return refuse(unbind(e, &cap, block, (uint32_t)entry));
	status = may_bind(e, cap.object, block, (uint32_t)entry, frame);
	if (status != EXO_OK)
		return refuse(status);

	if (registry[entry].state == EXO_BIND_USED) /* of a generation that is gone */
		registry_drop(registry[entry].frame);
	registry[entry] = (struct exo_bind){.block = block,
					    .frame = (uint32_t)frame,
					    .env = (uint16_t)e,
					    .state = EXO_BIND_USED,
					    .extent = cap.object,
					    .gen = (uint32_t)cap.gen};
	pages[frame].bound = (uint32_t)entry + 1;
	return refuse(EXO_OK);
}
