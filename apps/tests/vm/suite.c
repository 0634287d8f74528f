/*
 * suite.c - what every variant of libos/vm.h must do, whatever its policy.
 *
 * A bare program that prints `ok VARIANT/NAME` or `FAIL VARIANT/NAME: why` for each test, and exits
 * with 0 or 1.  It needs some pages, capability slots, one environment and one CPU slot, and an
 * extent `blocks` or `swap` to transfer with.  Tests count frames only by what comes back in the
 * end, since a variant may take them at the promise or at the touch, and let them go between.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <libos/bare.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

enum {
	RW = VM_READ | VM_WRITE,
	PAGES = 48,
	LEFT = PAGES + 8,
	MOST = 4096,
	CHILD_OK = 42,
	COPIES = 4
};

static int failures;

static uint32_t used(void)
{
	return tables_quota_used(start_self() & 0xffff)->n[EXO_QUOTA_PAGES];
}

static volatile char *at(uint64_t va, uint64_t page)
{
	return (volatile char *)(va + page * VM_PAGE);
}

/*
 * Frames that nobody maps, so that little more is left than a test needs: with a variant that sends
 * pages away, they go and come while it runs.
 */
static void ballast(int there)
{
	static uint32_t frame[MOST], count;
	const uint32_t limit = tables_quota_limit(start_self() & 0xffff)->n[EXO_QUOTA_PAGES];

	while (there && count < MOST && used() + LEFT < limit &&
	       !frame_take(0, EXO_PAGE_DATA, &frame[count]))
		count++;
	while (!there && count)
		(void)frames_free(0, frame[--count], 1);
}

/* Each page begins and ends with bytes of its own. */
static void stamp(uint64_t va, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		*at(va, i) = at(va, i)[VM_PAGE - 1] = (char)(i * 7 + 1);
}

static int stamped(uint64_t va, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i < last; i++)
		if (*at(va, i) != (char)(i * 7 + 1) || at(va, i)[VM_PAGE - 1] != (char)(i * 7 + 1))
			return 0;
	return 1;
}

