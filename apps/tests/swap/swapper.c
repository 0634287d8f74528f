/*
 * swapper - four times as much memory as its page quota, in a program linked with vm=swap.
 *
 *   swapper              fills it with random pages, checks and permutes them
 *   swapper taken        with twice its quota, goes on until `taker`, who asks for its pages, has
 * gone swapper lost         drops its right to the extent: the next page that is out ends it
 *   swapper measure      says what a fault costs that brings a page back (doc/bench.md)
 *
 * Beside the swapping it writes and reads extent `blocks`, when it has it, with requests that lie
 * in the memory that goes.  Prints `ok` and `FAIL` lines.
 */
#include <errno.h>
#include <string.h>
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/build.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

enum {
	RW = VM_READ | VM_WRITE,
	WORDS = VM_PAGE / 8,
	TIMES = 4,
	TWICE = 2,
	MOST = 4096,
	IO_BLOCKS = 16,
	READS = 10000
};
#define PATIENCE 30000000000ull /* ns that the taker may take to come */

static uint32_t page_is[MOST]; /* which page's contents stand there */
static uint64_t base, pages, failures;
static uint64_t random_state = 88172645463325252ull;

static void expect(const char *what, int good)
{
	bare_print("%s swapper: %s\n", good ? "ok" : "FAIL", what);
	failures += !good;
}

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

static uint64_t *page(uint64_t i)
{
	return (uint64_t *)(base + i * VM_PAGE);
}

/* Word w of the contents number n. */
static uint64_t word(uint64_t n, uint64_t w)
{
	const uint64_t x = (n * WORDS + w + 1) * 0x9e3779b97f4a7c15ull;

	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
}

static void fill(uint64_t i)
{
	page_is[i] = (uint32_t)i;
	for (uint64_t w = 0; w < WORDS; w++)
		page(i)[w] = word(i, w);
}

static int right(uint64_t i)
{
	for (uint64_t w = 0; w < WORDS; w++)
		if (page(i)[w] != word(page_is[i], w))
			return 0;
	return 1;
}

static int all_right(void)
{
	for (uint64_t i = 0; i < pages; i++)
		if (!right(i))
			return 0;
	return 1;
}

static void exchange(uint64_t a, uint64_t b)
{
	const uint32_t was = page_is[a];

	for (uint64_t w = 0; w < WORDS; w++) {
		const uint64_t x = page(a)[w];

		page(a)[w] = page(b)[w];
		page(b)[w] = x;
	}
	page_is[a] = page_is[b];
	page_is[b] = was;
}

/* ---- beside it
 * ------------------------------------------------------------------------------------ */

struct io {
	struct disk_req req;
	void *pages[IO_BLOCKS];
};

/* Pages of the big memory go out and in by the disk's other way too: their contents move along. */
static int transfer(struct disk *d, uint64_t to, uint64_t from)
{
	struct io *io = (struct io *)page(pages);

	for (int op = DISK_WRITE; op >= DISK_READ; op--) {
		const uint64_t first = op == DISK_WRITE ? from : to;

		memset(io, 0, sizeof(*io));
		io->req = (struct disk_req){
			.op = (enum disk_op)op, .nblocks = IO_BLOCKS, .pages = io->pages};
		for (uint64_t i = 0; i < IO_BLOCKS; i++)
			io->pages[i] = page(first + i);
		if (disk_submit(d, &io->req))
			return 0;
		(void)right(random_next() % pages); /* pages come and go while it is under way */
		(void)right(random_next() % pages);
		if (disk_wait(d, &io->req))
			return 0;
	}
	for (uint64_t i = 0; i < IO_BLOCKS; i++)
		page_is[to + i] = page_is[from + i];
	return 1;
}

static int transfers(void)
{
	struct disk *d;
	int good = 1;

	if (bare_open("blocks", &d))
		return 1;
	for (int i = 0; i < 20 && good; i++) {
		const uint64_t half = pages / 2 - IO_BLOCKS;

		good = transfer(d, random_next() % half, pages / 2 + random_next() % half);
	}
	return good && all_right();
}

/* ---- tests
 * ----------------------------------------------------------------------------------------- */

static void permute(uint64_t times)
{
	for (uint64_t i = 0; i < times; i++)
		exchange(random_next() % pages, random_next() % pages);
}

static int protected_stays(void)
{
	int good = vm_protect(base, pages / 2 * VM_PAGE, VM_READ) == 0 && all_right();

	good = good && vm_protect(base, pages / 4 * VM_PAGE, VM_NONE) == 0;
	for (uint64_t i = pages / 4; i < pages; i++)
		good = good && right(i);
	good = good && vm_protect(base, pages / 2 * VM_PAGE, RW) == 0 && all_right();
	permute(50);
	return good && all_right();
}

