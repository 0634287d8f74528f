/*
 * disk.c - runs the bytes of an input as calls on extents and disk requests, and compares with a
 * model of them that stands here.
 *
 * Three environments, two of them of one principal, share a drive of fake.c.  The model knows, for
 * each block, whose it is and what is in it, and for each extent what doc/abi.md says; a change
 * that is on its way is done when the drives have run, as they do before each request and now and
 * then.  It states every cause to refuse, of which the kernel may name any.  Called by libFuzzer,
 * or by main.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/env.h"
#include "../../kern/quota.h"
#include "../../kern/revoke.h"
#include "../../kern/syscall.h"
#include "../seen.h"
#include "../dev/fake.h"
#include "fuzz.h"

enum {
	STEP = 14, /* bytes of a step, of which it takes what it needs */
	FIRST = 2,
	LAST = 4, /* environments */
	RECORDS = 128,
	SLOTS = 12, /* that are used */
	WHOLE_DRIVE = 127,
	TOLD = EXO_EV_REVOKE | EXO_EV_TAKEN,
};

const char fuzz_name[] = "fuzz_disk";
int fuzz_verbose;

/* ---- the model --------------------------------------------------------------------------- */

static struct exo_extent extent[RECORDS]; /* `next` is not kept */
static uint64_t content[FAKE_BLOCKS];	  /* first word of each block */
static struct exo_cap cap[LAST + 1][SLOTS];
static struct exo_ask ask[LAST + 1];
static uint64_t told[LAST + 1]; /* events */
static struct {
	enum { NOTHING, TAKE, FREE, ACCESS, SPLIT } kind;
	uint32_t x, asker;
} change; /* that is on its way to the disk */

static uint32_t me;
static uint32_t refusals;
static uint64_t value;

static void because(enum exo_status status, int condition)
{
	if (condition)
		refusals |= 1u << status;
}

static int granted(void)
{
	return refusals == 0;
}

/* Environments 2 and 4 are of principal 0x11.., 3 of 0x22... */
static uint64_t principal(uint32_t e)
{
	return e == 3 ? 0x2200000000000000ull : 0x1100000000000000ull;
}

static const struct exo_cap *held(uint64_t s)
{
	because(EXO_RANGE, s >= EXO_NCAP);
	if (s == 0) { /* oneself */
		because(EXO_TYPE, 1);
		return 0;
	}
	because(EXO_STATE, s < EXO_NCAP && (s >= SLOTS || cap[me][s].kind == EXO_CAP_NONE));
	if (s >= SLOTS || cap[me][s].kind == EXO_CAP_NONE)
		return 0;
	because(EXO_STALE, cap[me][s].gen != extent[cap[me][s].object].gen);
	return &cap[me][s];
}

static void needs_room(uint64_t d)
{
	because(EXO_RANGE, d >= EXO_NCAP);
	because(EXO_OCCUPIED, d == 0 || (d < SLOTS && cap[me][d].kind != EXO_CAP_NONE));
}

static void needs_no_change(void)
{
	because(EXO_BUSY, change.kind != NOTHING);
}

/* The extent that slot s covers whole with ADMIN; 0: none. */
static uint32_t whole(uint64_t s)
{
	const struct exo_cap *const c = held(s);

	if (!c)
		return 0;
	because(EXO_PERM, (c->rights & EXO_RIGHT_ADMIN) == 0);
	because(EXO_RANGE, c->start != extent[c->object].start || c->len != extent[c->object].len);
	return c->object;
}

/* What environment e is charged for, whoever it is that frees it in the end. */
static uint32_t extents_paid(uint32_t e)
{
	uint32_t n = 0;

	for (uint32_t x = 0; x < RECORDS; x++)
		n += extent[x].payer == e;
	return n;
}

static void change_begins(uint32_t kind, uint32_t x)
{
	change.kind = kind;
	change.x = x;
	change.asker = me;
}

