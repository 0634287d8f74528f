/*
 * machine_host.c - owns the memory, the clock and the disk and console stubs of the core's host
 * tests, and a copy of the core's state to compare with.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "../kern/cap.h"
#include "../kern/console.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/extent.h"
#include "../kern/group.h"
#include "../kern/info.h"
#include "../kern/io.h"
#include "../kern/ipc.h"
#include "../kern/load.h"
#include "../kern/page.h"
#include "../kern/quota.h"
#include "../kern/registry.h"
#include "../kern/revoke.h"
#include "../kern/slot.h"
#include "../kern/table.h"
#include "../kern/timer.h"
#include "../kern/trace.h"
#include "../kern/wake.h"
#include "machine_host.h"

struct cpu cpus[NCPU];
uint64_t host_now;
uint64_t host_tsc;
struct host_trace host_trace;
uint32_t host_slice_timers;
jmp_buf host_halt;
uint64_t host_halted;
struct host_drop host_drops[HOST_DROPS];
uint32_t host_drop_count;
uint16_t host_extent_payer[EXO_NEXTENT];
uint32_t host_extent_gen[EXO_NEXTENT];
uint32_t host_session_gen[EXO_NSESSION];
uint32_t host_io_queued[EXO_NENV];
uint32_t host_io_active[EXO_NENV];
uint32_t host_completions[EXO_NENV];

struct exo_io ios[EXO_NIO];
uint32_t io_frames[EXO_NIO][EXO_IO_BLOCKS];

union frame {
	uint8_t bytes[EXO_PAGE_SIZE];
	struct table table;
	struct exo_save save;
	struct exo_upcall_head head;
	struct {
		uint8_t stack[EXO_PAGE_SIZE - sizeof(struct exo_upcall_frame)];
		struct exo_upcall_frame frame;
	} upcall;
};
static union frame memory[NFRAME];

/* ---- the machine ------------------------------------------------------------------------- */

struct table *machine_table(struct pfn f)
{
	return &memory[f.n].table;
}

struct exo_upcall_head *machine_upcall_head(struct pfn f)
{
	return &memory[f.n].head;
}

struct exo_upcall_frame *machine_upcall_frame(struct pfn f)
{
	return &memory[f.n].upcall.frame;
}

struct exo_save *machine_save(struct pfn f)
{
	return &memory[f.n].save;
}

uint8_t *machine_bytes(struct pfn f)
{
	return memory[f.n].bytes;
}

void machine_zero(struct pfn f)
{
	memset(&memory[f.n], 0, sizeof memory[f.n]);
}

void machine_root_init(struct pfn root)
{
	for (uint32_t i = EXO_USER_L4; i < NENTRY; i++)
		memory[root.n].table.e[i] = 0xffff000000000000ull + i;
}

void machine_tlb_drop(struct pfn root, uint64_t va, uint32_t count)
{
	if (host_drop_count == HOST_DROPS)
		abort();
	host_drops[host_drop_count++] = (struct host_drop){root.n, count, va};
}

uint64_t machine_now(void)
{
	return host_now;
}

uint64_t machine_tsc(void)
{
	return ++host_tsc;
}

void machine_trace(struct pfn first, uint32_t frames)
{
	host_trace = (struct host_trace){first.n, frames};
}

void machine_slice_timer(void)
{
	host_slice_timers++;
}

void machine_halt(uint64_t status)
{
	host_halted = status;
	longjmp(host_halt, 1);
}

void machine_fpu_init(struct exo_save *save)
{
	save->fpu[0] = 0x7f;
}

/* ---- disk and console -------------------------------------------------------------------- */

uint32_t extent_gen(uint32_t x)
{
	return host_extent_gen[x];
}

enum exo_status extent_pass_charge(uint64_t x, uint32_t from, uint32_t to)
{
	if (x == 0 || x >= EXO_NEXTENT)
		return EXO_RANGE;
	if (host_extent_payer[x] != from)
		return EXO_PERM;
	host_extent_payer[x] = (uint16_t)to;
	quota_pass(from, to, EXO_QUOTA_EXTENTS, 1);
	return EXO_OK;
}

void extent_revoke(uint32_t x)
{
	host_extent_gen[x]++;
}

uint64_t console_gen(uint32_t session)
{
	return host_session_gen[session];
}

void console_revoke(uint32_t session)
{
	host_session_gen[session]++;
}

void console_env_end(uint32_t e)
{
	(void)e;
}

uint32_t io_completions(uint32_t e)
{
	return host_completions[e];
}

