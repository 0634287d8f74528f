/*
 * starve.c - keeping others from the CPU, the drive and the console by asking for more than all.
 *
 * That a neighbour goes on is seen in the kernel's tables; the bystander checks its own gaps too.
 */
#include <libos/time.h>
#include "attack.h"

enum { CAP = 47, WAKES = 20, PATIENCE_MS = 5000 };

/* A program that never yields costs others no more than its share. */
static void greed(void)
{
	const volatile struct exo_env *env;
	const uint64_t until = time_now() + PATIENCE_MS * (uint64_t)MS;
	uint32_t wakes = 0;
	struct child c;

	if (!child_start(&c, CHILD_SPIN)) {
		unprepared("running without yielding");
		return;
	}
	env = tables_env(c.index);
	for (; (wakes < WAKES || env->used_ticks == 0) && time_now() < until; wakes++)
		(void)time_sleep_until(time_now() + 2 * MS, 0);
	score("running without yielding",
	      wakes >= WAKES && env->used_ticks > 0 && env->state == EXO_ENV_RUNNABLE);
	score("killing what never yields", child_end(&c));
}

/* The neighbour that uses the drive; 0: there is none. */
static uint32_t neighbour(void)
{
	for (uint32_t e = 2; e < tables_info()->envs; e++)
		if (e != self_index() && tables_env(e)->state != EXO_ENV_FREE &&
		    tables_env(e)->name[0] == 'b' && tables_env(e)->name[1] == 'y')
			return e;
	return 0;
}

/*
 * As many requests as are taken, all the time, until the quota is used up and the neighbour has had
 * the drive again.
 */
static void flood(void)
{
	const uint32_t x = ring_open() ? prey_open(CAP) : 0, other = neighbour();
	const uint64_t until = time_now() + PATIENCE_MS * (uint64_t)MS;
	const uint32_t limit = tables_quota_limit(self_index())->n[EXO_QUOTA_IO];
	uint64_t before, used, most = 0;

	if (x == 0 || other == 0) {
		unprepared("flooding the drive");
		return;
	}
	before = tables_env(other)->disk_time;
	used = tables_env(other)->used_ticks;
	for (uint32_t k = 0; k < DATA_PAGES; k++)
		ring_page.list[k] = data_frame(k);
	while (time_now() < until && (tables_env(other)->disk_time < before + 4 * (uint64_t)MS ||
				      tables_env(other)->used_ticks < used + 4 || most < limit)) {
		volatile struct exo_ring *const r = &ring_page;

		r->cq_head = r->cq_tail;
		while (r->sq_tail - r->sq_head < EXO_RING_SQ)
			ring_put((struct exo_sqe){.op = EXO_IO_READ,
						  .cap = CAP,
						  .count = DATA_PAGES,
						  .block = tables_extent(x)->start});
		(void)call_io_submit();
		if (tables_quota_used(self_index())->n[EXO_QUOTA_IO] > most)
			most = tables_quota_used(self_index())->n[EXO_QUOTA_IO];
		tally(tables_quota_used(self_index())->n[EXO_QUOTA_IO] <= limit);
		(void)time_sleep_until(time_now() + MS, EXO_EV_IO);
	}
	sum_up("requests without end");
	score("the quota was used up", most == limit);
	score("the neighbour had the drive and the CPU meanwhile", time_now() < until);
	ring_close();
}

void attack_starve(void)
{
	greed();
	flood();
}