static void do_take(uint64_t x, uint64_t prev, uint64_t start, uint64_t len)
{
	because(EXO_RANGE, x == 0 || x >= RECORDS || prev >= RECORDS || len == 0);
	because(EXO_RANGE, start < POOL || start >= POOL_END || len > POOL_END - start);
	because(EXO_OCCUPIED, x < RECORDS && extent[x].state != EXO_EXTENT_FREE);
	because(EXO_QUOTA, extents_paid(me) == quota_limit[me].n[EXO_QUOTA_EXTENTS]);
	needs_no_change();
	if (prev >= RECORDS)
		return;
	because(EXO_ARG, extent[prev].state == EXO_EXTENT_FREE || extent[prev].drive != 0 ||
				 extent[prev].start >= start);
	for (uint32_t y = 0; y < RECORDS; y++)
		because(EXO_OCCUPIED,
			extent[y].state != EXO_EXTENT_FREE && extent[y].drive == 0 &&
				extent[y].start >= extent[prev].start &&
				extent[y].start < start + len &&
				(y != prev || extent[y].start + extent[y].len > start));
	if (!granted())
		return;
	extent[x] = (struct exo_extent){.start = start,
					.len = len,
					.owner = principal(me),
					.gen = extent[x].gen,
					.payer = (uint16_t)me,
					.state = EXO_EXTENT_TAKING};
	change_begins(TAKE, (uint32_t)x);
}

static void do_free(uint64_t s)
{
	const uint32_t x = whole(s);

	needs_no_change();
	if (!granted())
		return;
	extent[x].state = EXO_EXTENT_DYING;
	extent[x].gen++;
	change_begins(FREE, x);
}

static void do_access(uint64_t s, uint64_t who, uint64_t rights)
{
	const uint32_t x = whole(s);

	because(EXO_ARG, rights > (EXO_RIGHT_READ | EXO_RIGHT_WRITE));
	needs_no_change();
	if (!granted())
		return;
	extent[x].other = who;
	extent[x].other_rights = (uint8_t)rights;
	change_begins(ACCESS, x);
}

/* No request is on the drive: the first part is live at once, the second when it is durable. */
static void cut(struct exo_extent *x, struct exo_extent *part, uint64_t at)
{
	const uint64_t first = at - x->start;
	const uint32_t gen = part->gen;

	*part = *x;
	part->gen = gen;
	part->state = EXO_EXTENT_TAKING;
	part->start = at;
	part->len = x->len - first;
	part->init = x->init > first ? x->init - first : 0;
	x->len = first;
	x->init = x->init > first ? first : x->init;
}

static void do_split(uint64_t s, uint64_t at, uint64_t part)
{
	const uint32_t x = whole(s);

	because(EXO_RANGE, part == 0 || part >= RECORDS || at <= extent[x].start ||
				   at >= extent[x].start + extent[x].len);
	because(EXO_OCCUPIED, part < RECORDS && extent[part].state != EXO_EXTENT_FREE);
	because(EXO_QUOTA, extents_paid(me) == quota_limit[me].n[EXO_QUOTA_EXTENTS]);
	needs_no_change();
	if (!granted())
		return;
	extent[x].gen++;
	cut(&extent[x], &extent[part], at);
	extent[part].payer = (uint16_t)me;
	change_begins(SPLIT, (uint32_t)part);
}

static void do_open(uint64_t x, uint64_t d)
{
	uint8_t rights = 0;

	needs_room(d);
	because(EXO_RANGE, x >= RECORDS);
	if (x >= RECORDS)
		return;
	because(EXO_STATE, extent[x].state != EXO_EXTENT_LIVE);
	if (extent[x].owner == principal(me))
		rights = EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_GRANT | EXO_RIGHT_ADMIN;
	else if (extent[x].other == principal(me))
		rights = extent[x].other_rights;
	because(EXO_PERM, rights == 0);
	if (granted())
		cap[me][d] = (struct exo_cap){.kind = EXO_CAP_EXTENT,
					      .rights = rights,
					      .object = (uint32_t)x,
					      .gen = extent[x].gen,
					      .start = extent[x].start,
					      .len = extent[x].len};
}

static int is_inside(const struct exo_cap *c, const struct exo_cap *of)
{
	return c->kind == EXO_CAP_EXTENT && c->object == of->object && c->gen == of->gen &&
	       c->start >= of->start && c->start + c->len <= of->start + of->len;
}

