/*
 * table.c - owns the entries of page tables; the only writer of them, of present, parent and va,
 * and of the counts page_maps and run_maps.
 *
 * Invariant: see table.h.  Accessed and dirty bits are the CPU's and stay as they are.  No lock:
 * one CPU in the kernel.  Called by programs, and by env.c to empty the tables of a dead one.
 */
#include "table.h"
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "info.h"
#include "machine.h"
#include "page.h"
#include "registry.h"
#include "syscall.h"

/* Bytes that one entry of a table of each level translates. */
static const uint64_t entry_span[5] = {0, 1ull << 12, 1ull << 21, 1ull << 30, 1ull << 39};

/* Entries of a table of this level that programs may use. */
/*@ assigns \nothing;
    ensures \result == EXO_USER_L4 || \result == NENTRY; */
static inline uint32_t entries_of(uint32_t level)
{
	return level == 4 ? EXO_USER_L4 : NENTRY;
}

/* The environment e of slot `ce`, whose linked table `table` is to be changed. */
/*@ requires \valid(e) && info.frames <= NFRAME;
    assigns *e;
    ensures \result == EXO_OK ==> table < info.frames && pages[table].state == EXO_PAGE_TABLE &&
	    pages[table].owner == *e;
*/
static inline __attribute__((always_inline)) enum exo_status table_own(uint64_t ce, uint64_t table,
								       uint32_t *e)
{
	const enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_BUILD, e);

	if (status != EXO_OK)
		return status;
	if (table >= info.frames)
		return EXO_RANGE;

	const struct exo_page *const p = &pages[table];

	if (p->owner != *e)
		return EXO_PERM;
	if (p->state != EXO_PAGE_TABLE)
		return EXO_TYPE;
	return p->parent != 0 || envs[*e].root == table ? EXO_OK : EXO_STATE;
}

/* Are index..index+count-1 entries, at least one, that programs may use at this level? */
/*@ assigns \nothing;
    ensures \result == EXO_OK ==> index + count <= NENTRY && count > 0; */
static inline enum exo_status run_inside(uint32_t level, uint64_t index, uint64_t count)
{
	const uint32_t entries = entries_of(level);

	return index < entries && count != 0 && count <= entries - index ? EXO_OK : EXO_RANGE;
}

/* No CPU keeps what entries index..index+count-1 of linked table t translated. */
static void entries_drop(uint32_t t, uint32_t index, uint32_t count)
{
	const uint64_t span = entry_span[pages[t].level];

	machine_tlb_drop((struct pfn){envs[pages[t].owner].root}, pages[t].va + index * span,
			 count * (uint32_t)(span / EXO_PAGE_SIZE));
}

/* ---- linking ----------------------------------------------------------------------------- */

/* May frame be linked below a table of `level` that e owns? */
/*@ requires info.frames <= NFRAME && e < EXO_NENV;
    assigns \nothing;
    ensures \result == EXO_OK ==> frame < info.frames && pages[frame].state == EXO_PAGE_TABLE &&
	    pages[frame].owner == e && pages[frame].level + 1 == level;
*/
static enum exo_status linkable(uint32_t e, uint64_t frame, uint32_t level)
{
	if (frame >= info.frames)
		return EXO_RANGE;
	if (pages[frame].owner != e)
		return EXO_PERM;
	if (pages[frame].state != EXO_PAGE_TABLE || pages[frame].level + 1u != level)
		return EXO_TYPE;
	if (pages[frame].parent != 0 || pages[frame].present != 0)
		return EXO_BUSY;
	return EXO_OK;
}

struct exo_result sys_table_link(uint64_t ce, uint64_t table, uint64_t index, uint64_t frame)
{
	uint32_t e;
	enum exo_status status = table_own(ce, table, &e);

	if (status == EXO_OK)
		status = run_inside(pages[table].level, index, 1);
	if (status == EXO_OK)
		status = linkable(e, frame, pages[table].level);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	if (entries->e[index] != 0)
		return refuse(EXO_OCCUPIED);
	entries->e[index] = frame * EXO_PAGE_SIZE + (PTE_P | PTE_W | PTE_U);
	pages[table].present++;
	pages[frame].parent = (uint32_t)table;
	pages[frame].va = pages[table].va + index * entry_span[pages[table].level];
	return refuse(EXO_OK);
}

struct exo_result sys_table_unlink(uint64_t ce, uint64_t table, uint64_t index)
{
	uint32_t e;
	enum exo_status status = table_own(ce, table, &e);

