/*
 * form.c - owns nothing: brings a state into its form.
 *
 * First what cannot matter goes (plain):
 *   - counts that nothing is decided by: ticks, slices used, faults, the log of what was taken;
 *   - registers of sleepers, and messages that nobody will be given: the kernel reads neither
 *     before it has written them;
 *   - generations: they are only compared for being equal, and what is stale stays so (they only
 *     grow), so each becomes 1 where it is the object's and 0 where it is not, and the object's 1;
 *   - stamps of frames: born <= gen is all that is asked, and a new stamp is above all others, so
 *     stamps are numbered anew in their order, stamps with none of the other kind between them
 *     alike.  The stamp of a frame that nobody owns is written before it is read, and that of a run
 *     is only read when it is mapped whole: then it is the greatest of its frames;
 *   - times: only distances from now count, and a time that has passed is as good as now.
 * Then names that mean nothing are exchanged in every way, capabilities sorted, and the least hash
 * is the form.  What is not named here is in the form as it is: it can cost states, not truth.
 */
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/env.h"
#include "../../kern/extent.h"
#include "../../kern/info.h"
#include "../../kern/ipc.h"
#include "../../kern/machine.h"
#include "../../kern/page.h"
#include "../../kern/registry.h"
#include "../../kern/revoke.h"
#include "../../kern/slot.h"
#include "../../kern/table.h"
#include "../../kern/timer.h"
#include "form.h"
#include "snapshot.h"

enum { FRAMES_MAX = 5, STAMPS = 256 };

static const uint64_t NOW = 1000000000000;

static struct image plain;

void form_begin(void)
{
	plain = snap_image();
}

/* ---- what cannot matter ------------------------------------------------------------------ */

static void plain_counts(void)
{
	info.ticks = info.idle_ticks = 0;
	for (uint32_t e = 1; e < info.envs; e++) {
		envs[e].used_ticks = envs[e].given_ticks = envs[e].faults = envs[e].disk_time = 0;
		envs[e].overruns = 0;
		revokes[e].taken = 0;
		memset(revokes[e].log, 0, sizeof revokes[e].log);
		if (envs[e].save != 0)
			memset(machine_save((struct pfn){envs[e].save}), 0,
			       sizeof(struct exo_regs));
		if (envs[e].state != EXO_ENV_CALLING && !envs[e].accepting)
			messages[e] = (struct message){0};
	}
	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (slots[s].used != 0 || slots[s].missed != 0 || slots[s].given != 0)
			slots[s].used = slots[s].missed = slots[s].given = 0;
	for (uint32_t i = timer_count; i < info.envs; i++)
		timer_heap[i] = 0;
}

static uint64_t plain_eid(uint64_t eid)
{
	const uint64_t e = eid % 65536;

	return e == 0 ? 0 : e + 65536 * (envs[e].gen == eid / 65536);
}

static void plain_cap(struct exo_cap *c)
{
	if (c->kind == EXO_CAP_ENV)
		c->gen = c->gen == envs[c->object].cap_gen;
	else if (c->kind == EXO_CAP_EXTENT)
		c->gen = c->gen == extent_gen(c->object);
}

static void plain_generations(void)
{
	for (uint32_t e = 1; e < info.envs; e++) {
		for (uint32_t s = 0; s < EXO_NCAP; s++)
			plain_cap(&caps[e].c[s]);
		envs[e].parent = plain_eid(envs[e].parent);
		messages[e].from = plain_eid(messages[e].from);
		for (uint32_t k = 0; k < EXO_NASK; k++)
			revokes[e].ask[k].by = plain_eid(revokes[e].ask[k].by);
	}
	for (uint32_t i = 0; i < registry_count; i++)
		if (registry[i].state == EXO_BIND_USED)
			registry[i].gen = registry_live(i);
	machine_plain();
	for (uint32_t e = 1; e < info.envs; e++)
		envs[e].gen = envs[e].cap_gen = 1;
}

/* A stamp of the state: of a frame, or that a capability is dated with. */
struct stamp {
	uint64_t *at;
	uint64_t order; /* stamp, then frames before capabilities */
};

/* Sorts in place; there are few. */
static void sort_stamps(struct stamp *stamps, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		const struct stamp s = stamps[i];
		uint32_t k = i;

		for (; k > 0 && stamps[k - 1].order > s.order; k--)
			stamps[k] = stamps[k - 1];
		stamps[k] = s;
	}
}

static uint32_t find_stamps(struct stamp *stamps)
{
	uint32_t n = 0;

	for (uint32_t f = 0; f < info.frames; f++) {
		if (pages[f].owner == 0 && pages[f].born != 0)
			pages[f].born = 0;
		if (pages[f].born != 0 && n < STAMPS)
			stamps[n++] = (struct stamp){&pages[f].born, pages[f].born * 2};
	}
	for (uint32_t e = 1; e < info.envs; e++) {
		for (uint32_t s = 1; s < EXO_NCAP; s++) {
			struct exo_cap *const c = &caps[e].c[s];

			if (c->kind == EXO_CAP_PAGES && n < STAMPS)
				stamps[n++] = (struct stamp){&c->gen, c->gen * 2 + 1};
		}
	}
	return n;
}

static void plain_stamps(void)
{
	static struct stamp stamps[STAMPS];
	const uint32_t n = find_stamps(stamps);
	uint64_t number = 1;

	sort_stamps(stamps, n);
	for (uint32_t i = 0; i < n; i++) {
		number += i != 0 && stamps[i].order % 2 == 0 && stamps[i - 1].order % 2 == 1;
		*stamps[i].at = number;
	}
	page_stamp = 0;
	memset(run_born, 0, sizeof run_born);
}

