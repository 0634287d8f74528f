/*
 * build.c - the steps of making an environment: record, tables, pages, rights, slots.
 *
 * Owns the page tables of the one child under construction (struct build points to them), the lock
 * that keeps it the only one among threads, and a cursor over environment indices.  Whatever is
 * taken is the child's from the first moment, so ending the child is all that is needed to give it
 * back.  Called by core/program.c, by fork and by vm/copy.c.
 */
#include <errno.h>
#include <string.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/lock.h>
#include <libos/tables.h>
#include <libos/vm.h>
#include "../vm/ptab.h"

static struct ptab child_tables;
static struct lock building; /* from build_begin() to build_start() or build_abort() */
static uint32_t next_index = 1;

int build_free_cap(void)
{
	const volatile struct exo_caps *mine = tables_caps(start_self() & 0xffff);

	for (int i = LAYOUT_CAP_FREE; i < EXO_NCAP; i++)
		if (mine->c[i].kind == EXO_CAP_NONE)
			return i;
	return -EMFILE;
}

/* Creates an environment at a free index. */
static int create(struct build *b)
{
	const uint32_t envs = tables_info()->envs;
	const int cap = build_free_cap();

	if (cap < 0)
		return cap;
	for (uint32_t tries = 0; tries < envs; tries++) {
		struct exo_result r;

		next_index = next_index + 1 < envs ? next_index + 1 : 1;
		if (tables_env(next_index)->state != EXO_ENV_FREE)
			continue;
		r = call_env_create(next_index, (uint64_t)cap);
		if (r.status == EXO_OCCUPIED)
			continue;
		if (r.status != EXO_OK)
			return r.status == EXO_QUOTA ? -EAGAIN : call_errno(r.status);
		b->eid = r.value;
		b->cap = (uint32_t)cap;
		return 0;
	}
	return -EAGAIN;
}

static int move_quotas(const struct build *b, const struct build_spec *spec)
{
	for (uint64_t kind = 0; kind < EXO_NQUOTA; kind++) {
		struct exo_result r;

		if (!spec->quota[kind])
			continue;
		r = call_quota_move(b->cap, kind, spec->quota[kind]);
		if (r.status != EXO_OK)
			return r.status == EXO_QUOTA ? -EDQUOT : call_errno(r.status);
	}
	return 0;
}

static int set(const struct build *b, enum exo_env_what what, uint64_t value)
{
	return call_result(call_env_set(b->cap, what, value));
}

static int set_names(const struct build *b, const struct build_spec *spec)
{
	uint64_t half[2];
	int err;

	memcpy(half, spec->name, sizeof(half));
	err = set(b, EXO_SET_PRINCIPAL, spec->principal);
	if (!err)
		err = set(b, EXO_SET_NAME_LO, half[0]);
	if (!err && half[1])
		err = set(b, EXO_SET_NAME_HI, half[1]);
	return err;
}

/* Root table, save area, upcall page. */
static int take_frames(struct build *b)
{
	struct ptab *t = b->tables;
	int err = frame_take(b->cap, EXO_PAGE_TABLE | 4 << 8, &t->root);

	if (!err)
		err = set(b, EXO_SET_ROOT, t->root);
	if (!err)
		err = frame_take(b->cap, EXO_PAGE_SAVE, &b->save);
	if (!err)
		err = set(b, EXO_SET_SAVE, b->save);
	if (!err)
		err = frame_take(b->cap, EXO_PAGE_UPCALL, &b->upcall);
	if (!err)
		err = set(b, EXO_SET_UPCALL_PAGE, b->upcall);
	if (!err)
		err = set(b, EXO_SET_UPCALL_VA, LAYOUT_UPCALL);
	if (!err)
		err = ptab_map(t, LAYOUT_UPCALL, b->upcall, 1, VM_READ | VM_WRITE, b->cap);
	return err;
}

static int take_slot(const struct build *b, uint32_t slot)
{
	if (tables_slot(slot)->owner)
		return -EEXIST;
	return call_result(call_slot_take(b->cap, slot));
}

/* The first from `from` on, around the vector, that is nobody's. */
static int take_slot_near(const struct build *b, uint32_t from)
{
	int err = -EAGAIN;

	for (uint32_t i = 0; i < EXO_NSLOT && err; i++)
		err = take_slot(b, (from + i) % EXO_NSLOT);
	return err;
}

