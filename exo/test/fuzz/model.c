/*
 * model.c - owns a second statement of what the calls do, for the fuzzer to compare the kernel
 * with.
 *
 * Written from doc/abi.md, not from the kernel: records are the ABI's own, but what the kernel
 * keeps as counts, links, bit maps, heaps and queues is here counted, searched for or sorted anew
 * each time.  A call states every cause to refuse it, by because(); it acts when there was none.
 * Called by fuzz/core.c.
 */
#include <stdlib.h>
#include <string.h>
#include "../../host/bpf_model.h"
#include "../../kern/bpf.h"
#include "../../kern/cap.h"
#include "../../kern/env.h"
#include "../../kern/group.h"
#include "../../kern/info.h"
#include "../../kern/load.h"
#include "../../kern/machine.h"
#include "../../kern/page.h"
#include "../../kern/quota.h"
#include "../../kern/registry.h"
#include "../../kern/revoke.h"
#include "../../kern/slot.h"
#include "../../kern/trace.h"
#include "../../kern/wake.h"
#include "../machine_host.h"
#include "../near.h"
#include "model.h"

enum {
	FRAMES = NEAR_FRAMES,
	ENVS = NEAR_ENVS,
	ENTRIES = 512,
	RUN_FRAMES = 512, /* of a large page */
	LOOK = 512,	  /* most frames that one call looks at */
	DEPTH = 8,	  /* calls within calls */
	KINDS = 8,	  /* of quota */
	EXTENTS = 64,	  /* that the test knows of */
	ACCESSED = 32,	  /* bit of a page-table entry */
};
#define LOWER_HALF 0x800000000000ull

/* An entry of a page table. */
struct entry {
	enum { EMPTY, LINK, LEAF } is;
	uint32_t frame;
	uint32_t perm; /* EXO_MAP_* */
};

/* What a caller or a server has told the kernel while it sleeps. */
struct letter {
	uint64_t w[4];
	uint32_t lend, into; /* capability slots */
};

/* Registers in which answers come. */
struct regs {
	uint64_t rax, rdx, rdi, rsi, r8, r9, r10;
};

static struct exo_env env[ENVS]; /* `slots` and the queues are not kept: see below */
static uint32_t queue[ENVS];	 /* who is in a queue of callers, first come first */
static uint32_t queued;
static struct letter letter[ENVS];
static struct regs regs[ENVS];
static struct exo_quota limit[ENVS];
static struct exo_caps cap[ENVS];
static struct exo_slot slot[EXO_NSLOT];
static struct exo_page page[FRAMES]; /* present, va, bound are not kept */
static uint32_t linked_at[FRAMES];   /* of a table: its entry in the table above */
static struct entry entries[FRAMES][ENTRIES];
static uint64_t stamp;
static struct exo_revoke revoke[ENVS];
static struct exo_bind bind[HOST_BINDS];
static uint32_t extent_generation[EXTENTS], session_generation[EXO_NSESSION];

static uint32_t me; /* who runs; 0: nobody */
static uint64_t clock;
static uint32_t place;	   /* CPU slot that is running */
static uint32_t rest;	   /* who was given the rest of the slice, 0: nobody */
static uint32_t borrower;  /* CPU slot whose owner was the last to borrow time */
static uint32_t forfeited; /* the slot's owner has forfeited it */
static uint32_t told;	   /* who was told that the slice ends, and has not yielded */
static uint32_t chosen;	   /* member that has the slot by its group's choice, 0: none */
static uint32_t leaves;	   /* it is to be asked who runs */

static struct exo_group group[EXO_NGROUP]; /* `slots` is not kept */
static struct exo_sched sched[EXO_NGROUP]; /* `members` is not kept */
static struct bpf_program decider[EXO_NGROUP];
static struct exo_waker waker[ENVS];

/* Loading: who does, or may next; who has asked; since when; whose turn was the last. */
static uint32_t loader, loads_for, may_load, went_last;
static int looks, wants[EXO_NENV];
static uint64_t load_since, ticks;
static struct bpf_program coming;
static struct {
	uint32_t by, first, frames; /* 0 frames: nobody traces */
} ring;

static uint32_t refusals;
static uint64_t value;

static void because(enum exo_status status, int condition)
{
	if (condition)
		refusals |= 1u << status;
}

/* No cause was found: the call acts. */
static int granted(void)
{
	return refusals == 0;
}

/* ---- names and quotas -------------------------------------------------------------------- */

static uint64_t eid_of(uint32_t e)
{
	return (uint64_t)env[e].gen << 16 | e;
}

/* The environment of this eid, 0: nobody. */
static uint32_t who(uint64_t eid)
{
	for (uint32_t e = 0; e < ENVS; e++)
		if (env[e].state != EXO_ENV_FREE && eid_of(e) == eid)
			return e;
	return 0;
}

static int is_frame(uint64_t f)
{
	because(EXO_RANGE, f >= FRAMES);
	return f < FRAMES;
}

static int is_stale(const struct exo_cap *c)
{
	switch (c->kind) {
	case EXO_CAP_ENV:
		return c->gen != env[c->object].cap_gen;
	case EXO_CAP_PAGES: /* each frame is dated; with its owner all are gone */
		return env[c->object].state == EXO_ENV_FREE;
	case EXO_CAP_EXTENT:
		return c->gen != extent_generation[c->object];
	case EXO_CAP_CONSOLE:
		return c->gen != session_generation[c->object];
	default:
		return 0;
	}
}

/* What is in slot s of the caller, to be used; null: nothing. */
static const struct exo_cap *held(uint64_t s)
{
	because(EXO_RANGE, s >= EXO_NCAP);
	if (s >= EXO_NCAP)
		return 0;
	because(EXO_STATE, cap[me].c[s].kind == EXO_CAP_NONE);
	if (cap[me].c[s].kind == EXO_CAP_NONE)
		return 0;
	because(EXO_STALE, is_stale(&cap[me].c[s]));
	return &cap[me].c[s];
}

/* The environment that slot ce of the caller names with these rights; 0: none. */
static uint32_t named(uint64_t ce, uint32_t rights)
{
	const struct exo_cap *const c = held(ce);

	if (!c)
		return 0;
	because(EXO_TYPE, c->kind != EXO_CAP_ENV);
	if (c->kind != EXO_CAP_ENV)
		return 0;
	because(EXO_PERM, (c->rights & rights) != rights);
	return c->object;
}

/* The same, and it has not ended. */
static uint32_t named_live(uint64_t ce, uint32_t rights)
{
	const uint32_t e = named(ce, rights);

	because(EXO_STATE, e != 0 && env[e].state == EXO_ENV_ZOMBIE);
	return e;
}

/* How much of its limit e uses: what there is of it, counted. */
static uint32_t used(uint32_t e, uint32_t kind)
{
	uint32_t n = 0;

	if (kind == EXO_QUOTA_PAGES)
		for (uint32_t f = 0; f < FRAMES; f++)
			n += page[f].owner == e;
	if (kind == EXO_QUOTA_SLOTS)
		for (uint32_t s = 0; s < EXO_NSLOT; s++)
			n += slot[s].owner == e;
	if (kind == EXO_QUOTA_CAPS)
		for (uint32_t s = 1; s < EXO_NCAP; s++)
			n += cap[e].c[s].kind != EXO_CAP_NONE;
	if (kind == EXO_QUOTA_ENVS)
		for (uint32_t c = 1; c < ENVS; c++)
			n += env[c].state != EXO_ENV_FREE && env[c].parent_index == e;
	if (kind == EXO_QUOTA_GROUPS)
		for (uint32_t g = 1; g < EXO_NGROUP; g++)
			n += group[g].owner == e;
	return n;
}

static uint32_t unused(uint32_t e, uint32_t kind)
{
	return limit[e].n[kind] - used(e, kind);
}

static void move_limit(uint32_t from, uint32_t to, uint32_t kind, uint32_t n)
{
	limit[from].n[kind] -= n;
	limit[to].n[kind] += n;
}

/* A capability is to go into slot d of e. */
static void needs_room(uint32_t e, uint64_t d)
{
	because(EXO_RANGE, d >= EXO_NCAP);
	because(EXO_OCCUPIED, d < EXO_NCAP && cap[e].c[d].kind != EXO_CAP_NONE);
	because(EXO_QUOTA, unused(e, EXO_QUOTA_CAPS) == 0);
}

static struct exo_cap cap_to(uint32_t e)
{
	return (struct exo_cap){
		.kind = EXO_CAP_ENV, .rights = EXO_ENV_ALL, .object = e, .gen = env[e].cap_gen};
}

/* Path p, from the highest byte to the last that is not 0, begins path q. */
static int stands_above(uint64_t p, uint64_t q)
{
	for (int byte = 7; byte >= 0; byte--) {
		if (p << (8 * (7 - byte)) == 0)
			return 1; /* the path of p ends here */
		if ((p >> (8 * byte) & 255) != (q >> (8 * byte) & 255))
			return 0;
	}
	return 1;
}

/* ---- who runs ---------------------------------------------------------------------------- */

static int served(uint32_t e)
{
	return env[e].calling != 0 && env[env[e].calling].client == e;
}

/* Who runs in the slots of e: itself, or who serves it; 0: nobody can. */
static uint32_t runs_for(uint32_t e)
{
	while (served(e))
		e = env[e].calling;
	return env[e].state == EXO_ENV_RUNNABLE ? e : 0;
}

/* Are slots of e those of `x` too: its own, or those of a caller that it serves in the end? */
static int works_for(uint32_t x, uint32_t e)
{
	for (; e != x; e = env[e].calling)
		if (!served(e))
			return 0;
	return 1;
}

/* Has e, or have its clients, a CPU slot? */
static int has_slots(uint32_t e)
{
	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (slot[s].owner != 0 && works_for(e, slot[s].owner))
			return 1;
	return 0;
}

/* The next slot in the vector, after the last borrower's, of somebody who can run and is not
   `except`; EXO_NSLOT: none. */
static uint32_t next_borrower(uint32_t except)
{
	for (uint32_t i = 1; i <= EXO_NSLOT; i++) {
		const uint32_t s = (borrower + i) % EXO_NSLOT, owner = slot[s].owner;

		if (owner != 0 && runs_for(owner) != 0 &&
		    (except == 0 || !works_for(except, owner)))
			return s;
	}
	return EXO_NSLOT;
}

/* Whose the slot is that is running. */
static uint32_t holds_slot(void)
{
	return chosen != 0 ? chosen : slot[place].owner;
}

static uint32_t lend_rest(uint32_t s)
{
	borrower = s;
	return runs_for(slot[s].owner);
}