int io_busy(uint32_t e)
{
	return host_io_queued[e] != 0 || host_io_active[e] != 0 || envs[e].io_ring != 0;
}

enum exo_status io_env_end(uint32_t e)
{
	if (host_io_queued[e] != 0) {
		host_io_queued[e]--;
		quota_release(e, EXO_QUOTA_IO, 1);
	}
	if (host_io_queued[e] != 0 || host_io_active[e] != 0)
		return EXO_BUSY;
	if (envs[e].io_ring != 0)
		page_unpin(envs[e].io_ring);
	envs[e].io_ring = 0;
	return EXO_OK;
}

/* ---- booting ----------------------------------------------------------------------------- */

static void forget(void)
{
	memset(&info, 0, sizeof info);
	memset(cpus, 0, sizeof cpus);
	memset(envs, 0, sizeof envs);
	memset(quota_used, 0, sizeof quota_used);
	memset(quota_limit, 0, sizeof quota_limit);
	memset(caps, 0, sizeof caps);
	memset(messages, 0, sizeof messages);
	memset(slots, 0, sizeof slots);
	memset(slot_runnable, 0, sizeof slot_runnable);
	memset(pages, 0, sizeof pages);
	memset(page_maps, 0, sizeof page_maps);
	memset(page_pins, 0, sizeof page_pins);
	memset(page_free_map, 0, sizeof page_free_map);
	memset(run_maps, 0, sizeof run_maps);
	memset(run_born, 0, sizeof run_born);
	memset(revokes, 0, sizeof revokes);
	memset(groups, 0, sizeof groups);
	memset(scenes, 0, sizeof scenes);
	memset(&load, 0, sizeof load);
	memset(load_waiting, 0, sizeof load_waiting);
	memset(wakers, 0, sizeof wakers);
	memset(timer_heap, 0, sizeof timer_heap);
	memset(timer_place, 0, sizeof timer_place);
	timer_count = 0;
	memset(&tracing, 0, sizeof tracing);
	memset(traces, 0, sizeof traces);
	host_trace = (struct host_trace){0, 0};
	page_stamp = 0;
	memset(host_extent_gen, 0, sizeof host_extent_gen);
	memset(host_session_gen, 0, sizeof host_session_gen);
	memset(host_io_queued, 0, sizeof host_io_queued);
	memset(host_io_active, 0, sizeof host_io_active);
	memset(host_completions, 0, sizeof host_completions);
	host_now = 1;
	host_slice_timers = 0;
	slot_enders = 0;
	host_drop_count = 0;
}

void host_boot(uint32_t frames, uint32_t first_free, uint32_t nenv)
{
	forget();
	memset(memory, 0xa5, sizeof memory);
	info.frames = frames;
	page_boot_range(0, first_free, EXO_PAGE_KERNEL);
	page_boot_range(first_free, frames - first_free, EXO_PAGE_FREE);
	registry_init(HOST_BINDS);
	env_init(nenv);
	cpus[0].current = 1;
}

/* ---- comparing --------------------------------------------------------------------------- */

/* The arrays of the core, each with how much of it is in use. */
#define STATE(ARRAY)                                                                               \
	ARRAY(info, sizeof info)                                                                   \
	ARRAY(cpus, sizeof cpus)                                                                   \
	ARRAY(envs, info.envs * sizeof envs[0])                                                    \
	ARRAY(quota_used, info.envs * sizeof quota_used[0])                                        \
	ARRAY(quota_limit, info.envs * sizeof quota_limit[0])                                      \
	ARRAY(caps, info.envs * sizeof caps[0])                                                    \
	ARRAY(messages, info.envs * sizeof messages[0])                                            \
	ARRAY(slots, sizeof slots)                                                                 \
	ARRAY(slot_runnable, sizeof slot_runnable)                                                 \
	ARRAY(pages, info.frames * sizeof pages[0])                                                \
	ARRAY(page_maps, info.frames * sizeof page_maps[0])                                        \
	ARRAY(page_pins, info.frames * sizeof page_pins[0])                                        \
	ARRAY(page_free_map, sizeof page_free_map)                                                 \
	ARRAY(run_maps, sizeof run_maps)                                                           \
	ARRAY(run_born, sizeof run_born)                                                           \
	ARRAY(revokes, info.envs * sizeof revokes[0])                                              \
	ARRAY(groups, sizeof groups)                                                               \
	ARRAY(scenes, sizeof scenes)                                                               \
	ARRAY(load, sizeof load)                                                                   \
	ARRAY(load_waiting, sizeof load_waiting)                                                   \
	ARRAY(load_program, sizeof load_program)                                                   \
	ARRAY(wakers, info.envs * sizeof wakers[0])                                                \
	ARRAY(timer_heap, info.envs * sizeof timer_heap[0])                                        \
	ARRAY(timer_place, info.envs * sizeof timer_place[0])                                      \
	ARRAY(slot_enders, sizeof slot_enders)                                                     \
	ARRAY(timer_count, sizeof timer_count)                                                     \
	ARRAY(page_stamp, sizeof page_stamp)                                                       \
	ARRAY(tracing, sizeof tracing)                                                             \
	ARRAY(host_trace, sizeof host_trace)                                                       \
	ARRAY(registry, HOST_BINDS * sizeof registry[0])                                           \
	ARRAY(host_extent_gen, 64 * sizeof host_extent_gen[0])                                     \
	ARRAY(host_session_gen, sizeof host_session_gen)

