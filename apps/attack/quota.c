/*
 * quota.c - more than was promised: moving quota that is not there, filling everything that can run
 * out.
 */
#include <libos/frames.h>
#include "attack.h"

enum { MOST_PAGES = 65536, FIRST_CAP = 16 };

static uint32_t taken[MOST_PAGES];

static void all_pages(void)
{
	uint32_t n = 0;
	int error = 0;

	while (n < MOST_PAGES && (error = frame_take(0, EXO_PAGE_DATA, &taken[n])) == 0)
		n++;
	score("taking every page", error != 0 && n > 0 && tables_info()->free_frames > 0);
	for (uint32_t i = 0; i < n; i++)
		error = frames_free(0, taken[i], 1);
	score("giving every page back", error == 0);
}

static void all_caps(void)
{
	struct exo_result r = {EXO_OK, 0};
	uint8_t mine[EXO_NCAP + 8] = {0};

	for (uint32_t d = FIRST_CAP; d < EXO_NCAP + 8; d++) {
		r = call_cap_derive(0, d, EXO_ENV_ALL, 0, 0);
		mine[d] = r.status == EXO_OK;
		if (r.status != EXO_OK && r.status != EXO_OCCUPIED) /* the libOS has some */
			break;
	}
	score("filling the capability table", r.status == EXO_RANGE || r.status == EXO_QUOTA);
	for (uint32_t i = FIRST_CAP; i < EXO_NCAP; i++)
		if (mine[i])
			(void)call_cap_drop(i);
}

static void all_slots(void)
{
	struct exo_result r = {EXO_OK, 0};
	uint8_t mine[EXO_NSLOT] = {0};
	uint32_t s;

	for (s = 0; s < EXO_NSLOT && r.status != EXO_QUOTA; s++)
		if (tables_slot(s)->owner == 0) {
			r = call_slot_take(0, s);
			mine[s] = r.status == EXO_OK;
		}
	score("taking every CPU slot", r.status == EXO_QUOTA);
	for (s = 0; s < EXO_NSLOT; s++)
		if (mine[s])
			(void)call_slot_free(s);
	refused("freeing another's CPU slot", call_slot_free(0));
	refused("freeing a CPU slot beyond the vector", call_slot_free(EXO_NSLOT));
}

/* Groups, until the quota ends it. */
static void all_groups(void)
{
	const uint32_t limit = tables_quota_limit(self_index())->n[EXO_QUOTA_GROUPS];
	uint32_t got = 0;

	for (uint64_t g = 1; g < EXO_NGROUP; g++)
		got += call_group_take(g, 0).status == EXO_OK;
	score("taking groups without end", got == limit);
	for (uint64_t g = 1; g < EXO_NGROUP; g++)
		(void)call_group_free(g);
}

/* Empty environments until the quota ends it; then all of them back. */
static void all_envs(void)
{
	uint32_t made[64], n = 0;
	struct exo_result r = {EXO_OK, 0};

	for (; n < 32; n++) {
		made[n] = find_free_env();
		r = call_env_create(made[n], FIRST_CAP + n);
		if (r.status != EXO_OK)
			break;
	}
	score("making environments without end", r.status != EXO_OK);
	for (uint32_t i = 0; i < n; i++) {
		(void)call_env_kill(FIRST_CAP + i, 0);
		(void)call_env_reap(FIRST_CAP + i);
	}
}

/* Limits are moved, never made: the sum over all environments stays, whoever gives how much. */
static uint64_t sum_of(uint64_t kind)
{
	uint64_t sum = 0;

	for (uint32_t e = 0; e < tables_info()->envs; e++)
		sum += tables_quota_limit(e)->n[kind];
	return sum;
}

static const uint64_t amounts[] = {
	1,	    1ull << 31, (1ull << 32) - 1, 1ull << 32, (1ull << 32) + 1, 1ull << 40,
	1ull << 63, ~0ull};

static void moves(void)
{
	const uint32_t e = find_free_env();

	if (call_env_create(e, CHILD_CAP).status != EXO_OK) {
		unprepared("somebody to give quota to");
		return;
	}
	for (uint64_t kind = 0; kind < EXO_NQUOTA + 2; kind++)
		for (uint32_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
			const uint64_t sum = kind < EXO_NQUOTA ? sum_of(kind) : 0;
			const struct exo_result r = call_quota_move(CHILD_CAP, kind, amounts[i]);

			if (i > 0)
				tally_refused(r);
			tally(kind >= EXO_NQUOTA || sum == sum_of(kind));
			tally_refused(call_quota_move(EXO_SELF.n, kind, amounts[i] | 1ull << 33));
		}
	sum_up("giving more than there is, of every kind");
	(void)call_env_kill(CHILD_CAP, 0);
	for (uint64_t kind = 0; kind < EXO_NQUOTA; kind++)
		tally(sum_of(kind) != 0);
	tally(call_env_reap(CHILD_CAP).status == EXO_OK);
	sum_up("it comes back with the child");
}

void attack_quota(void)
{
	uint64_t before[EXO_NQUOTA];

	for (uint64_t kind = 0; kind < EXO_NQUOTA; kind++)
		before[kind] = sum_of(kind);
	moves();
	all_pages();
	all_caps();
	all_slots();
	all_envs();
	all_groups();
	for (uint64_t kind = 0; kind < EXO_NQUOTA; kind++)
		tally(before[kind] == sum_of(kind));
	sum_up("every sum is as it was before");
}