static void do_recall(uint64_t s, uint32_t e, uint64_t deadline)
{
	const struct exo_cap *const c = held(s);
	const uint64_t least = fake_now + EXO_REVOKE_MIN_NS;
	uint32_t has = 0;

	because(EXO_ARG, e == me);
	if (!c)
		return;
	because(EXO_PERM, (c->rights & EXO_RIGHT_ADMIN) == 0);
	for (uint32_t i = 1; i < SLOTS; i++)
		has += is_inside(&cap[e][i], c);
	because(EXO_BUSY, has != 0 && ask[e].n != 0 && fake_now < ask[e].deadline &&
				  (ask[e].extent != c->object || ask[e].by != env_eid(me).n));
	if (!granted())
		return;
	value = has == 0;
	if (has == 0)
		return;
	if (ask[e].n == 0 || ask[e].extent != c->object || ask[e].by != env_eid(me).n) {
		ask[e] = (struct exo_ask){1, c->object, deadline > least ? deadline : least,
					  env_eid(me).n};
		told[e] |= EXO_EV_REVOKE;
	} else if (fake_now >= ask[e].deadline) {
		for (uint32_t i = 1; i < SLOTS; i++)
			if (is_inside(&cap[e][i], c))
				cap[e][i] = (struct exo_cap){0};
		ask[e] = (struct exo_ask){0};
		told[e] |= EXO_EV_TAKEN;
		value = 1;
	}
}

static void do_derive(uint64_t s, uint64_t d, uint64_t rights, uint64_t start, uint64_t len)
{
	const struct exo_cap *const c = held(s);

	needs_room(d);
	because(EXO_ARG, len == 0 && start != 0);
	if (!c)
		return;
	because(EXO_PERM, (rights & ~(uint64_t)c->rights) != 0);
	because(EXO_RANGE, len != 0 && (start < c->start || start + len > c->start + c->len));
	if (!granted())
		return;
	cap[me][d] = *c;
	cap[me][d].rights = (uint8_t)rights;
	cap[me][d].start = len == 0 ? c->start : start;
	cap[me][d].len = len == 0 ? c->len : len;
}

static void do_drop(uint64_t s)
{
	because(EXO_RANGE, s >= EXO_NCAP);
	because(EXO_STATE, s == 0 || s >= SLOTS || cap[me][s].kind == EXO_CAP_NONE);
	if (granted())
		cap[me][s] = (struct exo_cap){0};
}

static void do_revoke(uint64_t s)
{
	const struct exo_cap *const c = held(s);

	if (!c)
		return;
	because(EXO_PERM, (c->rights & EXO_RIGHT_ADMIN) == 0);
	if (granted())
		extent[c->object].gen++;
}

/* The change that was on its way is durable. */
static void model_runs(void)
{
	struct exo_extent *const x = &extent[change.x];

	if (change.kind == FREE)
		*x = (struct exo_extent){.gen = x->gen};
	if (change.kind == TAKE || change.kind == SPLIT)
		x->state = EXO_EXTENT_LIVE;
	change.kind = NOTHING;
}

/* A request: how it may end; when well, blocks and frames, which the harness has filled, agree. */
static void do_request(const struct exo_sqe *s, const uint32_t *frames)
{
	const struct exo_cap *const c = held(s->cap);
	const uint8_t enough = s->op == EXO_IO_READ    ? EXO_RIGHT_READ
			       : s->op == EXO_IO_FLUSH ? EXO_RIGHT_READ | EXO_RIGHT_WRITE
						       : EXO_RIGHT_WRITE;
	const int memory = s->op == EXO_IO_READ || s->op == EXO_IO_WRITE;
	struct exo_extent *x;

	because(EXO_ARG, s->op < EXO_IO_READ || s->op > EXO_IO_CLEAR ||
				 (s->op == EXO_IO_FLUSH) != (s->count == 0));
	for (uint32_t i = 0; memory && i < s->count; i++) {
		because(EXO_RANGE, frames[i] >= NFRAME);
		because(EXO_PERM, frames[i] / 64 != me);
	}
	if (!c)
		return;
	because(EXO_PERM, (c->rights & enough) == 0);
	x = &extent[c->object];
	if (s->op == EXO_IO_FLUSH)
		return;
	because(EXO_RANGE, s->block < c->start || s->block + s->count > c->start + c->len);
	because(EXO_UNINIT, s->op == EXO_IO_READ ? s->block + s->count > x->start + x->init
						 : s->block > x->start + x->init);
	if (!granted())
		return;
	for (uint32_t i = 0; i < s->count && s->op != EXO_IO_READ; i++) {
		const uint8_t *const from = machine_bytes((struct pfn){frames[i]});

		memcpy(&content[s->block + i], from, 8);
		if (s->op == EXO_IO_CLEAR)
			content[s->block + i] = 0;
	}
	if (s->op != EXO_IO_READ && s->block + s->count > x->start + x->init)
		x->init = s->block + s->count - x->start;
}