/* Who has what is left of the slice. */
static uint32_t choose(void)
{
	const uint32_t owner = holds_slot(), user = owner ? runs_for(owner) : 0;
	uint32_t s;

	if (rest != 0)
		return rest;
	if (user != 0 && !forfeited)
		return user;
	s = next_borrower(forfeited ? owner : 0);
	if (s == EXO_NSLOT)
		return user;
	rest = lend_rest(s);
	return rest;
}

/* e can run again: who has the slice is displaced if it is e's. */
static void becomes_ready(uint32_t e)
{
	if (holds_slot() != 0 && runs_for(holds_slot()) == e) {
		rest = 0;
		leaves = 1;
	} else if (me == 0 && has_slots(e)) {
		leaves = 1;
	}
}

/* e (0: nobody) runs no longer. */
static void stops(uint32_t e)
{
	if (rest == e)
		rest = 0;
	if (me == e)
		leaves = 1;
	if (told == e)
		told = 0;
}

/* Nobody is chosen for the running slot any more. */
static void choice_ends(void)
{
	const uint32_t user = chosen != 0 ? runs_for(chosen) : 0;

	if (chosen != 0)
		stops(user);
	chosen = 0;
}

/* Slot s belongs to e, or to a group of e. */
static void slot_becomes(uint64_t s, uint32_t e, uint64_t g)
{
	if (s == place)
		choice_ends();
	slot[s].owner = (uint16_t)e;
	slot[s].group = (uint16_t)g;
}

void model_hand_over(uint32_t e)
{
	rest = e;
	leaves = 1;
}

uint32_t model_runs(void)
{
	if (leaves)
		me = choose();
	leaves = 0;
	return me;
}

/* ---- sleeping and waking ----------------------------------------------------------------- */

static void leave_queue(uint32_t e)
{
	for (uint32_t i = 0; i < queued; i++) {
		if (queue[i] == e) {
			memmove(&queue[i], &queue[i + 1], (--queued - i) * sizeof queue[0]);
			return;
		}
	}
}

/* The first who waits for e to take its call, 0: nobody. */
static uint32_t first_caller(uint32_t e)
{
	for (uint32_t i = 0; i < queued; i++)
		if (env[queue[i]].calling == e)
			return queue[i];
	return 0;
}

/* e calls nobody any more. */
static void hang_up(uint32_t e)
{
	const uint32_t callee = env[e].calling;

	if (callee == 0)
		return;
	if (served(e)) {
		stops(runs_for(e));
		env[callee].client = 0;
	}
	leave_queue(e);
	env[e].calling = 0;
}

static void awake(uint32_t e)
{
	env[e].state = EXO_ENV_RUNNABLE;
	env[e].wait_mask = 0;
	env[e].deadline = 0;
	env[e].accepting = 0;
}

static void wake(uint32_t e, enum exo_status status, uint64_t events)
{
	hang_up(e);
	regs[e].rax = status;
	if (env[e].accepting)
		regs[e].rdi = events;
	else
		regs[e].rdx = events;
	env[e].events &= ~events;
	waker[e].asleep = 0;
	awake(e);
	becomes_ready(e);
}

static void sleeps(uint32_t state, uint64_t deadline)
{
	env[me].state = (uint8_t)state;
	env[me].deadline = deadline;
}

/* One run of a program that was accepted: its answer, and what it cost. */
static uint64_t answer_of(const struct exo_bpf_insn *insn, uint32_t count, void *context,
			  uint32_t size, uint64_t *steps, uint32_t *most)
{
	struct bpf_model m = {.insn = insn,
			      .count = count,
			      .context = context,
			      .context_size = size,
			      .limit = EXO_GROUP_STEPS,
			      .strict = 1,
			      .context_at = 1 << 20,
			      .stack_at = 1 << 24};

	bpf_model_run(&m);
	if (m.fault)
		abort();
	*steps += m.steps;
	*most = m.steps > *most ? m.steps : *most;
	return m.r0;
}

/* Does the predicate of e want it awake? */
static int wants_up(uint32_t e, uint64_t mask)
{
	struct exo_waker *const w = &waker[e];
	uint64_t wanted;

	w->seen.completions = host_completions[e];
	w->seen.free_frames = 0;
	for (uint32_t f = 0; f < FRAMES; f++)
		w->seen.free_frames += page[f].state == EXO_PAGE_FREE;
	w->seen.now = clock;
	w->seen.events = env[e].events & mask;
	wanted = answer_of(w->insn, w->insns, &w->seen, sizeof w->seen, &w->steps, &w->most);
	w->asked++;
	w->held += wanted == 0;
	return wanted != 0;
}

void model_raise(uint32_t e, uint64_t bits)
{
	if (env[e].state == EXO_ENV_FREE || env[e].state == EXO_ENV_ZOMBIE)
		return;
	env[e].events |= bits;
	if (env[e].state != EXO_ENV_WAITING)
		return;
	for (uint32_t i = 0; waker[e].asleep && i < 64; i++)
		if ((bits >> i & 1) != 0 && waker[e].seen.count[i] < 65535)
			waker[e].seen.count[i]++;
	if ((bits & env[e].wait_mask) != 0 && (!waker[e].asleep || wants_up(e, env[e].wait_mask)))
		wake(e, EXO_OK, env[e].events & env[e].wait_mask);
}

/* ---- members and loaders that go --------------------------------------------------------- */

static void member_goes(uint32_t g, uint64_t i)
{
	struct exo_sched_member *const m = &sched[g].member[i];

	if (chosen == m->env)
		choice_ends();
	env[m->env].group = env[m->env].place = 0;
	*m = (struct exo_sched_member){0};
	if (sched[g].last == i)
		sched[g].last = EXO_SCHED_NONE;
}

/* e loads no more, or lets its turn pass. */
static void load_ends(uint32_t e)
{
	wants[e] = 0;
	if (loader != e && may_load != e)
		return;
	went_last = e;
	loader = may_load = 0;
}

/* e ends: what it was in downloaded programs. */
static void leaves_programs(uint32_t e)
{
	if (slot[place].owner == e)
		choice_ends();
	if (env[e].group != 0)
		member_goes(env[e].group, env[e].place);
	load_ends(e);
	waker[e].asleep = 0;
}

static uint32_t slots_of_group(uint32_t g)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		n += slot[s].group == g;
	return n;
}

static void free_group(uint32_t g)
{
	if (loader != 0 && loads_for == g)
		load_ends(loader);
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++)
		if (sched[g].member[i].env != 0)
			member_goes(g, i);
	group[g] = (struct exo_group){0};
	sched[g] = (struct exo_sched){0};
}

static void note_taken(uint32_t e, uint32_t kind, uint32_t index)
{
	if (env[e].state == EXO_ENV_FREE || env[e].state == EXO_ENV_ZOMBIE)
		return;
	revoke[e].log[revoke[e].taken++ % EXO_NTAKEN] = (struct exo_taken){kind, index};
	model_raise(e, EXO_EV_TAKEN);
}

/* ---- frames and page tables -------------------------------------------------------------- */

static uint32_t entries_for_programs(uint32_t level)
{
	return level == 4 ? EXO_USER_L4 : ENTRIES;
}

static int has_role(uint32_t f)
{
	if (f >= ring.first && f - ring.first < ring.frames)
		return 1;
	for (uint32_t e = 1; f != 0 && e < ENVS; e++)
		if (env[e].root == f || env[e].save == f || env[e].upcall_page == f ||
		    env[e].io_ring == f)
			return 1;
	return 0;
}

static uint32_t entries_full(uint32_t t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; page[t].state == EXO_PAGE_TABLE && i < ENTRIES; i++)
		n += entries[t][i].is != EMPTY;
	return n;
}

static int is_leaf_of(uint32_t t, uint32_t i, uint32_t f)
{
	if (entries[t][i].is != LEAF)
		return 0;
	return page[t].level == 2 ? entries[t][i].frame / RUN_FRAMES == f / RUN_FRAMES
				  : entries[t][i].frame == f;
}

/* Is f mapped anywhere, by itself or in a large page? */
static int is_mapped(uint32_t f)
{
	for (uint32_t t = 0; t < FRAMES; t++)
		for (uint32_t i = 0; page[t].state == EXO_PAGE_TABLE && i < ENTRIES; i++)
			if (is_leaf_of(t, i, f))
				return 1;
	return 0;
}

/* Nothing holds f: it may be freed. */
static int is_idle(uint32_t f)
{
	return !is_mapped(f) && !has_role(f) && page[f].parent == 0 && entries_full(f) == 0;
}

static void needs_idle(uint32_t f)
{
	because(EXO_BUSY, !is_idle(f));
}

static void free_frame(uint32_t f)
{
	for (uint32_t i = 0; i < HOST_BINDS; i++)
		if (bind[i].state == EXO_BIND_USED && bind[i].frame == f)
			bind[i] = (struct exo_bind){0};
	page[f] = (struct exo_page){.born = page[f].born};
}

/* The table of a call that changes entries of it: e's, linked; 0: cannot be. */
static int is_table_of(uint32_t e, uint64_t t)
{
	if (!is_frame(t) || e == 0)
		return 0;
	because(EXO_PERM, page[t].owner != e);
	because(EXO_TYPE, page[t].state != EXO_PAGE_TABLE);
	because(EXO_STATE, page[t].parent == 0 && env[e].root != t);
	return page[t].state == EXO_PAGE_TABLE;
}

/* index..index+count-1 are entries of table t. */
static int are_entries(uint64_t t, uint64_t index, uint64_t count)
{
	const uint32_t all = entries_for_programs(page[t].level);
	const int inside = index < all && count != 0 && count <= all && index + count <= all;

	because(EXO_RANGE, !inside);
	return inside;
}

/* Permissions of a mapping, and the capability it is made by. */
static const struct exo_cap *how_asked(uint64_t how)
{
	because(EXO_ARG, (how & 255 & ~7ull) != 0 || (how & EXO_MAP_READ) == 0);
	because(EXO_WX, (how & EXO_MAP_WRITE) != 0 && (how & EXO_MAP_EXEC) != 0);
	return held(how >> 8);
}

/* May DATA frame f be used under c, an EXO_CAP_PAGES, so? */
static void shared_right(const struct exo_cap *c, uint32_t f, uint32_t perm)
{
	because(EXO_RANGE, f < c->start || f - c->start >= c->len);
	because(EXO_PERM,
		(c->rights & EXO_RIGHT_READ) == 0 ||
			((perm & EXO_MAP_WRITE) != 0 && (c->rights & EXO_RIGHT_WRITE) == 0));
	because(EXO_STALE, page[f].owner != c->object || page[f].state != EXO_PAGE_DATA ||
				   page[f].born > c->gen);
}

