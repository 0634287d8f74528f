/*
 * swap.c - virtual memory policy: when pages run out, some go to blocks of the program's own.
 *
 * The extent is the one that the program was given under the name `swap` (extent=swap:rw in the
 * boot manifest); whoever gives it gives it to nobody else.  A program without it, a forked child
 * too, has demand paging.  Frames are taken when pages are first touched; when the page quota, or
 * memory, is used up but for a few, or somebody asks for pages back (EXO_EV_REVOKE), a policy
 * (swap_clock.c) chooses pages, and swap_page.c writes what was changed and lets them go.  Which
 * pages were accessed and written stands in the program's own page tables, which it sees: no call
 * is needed to ask.
 *
 * A fault comes as an upcall, where nothing may block.  So it is deflected, to where the pager can
 * sleep for the disk like any code.  It uses what all code uses, libos/disk.h, so it must not
 * interrupt that, nor a change of regions: vm_busy is not 0 in these and in the pager.  By
 * construction nothing that they touch is out: they use code, data and main stack, which never go,
 * and requests, whose pages vm_disk_enter() brings and pins until disk_wait() is over.  What is
 * touched for the first time meanwhile, a page of stack or bss, gets one of the SWAP_RESERVE pages
 * that are kept for that.
 *
 * Among threads the one that needs the page sleeps, on its own stack, and its siblings run; each
 * has a vm_busy of its own, their stacks stay (vm_keep()), and those that need pages too take turns
 * (wait_turn()).  Where others must not come between, because the thread is inside the POSIX layer
 * or the thread layer (upcalls are deferred), it sleeps as the whole program (wait_alone), on the
 * pager's stack; it does not wait for its turn, but ends itself what it finds begun.
 *
 *     a step, swap_move.c         on the pager's stack, nobody comes between
 *       |  SWAP_WAIT
 *     disk_wait()                 on the thread's own stack, siblings run; or alone
 *       |
 *     the step again, which looks at everything anew … until it is done
 *
 * Memory is promised only while quota and extent together can hold it: -ENOMEM.  A fault that
 * cannot be served ends the program with a message: disk error (as SIGBUS), page taken by force,
 * extent full because the quota has shrunk.
 *
 * Owns struct swap and the pager's stack.  Lock: vm_busy; a step is never interrupted.  Called by
 * vm/region.c, libos/core/upcall.c and the disk.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/disk_open.h>
#include <libos/revoke.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/wait.h>
#include "swap.h"

enum {
	STACK = 8192,
	STACK_READY = 8192,
	BRING = 16 * VM_PAGE,
	EXIT_SEGV = 128 + 11,
	EXIT_BUS = 128 + 10
};

RESIDENT struct swap swap;
static RESIDENT _Alignas(64) char stack[STACK];

/* ---- the extent --------------------------------------------------------------------------- */

static void find_extent(void)
{
	const int cap = start_extent("swap");
	const volatile struct exo_cap *c;

	swap.state = SWAP_NONE;
	if (cap < 0)
		return;
	c = &tables_caps(start_self() & 0xffff)->c[cap];
	if (c->kind != EXO_CAP_EXTENT)
		return;
	swap.cap = (uint32_t)cap;
	swap.extent = c->object;
	swap.blocks = c->len < SWAP_MAX_BLOCKS ? c->len : SWAP_MAX_BLOCKS;
	swap.owner = start_self();
	swap.state = SWAP_THERE;
	wait_own(&vm_busy);
}

/* Whether this program has one. */
static int has_extent(void)
{
	if (swap.state == SWAP_UNKNOWN)
		find_extent();
	return swap.state != SWAP_NONE && swap.owner == start_self();
}

static int try_extent(void)
{
	int err = disk_open(swap.cap, swap.extent, &swap.disk);

	if (!err)
		err = swap_slots_start();
	if (!err)
		err = swap_ready();
	return err;
}

/* At the first page that may ever go.  Without the disk nothing goes, and the program is told so.
 */
