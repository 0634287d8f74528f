/*
 * child.c - building children, looking after them, and taking apart whatever they leave: their own
 * frames, slots and capabilities, children of theirs, extents.
 *
 * Owns the pages of struct shared.  A child is built by the libOS (libos/build.h); what is its own
 * is charged to it, so the driver's quotas after it are those before it.  Called by main.c.
 */
#include <errno.h>
#include <string.h>
#include <libos/bare.h>
#include <libos/frames.h>
#include <libos/start.h>
#include <libos/time.h>
#include "fuzz.h"

enum {
	PAGES = 64, /* of a child */
	RUN = 512,
	IMAGE_PAGES = 64,
	MS = 1000000,
	SPIN_TICKS = 6,	     /* slices without a call: it is caught in random code */
	SLEEP = 50 * MS,     /* without a call, asleep: for ever */
	PATIENCE = 700 * MS, /* without a call, ready to run */
};

static uint32_t self_index(void)
{
	return (uint32_t)(start_self() & 0xffff);
}

/* What the child is granted: what the driver has of it. */
static uint32_t fill_grants(struct build_grant *g, const struct kid *sibling, uint64_t seed)
{
	const volatile struct exo_caps *mine = tables_caps(self_index());
	uint32_t n = 0;

	if (extents_prey())
		g[n++] = (struct build_grant){LAYOUT_CAP_EXTENT, CHILD_CAP_EXTENT};
	if (mine->c[LAYOUT_CAP_SCREEN].kind == EXO_CAP_DEVICE)
		g[n++] = (struct build_grant){LAYOUT_CAP_SCREEN, CHILD_CAP_SCREEN};
	if (mine->c[LAYOUT_CAP_TRACE].kind == EXO_CAP_TRACE)
		g[n++] = (struct build_grant){LAYOUT_CAP_TRACE, CHILD_CAP_TRACE};
	if (seed % 4 == 0 && mine->c[KID_CAP_CONSOLE].kind == EXO_CAP_CONSOLE)
		g[n++] = (struct build_grant){KID_CAP_CONSOLE, CHILD_CAP_CONSOLE};
	if (sibling && sibling->build.eid && !build_ended(&sibling->build))
		g[n++] = (struct build_grant){sibling->build.cap, CHILD_CAP_SIBLING};
	return n;
}

/* The session that children may write to, read and revoke. */
static void see_to_console(void)
{
	if (call_console_write(KID_CAP_CONSOLE, CHILD_ARENA, 0).status == EXO_OK)
		return;
	(void)call_cap_drop(KID_CAP_CONSOLE);
	(void)call_console_session(KID_CAP_CONSOLE);
}

/* Some children may hold a whole run of 2 MiB, where the driver has so many. */
static uint32_t pages_for(uint64_t seed)
{
	const uint32_t left = tables_quota_limit(self_index())->n[EXO_QUOTA_PAGES] -
			      tables_quota_used(self_index())->n[EXO_QUOTA_PAGES];

	return PAGES + (seed % 8 == 0 && left > PAGES + RUN ? RUN : 0);
}

/* Groups that the driver can still give away. */
static uint32_t groups_left(void)
{
	return tables_quota_limit(self_index())->n[EXO_QUOTA_GROUPS] -
	       tables_quota_used(self_index())->n[EXO_QUOTA_GROUPS];
}

void kids_drop_grants(void)
{
	(void)call_cap_drop(KID_CAP_CONSOLE);
	(void)call_cap_drop(LAYOUT_CAP_EXTENT);
}

static int begin(struct kid *k, const struct kid *sibling)
{
	struct build_grant grants[5];
	struct build_spec spec = {
		.name = "fuzzed",
		.principal = tables_env(self_index())->principal,
		.quota = {[EXO_QUOTA_PAGES] = pages_for(k->seed),
			  [EXO_QUOTA_SLOTS] = 6,
			  [EXO_QUOTA_CAPS] = 40,
			  [EXO_QUOTA_ENVS] = 3,
			  [EXO_QUOTA_EXTENTS] = 2,
			  [EXO_QUOTA_IO] = 6,
			  [EXO_QUOTA_DISK] = 16,
			  [EXO_QUOTA_GROUPS] = groups_left() != 0},
		.slots = 3,
		.grants = grants,
	};

	see_to_console();
	spec.ngrants = fill_grants(grants, sibling, k->seed);
	return build_begin(&k->build, &spec);
}

