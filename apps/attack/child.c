/*
 * child.c - builds environments by hand, without a libOS: children that run a routine of child.S,
 * and threads that run this program's own functions.
 *
 * Frames are the child's own from the start (taken through its capability), so ending it gives back
 * everything by env_reclaim.  A thread's data are this program's frames, mapped by its right to
 * them.
 */
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/start.h>
#include <libos/time.h>
#include <libos/vm.h>
#include <string.h>
#include "attack.h"

enum { PAGES = 40, CAPS = 6, IO = 4, END_MS = 5000 };

extern const uint8_t child_page[], child_handler[], child_page_end[];

uint32_t child_take(const struct child *c, uint64_t type)
{
	uint32_t f = 0;

	return frame_take(c->cap, type, &f) == 0 ? f : 0;
}

static int set(const struct child *c, enum exo_env_what what, uint64_t value)
{
	return call_env_set(c->cap, what, value).status == EXO_OK;
}

static int give(const struct child *c, enum exo_quota_kind kind, uint64_t n)
{
	return call_quota_move(c->cap, kind, n).status == EXO_OK;
}

/* Quotas and one CPU slot, out of this program's own. */
static int provide(const struct child *c)
{
	uint32_t s = 0;

	while (s < EXO_NSLOT && tables_slot(s)->owner != 0)
		s++;
	return give(c, EXO_QUOTA_PAGES, PAGES) && give(c, EXO_QUOTA_SLOTS, 1) &&
	       give(c, EXO_QUOTA_CAPS, CAPS) && give(c, EXO_QUOTA_IO, IO) &&
	       call_slot_take(c->cap, s).status == EXO_OK;
}

/* Tables for the region of CHILD_CODE: 1, with the level-1 table, or 0. */
static int make_tables(struct child *c)
{
	uint32_t t[5] = {0};

	for (uint32_t level = 4; level >= 1; level--) {
		t[level] = child_take(c, EXO_PAGE_TABLE | level << 8);
		if (t[level] == 0)
			return 0;
		if (level == 4 && !set(c, EXO_SET_ROOT, t[4]))
			return 0;
		if (level < 4 &&
		    call_table_link(c->cap, t[level + 1],
				    (uint64_t)CHILD_CODE >> (12 + 9 * level) & 511, t[level])
				    .status != EXO_OK)
			return 0;
	}
	c->leaf = t[1];
	return 1;
}

static int map(const struct child *c, uint64_t va, uint32_t frame, uint64_t perm, uint32_t right)
{
	return call_page_map(c->cap, c->leaf, va / VM_PAGE % 512, frame, 1, perm | right << 8)
		       .status == EXO_OK;
}

/* A new data page of the child's. */
static uint32_t put_page(const struct child *c, uint64_t va)
{
	const uint32_t f = child_take(c, EXO_PAGE_DATA);

	return f != 0 && map(c, va, f, RW, c->cap) ? f : 0;
}

static int put_upcall(const struct child *c, uint64_t va, int mapped)
{
	const uint32_t f = child_take(c, EXO_PAGE_UPCALL);

	if (mapped && !map(c, va, f, RW, c->cap))
		return 0;
	return set(c, EXO_SET_UPCALL_PAGE, f) && set(c, EXO_SET_UPCALL_VA, va);
}

/* Everything that every child has; 0 when something is not to be had, and then nothing is left. */
static int make(struct child *c, uint32_t cap)
{
	*c = (struct child){.index = find_free_env(), .cap = cap};

	const struct exo_result r = call_env_create(c->index, cap);

	if (c->index == 0 || r.status != EXO_OK)
		return 0;
	c->eid = r.value;
	if (provide(c) && make_tables(c) && set(c, EXO_SET_SAVE, child_take(c, EXO_PAGE_SAVE)))
		return 1;
	(void)child_end(c);
	return 0;
}

/* ---- children ---------------------------------------------------------------------------- */

static int put_code(const struct child *c)
{
	uint32_t f = child_take(c, EXO_PAGE_DATA);
	void *at = vm_window(&f, 1, VM_READ | VM_WRITE, c->cap, NULL);

	if (f == 0 || at == NULL)
		return 0;
	memcpy(at, child_page, (size_t)(child_page_end - child_page));
	vm_window_end();
	return map(c, CHILD_CODE, f, RX, c->cap);
}

static int put_memory(const struct child *c, enum child_task task)
{
	if (!put_page(c, CHILD_DATA) || !put_upcall(c, CHILD_UPCALL, task != CHILD_LOST_STACK))
		return 0;
	if (task != CHILD_FAULT_IN_UPCALL && task != CHILD_LOST_STACK)
		return 1;
	return set(c, EXO_SET_UPCALL_ENTRY, CHILD_CODE + (uint64_t)(child_handler - child_page));
}

int child_start(struct child *c, enum child_task task)
{
	if (!make(c, CHILD_CAP))
		return 0;
	if (put_code(c) && put_memory(c, task) &&
	    call_env_start(c->cap, CHILD_CODE, CHILD_UPCALL, task).status == EXO_OK)
		return 1;
	(void)child_end(c);
	return 0;
}

