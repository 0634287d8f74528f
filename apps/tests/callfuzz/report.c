/*
 * report.c - adds up what children did, and says whether everything came back.
 *
 * What is printed is read by scripts/guest-fuzz: `fuzz-call NAME MADE GRANTED`, `fuzz-vector N
 * COUNT`, `fuzz-death NAME COUNT`, one a line.  Called by main.c.
 */
#include <libos/bare.h>
#include <libos/start.h>
#include "fuzz.h"

enum { LEAST_GRANTED = 15 /* percent of the calls that can be granted */ };

static const char *const deaths[DEATHS] = {
	[EXO_END_NONE] = "unknown",
	[EXO_END_EXIT] = "exit",
	[EXO_END_KILLED] = "killed",
	[EXO_END_FAULT] = "fault",
	[EXO_END_UPCALL_FAULT] = "upcall-fault",
	[EXO_END_UPCALL_STACK] = "upcall-stack",
	[DEATH_WEDGED] = "wedged",
	[DEATH_REAPED] = "reaped-by-sibling",
};

static void own_quota(struct exo_quota *used, struct exo_quota *limit)
{
	const uint32_t me = (uint32_t)(start_self() & 0xffff);

	for (uint32_t k = 0; k < EXO_NQUOTA; k++) {
		used->n[k] = tables_quota_used(me)->n[k];
		limit->n[k] = tables_quota_limit(me)->n[k];
	}
}

void report_begin(struct totals *t)
{
	*t = (struct totals){.kids = 0};
	own_quota(&t->used, &t->limit);
}

/* Random code may have written to the page: numbers that cannot be are left out. */
static int plausible(const struct shared *s)
{
	uint64_t made = 0;

	for (uint32_t i = 0; i < CALLS; i++) {
		if (s->n.granted[i] > s->n.made[i] || s->n.made[i] > s->calls)
			return 0;
		made += s->n.made[i];
	}
	return made == s->calls && s->calls <= s->budget;
}

void report_add(struct totals *t, const struct shared *s)
{
	const uint64_t *from = (const uint64_t *)&s->n;
	uint64_t *to = (uint64_t *)&t->n;

	t->kids++;
	t->scribbled += !plausible(s);
	for (uint32_t i = 0; i < sizeof s->n / sizeof *to && plausible(s); i++)
		to[i] += from[i];
}

static void print_counts(const struct totals *t)
{
	for (uint32_t i = 0; i < CALLS; i++)
		if (t->n.made[i])
			bare_print("fuzz-call %s %u %u\n", args_call_name(i), t->n.made[i],
				   t->n.granted[i]);
	for (uint64_t i = 0; i < VECTORS; i++)
		if (t->n.vector[i])
			bare_print("fuzz-vector %u %u\n", i, t->n.vector[i]);
	for (uint32_t i = 0; i < DEATHS; i++)
		if (t->death[i])
			bare_print("fuzz-death %s %u\n", deaths[i], t->death[i]);
	bare_print("fuzz: %u children could not be started at once\n", t->failed_starts);
	bare_print("fuzz-other kids %u upcalls %u codes %u restarts %u scribbled %u\n", t->kids,
		   t->n.upcalls, t->n.codes, t->n.restarts, t->scribbled);
}

static int judge(int well, const char *what, uint64_t seed, uint64_t n)
{
	bare_print("%s callfuzz %u: %s (%u)\n", well ? "ok" : "FAIL", seed, what, n);
	return !well;
}

/* Extents that this environment pays for. */
static uint32_t paid(void)
{
	uint32_t n = 0;

	for (uint32_t x = 1; x < EXO_NEXTENT; x++)
		n += tables_extent(x)->payer == (start_self() & 0xffff);
	return n;
}

/*
 * In how many kinds the driver has another limit, or uses more or less, than before; an extent that
 * it took anew, after a child had freed it, it pays for.
 */
static uint64_t not_returned(const struct totals *t)
{
	static const char *const kinds[EXO_NQUOTA] = {"pages",	 "slots", "caps", "envs",
						      "extents", "io",	  "disk", "groups"};
	struct exo_quota used, limit;
	uint64_t n = 0;

	own_quota(&used, &limit);
	used.n[EXO_QUOTA_EXTENTS] += t->used.n[EXO_QUOTA_EXTENTS] - paid();
	for (uint32_t k = 0; k < EXO_NQUOTA; k++) {
		if (used.n[k] == t->used.n[k] && limit.n[k] == t->limit.n[k])
			continue;
		n++;
		bare_print("fuzz: %s: used %u before, %u after; limit %u before, %u after\n",
			   kinds[k], (uint64_t)t->used.n[k], (uint64_t)used.n[k],
			   (uint64_t)t->limit.n[k], (uint64_t)limit.n[k]);
	}
	return n;
}

int report_end(const struct totals *t, uint64_t seed)
{
	uint64_t made = 0, granted = 0, never = 0;
	int bad = 0;

	for (uint32_t i = 0; i < CALLS; i++) {
		never += t->n.made[i] == 0 && (i == UNKNOWN || !args_unknown(i));
		if (args_never(i))
			continue;
		made += t->n.made[i];
		granted += t->n.granted[i];
	}
	print_counts(t);
	bad |= judge(never == 0, "every call was tried; not tried", seed, never);
	bad |= judge(granted * 100 >= made * LEAST_GRANTED, "percent of calls granted", seed,
		     made ? granted * 100 / made : 0);
	bad |= judge(t->n.dirty == 0, "registers after calls were as promised; not so", seed,
		     t->n.dirty);
	bad |= judge(not_returned(t) == 0, "all quotas came back; kinds that did not", seed,
		     not_returned(t));
	return bad;
}