	if (status == EXO_OK)
		status = run_inside(pages[table].level, index, 1);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});
	const uint32_t child = entry_frame(entries->e[index]);

	if (entries->e[index] == 0)
		return refuse(EXO_STATE);
	if (entry_is_leaf(entries->e[index], pages[table].level))
		return refuse(EXO_TYPE);
	if (pages[child].present != 0)
		return refuse(EXO_BUSY);
	entries->e[index] = 0;
	pages[table].present--;
	entries_drop((uint32_t)table, (uint32_t)index, 1);
	pages[child].parent = 0;
	pages[child].va = 0;
	return refuse(EXO_OK);
}

/* ---- mapping ----------------------------------------------------------------------------- */

/* Permission bits of an entry for the argument `how`: *bits. */
/*@ requires \valid(bits);
    assigns *bits;
    ensures \result == EXO_OK ==> (how & EXO_MAP_READ) != 0;
    ensures \result == EXO_OK && (how & EXO_MAP_WRITE) != 0 ==> (*bits & PTE_NX) != 0;
*/
static inline enum exo_status how_bits(uint64_t how, uint64_t *bits)
{
	static const uint64_t bits_of[8] = {
		[EXO_MAP_READ] = PTE_P | PTE_U | PTE_NX,
		[EXO_MAP_READ | EXO_MAP_WRITE] = PTE_P | PTE_U | PTE_W | PTE_NX,
		[EXO_MAP_READ | EXO_MAP_EXEC] = PTE_P | PTE_U,
	};
	const uint32_t perm = how % 256;

	if (perm > (EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_EXEC))
		return EXO_ARG;
	*bits = bits_of[perm];
	if (*bits != 0)
		return EXO_OK;
	return perm == (EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_EXEC) ? EXO_WX : EXO_ARG;
}

/*
 * May `cap`, which is neither to frames nor to an environment, map this frame (any number) with
 * these bits?  Blocks: the frame that the registry has for one of them, read-only.  Devices: their
 * frames.
 */
/*@ requires \valid_read(cap) && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> frame < info.frames; */
static enum exo_status other_right(const struct exo_cap *cap, uint64_t frame, uint64_t bits)
{
	if (cap->kind != EXO_CAP_EXTENT && cap->kind != EXO_CAP_DEVICE)
		return EXO_TYPE;
	if ((bits & PTE_NX) == 0)
		return EXO_PERM;
	if (cap->kind == EXO_CAP_EXTENT)
		return (bits & PTE_W) != 0 ? EXO_PERM : registry_right(cap, frame);
	if (frame < cap->start || frame - cap->start >= cap->len)
		return EXO_RANGE;
	return (bits & PTE_W) != 0 && (cap->rights & EXO_RIGHT_WRITE) == 0 ? EXO_PERM : EXO_OK;
}

/*
 * May `cap` map this frame with these bits?  DATA as page_right() says; who may build an
 * environment also maps its UPCALL frames, and sees its TABLE, SAVE and TRACE frames, never
 * writable.
 */
/*@ requires \valid_read(cap) && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> frame < info.frames &&
	    (EXO_PAGE_DATA <= pages[frame].state <= EXO_PAGE_UPCALL ||
	     pages[frame].state == EXO_PAGE_TRACE || pages[frame].state == EXO_PAGE_DEVICE);
    ensures \result == EXO_OK && (bits & PTE_W) != 0 ==>
	    pages[frame].state == EXO_PAGE_DATA || pages[frame].state == EXO_PAGE_UPCALL ||
	    pages[frame].state == EXO_PAGE_DEVICE;
*/
static inline enum exo_status map_right(const struct exo_cap *cap, uint32_t frame, uint64_t bits)
{
	const enum exo_status status = page_right(cap, frame, (bits & PTE_W) != 0);

	if (status != EXO_TYPE)
		return status;
	if (cap->kind != EXO_CAP_ENV)
		return other_right(cap, frame, bits);
	if (pages[frame].state == EXO_PAGE_UPCALL)
		return EXO_OK;
	return (bits & (PTE_W | PTE_NX)) == PTE_NX ? EXO_OK : EXO_TYPE;
}