#define COPY(array, bytes) static __typeof__(array) old_##array;
STATE(COPY)
#undef COPY
static union frame old_memory[NFRAME];

static int kept(const struct exo_page *p)
{
	return p->state == EXO_PAGE_TABLE || p->state == EXO_PAGE_SAVE;
}

void host_remember(void)
{
#define COPY(array, bytes) memcpy(&old_##array, &array, bytes);
	STATE(COPY)
#undef COPY
	for (uint32_t f = 0; f < info.frames; f++)
		if (kept(&pages[f]))
			memcpy(&old_memory[f], &memory[f], sizeof memory[f]);
	host_drop_count = 0;
}

int host_same(void)
{
	int same = 1;

#define COMPARE(array, bytes) same &= memcmp(&old_##array, &array, bytes) == 0;
	STATE(COMPARE)
#undef COMPARE
	for (uint32_t f = 0; f < info.frames && same; f++)
		if (kept(&pages[f]))
			same = memcmp(&old_memory[f], &memory[f], sizeof memory[f]) == 0;
	return same;
}

static int dropped(uint32_t root, uint64_t va, uint64_t bytes)
{
	for (uint32_t i = 0; i < host_drop_count; i++) {
		const struct host_drop *const d = &host_drops[i];
		const uint64_t end = d->va + (uint64_t)d->pages * EXO_PAGE_SIZE;

		if (d->root == root && va < end && d->va < va + bytes)
			return 1;
	}
	return 0;
}

static int lost(uint64_t old, uint64_t now)
{
	const uint64_t rights = PTE_P | PTE_W | PTE_U | (~now & PTE_NX);

	return (old & PTE_P) != 0 &&
	       ((now & PTE_P) == 0 || entry_frame(old) != entry_frame(now) ||
		((old ^ now) & old & (rights & ~PTE_NX)) != 0 || (~old & now & PTE_NX) != 0);
}

static int table_clean(uint32_t t)
{
	const struct exo_page *const p = &old_pages[t];
	const uint64_t span = 4096ull << (9 * (p->level - 1));

	if (pages[t].state == EXO_PAGE_TABLE && memcmp(&old_memory[t], &memory[t], 4096) == 0)
		return 1;
	for (uint32_t i = 0; i < (p->level == 4 ? EXO_USER_L4 : NENTRY); i++)
		if (lost(old_memory[t].table.e[i], memory[t].table.e[i]) &&
		    !dropped(old_envs[p->owner].root, p->va + i * span, span))
			return 0;
	return 1;
}

int host_tlb_clean(void)
{
	for (uint32_t t = 0; t < info.frames; t++)
		if (old_pages[t].state == EXO_PAGE_TABLE && old_pages[t].present != 0 &&
		    old_envs[old_pages[t].owner].state != EXO_ENV_ZOMBIE && !table_clean(t))
			return 0;
	return 1;
}

/* ---- confinement ------------------------------------------------------------------------- */

/* Could `me` act on environment e with this right, when the state was remembered? */
static int could(uint32_t me, uint32_t e, uint32_t right)
{
	for (uint32_t s = 0; s < EXO_NCAP; s++) {
		const struct exo_cap *const c = &old_caps[me].c[s];

		if (c->kind == EXO_CAP_ENV && c->object == e && c->gen == old_envs[e].cap_gen &&
		    (c->rights & right) != 0)
			return 1;
	}
	return 0;
}

