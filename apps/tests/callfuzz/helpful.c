/*
 * helpful.c - arguments that must fit each other, or the call is never granted: a list of calls by
 * name, each with what it takes.  Calls that are not listed get along without.
 */
#include <libos/time.h>
#include "fuzz.h"

static const volatile struct exo_cap *cap_of(const struct body *b, uint64_t slot)
{
	return &tables_caps(b->self)->c[slot % EXO_NCAP];
}

/* A frame that b knows and that belongs to e, of this state; 0: none. */
static uint32_t frame_of(const struct body *b, uint32_t e, uint8_t state)
{
	for (uint32_t i = 0; i < b->hints; i++)
		if (tables_page(b->hint[i])->owner == e && tables_page(b->hint[i])->state == state)
			return b->hint[i];
	return 0;
}

/* A slot of b that names an environment in this state; 0: none.  Ready ones can be started. */
static uint32_t slot_in_state(struct body *b, uint8_t state, int ready)
{
	for (uint32_t i = 1; i < EXO_NCAP; i++) {
		const volatile struct exo_env *e = tables_env(args_env(b, i));

		if (cap_of(b, i)->kind == EXO_CAP_ENV && cap_of(b, i)->gen == e->cap_gen &&
		    e->state == state && (!ready || (e->root && e->save)))
			return i;
	}
	return 0;
}

/* What a child must have to run, and in which role. */
static const struct {
	uint8_t what, state;
	uint16_t type;
} needs[] = {{EXO_SET_ROOT, EXO_PAGE_TABLE, EXO_PAGE_TABLE | 4 << 8},
	     {EXO_SET_SAVE, EXO_PAGE_SAVE, EXO_PAGE_SAVE},
	     {EXO_SET_UPCALL_PAGE, EXO_PAGE_UPCALL, EXO_PAGE_UPCALL}};
enum { NEEDS = sizeof needs / sizeof needs[0] };

/* A role for a frame that e holds without one: 1 when there is such a frame. */
static int role(struct body *b, uint32_t e, uint64_t *a)
{
	for (uint32_t i = 0; i < NEEDS; i++) {
		const uint32_t f = frame_of(b, e, needs[i].state);

		if (f == 0 || *tables_page_pins(f))
			continue;
		a[1] = needs[i].what;
		a[2] = f;
		return 1;
	}
	return 0;
}

/* A role that the child has not yet, or a word that does little harm. */
static void set(struct body *b, uint64_t *a)
{
	static const uint8_t words[] = {EXO_SET_NAME_LO, EXO_SET_NAME_HI, EXO_SET_CALLS,
					EXO_SET_SLICE_UPCALL, EXO_SET_EVENT_UPCALL};
	const uint32_t slot = slot_in_state(b, EXO_ENV_BUILDING, 0);
	uint32_t e;

	if (slot && fuzz_one_in(b->s, 2))
		a[0] = slot;
	e = args_env(b, a[0]);
	if (e == b->self && b->s->careless && fuzz_one_in(b->s, 4)) {
		a[1] = EXO_SET_UPCALL_VA + fuzz_below(b->s, 2);
		a[2] = args_wild(b) & ~4095ull;
		return;
	}
	if (a[0] && a[0] == slot && !fuzz_one_in(b->s, 4) && role(b, e, a))
		return;
	a[1] = words[fuzz_below(b->s, sizeof words)];
	a[2] = a[1] == EXO_SET_CALLS ? !fuzz_one_in(b->s, 4) : fuzz_below(b->s, 4);
}

/* Children get what they cannot run without. */
static void take(struct body *b, uint64_t *a)
{
	const uint32_t slot = fuzz_one_in(b->s, 2) ? slot_in_state(b, EXO_ENV_BUILDING, 0) : 0;

	if (!slot)
		return;
	a[0] = slot;
	for (uint32_t i = 0; i < NEEDS; i++)
		if (!frame_of(b, args_env(b, slot), needs[i].state)) {
			a[2] = needs[i].type;
			return;
		}
}

