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
#include "syscall.h"

/* Bytes that one entry of a table of each level translates. */
static const uint64_t entry_span[5] = {0, 1ull << 12, 1ull << 21, 1ull << 30, 1ull << 39};

/* Entries of table frame t that programs may use. */
/*@ requires t < NFRAME;
    assigns \nothing;
    ensures \result == EXO_USER_L4 || \result == NENTRY; */
static uint32_t entries_of(uint32_t t)
{
	return pages[t].level == 4 ? EXO_USER_L4 : NENTRY;
}

/* The environment e of slot `ce`, whose linked table `table` is to be changed at index..+count-1.
 */
/*@ requires \valid(e) && info.frames <= NFRAME;
    assigns *e;
    ensures \result == EXO_OK ==> table < info.frames && pages[table].state == EXO_PAGE_TABLE &&
	    pages[table].owner == *e && index + count <= NENTRY && count > 0;
*/
static enum exo_status table_own(uint64_t ce, uint64_t table, uint64_t index, uint64_t count,
				 uint32_t *e)
{
	const enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_BUILD, e);

	if (status != EXO_OK)
		return status;
	if (table >= info.frames)
		return EXO_RANGE;
	if (pages[table].owner != *e)
		return EXO_PERM;
	if (pages[table].state != EXO_PAGE_TABLE)
		return EXO_TYPE;
	if (pages[table].parent == 0 && envs[*e].root != table)
		return EXO_STATE;

	const uint32_t entries = entries_of((uint32_t)table);

	if (index >= entries || count == 0 || count > entries - index)
		return EXO_RANGE;
	return EXO_OK;
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
	enum exo_status status = table_own(ce, table, index, 1, &e);

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
	const enum exo_status status = table_own(ce, table, index, 1, &e);

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
static enum exo_status how_bits(uint64_t how, uint64_t *bits)
{
	const uint32_t perm = how % 256;

	if (perm > (EXO_MAP_READ | EXO_MAP_WRITE | EXO_MAP_EXEC) || (perm & EXO_MAP_READ) == 0)
		return EXO_ARG;
	if ((perm & EXO_MAP_WRITE) != 0 && (perm & EXO_MAP_EXEC) != 0)
		return EXO_WX;
	*bits = PTE_P | PTE_U;
	if ((perm & EXO_MAP_WRITE) != 0)
		*bits |= PTE_W;
	if ((perm & EXO_MAP_EXEC) == 0)
		*bits |= PTE_NX;
	return EXO_OK;
}

/*
 * May `cap` map this frame with these bits?  DATA as page_right() says; who may build an
 * environment also maps its UPCALL frames, and sees its TABLE and SAVE frames, never writable.
 */
/*@ requires \valid_read(cap) && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> frame < info.frames && page_maps[frame] < UINT32_MAX &&
	    EXO_PAGE_DATA <= pages[frame].state <= EXO_PAGE_UPCALL;
    ensures \result == EXO_OK && (bits & PTE_W) != 0 ==>
	    pages[frame].state == EXO_PAGE_DATA || pages[frame].state == EXO_PAGE_UPCALL;
*/
static enum exo_status map_right(const struct exo_cap *cap, uint32_t frame, uint64_t bits)
{
	const enum exo_status status = page_right(cap, frame, (bits & PTE_W) != 0);

	if (status == EXO_OK)
		return page_maps[frame] < UINT32_MAX ? EXO_OK : EXO_STATE;
	if (status != EXO_TYPE || cap->kind != EXO_CAP_ENV || page_maps[frame] == UINT32_MAX)
		return status;
	if (pages[frame].state == EXO_PAGE_UPCALL)
		return EXO_OK;
	return (bits & (PTE_W | PTE_NX)) == PTE_NX ? EXO_OK : EXO_TYPE;
}

/* Are `count` frames from `frame` mappable so at the entries from index, all empty? */
static enum exo_status run_mappable(const struct table *entries, uint32_t index,
				    const struct exo_cap *cap, uint64_t frame, uint32_t count,
				    uint64_t bits)
{
	enum exo_status status = frame < info.frames ? EXO_OK : EXO_RANGE;

	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, status;
	    loop variant count - i; */
	for (uint32_t i = 0; i < count && status == EXO_OK; i++) {
		status = map_right(cap, (uint32_t)frame + i, bits);
		if (status == EXO_OK && entries->e[index + i] != 0)
			status = EXO_OCCUPIED;
	}
	return status;
}

