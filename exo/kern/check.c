/*
 * check.c - owns nothing: recounts everything the core keeps, and compares.
 *
 * Counts per frame are compared as sums of one random-looking weight per frame, so no second array
 * of frames is needed: two different multisets of frames have the same sum with probability 2^-64.
 * Called by host tests after each call, and by debug boots; must not change anything.
 */
#include "cap.h"
#include "check.h"
#include "cpu.h"
#include "env.h"
#include "group.h"
#include "info.h"
#include "io.h"
#include "ipc.h"
#include "machine.h"
#include "page.h"
#include "quota.h"
#include "registry.h"
#include "revoke.h"
#include "slot.h"
#include "table.h"
#include "timer.h"
#include "trace.h"
#include "wake.h"

static struct exo_quota recount[EXO_NENV];
static uint64_t map_sum, run_sum; /* over the entries of all tables */

/* Weight of a number, far from those of its neighbours. */
static uint64_t weight(uint64_t n)
{
	n = (n + 1) * 0x9e3779b97f4a7c15ull;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9ull;
	n = (n ^ n >> 27) * 0x94d049bb133111ebull;
	return n ^ n >> 31;
}

static uint32_t bits_in(uint64_t word)
{
	uint32_t n = 0;

	for (; word != 0; word &= word - 1)
		n++;
	return n;
}

static int owned(uint32_t f)
{
	return (pages[f].state >= EXO_PAGE_DATA && pages[f].state <= EXO_PAGE_UPCALL) ||
	       pages[f].state == EXO_PAGE_TRACE;
}

/* ---- frames ------------------------------------------------------------------------------ */

static const char *check_frame(uint32_t f)
{
	const struct exo_page *const p = &pages[f];
	const int free = p->state == EXO_PAGE_FREE;
	const int bit = (page_free_map[f / 64] >> f % 64 & 1) != 0;

	if (p->state > EXO_PAGE_TRACE || free != bit)
		return "frame is free exactly when its free bit says so";
	if (owned(f) != (p->owner != 0) || p->owner >= info.envs)
		return "frame has an owner exactly when it is of a type that has one";
	if (p->owner != 0 && envs[p->owner].state == EXO_ENV_FREE)
		return "owner of a frame exists";
	if (!owned(f) &&
	    (run_maps[f / RUN] != 0 || (page_maps[f] != 0 && p->state != EXO_PAGE_DEVICE)))
		return "frame without owner is not mapped";
	if (p->bound != 0 && (p->state != EXO_PAGE_DATA || p->bound > registry_count ||
			      registry[p->bound - 1].frame != f))
		return "bound frame has its entry in the registry";
	if (free && page_pins[f] != 0)
		return "free frame is not pinned";
	if ((p->state == EXO_PAGE_TABLE) != (p->level != 0) || p->level > 4)
		return "frame has a level exactly when it is a table";
	if (p->level == 0 && (p->present != 0 || p->parent != 0 || p->va != 0))
		return "only tables have entries, parents and addresses";
	if (p->born > page_stamp)
		return "frame was taken before now";
	return 0;
}

static const char *check_frames(void)
{
	uint32_t free = 0;

	for (uint32_t f = 0; f < info.frames; f++) {
		const char *const broken = check_frame(f);

		if (broken)
			return broken;
		free += pages[f].state == EXO_PAGE_FREE;
		recount[pages[f].owner].n[EXO_QUOTA_PAGES]++;
	}
	if (free != info.free_frames)
		return "count of free frames";
	return 0;
}

/* The frames of run r from `first` on, as far as they are there. */
static const char *check_run(uint32_t r, uint32_t first)
{
	uint64_t born = 0;

	for (uint32_t f = first; f < first + RUN && f < info.frames; f++) {
		if (run_maps[r] != 0 &&
		    (pages[f].state != EXO_PAGE_DATA || pages[f].owner != pages[first].owner))
			return "frames of a large mapping are data of one owner";
		born = pages[f].born > born ? pages[f].born : born;
	}
	if (run_born[r] < born || (run_maps[r] != 0 && run_born[r] > born))
		return "a run is as old as its youngest frame";
	return 0;
}

