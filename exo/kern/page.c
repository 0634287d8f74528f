/*
 * page.c - owns the frame records, the free map, and every count of who holds a frame.
 *
 * Invariant: see page.h.  No lock: one CPU in the kernel.  Called by the calls on frames, by
 * table.c for mappings, by env.c and io.c for pins.
 */
#include "page.h"
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "info.h"
#include "machine.h"
#include "quota.h"
#include "registry.h"
#include "syscall.h"

struct exo_page pages[NFRAME] TABLE(pages);
uint32_t page_maps[NFRAME] TABLE(page_maps);
uint32_t page_pins[NFRAME] TABLE(page_pins);
uint64_t page_free_map[NFRAME / 64] TABLE(page_free_map);
uint32_t run_maps[NFRAME / RUN] TABLE(run_maps);
uint64_t run_born[NFRAME / RUN] TABLE(run_born);
uint64_t page_stamp;

enum { CHECKED_MAX = 512 }; /* frames that one call looks at */

/*@ requires frame < NFRAME;
    assigns page_free_map[frame / 64], info.free_frames;
*/
static void free_map_set(uint32_t frame)
{
	page_free_map[frame / 64] |= 1ull << frame % 64;
	info.free_frames++;
}

/*@ requires frame < NFRAME;
    assigns page_free_map[frame / 64], info.free_frames;
*/
static void free_map_clear(uint32_t frame)
{
	page_free_map[frame / 64] &= ~(1ull << frame % 64);
	info.free_frames--;
}

void page_boot_range(uint32_t first, uint32_t count, enum exo_page_state state)
{
	for (uint32_t f = first; f < first + count; f++) {
		if (pages[f].state == EXO_PAGE_FREE && (page_free_map[f / 64] >> f % 64 & 1) != 0)
			free_map_clear(f);
		pages[f].state =
			f == 0 && state == EXO_PAGE_FREE ? EXO_PAGE_KERNEL : (uint8_t)state;
		if (pages[f].state == EXO_PAGE_FREE)
			free_map_set(f);
	}
}

uint32_t page_free_count(void)
{
	return info.free_frames;
}

/* The stamp of this frame is that of now. */
/*@ requires frame < NFRAME;
    assigns pages[frame].born, run_born[frame / RUN]; */
static void stamp_now(uint32_t frame)
{
	pages[frame].born = page_stamp;
	run_born[frame / RUN] = page_stamp;
}

/*
 * Are these frames e's DATA, none taken or unshared after `stamp`?  A run that is mapped as a whole
 * was looked at frame by frame by who mapped it first, and no frame of it has left since.
 */
/*@ requires frame + count <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> \forall integer f; frame <= f < frame + count ==>
	    pages[f].state == EXO_PAGE_DATA && pages[f].owner == e && pages[f].born <= stamp;
*/
static enum exo_status run_held(uint32_t e, uint32_t frame, uint32_t count, uint64_t stamp)
{
	if (count == RUN && frame % RUN == 0 && run_maps[frame / RUN] != 0) {
		if (pages[frame].owner != e)
			return EXO_PERM;
		return run_born[frame / RUN] <= stamp ? EXO_OK : EXO_STALE;
	}
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i;
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++) {
		const enum exo_status status = page_held(frame + i, e, stamp);

		if (status != EXO_OK)
			return status;
	}
	return EXO_OK;
}

/*@ requires \valid_read(cap) && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> frame + count <= info.frames &&
	    \forall integer f; frame <= f < frame + count ==>
	    pages[f].state == EXO_PAGE_DATA && pages[f].owner == cap->object;
*/
enum exo_status page_run_right(const struct exo_cap *cap, uint64_t frame, uint32_t count, int write)
{
	if (frame >= info.frames || count > info.frames - frame)
		return EXO_RANGE;
	if (cap->kind == EXO_CAP_ENV) {
		if ((cap->rights & EXO_ENV_BUILD) == 0)
			return EXO_PERM;
		return run_held(cap->object, (uint32_t)frame, count, UINT64_MAX);
	}
	if (cap->kind != EXO_CAP_PAGES)
		return EXO_TYPE;
	if (frame < cap->start || count > cap->len || frame - cap->start > cap->len - count)
		return EXO_RANGE;
	if ((cap->rights & EXO_RIGHT_READ) == 0 || (write && (cap->rights & EXO_RIGHT_WRITE) == 0))
		return EXO_PERM;
	return run_held(cap->object, (uint32_t)frame, count, cap->gen) == EXO_OK ? EXO_OK
										 : EXO_STALE;
}

/*@ requires e < EXO_NENV && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> \forall integer f; frame <= f < frame + count ==>
	    f < info.frames && pages[f].state == EXO_PAGE_DATA;
*/
enum exo_status page_covered(uint32_t e, uint64_t slot, uint32_t frame, uint32_t count, int write)
{
	const struct exo_cap *cap;
	const enum exo_status status = cap_look(e, slot, &cap);

	if (status != EXO_OK)
		return status;
	return count > CHECKED_MAX ? EXO_RANGE : page_run_right(cap, frame, count, write);
}

/*@ requires frame < NFRAME && page_pins[frame] < UINT32_MAX;
    assigns page_pins[frame]; */
void page_pin(uint32_t frame)
{
	page_pins[frame]++;
}

/*@ requires frame < NFRAME && page_pins[frame] > 0;
    assigns page_pins[frame]; */
void page_unpin(uint32_t frame)
{
	page_pins[frame]--;
}

