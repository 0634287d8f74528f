/*
 * extent.c - owns extents[] and its two copies on the disk; calls extent_take, _free, _open,
 * _access, _split, _recall.
 *
 * A change is made in memory, then a commit brings the older copy up to date: the record blocks
 * that changed, flush, its head, flush.  The head carries the checksums of all blocks, so a copy is
 * whole or recognisably not, and the other one stays untouched meanwhile.  The first flush makes
 * durable whatever data the watermarks in those blocks speak of, before the head makes them count.
 * Invariant: stale[c] has a bit for every record block of which copy c may differ from memory; one
 * change is under way at most, and no record but watermarks changes while blocks are being written
 * (others answer BUSY).  Called by programs' calls and, step by step, by io.c.
 */
#include <exo/crc32c.h>
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "event.h"
#include "extent.h"
#include "io.h"
#include "machine.h"
#include "principal.h"
#include "quota.h"
#include "revoke.h"
#include "syscall.h"

enum { NBLOCK = EXO_NEXTENT / EXO_EXTENTS_PER_BLOCK, NEWORD = EXO_NENV / 64 };
enum { RIGHTS_ALL = EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_GRANT | EXO_RIGHT_ADMIN };

struct exo_extent extents[EXO_NEXTENT] TABLE(extents);
_Alignas(EXO_PAGE_SIZE) union extent_block extent_page;

/* The table as it stands on the disk. */
static struct {
	uint64_t place[2]; /* head block of each copy */
	uint64_t pool, pool_end;
	uint64_t id, seq;
	uint64_t stale[2];
	uint32_t drive, records;
	uint32_t newest; /* the copy that is the table */
	uint32_t crc[2][NBLOCK];
} disk;

/* Record before this one in its list; 0 for the first of a list too. */
static uint16_t before[EXO_NEXTENT];

/* A bit per record whose watermark is newer than the disk's; those that this commit writes. */
static uint64_t dirty[NBLOCK], going[NBLOCK];

enum step { STEP_IDLE, STEP_RECORDS, STEP_BARRIER, STEP_HEAD, STEP_SEAL };

static struct {
	enum step step;
	uint64_t writing; /* blocks of this commit */
	uint64_t left;	  /* of them, not written yet */
	uint16_t ending;  /* flushes that end with this commit: io + 1, linked by next */
	uint16_t flushes; /* flushes that need the next one */
} commit;

enum change_kind { CHANGE_NONE, CHANGE_TAKE, CHANGE_FREE, CHANGE_ACCESS, CHANGE_SPLIT };

static struct {
	enum change_kind kind;
	uint32_t x;
	uint32_t draining; /* FREE, SPLIT: a request of x is still on the drive */
	uint32_t part;	   /* SPLIT: the new record, from block `at` on */
	uint32_t part_gen;
	uint64_t at;
	uint64_t asker; /* eid */
	uint64_t old_other;
	uint8_t old_rights;
} change;

/* Who was answered BUSY since the last event. */
static uint64_t turned_away[NEWORD];

uint32_t extent_gen(uint32_t x)
{
	return extents[x].gen;
}

void extent_revoke(uint32_t x)
{
	extents[x].gen++;
}

int extent_changing(void)
{
	return change.kind != CHANGE_NONE || commit.step != STEP_IDLE;
}

/* ---- the lists --------------------------------------------------------------------------- */

static uint64_t end_of(uint32_t x)
{
	return extents[x].start + extents[x].len;
}

static void mark(uint32_t x)
{
	const uint64_t bit = 1ull << x / EXO_EXTENTS_PER_BLOCK;

	disk.stale[0] |= bit;
	disk.stale[1] |= bit;
}

static uint64_t record_bit(uint32_t x)
{
	return 1ull << x % EXO_EXTENTS_PER_BLOCK;
}

static void link_after(uint32_t prev, uint32_t x)
{
	const uint32_t next = extents[prev].next;

	extents[x].next = next;
	extents[prev].next = x;
	before[x] = (uint16_t)prev;
	if (next != 0)
		before[next] = (uint16_t)x;
	mark(x);
	mark(prev);
}