static const char *check_runs(void)
{
	const char *broken = 0;

	for (uint32_t r = 0; r < (info.frames + RUN - 1) / RUN && !broken; r++)
		broken = check_run(r, r * RUN);
	return broken;
}

static const char *check_counts(void)
{
	uint64_t maps = 0, runs = 0, pins = 0;

	for (uint32_t f = 0; f < info.frames; f++) {
		maps += page_maps[f] * weight(f);
		pins += owned(f) ? page_pins[f] * weight(f) : 0;
	}
	for (uint32_t r = 0; r < (info.frames + RUN - 1) / RUN; r++)
		runs += run_maps[r] * weight(r);
	if (maps != map_sum)
		return "page_maps counts the entries that map each frame";
	if (runs != run_sum)
		return "run_maps counts the large entries that map each run";
	for (uint32_t e = 1; e < info.envs; e++) {
		const uint32_t roles[4] = {envs[e].root, envs[e].save, envs[e].upcall_page,
					   envs[e].io_ring};

		for (uint32_t i = 0; i < 4; i++)
			pins -= roles[i] != 0 ? weight(roles[i]) : 0;
	}
	for (uint32_t i = 1; i < EXO_NIO; i++)
		if (ios[i].state != EXO_IOS_FREE &&
		    (ios[i].op == EXO_IO_READ || ios[i].op == EXO_IO_WRITE))
			for (uint32_t k = 0; k < ios[i].count; k++)
				pins -= weight(io_frames[i][k]);
	for (uint32_t i = 0; i < tracing.records / TRACE_PER_FRAME; i++)
		pins -= weight(tracing.frame + i);
	return pins != 0 ? "page_pins counts roles, requests and the trace ring" : 0;
}

/* ---- tables ------------------------------------------------------------------------------ */

static const char *check_leaf(uint64_t entry, uint32_t level)
{
	const uint32_t f = entry_frame(entry);
	const uint64_t bits = PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_NX;
	const uint32_t count = level == 1 ? 1 : RUN;

	if ((entry & ~(bits | (level == 2 ? PTE_PS : 0))) != (uint64_t)f * EXO_PAGE_SIZE ||
	    (entry & (PTE_P | PTE_U)) != (PTE_P | PTE_U))
		return "leaf has a frame and known bits";
	if (f % count != 0 || f >= info.frames || info.frames - f < count)
		return "leaf maps memory that has records";
	if ((entry & PTE_W) != 0 && (entry & PTE_NX) == 0)
		return "nothing is writable and executable";
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t state = pages[f + i].state;

		if (count != 1 ? state != EXO_PAGE_DATA : !owned(f) && state != EXO_PAGE_DEVICE)
			return "leaf maps frames that have an owner";
		if (state == EXO_PAGE_DEVICE && (entry & PTE_NX) == 0)
			return "nothing of a device is executable";
		if ((state == EXO_PAGE_TABLE || state == EXO_PAGE_SAVE ||
		     state == EXO_PAGE_TRACE) &&
		    ((entry & PTE_W) != 0 || (entry & PTE_NX) == 0))
			return "tables, save areas and traces are mapped read-only";
	}
	if (level == 1)
		map_sum += weight(f);
	else
		run_sum += weight(f / RUN);
	return 0;
}

static const char *check_link(uint32_t t, uint32_t index, uint64_t entry)
{
	static const uint64_t span[5] = {0, 1ull << 12, 1ull << 21, 1ull << 30, 1ull << 39};
	const uint32_t f = entry_frame(entry), level = pages[t].level;

	if ((entry & ~PTE_A) != (uint64_t)f * EXO_PAGE_SIZE + (PTE_P | PTE_W | PTE_U))
		return "link has a frame and known bits";
	if (f >= info.frames || pages[f].level + 1u != level || pages[f].owner != pages[t].owner)
		return "link leads to a table one level down, of one owner";
	if (pages[f].parent != t)
		return "linked table knows its parent";
	if (pages[f].va != pages[t].va + index * span[level])
		return "linked table knows its place";
	return 0;
}