static void start(struct body *b, uint64_t *a)
{
	const uint32_t slot = slot_in_state(b, EXO_ENV_BUILDING, 1);

	if (slot)
		a[0] = slot;
	a[2] &= CHILD_STACK - 1;
}

/* One that nothing uses. */
static void free_frame(struct body *b, uint64_t *a)
{
	a[0] = 0;
	for (uint32_t i = 0; i < b->hints; i++) {
		const uint32_t f = b->hint[i];
		const volatile struct exo_page *p = tables_page(f);

		if (p->owner == b->self && *tables_page_maps(f) == 0 && *tables_page_pins(f) == 0 &&
		    p->parent == 0 && p->present == 0)
			a[1] = f;
	}
}

/* Mostly pages, which a child needs before anything else. */
static void quota(struct body *b, uint64_t *a)
{
	const uint32_t slot = slot_in_state(b, EXO_ENV_BUILDING, 0);

	if (!slot || fuzz_one_in(b->s, 3))
		return;
	a[0] = slot;
	a[1] = tables_quota_limit(args_env(b, slot))->n[EXO_QUOTA_PAGES] ? fuzz_below(b->s, 3) : 0;
	a[2] = 3 + fuzz_below(b->s, 3);
}

/* Something that a dead one holds. */
static void reclaim(struct body *b, uint64_t *a)
{
	const uint32_t slot = slot_in_state(b, EXO_ENV_ZOMBIE, 0);
	const uint32_t e = slot ? args_env(b, slot) : (uint32_t)(a[0] & 0xffff);

	a[0] = (uint64_t)tables_env(e)->gen << 16 | e;
	for (uint32_t i = 0; i < 5; i++) {
		a[1] = fuzz_below(b->s, 5);
		if (tables_quota_used(e)->n[a[1]])
			break;
	}
	a[2] = 0;
	for (uint32_t i = 1; i < EXO_NCAP && a[1] == EXO_QUOTA_CAPS; i++)
		if (tables_caps(e)->c[i].kind != EXO_CAP_NONE)
			a[2] = i;
	for (uint32_t i = 0; i < EXO_NSLOT && a[1] == EXO_QUOTA_SLOTS; i++)
		if (tables_slot(i)->owner == e)
			a[2] = i;
	for (uint32_t i = 0; i < b->hints && a[1] == EXO_QUOTA_PAGES; i++)
		if (tables_page(b->hint[i])->owner == e)
			a[2] = b->hint[i];
}

/* A table that is linked nowhere, into one above it. */
static void link(struct body *b, uint64_t *a)
{
	for (uint32_t i = 0; i < b->hints; i++) {
		const volatile struct exo_page *p = tables_page(b->hint[i]);

		if (p->state != EXO_PAGE_TABLE || p->owner != b->self || p->parent || p->level > 3)
			continue;
		a[0] = 0;
		a[1] = args_own_frame(b, EXO_PAGE_TABLE, (uint8_t)(p->level + 1));
		a[2] = 8 + fuzz_below(b->s, 240);
		a[3] = b->hint[i];
		return;
	}
}

/* An empty table out of the one above it. */
static void unlink(struct body *b, uint64_t *a)
{
	for (uint32_t i = 0; i < b->hints; i++) {
		const volatile struct exo_page *p = tables_page(b->hint[i]);

		if (p->state != EXO_PAGE_TABLE || p->owner != b->self || !p->parent || p->present)
			continue;
		a[0] = 0;
		a[1] = p->parent;
		a[2] = p->va >> (12 + 9 * p->level) & 511;
		return;
	}
}

/* A run of blocks right behind an extent that is there. */
static void extent_take(struct body *b, uint64_t *a)
{
	const volatile struct exo_extent *x = tables_extent((uint32_t)a[1] % EXO_NEXTENT);

	a[2] = x->start + x->len + fuzz_below(b->s, 4);
	a[3] = 2 + fuzz_below(b->s, 6);
	a[4] = tables_info()->boot_drive;
}