/* Takes x out of its list; only its generation stays. */
static void make_free(uint32_t x)
{
	const uint32_t prev = before[x], next = extents[x].next;

	extents[prev].next = next;
	if (next != 0)
		before[next] = (uint16_t)prev;
	extents[x] = (struct exo_extent){.gen = extents[x].gen};
	dirty[x / EXO_EXTENTS_PER_BLOCK] &= ~record_bit(x);
	going[x / EXO_EXTENTS_PER_BLOCK] &= ~record_bit(x);
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The extent of the change is two from now on, in memory; nothing of it is on the drive. */
static void cut(void)
{
	const uint32_t x = change.x, y = change.part;
	struct exo_extent *const first = &extents[x];
	const uint64_t len = change.at - first->start;
	const uint16_t payer = extents[y].payer; /* since the call */

	extents[y] = *first;
	extents[y].gen = change.part_gen;
	extents[y].payer = payer;
	extents[y].start = change.at;
	extents[y].len = first->len - len;
	extents[y].init = first->init - lower(first->init, len);
	first->len = len;
	first->init = lower(first->init, len);
	first->state = EXO_EXTENT_LIVE;
	link_after(x, y);
	if ((dirty[x / EXO_EXTENTS_PER_BLOCK] & record_bit(x)) != 0)
		dirty[y / EXO_EXTENTS_PER_BLOCK] |= record_bit(y);
}

/* And one again: nobody had a capability to the second part. */
static void join(void)
{
	const uint32_t x = change.x, y = change.part;

	if (extents[x].init == extents[x].len)
		extents[x].init += extents[y].init;
	extents[x].len += extents[y].len;
	make_free(y);
	mark(x);
	mark(y);
}

/* ---- commit ------------------------------------------------------------------------------ */

/* Record x as the disk shall have it once this commit is done. */
static struct exo_extent kept(uint32_t x)
{
	struct exo_extent r = extents[x];

	if (r.state == EXO_EXTENT_FREE || r.state == EXO_EXTENT_DYING || r.drive != disk.drive)
		return (struct exo_extent){.gen = r.gen};
	if (r.state == EXO_EXTENT_TAKING)
		r.state = EXO_EXTENT_LIVE;
	if (change.kind == CHANGE_FREE && r.next == change.x)
		r.next = extents[change.x].next;
	r.drive = 0; /* its number may be another at the next boot */
	r.payer = 0;
	return r;
}

static void write_records(void)
{
	const uint32_t copy = !disk.newest;
	const uint32_t block = (uint32_t)__builtin_ctzll(commit.left);

	commit.left &= commit.left - 1;
	for (uint32_t i = 0; i < EXO_EXTENTS_PER_BLOCK; i++)
		extent_page.record[i] = kept(block * EXO_EXTENTS_PER_BLOCK + i);
	disk.crc[copy][block] = exo_crc32c(0, extent_page.bytes, EXO_BLOCK_SIZE);
	io_kernel_start(EXO_IO_WRITE, disk.drive, disk.place[copy] + 1 + block);
}

static void write_head(void)
{
	const uint32_t copy = !disk.newest;
	struct exo_extents_head *head = &extent_page.head;

	for (uint32_t i = 0; i < EXO_BLOCK_SIZE; i++)
		extent_page.bytes[i] = 0;
	head->magic = EXO_EXTENTS_MAGIC;
	head->version = EXO_IMAGE_VERSION;
	head->id = disk.id;
	head->seq = disk.seq + 1;
	head->blocks = disk.records / EXO_EXTENTS_PER_BLOCK;
	for (uint32_t b = 0; b < NBLOCK; b++)
		head->block_crc[b] = disk.crc[copy][b];
	head->crc = exo_crc32c(0, extent_page.bytes, sizeof(*head));
	io_kernel_start(EXO_IO_WRITE, disk.drive, disk.place[copy]);
}

static void flush_drive(void)
{
	io_kernel_start(EXO_IO_FLUSH, disk.drive, 0);
}

/* Which blocks this commit writes is fixed here. */
static void begin(void)
{
	const uint32_t copy = !disk.newest;

	commit.writing = disk.stale[copy];
	commit.left = commit.writing;
	disk.stale[copy] = 0;
	for (uint32_t b = 0; b < NBLOCK; b++) {
		going[b] = dirty[b]; /* all of them are in stale blocks */
		dirty[b] = 0;
	}
	commit.ending = commit.flushes;
	commit.flushes = 0;
	commit.step = STEP_RECORDS;
	write_records();
}

/* Begins a commit unless one is under way, or a dying extent must drain first. */
static void begin_if_idle(void)
{
	if (commit.step == STEP_IDLE && !change.draining)
		begin();
}

/* The asker, and whoever was answered BUSY, may look again. */
static void tell(void)
{
	event_raise(env_by_eid(change.asker), EXO_EV_EXTENT);
	for (uint32_t w = 0; w < NEWORD; w++) {
		while (turned_away[w] != 0) {
			const uint32_t bit = (uint32_t)__builtin_ctzll(turned_away[w]);

			turned_away[w] &= turned_away[w] - 1;
			event_raise(w * 64 + bit, EXO_EV_EXTENT);
		}
	}
}

/* Whoever pays for x pays for one less. */
static void uncharge(uint32_t x)
{
	if (extents[x].payer != 0)
		quota_release(extents[x].payer, EXO_QUOTA_EXTENTS, 1);
	extents[x].payer = 0;
}

static void change_done(void)
{
	if (change.kind == CHANGE_TAKE) {
		extents[change.x].state = EXO_EXTENT_LIVE;
	} else if (change.kind == CHANGE_FREE) {
		uncharge(change.x);
		make_free(change.x);
	} else if (change.kind == CHANGE_SPLIT) {
		extents[change.part].state = EXO_EXTENT_LIVE;
	}
	change.kind = CHANGE_NONE;
}

/*
 * The commit failed; `unknown`: its head may have reached the disk all the same.  Then a removal is
 * neither undone (the owner would write to what the next boot does not know) nor done: it stays
 * DYING, and the next commit finishes it.
 */
static void change_failed(int unknown)
{
	const uint32_t x = change.x;

	if (change.kind == CHANGE_FREE && unknown)
		return;
	if (change.kind == CHANGE_TAKE) {
		uncharge(x);
		make_free(x);
	} else if (change.kind == CHANGE_FREE) {
		extents[x].state = EXO_EXTENT_LIVE;
	} else if (change.kind == CHANGE_SPLIT) {
		uncharge(change.part);
		join();
	} else if (change.kind == CHANGE_ACCESS) {
		extents[x].other = change.old_other;
		extents[x].other_rights = change.old_rights;
	}
	change.kind = CHANGE_NONE;
}

static void end_flushes(enum exo_status status)
{
	uint16_t io = commit.ending;

	commit.ending = 0;
	while (io != 0) {
		const uint32_t i = io - 1u;

		io = ios[i].next;
		io_finish(i, status, 0);
	}
}

static void commit_end(enum exo_status status)
{
	const uint32_t copy = !disk.newest;
	const int unknown = commit.step >= STEP_HEAD;

	commit.step = STEP_IDLE;
	if (status == EXO_OK) {
		disk.newest = copy;
		disk.seq++;
		change_done();
	} else {
		disk.stale[copy] |= commit.writing;
		for (uint32_t b = 0; b < NBLOCK; b++)
			dirty[b] |= going[b];
		change_failed(unknown);
	}
	for (uint32_t b = 0; b < NBLOCK; b++)
		going[b] = 0;
	tell();
	end_flushes(status);
	if (commit.flushes != 0)
		begin_if_idle();
}

void extent_step(enum exo_status status)
{
	if (status != EXO_OK || commit.step == STEP_SEAL) {
		commit_end(status);
	} else if (commit.left != 0) {
		write_records();
	} else if (commit.step == STEP_RECORDS) {
		commit.step = STEP_BARRIER;
		flush_drive();
	} else if (commit.step == STEP_BARRIER) {
		commit.step = STEP_HEAD;
		write_head();
	} else {
		commit.step = STEP_SEAL;
		flush_drive();
	}
}

/* ---- for requests ------------------------------------------------------------------------ */

enum exo_status extent_admit(uint32_t x, uint32_t gen, enum exo_io_op op, uint64_t block,
			     uint32_t count)
{
	const struct exo_extent *r = &extents[x];

	if (r->gen != gen || r->state != EXO_EXTENT_LIVE)
		return EXO_STALE;
	if (op == EXO_IO_READ && block + count > r->start + r->init)
		return EXO_UNINIT;
	if ((op == EXO_IO_WRITE || op == EXO_IO_CLEAR) && block > r->start + r->init)
		return EXO_UNINIT;
	return EXO_OK;
}

void extent_written(uint32_t x, uint64_t block, uint32_t count)
{
	struct exo_extent *r = &extents[x];
	const uint64_t reached = block + count - r->start;

	if (reached <= r->init)
		return;
	r->init = reached;
	if (r->drive != disk.drive)
		return;
	dirty[x / EXO_EXTENTS_PER_BLOCK] |= record_bit(x);
	mark(x);
}

void extent_drained(uint32_t x)
{
	if (change.draining && change.x == x) {
		change.draining = 0;
		if (change.kind == CHANGE_SPLIT)
			cut();
		begin_if_idle();
	}
}

static void hold(uint16_t *list, uint32_t io)
{
	ios[io].next = *list;
	*list = (uint16_t)(io + 1);
}

int extent_takes_flush(uint32_t x, uint32_t io)
{
	const uint32_t b = x / EXO_EXTENTS_PER_BLOCK;

	if ((dirty[b] & record_bit(x)) != 0)
		hold(&commit.flushes, io);
	else if ((going[b] & record_bit(x)) != 0)
		hold(&commit.ending, io); /* its last flush is still to come */
	else
		return 0;
	begin_if_idle();
	return 1;
}

/* ---- calls ------------------------------------------------------------------------------- */

/* OK when a change may begin now; else the caller hears of it when it is worth another try. */
static enum exo_status room_for_change(uint32_t e)
{
	if (!extent_changing())
		return EXO_OK;
	turned_away[e / 64] |= 1ull << e % 64;
	begin_if_idle(); /* a removal whose commit failed goes on here */
	io_tick();
	return EXO_BUSY;
}

static void begin_change(enum change_kind kind, uint32_t x, uint32_t e)
{
	change.kind = kind;
	change.x = x;
	change.asker = env_eid(e).n;
	change.draining = (kind == CHANGE_FREE || kind == CHANGE_SPLIT) && io_active_on(x);
	if (kind == CHANGE_SPLIT && !change.draining)
		cut();
	begin_if_idle();
	io_tick();
}

/* May start..start+len-1 stand right after record prev? */
static enum exo_status fits(uint64_t prev, uint64_t start, uint64_t len)
{
	uint32_t next;

	if (prev >= disk.records || len == 0 || start < disk.pool || start >= disk.pool_end ||
	    len > disk.pool_end - start)
		return EXO_RANGE;
	if (extents[prev].state == EXO_EXTENT_FREE || extents[prev].drive != disk.drive ||
	    extents[prev].start >= start)
		return EXO_ARG;
	next = extents[prev].next;
	if (end_of((uint32_t)prev) > start || (next != 0 && start + len > extents[next].start))
		return EXO_OCCUPIED;
	return EXO_OK;
}

static struct exo_extent new_extent(uint64_t start, uint64_t len, uint32_t drive, uint64_t owner,
				    uint32_t gen, uint64_t name)
{
	struct exo_extent r = {.start = start, .len = len, .owner = owner, .gen = gen};

	r.state = EXO_EXTENT_TAKING;
	r.drive = (uint8_t)drive;
	for (uint32_t i = 0; i < sizeof(r.name); i++)
		r.name[i] = (char)(name >> 8 * i & 0xff);
	return r;
}

struct exo_result sys_extent_take(uint64_t index, uint64_t prev, uint64_t start, uint64_t len,
				  uint64_t drive, uint64_t name)
{
	const uint32_t e = cpu_self();
	enum exo_status status;

	if (drive != disk.drive || disk.records == 0)
		return refuse(EXO_NODEV);
	if (index == 0 || index >= disk.records)
		return refuse(EXO_RANGE);
	status = room_for_change(e);
	if (status == EXO_OK && extents[index].state != EXO_EXTENT_FREE)
		status = EXO_OCCUPIED;
	if (status == EXO_OK)
		status = fits(prev, start, len);
	if (status == EXO_OK)
		status = quota_room(e, EXO_QUOTA_EXTENTS, 1);
	if (status != EXO_OK)
		return refuse(status);

	quota_charge(e, EXO_QUOTA_EXTENTS, 1);
	extents[index] =
		new_extent(start, len, disk.drive, envs[e].principal, extents[index].gen, name);
	extents[index].payer = (uint16_t)e;
	link_after((uint32_t)prev, (uint32_t)index);
	begin_change(CHANGE_TAKE, (uint32_t)index, e);
	return answer(EXO_OK, 0);
}

/* The extent that slot s of e covers whole, with ADMIN. */
static enum exo_status whole_extent(uint32_t e, uint64_t s, uint32_t *x)
{
	struct exo_cap cap;
	const enum exo_status status = cap_find(e, s, EXO_CAP_EXTENT, EXO_RIGHT_ADMIN, &cap);

	if (status != EXO_OK)
		return status;
	if (cap.start != extents[cap.object].start || cap.len != extents[cap.object].len)
		return EXO_RANGE;
	*x = cap.object;
	return EXO_OK;
}

struct exo_result sys_extent_free(uint64_t s)
{
	const uint32_t e = cpu_self();
	uint32_t x = 0;
	enum exo_status status = whole_extent(e, s, &x);

	if (status == EXO_OK && extents[x].drive != disk.drive)
		status = EXO_PERM; /* the extent of a drive without a table */
	if (status == EXO_OK)
		status = room_for_change(e);
	if (status != EXO_OK)
		return refuse(status);

	extents[x].state = EXO_EXTENT_DYING;
	extents[x].gen++;
	mark(x);
	mark(before[x]);
	begin_change(CHANGE_FREE, x, e);
	return answer(EXO_OK, 0);
}

struct exo_result sys_extent_open(uint64_t index, uint64_t d)
{
	const uint32_t e = cpu_self();
	const struct exo_extent *r;
	uint32_t rights = 0;
	enum exo_status status;

	if (index >= disk.records)
		return refuse(EXO_RANGE);
	r = &extents[index];
	if (r->state != EXO_EXTENT_LIVE)
		return refuse(EXO_STATE);
	if (principal_above(envs[e].principal, r->owner))
		rights = RIGHTS_ALL;
	else if (r->other_rights != 0 && principal_above(envs[e].principal, r->other))
		rights = r->other_rights;
	status = rights == 0 ? EXO_PERM : cap_room(e, d);
	if (status != EXO_OK)
		return refuse(status);

	cap_put(e, (uint32_t)d,
		(struct exo_cap){.kind = EXO_CAP_EXTENT,
				 .rights = (uint8_t)rights,
				 .object = (uint32_t)index,
				 .gen = r->gen,
				 .start = r->start,
				 .len = r->len});
	return answer(EXO_OK, 0);
}

struct exo_result sys_extent_access(uint64_t s, uint64_t principal, uint64_t rights)
{
	const uint32_t e = cpu_self();
	uint32_t x = 0;
	enum exo_status status = whole_extent(e, s, &x);

	if (status == EXO_OK && rights > (EXO_RIGHT_READ | EXO_RIGHT_WRITE))
		status = EXO_ARG;
	if (status == EXO_OK && extents[x].drive == disk.drive)
		status = room_for_change(e);
	if (status != EXO_OK)
		return refuse(status);

	if (extents[x].drive == disk.drive) {
		change.old_other = extents[x].other;
		change.old_rights = extents[x].other_rights;
	}
	extents[x].other = principal;
	extents[x].other_rights = (uint8_t)rights;
	if (extents[x].drive == disk.drive) {
		mark(x);
		begin_change(CHANGE_ACCESS, x, e);
	} else {
		event_raise(e, EXO_EV_EXTENT); /* not kept anywhere */
	}
	return answer(EXO_OK, 0);
}

/* May the whole extent x be cut before block `at`, into itself and record `index`? */
static enum exo_status may_split(uint32_t e, uint32_t x, uint64_t at, uint64_t index)
{
	enum exo_status status;

	if (extents[x].drive != disk.drive)
		return EXO_PERM; /* the extent of a drive without a table */
	if (index == 0 || index >= disk.records || at <= extents[x].start || at >= end_of(x))
		return EXO_RANGE;
	status = room_for_change(e);
	if (status != EXO_OK)
		return status;
	if (extents[index].state != EXO_EXTENT_FREE)
		return EXO_OCCUPIED;
	return quota_room(e, EXO_QUOTA_EXTENTS, 1);
}

struct exo_result sys_extent_split(uint64_t s, uint64_t at, uint64_t index)
{
	const uint32_t e = cpu_self();
	uint32_t x = 0;
	enum exo_status status = whole_extent(e, s, &x);

	if (status == EXO_OK)
		status = may_split(e, x, at, index);
	if (status != EXO_OK)
		return refuse(status);

	quota_charge(e, EXO_QUOTA_EXTENTS, 1);
	extents[x].gen++;
	extents[x].state = EXO_EXTENT_TAKING; /* nobody opens it whole while requests drain */
	mark(x);
	extents[index].payer = (uint16_t)e;
	change.part = (uint32_t)index;
	change.part_gen = extents[index].gen;
	change.at = at;
	begin_change(CHANGE_SPLIT, x, e);
	return answer(EXO_OK, 0);
}

/* ---- recalling --------------------------------------------------------------------------- */

/* Is slot i of e a good capability inside what `cap` covers? */
static int inside(uint32_t e, uint32_t i, const struct exo_cap *cap)
{
	const struct exo_cap *const c = &caps[e].c[i];

	return c->kind == EXO_CAP_EXTENT && c->object == cap->object && c->gen == cap->gen &&
	       c->start >= cap->start && c->start + c->len <= cap->start + cap->len;
}

/* How many capabilities inside `cap` e has; with `empty`, their slots are emptied. */
static uint32_t held(uint32_t e, const struct exo_cap *cap, int empty)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < EXO_NCAP; i++) {
		if (!inside(e, i, cap))
			continue;
		count++;
		if (empty)
			cap_clear(e, i);
	}
	return count;
}