static int open_extent(uint64_t unused)
{
	int err;

	(void)unused;
	wait_alone++;
	err = try_extent();
	wait_alone--;
	if (err) {
		console_print("swap: cannot use extent 'swap'\n");
		swap.state = SWAP_NONE;
		return err;
	}
	swap.stats.slots = swap.blocks;
	swap.state = SWAP_OPEN;
	upcall_for_memory(EXO_EV_REVOKE);
	return 0;
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* One: what it returns; SWAP_WAIT, it is to be called again when the request is over. */
typedef int step_fn(uint64_t arg);

static uint64_t stack_pointer(void)
{
	uint64_t sp;

	__asm__("movq %%rsp, %0" : "=r"(sp));
	return sp;
}

static int on_upcall_stack(void)
{
	return stack_pointer() - LAYOUT_UPCALL < VM_PAGE;
}

static int on_own_stack(void)
{
	return stack_pointer() - (uint64_t)stack < STACK;
}

/* Other code's stack may be short, and the policy may be the program's. */
static int step_on_stack(step_fn *step, uint64_t arg)
{
	int result;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %[top], %%rsp\n\t"
			 "call *%[step]\n\t"
			 "movq %%rbx, %%rsp"
			 : "=a"(result), "+D"(arg)
			 : [step] "r"(step), [top] "r"(stack + STACK)
			 : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
	return result;
}

/* Steps until it is done, for code whose stack pointer is `near`; vm_busy, and upcalls deferred. */
static int work(step_fn *step, uint64_t arg, uint64_t near)
{
	int result;

	do {
		swap.near = near;
		result = on_own_stack() ? step(arg) : step_on_stack(step, arg);
		/* An error of the request is the next step's to see. */
	} while (result == SWAP_WAIT && disk_wait(swap.disk, &swap.move.request) <= 0);
	return result;
}

/* The same, from code that is not an upcall handler; alone: others must not come between. */
static int work_now(step_fn *step, uint64_t arg, int alone)
{
	int result;

	upcall_defer();
	vm_busy++;
	if (alone)
		wait_alone++;
	else
		wait_turn();
	result = work(step, arg, stack_pointer());
	if (alone)
		wait_alone--;
	else
		wait_turn_end();
	vm_busy--;
	upcall_undefer();
	return result;
}

/* ---- after the handler ------------------------------------------------------------------------
 */

static volatile struct exo_upcall_head *head(void)
{
	return (volatile struct exo_upcall_head *)LAYOUT_UPCALL;
}

/* Whether the interrupted thread can sleep while others run: it computes, and has the stack. */
static int shared(struct exo_upcall_frame *frame, void (*fn)(void *, struct upcall_context *),
		  uint64_t arg)
{
	return wait_shared() && !head()->defer && !upcall_deflect(frame, fn, (void *)arg);
}

/* fn(arg, context) after the handler that calls this, begun and ended by the two below. */
static int deflect(struct exo_upcall_frame *frame, void (*fn)(void *, struct upcall_context *),
		   uint64_t arg)
{
	if (!shared(frame, fn, arg)) {
		const int err =
			upcall_deflect_onto(frame, fn, (void *)arg, (uint64_t)(stack + STACK));

		if (err)
			return err;
		wait_alone++;
	}
	head()->defer++;
	vm_busy++;
	return 0;
}

static void deflected_begin(void)
{
	if (!wait_alone)
		wait_turn();
}

/* Events that waited come when the kernel is next entered: not on the pager's stack. */
static void deflected_end(const struct upcall_context *c)
{
	if (wait_alone) {
		wait_alone--;
		vm_busy--;
		upcall_leave(c);
	}
	wait_turn_end();
	vm_busy--;
	head()->defer--;
	wait_over();
}

/* ---- pages asked back --------------------------------------------------------------------- */

static int give_back(uint64_t unused)
{
	int err = swap_finish(0);
	uint32_t n;

	(void)unused;
	swap.waiting = 0;
	while (!err && swap.stats.held > SWAP_LEAST && (n = revoke_asked(EXO_ASK_PAGES, 0)) != 0)
		err = swap_out(n < SWAP_BATCH ? n : SWAP_BATCH);
	return err == SWAP_WAIT ? err : 0;
}

static void give_back_deflected(void *arg, struct upcall_context *c)
{
	deflected_begin();
	(void)work(give_back, (uint64_t)arg, c->rsp);
	deflected_end(c);
}

void vm_policy_asked(struct exo_upcall_frame *frame)
{
	if (swap.state != SWAP_OPEN || !has_extent())
		return;
	if (vm_busy || deflect(frame, give_back_deflected, 0))
		swap.waiting = 1;
}

void vm_policy_idle(void)
{
	if (swap.waiting && !on_upcall_stack())
		(void)work_now(give_back, 0, 1);
}

/* ---- faults ------------------------------------------------------------------------------- */

static const char *why(int err)
{
	switch (err) {
	case -EIO:
		return "disk error: what was there is lost";
	case -EOWNERDEAD:
		return "taken from us by force: what was there is lost";
	case -ENOSPC:
		return "no memory: extent 'swap' is full";
	case -EDEADLK:
		return "is out, and the pager itself needs it";
	default:
		return "no memory: nothing can be paged out";
	}
}

_Noreturn static void end(uint64_t va, int err)
{
	console_print(start_args()->argc ? start_args()->argv[0] : "init");
	console_print(": page ");
	console_hex(va);
	console_print(": ");
	console_print(why(err));
	console_print("\n");
	start_exit(err == -EIO ? EXIT_BUS : EXIT_SEGV);
}

/* A page that the pager keeps no record of: others make room for it. */
static int page_beside(uint64_t va)
{
	int err = swap_finish(0);

	if (!err)
		err = swap_make_room();
	return err == SWAP_WAIT ? err : vm_pte(va) ? 0 : vm_fill(va, vm_find(va)->perm);
}

static int page_in(uint64_t va)
{
	if (swap.state == SWAP_THERE)
		(void)open_extent(0);
	if (swap.state != SWAP_OPEN)
		return vm_fill(va, vm_find(va)->perm);
	return swap_area(va) ? swap_in(va) : page_beside(va);
}

static void fault(void *arg, struct upcall_context *c)
{
	const uint64_t va = (uint64_t)arg;
	int err;

	deflected_begin();
	err = work(page_in, va, c->rsp);
	if (err)
		end(va, err);
	if (swap.waiting)
		(void)work(give_back, 0, c->rsp);
	deflected_end(c);
}

/* A page that was never here, or that nobody keeps a record of, needs no disk. */
static int fill_at_once(uint64_t va, unsigned perm)
{
	struct swap_page *p = swap_area(va) ? swap_page(va) : 0;

	if (!p)
		return vm_fill(va, perm);
	return p->here || p->slot ? -EDEADLK : swap_fill(va, p, perm);
}

/* Whether filling it at once is all that can be, or all that need be, done. */
static int simple(uint64_t va)
{
	const struct swap_page *p;

	if (!swap_area(va) || !has_extent() || vm_busy)
		return 1;
	p = swap.state == SWAP_OPEN ? swap_page(va) : 0;
	return p && !p->here && !p->slot && swap_room();
}

/* The frame of the fault that is being handled: the kernel puts it at the end of the upcall stack.
 */
static struct exo_upcall_frame *fault_frame(void)
{
	return (struct exo_upcall_frame *)(LAYOUT_UPCALL + VM_PAGE) - 1;
}

int vm_policy_touch(uint64_t va, unsigned perm)
{
	int err = -EDQUOT;

	if (simple(va)) {
		err = fill_at_once(va, perm);
		if (err == -EDEADLK)
			end(va, err);
	}
	if (err != -EDQUOT && err != -ENOMEM)
		return err;
	if (!has_extent())
		console_print("swap: this program was given no extent 'swap'\n");
	/* This page needs the disk, or none is left even for the stack. */
	return has_extent() && !vm_busy ? deflect(fault_frame(), fault, va) : err;
}

int vm_policy_need(uint64_t va, unsigned perm)
{
	int err = -EDQUOT;

	if (simple(va) || on_upcall_stack())
		err = fill_at_once(va, perm);
	if ((err == -EDQUOT || err == -ENOMEM) && !vm_busy && !on_upcall_stack() && has_extent())
		err = work_now(page_in, va, 1);
	return err == -EDEADLK ? -EFAULT : err;
}

/* Errors are the access's to meet. */
void vm_bring(uint64_t va, uint64_t len)
{
	const uint64_t most = len < BRING ? len : BRING;

	if (swap.state != SWAP_OPEN || vm_busy || !has_extent())
		return;
	for (uint64_t at = va & ~(VM_PAGE - 1); at < va + most; at += VM_PAGE)
		if (swap_region(at) && !vm_pte(at))
			(void)work_now(page_in, at, !wait_shared());
}

/* ---- promises, and their end -------------------------------------------------------------- */

/* Pages of regions that may go. */
static uint64_t promised(void)
{
	uint64_t pages = 0;

	for (const struct vm_region *r = vm_next(vm.heap); r && r->start < LAYOUT_HEAP_END;
	     r = vm_next(r->end))
		if (swap_region(r->start) && r->perm != VM_NONE)
			pages += (r->end - r->start) / VM_PAGE;
	return pages;
}

int vm_policy_promise(uint64_t va, uint64_t end, unsigned perm)
{
	const uint32_t me = start_self() & 0xffff;
	uint64_t fixed;

	(void)end;
	(void)perm;
	if (!swap_area(va) || !has_extent())
		return 0;
	fixed = tables_quota_used(me)->n[EXO_QUOTA_PAGES] - swap.stats.held + SWAP_RESERVE;
	return promised() + fixed > tables_quota_limit(me)->n[EXO_QUOTA_PAGES] + swap.blocks
		       ? -ENOMEM
		       : 0;
}

/* Nothing is under way. */
static int settle(uint64_t unused)
{
	(void)unused;
	return swap_finish(0) == SWAP_WAIT ? SWAP_WAIT : 0;
}

void vm_policy_forget(uint64_t va, uint64_t end)
{
	if (swap.state != SWAP_OPEN || !swap_area(va))
		return;
	if (swap.move.kind != SWAP_IDLE && has_extent())
		(void)work_now(settle, 0, 1);
	while (va < end) {
		struct swap_page *p = swap_page(va);

		if (!p) {
			va = (va | (VM_LARGE_PAGE - 1)) + 1;
			continue;
		}
		swap.stats.held -= p->here;
		swap.stats.out -= p->slot && !p->here;
		swap_forget_copy(p);
		*p = (struct swap_page){0};
		va += VM_PAGE;
	}
}

void vm_policy_unmapped(uint64_t va, uint64_t entry)
{
	struct swap_page *p = swap.state == SWAP_OPEN && swap_area(va) ? swap_page(va) : 0;

	if (!p)
		return;
	p->chosen = 0;
	if (entry & PTE_DIRTY)
		swap_forget_copy(p);
}

/* The child has no extent: what is out here could never come there. */
int vm_policy_copy(void)
{
	return swap.stats.out ? -ENOTSUP : 0;
}

void vm_get_stats(struct vm_stats *out)
{
	*out = swap.stats;
}

/* ---- requests ----------------------------------------------------------------------------- */

/* One page of a request; it stays until unpin().  The drive writes it without marking its entry. */
static int pin(uint64_t va, int written)
{
	struct swap_page *p;
	int err = 0;

	va &= ~(VM_PAGE - 1);
	if (!swap_region(va))
		return 0;
	p = swap_page(va);
	if (!p || !p->here)
		err = vm_policy_need(va, vm_find(va)->perm);
	p = swap_page(va);
	if (err || !p)
		return err;
	if (written)
		swap_forget_copy(p);
	p->chosen = 0;
	p->pins++;
	return 0;
}

static void unpin(uint64_t va)
{
	struct swap_page *p = swap_area(va) ? swap_page(va) : 0;

	if (p && p->pins)
		p->pins--;
}

/* Request r touches its pages, then first and last byte of itself and of its array. */
static uint64_t part(const struct disk_req *r, uint32_t i)
{
	const uint64_t own[] = {(uint64_t)r, (uint64_t)(r + 1) - 1, (uint64_t)r->pages,
				(uint64_t)(r->pages + r->nblocks) - 1};

	return i < r->nblocks ? (uint64_t)r->pages[i] : own[i - r->nblocks];
}

static uint32_t parts(const struct disk_req *r)
{
	return r->nblocks ? r->nblocks + 4 : 2;
}

static void unpin_parts(const struct disk_req *r, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		unpin(part(r, i));
}

static int pin_parts(const struct disk_req *r)
{
	for (uint32_t i = 0; i < parts(r); i++) {
		const int err = pin(part(r, i), r->op == DISK_READ && i < r->nblocks);

		if (err) {
			unpin_parts(r, i);
			return err;
		}
	}
	return 0;
}

static int pageable(const struct disk_req *r)
{
	return swap.state == SWAP_OPEN && has_extent() && !vm_busy && r->nblocks <= DISK_MAX_BLOCKS;
}

int vm_disk_enter(const struct disk_req *r)
{
	const uint64_t low = stack_pointer() - STACK_READY;
	int err = 0;

	if (swap.state <= SWAP_THERE && !vm_busy && has_extent())
		(void)work_now(open_extent, 0, 1);
	if (swap.state == SWAP_OPEN && !vm_busy && swap_region(low))
		err = vm_populate(low, STACK_READY, VM_WRITE);
	if (r && !err && pageable(r))
		err = pin_parts(r);
	if (!err || !r)
		vm_busy++;
	return r ? err : 0;
}

void vm_disk_leave(const struct disk_req *r)
{
	vm_busy--;
	if (r && pageable(r))
		unpin_parts(r, parts(r));
	if (!vm_busy)
		vm_policy_idle();
}