static const char *check_entries(uint32_t t)
{
	const struct table *const entries = machine_table((struct pfn){t});
	uint32_t present = 0;

	for (uint32_t i = 0; i < (pages[t].level == 4 ? EXO_USER_L4 : NENTRY); i++) {
		const uint64_t entry = entries->e[i];
		const char *broken;

		if (entry == 0)
			continue;
		present++;
		broken = entry_is_leaf(entry, pages[t].level) ? check_leaf(entry, pages[t].level)
							      : check_link(t, i, entry);
		if (broken)
			return broken;
	}
	return present != pages[t].present ? "present counts the entries of a table" : 0;
}

static const char *check_tables(void)
{
	map_sum = 0;
	run_sum = 0;
	for (uint32_t t = 0; t < info.frames; t++) {
		const struct exo_page *const p = &pages[t];
		const char *broken;

		if (p->state != EXO_PAGE_TABLE)
			continue;
		if (p->parent != 0 &&
		    (p->parent >= info.frames || pages[p->parent].level != p->level + 1))
			return "parent of a table is a table one level up";
		if (p->parent != 0 &&
		    entry_frame(machine_table((struct pfn){p->parent})
					->e[p->va >> (12 + 9 * p->level) & (NENTRY - 1)]) != t)
			return "parent of a table links it";
		if (p->parent == 0 && p->present != 0 && envs[p->owner].root != t)
			return "table outside an address space is empty";
		broken = check_entries(t);
		if (broken)
			return broken;
	}
	return 0;
}

/* ---- environments ------------------------------------------------------------------------ */

static int role_good(uint32_t e, uint32_t f, enum exo_page_state state, uint32_t level)
{
	return f == 0 || (f < info.frames && pages[f].owner == e && pages[f].state == state &&
			  pages[f].level == level);
}

static const char *check_cap(const struct exo_cap *c)
{
	if (c->reserved != 0 || c->kind > EXO_CAP_TRACE)
		return "capability is of a known kind";
	if (c->kind == EXO_CAP_ENV || c->kind == EXO_CAP_PAGES) {
		if (c->object == 0 || c->object >= info.envs)
			return "capability names an environment of the table";
		if (c->gen > (c->kind == EXO_CAP_ENV ? envs[c->object].cap_gen : page_stamp))
			return "capability is no newer than its object";
	}
	if (c->kind == EXO_CAP_PAGES &&
	    (c->start >= info.frames || c->len > info.frames - c->start))
		return "capability covers frames that have records";
	if ((c->kind == EXO_CAP_EXTENT && c->object >= EXO_NEXTENT) ||
	    (c->kind == EXO_CAP_CONSOLE && c->object >= EXO_NSESSION))
		return "capability names an object of its table";
	return 0;
}

static const char *check_caps(uint32_t e)
{
	const struct exo_cap *const self = &caps[e].c[0];

	for (uint32_t s = 0; s < EXO_NCAP; s++) {
		const char *const broken = check_cap(&caps[e].c[s]);

		if (broken)
			return broken;
		if (caps[e].c[s].kind != EXO_CAP_NONE && s != 0)
			recount[e].n[EXO_QUOTA_CAPS]++;
	}
	if (envs[e].state != EXO_ENV_FREE &&
	    (self->kind != EXO_CAP_ENV || self->object != e || self->rights != EXO_ENV_ALL ||
	     self->gen != envs[e].cap_gen))
		return "slot 0 is the environment itself";
	return 0;
}