/* May `cap` map `count` frames from `frame` (any number) with these bits? */
static enum exo_status map_run_right(const struct exo_cap *cap, uint64_t frame, uint32_t count,
				     uint64_t bits)
{
	enum exo_status status;

	if (count == 1 && frame < info.frames)
		return map_right(cap, (uint32_t)frame, bits);
	status = page_run_right(cap, frame, count, (bits & PTE_W) != 0);
	if (status != EXO_TYPE)
		return status;
	status = EXO_OK; /* all are there, and some are not DATA: one by one */
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, status;
	    loop variant count - i; */
	for (uint32_t i = 0; i < count && status == EXO_OK; i++)
		status = map_right(cap, (uint32_t)frame + i, bits);
	return status;
}

/* Are `count` entries from index empty, and can each of the frames be counted once more? */
static enum exo_status run_room(const struct table *entries, uint32_t index, uint32_t frame,
				uint32_t count)
{
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i;
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++) {
		if (entries->e[index + i] != 0)
			return EXO_OCCUPIED;
		if (page_maps[frame + i] == UINT32_MAX)
			return EXO_STATE;
	}
	return EXO_OK;
}

/* The table of a call that maps, the bits of `how`, and the capability it names. */
/*@ requires \valid(bits) && \valid(cap); */
static inline __attribute__((always_inline)) enum exo_status
map_args(uint64_t ce, uint64_t table, uint64_t index, uint64_t count, uint64_t how, uint64_t *bits,
	 const struct exo_cap **cap)
{
	uint32_t e;
	enum exo_status status = table_own(ce, table, &e);

	if (status == EXO_OK)
		status = run_inside(pages[table].level, index, count);
	if (status == EXO_OK)
		status = how_bits(how, bits);
	return status == EXO_OK ? cap_look(cpu_self(), how / 256, cap) : status;
}

struct exo_result sys_page_map(uint64_t ce, uint64_t table, uint64_t index, uint64_t frame,
			       uint64_t count, uint64_t how)
{
	uint64_t bits;
	const struct exo_cap *cap;
	enum exo_status status = map_args(ce, table, index, count, how, &bits, &cap);

	if (status == EXO_OK && pages[table].level != 1)
		status = EXO_TYPE;
	if (status == EXO_OK)
		status = map_run_right(cap, frame, (uint32_t)count, bits);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	status = run_room(entries, (uint32_t)index, (uint32_t)frame, (uint32_t)count);
	if (status != EXO_OK)
		return refuse(status);
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, page_maps[frame .. frame + count - 1],
	      entries->e[index .. index + count - 1];
	    loop variant count - i; */
	for (uint32_t i = 0; i < (uint32_t)count; i++) {
		page_maps[frame + i]++;
		entries->e[index + i] = (frame + i) * EXO_PAGE_SIZE + bits;
	}
	pages[table].present += (uint32_t)count;
	return refuse(EXO_OK);
}

/* May `cap` map all of the run that begins at `frame` (any number) with these bits? */
static enum exo_status large_right(const struct exo_cap *cap, uint64_t frame, uint64_t bits)
{
	if (frame % RUN != 0)
		return EXO_ARG;
	return page_run_right(cap, frame, RUN, (bits & PTE_W) != 0);
}

struct exo_result sys_page_map_large(uint64_t ce, uint64_t table, uint64_t index, uint64_t frame,
				     uint64_t how)
{
	uint64_t bits;
	const struct exo_cap *cap;
	enum exo_status status = map_args(ce, table, index, 1, how, &bits, &cap);

	if (status == EXO_OK && pages[table].level != 2)
		status = EXO_TYPE;
	if (status == EXO_OK)
		status = large_right(cap, frame, bits);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	if (entries->e[index] != 0)
		return refuse(EXO_OCCUPIED);
	if (run_maps[frame / RUN] == UINT32_MAX)
		return refuse(EXO_STATE);
	run_maps[frame / RUN]++;
	entries->e[index] = frame * EXO_PAGE_SIZE + (bits | PTE_PS);
	pages[table].present++;
	return refuse(EXO_OK);
}

/* Are entries index..index+count-1 of table t all empty or leaves? */
static enum exo_status leaves_only(uint32_t t, const struct table *entries, uint32_t index,
				   uint32_t count)
{
	if (pages[t].level == 1)
		return EXO_OK;
	if (pages[t].level != 2)
		return EXO_TYPE;
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i;
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++)
		if (entries->e[index + i] != 0 && !entry_is_leaf(entries->e[index + i], 2))
			return EXO_TYPE;
	return EXO_OK;
}