/* May the frames of the environment that c names be used so?  One by one. */
static void builder_right(const struct exo_cap *c, uint32_t f, uint32_t perm)
{
	because(EXO_PERM, (c->rights & EXO_ENV_BUILD) == 0 || page[f].owner != c->object);
	because(EXO_TYPE, page[f].state != EXO_PAGE_DATA && page[f].state != EXO_PAGE_UPCALL &&
				  perm != EXO_MAP_READ);
}

static int in_registry(const struct exo_cap *c, uint32_t f)
{
	for (uint32_t i = 0; i < HOST_BINDS; i++)
		if (bind[i].state == EXO_BIND_USED && bind[i].frame == f &&
		    bind[i].extent == c->object && bind[i].gen == c->gen &&
		    bind[i].block >= c->start && bind[i].block - c->start < c->len)
			return 1;
	return 0;
}

/* May frame f be mapped by c so? */
static void map_right(const struct exo_cap *c, uint64_t f, uint32_t perm)
{
	if (!is_frame(f))
		return;
	switch (c->kind) {
	case EXO_CAP_ENV:
		builder_right(c, (uint32_t)f, perm);
		break;
	case EXO_CAP_PAGES:
		shared_right(c, (uint32_t)f, perm);
		break;
	case EXO_CAP_EXTENT:
		because(EXO_PERM, perm != EXO_MAP_READ || (c->rights & EXO_RIGHT_READ) == 0 ||
					  !in_registry(c, (uint32_t)f));
		break;
	case EXO_CAP_DEVICE:
		because(EXO_RANGE, f < c->start || f - c->start >= c->len);
		because(EXO_PERM,
			(perm & EXO_MAP_EXEC) != 0 || ((perm & EXO_MAP_WRITE) != 0 &&
						       (c->rights & EXO_RIGHT_WRITE) == 0));
		break;
	default:
		because(EXO_TYPE, 1);
	}
}

/* May the run of 2 MiB from f be mapped by c so? */
static void large_right(const struct exo_cap *c, uint64_t f, uint32_t perm)
{
	because(EXO_ARG, f % RUN_FRAMES != 0);
	because(EXO_TYPE, c->kind != EXO_CAP_ENV && c->kind != EXO_CAP_PAGES);
	because(EXO_RANGE, f >= FRAMES || FRAMES - f < RUN_FRAMES);
	if (f >= FRAMES || FRAMES - f < RUN_FRAMES)
		return;
	for (uint64_t i = f; i < f + RUN_FRAMES; i++) {
		if (c->kind == EXO_CAP_ENV)
			because(EXO_TYPE, page[i].state != EXO_PAGE_DATA);
		map_right(c, i, perm);
	}
}

static void do_page_take(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);
	const uint64_t type = a[2] & 255, level = a[2] >> 8;

	because(EXO_ARG,
		type == EXO_PAGE_TABLE
			? level < 1 || level > 4
			: level != 0 || (type != EXO_PAGE_DATA && type != EXO_PAGE_SAVE &&
					 type != EXO_PAGE_UPCALL && type != EXO_PAGE_TRACE));
	if (is_frame(a[1]))
		because(EXO_OCCUPIED, page[a[1]].state != EXO_PAGE_FREE);
	because(EXO_QUOTA, e != 0 && unused(e, EXO_QUOTA_PAGES) == 0);
	if (!granted())
		return;
	page[a[1]] = (struct exo_page){.state = (uint8_t)type,
				       .level = (uint8_t)level,
				       .owner = (uint16_t)e,
				       .born = ++stamp};
	memset(entries[a[1]], 0, sizeof entries[0]);
}

static void do_page_free(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);

	if (is_frame(a[1])) {
		because(EXO_PERM, page[a[1]].owner != e);
		needs_idle((uint32_t)a[1]);
	}
	if (granted())
		free_frame((uint32_t)a[1]);
}

static void do_table_link(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD), f = (uint32_t)a[3];
	const int entry = is_table_of(e, a[1]) && are_entries(a[1], a[2], 1);

	if (is_frame(a[3]) && e != 0) {
		because(EXO_PERM, page[f].owner != e);
		because(EXO_TYPE, page[f].state != EXO_PAGE_TABLE ||
					  (entry && page[f].level + 1 != page[a[1]].level));
		because(EXO_BUSY, page[f].parent != 0 || entries_full(f) != 0);
	}
	because(EXO_OCCUPIED, entry && entries[a[1]][a[2]].is != EMPTY);
	if (!granted())
		return;
	entries[a[1]][a[2]] = (struct entry){.is = LINK, .frame = f};
	page[f].parent = (uint32_t)a[1];
	linked_at[f] = (uint32_t)a[2];
}

static void do_table_unlink(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);
	struct entry *entry;

	if (!is_table_of(e, a[1]) || !are_entries(a[1], a[2], 1))
		return;
	entry = &entries[a[1]][a[2]];
	because(EXO_STATE, entry->is == EMPTY);
	because(EXO_TYPE, entry->is == LEAF);
	because(EXO_BUSY, entry->is == LINK && entries_full(entry->frame) != 0);
	if (!granted())
		return;
	page[entry->frame].parent = 0;
	*entry = (struct entry){0};
}

static void do_page_map(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);
	const int table = is_table_of(e, a[1]), run = table && are_entries(a[1], a[2], a[4]);
	const struct exo_cap *const c = how_asked(a[5]);

	because(EXO_TYPE, table && page[a[1]].level != 1);
	for (uint64_t i = 0; run && c && i < a[4]; i++) {
		map_right(c, a[3] < FRAMES ? a[3] + i : FRAMES, a[5] & 7);
		because(EXO_OCCUPIED, entries[a[1]][a[2] + i].is != EMPTY);
	}
	for (uint64_t i = 0; granted() && i < a[4]; i++)
		entries[a[1]][a[2] + i] = (struct entry){LEAF, (uint32_t)(a[3] + i), a[5] & 7};
}

static void do_page_map_large(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);
	const int table = is_table_of(e, a[1]), entry = table && are_entries(a[1], a[2], 1);
	const struct exo_cap *const c = how_asked(a[4]);

	because(EXO_TYPE, table && page[a[1]].level != 2);
	because(EXO_OCCUPIED, entry && entries[a[1]][a[2]].is != EMPTY);
	if (c)
		large_right(c, a[3], a[4] & 7);
	if (granted())
		entries[a[1]][a[2]] = (struct entry){LEAF, (uint32_t)a[3], a[4] & 7};
}

/* Entries of a table of level 1 or 2 of which none names a table. */
static int are_leaves(uint64_t t, uint64_t index, uint64_t count)
{
	if (!are_entries(t, index, count))
		return 0;
	because(EXO_TYPE, page[t].level > 2);
	for (uint64_t i = index; i < index + count; i++)
		because(EXO_TYPE, entries[t][i].is == LINK);
	return 1;
}

static void do_page_unmap(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);

	if (is_table_of(e, a[1]))
		are_leaves(a[1], a[2], a[3]);
	for (uint64_t i = 0; granted() && i < a[3]; i++)
		entries[a[1]][a[2] + i] = (struct entry){0};
}

static void do_page_protect(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);
	const int leaves_there = is_table_of(e, a[1]) && are_leaves(a[1], a[2], a[3]);
	const struct exo_cap *const c = how_asked(a[4]);

	because(EXO_ARG, leaves_there && page[a[1]].level == 2 && a[3] != 1);
	for (uint64_t i = a[2]; leaves_there && c && i < a[2] + a[3]; i++) {
		const struct entry *const entry = &entries[a[1]][i];

		if (entry->is == LEAF && page[a[1]].level == 1)
			map_right(c, entry->frame, a[4] & 7);
		else if (entry->is == LEAF)
			large_right(c, entry->frame, a[4] & 7);
	}
	for (uint64_t i = a[2]; granted() && i < a[2] + a[3]; i++)
		entries[a[1]][i].perm = a[4] & 7;
}

/* A run of frames of the caller, as far as is looked. */
static void own_run(uint64_t frame, uint64_t count, int data)
{
	const int there = count != 0 && frame < FRAMES && count <= FRAMES - frame;

	because(EXO_RANGE, !there);
	for (uint64_t i = 0; there && i < count && i < LOOK; i++) {
		because(EXO_PERM, page[frame + i].owner != me);
		because(EXO_TYPE, data && page[frame + i].state != EXO_PAGE_DATA);
	}
}

static void do_page_share(const uint64_t *a)
{
	const uint32_t e = named_live(a[2], EXO_ENV_GIVE);

	own_run(a[0], a[1], 1);
	because(EXO_ARG, (a[4] & EXO_RIGHT_READ) == 0 ||
				 (a[4] & ~(uint64_t)(EXO_RIGHT_READ | EXO_RIGHT_WRITE |
						     EXO_RIGHT_GRANT)) != 0);
	if (e != 0)
		needs_room(e, a[3]);
	if (granted())
		cap[e].c[a[3]] = (struct exo_cap){.kind = EXO_CAP_PAGES,
						  .rights = (uint8_t)a[4],
						  .object = me,
						  .gen = stamp,
						  .start = a[0],
						  .len = a[1]};
}

static void do_page_unshare(const uint64_t *a)
{
	own_run(a[0], a[1], 0);
	because(EXO_RANGE, a[1] > LOOK);
	if (!granted())
		return;
	stamp++;
	for (uint64_t i = 0; i < a[1]; i++)
		page[a[0] + i].born = stamp;
}

/* ---- capabilities ------------------------------------------------------------------------ */

static void do_cap_derive(const uint64_t *a)
{
	const struct exo_cap *const c = held(a[0]);
	const int whole = a[3] == 0 && a[4] == 0;

	needs_room(me, a[1]);
	because(EXO_ARG, a[4] == 0 && a[3] != 0);
	if (!c)
		return;
	because(EXO_PERM, (a[2] & ~(uint64_t)c->rights) != 0);
	because(EXO_RANGE, !whole && a[4] != 0 &&
				   (a[3] < c->start || a[3] - c->start > c->len ||
				    a[4] > c->len - (a[3] - c->start)));
	if (!granted())
		return;
	cap[me].c[a[1]] = *c;
	cap[me].c[a[1]].rights = (uint8_t)a[2];
	if (!whole) {
		cap[me].c[a[1]].start = a[3];
		cap[me].c[a[1]].len = a[4];
	}
}

static int may_be_passed(const struct exo_cap *c)
{
	return c->kind == EXO_CAP_MACHINE || (c->rights & EXO_RIGHT_GRANT) != 0;
}