static const char *check_alive(uint32_t e)
{
	const struct exo_env *const env = &envs[e];
	const struct exo_env *const parent = &envs[env->parent_index];

	if (env->parent_index >= info.envs || (env->parent_index == 0) != (env->parent == 0))
		return "creator is an environment or nobody";
	if (env->parent_index != 0 &&
	    (parent->state == EXO_ENV_FREE || env_eid(env->parent_index).n != env->parent))
		return "creator is not reaped before its children";
	recount[env->parent_index].n[EXO_QUOTA_ENVS]++;
	if (!role_good(e, env->root, EXO_PAGE_TABLE, 4) ||
	    !role_good(e, env->save, EXO_PAGE_SAVE, 0) ||
	    !role_good(e, env->upcall_page, EXO_PAGE_UPCALL, 0) ||
	    !role_good(e, env->io_ring, EXO_PAGE_DATA, 0))
		return "frame with a role is of its type and its environment's";
	if ((env->state == EXO_ENV_RUNNABLE || env->state == EXO_ENV_WAITING ||
	     env->state == EXO_ENV_CALLING) &&
	    (env->root == 0 || env->save == 0))
		return "what can run has an address space and a save area";
	if (env->state == EXO_ENV_WAITING
		    ? !wakers[e].w.asleep &&
			      ((env->events & env->wait_mask) != 0 ||
			       (env->wait_mask == 0 && env->deadline == 0 && !env->accepting))
		    : env->wait_mask != 0 || (env->deadline != 0 && env->state != EXO_ENV_CALLING))
		return "who waits has something to wait for, and it has not come";
	if ((env->deadline != 0) != (timer_place[e] != 0))
		return "who has a deadline is in the heap";
	return 0;
}

static const char *check_asks(uint32_t e)
{
	for (uint32_t k = 0; k < EXO_NASK; k++) {
		const struct exo_ask *const ask = &revokes[e].ask[k];

		if (ask->n != 0 && (envs[e].state == EXO_ENV_FREE || ask->deadline == 0))
			return "what is asked is asked of somebody, until some time";
		if (ask->n != 0 && k != EXO_ASK_EXTENT && ask->by == env_eid(e).n)
			return "nobody asks itself";
	}
	return 0;
}

static const char *check_free_env(uint32_t e)
{
	const struct exo_env *const env = &envs[e];

	if (env->root != 0 || env->save != 0 || env->upcall_page != 0 || env->io_ring != 0 ||
	    env->io_head != 0 || env->events != 0 || timer_place[e] != 0 || env->client != 0 ||
	    env->call_head != 0 || env->calls_open != 0 || caps[e].c[0].kind != EXO_CAP_NONE)
		return "free environment holds nothing";
	return 0;
}

static const char *check_envs(void)
{
	for (uint32_t e = 1; e < info.envs; e++) {
		const char *broken;

		if (envs[e].state > EXO_ENV_CALLING || envs[e].gen == 0)
			return "environment is in a known state";
		broken = envs[e].state == EXO_ENV_FREE ? check_free_env(e) : check_alive(e);
		if (!broken)
			broken = check_caps(e);
		if (!broken)
			broken = check_asks(e);
		if (broken)
			return broken;
	}
	return envs[0].state != EXO_ENV_FREE ? "environment 0 is nobody" : 0;
}

/* ---- calls ------------------------------------------------------------------------------- */

static uint32_t queued; /* links found in the queues */

/* The queue of t: callers of t; of nobody: the dead with callers. */
static const char *check_queue(uint32_t t)
{
	uint32_t before = 0;

	for (uint32_t e = envs[t].call_head; e != 0; e = envs[e].call_next) {
		if (e >= info.envs || queued++ >= info.envs || envs[e].call_prev != before)
			return "links of a queue of calls agree";
		if (t == 0 ? envs[e].state != EXO_ENV_ZOMBIE || envs[e].call_head == 0
			   : envs[e].calling != t || envs[t].client == e)
			return "queue holds who calls and is not served";
		before = e;
	}
	return envs[t].call_tail != before ? "queue of calls ends with its tail" : 0;
}