/* The leaf `entry` of a table of that level goes away: what it maps is held once less. */
static void leaf_uncount(uint64_t entry, uint32_t level)
{
	if (level == 1)
		page_maps[entry_frame(entry)]--;
	else
		run_maps[entry_frame(entry) / RUN]--;
}

struct exo_result sys_page_unmap(uint64_t ce, uint64_t table, uint64_t index, uint64_t count)
{
	uint32_t e, gone = 0;
	enum exo_status status = table_own(ce, table, &e);

	if (status == EXO_OK)
		status = run_inside(pages[table].level, index, count);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	status = leaves_only((uint32_t)table, entries, (uint32_t)index, (uint32_t)count);
	if (status != EXO_OK)
		return refuse(status);
	/*@ loop invariant 0 <= i <= count && gone <= i;
	    loop assigns i, gone, page_maps[0 .. NFRAME - 1], run_maps[0 .. NFRAME / RUN - 1],
	      entries->e[index .. index + count - 1];
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++) {
		if (entries->e[index + i] == 0)
			continue;
		leaf_uncount(entries->e[index + i], pages[table].level);
		entries->e[index + i] = 0;
		gone++;
	}
	pages[table].present -= gone;
	if (gone != 0)
		entries_drop((uint32_t)table, (uint32_t)index, (uint32_t)count);
	return refuse(EXO_OK);
}

/* May `cap` give every present one of these leaves the permission bits?  Large ones singly. */
static enum exo_status protectable(uint32_t t, const struct table *entries, uint32_t index,
				   uint32_t count, const struct exo_cap *cap, uint64_t bits)
{
	enum exo_status status = leaves_only(t, entries, index, count);

	if (status == EXO_OK && pages[t].level == 2 && count != 1)
		status = EXO_ARG;
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, status;
	    loop variant count - i; */
	for (uint32_t i = 0; i < count && status == EXO_OK; i++) {
		const uint64_t entry = entries->e[index + i];

		if (entry != 0)
			status = pages[t].level == 1 ? map_right(cap, entry_frame(entry), bits)
						     : large_right(cap, entry_frame(entry), bits);
	}
	return status;
}

struct exo_result sys_page_protect(uint64_t ce, uint64_t table, uint64_t index, uint64_t count,
				   uint64_t how)
{
	uint64_t bits;
	const struct exo_cap *cap;
	enum exo_status status = map_args(ce, table, index, count, how, &bits, &cap);

	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	status = protectable((uint32_t)table, entries, (uint32_t)index, (uint32_t)count, cap, bits);
	if (status != EXO_OK)
		return refuse(status);
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, entries->e[index .. index + count - 1];
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++)
		if (entries->e[index + i] != 0)
			entries->e[index + i] = (entries->e[index + i] & ~(PTE_W | PTE_NX)) | bits;
	entries_drop((uint32_t)table, (uint32_t)index, (uint32_t)count);
	return refuse(EXO_OK);
}

/* ---- the tables of the dead -------------------------------------------------------------- */

/* Are the eight entries from e[0] on empty? */
/*@ requires \valid_read(e + (0 .. 7));
    assigns \nothing; */
static int eight_empty(const uint64_t *e)
{
	return (e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]) == 0;
}

/* The first entry from i on, but before `count`, that is not empty; else `count`.  Most tables are
   nearly empty, so it goes over eight at a time. */
/*@ requires i <= count <= NENTRY;
    assigns \nothing;
    ensures i <= \result <= count; */
static uint32_t next_full(const struct table *t, uint32_t i, uint32_t count)
{
	/*@ loop invariant i <= count;
	    loop assigns i;
	    loop variant count - i; */
	while (i < count && t->e[i] == 0) {
		i++;
		/*@ loop invariant i <= count;
		    loop assigns i;
		    loop variant count - i; */
		while (i + 8 <= count && eight_empty(&t->e[i]))
			i += 8;
	}
	return i;
}

/* A table with entries that an entry of t links; 0: there is none. */
/*@ requires t < NFRAME && pages[t].state == EXO_PAGE_TABLE && 1 <= pages[t].level <= 4;
    assigns \nothing;
    ensures \result < NFRAME; */