/* e has capabilities inside `cap`: asks for them, or takes them when they were asked in time. */
static struct exo_result recall(uint32_t me, uint32_t e, const struct exo_cap *cap,
				uint64_t deadline)
{
	const struct exo_ask *const ask = &revokes[e].ask[EXO_ASK_EXTENT];
	const int same = ask->extent == cap->object;
	enum exo_status status = same ? revoke_due(me, e, EXO_ASK_EXTENT) : EXO_STATE;

	if (!same && ask->n != 0 && machine_now() < ask->deadline)
		return refuse(EXO_BUSY);

	if (status == EXO_OK) {
		(void)held(e, cap, 1);
		revoke_note_taken(e, EXO_QUOTA_EXTENTS, cap->object);
		return answer(revoke_record(me, e, EXO_ASK_EXTENT, 0, 0, 0), 1);
	}
	if (status == EXO_STATE)
		status = revoke_record(me, e, EXO_ASK_EXTENT, 1, cap->object, deadline);
	return refuse(status == EXO_AGAIN ? EXO_OK : status);
}

struct exo_result sys_extent_recall(uint64_t s, uint64_t eid, uint64_t deadline)
{
	const uint32_t me = cpu_self(), e = env_by_eid(eid);
	struct exo_cap cap;
	const enum exo_status status = cap_find(me, s, EXO_CAP_EXTENT, EXO_RIGHT_ADMIN, &cap);