static void do_cap_grant(const uint64_t *a)
{
	const struct exo_cap *const c = held(a[0]);
	const uint32_t e = named_live(a[1], EXO_ENV_GIVE);

	because(EXO_PERM, c && !may_be_passed(c));
	if (e != 0)
		needs_room(e, a[2]);
	if (!granted())
		return;
	cap[e].c[a[2]] = *c;
	cap[e].c[a[2]].rights = c->rights & (uint8_t)a[3];
}

static void do_cap_drop(const uint64_t *a)
{
	because(EXO_RANGE, a[0] >= EXO_NCAP);
	because(EXO_STATE, a[0] == 0 || (a[0] < EXO_NCAP && cap[me].c[a[0]].kind == EXO_CAP_NONE));
	if (granted())
		cap[me].c[a[0]] = (struct exo_cap){0};
}

static void do_cap_revoke(const uint64_t *a)
{
	const struct exo_cap *const c = held(a[0]);

	if (!c)
		return;
	because(EXO_TYPE,
		c->kind != EXO_CAP_ENV && c->kind != EXO_CAP_EXTENT && c->kind != EXO_CAP_CONSOLE);
	because(EXO_PERM, c->kind == EXO_CAP_ENV ? (c->rights & EXO_ENV_ALL) != EXO_ENV_ALL
						 : (c->rights & EXO_RIGHT_ADMIN) == 0);
	if (!granted())
		return;
	if (c->kind == EXO_CAP_EXTENT)
		extent_generation[c->object]++;
	if (c->kind == EXO_CAP_CONSOLE)
		session_generation[c->object]++;
	if (c->kind == EXO_CAP_ENV)
		cap[me].c[a[0]].gen = cap[c->object].c[0].gen = ++env[c->object].cap_gen;
}

static void do_quota_move(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_GIVE);

	because(EXO_ARG, a[1] >= KINDS);
	because(EXO_QUOTA, a[1] < KINDS && a[2] > unused(me, (uint32_t)a[1]));
	if (granted())
		move_limit(me, e, (uint32_t)a[1], (uint32_t)a[2]);
}

/* ---- environments ------------------------------------------------------------------------ */

static void do_env_create(const uint64_t *a)
{
	const uint32_t e = (uint32_t)a[0];

	because(EXO_RANGE, a[0] == 0 || a[0] >= ENVS);
	because(EXO_OCCUPIED, a[0] < ENVS && env[a[0]].state != EXO_ENV_FREE);
	because(EXO_QUOTA, unused(me, EXO_QUOTA_ENVS) == 0);
	needs_room(me, a[1]);
	if (!granted())
		return;
	env[e].state = EXO_ENV_BUILDING;
	env[e].parent_index = (uint16_t)me;
	env[e].parent = eid_of(me);
	env[e].principal = env[me].principal;
	cap[e].c[0] = cap[me].c[a[1]] = cap_to(e);
	value = eid_of(e);
}

static void do_env_open(const uint64_t *a)
{
	const uint32_t e = who(a[0]);

	because(EXO_STALE, e == 0);
	because(EXO_PERM, e != 0 && env[e].parent_index != me);
	needs_room(me, a[1]);
	if (granted())
		cap[me].c[a[1]] = cap_to(e);
}

/* A frame of this type gets a role that *role names. */
static void set_role(uint32_t e, uint32_t *role, uint64_t f, uint8_t type, uint8_t level)
{
	because(EXO_STATE, env[e].state != EXO_ENV_BUILDING || *role != 0);
	if (is_frame(f)) {
		because(EXO_PERM, page[f].owner != e);
		because(EXO_TYPE, page[f].state != type || page[f].level != level);
	}
	if (granted())
		*role = (uint32_t)f;
}

static void set_word(uint64_t *word, uint64_t to)
{
	if (granted())
		*word = to;
}

static void set_byte(uint8_t *byte, uint64_t to, uint64_t most)
{
	because(EXO_ARG, to > most);
	if (granted())
		*byte = (uint8_t)to;
}

static void do_env_set(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);
	struct exo_env *const at = &env[e];

	if (e == 0)
		return;
	switch (a[1]) {
	case EXO_SET_ROOT:
		set_role(e, &at->root, a[2], EXO_PAGE_TABLE, 4);
		break;
	case EXO_SET_SAVE:
		set_role(e, &at->save, a[2], EXO_PAGE_SAVE, 0);
		break;
	case EXO_SET_UPCALL_PAGE:
		set_role(e, &at->upcall_page, a[2], EXO_PAGE_UPCALL, 0);
		break;
	case EXO_SET_UPCALL_VA:
		because(EXO_ARG, a[2] % EXO_PAGE_SIZE != 0 || a[2] >= LOWER_HALF);
		set_word(&at->upcall_va, a[2]);
		break;
	case EXO_SET_UPCALL_ENTRY:
		because(EXO_ARG, a[2] >= LOWER_HALF);
		set_word(&at->upcall_entry, a[2]);
		break;
	case EXO_SET_PRINCIPAL:
		because(EXO_STATE, at->state != EXO_ENV_BUILDING);
		because(EXO_PERM, !stands_above(env[me].principal, a[2]));
		set_word(&at->principal, a[2]);
		break;
	case EXO_SET_NAME_LO:
	case EXO_SET_NAME_HI:
		if (granted())
			memcpy(at->name + (a[1] == EXO_SET_NAME_HI ? 8 : 0), &a[2], 8);
		break;
	case EXO_SET_EVENT_UPCALL:
		set_word(&at->event_upcall, a[2]);
		break;
	case EXO_SET_SLICE_UPCALL:
		set_byte(&at->slice_upcall, a[2], EXO_SLICE_START | EXO_SLICE_END);
		break;
	case EXO_SET_CALLS:
		set_byte(&at->calls_open, a[2], 1);
		break;
	default:
		because(EXO_ARG, 1);
	}
}

static void do_env_start(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);

	because(EXO_ARG, a[1] >= LOWER_HALF || a[2] >= LOWER_HALF);
	because(EXO_STATE, e != 0 && (env[e].state != EXO_ENV_BUILDING || env[e].root == 0 ||
				      env[e].save == 0));
	if (!granted())
		return;
	regs[e] = (struct regs){.rdi = a[3]};
	env[e].state = EXO_ENV_RUNNABLE;
	becomes_ready(e);
}

static void do_env_kill(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_KILL);
	const uint32_t client = env[e].client;

	if (!granted())
		return;
	hang_up(e);
	if (client != 0)
		wake(client, EXO_GONE, 0);
	stops(e);
	awake(e);
	env[e].state = EXO_ENV_ZOMBIE;
	env[e].events = 0;
	env[e].calls_open = 0;
	env[e].slice_upcall = 0;
	env[e].end = e == me ? EXO_END_EXIT : EXO_END_KILLED;
	env[e].end_code = a[1];
	leaves_programs(e);
	if (ring.by == e)
		ring.by = ring.first = ring.frames = 0;
	model_raise(env[e].parent_index, EXO_EV_CHILD);
}

/* Empties the first table at or below t that leads to no other with entries; z's frames that
   nothing holds then are free. */
static void empty_from_below(uint32_t z, uint32_t t)
{
	for (uint32_t i = 0; i < ENTRIES; i++)
		if (entries[t][i].is == LINK && entries_full(entries[t][i].frame) != 0) {
			empty_from_below(z, entries[t][i].frame);
			return;
		}
	for (uint32_t i = 0; i < ENTRIES; i++) {
		const struct entry was = entries[t][i];
		const uint32_t f = was.frame;

		entries[t][i] = (struct entry){0};
		if (was.is == LINK)
			page[f].parent = 0;
		if (was.is != EMPTY && !(was.is == LEAF && page[t].level == 2) &&
		    page[f].owner == z && is_idle(f))
			free_frame(f);
	}
}

static void reclaim_frame(uint32_t z, uint64_t f)
{
	uint32_t *const roles[] = {&env[z].root, &env[z].save, &env[z].upcall_page};

	if (!is_frame(f))
		return;
	because(EXO_PERM, page[f].owner != z);
	if (entries_full((uint32_t)f) != 0) { /* it is emptied first */
		if (granted())
			empty_from_below(z, (uint32_t)f);
		return;
	}
	because(EXO_BUSY, is_mapped((uint32_t)f) || page[f].parent != 0);
	if (!granted())
		return;
	for (uint32_t i = 0; i < 3; i++)
		if (*roles[i] == f)
			*roles[i] = 0;
	free_frame((uint32_t)f);
	value = 1;
}

static void reclaim_child(uint32_t z, uint64_t c)
{
	const uint32_t heir = env[z].parent_index;

	because(EXO_RANGE, c == 0 || c >= ENVS);
	because(EXO_PERM, c < ENVS && (env[c].state == EXO_ENV_FREE || env[c].parent_index != z));
	because(EXO_STATE, heir == 0);
	if (!granted())
		return;
	env[c].parent_index = (uint16_t)heir;
	env[c].parent = eid_of(heir);
	move_limit(z, heir, EXO_QUOTA_ENVS, 1);
	if (env[c].state == EXO_ENV_ZOMBIE)
		model_raise(heir, EXO_EV_CHILD);
	value = 1;
}

static void reclaim_slot(uint32_t z, uint64_t s)
{
	because(EXO_RANGE, s >= EXO_NSLOT);
	because(EXO_PERM, s < EXO_NSLOT && slot[s].owner != z);
	if (!granted())
		return;
	slot_becomes(s, 0, 0);
	value = 1;
}

static void reclaim_group(uint32_t z, uint64_t g)
{
	because(EXO_RANGE, g == 0 || g >= EXO_NGROUP);
	if (g == 0 || g >= EXO_NGROUP)
		return;
	because(EXO_PERM, group[g].owner != z);
	because(EXO_BUSY, slots_of_group((uint32_t)g) != 0);
	if (!granted())
		return;
	free_group((uint32_t)g);
	value = 1;
}

static void reclaim_cap(uint32_t z, uint64_t s)
{
	because(EXO_RANGE, s == 0 || s >= EXO_NCAP);
	because(EXO_STATE, s < EXO_NCAP && cap[z].c[s].kind == EXO_CAP_NONE);
	if (!granted())
		return;
	cap[z].c[s] = (struct exo_cap){0};
	value = 1;
}