/* A slot of the caller's own passes to the child when nobody's are left. */
static int give_slot(const struct build *b)
{
	const uint32_t self = start_self() & 0xffff;
	uint32_t owned = 0;

	for (uint32_t s = EXO_NSLOT; s-- > 0;)
		if (tables_slot(s)->owner == self && owned++)
			return call_result(call_slot_give(s, b->cap));
	return -EAGAIN;
}

static int take_slots(const struct build *b, const struct build_spec *spec)
{
	uint32_t want = spec->slots;
	int err = 0;

	if (spec->slot_every) {
		for (uint32_t s = spec->slot_first; s < EXO_NSLOT && !err; s += spec->slot_every)
			err = take_slot(b, s);
		return err;
	}
	for (uint32_t i = 0; i < spec->slots; i++)
		want -= !take_slot_near(b, (uint32_t)b->eid * 97 + i * EXO_NSLOT / spec->slots);
	for (; want && !err; want--)
		err = give_slot(b);
	return err;
}

/* Another thread that builds is let finish.  In a copy of a program, its lock is nobody's. */
static void begin_alone(void)
{
	if (building.owner != owner_self())
		lock_init(&building);
	while (lock_acquire(&building) != LOCK_OK)
		; /* not stolen: no other process has this lock */
}

int build_begin(struct build *b, const struct build_spec *spec)
{
	int err;

	begin_alone();
	memset(b, 0, sizeof(*b));
	memset(&child_tables, 0, sizeof(child_tables));
	err = create(b);
	if (err) {
		lock_release(&building);
		return err;
	}
	b->tables = &child_tables;
	child_tables.ce = b->cap;
	err = move_quotas(b, spec);
	if (!err)
		err = set_names(b, spec);
	if (!err)
		err = take_frames(b);
	if (!err)
		err = take_slots(b, spec);
	for (uint32_t i = 0; i < spec->ngrants && !err; i++)
		err = build_grant(b, spec->grants[i].from, spec->grants[i].to);
	for (uint32_t i = 0; i < spec->nmaps && !err; i++)
		err = build_map(b, &spec->maps[i]);
	if (!err && spec->segment_pages)
		err = ptab_map_segment(b->tables, spec->segment_frame, spec->segment_pages, 0);
	if (err)
		build_abort(b);
	return err;
}

int build_map_list(struct build *b, uint64_t va, const uint32_t *frames, uint32_t count,
		   unsigned perm, uint32_t cap)
{
	int err = 0;

	for (uint32_t done = 0, n; done < count && !err; done += n) {
		n = ptab_run(frames + done, count - done);
		err = ptab_map(b->tables, va + done * VM_PAGE, frames[done], n, perm, cap);
	}
	return err;
}

/* Takes and maps one batch, no more than the list has room for. */
static int batch(struct build *b, uint64_t va, uint32_t count, unsigned perm, uint32_t *frames)
{
	uint32_t own[VM_WINDOW];
	uint32_t *list = frames ? frames : own;

	for (uint32_t i = 0; i < count; i++) {
		const int err = frame_take(b->cap, EXO_PAGE_DATA, &list[i]);

		if (err)
			return err;
	}
	return build_map_list(b, va, list, count, perm, b->cap);
}

int build_pages(struct build *b, uint64_t va, uint32_t count, unsigned perm, uint32_t *frames)
{
	for (uint32_t done = 0, n; done < count; done += n) {
		int err;

		n = count - done < VM_WINDOW ? count - done : VM_WINDOW;
		err = batch(b, va + done * VM_PAGE, n, perm, frames ? frames + done : 0);
		if (err)
			return err;
	}
	return 0;
}

int build_map(struct build *b, const struct build_map *m)
{
	return ptab_map(b->tables, m->va, m->frame, m->count, m->perm, m->cap);
}

int build_grant(struct build *b, uint32_t from, uint32_t to)
{
	return call_result(call_cap_grant(from, b->cap, to, EXO_RIGHTS_ALL));
}

int build_start(struct build *b, uint64_t rip, uint64_t rsp, uint64_t arg)
{
	const int err = call_result(call_env_start(b->cap, rip, rsp, arg));

	if (!err) {
		b->tables = 0;
		lock_release(&building);
	}
	return err;
}

void build_abort(struct build *b)
{
	struct build_end end;

	b->tables = 0;
	(void)build_kill(b, 0);
	(void)build_reap(b, &end);
	lock_release(&building);
}