/*
 * The driver's code and constants: a copy in frames of the driver, made once (its own may be shared
 * with others by who started it).
 */
static const uint8_t *image_copy(uint64_t va)
{
	static uint8_t *copy[IMAGE_PAGES];
	const uint64_t page = (va - start_args()->image) / VM_PAGE;

	if (page >= IMAGE_PAGES)
		return NULL;
	if (!copy[page]) {
		copy[page] = bare_pages(1);
		if (copy[page])
			memcpy(copy[page], (const void *)(uintptr_t)va, VM_PAGE);
	}
	return copy[page];
}

/* The child cannot write it, for it has no right to the frames. */
static int map_image(struct build *b)
{
	const uint64_t end = start_args()->image_end;
	int err = 0;

	for (uint64_t va = start_args()->image; va < end && !err; va += VM_PAGE) {
		unsigned perm = 0;
		const uint8_t *copy;
		uint32_t frame;

		if (!vm_frame(va, &perm) || (perm & VM_WRITE))
			continue;
		copy = image_copy(va);
		frame = copy ? vm_frame((uint64_t)(uintptr_t)copy, NULL) : 0;
		err = frame ? build_map_list(b, va, &frame, 1, perm, LAYOUT_CAP_SELF) : -ENOMEM;
	}
	return err;
}

static int map_memory(struct kid *k)
{
	const uint32_t frame = vm_frame((uint64_t)(uintptr_t)k->s, NULL);
	struct build *const b = &k->build;
	uint32_t run;
	int err;

	err = build_pages(b, CHILD_RING, 1, VM_READ | VM_WRITE, NULL);
	if (!err)
		err = build_pages(b, CHILD_CODE, 1, VM_READ | VM_EXEC, NULL);
	if (!err)
		err = build_pages(b, CHILD_ARENA, CHILD_ARENA_PAGES, VM_READ | VM_WRITE, NULL);
	if (!err)
		err = build_pages(b, CHILD_STACK - CHILD_STACK_PAGES * VM_PAGE, CHILD_STACK_PAGES,
				  VM_READ | VM_WRITE, NULL);
	if (!err)
		err = build_map_list(b, CHILD_SHARED, &frame, 1, VM_READ | VM_WRITE,
				     LAYOUT_CAP_SELF);
	if (!err && k->seed % 8 == 0)
		/* There may be none. */
		(void)frames_take_run(b->cap, EXO_PAGE_DATA, RUN, RUN, &run);
	return err;
}

static int set_up(const struct build *b, uint64_t seed)
{
	int err = call_result(
		call_env_set(b->cap, EXO_SET_UPCALL_ENTRY, (uint64_t)(uintptr_t)fuzz_upcall));

	if (!err)
		err = call_result(call_env_set(b->cap, EXO_SET_CALLS, 1));
	if (!err)
		err = call_result(call_env_set(b->cap, EXO_SET_SLICE_UPCALL, seed / 2 % 4));
	if (!err)
		err = call_result(call_env_set(b->cap, EXO_SET_EVENT_UPCALL,
					       seed % 3 ? 0 : EXO_EV_USER | EXO_EV_IO));
	return err;
}

/* One step of a good generator: neighbouring seeds shall not begin alike, and 0 is none. */
static uint64_t mixed(uint64_t seed)
{
	seed = (seed + 1) * 0x9e3779b97f4a7c15ull;
	seed ^= seed >> 29;
	return seed | 1;
}

void kid_introduce(const struct kid *k, const struct kid *to)
{
	if (!k->build.eid || !to->build.eid)
		return;
	for (uint32_t d = CHILD_CAP_SIBLING; d < LAYOUT_CAP_FREE; d++)
		if (call_cap_grant(k->build.cap, to->build.cap, d, EXO_RIGHTS_ALL).status == EXO_OK)
			return;
}

int kid_start(struct kid *k, const struct kid *sibling, uint64_t seed, uint64_t budget)
{
	int err;

	if (!k->s)
		k->s = bare_pages(1);
	if (!k->s)
		return -ENOMEM;
	memset(k->s, 0, VM_PAGE);
	args_kinds(k->s);
	k->seed = seed;
	err = begin(k, sibling);
	if (err) {
		k->build.eid = 0;
		return err;
	}
	k->s->random = mixed(seed);
	k->s->budget = budget;
	k->s->self = k->build.eid;
	k->s->careless = seed % 4 == 1;
	k->calls = k->ticks = k->wedged = 0;
	k->when = time_now();
	err = map_image(&k->build);
	if (!err)
		err = map_memory(k);
	if (!err)
		err = set_up(&k->build, seed);
	if (!err)
		err = build_start(&k->build, (uint64_t)(uintptr_t)fuzz_entry, CHILD_STACK, 0);
	if (err) {
		build_abort(&k->build);
		k->build.eid = 0;
	}
	return err;
}