	if (status != EXO_OK)
		return refuse(status);
	if (e == 0)
		return refuse(EXO_STALE);
	if (e == me)
		return refuse(EXO_ARG);
	if (envs[e].state == EXO_ENV_ZOMBIE)
		return refuse(EXO_STATE);
	if (held(e, &cap, 0) == 0)
		return answer(EXO_OK, 1);
	return recall(me, e, &cap, deadline);
}

/* ---- boot -------------------------------------------------------------------------------- */

const char *extent_fault_name(enum extent_fault fault)
{
	static const char *const names[] = {
		[EXTENT_GOOD] = "good",
		[EXTENT_BAD_READ] = "the drive reports an error",
		[EXTENT_BAD_HEAD] = "head: wrong magic, version, size or checksum",
		[EXTENT_BAD_ID] = "head: belongs to another image",
		[EXTENT_BAD_BLOCK] = "record block: wrong checksum",
		[EXTENT_BAD_RECORD] = "record: impossible state, rights or watermark",
		[EXTENT_BAD_RANGE] = "record: blocks outside the pool or the drive",
		[EXTENT_BAD_ORDER] = "list: not sorted, or extents overlap",
		[EXTENT_BAD_LIST] = "list: bad link, or record outside it",
		[EXTENT_BAD_SENTINEL] = "record 0 is not the sentinel",
		[EXTENT_BAD_PLACE] = "image header: table or pool does not fit the drive",
	};

	return names[fault];
}