static void do_env_reclaim(const uint64_t *a)
{
	const uint32_t z = who(a[0]);

	because(EXO_STALE, z == 0);
	if (z == 0)
		return;
	because(EXO_STATE, env[z].state != EXO_ENV_ZOMBIE);
	switch (a[1]) {
	case EXO_QUOTA_PAGES:
		reclaim_frame(z, a[2]);
		break;
	case EXO_QUOTA_SLOTS:
		reclaim_slot(z, a[2]);
		break;
	case EXO_QUOTA_CAPS:
		reclaim_cap(z, a[2]);
		break;
	case EXO_QUOTA_ENVS:
		reclaim_child(z, a[2]);
		break;
	case EXO_QUOTA_EXTENTS: /* nobody here has any */
		because(EXO_RANGE, a[2] == 0 || a[2] >= EXO_NEXTENT);
		because(EXO_PERM, 1);
		because(EXO_STATE, env[z].parent_index == 0);
		break;
	case EXO_QUOTA_IO: /* nor I/O */
		because(EXO_ARG, a[2] != 0);
		because(EXO_STATE, 1);
		break;
	case EXO_QUOTA_GROUPS:
		reclaim_group(z, a[2]);
		break;
	default:
		because(EXO_ARG, 1);
	}
}

static void do_env_reap(const uint64_t *a)
{
	const uint32_t z = named(a[0], EXO_ENV_KILL);

	if (z == 0)
		return;
	because(EXO_STATE, env[z].state != EXO_ENV_ZOMBIE);
	for (uint32_t kind = 0; kind < KINDS; kind++)
		because(EXO_BUSY, used(z, kind) != 0);
	because(EXO_BUSY, first_caller(z) != 0);
	if (!granted())
		return;
	for (uint32_t kind = 0; kind < KINDS; kind++)
		move_limit(z, me, kind, limit[z].n[kind]);
	cap[me].c[a[0]] = cap[z].c[0] = (struct exo_cap){0};
	revoke[z] = (struct exo_revoke){0};
	waker[z] = (struct exo_waker){0};
	env[z] = (struct exo_env){.gen = env[z].gen + 1, .cap_gen = env[z].cap_gen + 1};
}

/* ---- time -------------------------------------------------------------------------------- */

static void do_slot_take(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_BUILD);

	because(EXO_RANGE, a[1] >= EXO_NSLOT);
	because(EXO_OCCUPIED, a[1] < EXO_NSLOT && slot[a[1]].owner != 0);
	because(EXO_QUOTA, e != 0 && unused(e, EXO_QUOTA_SLOTS) == 0);
	if (granted())
		slot_becomes(a[1], e, 0);
}

static void needs_own_slot(uint64_t s)
{
	because(EXO_RANGE, s >= EXO_NSLOT);
	because(EXO_PERM, s < EXO_NSLOT && slot[s].owner != me);
}

static void do_slot_give(const uint64_t *a)
{
	const uint32_t e = named_live(a[1], EXO_ENV_GIVE);

	needs_own_slot(a[0]);
	if (!granted() || e == me)
		return;
	slot_becomes(a[0], e, 0);
	move_limit(me, e, EXO_QUOTA_SLOTS, 1);
}

static void do_slot_free(const uint64_t *a)
{
	needs_own_slot(a[0]);
	if (granted())
		slot_becomes(a[0], 0, 0);
}

/* Who gets the rest of the slice of a caller that names nobody. */
static uint32_t yield_target(void)
{
	const uint32_t owner = holds_slot(), user = owner ? runs_for(owner) : 0;
	uint32_t s;

	if (user != 0 && user != me && !forfeited)
		return user;
	s = next_borrower(me);
	return s == EXO_NSLOT ? me : lend_rest(s);
}

static void do_yield(const uint64_t *a)
{
	uint32_t to = who(a[0]);

	because(EXO_STALE, a[0] != 0 && to == 0);
	because(EXO_STATE, to != 0 && env[to].state != EXO_ENV_RUNNABLE);
	if (!granted())
		return;
	if (a[0] == 0)
		to = yield_target();
	if (told == me)
		told = 0;
	if (to == me)
		return;
	model_hand_over(to);
	env[me].given_ticks++;
}

static void do_wait(const uint64_t *a)
{
	const uint64_t pending = env[me].events & a[0];

	because(EXO_ARG, a[0] == 0 && a[1] == 0);
	because(EXO_TIMEOUT, pending == 0 && a[1] != 0 && a[1] <= clock);
	if (!granted())
		return;
	env[me].events &= ~pending;
	value = pending;
	if (pending != 0)
		return;
	env[me].wait_mask = a[0];
	sleeps(EXO_ENV_WAITING, a[1]);
	stops(me);
}

static void do_event_post(const uint64_t *a)
{
	const uint32_t e = who(a[0]);

	because(EXO_STALE, e == 0);
	because(EXO_ARG, a[1] == 0 || (a[1] & ~EXO_EV_USER) != 0);
	because(EXO_PERM, e != 0 && !stands_above(env[me].principal, env[e].principal));
	because(EXO_STATE, e != 0 && env[e].state == EXO_ENV_ZOMBIE);
	if (granted())
		model_raise(e, a[1]);
}

int model_ending(void)
{
	if ((env[me].slice_upcall & EXO_SLICE_END) == 0 ||
	    (slot[(place + 1) % EXO_NSLOT].owner == me && slot[(place + 1) % EXO_NSLOT].group == 0))
		return 0;
	told = me;
	return 1;
}

/* What the program of group g is to see at this slot. */
static void show_group(uint32_t g)
{
	struct exo_sched *const s = &sched[g];

	s->now = clock;
	s->tick = ticks;
	s->slot = place;
	s->members = 0;
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
		struct exo_sched_member *const m = &s->member[i];
		const uint32_t can = m->env != 0 && runs_for(m->env) != 0;

		if (m->env != 0)
			s->members = i + 1;
		if (can && !m->runnable)
			m->since = ticks;
		m->runnable = can;
	}
}

static int starving(uint32_t g, uint64_t i)
{
	const struct exo_sched_member *const m = &sched[g].member[i];

	return group[g].patience != 0 && m->runnable && ticks - m->since > group[g].patience;
}

/* Why this answer of group g's program is not followed; *about: what the record says of it. */
static enum exo_group_fault fault_of(uint32_t g, uint64_t named, uint64_t *about)
{
	*about = named;
	if (named > EXO_SCHED_NONE)
		return EXO_GROUP_NONSENSE;
	if (named < EXO_SCHED_NONE && sched[g].member[named].env == 0)
		return EXO_GROUP_EMPTY;
	if (named < EXO_SCHED_NONE && !sched[g].member[named].runnable)
		return EXO_GROUP_ASLEEP;
	for (uint64_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
		const uint64_t since = sched[g].member[i].since;

		/* The one that has waited longest, before all others who have. */
		if (starving(g, i) &&
		    (*about == EXO_SCHED_NONE || since < sched[g].member[*about].since))
			*about = i;
	}
	return *about != named ? EXO_GROUP_STARVED : EXO_GROUP_FOLLOWED;
}

static void group_fails(uint32_t g, enum exo_group_fault fault, uint64_t about)
{
	group[g].failed[fault]++;
	group[g].fault = (uint8_t)fault;
	group[g].answer = about < UINT32_MAX ? (uint32_t)about : UINT32_MAX;
	group[g].tick = ticks;
	if (++group[g].row == EXO_GROUP_FAILURES) {
		group[g].row = group[g].insns = group[g].bound = 0;
		group[g].lost++;
	}
	model_raise(group[g].owner, EXO_EV_GROUP);
}

/* Whom group g chooses for the slot that begins; 0: the vector decides. */
static uint32_t group_decides(uint32_t g)
{
	enum exo_group_fault fault;
	uint64_t named, about;

	if (group[g].insns == 0) /* and no time passes in a decision: it is the test's */
		return 0;
	if (env[group[g].owner].state == EXO_ENV_ZOMBIE) {
		group_fails(g, EXO_GROUP_OWNER, EXO_SCHED_NONE);
		return 0;
	}
	show_group(g);
	named = answer_of(decider[g].insn, decider[g].count, &sched[g], sizeof sched[g],
			  &group[g].steps, &group[g].most);
	group[g].decisions++;
	fault = fault_of(g, named, &about);
	if (fault == EXO_GROUP_ASLEEP)
		sched[g].member[named].missed++;
	if (fault != EXO_GROUP_FOLLOWED) {
		group_fails(g, fault, about);
		return 0;
	}
	group[g].row = 0;
	group[g].passed += named == EXO_SCHED_NONE;
	if (named == EXO_SCHED_NONE)
		return 0;
	group[g].followed++;
	sched[g].last = (uint32_t)named;
	sched[g].member[named].used++;
	sched[g].member[named].since = ticks;
	return sched[g].member[named].env;
}

/* The next slot of the vector begins. */
static void next_slice(void)
{
	uint32_t owner, runs;

	if (told != 0 && told == me) {
		env[me].overruns++;
		env[me].penalty++;
	}
	told = 0;
	place = (place + 1) % EXO_NSLOT;
	rest = 0;
	ticks++;
	chosen = 0;
	if (slot[place].group != 0)
		chosen = group_decides(slot[place].group);
	owner = holds_slot();
	if (waker[owner].asleep && wants_up(owner, env[owner].wait_mask))
		wake(owner, EXO_OK, env[owner].events & env[owner].wait_mask);
	forfeited = owner != 0 && env[owner].penalty != 0;
	env[owner].penalty -= forfeited;
	runs = choose();
	leaves = runs != me;
	env[runs].used_ticks += runs != 0;
	if (owner != 0 && runs == runs_for(owner))
		slot[place].used++;
	else if (owner != 0)
		slot[place].missed++;
	if (runs != 0 && (owner == 0 || runs != runs_for(owner)))
		slot[place].given++;
}

void model_tick(uint64_t now)
{
	clock = now;
	for (uint64_t t = 1; t <= now;) { /* deadlines, the earliest first */
		uint32_t first = 0;

		for (uint32_t e = 1; e < ENVS; e++)
			if (env[e].deadline != 0 && env[e].deadline <= now &&
			    (first == 0 || env[e].deadline < env[first].deadline))
				first = e;
		if (first == 0)
			break;
		t = env[first].deadline;
		wake(first, EXO_TIMEOUT, 0);
	}
	next_slice();
	for (uint32_t i = 0; i < queued;) {
		if (env[env[queue[i]].calling].state == EXO_ENV_ZOMBIE)
			wake(queue[i], EXO_GONE, 0);
		else
			i++;
	}
}

/* ---- calls between environments ---------------------------------------------------------- */