static uint32_t full_child(uint32_t t)
{
	const struct table *const entries = machine_table((struct pfn){t});
	const uint32_t level = pages[t].level, count = entries_of(level);
	uint32_t left = level == 1 ? 0 : pages[t].present;

	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, left;
	    loop variant left; */
	for (uint32_t i = 0; left != 0 && (i = next_full(entries, i, count)) < count; i++, left--)
		if (!entry_is_leaf(entries->e[i], level) &&
		    pages[entry_frame(entries->e[i])].present != 0)
			return entry_frame(entries->e[i]);
	return 0;
}

uint32_t table_lowest(uint32_t t)
{
	uint32_t child = full_child(t);

	/*@ loop invariant t < NFRAME && child < NFRAME;
	    loop assigns t, child;
	    loop variant pages[t].level; */
	while (child != 0) {
		t = child;
		child = full_child(t);
	}
	return t;
}

/* Frame f is freed when it is e's and nothing holds it any more: no mapping, link, role, request.
 */
/*@ requires f < NFRAME && 0 < e < EXO_NENV;
    assigns pages[f], page_free_map[f / 64], info.free_frames,
	    quota_used[e].n[EXO_QUOTA_PAGES]; */
static void let_go(uint32_t e, uint32_t f)
{
	if (pages[f].owner == e && page_idle(f) == EXO_OK)
		page_release(f);
}

/*@ requires t < NFRAME && pages[t].state == EXO_PAGE_TABLE && 1 <= pages[t].level <= 4;
    requires 0 < pages[t].owner < EXO_NENV;
    assigns pages[0 .. NFRAME - 1], page_maps[0 .. NFRAME - 1], run_maps[0 .. NFRAME / RUN - 1];
    assigns page_free_map[0 .. NFRAME / 64 - 1], info.free_frames;
    assigns quota_used[pages[t].owner].n[EXO_QUOTA_PAGES];
    ensures pages[t].present == 0;
*/
void table_empty(uint32_t t)
{
	struct table *const entries = machine_table((struct pfn){t});
	const uint32_t level = pages[t].level, count = entries_of(level);
	uint32_t left = pages[t].present;

	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, left, pages[0 .. NFRAME - 1], page_maps[0 .. NFRAME - 1],
	      run_maps[0 .. NFRAME / RUN - 1], entries->e[0 .. NENTRY - 1],
	      page_free_map[0 .. NFRAME / 64 - 1], info.free_frames,
	      quota_used[pages[t].owner].n[EXO_QUOTA_PAGES];
	    loop variant left; */
	for (uint32_t i = 0; left != 0 && (i = next_full(entries, i, count)) < count; i++, left--) {
		const uint64_t entry = entries->e[i];
		const uint32_t f = entry_frame(entry);

		entries->e[i] = 0;
		if (entry_is_leaf(entry, level)) {
			leaf_uncount(entry, level);
		} else {
			pages[f].parent = 0;
			pages[f].va = 0;
		}
		if ((entry & PTE_PS) == 0)
			let_go(pages[t].owner, f);
	}
	pages[t].present = 0;
}

/* ---- revocation -------------------------------------------------------------------------- */

/* Does this leaf of a table of that level map frame f? */
static int leaf_maps(uint64_t entry, uint32_t level, uint32_t f)
{
	if (level == 1)
		return entry_frame(entry) == f;
	return entry_frame(entry) / RUN == f / RUN;
}

/*@ requires t < NFRAME && pages[t].state == EXO_PAGE_TABLE && f < NFRAME;
    assigns pages[t], page_maps[0 .. NFRAME - 1], run_maps[0 .. NFRAME / RUN - 1];
    ensures \result <= NENTRY; */
uint32_t table_break(uint32_t t, uint32_t f)
{
	struct table *const entries = machine_table((struct pfn){t});
	const uint32_t level = pages[t].level;
	uint32_t gone = 0;

	if (level > 2)
		return 0;
	/*@ loop invariant 0 <= i <= NENTRY && gone <= i;
	    loop assigns i, gone, page_maps[0 .. NFRAME - 1], run_maps[0 .. NFRAME / RUN - 1],
	      entries->e[0 .. NENTRY - 1];
	    loop variant NENTRY - i; */
	for (uint32_t i = 0; i < NENTRY; i++) {
		const uint64_t entry = entries->e[i];

		if (entry == 0 || !entry_is_leaf(entry, level) || !leaf_maps(entry, level, f))
			continue;
		leaf_uncount(entry, level);
		entries->e[i] = 0;
		gone++;
	}
	pages[t].present -= gone;
	if (gone != 0)
		entries_drop(t, 0, NENTRY);
	return gone;
}