/* a..a+alen-1 and b..b+blen-1 have no block in common; neither wraps. */
static int apart(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a + alen <= b || b + blen <= a;
}

static int places_fit(const struct exo_image *image, uint64_t blocks)
{
	const uint64_t n = image->table_blocks, pool_len = image->pool_end - image->pool;

	if (n < 2 || n > NBLOCK + 1 || image->pool > image->pool_end || image->pool_end > blocks)
		return 0;
	for (uint32_t c = 0; c < 2; c++) {
		if (image->table[c] >= blocks || n > blocks - image->table[c] ||
		    !apart(image->table[c], n, image->pool, pool_len))
			return 0;
	}
	return apart(image->table[0], n, image->table[1], n);
}

/* Reads and judges the head of a copy; its checksums go to disk.crc, its number to *seq. */
static enum extent_fault load_head(uint32_t copy, uint64_t *seq)
{
	struct exo_extents_head *head = &extent_page.head;
	uint32_t crc;

	if (machine_disk_read(disk.drive, disk.place[copy], &extent_page) != EXO_OK)
		return EXTENT_BAD_READ;
	crc = head->crc;
	head->crc = 0;
	if (head->magic != EXO_EXTENTS_MAGIC || head->version != EXO_IMAGE_VERSION ||
	    head->blocks != disk.records / EXO_EXTENTS_PER_BLOCK ||
	    exo_crc32c(0, extent_page.bytes, sizeof(*head)) != crc)
		return EXTENT_BAD_HEAD;
	if (head->id != disk.id)
		return EXTENT_BAD_ID;
	for (uint32_t b = 0; b < NBLOCK; b++)
		disk.crc[copy][b] = head->block_crc[b];
	*seq = head->seq;
	return EXTENT_GOOD;
}