/* ---- comparing --------------------------------------------------------------------------- */

static int extents_agree(void)
{
	for (uint32_t x = 1; x < RECORDS; x++) {
		struct exo_extent now = extents[x];

		now.gen = extent[x].gen; /* generations: caps_agree() */
		now.next = 0;
		memset(now.name, 0, sizeof now.name);
		if (x != WHOLE_DRIVE && memcmp(&now, &extent[x], sizeof now) != 0)
			return 0;
	}
	return 1;
}

static int caps_agree(uint32_t e)
{
	for (uint32_t s = 1; s < SLOTS; s++) {
		const struct exo_cap *const c = &cap[e][s];
		struct exo_cap now = caps[e].c[s];
		const int stale = now.kind == EXO_CAP_EXTENT && now.gen != extents[now.object].gen;

		now.gen = c->gen;
		if (memcmp(&now, c, sizeof now) != 0 ||
		    stale != (c->kind == EXO_CAP_EXTENT && c->gen != extent[c->object].gen))
			return 0;
	}
	return 1;
}

static const char *differs(void)
{
	for (uint32_t e = FIRST; e <= LAST; e++) {
		if (!caps_agree(e))
			return "capabilities";
		if ((envs[e].events & TOLD) != told[e])
			return "events";
		if (memcmp(&revokes[e].ask[EXO_ASK_EXTENT], &ask[e], sizeof ask[e]) != 0)
			return "what is asked back";
		if (quota_used[e].n[EXO_QUOTA_EXTENTS] != extents_paid(e))
			return "quotas";
	}
	for (uint32_t b = POOL; b < POOL_END; b++)
		if (memcmp(&content[b], fake_disk[0][b].bytes, 8) != 0)
			return "a block";
	return change.kind == NOTHING && !extents_agree() ? "an extent" : 0;
}

/* ---- what was done ----------------------------------------------------------------------- */

enum { MOST = 8192, NCALL = 46, REQUEST = 33, DRIVES_RUN = 0 };

static struct did {
	uint32_t by, number;
	uint64_t a[6], status, value;
} row[MOST];
static uint32_t steps;
static uint64_t count[NCALL][2]; /* granted, refused */

static void show(const struct did *d)
{
	if (d->number == DRIVES_RUN) {
		printf("the drives have run\n");
		return;
	}
	printf("environment %u: %s(", d->by,
	       d->number == REQUEST ? "request, with op, slot, block, count, frame "
				    : host_call_name(d->number));
	for (uint32_t i = 0; i < 6; i++)
		printf("%s%#llx", i ? ", " : "", (unsigned long long)d->a[i]);
	printf(") -> %s, %llu\n", host_status_name(d->status), (unsigned long long)d->value);
}

static void fail(const char *why, const char *what)
{
	for (uint32_t n = 0; n < steps && !fuzz_verbose; n++)
		show(&row[n]);
	printf("FAIL %s: step %u: %s%s\n", fuzz_name, steps - 1, why, what);
	fflush(stdout);
	abort();
}

int fuzz_covered(int tell)
{
	static const uint8_t calls[] = {18, 20, 21, 28, 29, 30, 31, REQUEST, 43, 44};
	int all = 1;

	for (uint32_t i = 0; i < sizeof calls; i++) {
		const uint64_t *const n = count[calls[i]];

		if (tell)
			printf("%-16s %8llu %8llu\n", host_call_name(calls[i]),
			       (unsigned long long)n[0], (unsigned long long)n[1]);
		if (n[0] != 0 && n[1] != 0)
			continue;
		printf("FAIL %s: %s was never %s\n", fuzz_name, host_call_name(calls[i]),
		       n[0] == 0 ? "granted" : "refused");
		all = 0;
	}
	return all;
}

