/*
 * wait.c - blocking and waking of threads; what a program does when none of them can run.
 *
 * Owns: who runs, every struct thread_wait, the list of those with events or a deadline.  A wait is
 * on its thread's stack, on its queue's list and, with a mask or a deadline, in `pending`, until it
 * is done; a thread may be in several, one inside the other, since signals run on the stack of a
 * thread that waits.  When nobody is runnable, the last one that blocked waits in the kernel for
 * all: for the union of their events, until the nearest deadline, and hands round what came.
 * Invariant: switches happen only between thread_enter() and thread_leave(), and each thread keeps
 * its own depth of upcall_defer(): the POSIX layer, which computes deferred, is left by a thread
 * only where it waits.  Lock: deferred upcalls.  Called by programs, libos/sched and libos/wait.h's
 * users.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/sched.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>
#include <libos/upcall.h>
#include <libos/wait.h>

enum { NOBODY_NS = 1000000000 };

struct thread_wait {
	struct thread_wait *next; /* in the queue */
	struct thread_wait *sooner, *later;
	struct thread *thread;
	struct thread_queue *queue; /* NULL: none */
	struct thread_wait *outer;  /* the same thread's, in whose midst it is */
	uint64_t mask, deadline, got;
	int done, result;
};

struct thread thread_first = {
	.state = THREAD_RUNNABLE, .after = &thread_first, .ahead = &thread_first};
struct thread *thread_current = &thread_first;
static struct thread_mutex turn;  /* the pager's */
static uint64_t *own[THREAD_OWN]; /* words that are each thread's own; NULL: none */
static int extras;		  /* switches are about more than the stack: own, thread_tls_size */

static struct thread_wait *pending;   /* through later */
static uint64_t wanted;		      /* at least the events of pending's */
static uint64_t nearest = UINT64_MAX; /* at most the deadlines of pending's */
static int urgent;		      /* one woke that is to run instead of the one that does */

_Static_assert(LAYOUT_UPCALL == 0x200000 && offsetof(struct thread, rsp) == 0 &&
		       offsetof(struct thread, mxcsr) == 8 && offsetof(struct thread, x87) == 12,
	       "switch.S has these numbers");
void thread_switch(struct thread *from, const struct thread *to);

static volatile struct exo_upcall_head *head(void)
{
	return (volatile struct exo_upcall_head *)LAYOUT_UPCALL;
}

/* The kernel's word of this program's events. */
static const volatile uint64_t no_events;
static const volatile uint64_t *word = &no_events;

static uint64_t events_now(void)
{
	return *word;
}

/* Whether there are any: one instruction less than compilers make of looking at a volatile. */
static inline int any_event(void)
{
	int any;

	__asm__ volatile("cmpq $0, %1" : "=@ccnz"(any) : "m"(*word));
	return any;
}

void wait_own(uint64_t *each)
{
	struct thread *t = thread_current;
	int i = 0;

	while (i < THREAD_OWN && own[i] && own[i] != each)
		i++;
	if (i == THREAD_OWN || own[i])
		return;
	do
		t->own[i] = *each;
	while ((t = t->after) != thread_current);
	own[i] = each;
	extras = 1;
}

void thread_own_inherit(struct thread *t)
{
	for (int i = 0; i < THREAD_OWN && own[i]; i++)
		t->own[i] = *own[i];
}

void thread_start(void)
{
	extras |= thread_tls_size != 0;
	word = &tables_env((uint32_t)(start_self() & 0xffff))->events;
	thread_want_slices(1);
}

/* ---- waits ---------------------------------------------------------------------------------- */

static void pending_add(struct thread_wait *w)
{
	w->sooner = NULL;
	w->later = pending;
	if (pending)
		pending->sooner = w;
	pending = w;
	wanted |= w->mask;
	if (w->deadline && w->deadline < nearest)
		nearest = w->deadline;
}

static void pending_remove(struct thread_wait *w)
{
	if (!w->mask && !w->deadline)
		return;
	*(w->sooner ? &w->sooner->later : &pending) = w->later;
	if (w->later)
		w->later->sooner = w->sooner;
}

/* Not inlined, since compilers take a list of things on stacks for a mistake. */
__attribute__((noinline)) static void queue_add(struct thread_queue *q, struct thread_wait *w)
{
	*(q->last ? &q->last->next : &q->first) = w;
	q->last = w;
}

static void queue_remove(struct thread_queue *q, struct thread_wait *w)
{
	struct thread_wait *before = NULL;

	for (struct thread_wait *at = q->first; at != w; at = at->next)
		before = at;
	*(before ? &before->next : &q->first) = w->next;
	if (q->last == w)
		q->last = before;
}