static void plain_times(void)
{
	const uint64_t now = *machine_clock();

	for (uint32_t e = 1; e < info.envs; e++) {
		if (envs[e].deadline != 0)
			envs[e].deadline += NOW - now;
		for (uint32_t k = 0; k < EXO_NASK; k++) {
			struct exo_ask *const a = &revokes[e].ask[k];

			if (a->n == 0)
				*a = (struct exo_ask){0};
			else
				a->deadline = NOW + (a->deadline > now ? a->deadline - now : 0);
		}
	}
	*machine_clock() = NOW;
}

/* ---- names that mean nothing ------------------------------------------------------------- */

static uint32_t renamed(const struct world *w, const uint32_t *to, uint32_t f)
{
	return f >= w->frames && f - w->frames < w->frame_count ? to[f - w->frames] : f;
}

static void rename_entries(const struct world *w, const uint32_t *to, uint32_t t)
{
	struct table *const table = machine_table((struct pfn){t});
	uint32_t left = pages[t].present;

	for (uint32_t i = 0; i < NENTRY && left != 0; i++) {
		const uint64_t entry = table->e[i];
		const uint32_t f = entry_frame(entry);

		if (entry == 0)
			continue;
		left--;
		table->e[i] = entry - f * 4096ull + renamed(w, to, f) * 4096ull;
	}
}

/* Everything that is kept by a frame's number moves. */
static void move_frames(const struct world *w, const uint32_t *to)
{
	static uint8_t bytes[FRAMES_MAX][EXO_PAGE_SIZE];
	struct exo_page page[FRAMES_MAX];
	uint32_t maps[FRAMES_MAX], pins[FRAMES_MAX];

	for (uint32_t i = 0; i < w->frame_count; i++) {
		const uint32_t f = w->frames + i;

		page[i] = pages[f];
		maps[i] = page_maps[f];
		pins[i] = page_pins[f];
		memcpy(bytes[i], machine_bytes((struct pfn){f}), EXO_PAGE_SIZE);
		page_free_map[f / 64] &= ~(1ull << f % 64);
	}
	for (uint32_t i = 0; i < w->frame_count; i++) {
		const uint32_t f = to[i];

		pages[f] = page[i];
		page_maps[f] = maps[i];
		page_pins[f] = pins[i];
		memcpy(machine_bytes((struct pfn){f}), bytes[i], EXO_PAGE_SIZE);
		if (page[i].state == EXO_PAGE_FREE)
			page_free_map[f / 64] |= 1ull << f % 64;
	}
}

static void rename_frames(const struct world *w, const uint32_t *to)
{
	for (uint32_t f = 0; f < info.frames; f++) {
		if (pages[f].state == EXO_PAGE_TABLE)
			rename_entries(w, to, f);
		if (pages[f].parent != 0)
			pages[f].parent = renamed(w, to, pages[f].parent);
	}
	move_frames(w, to);
	for (uint32_t e = 1; e < info.envs; e++) {
		envs[e].root = renamed(w, to, envs[e].root);
		envs[e].save = renamed(w, to, envs[e].save);
		envs[e].upcall_page = renamed(w, to, envs[e].upcall_page);
		envs[e].io_ring = renamed(w, to, envs[e].io_ring);
		for (uint32_t s = 1; s < EXO_NCAP; s++) {
			struct exo_cap *const c = &caps[e].c[s];

			if (c->kind == EXO_CAP_PAGES && c->len == 1)
				c->start = renamed(w, to, (uint32_t)c->start);
		}
	}
	for (uint32_t i = 0; i < registry_count; i++)
		if (registry[i].state == EXO_BIND_USED)
			registry[i].frame = renamed(w, to, registry[i].frame);
}

static void sort_caps(const struct world *w)
{
	for (uint32_t e = 1; e < info.envs; e++) {
		struct exo_cap *const c = &caps[e].c[w->slots];

		for (uint32_t i = 1; i < w->slot_count; i++) {
			const struct exo_cap moved = c[i];
			uint32_t k = i;

			for (; k > 0 && memcmp(&c[k - 1], &moved, sizeof moved) > 0; k--)
				c[k] = c[k - 1];
			c[k] = moved;
		}
	}
}

static void swap(uint32_t *a, uint32_t *b)
{
	const uint32_t kept = *a;

	*a = *b;
	*b = kept;
}

/* The next order of to[0..n), as words in a dictionary; 0 after the last. */
static int next_order(uint32_t *to, uint32_t n)
{
	uint32_t i = n, k = n;

	while (i > 1 && to[i - 2] >= to[i - 1])
		i--;
	if (i < 2)
		return 0;
	while (to[k - 1] <= to[i - 2])
		k--;
	swap(&to[i - 2], &to[k - 1]);
	for (uint32_t a = i - 1, b = n - 1; a < b; a++, b--)
		swap(&to[a], &to[b]);
	return 1;
}

uint64_t form_of(const struct world *w)
{
	uint32_t to[FRAMES_MAX];
	uint64_t least;

	plain_counts();
	plain_generations();
	plain_stamps();
	plain_times();
	if (w->plain)
		w->plain();
	for (uint32_t i = 0; i < w->frame_count; i++)
		to[i] = w->frames + i;
	if (w->frame_count > 1)
		snap_take(plain);
	sort_caps(w);
	least = snap_hash();
	while (next_order(to, w->frame_count)) {
		uint64_t h;

		snap_put(plain);
		rename_frames(w, to);
		sort_caps(w);
		h = snap_hash();
		least = h < least ? h : least;
	}
	return least;
}