/*@ requires frame < NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> page_maps[frame] == 0 && page_pins[frame] == 0 &&
	    run_maps[frame / RUN] == 0 && pages[frame].present == 0 && pages[frame].parent == 0;
*/
enum exo_status page_idle(uint32_t frame)
{
	if (page_maps[frame] != 0 || page_pins[frame] != 0 || run_maps[frame / RUN] != 0)
		return EXO_BUSY;
	if (pages[frame].present != 0 || pages[frame].parent != 0)
		return EXO_BUSY;
	return EXO_OK;
}

/*@ requires 0 < frame < NFRAME && 0 < pages[frame].owner < EXO_NENV;
    requires page_maps[frame] == 0 && page_pins[frame] == 0 && run_maps[frame / RUN] == 0;
    assigns pages[frame], page_free_map[frame / 64], info.free_frames,
	    quota_used[pages[frame].owner].n[EXO_QUOTA_PAGES];
    ensures pages[frame].state == EXO_PAGE_FREE && pages[frame].owner == 0;
*/
void page_release(uint32_t frame)
{
	quota_release(pages[frame].owner, EXO_QUOTA_PAGES, 1);
	registry_drop(frame);
	pages[frame].state = EXO_PAGE_FREE;
	pages[frame].level = 0;
	pages[frame].owner = 0;
	free_map_set(frame);
}

/* Is this the argument `type` of page_take?  TABLE carries a level, the others none. */
static int type_valid(uint64_t type)
{
	if (type % 256 == EXO_PAGE_TABLE)
		return type / 256 >= 1 && type / 256 <= 4;
	return type == EXO_PAGE_DATA || type == EXO_PAGE_SAVE || type == EXO_PAGE_UPCALL ||
	       type == EXO_PAGE_TRACE;
}

struct exo_result sys_page_take(uint64_t ce, uint64_t frame, uint64_t type)
{
	uint32_t e;
	enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_BUILD, &e);

	if (status != EXO_OK)
		return refuse(status);
	if (frame >= info.frames)
		return refuse(EXO_RANGE);
	if (!type_valid(type))
		return refuse(EXO_ARG);
	if (pages[frame].state != EXO_PAGE_FREE)
		return refuse(EXO_OCCUPIED);
	status = quota_room(e, EXO_QUOTA_PAGES, 1);
	if (status != EXO_OK)
		return refuse(status);

	const struct pfn f = {(uint32_t)frame};

	quota_charge(e, EXO_QUOTA_PAGES, 1);
	free_map_clear(f.n);
	pages[f.n].state = (uint8_t)(type % 256);
	pages[f.n].level = (uint8_t)(type / 256);
	pages[f.n].owner = (uint16_t)e;
	page_stamp++;
	stamp_now(f.n);
	machine_zero(f);
	if (type / 256 == 4)
		machine_root_init(f);
	return refuse(EXO_OK);
}

struct exo_result sys_page_free(uint64_t ce, uint64_t frame)
{
	uint32_t e;
	enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_BUILD, &e);

	if (status != EXO_OK)
		return refuse(status);
	if (frame >= info.frames)
		return refuse(EXO_RANGE);
	if (pages[frame].owner != e)
		return refuse(EXO_PERM);
	status = page_idle((uint32_t)frame);
	if (status == EXO_OK)
		page_release((uint32_t)frame);
	return refuse(status);
}

/* Do frames first..first+count-1 (at most CHECKED_MAX are looked at) belong to e, all DATA? */
/*@ requires e < EXO_NENV && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> first + count <= info.frames && count > 0;
*/
static enum exo_status frames_own(uint32_t e, uint64_t first, uint64_t count, int data)
{
	if (first >= info.frames || count == 0 || count > info.frames - first)
		return EXO_RANGE;
	/*@ loop invariant 0 <= i <= CHECKED_MAX;
	    loop assigns i;
	    loop variant CHECKED_MAX - i; */
	for (uint32_t i = 0; i < CHECKED_MAX && i < count; i++) {
		if (pages[first + i].owner != e)
			return EXO_PERM;
		if (data && pages[first + i].state != EXO_PAGE_DATA)
			return EXO_TYPE;
	}
	return EXO_OK;
}

struct exo_result sys_page_share(uint64_t frame, uint64_t count, uint64_t ce, uint64_t d,
				 uint64_t rights)
{
	const uint32_t me = cpu_self();
	uint32_t target;
	enum exo_status status = frames_own(me, frame, count, 1);

	if (status == EXO_OK && ((rights & EXO_RIGHT_READ) == 0 ||
				 rights > (EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_GRANT)))
		status = EXO_ARG;
	if (status == EXO_OK)
		status = cap_live_env(me, ce, EXO_ENV_GIVE, &target);
	if (status == EXO_OK)
		status = cap_room(target, d);
	if (status == EXO_OK)
		cap_put(target, (uint32_t)d,
			(struct exo_cap){.kind = EXO_CAP_PAGES,
					 .rights = (uint8_t)rights,
					 .object = me,
					 .gen = page_stamp,
					 .start = frame,
					 .len = count});
	return refuse(status);
}

/*@ requires frame < NFRAME;
    assigns page_stamp, pages[frame].born, run_born[frame / RUN]; */
void page_unshare(uint32_t frame)
{
	page_stamp++;
	stamp_now(frame);
}

struct exo_result sys_page_unshare(uint64_t frame, uint64_t count)
{
	const enum exo_status status =
		count > CHECKED_MAX ? EXO_RANGE : frames_own(cpu_self(), frame, count, 0);

	if (status != EXO_OK)
		return refuse(status);
	page_stamp++;
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, pages[frame .. frame + count - 1], run_born[0 .. NFRAME / RUN - 1];
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++)
		stamp_now((uint32_t)frame + i);
	return refuse(EXO_OK);
}