static void compare(void)
{
	const char *what;

	if (fuzz_verbose)
		show(&row[steps - 1]);
	what = differs();
	if (what)
		fail("differs from the model: ", what);
	what = fake_broken();
	if (what)
		fail("", what);
}

/* What the kernel answered, against what the model allows. */
static void judge(const struct did *d)
{
	count[d->number][d->status != EXO_OK]++;
	if (d->status == EXO_OK ? refusals != 0 : (refusals >> d->status & 1) == 0)
		fail("differs from the model: the status, granted or refused is ",
		     host_status_name(d->status));
	if (d->number != REQUEST && d->value != value)
		fail("differs from the model: ", "the value");
	compare();
}

/* ---- steps ------------------------------------------------------------------------------- */

static void drives_run(void)
{
	row[steps++] = (struct did){.number = DRIVES_RUN};
	fake_run();
	model_runs();
	compare();
}

static struct exo_result call(uint32_t number, const uint64_t *a)
{
	switch (number) {
	case 18:
		do_derive(a[0], a[1], a[2], a[3], a[4]);
		return sys_cap_derive(a[0], a[1], a[2], a[3], a[4]);
	case 20:
		do_drop(a[0]);
		return sys_cap_drop(a[0]);
	case 21:
		do_revoke(a[0]);
		return sys_cap_revoke(a[0]);
	case 28:
		do_take(a[0], a[1], a[2], a[3]);
		return sys_extent_take(a[0], a[1], a[2], a[3], 0, 0);
	case 29:
		do_free(a[0]);
		return sys_extent_free(a[0]);
	case 30:
		do_open(a[0], a[1]);
		return sys_extent_open(a[0], a[1]);
	case 31:
		do_access(a[0], a[1], a[2]);
		return sys_extent_access(a[0], a[1], a[2]);
	case 43:
		do_split(a[0], a[1], a[2]);
		return sys_extent_split(a[0], a[1], a[2]);
	default:
		do_recall(a[0], (uint32_t)(a[1] % 65536), a[2]);
		return sys_extent_recall(a[0], a[1], a[2]);
	}
}

/* One entry in the ring of `me`, to its end. */
static void request(struct exo_sqe s, uint32_t frame)
{
	struct exo_ring *const ring = machine_ring((struct pfn){me * 64});
	const uint32_t n = ring->cq_tail;
	uint64_t word;

	drives_run();
	for (uint32_t i = 0; i < EXO_RING_LIST && i < s.count; i++) {
		ring->list[i] = frame + i;
		word = (uint64_t)steps << 16 | i | 1;
		if (frame + i < NFRAME && s.op == EXO_IO_WRITE && (frame + i) % 64 != 0)
			memcpy(machine_bytes((struct pfn){frame + i}), &word, 8);
	}
	row[steps] = (struct did){me, REQUEST, {s.op, s.cap, s.block, s.count, frame}, 0, 0};
	do_request(&s, ring->list);
	ring->sq[ring->sq_tail++ % EXO_RING_SQ] = s;
	if (sys_io_submit().status != EXO_OK)
		fail("a request was not taken", "");
	fake_run();
	row[steps].status = ring->cq[n % EXO_RING_CQ].status;
	ring->cq_head = ring->cq_tail;
	judge(&row[steps++]);
	for (uint32_t i = 0; i < s.count && s.op == EXO_IO_READ && granted(); i++)
		if (memcmp(machine_bytes((struct pfn){frame + i}), &content[s.block + i], 8) != 0)
			fail("differs from the model: ", "what was read");
}

static const uint8_t *byte; /* the next of this step */

static uint64_t below(uint32_t n)
{
	return *byte++ % n;
}

/* A slot of `me`, mostly one that names an extent as it is; never 0, which names itself. */
static uint64_t slot(void)
{
	const uint32_t start = (uint32_t)below(SLOTS), kind = (uint32_t)below(16);

	for (uint32_t i = 0; i < SLOTS && kind > 1; i++) {
		const uint32_t s = (start + i) % SLOTS;
		const struct exo_cap *const c = &cap[me][s];

		if (c->kind != EXO_CAP_NONE && (kind == 2 || c->gen == extent[c->object].gen))
			return s;
	}
	return kind == 0 ? EXO_NCAP : start + (start == 0);
}