static enum extent_fault load_records(uint32_t copy)
{
	for (uint32_t b = 0; b < disk.records / EXO_EXTENTS_PER_BLOCK; b++) {
		if (machine_disk_read(disk.drive, disk.place[copy] + 1 + b, &extent_page) != EXO_OK)
			return EXTENT_BAD_READ;
		if (exo_crc32c(0, extent_page.bytes, EXO_BLOCK_SIZE) != disk.crc[copy][b])
			return EXTENT_BAD_BLOCK;
		for (uint32_t i = 0; i < EXO_EXTENTS_PER_BLOCK; i++)
			extents[b * EXO_EXTENTS_PER_BLOCK + i] = extent_page.record[i];
	}
	return EXTENT_GOOD;
}

static enum extent_fault check_record(const struct exo_extent *r, uint64_t blocks)
{
	if ((r->state != EXO_EXTENT_LIVE && r->state != EXO_EXTENT_SYSTEM) || r->drive != 0 ||
	    r->len == 0 || r->init > r->len || r->other_rights > (EXO_RIGHT_READ | EXO_RIGHT_WRITE))
		return EXTENT_BAD_RECORD;
	if (r->start >= blocks || r->len > blocks - r->start)
		return EXTENT_BAD_RANGE;
	if (r->state == EXO_EXTENT_LIVE &&
	    (r->start < disk.pool || r->start + r->len > disk.pool_end))
		return EXTENT_BAD_RANGE;
	return EXTENT_GOOD;
}