struct exo_result sys_page_map(uint64_t ce, uint64_t table, uint64_t index, uint64_t frame,
			       uint64_t count, uint64_t how)
{
	uint32_t e;
	uint64_t bits;
	struct exo_cap cap;
	enum exo_status status = table_own(ce, table, index, count, &e);

	if (status == EXO_OK && pages[table].level != 1)
		status = EXO_TYPE;
	if (status == EXO_OK)
		status = how_bits(how, &bits);
	if (status == EXO_OK)
		status = cap_read(cpu_self(), how / 256, &cap);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	status = run_mappable(entries, (uint32_t)index, &cap, frame, (uint32_t)count, bits);
	if (status != EXO_OK)
		return refuse(status);
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, page_maps[frame .. frame + count - 1],
	      entries->e[index .. index + count - 1];
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++) {
		page_maps[frame + i]++;
		entries->e[index + i] = (frame + i) * EXO_PAGE_SIZE + bits;
	}
	pages[table].present += (uint32_t)count;
	return refuse(EXO_OK);
}

/* May `cap` map all of the run that begins at `frame` (any number) with these bits? */
static enum exo_status large_right(const struct exo_cap *cap, uint64_t frame, uint64_t bits)
{
	enum exo_status status = EXO_OK;

	if (frame % RUN != 0)
		return EXO_ARG;
	if (frame >= info.frames || info.frames - frame < RUN)
		return EXO_RANGE;
	/*@ loop invariant 0 <= i <= RUN;
	    loop assigns i, status;
	    loop variant RUN - i; */
	for (uint32_t i = 0; i < RUN && status == EXO_OK; i++)
		status = page_right(cap, (uint32_t)frame + i, (bits & PTE_W) != 0);
	if (status == EXO_OK && run_maps[frame / RUN] == UINT32_MAX)
		status = EXO_STATE;
	return status;
}

struct exo_result sys_page_map_large(uint64_t ce, uint64_t table, uint64_t index, uint64_t frame,
				     uint64_t how)
{
	uint32_t e;
	uint64_t bits;
	struct exo_cap cap;
	enum exo_status status = table_own(ce, table, index, 1, &e);

	if (status == EXO_OK && pages[table].level != 2)
		status = EXO_TYPE;
	if (status == EXO_OK)
		status = how_bits(how, &bits);
	if (status == EXO_OK)
		status = cap_read(cpu_self(), how / 256, &cap);
	if (status == EXO_OK)
		status = large_right(&cap, frame, bits);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	if (entries->e[index] != 0)
		return refuse(EXO_OCCUPIED);
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
	enum exo_status status = table_own(ce, table, index, count, &e);

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
	uint32_t e;
	uint64_t bits;
	struct exo_cap cap;
	enum exo_status status = table_own(ce, table, index, count, &e);

	if (status == EXO_OK)
		status = how_bits(how, &bits);
	if (status == EXO_OK)
		status = cap_read(cpu_self(), how / 256, &cap);
	if (status != EXO_OK)
		return refuse(status);

	struct table *const entries = machine_table((struct pfn){(uint32_t)table});

	status =
		protectable((uint32_t)table, entries, (uint32_t)index, (uint32_t)count, &cap, bits);
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

/*@ requires t < NFRAME && pages[t].state == EXO_PAGE_TABLE && 1 <= pages[t].level <= 4;
    assigns pages[0 .. NFRAME - 1], page_maps[0 .. NFRAME - 1], run_maps[0 .. NFRAME / RUN - 1];
    ensures pages[t].present == 0;
*/
void table_empty(uint32_t t)
{
	struct table *const entries = machine_table((struct pfn){t});
	const uint32_t count = entries_of(t);

	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, pages[0 .. NFRAME - 1], page_maps[0 .. NFRAME - 1],
	      run_maps[0 .. NFRAME / RUN - 1], entries->e[0 .. NENTRY - 1];
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t entry = entries->e[i];

		if (entry == 0)
			continue;
		if (entry_is_leaf(entry, pages[t].level)) {
			leaf_uncount(entry, pages[t].level);
		} else {
			pages[entry_frame(entry)].parent = 0;
			pages[entry_frame(entry)].va = 0;
		}
		entries->e[i] = 0;
	}
	pages[t].present = 0;
}