/* Mostly an extent that is live. */
static uint64_t live(void)
{
	const uint32_t start = (uint32_t)below(10), any = below(16) == 0;

	for (uint32_t i = 0; i < 10 && !any; i++)
		if (extent[(start + i) % 10].state == EXO_EXTENT_LIVE)
			return (start + i) % 10;
	return start;
}

/* Mostly the extent that stands before this block. */
static uint64_t standing_before(uint64_t block)
{
	uint32_t best = 0;

	if (below(8) == 0)
		return below(RECORDS);
	for (uint32_t x = 1; x < 10; x++)
		if (extent[x].state != EXO_EXTENT_FREE && extent[x].start < block &&
		    extent[x].start > extent[best].start)
			best = x;
	return best;
}

/* Mostly a number of an extent that is free. */
static uint64_t unused(void)
{
	const uint32_t start = 1 + (uint32_t)below(9), any = below(16) == 0;

	for (uint32_t i = 0; i < 9 && !any; i++)
		if (extent[1 + (start + i) % 9].state == EXO_EXTENT_FREE)
			return 1 + (start + i) % 9;
	return start;
}

static void ring_step(void)
{
	const uint64_t s = slot();
	const struct exo_cap *const c = &cap[me][s % SLOTS];
	struct exo_sqe entry = {.op = (uint8_t)below(6), .cap = (uint16_t)s};
	const uint64_t near = c->start + (below(2) ? extent[c->object].init : 0);

	entry.count = entry.op == EXO_IO_FLUSH ? 0 : (uint16_t)(1 + below(4));
	entry.block = near + below(8) - 2;
	request(entry, (below(16) ? me : FIRST) * 64 + 1 + (uint32_t)below(64));
}

static void call_step(void)
{
	static const uint8_t calls[] = {18, 20, 21, 28, 28, 29, 30, 30, 31, 43, 44, 44};
	const uint32_t number = calls[below(sizeof calls)];
	uint64_t a[6] = {slot()};
	const struct exo_cap *const c = &cap[me][a[0] % SLOTS];
	struct did *const d = &row[steps];
	struct exo_result r;

	switch (number) {
	case 18:
		a[1] = below(SLOTS), a[2] = below(4) ? 15 : below(16);
		a[3] = below(2) ? 0 : c->start + below(4), a[4] = a[3] ? below(8) : 0;
		break;
	case 28:
		a[0] = unused(), a[2] = POOL - 2 + below(128), a[1] = standing_before(a[2]);
		a[3] = below(20);
		break;
	case 30:
		a[0] = live(), a[1] = below(SLOTS);
		break;
	case 31:
		a[1] = principal(FIRST + (uint32_t)below(2)), a[2] = below(5);
		break;
	case 43:
		a[1] = c->start + below(20), a[2] = unused();
		break;
	case 44:
		a[1] = env_eid(FIRST + (uint32_t)below(3)).n, a[2] = fake_now;
		break;
	default:
		break;
	}
	r = call(number, a);
	*d = (struct did){me, number, {a[0], a[1], a[2], a[3], a[4]}, r.status, r.value};
	steps++;
	judge(d);
}

static void world(void)
{
	steps = 0;
	fake_boot();
	for (uint32_t e = FIRST; e <= LAST; e++)
		fake_env(e, principal(e));
	memset(extent, 0, sizeof extent);
	memset(content, 0, sizeof content);
	memset(cap, 0, sizeof cap);
	memset(ask, 0, sizeof ask);
	memset(&change, 0, sizeof change);
	extent[0] = (struct exo_extent){.len = POOL, .state = EXO_EXTENT_SYSTEM};
	extent[WHOLE_DRIVE] = extents[WHOLE_DRIVE];
}

static void step(void)
{
	const uint64_t kind = below(16);

	me = FIRST + (uint32_t)below(LAST - FIRST + 1);
	fake_as(me);
	refusals = 0;
	value = 0;
	for (uint32_t e = FIRST; e <= LAST; e++)
		envs[e].events = told[e] = 0;
	if (kind == 0)
		fake_now += EXO_REVOKE_MIN_NS / 2;
	if (kind < 3)
		drives_run();
	else if (kind < 8)
		ring_step();
	else
		call_step();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	world();
	for (size_t at = 0; at + STEP <= size && steps < MOST - 4; at += STEP) {
		byte = data + at;
		step();
	}
	return 0;
}