void thread_unblock(struct thread *t)
{
	if (t->state != THREAD_BLOCKED)
		return;
	t->state = THREAD_RUNNABLE;
	sched_enqueue(t, SCHED_WOKEN);
	thread_urge(t);
}

void thread_urge(const struct thread *t)
{
	if (!t || sched_before(t, thread_current))
		urgent = 1;
}

static void end(struct thread_wait *w, int result)
{
	if (w->queue)
		queue_remove(w->queue, w);
	pending_remove(w);
	w->result = result;
	w->done = 1;
	thread_unblock(w->thread);
}

/* Gives events to all who wait for any of them; returns those that nobody waited for. */
static uint64_t deliver(uint64_t events)
{
	uint64_t left = events;

	for (struct thread_wait *w = pending, *later; w; w = later) {
		later = w->later;
		if (!(w->mask & events))
			continue;
		w->got = w->mask & events;
		left &= ~w->got;
		end(w, 0);
	}
	return left;
}

static void expire(void)
{
	const uint64_t now = time_now();

	for (struct thread_wait *w = pending, *later; w; w = later) {
		later = w->later;
		if (w->deadline && w->deadline <= now)
			end(w, -ETIMEDOUT);
	}
}

/* Makes `wanted` and `nearest` exact. */
static void recount(void)
{
	wanted = 0;
	nearest = UINT64_MAX;
	for (const struct thread_wait *w = pending; w; w = w->later) {
		wanted |= w->mask;
		if (w->deadline && w->deadline < nearest)
			nearest = w->deadline;
	}
}

/* What came for sleepers while others computed. */
static void look(void)
{
	if (events_now() & wanted) {
		recount();
		if (wanted)
			(void)deliver(call_wait(wanted, 1).value);
	}
	if (nearest != UINT64_MAX && time_now() >= nearest) {
		expire();
		recount();
	}
}

/*
 * Whether t waits where a handler can run on its stack: in code of the thread layer alone.  Deeper,
 * it holds what the handler may need, or is paging.
 */
static int undisturbed(const struct thread *t)
{
	/* One that is being made has no stack yet. */
	if (t->state != THREAD_BLOCKED)
		return 0;
	return (t == thread_current ? head()->defer : *(const uint64_t *)t->rsp) == 1;
}

/* One that could handle events of the program, for which it has a handler, while it waits. */
static struct thread *idler(void)
{
	struct thread *t = thread_current;

	do {
		if (undisturbed(t))
			return t;
		t = t->after;
	} while (t != thread_current);
	return NULL;
}

/* Events that nobody waits for and nobody can handle stay until somebody computes. */
static void idle(void)
{
	struct thread *const t = idler();
	const uint64_t upcalls = t ? upcall_events() : 0;
	const uint64_t alarm = t ? personality_alarm() : UINT64_MAX;
	uint64_t until, left;

	recount();
	until = nearest < alarm ? nearest : alarm;
	if (until == UINT64_MAX)
		until = wanted | upcalls ? 0 : time_now() + NOBODY_NS;
	left = deliver(call_wait(wanted | upcalls, until).value) & upcalls;
	if (alarm != UINT64_MAX && time_now() >= alarm)
		left = upcalls;
	if (left) {
		t->events |= left;
		thread_unblock(t);
	}
	expire();
}

/* ---- switching ------------------------------------------------------------------------------ */

static inline void swap_extras(struct thread *me, const struct thread *t)
{
	if (thread_tls_size)
		thread_tls_load(t->tls);
	for (int i = 0; i < THREAD_OWN && own[i]; i++) {
		me->own[i] = *own[i];
		*own[i] = t->own[i];
	}
}

static inline void switch_to(struct thread *me, struct thread *t)
{
	urgent = 0;
	if (t == me)
		return;
	thread_current = t;
	if (extras)
		swap_extras(me, t);
	thread_switch(me, t);
}

void thread_switch_away(void)
{
	struct thread *t;

	while (!(t = sched_pick()))
		idle();
	switch_to(thread_current, t);
}

static void give_way(void)
{
	sched_enqueue(thread_current, SCHED_PREEMPTED);
	thread_switch_away();
}

__attribute__((weak)) struct thread *sched_turn(struct thread *t)
{
	sched_enqueue(t, SCHED_YIELDED);
	return sched_pick();
}

void thread_enter(void)
{
	upcall_defer();
}

/* Inside the POSIX layer, where the depth is more, the urgent one has to wait until it is left. */
void thread_leave(void)
{
	if (urgent && head()->defer == 1)
		give_way();
	if (any_event())
		upcall_undefer();
	else
		head()->defer--;
}