static int refuses_a_copy(void)
{
	struct build_spec spec = {.name = "copy",
				  .principal = tables_env(start_self() & 0xffff)->principal,
				  .quota = {[EXO_QUOTA_PAGES] = 8}};
	struct build b;
	int err = build_begin(&b, &spec);

	if (err)
		return 0;
	err = vm_copy_to(&b);
	build_abort(&b);
	return err == -ENOTSUP;
}

/* Half of it goes: blocks and frames come back, and what comes there again is zero. */
static int gives_up(void)
{
	struct vm_stats before, after;
	const uint64_t n = pages / 2;
	uint64_t va;

	vm_get_stats(&before);
	if (vm_release(base, n * VM_PAGE))
		return 0;
	vm_get_stats(&after);
	if (after.out >= before.out || after.slots_used >= before.slots_used ||
	    before.out + before.held < after.out + after.held + n)
		return 0;
	if (vm_reserve(base, n * VM_PAGE, RW, VM_ANON, &va))
		return 0;
	for (uint64_t i = 0; i < n; i++)
		for (uint64_t w = 0; w < WORDS; w++)
			if (page(i)[w])
				return 0;
	for (uint64_t i = 0; i < n; i++)
		fill(i);
	return all_right();
}

static int refuses_too_much(void)
{
	struct vm_stats s;
	uint64_t va;

	vm_get_stats(&s);
	return vm_reserve(0, (s.slots + 64) * VM_PAGE, RW, VM_ANON, &va) == -ENOMEM && all_right();
}

static uint32_t limit(void)
{
	return tables_quota_limit(start_self() & 0xffff)->n[EXO_QUOTA_PAGES];
}

static int counted(void)
{
	struct vm_stats s;

	vm_get_stats(&s);
	bare_print("swapper: %u pages held, %u out; %u in by %u reads, %u out by %u writes, %u "
		   "dropped; %u of %u "
		   "blocks\n",
		   s.held, s.out, s.paged_in, s.reads, s.paged_out, s.writes, s.dropped,
		   s.slots_used, s.slots);
	return s.paged_in && s.reads && s.paged_out > pages / 2 && s.held < limit() && s.out > 0 &&
	       s.writes * 4 < s.paged_out && s.held + s.out >= pages;
}

static int begin(uint64_t times)
{
	pages = times * limit();
	if (pages > MOST - 1 || vm_reserve(0, (pages + 1) * VM_PAGE, RW, VM_ANON, &base))
		return 0;
	for (uint64_t i = 0; i < pages; i++)
		fill(i);
	return 1;
}

/* Reads anywhere: nearly each brings a page, and sends a clean one away. */
static void measure(void)
{
	const volatile struct exo_env *const e = tables_env(start_self() & 0xffff);
	const uint64_t ticks = e->used_ticks, since = time_now();
	struct vm_stats before, s;
	uint64_t ns, n;

	vm_get_stats(&before);
	for (int i = 0; i < READS; i++)
		(void)*(volatile uint64_t *)page(random_next() % pages);
	ns = time_now() - since;
	vm_get_stats(&s);
	n = s.reads - before.reads;
	if (n)
		bare_print("swapper: %u faults read %u pages: %u ns each, %u of them on the "
			   "processor\n",
			   n, s.paged_in - before.paged_in, ns / n,
			   (e->used_ticks - ticks) * tables_info()->tick_ns / n);
}

static void until_taker_gone(void)
{
	const uint64_t last = time_now() + PATIENCE;

	while (limit() >= pages / TWICE && time_now() < last)
		permute(4);
	expect("the taker came", limit() < pages / TWICE);
	while (tables_find("taker"))
		permute(4);
	expect("nothing was taken by force", tables_revoke(start_self() & 0xffff)->taken == 0);
	expect("all is right under revocation", all_right());
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!begin(strcmp(what, "taken") ? TIMES : TWICE)) {
		expect("has room for more than its quota", 0);
		return 1;
	}
	expect("fills", all_right());
	if (!strcmp(what, "lost")) {
		(void)call_cap_drop((uint64_t)start_extent("swap"));
		failures += !all_right();
		expect("must not go on", 0);
		return 1;
	}
	permute(pages);
	expect("permutes", all_right());
	if (!strcmp(what, "measure")) {
		measure();
		return failures != 0;
	}
	if (!strcmp(what, "taken")) {
		until_taker_gone();
		expect("counts", counted());
		return failures != 0;
	}
	expect("transfers beside", transfers());
	expect("protects", protected_stays());
	expect("refuses a copy", refuses_a_copy());
	expect("refuses too much", refuses_too_much());
	expect("counts", counted());
	expect("gives up", gives_up());
	return failures != 0;
}