static const char *check_caller(uint32_t e)
{
	const struct exo_env *const env = &envs[e];
	uint32_t end = e, depth = 0;

	if ((env->calling != 0) != (env->state == EXO_ENV_CALLING) || env->calling >= info.envs ||
	    (e != 0 && env->calling == e))
		return "who is CALLING calls somebody else";
	if (env->client >= info.envs || (env->client != 0 && envs[env->client].calling != e))
		return "client calls who serves it";
	if (env->accepting &&
	    (env->state != EXO_ENV_WAITING || env->client != 0 || env->call_head != 0))
		return "who accepts calls sleeps, with no client and no queue";
	if (env->state == EXO_ENV_ZOMBIE && (env->client != 0 || env->calls_open != 0))
		return "the dead serve nobody";
	while (envs[end].calling != 0 && envs[envs[end].calling].client == end &&
	       depth <= IPC_DEPTH) {
		end = envs[end].calling;
		depth++;
	}
	return depth > IPC_DEPTH ? "calls that are served nest to a bound" : 0;
}

static const char *check_calls(void)
{
	uint32_t links = 0;

	queued = 0;
	for (uint32_t e = 0; e < info.envs; e++) {
		const char *broken = check_caller(e);

		if (!broken)
			broken = check_queue(e);
		if (broken)
			return broken;
		links += envs[e].state == EXO_ENV_CALLING && envs[envs[e].calling].client != e;
		links += envs[e].state == EXO_ENV_ZOMBIE && envs[e].call_head != 0;
	}
	return links != queued ? "every caller that is not served is in one queue" : 0;
}

/* ---- the registry ------------------------------------------------------------------------ */

/* Does an entry of the set after i count for the same block as i? */
static int bound_twice(uint32_t i)
{
	for (uint32_t k = i + 1; k % EXO_BIND_WAYS != 0; k++)
		if (registry_live(i) && registry_live(k) &&
		    registry[k].block == registry[i].block &&
		    registry[k].extent == registry[i].extent)
			return 1;
	return 0;
}

static const char *check_registry(void)
{
	for (uint32_t i = 0; i < registry_count; i++) {
		const struct exo_bind *const b = &registry[i];

		if (b->state == EXO_BIND_FREE)
			continue;
		if (b->frame >= info.frames || pages[b->frame].bound != i + 1)
			return "entry of the registry is the one of its frame";
		if (pages[b->frame].owner != b->env)
			return "entry of the registry is of the frame's owner";
		if (i / EXO_BIND_WAYS != exo_bind_set(b->extent, b->block, registry_count))
			return "entry of the registry is in its set";
		if (bound_twice(i))
			return "block is bound to one frame";
	}
	return 0;
}

/* ---- quotas ------------------------------------------------------------------------------ */

static const char *check_used(uint32_t e)
{
	for (uint32_t k = 0; k < EXO_NQUOTA; k++) {
		const uint32_t used = quota_used[e].n[k], limit = quota_limit[e].n[k];

		if (used > limit)
			return "nobody uses more than its limit";
		if (k != EXO_QUOTA_EXTENTS && used != recount[e].n[k])
			return "what is used is what is held";
		if (limit != 0 && envs[e].state == EXO_ENV_FREE)
			return "free environment has no quota";
	}
	return 0;
}

static const char *check_quotas(void)
{
	const uint64_t total[EXO_NQUOTA] = {
		[EXO_QUOTA_SLOTS] = EXO_NSLOT,
		[EXO_QUOTA_CAPS] = (uint64_t)info.envs * EXO_NCAP,
		[EXO_QUOTA_ENVS] = info.envs - 2u,
		[EXO_QUOTA_EXTENTS] = EXO_NEXTENT,
		[EXO_QUOTA_IO] = EXO_NIO - 1,
		[EXO_QUOTA_DISK] = EXO_DISK_SHARES,
		[EXO_QUOTA_GROUPS] = EXO_NGROUP - 1,
	};
	uint64_t limits[EXO_NQUOTA] = {0}, memory = info.free_frames;

	for (uint32_t i = 1; i < EXO_NIO; i++)
		if (ios[i].state != EXO_IOS_FREE)
			recount[ios[i].env].n[EXO_QUOTA_IO]++;
	for (uint32_t g = 1; g < EXO_NGROUP; g++)
		recount[groups[g].owner].n[EXO_QUOTA_GROUPS]++;
	for (uint32_t e = 1; e < info.envs; e++) {
		const char *const broken = check_used(e);

		if (broken)
			return broken;
		memory += recount[e].n[EXO_QUOTA_PAGES];
		for (uint32_t k = 0; k < EXO_NQUOTA; k++)
			limits[k] += quota_limit[e].n[k];
	}
	for (uint32_t k = 0; k < EXO_NQUOTA; k++)
		if (limits[k] != (k == EXO_QUOTA_PAGES ? memory : total[k]))
			return "sum of limits is constant";
	return 0;
}

