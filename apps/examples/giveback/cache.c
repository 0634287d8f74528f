/*
 * cache - a cache of disk blocks that knows what memory is worth to it.
 *
 * Reads blocks in no order, nine of ten from a small hot set, through a cache of its own.  When
 * the kernel passes on that somebody wants frames back (EXO_EV_REVOKE), the handler only notes it;
 * before the next access the cache frees the pages that it has used least recently.  No kernel
 * could choose them: it sees frames, not which block is worth what.
 *
 * Ends when `pressure` has asked often enough.  Exits with 0 when nothing was taken by force and
 * the hit rate has fallen by a few percent only, with a third of its pages left (doc/examples.md).
 */
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/revoke.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

int main(void);

enum { PAGES = 384, BLOCKS = 1024, HOT = 64, MS = 1000000, PERMILLE = 1000, MOST_LOST = 150 };
enum { ROUNDS = 4, PATIENCE_MS = 6000 }; /* what pressure does, and takes at most */

struct entry {
	uint64_t used;	/* access that used it last */
	uint32_t block; /* + 1; 0: it holds none */
	uint32_t frame; /* 0: it was given back */
};

struct rate {
	uint64_t hits, accesses;
};

static struct entry cache[PAGES];
static uint16_t where[BLOCKS]; /* entry + 1; 0: not cached */
static uint64_t base, now, dice = 88172645463325252ull;
static uint32_t given, times;
static uint64_t slowest_ns;
static RESIDENT volatile uint64_t asked_at;

static int on_event(struct exo_upcall_frame *frame)
{
	if ((frame->addr & EXO_EV_REVOKE) != 0 && asked_at == 0)
		asked_at = time_now();
	return 1;
}

static uint64_t page_va(uint32_t i)
{
	return base + (uint64_t)i * VM_PAGE;
}

static int fill_cache(void)
{
	int err = vm_reserve(0, PAGES * VM_PAGE, VM_READ | VM_WRITE, VM_FOREIGN, &base);

	for (uint32_t i = 0; i < PAGES && !err; i++) {
		err = frame_take(LAYOUT_CAP_SELF, EXO_PAGE_DATA, &cache[i].frame);
		if (!err)
			err = vm_map(page_va(i), cache[i].frame, 1, VM_READ | VM_WRITE,
				     LAYOUT_CAP_SELF);
	}
	return err;
}

/* The page used least recently, of those that are still there. */
static struct entry *coldest(void)
{
	struct entry *best = NULL;

	for (uint32_t i = 0; i < PAGES; i++)
		if (cache[i].frame != 0 && (!best || cache[i].used < best->used))
			best = &cache[i];
	return best;
}

static void forget(struct entry *e)
{
	if (e->block != 0)
		where[e->block - 1] = 0;
	e->block = 0;
}

/* What is asked for and not yet there, coldest first. */
static void give_back(void)
{
	const uint64_t since = asked_at;
	uint32_t n = revoke_asked(EXO_ASK_PAGES, NULL);

	asked_at = 0;
	times += n != 0;
	for (struct entry *e; n != 0 && (e = coldest()) != NULL; n--) {
		forget(e);
		(void)vm_unmap(page_va((uint32_t)(e - cache)), 1);
		(void)frames_free(LAYOUT_CAP_SELF, e->frame, 1);
		e->frame = 0;
		given++;
	}
	if (time_now() - since > slowest_ns)
		slowest_ns = time_now() - since;
}

static int access_block(struct disk *d, uint32_t block, struct rate *rate)
{
	struct entry *e = where[block] != 0 ? &cache[where[block] - 1] : coldest();
	int err = 0;

	rate->accesses++;
	if (where[block] != 0) {
		rate->hits++;
	} else {
		forget(e);
		err = bare_transfer(d, DISK_READ, block, 1, (void *)page_va((uint32_t)(e - cache)));
		e->block = block + 1;
		where[block] = (uint16_t)(e - cache + 1);
	}
	e->used = ++now;
	return err || *(volatile uint64_t *)page_va((uint32_t)(e - cache)) != block;
}

static uint32_t next_block(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice % 10 != 0 ? dice / 10 % HOT : dice / 10 % BLOCKS);
}

/* Who waits for a cache that is warm looks for this name. */
static void call_itself_warm(void)
{
	uint64_t name = 0;

	for (int i = 3; i >= 0; i--)
		name = name << 8 | (uint8_t) "warm"[i];
	(void)call_env_set(EXO_SELF.n, EXO_SET_NAME_LO, name);
}

/* Accesses for `ms`; with `asks`, ends when it was asked so many times. */
static int work(struct disk *d, struct rate *rate, uint64_t ms, uint32_t asks)
{
	const uint64_t end = time_now() + ms * MS;
	int err = 0;

	while (!err && time_now() < end && (asks == 0 || times < asks)) {
		if (asked_at != 0)
			give_back();
		err = access_block(d, next_block(), rate);
	}
	return err;
}

static int prepare(struct disk *d)
{
	volatile uint64_t *page;
	int err = fill_cache();

	page = (volatile uint64_t *)base;
	for (uint32_t b = 0; b < BLOCKS && !err; b++) {
		*page = b;
		err = bare_transfer(d, DISK_WRITE, b, 1, (void *)base);
	}
	return err;
}

static uint64_t permille(const struct rate *r)
{
	return r->accesses != 0 ? r->hits * PERMILLE / r->accesses : 0;
}

static void print_rate(const char *when, const struct rate *r, uint32_t pages)
{
	bare_print("cache: %s: %u pages, %u accesses, %u.%u %% of them hits\n", when,
		   (uint64_t)pages, r->accesses, permille(r) / 10, permille(r) % 10);
}

int main(void)
{
	struct rate warm = {0, 0}, before = {0, 0}, during = {0, 0}, after = {0, 0};
	uint64_t taken, tick;
	struct disk *d;
	int err = bare_open("blocks", &d);

	upcall_on_event(on_event, EXO_EV_REVOKE | EXO_EV_TAKEN);
	if (!err)
		err = prepare(d);
	if (!err)
		err = work(d, &warm, 200, 0) || work(d, &before, 200, 0);
	call_itself_warm();
	if (!err)
		err = work(d, &during, PATIENCE_MS, ROUNDS) || work(d, &after, 200, 0);
	taken = tables_revoke(EXO_EID_INDEX((struct eid){start_self()}))->taken;
	tick = tables_info()->tick_ns;
	print_rate("before", &before, PAGES);
	print_rate("after", &after, PAGES - given);
	bare_print("cache: asked %u times, gave %u pages, each time within %u slices; %u taken by "
		   "force%s\n",
		   (uint64_t)times, (uint64_t)given, (slowest_ns + tick - 1) / tick, taken,
		   err ? "; an error" : "");
	return err || taken != 0 || times != ROUNDS ||
	       permille(&after) + MOST_LOST < permille(&before);
}