void thread_yield(void)
{
	struct thread *const me = thread_current;

	/* One instruction each, where compilers make three of a volatile's ++ and --. */
	__asm__ volatile("incq %0" : "+m"(head()->defer)::"memory");
	switch_to(me, sched_turn(me));
	if (any_event())
		upcall_undefer();
	else
		__asm__ volatile("decq %0" : "+m"(head()->defer)::"memory");
}

void thread_preempt(void *arg, struct upcall_context *c)
{
	(void)arg, (void)c;
	upcall_defer();
	thread_current->turns++;
	look();
	if (sched_tick(thread_current) || urgent)
		give_way();
	upcall_undefer();
	if (own[0])
		personality_thread_resumed();
}

/* ---- waiting -------------------------------------------------------------------------------- */

static int block(struct thread_wait *w)
{
	struct thread *const me = thread_current;

	w->outer = me->wait;
	me->wait = w;
	while (!w->done) {
		me->state = THREAD_BLOCKED;
		thread_switch_away();
		if (me->events) {
			const uint64_t events = me->events;

			me->events = 0;
			upcall_inject(events);
		}
	}
	me->wait = w->outer;
	return w->result;
}

int thread_queue_wait(struct thread_queue *q, uint64_t deadline)
{
	struct thread_wait w = {.thread = thread_current, .queue = q, .deadline = deadline};

	if (deadline && time_now() >= deadline)
		return -ETIMEDOUT;
	queue_add(q, &w);
	if (deadline)
		pending_add(&w);
	return block(&w);
}

int thread_queue_wake(struct thread_queue *q)
{
	struct thread_wait *best = q->first;

	if (!best)
		return 0;
	for (struct thread_wait *w = best->next; w; w = w->next)
		if (sched_before(w->thread, best->thread))
			best = w;
	end(best, 0);
	return 1;
}

void thread_queue_wake_all(struct thread_queue *q)
{
	while (q->first)
		end(q->first, 0);
}

void thread_queue_lend(const struct thread_queue *q, struct thread *to)
{
	for (const struct thread_wait *w = q->first; w; w = w->next)
		sched_inherit(to, w->thread);
}

void thread_forget_waits(void)
{
	for (struct thread_wait *w = thread_current->wait; w; w = w->outer)
		if (!w->done)
			end(w, -EINTR);
	thread_current->wait = NULL;
}

void thread_interrupt(struct thread *t)
{
	if (t->wait && !t->wait->done)
		end(t->wait, -EINTR);
}

/* Upcall handlers that print may wait for the console: for them it is the kernel's call. */
static int in_handler(void)
{
	const uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);

	return here - LAYOUT_UPCALL < EXO_PAGE_SIZE;
}

/* The kernel's call, for the whole program: siblings that wait for what it took get it too. */
static struct exo_result wait_whole(uint64_t mask, uint64_t deadline)
{
	const struct exo_result r = call_wait(mask, deadline);

	wait_posted(r.value);
	return r;
}

struct exo_result wait_events(uint64_t mask, uint64_t deadline)
{
	struct thread_wait w = {.mask = mask, .deadline = deadline};

	if (thread_count < 2 || in_handler())
		return call_wait(mask, deadline);
	if (wait_alone)
		return wait_whole(mask, deadline);
	if (mask & events_now())
		return wait_whole(mask, 1);
	if (deadline && time_now() >= deadline)
		return (struct exo_result){EXO_TIMEOUT, 0};
	thread_enter();
	w.thread = thread_current;
	pending_add(&w);
	(void)block(&w);
	thread_leave();
	return (struct exo_result){w.got || w.result != -ETIMEDOUT ? EXO_OK : EXO_TIMEOUT, w.got};
}

int wait_shared(void)
{
	return thread_count > 1 && !wait_alone;
}

void wait_turn(void)
{
	thread_mutex_lock(&turn);
}

/* Who needs pages all the time would take it again before those whom that woke: it is for the
 * scheduler to say. */
void wait_turn_end(void)
{
	const int wanted_by_others = turn.waiters.first != NULL;

	thread_mutex_unlock(&turn);
	if (wanted_by_others)
		thread_yield();
}

void wait_over(void)
{
	thread_enter();
	thread_leave();
	if (own[0])
		personality_thread_resumed();
}

void wait_posted(uint64_t events)
{
	thread_enter();
	(void)deliver(events);
	thread_leave();
}

/* The others are not in the copy; what they waited in is memory that nobody looks at. */
void wait_forked(void)
{
	struct thread *t;

	while ((t = sched_pick()))
		t->state = THREAD_ENDED;
	pending = NULL;
	thread_current->after = thread_current->ahead = thread_current;
	thread_count = 1;
	thread_start();
	thread_want_slices(0);
}