/* Slot s of `from` goes to slot d of `to`, lent, if both can; 0: it is left out. */
static uint64_t pass(uint32_t from, uint32_t s, uint32_t to, uint32_t d)
{
	const struct exo_cap *const c = &cap[from].c[s];

	if (s == 0 || d == 0 || c->kind == EXO_CAP_NONE || is_stale(c) || !may_be_passed(c) ||
	    cap[to].c[d].kind != EXO_CAP_NONE || unused(to, EXO_QUOTA_CAPS) == 0)
		return 0;
	cap[to].c[d] = *c;
	cap[to].c[d].rights &= (uint8_t)~EXO_RIGHT_GRANT;
	return 1;
}

/* The call of c comes to `server`, which takes it. */
static void deliver(uint32_t c, uint32_t server, uint32_t into)
{
	const struct letter *const l = &letter[c];

	env[server].client = (uint16_t)c;
	regs[server] = (struct regs){.rax = EXO_OK,
				     .rdx = eid_of(c),
				     .rdi = l->w[0],
				     .rsi = l->w[1],
				     .r8 = l->w[2],
				     .r9 = l->w[3],
				     .r10 = pass(c, l->lend, server, into)};
}

/* The argument `what`: its lowest byte is looked at by each call itself. */
static void check_what(uint64_t what)
{
	because(EXO_ARG, what >> 24 != 0);
	because(EXO_RANGE, (what >> 8 & 255) >= EXO_NCAP || (what >> 16 & 255) >= EXO_NCAP);
}

/* Would a call of `me` to t nest too deep, or wait for itself? */
static int too_deep(uint32_t t)
{
	uint32_t depth = 1;

	for (uint32_t e = env[me].client; e != 0; e = env[e].client)
		depth++;
	for (uint32_t e = t; env[e].calling != 0; e = env[e].calling) {
		if (env[e].calling == me)
			return 1;
		depth++;
	}
	return depth > DEPTH;
}

static void do_ipc_call(const uint64_t *a)
{
	const uint32_t t = named_live(a[0] & 255, EXO_ENV_CALL), s = a[0] >> 8 & 255;

	check_what(a[0]);
	because(EXO_STATE, t != 0 && (t == me || !env[t].calls_open || too_deep(t)));
	if (s != 0 && s < EXO_NCAP) {
		const struct exo_cap *const c = held(s);

		because(EXO_PERM, c && !may_be_passed(c));
	}
	because(EXO_TIMEOUT, a[1] != 0 && a[1] <= clock);
	if (!granted())
		return;
	letter[me] = (struct letter){{a[2], a[3], a[4], a[5]}, s, a[0] >> 16 & 255};
	env[me].calling = (uint16_t)t;
	sleeps(EXO_ENV_CALLING, a[1]);
	if (env[t].accepting) {
		deliver(me, t, letter[t].into);
		awake(t);
		model_hand_over(t);
	} else {
		queue[queued++] = me;
		stops(me);
	}
}

/* Who is served gets its answer, and runs: who that is, 0: nobody. */
static uint32_t reply(uint32_t lend, const uint64_t *w)
{
	const uint32_t c = env[me].client;

	if (c == 0)
		return 0;
	regs[c] = (struct regs){.rax = EXO_OK,
				.rdx = w[0],
				.rdi = w[1],
				.rsi = w[2],
				.r10 = pass(me, lend, c, letter[c].into)};
	env[me].client = 0;
	env[c].calling = 0;
	awake(c);
	return c;
}

static void do_ipc_reply_wait(const uint64_t *a)
{
	const uint64_t pending = env[me].events & a[1];
	const uint32_t c = first_caller(me), late = a[2] != 0 && a[2] <= clock;
	const uint32_t into = a[0] >> 16 & 255;
	uint32_t answered;

	check_what(a[0]);
	because(EXO_ARG, (a[0] & 255) > 1);
	because(EXO_STATE, (a[0] & 1) == 0 && env[me].client != 0);
	because(EXO_TIMEOUT, late && env[me].client == 0 && pending == 0 && c == 0);
	if (!granted())
		return;
	answered = reply(a[0] >> 8 & 255, &a[3]);
	leaves = 1;
	if (pending != 0) {
		env[me].events &= ~pending;
		regs[me] = (struct regs){.rdi = pending};
	} else if (c != 0) {
		leave_queue(c);
		deliver(c, me, into);
		becomes_ready(me);
	} else if (late) {
		regs[me] = (struct regs){.rax = EXO_TIMEOUT};
	} else {
		letter[me].into = into;
		env[me].accepting = 1;
		env[me].wait_mask = a[1];
		sleeps(EXO_ENV_WAITING, a[2]);
		stops(me);
	}
	if (answered != 0)
		model_hand_over(answered);
}

/* ---- revocation -------------------------------------------------------------------------- */

static void do_revoke_ask(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_REVOKE);
	const uint64_t least = clock + EXO_REVOKE_MIN_NS;
	struct exo_ask *ask;

	because(EXO_ARG, a[1] > EXO_ASK_SLOTS || (e != 0 && e == me));
	if (e == 0 || a[1] > EXO_ASK_SLOTS)
		return;
	because(EXO_RANGE, a[2] > limit[e].n[a[1]]);
	ask = &revoke[e].ask[a[1]];
	because(EXO_BUSY,
		ask->n != 0 && ask->by != eid_of(me) && who(ask->by) != 0 && clock < ask->deadline);
	if (!granted())
		return;
	*ask = (struct exo_ask){0};
	if (a[2] == 0)
		return;
	ask->n = (uint32_t)a[2];
	ask->deadline = a[3] > least ? a[3] : least;
	ask->by = eid_of(me);
	model_raise(e, EXO_EV_REVOKE);
}

/* Table t forgets frame f; how many entries did that empty? */
static uint32_t break_leaves(uint32_t t, uint32_t f)
{
	uint32_t gone = 0;

	for (uint32_t i = 0; i < ENTRIES; i++) {
		if (is_leaf_of(t, i, f)) {
			entries[t][i] = (struct entry){0};
			gone++;
		}
	}
	if (gone != 0)
		note_taken(page[t].owner, EXO_TAKEN_MAPPING, f);
	return gone;
}

static void needs_any_table(uint64_t t)
{
	if (is_frame(t))
		because(EXO_TYPE, page[t].state != EXO_PAGE_TABLE);
}

/* A DATA frame of e. */
static int data_of(uint32_t e, uint64_t f)
{
	if (!is_frame(f))
		return 0;
	because(EXO_PERM, page[f].owner != e);
	because(EXO_TYPE, page[f].state != EXO_PAGE_DATA);
	return 1;
}

static void take_back(uint64_t f, uint64_t t)
{
	data_of(me, f);
	needs_any_table(t);
	because(EXO_ARG, t < FRAMES && page[t].owner == me);
	if (!granted())
		return;
	page[f].born = ++stamp;
	value = break_leaves((uint32_t)t, (uint32_t)f);
}

static void take_unused(uint32_t e, uint32_t kind)
{
	struct exo_ask *const ask = &revoke[e].ask[kind];
	const uint32_t n = unused(e, kind) < ask->n ? unused(e, kind) : ask->n;

	because(EXO_AGAIN, n == 0);
	if (!granted())
		return;
	ask->n -= n;
	move_limit(e, me, kind, n);
	value = n;
}

static void take_frame(uint32_t e, uint64_t f, uint64_t t)
{
	const int mapped = data_of(e, f) && is_mapped((uint32_t)f);

	because(EXO_BUSY, f < FRAMES && has_role((uint32_t)f));
	if (mapped)
		needs_any_table(t);
	if (!granted())
		return;
	if (mapped)
		break_leaves((uint32_t)t, (uint32_t)f);
	if (is_mapped((uint32_t)f))
		return; /* come again with another table */
	free_frame((uint32_t)f);
	move_limit(e, me, EXO_QUOTA_PAGES, 1);
	revoke[e].ask[EXO_ASK_PAGES].n--;
	note_taken(e, EXO_QUOTA_PAGES, (uint32_t)f);
	value = 1;
}

static void take_slot(uint32_t e, uint64_t s)
{
	because(EXO_RANGE, s >= EXO_NSLOT);
	because(EXO_PERM, s < EXO_NSLOT && slot[s].owner != e);
	if (!granted())
		return;
	slot_becomes(s, me, 0);
	move_limit(e, me, EXO_QUOTA_SLOTS, 1);
	revoke[e].ask[EXO_ASK_SLOTS].n--;
	note_taken(e, EXO_QUOTA_SLOTS, (uint32_t)s);
	value = 1;
}

static void do_revoke_take(const uint64_t *a)
{
	const uint32_t e = named_live(a[0], EXO_ENV_REVOKE);
	const struct exo_ask *ask;

	because(EXO_ARG, e != 0 && a[1] > (e == me ? EXO_ASK_PAGES : EXO_ASK_SLOTS));
	if (e == 0 || a[1] > EXO_ASK_SLOTS)
		return;
	if (e == me) {
		take_back(a[2], a[3]);
		return;
	}
	ask = &revoke[e].ask[a[1]];
	because(EXO_STATE, ask->n == 0 || ask->by != eid_of(me));
	if (a[2] == EXO_TAKE_UNUSED) {
		take_unused(e, (uint32_t)a[1]);
		return;
	}
	because(EXO_AGAIN, clock < ask->deadline);
	if (a[1] == EXO_ASK_SLOTS)
		take_slot(e, a[2]);
	else
		take_frame(e, a[2], a[3]);
}

/* ---- the block registry ------------------------------------------------------------------ */

/* Does this entry count? */
static int counts(const struct exo_bind *b)
{
	return b->state == EXO_BIND_USED && b->gen == extent_generation[b->extent];
}

/* The entry where this block is bound; null: nowhere. */
static const struct exo_bind *bound_at(uint32_t extent, uint64_t block)
{
	for (uint32_t i = 0; i < HOST_BINDS; i++)
		if (counts(&bind[i]) && bind[i].extent == extent && bind[i].block == block)
			return &bind[i];
	return 0;
}

static int is_bound(uint64_t f)
{
	for (uint32_t i = 0; i < HOST_BINDS; i++)
		if (bind[i].state == EXO_BIND_USED && bind[i].frame == f)
			return 1;
	return 0;
}

static void unbind(const struct exo_cap *c, uint64_t block, struct exo_bind *at)
{
	because(EXO_STATE, bound_at(c->object, block) != at);
	because(EXO_PERM, at->env != me && (c->rights & EXO_RIGHT_ADMIN) == 0);
	if (granted())
		*at = (struct exo_bind){0};
}

