/*
 * thread.c - the life of threads: made, joined, ended; parking, sleeping, periods.
 *
 * Owns: the memory of threads (from low addresses: guard page, stack, thread-local variables,
 * struct thread), and a few stacks of ended ones to be used again.  Invariant: a struct thread is
 * there until it was joined, or ended if detached; one that ended unjoined is ENDED and has no
 * place in any queue.  Lock: deferred upcalls.  Called by programs and pthreads.
 */
#include <errno.h>
#include <string.h>
#include <libos/sched.h>
#include <libos/time.h>
#include <libos/upcall.h>
#include <libos/vm.h>

enum { KEPT = 8 };

static struct thread *kept[KEPT]; /* their memory is for those who come */
static uint32_t keeping;
static struct thread *ended; /* detached; on its stack until the next switch */

/* ---- memory --------------------------------------------------------------------------------- */

static void memory_release(struct thread *t)
{
	personality_thread_free(t);
	(void)vm_release(t->low, t->size);
}

static void memory_free(struct thread *t)
{
	t->after->ahead = t->ahead;
	t->ahead->after = t->after;
	personality_thread_end(t);
	if (t == &thread_first)
		return;
	if (t->given)
		personality_thread_free(t);
	else if (keeping < KEPT)
		kept[keeping++] = t;
	else
		memory_release(t);
}

static struct thread *memory_kept(uint64_t size, uint64_t guard)
{
	for (uint32_t i = 0; i < keeping; i++)
		if (kept[i]->size == size && kept[i]->guard == guard) {
			struct thread *const t = kept[i];

			kept[i] = kept[--keeping];
			return t;
		}
	return NULL;
}

static uint64_t pages(uint64_t bytes)
{
	return (bytes + VM_PAGE - 1) & ~(uint64_t)(VM_PAGE - 1);
}

/* At its upper end is the struct thread. */
static struct thread *memory_mark(uint64_t low, uint64_t size, uint64_t guard)
{
	struct thread *const t = (struct thread *)((low + size - sizeof(*t)) & ~63ul);

	t->low = low;
	t->size = size;
	t->guard = guard;
	return t;
}

static struct thread *memory_make(uint64_t size, uint64_t guard)
{
	uint64_t low;

	if (vm_reserve(0, size, VM_READ | VM_WRITE, VM_ANON, &low))
		return NULL;
	if ((guard && vm_protect(low, guard, VM_NONE)) || vm_keep(low + guard, size - guard) ||
	    vm_populate(low + size - VM_PAGE, VM_PAGE, VM_READ | VM_WRITE)) {
		(void)vm_release(low, size);
		return NULL;
	}
	return memory_mark(low, size, guard);
}

/* The program's own, which it may have got from anywhere: it stays where it is (vm_keep). */
static struct thread *memory_given(uint64_t low, uint64_t size)
{
	const uint64_t first = low & ~(uint64_t)(VM_PAGE - 1);
	struct thread *t;

	if (vm_keep(first, pages(low + size) - first))
		return NULL;
	t = memory_mark(low, size, 0);
	t->personal = NULL;
	t->given = 1;
	return t;
}

/* NULL: none to be had.  What it holds is of no meaning but for where it is and `personal`. */
static struct thread *memory_take(const struct thread_attr *attr)
{
	const uint64_t stack = attr->stack ? attr->stack : THREAD_STACK;
	const uint64_t guard = attr->guard == THREAD_UNGUARDED ? 0
			       : attr->guard		       ? pages(attr->guard)
							       : VM_PAGE;
	const uint64_t size = guard + pages(stack + thread_tls_room() + sizeof(struct thread));
	struct thread *t;

	if (attr->at)
		return memory_given((uint64_t)(uintptr_t)attr->at, stack);
	if (size < stack || size < guard)
		return NULL;
	t = memory_kept(size, guard);
	return t ? t : memory_make(size, guard);
}

static void bury(void)
{
	struct thread *const t = ended;

	ended = NULL;
	if (t && t != thread_current)
		memory_free(t);
	else
		ended = t;
}

/* ---- beginning ------------------------------------------------------------------------------ */

/* Comes out of the first switch to it, entered. */
static void begin(void)
{
	struct thread *const me = thread_current;

	thread_leave();
	thread_exit(me->fn(me->arg));
}

static void frame_make(struct thread *t)
{
	const uint64_t above = t->tls ? t->tls - thread_tls_size : (uint64_t)(uintptr_t)t;
	struct thread_frame *f = (struct thread_frame *)((above & ~15ul) - sizeof(*f));

	*f = (struct thread_frame){.defer = 1, .go = begin};
	/* Control words as the creator's. */
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(t->mxcsr), "=m"(t->x87));
	t->rsp = (uint64_t)(uintptr_t)f;
}