static const char *test_reserve(void)
{
	uint64_t va, b;

	if (vm_reserve(0, PAGES * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	for (uint64_t i = 0; i < PAGES * VM_PAGE; i++)
		if (*at(va, 0) || at(va, 0)[i])
			return "not zero at first";
	stamp(va, PAGES);
	if (!stamped(va, 0, PAGES))
		return "does not keep what is written";
	if (vm_reserve(va + VM_PAGE, VM_PAGE, RW, VM_ANON, &b) != -EEXIST)
		return "reserved twice";
	if (vm_reserve(0, VM_PAGE, RW | VM_EXEC, VM_ANON, &b) != -EACCES)
		return "writable and executable";
	if (vm_reserve(va + 1, VM_PAGE, RW, VM_ANON, &b) != -EINVAL ||
	    vm_reserve(0, 0, RW, VM_ANON, &b) != -EINVAL)
		return "nonsense reserved";
	if (!vm_find(va) || vm_find(va)->end != va + PAGES * VM_PAGE)
		return "not found";
	return vm_release(va, PAGES * VM_PAGE) || vm_find(va) ? "not released" : 0;
}

static const char *test_release(void)
{
	uint32_t before = 0;
	uint64_t va;

	for (int round = 0; round < 3; round++) {
		if (vm_reserve(0, PAGES * VM_PAGE, RW, VM_ANON, &va))
			return "not reserved";
		stamp(va, PAGES);
		if (vm_release(va, PAGES * VM_PAGE))
			return "not released";
		if (round == 0)
			before = used(); /* page tables and records are there now */
	}
	return used() != before ? "frames do not come back" : 0;
}

static const char *test_split(void)
{
	uint64_t va;

	if (vm_reserve(0, PAGES * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	stamp(va, PAGES);
	if (vm_release(va + 10 * VM_PAGE, 5 * VM_PAGE))
		return "no hole made";
	if (vm_find(va + 12 * VM_PAGE) || !vm_find(va + 9 * VM_PAGE) || !vm_find(va + 15 * VM_PAGE))
		return "the hole is elsewhere";
	if (!stamped(va, 0, 10) || !stamped(va, 15, PAGES))
		return "something beside the hole went";
	if (vm_protect(va + 8 * VM_PAGE, 8 * VM_PAGE, VM_READ) != -ENOMEM)
		return "a hole was protected";
	if (vm_release(va, PAGES * VM_PAGE) || vm_find(va) || vm_find(va + 20 * VM_PAGE))
		return "not released over a hole";
	return 0;
}

/* ---- faults ---------------------------------------------------------------------------------- */

static RESIDENT volatile uint64_t faults;
static RESIDENT volatile unsigned allow;

/* Allows access to the page, and so the access comes again. */
static int on_fault(struct exo_upcall_frame *frame)
{
	faults++;
	return vm_protect(frame->addr & ~(VM_PAGE - 1), VM_PAGE, allow) == 0;
}

/* How many faults a store gets that is not allowed until the handler says so. */
static uint64_t store(volatile char *p, char c)
{
	faults = 0;
	allow = RW;
	upcall_on_fault(14, on_fault);
	*p = c;
	upcall_on_fault(14, NULL);
	return faults;
}

static const char *test_protect(void)
{
	uint64_t va;

	if (vm_reserve(0, PAGES * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	stamp(va, PAGES);
	if (vm_protect(va, VM_PAGE, RW | VM_EXEC) != -EACCES)
		return "writable and executable";
	if (vm_protect(va + 4 * VM_PAGE, 4 * VM_PAGE, VM_READ))
		return "not read-only";
	if (!stamped(va, 0, PAGES) || store(at(va, 5), 6 * 7 - 6) != 1 || store(at(va, 5), 36) != 0)
		return "read-only is not";
	if (store(at(va, 3), 22) != 0 || store(at(va, 8), 57) != 0 || store(at(va, 6), 43) != 1)
		return "neighbours are protected too, or not all that should be";
	return stamped(va, 0, PAGES) ? vm_release(va, PAGES * VM_PAGE) ? "not released" : 0
				     : "changed";
}

static const char *test_guard(void)
{
	uint64_t va;

	if (vm_reserve(0, PAGES * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	stamp(va, PAGES);
	if (vm_protect(va + 7 * VM_PAGE, VM_PAGE, VM_NONE) ||
	    vm_protect(va + 40 * VM_PAGE, 8 * VM_PAGE, VM_NONE))
		return "no guard";
	if (vm_populate(va + 7 * VM_PAGE, VM_PAGE, VM_READ) != -EFAULT)
		return "a guard is populated";
	if (!stamped(va, 0, 7) || !stamped(va, 8, 40))
		return "beside the guard";
	if (store(at(va, 7), 50) != 1 || store(at(va, 41), 32) != 1)
		return "the guard does not fault";
	if (vm_protect(va + 40 * VM_PAGE, 8 * VM_PAGE, RW) || !stamped(va, 0, PAGES))
		return "behind the guard something else was";
	return vm_release(va, PAGES * VM_PAGE) ? "not released" : 0;
}

/* ---- frames ------------------------------------------------------------------------------------
 */

static const char *test_populate(void)
{
	uint64_t va;

	if (vm_reserve(0, 8 * VM_PAGE, RW, VM_ANON, &va) || vm_populate(va, 8 * VM_PAGE, RW))
		return "not populated";
	for (uint64_t i = 0; i < 8; i++)
		if (tables_page(vm_frame(va + i * VM_PAGE, NULL))->owner != (start_self() & 0xffff))
			return "a page is not there";
	if (vm_populate(va, 9 * VM_PAGE, RW) != -EFAULT && !vm_find(va + 8 * VM_PAGE))
		return "populated where nothing is";
	if (vm_protect(va, 8 * VM_PAGE, VM_READ) || vm_populate(va, VM_PAGE, VM_WRITE) != -EFAULT)
		return "populated against the protection";
	return vm_release(va, 8 * VM_PAGE) ? "not released" : 0;
}

static const char *test_frames(void)
{
	volatile uint32_t frames[8];
	void *pages[8];
	uint32_t cap;
	unsigned perm = 0;
	uint64_t va;

	if (vm_reserve(0, 8 * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	for (uint64_t i = 0; i < 8; i++)
		pages[i] = (void *)(va + (7 - i) * VM_PAGE);
	if (vm_frames(pages, 8, RW, frames, &cap) != 8 || cap != LAYOUT_CAP_SELF)
		return "not all have frames";
	for (uint64_t i = 0; i < 8; i++)
		if (frames[i] == 0 || frames[i] != vm_frame((uint64_t)pages[i], &perm) ||
		    perm != RW)
			return "other frames than those mapped";
	if (vm_protect(va, VM_PAGE, VM_READ) || vm_frames(pages, 8, RW, frames, &cap) != -EFAULT)
		return "a read-only page to be written";
	return vm_release(va, 8 * VM_PAGE) ? "not released" : 0;
}

static const char *test_pin(void)
{
	uint32_t frame[8];
	uint64_t va;

	if (vm_reserve(0, PAGES * VM_PAGE, RW, VM_ANON, &va) ||
	    vm_pin(va + VM_PAGE, 8 * VM_PAGE, 1))
		return "not pinned";
	for (uint64_t i = 0; i < 8; i++)
		frame[i] = vm_frame(va + (i + 1) * VM_PAGE, NULL);
	for (int round = 0; round < 4; round++)
		stamp(va, PAGES);
	for (uint64_t i = 0; i < 8; i++)
		if (!frame[i] || frame[i] != vm_frame(va + (i + 1) * VM_PAGE, NULL))
			return "a pinned page moved";
	if (vm_pin(va + VM_PAGE, 8 * VM_PAGE, 0) || !stamped(va, 0, PAGES))
		return "not right when unpinned";
	if (vm_pin(0x10000000, VM_PAGE, 1) != -ENOMEM)
		return "pinned where nothing is";
	return vm_release(va, PAGES * VM_PAGE) ? "not released" : 0;
}

/* ---- heap, pager, too much
 * ------------------------------------------------------------------------ */

static const char *test_sbrk(void)
{
	const uint64_t old = vm_sbrk(0), first = (old + VM_PAGE - 1) & ~(VM_PAGE - 1);

	if (vm_sbrk(PAGES * VM_PAGE) != old || vm_sbrk(0) != old + PAGES * VM_PAGE)
		return "the end did not move";
	stamp(first, PAGES - 1);
	if (!stamped(first, 0, PAGES - 1))
		return "the heap does not keep what is written";
	if (vm_sbrk(-(int64_t)((PAGES - 2) * VM_PAGE)) == (uint64_t)-1 || !stamped(first, 0, 1))
		return "not given back";
	if (vm_sbrk((PAGES - 2) * VM_PAGE) == (uint64_t)-1 || *at(first, 10) != 0)
		return "memory that comes again is not zero";
	if (vm_sbrk(INT64_MAX) != (uint64_t)-1 ||
	    vm_sbrk(-(int64_t)(old + VM_PAGE)) != (uint64_t)-1)
		return "nonsense granted";
	return vm_sbrk(-(int64_t)(PAGES * VM_PAGE)) == (uint64_t)-1 || vm_sbrk(0) != old
		       ? "not back"
		       : 0;
}

static RESIDENT volatile uint64_t pager_off;

/* The page says its own offset. */
static int fill(struct vm_region *r, uint64_t va, uint64_t error, struct exo_upcall_frame *frame)
{
	(void)frame;
	if ((error & 1) || vm_fill(va, RW))
		return 0;
	pager_off = r->off + (va - r->start);
	*(volatile uint64_t *)va = pager_off + 5;
	return 1;
}

static const char *test_pager(void)
{
	uint64_t va;

	if (vm_reserve_pager(0, 8 * VM_PAGE, RW, fill, NULL, 0x100000, &va))
		return "not reserved";
	if (vm_release(va + 2 * VM_PAGE, VM_PAGE))
		return "not split";
	for (uint64_t i = 0; i < 8; i++)
		if (i != 2 && (*(volatile uint64_t *)at(va, i) != 0x100005 + i * VM_PAGE))
			return "filled for another offset, or not";
	return vm_release(va, 8 * VM_PAGE) ? "not released" : 0;
}

/* More than can ever be had is refused at the promise, or when it is to be there; nothing is lost.
 */
static const char *test_too_much(void)
{
	const uint64_t much = 0x18000000;
	uint64_t va, big;
	int err;

	if (vm_reserve(0, 8 * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	stamp(va, 8);
	err = vm_reserve(0, much, RW, VM_ANON, &big);
	if (!err) {
		err = vm_populate(big, much, RW);
		if (!err)
			return "more than there is";
		if (vm_release(big, much))
			return "what was got of it does not go back";
	}
	if (err != -ENOMEM && err != -EDQUOT)
		return "another error";
	if (vm_reserve(0, LAYOUT_SEGMENT_END, RW, VM_ANON, &big) != -ENOMEM)
		return "more than the address space";
	stamp(va, 4);
	return !stamped(va, 0, 8) || vm_release(va, 8 * VM_PAGE) ? "the rest suffered" : 0;
}

/* ---- transfers
 * --------------------------------------------------------------------------------------- */

/* The request itself lies in memory that may go. */
static const char *test_transfer(void)
{
	const char *name = start_extent("blocks") >= 0 ? "blocks" : "raw";
	struct disk *d;
	struct disk_req *r;
	uint64_t va;

	if (bare_open(name, &d))
		return "no extent to transfer with";
	if (vm_reserve(0, 18 * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	stamp(va, 8);
	r = (struct disk_req *)(va + 16 * VM_PAGE);
	for (int op = DISK_WRITE; op >= DISK_READ; op--) {
		void **pages = (void **)(va + 17 * VM_PAGE);

		for (uint64_t i = 0; i < 8; i++)
			pages[i] = (void *)(va + (op == DISK_READ ? 8 + i : i) * VM_PAGE);
		*r = (struct disk_req){.op = (enum disk_op)op, .nblocks = 8, .pages = pages};
		if (disk_submit(d, r) || disk_wait(d, r))
			return op == DISK_READ ? "not read" : "not written";
	}
	if (memcmp((void *)va, (void *)(va + 8 * VM_PAGE), 8 * VM_PAGE) || !stamped(va, 0, 8))
		return "read something else";
	return vm_release(va, 18 * VM_PAGE) ? "not released" : 0;
}

/* ---- copies
 * -------------------------------------------------------------------------------------------- */

static uint64_t copied_va;
static volatile int mine = 1;

_Noreturn static void copied(uint64_t eid)
{
	uint64_t va = 0;
	int right;

	vm_copied();
	start_set_self(eid);
	upcall_start();
	right = mine == 1 && stamped(copied_va, 0, COPIES);
	*at(copied_va, 0) = 99;
	mine = 2;
	right = right && vm_reserve(0, 8 * VM_PAGE, RW, VM_ANON, &va) == 0;
	if (right)
		stamp(va, 8);
	start_exit(right && stamped(va, 0, 8) && vm_release(va, 8 * VM_PAGE) == 0 ? CHILD_OK : 1);
}

static const char *run_copy(void)
{
	const struct build_grant console = {LAYOUT_CAP_CONSOLE, LAYOUT_CAP_CONSOLE};
	struct build_spec spec = {
		.name = "copy",
		.principal = tables_env(start_self() & 0xffff)->principal,
		.quota = {[EXO_QUOTA_PAGES] = 250, [EXO_QUOTA_SLOTS] = 1, [EXO_QUOTA_CAPS] = 4},
		.slots = 1,
		.grants = &console,
		.ngrants = 1,
	};
	struct build_end end;
	struct build b;
	int err = build_begin(&b, &spec);

	if (err)
		return "not begun";
	err = vm_copy_to(&b);
	if (!err)
		err = build_start(&b, (uint64_t)copied, ((uint64_t)&end & ~15ull) - 4096 - 8,
				  b.eid);
	if (err) {
		build_abort(&b);
		return err == -ENOTSUP ? "not supported" : "not copied";
	}
	while (!build_ended(&b))
		call_wait(EXO_EV_CHILD, time_now() + 1000000000);
	if (build_reap(&b, &end) || end.end != EXO_END_EXIT || end.code != CHILD_OK)
		return "the copy found something wrong, or died";
	return 0;
}

static const char *test_copy(void)
{
	const char *why;

	if (vm_reserve(0, COPIES * VM_PAGE, RW, VM_ANON, &copied_va))
		return "not reserved";
	stamp(copied_va, COPIES);
	why = run_copy();
	if (why)
		return why;
	if (mine != 1 || !stamped(copied_va, 0, COPIES))
		return "the copy wrote to us";
	return vm_release(copied_va, COPIES * VM_PAGE) ? "not released" : 0;
}

/* What vm takes once and for all, when a first page is guarded, comes before the ballast. */
static void warm(void)
{
	uint64_t va;

	if (vm_reserve(0, VM_PAGE, RW, VM_ANON, &va))
		return;
	stamp(va, 1);
	(void)vm_protect(va, VM_PAGE, VM_NONE);
	(void)vm_release(va, VM_PAGE);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		const char *(*run)(void);
	} tests[] = {
		{"reserve", test_reserve},   {"release", test_release}, {"split", test_split},
		{"protect", test_protect},   {"guard", test_guard},	{"populate", test_populate},
		{"frames", test_frames},     {"pin", test_pin},		{"sbrk", test_sbrk},
		{"pager", test_pager},	     {"copy", test_copy},	{"too_much", test_too_much},
		{"transfer", test_transfer},
	};
	const char *name = argc ? argv[0] : "vm";
	struct vm_stats s;

	for (const char *p = name; *p; p++)
		if (*p == '/')
			name = p + 1;
	warm();
	for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const char *why;

		ballast(tests[i].run != test_copy);
		why = tests[i].run();

		bare_print(why ? "FAIL %s: %s: %s\n" : "ok %s: %s\n", name, tests[i].name, why);
		failures += why != 0;
	}
	vm_get_stats(&s);
	bare_print("%s %s: %u pages went, %u came\n",
		   (s.paged_out == 0) == (s.slots == 0) ? "ok" : "FAIL", name, s.paged_out,
		   s.paged_in);
	return failures != 0 || (s.paged_out == 0) != (s.slots == 0);
}
