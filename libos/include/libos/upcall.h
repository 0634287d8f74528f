/*
 * upcall.h - faults, events and slices, as the kernel injects them into the program.
 *
 * Handlers run on the upcall stack (one page, shared by all of them) with general registers only:
 * they must not touch floating point, nor memory that may fault (mark their data RESIDENT), nor
 * block.  Whatever needs more is moved onto the interrupted stack by upcall_deflect().
 * Invariant: the kernel's frame lies untouched on the upcall stack unless a handler changes it.
 * Lock: none; upcalls do not nest, and between upcall_defer() and upcall_undefer() no event and no
 * slice comes (faults always do).
 */
#ifndef LIBOS_UPCALL_H
#define LIBOS_UPCALL_H

#include <exo/abi.h>
#include <libos/layout.h>

/* Data that upcall handlers touch: in the file's data, so it is there before the first fault. */
#define RESIDENT __attribute__((section(".data.resident")))

/* A handler returns 1 when the program may go on at the frame, 0 when it does not know. */
typedef int upcall_fn(struct exo_upcall_frame *frame);

/*
 * Who handles exception `vector` (0..31).  Page faults (14) come here only when the memory layer
 * (libos/vm.h) does not know the address or refuses the access.  NULL: nobody, the program ends.
 */
void upcall_on_fault(unsigned vector, upcall_fn *fn);

/*
 * Who sees page faults before the memory layer: 0 passes them on.  The fastest way to a handler,
 * for programs that play with protection much.  NULL: nobody.
 */
void upcall_on_page_fault(upcall_fn *fn);

/* Who handles events; `mask` says which come as upcalls at all.  NULL and 0: none. */
void upcall_on_event(upcall_fn *fn, uint64_t mask);

/* These events come as upcalls too, to vm_policy_asked(); the handler of events sees them after it.
 */
void upcall_for_memory(uint64_t mask);

/* Both masks together.  An event upcall of these, made here: returns when it was handled. */
uint64_t upcall_events(void);
void upcall_inject(uint64_t events);

/* Who is told of each slice that starts; NULL: nobody. */
void upcall_on_slice(upcall_fn *fn);

/* What that leads to; with threads, they are the one that is told, and tell others. */
void upcall_slice_handler(upcall_fn *fn);

/*
 * Who is told that its slice ends in EXO_GRACE_NS; NULL: nobody.  It should see to it that the
 * program yields by then, or one of its later slices is forfeited.
 */
void upcall_on_slice_end(upcall_fn *fn);

/* All general registers of the interrupted code, as a deflected function sees and may change them.
 */
struct upcall_context {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	void (*fn)(void *arg, struct upcall_context *c);
	void *arg;
	uint64_t rip, cs, rflags, rsp, ss; /* popped by iretq in the end */
};
_Static_assert(sizeof(struct upcall_context) == 176, "upcall.S knows it");

/*
 * For handlers: when the handler returns, fn(arg, context) runs on the interrupted stack, below its
 * red zone, with every register and the FPU state saved, and the interrupted code goes on when fn
 * returns.  fn may block, fault, use floating point, longjmp away.  Several deflections of one
 * frame run in reverse order.  0, or -EFAULT when there is no stack to run it on.
 */
int upcall_deflect(struct exo_upcall_frame *frame, void (*fn)(void *arg, struct upcall_context *c),
		   void *arg);

/* The same onto another stack that ends at `top` (sigaltstack). */
int upcall_deflect_onto(struct exo_upcall_frame *frame,
			void (*fn)(void *arg, struct upcall_context *c), void *arg, uint64_t top);

/* Goes on at a context; for sigreturn-like use. */
_Noreturn void upcall_resume(const struct upcall_context *c);

/*
 * The end of a function that was deflected onto a stack of its own and that held upcalls back since
 * (exo_upcall_head.defer, once): goes on at the interrupted code, and only then lets them come.  If
 * the function returned instead, one could come on that stack, and the next deflection be onto it.
 */
_Noreturn void upcall_leave(const struct upcall_context *c);

/* Sets the entry in this environment; called at start-up, and in a forked child. */
void upcall_start(void);

/* Nests.  Events and slices wait from here … */
static inline void upcall_defer(void)
{
	((volatile struct exo_upcall_head *)LAYOUT_UPCALL)->defer++;
	__asm__ volatile("" ::: "memory");
}

/* Has the kernel deliver what waited. */
void upcall_poll(void);

/* … to here.  What came meanwhile comes now. */
static inline void upcall_undefer(void)
{
	volatile struct exo_upcall_head *head = (volatile struct exo_upcall_head *)LAYOUT_UPCALL;

	__asm__ volatile("" ::: "memory");
	if (--head->defer == 0)
		upcall_poll();
}

#endif