/* Is e nobody, or does nobody act for it any more? */
static int dead(uint32_t e)
{
	return old_envs[e].state == EXO_ENV_FREE || old_envs[e].state == EXO_ENV_ZOMBIE;
}

/* May `me` take frames (slots) from e, for which it asked in time? */
static int may_take(uint32_t me, uint32_t e, enum exo_ask_kind kind)
{
	const struct exo_ask *const ask = &old_revokes[e].ask[kind];

	return ask->n != 0 && ask->by == env_eid(me).n && ask->deadline <= host_now &&
	       could(me, e, EXO_ENV_REVOKE);
}

/* Did table t only lose leaves of frames that are `me`'s, or that it may take? */
static int only_taken(uint32_t me, uint32_t t)
{
	for (uint32_t i = 0; i < NENTRY; i++) {
		const uint64_t old = old_memory[t].table.e[i], now = memory[t].table.e[i];
		const uint32_t owner = old_pages[entry_frame(old) % NFRAME].owner;

		if (old != now && (now != 0 || !entry_is_leaf(old, pages[t].level) ||
				   (owner != me && !may_take(me, owner, EXO_ASK_PAGES))))
			return 0;
	}
	return pages[t].state == EXO_PAGE_TABLE && old_pages[t].parent == pages[t].parent &&
	       old_page_pins[t] == page_pins[t];
}

/* Pins of a frame that the ring was made of, or is: they come and go with who traces. */
static int ring_pin(uint32_t f)
{
	return old_pages[f].state == EXO_PAGE_TRACE && pages[f].state == EXO_PAGE_TRACE &&
	       envs[pages[f].owner].state == EXO_ENV_ZOMBIE;
}

static const char *overstep_frames(uint32_t me)
{
	for (uint32_t f = 0; f < info.frames; f++) {
		const struct exo_page *const old = &old_pages[f], *const now = &pages[f];
		const int changed = old->state != now->state || old->parent != now->parent ||
				    old->present != now->present ||
				    (old_page_pins[f] != page_pins[f] && !ring_pin(f)) ||
				    (old->state == EXO_PAGE_TABLE &&
				     memcmp(&old_memory[f], &memory[f], sizeof memory[f]) != 0);

		if (changed && !dead(old->owner) && !could(me, old->owner, EXO_ENV_BUILD) &&
		    !(old->state == EXO_PAGE_TABLE && only_taken(me, f)) &&
		    !(now->state == EXO_PAGE_FREE && may_take(me, old->owner, EXO_ASK_PAGES)))
			return "changed a frame of somebody else";
		if (old->owner != now->owner && !dead(now->owner) &&
		    !could(me, now->owner, EXO_ENV_BUILD))
			return "charged a frame to somebody else";
		if (old->born != now->born && !dead(old->owner) && old->owner != me &&
		    now->state != EXO_PAGE_FREE)
			return "unshared a frame of somebody else";
	}
	return 0;
}

static const char *overstep_slots(uint32_t me)
{
	for (uint32_t s = 0; s < EXO_NSLOT; s++) {
		const uint32_t old = old_slots[s].owner, now = slots[s].owner;

		if (old == now)
			continue;
		if (!dead(old) && old != me && !may_take(me, old, EXO_ASK_SLOTS))
			return "took a CPU slot from somebody";
		if (!dead(now) && !could(me, now, EXO_ENV_BUILD | EXO_ENV_GIVE))
			return "put a CPU slot on somebody";
	}
	return 0;
}

/* Might `me` have changed this place of a group of somebody else's?  Its own, or a dead one's. */
static int may_change_place(uint32_t me, const struct exo_sched_member *old,
			    const struct exo_sched_member *now)
{
	if (now->env == 0)
		return old->env == me || envs[old->env].state == EXO_ENV_ZOMBIE;
	return now->env == old->env && old->env == me;
}

static const char *overstep_groups(uint32_t me)
{
	for (uint32_t g = 1; g < EXO_NGROUP; g++) {
		const struct exo_sched *const old = &old_scenes[g].sched, *const now =
										  &scenes[g].sched;
		const uint32_t owner = old_groups[g].owner;

		for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
			if (memcmp(&old->member[i], &now->member[i], sizeof now->member[i]) == 0)
				continue;
			if (owner != me && !dead(owner) &&
			    !may_change_place(me, &old->member[i], &now->member[i]))
				return "changed a member of somebody's group";
			if (now->member[i].env != 0 && now->member[i].env != old->member[i].env &&
			    !could(me, now->member[i].env, EXO_ENV_GIVE))
				return "put somebody into a group";
		}
		if (owner != me && !dead(owner) &&
		    (groups[g].owner != owner || groups[g].loaded != old_groups[g].loaded ||
		     groups[g].insns != old_groups[g].insns))
			return "changed a group of somebody else";
	}
	return 0;
}