static int make(struct thread **out, const struct thread_attr *attr, void *(*fn)(void *arg),
		void *arg)
{
	struct thread *const t = memory_take(attr);
	int error;

	if (!t)
		return -ENOMEM;
	*t = (struct thread){.fn = fn,
			     .arg = arg,
			     .low = t->low,
			     .size = t->size,
			     .guard = t->guard,
			     .given = attr->at != NULL,
			     .detached = attr->detached,
			     .personal = t->personal};
	thread_own_inherit(t);
	t->after = thread_current;
	t->ahead = thread_current->ahead;
	t->ahead->after = t->after->ahead = t;
	error = personality_thread(t);
	if (!error) {
		t->release = time_now();
		error = sched_admit(t, &attr->policy);
	}
	if (error) {
		memory_free(t);
		return error;
	}
	t->policy = attr->policy;
	t->tls = thread_tls_make((uint64_t)(uintptr_t)t);
	frame_make(t);
	thread_count++;
	thread_start();
	sched_enqueue(t, SCHED_NEW);
	*out = t;
	return 0;
}

int thread_create(struct thread **out, const struct thread_attr *attr, void *(*fn)(void *arg),
		  void *arg)
{
	static const struct thread_attr usual;
	int error;

	if (attr && (attr->stack || attr->at) && attr->stack < THREAD_STACK_MIN)
		return -EINVAL;
	if (attr && attr->stack > SIZE_MAX / 2)
		return -ENOMEM;
	thread_enter();
	bury();
	error = make(out, attr ? attr : &usual, fn, arg);
	if (!error)
		thread_urge(*out);
	thread_leave();
	return error;
}

/* ---- ending --------------------------------------------------------------------------------- */

_Noreturn void thread_exit(void *result)
{
	static const struct thread_policy nothing;
	struct thread *const me = thread_current;

	thread_enter();
	bury();
	thread_forget_waits();
	me->result = result;
	me->state = THREAD_ENDED;
	(void)sched_admit(me, &nothing);
	me->policy = nothing;
	if (--thread_count == 0) {
		upcall_undefer();
		personality_thread_last();
	}
	if (me->detached)
		ended = me;
	else
		thread_queue_wake_all(&me->joiners);
	thread_switch_away();
	__builtin_unreachable();
}

int thread_join_until(struct thread *t, void **result, uint64_t deadline)
{
	int error = 0;

	if (t == thread_current)
		return -EDEADLK;
	thread_enter();
	if (t->detached)
		error = -EINVAL;
	while (!error && t->state != THREAD_ENDED)
		error = thread_queue_wait(&t->joiners, deadline);
	if (!error) {
		if (result)
			*result = t->result;
		memory_free(t);
	}
	thread_leave();
	return error;
}

int thread_join(struct thread *t, void **result)
{
	return thread_join_until(t, result, 0);
}

int thread_detach(struct thread *t)
{
	int error = 0;

	thread_enter();
	if (t->detached)
		error = -EINVAL;
	else if (t->state == THREAD_ENDED)
		memory_free(t);
	else
		t->detached = 1;
	thread_leave();
	return error;
}

struct thread *thread_self(void)
{
	return thread_current;
}

uint64_t thread_slices(const struct thread *t)
{
	return t->turns;
}

/* Siblings wait for nothing in the copy: who wakes one there must not find them. */
void thread_forked(void)
{
	struct thread *const me = thread_current;

	for (struct thread *t = me->after; t != me; t = t->after) {
		t->state = THREAD_ENDED;
		thread_interrupt(t);
	}
	me->lent = NULL;
	thread_rank(me);
}

/* ---- sleeping ------------------------------------------------------------------------------- */

static struct thread_queue sleepers;

void thread_sleep_until(uint64_t deadline)
{
	thread_enter();
	while (thread_queue_wait(&sleepers, deadline ? deadline : 1) == -EINTR)
		;
	thread_leave();
}

int thread_park(uint64_t deadline)
{
	struct thread *const me = thread_current;
	int error = 0;

	thread_enter();
	while (!me->token && error != -ETIMEDOUT)
		error = thread_queue_wait(&me->parked, deadline);
	if (me->token)
		error = 0;
	me->token = 0;
	thread_leave();
	return error;
}

void thread_unpark(struct thread *t)
{
	thread_enter();
	t->token = 1;
	(void)thread_queue_wake(&t->parked);
	thread_leave();
}

/* ---- policy --------------------------------------------------------------------------------- */

int thread_set_policy(struct thread *t, const struct thread_policy *policy)
{
	int error;

	thread_enter();
	error = sched_admit(t, policy);
	if (!error) {
		const int ready = t->state == THREAD_RUNNABLE && t != thread_current;

		if (ready)
			sched_dequeue(t);
		t->policy = *policy;
		t->release = time_now();
		if (ready)
			sched_enqueue(t, SCHED_PREEMPTED);
		thread_rank(t);
		thread_urge(NULL);
	}
	thread_leave();
	return error;
}

struct thread_policy thread_policy_of(const struct thread *t)
{
	return t->policy;
}

int thread_next_period(int64_t *slack)
{
	struct thread *const me = thread_current;
	const struct thread_policy *const p = &me->policy;
	const uint64_t due = me->release + (p->deadline ? p->deadline : p->period);

	if (!p->period)
		return -EINVAL;
	if (slack)
		*slack = (int64_t)(due - time_now());
	me->release += p->period;
	if (time_now() < me->release) {
		thread_sleep_until(me->release);
		return 0;
	}
	/* Late: the next job has begun already. */
	thread_enter();
	thread_rank(me);
	thread_leave();
	thread_yield();
	return 0;
}