static void block_bind(struct body *b, uint64_t *a)
{
	const volatile struct exo_cap *c = cap_of(b, a[0]);
	const uint32_t count = tables_info()->table[EXO_TABLE_REGISTRY].count;

	a[1] = c->start + fuzz_below(b->s, c->len ? c->len : 1);
	a[2] = EXO_BIND_WAYS * exo_bind_set(c->object, a[1], count) +
	       fuzz_below(b->s, EXO_BIND_WAYS);
	a[3] = args_own_frame(b, EXO_PAGE_DATA, 0);
}

/* A child of a device's right: the screen's frames. */
static void map(struct body *b, uint64_t *a)
{
	const uint32_t device = args_slot(b, EXO_CAP_DEVICE);
	const volatile struct exo_cap *c = cap_of(b, device);

	if (a[5] >> 8 && cap_of(b, a[5] >> 8)->kind == EXO_CAP_PAGES)
		a[3] = cap_of(b, a[5] >> 8)->start;
	if (!device || !fuzz_one_in(b->s, 8))
		return;
	a[3] = c->start + fuzz_below(b->s, c->len ? c->len : 1);
	a[4] = 1;
	a[5] = EXO_MAP_READ | (uint64_t)device << 8;
}

static void map_large(struct body *b, uint64_t *a)
{
	a[2] = 16 + fuzz_below(b->s, 480);
	a[3] = b->run;
	a[4] &= 0xff;
}

/* Who sleeps must wake up, unless it is careless. */
static void deadline(struct body *b, uint64_t *a, uint64_t most)
{
	*a = b->s->careless && fuzz_one_in(b->s, 16) ? 0 : time_now() + fuzz_below(b->s, most);
}

/* A slot of b that names another environment that takes calls; 0: none. */
static uint32_t slot_open(struct body *b)
{
	for (uint32_t i = 1; i < EXO_NCAP; i++) {
		const uint32_t e = args_env(b, i);
		const volatile struct exo_env *env = tables_env(e);

		if (e != b->self && cap_of(b, i)->gen == env->cap_gen && env->calls_open &&
		    env->state >= EXO_ENV_RUNNABLE && env->state != EXO_ENV_ZOMBIE)
			return i;
	}
	return 0;
}

static void ipc_call(struct body *b, uint64_t *a)
{
	const uint64_t s = fuzz_one_in(b->s, 8) ? args_slot(b, EXO_CAP_PAGES) : 0;
	const uint64_t d = fuzz_one_in(b->s, 2) ? args_slot(b, EXO_CAP_NONE) % EXO_NCAP : 0;

	a[0] = slot_open(b) | s << 8 | d << 16;
	deadline(b, &a[1], 10000000);
}

static void ipc_reply_wait(struct body *b, uint64_t *a)
{
	const uint64_t s = fuzz_one_in(b->s, 8) ? args_slot(b, EXO_CAP_PAGES) : 0;
	const uint64_t d = fuzz_one_in(b->s, 2) ? args_slot(b, EXO_CAP_NONE) % EXO_NCAP : 0;

	a[0] = 1 | s << 8 | d << 16;
	deadline(b, &a[2], 4000000);
}

/* The ring's own frame, or what else could be one. */
static void ring(struct body *b, uint64_t *a)
{
	a[0] = tables_env(b->self)->io_ring;
	if (a[0] == 0 || fuzz_one_in(b->s, 4))
		a[0] = args_own_frame(b, EXO_PAGE_DATA, 0);
	else if (fuzz_one_in(b->s, 8))
		a[0] = 0;
}