static void do_block_bind(const uint64_t *a)
{
	const struct exo_cap *const c = held(a[0]);
	struct exo_bind *at;

	if (!c)
		return;
	because(EXO_TYPE, c->kind != EXO_CAP_EXTENT);
	if (c->kind != EXO_CAP_EXTENT)
		return;
	because(EXO_PERM, (c->rights & EXO_RIGHT_WRITE) == 0);
	because(EXO_RANGE, a[1] < c->start || a[1] - c->start >= c->len);
	because(EXO_RANGE, a[2] >= HOST_BINDS || a[2] / EXO_BIND_WAYS !=
							 exo_bind_set(c->object, a[1], HOST_BINDS));
	if (a[2] >= HOST_BINDS)
		return;
	at = &bind[a[2]];
	if (a[3] == 0) {
		unbind(c, a[1], at);
		return;
	}
	if (data_of(me, a[3]))
		because(EXO_BUSY, is_bound(a[3]));
	because(EXO_OCCUPIED, counts(at) || bound_at(c->object, a[1]));
	if (granted())
		*at = (struct exo_bind){.block = a[1],
					.frame = (uint32_t)a[3],
					.env = (uint16_t)me,
					.state = EXO_BIND_USED,
					.extent = c->object,
					.gen = (uint32_t)c->gen};
}

/* ---- scheduling groups ------------------------------------------------------------------- */

static int is_group(uint64_t g)
{
	because(EXO_RANGE, g == 0 || g >= EXO_NGROUP);
	return g != 0 && g < EXO_NGROUP;
}

/* Group g of the caller. */
static void needs_own_group(uint64_t g)
{
	if (is_group(g))
		because(EXO_PERM, group[g].owner != me);
}

static void do_group_take(const uint64_t *a)
{
	if (is_group(a[0]))
		because(EXO_OCCUPIED, group[a[0]].owner != 0);
	because(EXO_ARG, a[1] >> 32 != 0);
	because(EXO_QUOTA, unused(me, EXO_QUOTA_GROUPS) == 0);
	if (!granted())
		return;
	group[a[0]] = (struct exo_group){.owner = (uint16_t)me, .patience = (uint32_t)a[1]};
	sched[a[0]] = (struct exo_sched){.last = EXO_SCHED_NONE};
}

static void do_group_free(const uint64_t *a)
{
	needs_own_group(a[0]);
	because(EXO_BUSY, a[0] != 0 && a[0] < EXO_NGROUP && slots_of_group((uint32_t)a[0]) != 0);
	if (granted())
		free_group((uint32_t)a[0]);
}

static void do_group_join(const uint64_t *a)
{
	const uint32_t e = named_live(a[2], EXO_ENV_GIVE);
	const int is_place = a[1] < EXO_SCHED_MEMBERS;

	needs_own_group(a[0]);
	because(EXO_RANGE, !is_place);
	because(EXO_OCCUPIED, is_place && a[0] < EXO_NGROUP && sched[a[0]].member[a[1]].env != 0);
	because(EXO_BUSY, e != 0 && env[e].group != 0);
	if (!granted())
		return;
	sched[a[0]].member[a[1]].env = e;
	env[e].group = (uint8_t)a[0];
	env[e].place = (uint8_t)a[1];
}

/* A place that somebody has, for that one and the owner of the group. */
static void needs_place(uint64_t g, uint64_t i)
{
	because(EXO_RANGE, i >= EXO_SCHED_MEMBERS);
	if (!is_group(g) || i >= EXO_SCHED_MEMBERS)
		return;
	because(EXO_STATE, sched[g].member[i].env == 0);
	because(EXO_PERM, group[g].owner != me && sched[g].member[i].env != me);
}

static void do_group_leave(const uint64_t *a)
{
	needs_place(a[0], a[1]);
	if (granted())
		member_goes((uint32_t)a[0], a[1]);
}

static void do_group_word(const uint64_t *a)
{
	needs_place(a[0], a[1]);
	because(EXO_RANGE, a[2] >= EXO_SCHED_WORDS);
	if (granted())
		sched[a[0]].member[a[1]].word[a[2]] = a[3];
}

static void do_slot_group(const uint64_t *a)
{
	because(EXO_RANGE, a[1] >= EXO_NGROUP);
	needs_own_slot(a[0]);
	because(EXO_PERM, a[1] != 0 && a[1] < EXO_NGROUP && group[a[1]].owner != me);
	if (granted())
		slot_becomes(a[0], me, a[1]);
}

/* ---- loading ------------------------------------------------------------------------------ */

/* The first behind `last` in the circle who has asked; 0: nobody has. */
static uint32_t next_loader(uint32_t last)
{
	for (uint32_t i = 1; i <= EXO_NENV; i++)
		if (wants[(last + i) % EXO_NENV])
			return (last + i) % EXO_NENV;
	return 0;
}

/* May the caller load now? */
static int comes_to_load(void)
{
	const uint32_t first = loader != 0 ? loader : may_load;
	const int late = ticks - load_since >= EXO_BPF_TICKS;

	if (first == me && (loader == 0 || !late))
		return 1;
	if (first != 0 && late)
		load_ends(first);
	wants[me] = 1;
	if (loader != 0)
		return 0;
	if (may_load == 0) {
		may_load = next_loader(went_last);
		load_since = ticks;
	}
	return may_load == me;
}

static void do_bpf_begin(const uint64_t *a)
{
	if (a[0] != 0)
		needs_own_group(a[0]);
	if (!granted())
		return;
	value = (uint64_t)comes_to_load();
	if (value == 0)
		return;
	if (loader != me)
		load_since = ticks;
	loader = me;
	may_load = 0;
	wants[me] = 0;
	loads_for = (uint32_t)a[0];
	looks = 0;
	coming.count = 0;
}

/* The byte at va of the caller; null: not mapped. */
static const uint8_t *byte_at(uint64_t va)
{
	uint32_t t = env[me].root;

	if (va >= LOWER_HALF || t == 0)
		return 0;
	for (uint32_t level = 4; level >= 1; level--) {
		const uint64_t i = va >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
		const struct entry *const entry = &entries[t][i];

		if (entry->is == EMPTY)
			return 0;
		t = entry->frame;
		if (entry->is == LEAF && level == 2)
			t += va >> 12 & (RUN_FRAMES - 1);
		if (entry->is == LEAF)
			break;
	}
	return &machine_bytes((struct pfn){t})[va & 4095];
}

static void do_bpf_put(const uint64_t *a)
{
	const uint32_t most = loads_for != 0 ? EXO_BPF_MAX_INSNS : EXO_WAKE_INSNS;
	uint8_t byte[8];

	because(EXO_STATE, loader != me || looks);
	because(EXO_RANGE,
		a[1] == 0 || a[1] > EXO_BPF_PUT || (loader == me && a[1] > most - coming.count));
	for (uint64_t i = 0; a[1] <= EXO_BPF_PUT && i < 8 * a[1]; i++)
		because(EXO_FAULT, a[0] >= LOWER_HALF || byte_at(a[0] + i) == 0);
	for (uint64_t i = 0; granted() && i < a[1]; i++) {
		for (uint32_t k = 0; k < 8; k++)
			byte[k] = *byte_at(a[0] + 8 * i + k);
		memcpy(&coming.insn[coming.count++], byte, 8);
	}
}

/* The verifier is the kernel's own, with a memory of the model's: bpf/fuzz looks after it. */
static enum exo_bpf_reason look_on(void)
{
	static struct bpf_verifier v;
	enum exo_bpf_reason reason;

	if (looks) {
		reason = bpf_verify_some(&v, &coming, EXO_BPF_LOOK);
	} else {
		coming.context_size =
			loads_for != 0 ? sizeof(struct exo_sched) : sizeof(struct exo_wake);
		reason = bpf_verify_begin(&v, &coming);
	}
	looks = 1;
	value = (uint64_t)v.pc << 16;
	return reason;
}

static void do_bpf_verify(const uint64_t *a)
{
	enum exo_bpf_reason reason;

	(void)a;
	because(EXO_STATE, loader != me);
	if (!granted())
		return;
	reason = look_on();
	if (reason == EXO_BPF_OK &&
	    coming.steps > (loads_for != 0 ? EXO_GROUP_STEPS : EXO_WAKE_STEPS))
		reason = EXO_BPF_BUDGET;
	value += reason + ((uint64_t)coming.steps << 32);
	if (reason == EXO_BPF_OK && loads_for != 0) {
		decider[loads_for] = coming;
		group[loads_for].insns = coming.count;
		group[loads_for].bound = coming.steps;
		group[loads_for].most = 0;
		group[loads_for].row = 0;
		group[loads_for].loaded++;
	} else if (reason == EXO_BPF_OK) {
		memcpy(waker[me].insn, coming.insn, coming.count * sizeof coming.insn[0]);
		waker[me].insns = coming.count;
		waker[me].bound = coming.steps;
		waker[me].most = 0;
	}
	if (reason != EXO_BPF_MORE)
		load_ends(me);
}

static void do_wait_until(const uint64_t *a)
{
	because(EXO_STATE, waker[me].insns == 0);
	because(EXO_TIMEOUT, a[1] != 0 && a[1] <= clock);
	if (!granted())
		return;
	waker[me].seen = (struct exo_wake){
		.version = EXO_WAKE_VERSION, .slept = clock, .word = {a[2], a[3], a[4], a[5]}};
	if (wants_up(me, a[0])) {
		value = env[me].events & a[0];
		env[me].events &= ~value;
		return;
	}
	waker[me].asleep = 1;
	env[me].wait_mask = a[0];
	sleeps(EXO_ENV_WAITING, a[1]);
	stops(me);
}

/* ---- tracing ----------------------------------------------------------------------------- */

/* Numbers of records are the kernel's: how many there are of all that happens is not modelled. */
static void do_trace_start(const uint64_t *a)
{
	const struct exo_cap *const c = held(a[0]);

	because(EXO_TYPE, c && c->kind != EXO_CAP_TRACE);
	because(EXO_ARG, a[2] == 0 || a[2] > LOOK || (a[2] & (a[2] - 1)) != 0);
	because(EXO_RANGE, a[1] >= FRAMES || a[2] > FRAMES - a[1]);
	for (uint64_t f = a[1]; f < FRAMES && f - a[1] < a[2]; f++) {
		because(EXO_PERM, page[f].owner != me);
		because(EXO_TYPE, page[f].state != EXO_PAGE_TRACE);
	}
	because(EXO_BUSY, ring.frames != 0);
	if (!granted())
		return;
	ring.by = me;
	ring.first = (uint32_t)a[1];
	ring.frames = (uint32_t)a[2];
	value = tracing.first;
}

static void do_trace_stop(const uint64_t *a)
{
	(void)a;
	because(EXO_STATE, ring.by != me);
	if (!granted())
		return;
	ring.by = ring.first = ring.frames = 0;
	value = tracing.last;
}