/* Follows the list: every step goes to a higher start, so it ends. */
static enum extent_fault check_list(uint32_t used)
{
	uint32_t seen = 1;

	for (uint32_t x = 0, next = extents[0].next; next != 0; x = next, next = extents[x].next) {
		if (next >= disk.records || extents[next].state == EXO_EXTENT_FREE)
			return EXTENT_BAD_LIST;
		if (end_of(x) > extents[next].start)
			return EXTENT_BAD_ORDER;
		before[next] = (uint16_t)x;
		seen++;
	}
	return seen == used ? EXTENT_GOOD : EXTENT_BAD_LIST;
}

static enum extent_fault check_table(uint64_t blocks)
{
	uint32_t used = 0;

	if (extents[0].state != EXO_EXTENT_SYSTEM || extents[0].start != 0 ||
	    extents[0].len > disk.pool)
		return EXTENT_BAD_SENTINEL;
	for (uint32_t x = 0; x < disk.records; x++) {
		enum extent_fault fault;

		if (extents[x].state == EXO_EXTENT_FREE) {
			extents[x] = (struct exo_extent){.gen = extents[x].gen};
			continue;
		}
		fault = check_record(&extents[x], blocks);
		if (fault != EXTENT_GOOD)
			return fault;
		extents[x].drive = (uint8_t)disk.drive;
		extents[x].payer = 0; /* whatever the disk says */
		used++;
	}
	return check_list(used);
}

