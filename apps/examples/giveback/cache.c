/*
 * cache - the buffer cache of the libOS, over memory that somebody else wants back.
 *
 * Reads blocks in no order, nine of ten from a small hot set, through a cache of its own
 * (libos/buf.h, with the policy that it is linked with).  When the kernel passes on that somebody
 * wants frames back (EXO_EV_REVOKE), the handler only notes it; before the next access the cache
 * gives the frames that it can do without best, and they are unmapped and freed.  No kernel could
 * choose them: it sees frames, not which block is worth what.
 *
 * Ends when `pressure` has asked often enough.  Exits with 0 when nothing was taken by force and
 * the hit rate has fallen by a few percent only, with a third of its pages left (doc/examples.md).
 */
#include <libos/bare.h>
#include <libos/buf.h>
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

struct rate {
	uint64_t hits, accesses;
};

static struct buf_cache *cache;
static uint32_t frames[PAGES]; /* 0: it was given back */
static char region[64 << 10] __attribute__((aligned(DISK_BLOCK)));
static uint64_t base, dice = 88172645463325252ull;
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

static int make_cache(struct disk *d)
{
	int err = vm_reserve(0, PAGES * VM_PAGE, VM_READ | VM_WRITE, VM_FOREIGN, &base);

	for (uint32_t i = 0; i < PAGES && !err; i++) {
		err = frame_take(LAYOUT_CAP_SELF, EXO_PAGE_DATA, &frames[i]);
		if (!err)
			err = vm_map(page_va(i), frames[i], 1, VM_READ | VM_WRITE, LAYOUT_CAP_SELF);
	}
	cache = buf_init(arena_init(region, sizeof(region)), (void *)base, PAGES, disk_size(d));
	return err || !cache;
}

/* What is asked for and not yet there, coldest first. */
static void give_back(struct disk *d)
{
	static void *pages[PAGES];
	const uint64_t since = asked_at;
	const uint32_t wanted = revoke_asked(EXO_ASK_PAGES, NULL);
	const uint32_t n = buf_give(cache, d, wanted < PAGES ? wanted : PAGES, pages);

	asked_at = 0;
	times += wanted != 0;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t which = (uint32_t)(((uint64_t)pages[i] - base) / VM_PAGE);

		(void)vm_unmap(page_va(which), 1);
		(void)frames_free(LAYOUT_CAP_SELF, frames[which], 1);
		frames[which] = 0;
	}
	given += n;
	if (time_now() - since > slowest_ns)
		slowest_ns = time_now() - since;
}

static int access_block(struct disk *d, uint32_t block)
{
	struct buf *b;
	int err = buf_get(cache, d, block, BUF_READ, &b);

	if (err)
		return err;
	err = *(const uint64_t *)b->data != block;
	buf_put(b);
	return err;
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
	struct buf_stats before, after;
	int err = 0;

	buf_get_stats(cache, &before);
	while (!err && time_now() < end && (asks == 0 || times < asks)) {
		if (asked_at != 0)
			give_back(d);
		err = access_block(d, next_block());
	}
	buf_get_stats(cache, &after);
	rate->hits = after.hits - before.hits;
	rate->accesses = rate->hits + after.misses - before.misses;
	return err;
}

/* Each block holds its number. */
static int prepare(struct disk *d)
{
	int err = make_cache(d);

	for (uint32_t i = 0; i < BLOCKS && !err; i++) {
		struct buf *b;

		err = buf_get(cache, d, i, BUF_OVERWRITE, &b);
		if (err)
			break;
		*(uint64_t *)b->data = i;
		buf_dirty(cache, b, 0);
		buf_put(b);
	}
	return err ? err : buf_sync(cache, d);
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