static const char *overstep_group_slots(uint32_t me)
{
	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (slots[s].group != old_slots[s].group && slots[s].owner == old_slots[s].owner &&
		    slots[s].owner != me)
			return "handed a CPU slot of somebody else to a group";
	return 0;
}

/* Had `me` the right to read the block that frame f is bound to? */
static int could_read_block(uint32_t me, uint32_t f)
{
	const struct exo_bind *const b = &old_registry[(old_pages[f].bound - 1) % HOST_BINDS];

	for (uint32_t s = 0; s < EXO_NCAP && old_pages[f].bound != 0; s++) {
		const struct exo_cap *const c = &old_caps[me].c[s];

		if (c->kind == EXO_CAP_EXTENT && c->object == b->extent && c->gen == b->gen &&
		    c->gen == old_host_extent_gen[c->object] && b->block >= c->start &&
		    b->block - c->start < c->len && (c->rights & EXO_RIGHT_READ) != 0)
			return 1;
	}
	return 0;
}

/* Had `me` the right to map device frame f so? */
static int holds_device(uint32_t me, uint32_t f, uint64_t entry)
{
	for (uint32_t s = 0; s < EXO_NCAP; s++) {
		const struct exo_cap *const c = &old_caps[me].c[s];

		if (c->kind == EXO_CAP_DEVICE && f >= c->start && f - c->start < c->len &&
		    ((entry & PTE_W) == 0 || (c->rights & EXO_RIGHT_WRITE) != 0))
			return 1;
	}
	return 0;
}

/* Has `me` a capability to extent x that this right is in? */
static int could_extent(uint32_t me, uint32_t x, uint32_t right)
{
	for (uint32_t s = 0; s < EXO_NCAP; s++) {
		const struct exo_cap *const c = &old_caps[me].c[s];

		if (c->kind == EXO_CAP_EXTENT && c->object == x &&
		    c->gen == old_host_extent_gen[x] && (c->rights & right) != 0)
			return 1;
	}
	return 0;
}

/* Every entry of the registry that changed was that of `me`, of nothing, or of what it may revoke;
 * and frees and bounds no frame of somebody else. */
static const char *overstep_registry(uint32_t me)
{
	for (uint32_t i = 0; i < HOST_BINDS; i++) {
		const struct exo_bind *const old = &old_registry[i], *const now = &registry[i];

		if (memcmp(old, now, sizeof *now) == 0)
			continue;
		if (now->state == EXO_BIND_USED &&
		    (now->env != me || !could_extent(me, now->extent, EXO_RIGHT_WRITE)))
			return "bound what it may not write";
		if (old->state == EXO_BIND_USED && old->env != me && !dead(old->env) &&
		    old->gen == old_host_extent_gen[old->extent] &&
		    !could_extent(me, old->extent, EXO_RIGHT_ADMIN) &&
		    pages[old->frame].state != EXO_PAGE_FREE)
			return "unbound a block of somebody else";
	}
	return 0;
}

/* Had `me` the right to map frame f so, when the state was remembered? */
static int could_map(uint32_t me, uint32_t f, uint64_t entry)
{
	const struct exo_page *const p = &old_pages[f];

	if (could(me, p->owner, EXO_ENV_BUILD))
		return 1;
	if ((entry & PTE_NX) != 0 &&
	    (could_read_block(me, f) ? (entry & PTE_W) == 0 : holds_device(me, f, entry)))
		return 1;
	for (uint32_t s = 0; s < EXO_NCAP; s++) {
		const struct exo_cap *const c = &old_caps[me].c[s];

		if (c->kind == EXO_CAP_PAGES && c->object == p->owner &&
		    p->state == EXO_PAGE_DATA && p->born <= c->gen && f >= c->start &&
		    f - c->start < c->len && (c->rights & EXO_RIGHT_READ) != 0 &&
		    ((entry & PTE_W) == 0 || (c->rights & EXO_RIGHT_WRITE) != 0))
			return 1;
	}
	return 0;
}