static enum extent_fault load_copy(uint32_t copy, uint64_t blocks)
{
	enum extent_fault fault = load_records(copy);

	if (fault == EXTENT_GOOD)
		fault = check_table(blocks);
	if (fault != EXTENT_GOOD) {
		for (uint32_t x = 0; x < disk.records; x++)
			extents[x] = (struct exo_extent){.gen = 1};
	}
	return fault;
}

static void forget(void)
{
	disk.records = 0;
	disk.stale[0] = disk.stale[1] = 0;
	commit.step = STEP_IDLE;
	commit.flushes = commit.ending = 0;
	change.kind = CHANGE_NONE;
	change.draining = 0;
	for (uint32_t b = 0; b < NBLOCK; b++)
		dirty[b] = going[b] = 0;
	for (uint32_t w = 0; w < NEWORD; w++)
		turned_away[w] = 0;
}

struct extent_loaded extent_load(const struct exo_image *image, uint32_t drive, uint64_t blocks)
{
	struct extent_loaded l = {.fault = {EXTENT_BAD_PLACE, EXTENT_BAD_PLACE}};
	uint64_t seq[2] = {0, 0};
	uint32_t used;

	forget();
	if (!places_fit(image, blocks))
		return l;
	disk.drive = drive;
	disk.id = image->id;
	disk.pool = image->pool;
	disk.pool_end = image->pool_end;
	disk.records = (uint32_t)(image->table_blocks - 1) * EXO_EXTENTS_PER_BLOCK;
	for (uint32_t c = 0; c < 2; c++) {
		disk.place[c] = image->table[c];
		l.fault[c] = load_head(c, &seq[c]);
	}
	l.copy = l.fault[0] != EXTENT_GOOD || (l.fault[1] == EXTENT_GOOD && seq[1] > seq[0]);
	for (uint32_t tries = 0; tries < 2 && !l.usable; tries++, l.copy ^= !l.usable) {
		if (l.fault[l.copy] == EXTENT_GOOD)
			l.fault[l.copy] = load_copy(l.copy, blocks);
		l.usable = l.fault[l.copy] == EXTENT_GOOD;
	}
	disk.newest = l.copy;
	disk.seq = seq[l.copy];
	used = disk.records / EXO_EXTENTS_PER_BLOCK;
	disk.stale[!l.copy] = used ? ~0ull >> (64 - used) : 0;
	if (!l.usable)
		disk.records = 0;
	return l;
}

void extent_charge_all(void)
{
	for (uint32_t x = 1; x < EXO_NEXTENT; x++) {
		if (extents[x].state == EXO_EXTENT_FREE)
			continue;
		extents[x].payer = FIRST_ENV;
		quota_charge(FIRST_ENV, EXO_QUOTA_EXTENTS, 1);
	}
}

enum exo_status extent_pass_charge(uint64_t x, uint32_t from, uint32_t to)
{
	if (x == 0 || x >= EXO_NEXTENT)
		return EXO_RANGE;
	if (extents[x].payer != from)
		return EXO_PERM;
	extents[x].payer = (uint16_t)to;
	quota_pass(from, to, EXO_QUOTA_EXTENTS, 1);
	return EXO_OK;
}

enum exo_status extent_add_drive(uint32_t drive, uint64_t blocks)
{
	const char name[8] = {'d', 'r', 'i', 'v', 'e', (char)('0' + drive)};

	for (uint32_t x = disk.records; x-- > 1;) {
		if (extents[x].state != EXO_EXTENT_FREE)
			continue;
		extents[x] = (struct exo_extent){.len = blocks,
						 .init = blocks,
						 .gen = extents[x].gen,
						 .state = EXO_EXTENT_LIVE,
						 .drive = (uint8_t)drive};
		for (uint32_t i = 0; i < sizeof(name); i++)
			extents[x].name[i] = name[i];
		return EXO_OK;
	}
	return EXO_FULL;
}