/* What is not used, of one that was asked; or any frame or slot. */
static void revoke_take(struct body *b, uint64_t *a)
{
	a[1] = fuzz_below(b->s, 2);
	for (uint32_t i = 1; i < EXO_NCAP; i++)
		if (cap_of(b, i)->kind == EXO_CAP_ENV &&
		    tables_revoke(args_env(b, i))->ask[a[1]].by == b->s->self)
			a[0] = i;
	if (fuzz_one_in(b->s, 2))
		a[2] = EXO_TAKE_UNUSED;
}

/* A program, of those that are accepted one time in two. */
static void bpf_put(struct body *b, uint64_t *a)
{
	static const struct exo_bpf_insn programs[][2] = {
		{{BPF_ALU64 | BPF_MOV, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0}},
		{{BPF_ALU64 | BPF_MOV, 0, 0, 99}, {BPF_JMP | BPF_EXIT, 0, 0, 0}},
		{{BPF_LDX | BPF_MEM | BPF_B, 0x10, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0}},
		{{BPF_LDX | BPF_MEM | BPF_B, 0x10, -1, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0}},
	};

	if (!fuzz_one_in(b->s, 2))
		return;
	a[0] = (uint64_t)programs[fuzz_below(b->s, sizeof programs / sizeof programs[0])];
	a[1] = 2;
}

/* A ring of one frame. */
static void trace_start(struct body *b, uint64_t *a)
{
	a[0] = args_slot(b, EXO_CAP_TRACE);
	a[1] = args_own_frame(b, EXO_PAGE_TRACE, 0);
	a[2] = 1;
}

static void env_reap(struct body *b, uint64_t *a)
{
	a[0] = slot_in_state(b, EXO_ENV_ZOMBIE, 0);
}

static void extent_split(struct body *b, uint64_t *a)
{
	a[1] = cap_of(b, a[0])->start + 1;
}

static void extent_access(struct body *b, uint64_t *a)
{
	a[2] = fuzz_below(b->s, 4);
}

static void cap_derive(struct body *b, uint64_t *a)
{
	a[2] &= cap_of(b, a[0])->rights;
}

static void page_share(struct body *b, uint64_t *a)
{
	a[0] = args_own_frame(b, EXO_PAGE_DATA, 0);
	a[1] = 1;
	a[4] = EXO_RIGHT_READ | (a[4] & 7);
}

static void wait(struct body *b, uint64_t *a)
{
	deadline(b, &a[1], 1000000);
}

static void event_post(struct body *b, uint64_t *a)
{
	(void)b;
	a[1] &= EXO_EV_USER;
}

static void revoke_ask(struct body *b, uint64_t *a)
{
	a[1] = fuzz_below(b->s, 2);
	a[2] = fuzz_below(b->s, 3);
}

void helpful(struct body *b, uint32_t number, uint64_t *a)
{
	static void (*const helps[CALLS])(struct body * b, uint64_t * a) = {
		[N_env_set] = set,
		[N_env_start] = start,
		[N_env_reap] = env_reap,
		[N_quota_move] = quota,
		[N_page_free] = free_frame,
		[N_page_take] = take,
		[N_env_reclaim] = reclaim,
		[N_table_link] = link,
		[N_table_unlink] = unlink,
		[N_extent_take] = extent_take,
		[N_extent_split] = extent_split,
		[N_extent_access] = extent_access,
		[N_block_bind] = block_bind,
		[N_trace_start] = trace_start,
		[N_page_map] = map,
		[N_page_map_large] = map_large,
		[N_cap_derive] = cap_derive,
		[N_page_share] = page_share,
		[N_wait] = wait,
		[N_wait_until] = wait,
		[N_bpf_put] = bpf_put,
		[N_event_post] = event_post,
		[N_ipc_call] = ipc_call,
		[N_ipc_reply_wait] = ipc_reply_wait,
		[N_io_setup] = ring,
		[N_revoke_ask] = revoke_ask,
		[N_revoke_take] = revoke_take,
	};

	if (number < CALLS && helps[number])
		helps[number](b, a);
}
