/*
 * test-libos - the core of the libOS on the running kernel: memory, upcalls, building, reaping.
 *
 * A bare program that prints `ok NAME` or `FAIL NAME: why` for each test, and exits with 0 or 1. It
 * needs some pages, capability slots, one environment and one CPU slot to give to a child, and no
 * file.  Its children are an ELF file made here, whose code ends it with a status.
 */
#include <errno.h>
#include <string.h>
#include <libos/bare.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/lock.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

enum {
	RW = VM_READ | VM_WRITE,
	CHILD_STATUS = 42,
	CHILD_PAGES = 12,
	CODE_AT = 0x1000,
	FILE_SIZE = 0x3000
};

static int failures;

static void result(const char *name, const char *why)
{
	if (why)
		bare_print("FAIL %s: %s\n", name, why);
	else
		bare_print("ok %s\n", name);
	failures += why != 0;
}

static uint32_t pages_used(void)
{
	return tables_quota_used(start_self() & 0xffff)->n[EXO_QUOTA_PAGES];
}

/* ---- memory ------------------------------------------------------------------------------ */

/* The policy that the test is linked with may take frames at the promise or at the touch. */
static const char *test_demand(void)
{
	enum { PAGES = 64 };
	const uint32_t before = pages_used();
	uint32_t promised, first;
	uint64_t va;
	volatile char *p;

	if (vm_reserve(0, PAGES * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	p = (volatile char *)va;
	promised = pages_used() - before;
	p[0] = 1; /* its table page comes with it */
	first = pages_used();
	if (p[5 * VM_PAGE] != 0)
		return "fresh page not zero";
	p[63 * VM_PAGE] = 7;
	if (promised == 0 && pages_used() != first + 2)
		return "two pages touched, not two taken";
	if (promised != 0 && (promised < PAGES || pages_used() != before + promised))
		return "neither all pages taken at once nor each when touched";
	if (vm_release(va, PAGES * VM_PAGE))
		return "not released";
	if (pages_used() > before + 2)
		return "frames did not come back";
	return vm_find(va) ? "region still there" : 0;
}

static const char *test_split(void)
{
	uint64_t va;
	volatile char *p;

	if (vm_reserve(0, 8 * VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	p = (volatile char *)va;
	for (int i = 0; i < 8; i++)
		p[i * VM_PAGE] = (char)i;
	if (vm_release(va + 2 * VM_PAGE, 3 * VM_PAGE))
		return "hole not made";
	if (vm_find(va + 3 * VM_PAGE) || !vm_find(va + VM_PAGE) || !vm_find(va + 5 * VM_PAGE))
		return "wrong regions";
	if (p[VM_PAGE] != 1 || p[5 * VM_PAGE] != 5)
		return "neighbours changed";
	if (vm_reserve(va + 2 * VM_PAGE, 3 * VM_PAGE, RW, VM_ANON, &va) ||
	    vm_reserve(va, VM_PAGE, RW, VM_ANON, &va) != -EEXIST)
		return "hole not filled once";
	return p[3 * VM_PAGE] ? "not zero again" : 0;
}

static const char *test_regions(void)
{
	enum { MANY = 200 };
	uint64_t va[MANY];

	for (int i = 0; i < MANY; i++) {
		if (vm_reserve(0, VM_PAGE, i & 1 ? RW : VM_READ, VM_ANON, &va[i]))
			return "not reserved";
		if (i & 1)
			*(volatile int *)va[i] = i;
	}
	for (int i = 1; i < MANY; i += 2)
		if (*(volatile int *)va[i] != i)
			return "contents changed";
	for (int i = 0; i < MANY; i++)
		if (vm_release(va[i], VM_PAGE))
			return "not released";
	return 0;
}

static const char *test_heap(void)
{
	const uint64_t start = vm_sbrk(0);
	volatile char *p;

	if (vm_sbrk(1000000) != start)
		return "did not grow from its end";
	p = (volatile char *)start;
	p[999999] = 3;
	if (vm_sbrk(-500000) != start + 1000000 || vm_sbrk(0) != start + 500000)
		return "did not shrink";
	if (vm_sbrk(500000) == (uint64_t)-1 || p[999999] != 0)
		return "memory given back kept its contents";
	if (vm_sbrk(1l << 40) != (uint64_t)-1)
		return "grew beyond its end";
	return vm_sbrk(-1000000) == (uint64_t)-1 ? "did not shrink to nothing" : 0;
}

static unsigned deep(unsigned n)
{
	volatile char frame[2000];

	frame[0] = (char)n;
	return n ? deep(n - 1) + (unsigned)frame[0] % 2 : 0;
}

static const char *test_stack(void)
{
	return deep(600) == 300 ? 0 : "wrong sum";
}

/* ---- upcalls ----------------------------------------------------------------------------- */

static RESIDENT volatile uint64_t faults, fault_page;
static RESIDENT volatile unsigned fault_perm;

static int allow(struct exo_upcall_frame *frame)
{
	faults++;
	return (frame->addr & ~(VM_PAGE - 1)) == fault_page &&
	       vm_protect(fault_page, VM_PAGE, fault_perm) == 0;
}

static const char *test_protect(void)
{
	uint64_t va;
	volatile char *p;

	if (vm_reserve(0, VM_PAGE, RW, VM_ANON, &va))
		return "not reserved";
	p = (volatile char *)va;
	fault_page = va;
	fault_perm = RW;
	*p = 9;
	upcall_on_fault(14, allow);
	if (vm_protect(va, VM_PAGE, VM_READ) || *p != 9 || faults != 0)
		return "reading a read-only page";
	*p = 10;
	if (faults != 1 || *p != 10)
		return "writing a read-only page did not fault once";
	if (vm_protect(va, VM_PAGE, VM_NONE) || *p != 10 || faults != 2)
		return "an inaccessible page did not fault once and keep its contents";
	if (vm_protect(va, VM_PAGE, VM_WRITE | VM_EXEC) != -EACCES)
		return "writable and executable";
	upcall_on_fault(14, 0);
	return vm_release(va, VM_PAGE) ? "not released" : 0;
}

static RESIDENT volatile uint64_t events_seen;
static volatile double deflected;

static void deflected_to(void *arg, struct upcall_context *c)
{
	deflected = *(double *)arg * 2 + (c->cs == EXO_USER_CS);
}

static int on_event(struct exo_upcall_frame *frame)
{
	static RESIDENT double arg = 10.0;

	events_seen |= frame->addr;
	return upcall_deflect(frame, deflected_to, &arg) == 0;
}

static const char *test_events(void)
{
	const uint64_t a = 1ull << 40, b = 1ull << 41;
	volatile double x = 1.5, y;

	upcall_on_event(on_event, a | b);
	call_event_post(start_self(), a);
	for (uint64_t until = time_now() + 100000000; !events_seen && time_now() < until;)
		;
	y = x * 2;
	if (events_seen != a || deflected != 21.0 || y != 3.0)
		return "no upcall, or a wrong one, within 100 ms";
	upcall_defer();
	upcall_defer();
	call_event_post(start_self(), b);
	upcall_undefer();
	call_wait(0, time_now() + 3000000);
	if (events_seen != a)
		return "came while deferred";
	upcall_undefer();
	if (events_seen != (a | b))
		return "did not come at once when deferring ended";
	upcall_on_event(0, 0);
	return 0;
}

/* ---- building ---------------------------------------------------------------------------- */

static uint8_t file[FILE_SIZE];

struct segment {
	uint32_t type, flags;
	uint64_t off, va, pa, file_size, size, align;
};

static struct segment *segment(int i)
{
	return (struct segment *)(file + 64) + i;
}

static void put16(unsigned at, unsigned n)
{
	memcpy(file + at, &n, 2);
}

static void put64(unsigned at, uint64_t n)
{
	memcpy(file + at, &n, 8);
}

/* mov eax, 4; xor edi, edi; mov esi, [data]; syscall: env_kill(SELF, the word in its data). */
static void make_file(void)
{
	static const uint8_t code[] = {0xb8, 4, 0, 0,	 0, 0x31, 0xff, 0x8b, 0x34,
				       0x25, 0, 0, 0x42, 0, 0x0f, 0x05, 0x0f, 0x0b};
	const uint32_t status = CHILD_STATUS;

	memset(file, 0, sizeof(file));
	memcpy(file, "\177ELF\2\1\1", 7);
	put16(16, 2);
	put16(18, 62);
	put64(24, LAYOUT_IMAGE);
	put64(32, 64);
	put16(54, sizeof(struct segment));
	put16(56, 2);
	*segment(0) = (struct segment){
		1, 5, CODE_AT, LAYOUT_IMAGE, 0, sizeof(code), sizeof(code), VM_PAGE};
	*segment(1) = (struct segment){1, 6, 0x2000, 0x420000, 0, 4, 0x5000, VM_PAGE};
	memcpy(file + CODE_AT, code, sizeof(code));
	memcpy(file + 0x2000, &status, sizeof(status));
}

static int read_file(void *ctx, uint64_t off, void *to, size_t n)
{
	(void)ctx;
	if (off > FILE_SIZE || n > FILE_SIZE - off)
		return -EIO;
	memcpy(to, file + off, n);
	return 0;
}

static const struct build_source source = {.read_at = read_file, .size = FILE_SIZE};

static struct build_spec small_spec(void)
{
	return (struct build_spec){
		.name = "child",
		.principal = tables_env(start_self() & 0xffff)->principal,
		.quota = {[EXO_QUOTA_PAGES] = 64, [EXO_QUOTA_SLOTS] = 1, [EXO_QUOTA_CAPS] = 4},
		.slots = 1,
	};
}

struct holdings {
	uint32_t used[EXO_NQUOTA], limit[EXO_NQUOTA], caps, free;
};

static struct holdings holdings(void)
{
	const uint32_t self = start_self() & 0xffff;
	struct holdings h = {.caps = 0, .free = tables_info()->free_frames};

	for (int k = 0; k < EXO_NQUOTA; k++) {
		h.used[k] = tables_quota_used(self)->n[k];
		h.limit[k] = tables_quota_limit(self)->n[k];
	}
	for (int i = 0; i < EXO_NCAP; i++)
		h.caps += tables_caps(self)->c[i].kind != EXO_CAP_NONE;
	return h;
}

static const char *run_child(void)
{
	struct build_spec spec = small_spec();
	struct build_end end;
	struct build b;
	char why[BUILD_WHY] = "";

	if (build_program(&b, &spec, &source, why))
		return *why ? "refused" : "not built";
	while (!build_ended(&b))
		call_wait(EXO_EV_CHILD, time_now() + 1000000000);
	if (build_reap(&b, &end))
		return "not reaped";
	if (end.end != EXO_END_EXIT || end.code != CHILD_STATUS)
		return "ended otherwise";
	return 0;
}

static const char *test_child(void)
{
	struct holdings before, after;
	const char *why;

	make_file();
	why = run_child(); /* makes the window, too */
	before = holdings();
	for (int i = 0; i < 20 && !why; i++)
		why = run_child();
	after = holdings();
	if (!why && memcmp(&before, &after, sizeof(before)))
		why = "something did not come back";
	return why;
}

static const char *refused(const char *words)
{
	struct build_spec spec = small_spec();
	char why[BUILD_WHY] = "";
	struct build b;

	if (build_program(&b, &spec, &source, why) != -ENOEXEC || strcmp(why, words)) {
		bare_print("# said \"%s\", not \"%s\"\n", why, words);
		return "accepted, or refused in other words";
	}
	return 0;
}

static const char *test_elf(void)
{
	const char *why;

	make_file();
	file[1] = 'e';
	why = refused("not an ELF file");
	make_file();
	put16(18, 3);
	why = why ? why : refused("not for x86-64");
	make_file();
	put16(16, 3);
	why = why ? why : refused("position independent: link with -static -no-pie");
	make_file();
	segment(1)->flags = 7;
	why = why ? why : refused("segment writable and executable at once");
	make_file();
	segment(1)->va = LAYOUT_IMAGE;
	why = why ? why : refused("segments overlap");
	make_file();
	segment(1)->va = 0xffffffff80000000ull;
	why = why ? why : refused("segment in the kernel's half of the address space");
	make_file();
	segment(1)->va = 0x200000;
	why = why ? why : refused("segment outside 0x400000..0x38000000");
	make_file();
	segment(1)->off = 0x10000;
	why = why ? why : refused("truncated: segment ends beyond the file");
	make_file();
	put64(24, 0x420000);
	why = why ? why : refused("entry outside the executable segments");
	make_file();
	put64(32, 0xfffffffffffffff0ull);
	why = why ? why : refused("truncated");
	return why;
}

static const char *test_quota(void)
{
	struct build_spec spec = small_spec();
	const struct holdings before = holdings();
	struct holdings after;
	struct build b;

	make_file();
	for (uint32_t pages = 0; pages < CHILD_PAGES; pages++) {
		spec.quota[EXO_QUOTA_PAGES] = pages;
		if (build_program(&b, &spec, &source, 0) != -EDQUOT)
			return "built with too few pages";
	}
	spec.quota[EXO_QUOTA_PAGES] = UINT32_MAX;
	if (build_program(&b, &spec, &source, 0) != -EDQUOT)
		return "got more than there is";
	after = holdings();
	return memcmp(&before, &after, sizeof(before)) ? "something did not come back" : 0;
}

static volatile uint64_t in_child;
static uint64_t parent_page;

/* The copy's first function: its memory is ours as it was, its own from now on. */
_Noreturn static void copied(uint64_t eid)
{
	volatile char *page = (volatile char *)parent_page;
	uint64_t va = 0;
	int right;

	vm_copied();
	start_set_self(eid);
	upcall_start();
	right = in_child == 1 && page[0] == 77 && page[VM_PAGE] == 0;
	page[0] = 1;
	in_child = 2;
	right = right && deep(300) == 150 && vm_reserve(0, 4 * VM_PAGE, RW, VM_ANON, &va) == 0;
	if (right)
		((volatile char *)va)[3 * VM_PAGE] = 1;
	right = right && vm_sbrk(100000) != (uint64_t)-1 && vm_release(va, 4 * VM_PAGE) == 0;
	start_exit(right ? CHILD_STATUS : 1);
}

static const char *copy_once(void)
{
	struct build_spec spec = small_spec();
	struct build_end end;
	struct build b;
	int err;

	spec.quota[EXO_QUOTA_PAGES] = 1000;
	spec.grants = &(const struct build_grant){LAYOUT_CAP_CONSOLE, LAYOUT_CAP_CONSOLE};
	spec.ngrants = 1;
	if (build_begin(&b, &spec))
		return "not begun";
	in_child = 1;
	err = vm_copy_to(&b);
	if (!err)
		err = build_start(&b, (uint64_t)(uintptr_t)copied,
				  ((uint64_t)(uintptr_t)&end & ~15ull) - 4096 - 8, b.eid);
	if (err) {
		build_abort(&b);
		return "not copied";
	}
	while (!build_ended(&b))
		call_wait(EXO_EV_CHILD, time_now() + 1000000000);
	if (build_reap(&b, &end))
		return "not reaped";
	if (end.end != EXO_END_EXIT || end.code != CHILD_STATUS)
		return "the copy found something wrong, or died";
	return in_child == 1 && *(volatile char *)parent_page == 77 ? 0 : "the copy wrote to us";
}

static const char *test_copy(void)
{
	struct holdings before, after;
	const char *why;

	if (vm_reserve(0, 2 * VM_PAGE, RW, VM_ANON, &parent_page))
		return "not reserved";
	*(volatile char *)parent_page = 77;
	why = copy_once(); /* shows our own tables */
	before = holdings();
	for (int i = 0; i < 5 && !why; i++)
		why = copy_once();
	after = holdings();
	if (!why && memcmp(&before, &after, sizeof(before)))
		why = "something did not come back";
	return why;
}

static const char *test_lock(void)
{
	struct lock l;

	lock_init(&l);
	if (lock_acquire(&l) != LOCK_OK || l.owner != start_self())
		return "not had";
	lock_release(&l);
	l.owner = 0x70000ull << 16 | 999;
	if (lock_acquire(&l) != LOCK_STOLEN || l.owner != start_self())
		return "not taken over from the dead";
	return 0;
}

static RESIDENT volatile uint32_t slices;

static int count_slice(struct exo_upcall_frame *frame)
{
	(void)frame;
	slices++;
	return 1;
}

/* Nobody else wants the processor: each slice follows another of our own. */
static const char *test_slices(void)
{
	const uint64_t until = tables_info()->ticks + 30;

	slices = 0;
	upcall_on_slice(count_slice);
	while (tables_info()->ticks < until)
		;
	upcall_on_slice(NULL);
	return slices < 15 ? "slices in a row are not told of" : NULL;
}

/* The array of regions grows below the one that is split, whose place in it changes by that. */
static const char *test_split_grows(void)
{
	enum { REGIONS = 200 };
	static uint64_t at[REGIONS];

	for (uint32_t i = 0; i < REGIONS; i++) {
		if (vm_reserve(0, 4 * VM_PAGE, VM_READ | VM_WRITE, VM_ANON, &at[i]) ||
		    vm_protect(at[i], VM_PAGE, VM_NONE))
			return "no region";
		*(volatile char *)(at[i] + VM_PAGE) = 1;
	}
	for (uint32_t i = 0; i < REGIONS; i++) {
		const struct vm_region *r = vm_find(at[i]);

		if (!r || r->start != at[i] || r->end != at[i] + VM_PAGE || r->perm != VM_NONE)
			return "another region was split";
		if (vm_release(at[i], 4 * VM_PAGE))
			return "not released";
	}
	return NULL;
}

static const char *test_runs(void)
{
	uint32_t first;

	if (frames_take_run(0, EXO_PAGE_DATA, 10, 8, &first) || first % 8)
		return "no run of 10";
	for (uint32_t i = 0; i < 10; i++)
		if (tables_page(first + i)->owner != (start_self() & 0xffff))
			return "not all ours";
	return frames_free(0, first, 10) ? "not given back" : 0;
}

int main(void)
{
	static const struct {
		const char *name;
		const char *(*run)(void);
	} tests[] = {
		{"libos_demand", test_demand},
		{"libos_split", test_split},
		{"libos_regions", test_regions},
		{"libos_heap", test_heap},
		{"libos_stack", test_stack},
		{"libos_protect", test_protect},
		{"libos_events", test_events},
		{"libos_runs", test_runs},
		{"libos_lock", test_lock},
		{"libos_child", test_child},
		{"libos_elf", test_elf},
		{"libos_quota", test_quota},
		{"libos_copy", test_copy},
		{"libos_slices", test_slices},
		{"libos_split_grows", test_split_grows},
	};

	for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		result(tests[i].name, tests[i].run());
	return failures != 0;
}