/* ---- CPU --------------------------------------------------------------------------------- */

static const char *check_slots(void)
{
	uint32_t owned_slots = 0, bits = 0;

	for (uint32_t s = 0; s < EXO_NSLOT; s++) {
		const uint32_t owner = slots[s].owner;
		const int usable = (slot_runnable[s / 64] >> s % 64 & 1) != 0;

		if (owner >= info.envs)
			return "owner of a slot exists";
		if (usable != (owner != 0 && slot_user(owner) != 0))
			return "slot is usable exactly when its owner, or who serves it, is "
			       "runnable";
		if (owner != 0 && (envs[owner].slots[s / 64] >> s % 64 & 1) == 0)
			return "owner of a slot has its bit";
		recount[owner].n[EXO_QUOTA_SLOTS]++;
		owned_slots += owner != 0;
	}
	for (uint32_t e = 0; e < info.envs; e++)
		for (uint32_t w = 0; w < SLOT_WORDS; w++)
			bits += bits_in(envs[e].slots[w]);
	return bits != owned_slots ? "only the owner of a slot has its bit" : 0;
}

static const char *check_cpu(void)
{
	const struct cpu *const cpu = cpu_this();
	uint32_t enders = 0;

	for (uint32_t e = 0; e < info.envs; e++)
		enders += (envs[e].slice_upcall & EXO_SLICE_END) != 0;
	if (enders != slot_enders)
		return "slot_enders counts who wants to know when its slice ends";
	if (cpu->told >= info.envs)
		return "who was told that its slice ends exists";
	if (cpu->position >= EXO_NSLOT || cpu->borrow >= EXO_NSLOT)
		return "CPU is at a slot of the vector";
	if (cpu->next != 0 && envs[cpu->next].state != EXO_ENV_RUNNABLE)
		return "rest of the slice belongs to somebody runnable";
	if (cpu->inbox != 0 && (cpu->resched == 0 || envs[cpu->current].state != EXO_ENV_RUNNABLE))
		return "who gets a message is about to leave the CPU, and can run";
	if (cpu->current != 0 && cpu->resched == 0 &&
	    envs[cpu->current].state != EXO_ENV_RUNNABLE &&
	    envs[cpu->current].state != EXO_ENV_BUILDING) /* boot acts as environment 1 */
		return "who stays on the CPU is runnable";
	return 0;
}

static const char *check_timer(void)
{
	uint32_t inside = 0;

	for (uint32_t e = 0; e < info.envs; e++)
		inside += timer_place[e] != 0;
	if (inside != timer_count)
		return "heap has as many as say they are in it";
	for (uint32_t i = 0; i < timer_count; i++) {
		if (timer_place[timer_heap[i]] != i + 1)
			return "heap knows the place of each";
		if (i != 0 && envs[timer_heap[(i - 1) / 2]].deadline > envs[timer_heap[i]].deadline)
			return "heap is ordered";
	}
	return 0;
}

const char *check_state(void)
{
	const char *broken;

	for (uint32_t e = 0; e < info.envs; e++)
		recount[e] = (struct exo_quota){0};
	broken = check_frames();
	if (!broken)
		broken = check_runs();
	if (!broken)
		broken = check_tables();
	if (!broken)
		broken = check_counts();
	if (!broken)
		broken = check_calls();
	if (!broken)
		broken = check_slots();
	if (!broken)
		broken = check_envs();
	if (!broken)
		broken = check_quotas();
	if (!broken)
		broken = check_registry();
	if (!broken)
		broken = check_cpu();
	if (!broken)
		broken = check_groups();
	return broken ? broken : check_timer();
}