/* ---- threads ----------------------------------------------------------------------------- */

/* A page with the same contents: text and constants may be frames of whoever started this program.
 */
static uint32_t copy_of(const struct child *c, uint64_t va)
{
	uint32_t f = child_take(c, EXO_PAGE_DATA);
	void *const at = f != 0 ? vm_window(&f, 1, VM_READ | VM_WRITE, c->cap, NULL) : NULL;

	if (at == NULL)
		return 0;
	memcpy(at, (const void *)(uintptr_t)va, VM_PAGE);
	vm_window_end();
	return f;
}

static int put_image_page(const struct child *c, uint64_t va)
{
	unsigned perm = VM_READ;
	uint32_t f = vm_frame(va, &perm);

	if (f == 0 && vm_populate(va, VM_PAGE, VM_READ | VM_WRITE) == 0)
		f = vm_frame(va, &perm);
	if (f == 0 || va >= THREAD_STACK)
		return 0;
	if (tables_page(f)->owner == self_index())
		return map(c, va, f, perm, 0);
	f = (perm & VM_WRITE) == 0 ? copy_of(c, va) : 0;
	return f != 0 && map(c, va, f, perm, c->cap);
}

static int put_image(const struct child *c)
{
	const struct start_args *a = start_args();

	for (uint64_t va = a->image; va < a->bss_end; va += VM_PAGE)
		if (!put_image_page(c, va))
			return 0;
	return 1;
}

static _Noreturn void thread_main(struct thread *t)
{
	t->run(t);
	for (;;)
		(void)call_env_kill(EXO_SELF.n, 0);
}

int thread_make(struct thread *t, uint32_t cap, void (*run)(struct thread *))
{
	*t = (struct thread){.run = run};
	if (!make(&t->c, cap))
		return 0;
	t->frames[0] = put_page(&t->c, THREAD_RING);
	if (t->frames[0] != 0 && put_image(&t->c) && put_page(&t->c, THREAD_STACK) &&
	    put_page(&t->c, THREAD_STACK + VM_PAGE) && put_upcall(&t->c, THREAD_UPCALL, 1))
		return 1;
	(void)child_end(&t->c);
	return 0;
}

int thread_go(struct thread *t)
{
	return call_env_start(t->c.cap, (uint64_t)(uintptr_t)thread_main,
			      THREAD_STACK + 2 * VM_PAGE - 8, (uint64_t)(uintptr_t)t)
		       .status == EXO_OK;
}

int thread_run(struct thread *t, uint32_t cap, void (*run)(struct thread *))
{
	return thread_make(t, cap, run) && thread_go(t) && child_wait(&t->c, END_MS);
}

int thread_wait(const struct thread *t, uint64_t rounds, uint64_t ms)
{
	const uint64_t until = time_now() + ms * MS;

	while (t->rounds < rounds && time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_CHILD);
	return t->rounds >= rounds;
}

/* ---- ending ------------------------------------------------------------------------------ */

int child_wait(const struct child *c, uint64_t ms)
{
	const uint64_t until = time_now() + ms * MS;

	while (tables_env(c->index)->state != EXO_ENV_ZOMBIE && time_now() < until)
		(void)time_sleep_until(time_now() + MS, EXO_EV_CHILD);
	return tables_env(c->index)->state == EXO_ENV_ZOMBIE;
}

/* Its ring and requests; a request on the drive is waited for. */
static void reclaim_io(const struct child *c)
{
	const uint64_t until = time_now() + (uint64_t)END_MS * MS;
	struct exo_result r;

	do {
		r = call_env_reclaim(c->eid, EXO_QUOTA_IO, 0);
		if (r.status == EXO_BUSY)
			(void)time_sleep_until(time_now() + MS, 0);
	} while (r.status != EXO_STATE && time_now() < until);
}

/* Tables go before what they map, the highest first. */
static void reclaim_pages(const struct child *c)
{
	for (uint32_t pass = 0; pass < 6; pass++)
		for (uint32_t f = 1; f < tables_info()->frames; f++)
			if (tables_page(f)->owner == c->index)
				(void)call_env_reclaim(c->eid, EXO_QUOTA_PAGES, f);
}

int child_end(const struct child *c)
{
	if (tables_env(c->index)->state != EXO_ENV_ZOMBIE)
		(void)call_env_kill(c->cap, 0);
	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (tables_slot(s)->owner == c->index)
			(void)call_env_reclaim(c->eid, EXO_QUOTA_SLOTS, s);
	for (uint32_t s = 1; s < EXO_NCAP; s++)
		if (tables_caps(c->index)->c[s].kind != EXO_CAP_NONE)
			(void)call_env_reclaim(c->eid, EXO_QUOTA_CAPS, s);
	reclaim_io(c);
	reclaim_pages(c);
	return call_env_reap(c->cap).status == EXO_OK;
}