static int ring_agrees(void)
{
	return tracing.by == (ring.by == 0 ? 0 : eid_of(ring.by)) && tracing.frame == ring.first &&
	       tracing.records == ring.frames * (EXO_PAGE_SIZE / sizeof(struct exo_trace)) &&
	       host_trace.frames == ring.frames && (ring.by == 0 || host_trace.first == ring.first);
}

/* ---- all calls --------------------------------------------------------------------------- */

static void do_null(const uint64_t *a)
{
	(void)a;
	value = EXO_ABI_VERSION;
}

static void (*const calls[NEAR_CALLS])(const uint64_t *a) = {
	[0] = do_null,
	[1] = do_env_create,
	[2] = do_env_set,
	[3] = do_env_start,
	[4] = do_env_kill,
	[5] = do_env_reclaim,
	[6] = do_env_reap,
	[7] = do_quota_move,
	[8] = do_page_take,
	[9] = do_page_free,
	[10] = do_table_link,
	[11] = do_table_unlink,
	[12] = do_page_map,
	[13] = do_page_map_large,
	[14] = do_page_unmap,
	[15] = do_page_protect,
	[16] = do_page_share,
	[17] = do_page_unshare,
	[18] = do_cap_derive,
	[19] = do_cap_grant,
	[20] = do_cap_drop,
	[21] = do_cap_revoke,
	[22] = do_slot_take,
	[23] = do_slot_give,
	[24] = do_slot_free,
	[25] = do_yield,
	[26] = do_wait,
	[27] = do_event_post,
	[38] = do_env_open,
	[39] = do_ipc_call,
	[40] = do_ipc_reply_wait,
	[41] = do_revoke_ask,
	[42] = do_revoke_take,
	[45] = do_block_bind,
	[46] = do_group_take,
	[47] = do_group_free,
	[48] = do_group_join,
	[49] = do_group_leave,
	[50] = do_group_word,
	[51] = do_slot_group,
	[52] = do_bpf_begin,
	[53] = do_bpf_put,
	[54] = do_bpf_verify,
	[55] = do_wait_until,
	[56] = do_trace_start,
	[57] = do_trace_stop,
};

struct verdict model_call(uint32_t number, const uint64_t *a, uint64_t now)
{
	clock = now;
	refusals = 0;
	value = 0;
	regs[me] = (struct regs){0};
	calls[number](a);
	return (struct verdict){refusals, value};
}

/* ---- beginning, and comparing ------------------------------------------------------------ */

void model_begin(void)
{
	memcpy(env, envs, sizeof env);
	memcpy(limit, quota_limit, sizeof limit);
	memcpy(cap, caps, sizeof cap);
	memcpy(slot, slots, sizeof slot);
	memcpy(page, pages, sizeof page);
	memset(letter, 0, sizeof letter);
	memset(regs, 0, sizeof regs);
	memset(revoke, 0, sizeof revoke);
	memset(bind, 0, sizeof bind);
	memset(extent_generation, 0, sizeof extent_generation);
	memset(session_generation, 0, sizeof session_generation);
	stamp = 0;
	queued = 0;
	me = 1;
	place = rest = borrower = forfeited = told = leaves = 0;
	chosen = 0;
	memset(group, 0, sizeof group);
	memset(sched, 0, sizeof sched);
	memset(waker, 0, sizeof waker);
	memset(wants, 0, sizeof wants);
	loader = loads_for = may_load = went_last = 0;
	looks = 0;
	load_since = ticks = 0;
	coming.count = 0;
	ring.by = ring.first = ring.frames = 0;
}

/* First address that table t translates. */
static uint64_t address_of(uint32_t t)
{
	uint64_t va = 0;

	for (; page[t].parent != 0; t = page[t].parent)
		va += (uint64_t)linked_at[t] << (12 + 9 * page[t].level);
	return va;
}

/* An entry as the hardware reads it. */
static uint64_t as_bits(const struct entry *entry, uint32_t level)
{
	const uint64_t base = (uint64_t)entry->frame << 12;

	if (entry->is == EMPTY)
		return 0;
	if (entry->is == LINK)
		return base | 7;
	return base | 5 | ((entry->perm & EXO_MAP_WRITE) != 0 ? 2 : 0) | (level == 2 ? 128 : 0) |
	       ((entry->perm & EXO_MAP_EXEC) != 0 ? 0 : 1ull << 63);
}

static uint32_t maps[FRAMES], run_mapped[FRAMES / RUN_FRAMES];

/* Compares the entries of table t, and counts what they map. */
static int table_agrees(uint32_t t)
{
	for (uint32_t i = 0; i < entries_for_programs(page[t].level); i++) {
		const struct entry *const entry = &entries[t][i];

		/* That bpf_put has looked there may show, as when the processor has. */
		if ((machine_table((struct pfn){t})->e[i] & ~(uint64_t)ACCESSED) !=
		    as_bits(entry, page[t].level))
			return 0;
		if (entry->is == LEAF && page[t].level == 1)
			maps[entry->frame]++;
		else if (entry->is == LEAF)
			run_mapped[entry->frame / RUN_FRAMES]++;
	}
	return 1;
}

/* Names each entry of the registry in its frame, and does no other frame name one? */
static int binds_agree(void)
{
	uint32_t n = 0;

	for (uint32_t f = 0; f < FRAMES; f++)
		n += pages[f].bound != 0;
	for (uint32_t i = 0; i < HOST_BINDS; i++) {
		n -= bind[i].state == EXO_BIND_USED;
		if (bind[i].state == EXO_BIND_USED && pages[bind[i].frame].bound != i + 1)
			return 0;
	}
	return n == 0 && memcmp(bind, registry, sizeof bind) == 0;
}

static const char *frames_differ(void)
{
	memset(maps, 0, sizeof maps);
	memset(run_mapped, 0, sizeof run_mapped);
	for (uint32_t t = 0; t < FRAMES; t++)
		if (page[t].state == EXO_PAGE_TABLE && !table_agrees(t))
			return "a page table";
	for (uint32_t f = 0; f < FRAMES; f++) {
		struct exo_page now = page[f];

		now.bound = pages[f].bound; /* binds_agree() */
		if (page[f].state == EXO_PAGE_TABLE) {
			now.present = entries_full(f);
			/* tables of the dead may hang in the air, and translate nothing */
			now.va = env[page[f].owner].state == EXO_ENV_ZOMBIE ? pages[f].va
									    : address_of(f);
		}
		if (memcmp(&now, &pages[f], sizeof now) != 0)
			return "a page record";
		if (page_maps[f] != maps[f] || (page_pins[f] != 0) != has_role(f))
			return "counts of a frame";
		if ((page_free_map[f / 64] >> f % 64 & 1) != (page[f].state == EXO_PAGE_FREE))
			return "the map of free frames";
	}
	return memcmp(run_maps, run_mapped, sizeof run_mapped) ? "counts of runs" : 0;
}

/* The record of e with what the model does not keep as records do. */
static struct exo_env env_record(uint32_t e)
{
	struct exo_env now = env[e];

	memset(now.slots, 0, sizeof now.slots);
	for (uint32_t s = 0; e != 0 && s < EXO_NSLOT; s++)
		if (slot[s].owner == e)
			now.slots[s / 64] |= 1ull << s % 64;
	now.call_head = now.call_tail = now.call_next = now.call_prev = 0;
	for (uint32_t i = 0; i < queued; i++) {
		const uint16_t q = (uint16_t)queue[i];

		if (env[q].calling == e) {
			now.call_head = now.call_head ? now.call_head : q;
			now.call_tail = q;
		}
	}
	return now;
}

static int env_agrees(uint32_t e)
{
	struct exo_env now = env_record(e);

	now.call_next = envs[e].call_next; /* head and tail tell enough, and check_state() */
	now.call_prev = envs[e].call_prev;
	return memcmp(&now, &envs[e], sizeof now) == 0;
}

static int regs_agree(uint32_t e)
{
	const struct exo_regs *r;

	if (env[e].state != EXO_ENV_RUNNABLE && env[e].state != EXO_ENV_WAITING &&
	    env[e].state != EXO_ENV_CALLING)
		return 1;
	r = &machine_save((struct pfn){env[e].save})->regs;
	return r->rax == regs[e].rax && r->rdx == regs[e].rdx && r->rdi == regs[e].rdi &&
	       r->rsi == regs[e].rsi && r->r8 == regs[e].r8 && r->r9 == regs[e].r9 &&
	       r->r10 == regs[e].r10;
}

static int quotas_agree(uint32_t e)
{
	for (uint32_t kind = 0; kind < KINDS; kind++)
		if (quota_used[e].n[kind] != used(e, kind) ||
		    quota_limit[e].n[kind] != limit[e].n[kind])
			return 0;
	return 1;
}

/* The same for groups, members, predicates. */
static const char *programs_differ(void)
{
	for (uint32_t g = 0; g < EXO_NGROUP; g++) {
		struct exo_group now = group[g];
		struct exo_sched seen = sched[g];

		now.slots = g != 0 ? slots_of_group(g) : 0;
		seen.members = scenes[g].sched.members; /* check_groups() */
		if (memcmp(&now, &groups[g], sizeof now) != 0)
			return "a group";
		if (memcmp(&seen, &scenes[g].sched, sizeof seen) != 0)
			return "what a group's program sees";
	}
	for (uint32_t e = 0; e < ENVS; e++)
		if (memcmp(&waker[e], &wakers[e].w, sizeof waker[e]) != 0)
			return "a wake-up predicate";
	return 0;
}

const char *model_differs(void)
{
	for (uint32_t e = 1; e < ENVS; e++) {
		if (!env_agrees(e))
			return "an environment";
		if (!regs_agree(e))
			return "registers of an answer";
		if (!quotas_agree(e))
			return "quotas";
	}
	if (memcmp(cap, caps, sizeof cap) != 0)
		return "capabilities";
	if (memcmp(slot, slots, sizeof slot) != 0)
		return "CPU slots";
	if (memcmp(revoke, revokes, sizeof revoke) != 0)
		return "what is asked back, or was taken";
	if (!binds_agree())
		return "the block registry";
	if (memcmp(extent_generation, host_extent_gen, sizeof extent_generation) != 0 ||
	    memcmp(session_generation, host_session_gen, sizeof session_generation) != 0)
		return "a generation";
	if (!ring_agrees())
		return "who traces, and where";
	if (info.current_slot != place)
		return "the slot that is running";
	if (programs_differ())
		return programs_differ();
	return frames_differ();
}