/* Every leaf that is new, or gained a right, is one that `me` could make. */
static const char *overstep_leaves(uint32_t me)
{
	for (uint32_t t = 0; t < info.frames; t++) {
		const uint32_t level = pages[t].level, run = level == 2 ? RUN : 1;
		const int fresh = old_pages[t].state != EXO_PAGE_TABLE;

		if (pages[t].state != EXO_PAGE_TABLE || level > 2 || pages[t].present == 0)
			continue;
		for (uint32_t i = 0; i < NENTRY; i++) {
			const uint64_t now = memory[t].table.e[i];
			const uint64_t old = fresh ? 0 : old_memory[t].table.e[i];

			/* The kernel marks what it reads and writes for a program, as the CPU does.
			 */
			if (((now ^ old) & ~(PTE_A | PTE_D)) == 0 || !entry_is_leaf(now, level) ||
			    now == 0)
				continue;
			for (uint32_t k = 0; k < run; k++)
				if (!could_map(me, entry_frame(now) + k, now))
					return "mapped a frame it had no right to";
		}
	}
	return 0;
}

/* Does a message between `me` and e, since the remembered state, explain a new capability of e? */
static int messaged(uint32_t me, uint32_t e)
{
	return old_envs[me].client == e || envs[me].calling == e ||
	       (e == me && envs[me].client != 0);
}

/* Has `from` a capability that covers c and that it may pass to e? */
static int had(uint32_t from, uint32_t e, const struct exo_cap *c)
{
	for (uint32_t s = 0; s < EXO_NCAP; s++) {
		const struct exo_cap *const own = &old_caps[from].c[s];

		if (own->kind == c->kind && own->object == c->object &&
		    (c->rights & own->rights) == c->rights && c->start >= own->start &&
		    c->start + c->len <= own->start + own->len &&
		    (e == from || c->kind == EXO_CAP_MACHINE ||
		     (own->rights & EXO_RIGHT_GRANT) != 0))
			return 1;
	}
	return 0;
}

/* Is capability c, new in a table of e, no more than what `me` had the right to hand out? */
static int could_put(uint32_t me, uint32_t e, const struct exo_cap *c)
{
	if (c->kind == EXO_CAP_PAGES && c->object == me)
		return 1; /* shared */
	if (c->kind == EXO_CAP_ENV && envs[c->object].parent_index == me)
		return 1; /* made, or opened */
	return had(me, e, c) || (e == me && messaged(me, e) && had(envs[me].client, e, c));
}

static const char *overstep_caps(uint32_t me)
{
	for (uint32_t e = 1; e < info.envs; e++) {
		for (uint32_t s = 1; s < EXO_NCAP; s++) {
			const struct exo_cap *const c = &caps[e].c[s];

			if (c->kind != EXO_CAP_NONE &&
			    memcmp(c, &old_caps[e].c[s], sizeof *c) != 0 && !could_put(me, e, c))
				return "made a capability it had no right to";
		}
	}
	return 0;
}

/* Is what e has less of its limit what `me` asked for? */
static int took(uint32_t me, uint32_t e, uint32_t kind)
{
	const uint32_t less = old_quota_limit[e].n[kind] - quota_limit[e].n[kind];

	return kind <= EXO_ASK_SLOTS && could(me, e, EXO_ENV_REVOKE) &&
	       old_revokes[e].ask[kind].by == env_eid(me).n && old_revokes[e].ask[kind].n >= less;
}

const char *host_overstep(uint32_t me)
{
	const char *what = overstep_frames(me);

	if (!what)
		what = overstep_leaves(me);
	if (!what)
		what = overstep_caps(me);
	if (!what)
		what = overstep_registry(me);
	if (!what)
		what = overstep_slots(me);
	if (!what)
		what = overstep_groups(me);
	if (!what)
		what = overstep_group_slots(me);
	for (uint32_t e = 1; e < info.envs && !what; e++) {
		if (dead(e))
			continue;
		if (memcmp(&old_caps[e], &caps[e], sizeof caps[e]) != 0 && e != me &&
		    !could(me, e, EXO_ENV_GIVE) && !messaged(me, e))
			what = "changed capabilities of somebody else";
		for (uint32_t k = 0; k < EXO_NQUOTA; k++)
			if (quota_limit[e].n[k] < old_quota_limit[e].n[k] && e != me &&
			    !took(me, e, k))
				what = "took quota from somebody";
		if (envs[e].state == EXO_ENV_ZOMBIE && !could(me, e, EXO_ENV_KILL))
			what = "killed somebody";
		if (envs[e].principal != old_envs[e].principal && !could(me, e, EXO_ENV_BUILD))
			what = "changed a principal";
	}
	return what;
}