/* ---- looking after ------------------------------------------------------------------------ */

/* A child that has given away all its slots gets one, or it would not run beside busy others. */
static void see_to_slot(const struct build *b, const volatile struct exo_env *e)
{
	uint32_t s = (uint32_t)(b->eid * 61 % EXO_NSLOT);

	if (e->slots[0] | e->slots[1] | e->slots[2] | e->slots[3])
		return;
	for (uint32_t i = 0; i < EXO_NSLOT && tables_slot(s)->owner != 0; i++)
		s = (s + 1) % EXO_NSLOT;
	if (call_slot_take(b->cap, s).status == EXO_QUOTA)
		(void)call_quota_move(b->cap, EXO_QUOTA_SLOTS, 1);
}

static void notice_progress(struct kid *k, const volatile struct exo_env *e)
{
	const uint64_t now = time_now();
	const uint64_t most = e->state == EXO_ENV_RUNNABLE ? PATIENCE : SLEEP;

	if (k->calls != k->s->calls) {
		k->calls = k->s->calls;
		k->ticks = e->used_ticks;
		k->when = now;
	}
	see_to_slot(&k->build, e);
	if (e->used_ticks - k->ticks < SPIN_TICKS && now - k->when < most)
		return;
	k->wedged = 1;
	(void)build_kill(&k->build, 0);
}

/* A child may revoke all capabilities to itself, or to its sibling: the creator opens it again. */
static void renew(const struct build *b, const volatile struct exo_env *e)
{
	const volatile struct exo_cap *c = &tables_caps(self_index())->c[b->cap];

	if (e->gen != (uint32_t)(b->eid >> 16) || c->gen == e->cap_gen)
		return;
	(void)call_cap_drop(b->cap);
	(void)call_env_open(b->eid, b->cap);
}

int kid_look(struct kid *k, uint32_t *death)
{
	const volatile struct exo_env *e = tables_env((uint32_t)(k->build.eid & 0xffff));
	struct build_end end = {0};
	int err;

	renew(&k->build, e);
	if (e->gen != (uint32_t)(k->build.eid >> 16)) { /* its sibling has reaped it */
		(void)call_cap_drop(k->build.cap);
		*death = DEATH_REAPED;
		k->build.eid = 0;
		return 1;
	}
	if (!build_ended(&k->build)) {
		notice_progress(k, e);
		return 0;
	}
	err = build_reap(&k->build, &end);
	if (err)
		return 0;
	*death = k->wedged ? DEATH_WEDGED : end.end;
	k->build.eid = 0;
	return 1;
}

/* ---- what they leave ----------------------------------------------------------------------- */

static int is_kid(const struct kid *kids, uint32_t count, uint64_t eid)
{
	for (uint32_t i = 0; i < count; i++)
		if (kids[i].build.eid == eid)
			return 1;
	return 0;
}

/* 1 when nothing is left of it. */
static int end_orphan(uint64_t eid)
{
	const int cap = build_free_cap();
	struct build b = {.eid = eid, .cap = (uint32_t)cap};
	struct build_end end;
	int err;

	if (cap < 0 || call_env_open(eid, (uint64_t)cap).status != EXO_OK)
		return 0;
	(void)build_kill(&b, 0);
	err = build_reap(&b, &end);
	if (err)
		(void)call_cap_drop((uint64_t)cap);
	return err == 0;
}

uint32_t kids_orphans(const struct kid *kids, uint32_t count)
{
	const uint32_t envs = tables_info()->envs;
	uint32_t left = 0;

	for (uint32_t i = 1; i < envs; i++) {
		const volatile struct exo_env *e = tables_env(i);
		const uint64_t eid = (uint64_t)e->gen << 16 | i;

		if (e->state != EXO_ENV_FREE && e->parent == start_self() &&
		    !is_kid(kids, count, eid))
			left += !end_orphan(eid);
	}
	return left;
}
