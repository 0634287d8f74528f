/*
 * sched.h - the seam of schedulers: which of a program's threads runs next.
 *
 * Owns: what a scheduler may know and keep of a thread.  A variant (libos/sched/VARIANT.c) defines
 * the functions below over a queue of its own; all are called with upcalls deferred, so they need
 * no lock, and must not block.  Invariant: a thread is in the variant's queue exactly while it is
 * runnable and not running.
 * Called by libos/sched/thread.c and wait.c only.
 */
#ifndef LIBOS_SCHED_H
#define LIBOS_SCHED_H

#include <libos/thread.h>

/* One that is RUNNABLE runs, or is in the scheduler's queue. */
enum thread_state { THREAD_RUNNABLE, THREAD_BLOCKED, THREAD_ENDED };

enum { THREAD_OWN = 2 };

struct thread {
	/* While it does not run (switch.S); its depth of upcall_defer() is on its stack. */
	uint64_t rsp;
	uint32_t mxcsr;
	uint16_t x87;

	/* The scheduler's: links of its queue, and what it counts. */
	struct thread *next, *prev;
	struct thread_policy policy;
	int64_t rank;	/* smaller goes first: its meaning is the variant's */
	uint64_t turns; /* slices that began while it ran */

	/* thread.c, wait.c */
	enum thread_state state;
	int detached, token;
	struct thread *after, *ahead; /* the ring of all threads */
	struct thread_wait *wait;     /* what it waits for, if it does (wait.c) */
	void *(*fn)(void *arg);
	void *arg, *result;
	void *personal;		  /* the personality's: newlib's state */
	void *keep;		  /* pthreads' */
	uint64_t tls;		  /* fs base */
	uint64_t own[THREAD_OWN]; /* its values of words that are each thread's own, while it does
				     not run (wait_own()) */
	struct thread_queue joiners, parked;
	struct thread_mutex *blocked_on, *lent; /* lent: mutexes of ours with waiters */
	uint64_t release;			/* begin of the period's job */
	uint64_t events;			/* of the program's, for it to handle (wait.c) */
	uint64_t signals;			/* sent to it alone (pthread_signal.c) */
	int breaks;		   /* what a signal does to its wait (pthread_signal.c) */
	int given;		   /* its memory is the program's */
	uint32_t reads;		   /* read locks that it has (pthread_rwlock.c) */
	uint64_t low, size, guard; /* its memory; guard bytes, at its beginning */
	void (*detour)(void);	   /* to run first (detour.c); where it goes on then */
	uint64_t after_detour;
};

/* What thread_switch() leaves on a stack: the depth of upcall_defer(), six registers, where to. */
struct thread_frame {
	uint64_t defer, registers[6];
	void (*go)(void);
	uint64_t nobody; /* a return address: whoever is made by hand does not return */
};

/* ---- the variant's -------------------------------------------------------------------------- */

extern const char sched_name[]; /* the variant's */

enum sched_why { SCHED_NEW, SCHED_WOKEN, SCHED_YIELDED, SCHED_PREEMPTED };

/* t became runnable, or was and is not run any longer. */
void sched_enqueue(struct thread *t, enum sched_why why);

/* The one to run, taken out of the queue; NULL: nobody is runnable. */
struct thread *sched_pick(void);

/* t, which runs, yields: enqueues it and picks, unless the variant knows a shorter way. */
struct thread *sched_turn(struct thread *t);

/* Takes t, which is in the queue, out of it. */
void sched_dequeue(struct thread *t);

/* A slice began while t runs: 1 when another is to run now. */
int sched_tick(struct thread *t);

/* Whether a is more urgent than b: chooses among waiters, and whether one that wakes preempts. */
int sched_before(const struct thread *a, const struct thread *b);

/* May t have this policy (t's own is the old one, with period 0 if it is new)?  0, -EINVAL, -EBUSY.
 */
int sched_admit(const struct thread *t, const struct thread_policy *policy);

/* t has its own urgency again; has that of `from` if it is higher.  Who calls puts a t whose rank
 * changed into the queue anew. */
void sched_restore(struct thread *t);
void sched_inherit(struct thread *t, const struct thread *from);

/* Optional: 1: it goes by thread_policy.priority and fifo.  Without it, 0. */
int sched_priorities(void);

/* ---- queues for variants -------------------------------------------------------------------- */

struct sched_list {
	struct thread *first, *last;
};

static inline void sched_list_insert(struct sched_list *l, struct thread *t, struct thread *before)
{
	struct thread *const after = before ? before->prev : l->last;

	t->next = before;
	t->prev = after;
	*(after ? &after->next : &l->first) = t;
	*(before ? &before->prev : &l->last) = t;
}

static inline void sched_list_remove(struct sched_list *l, struct thread *t)
{
	*(t->prev ? &t->prev->next : &l->first) = t->next;
	*(t->next ? &t->next->prev : &l->last) = t->prev;
}

/* Behind all that do not go after it: equals in order of arrival. */
static inline void sched_list_by_rank(struct sched_list *l, struct thread *t)
{
	struct thread *at = l->last;

	while (at && at->rank > t->rank)
		at = at->prev;
	sched_list_insert(l, t, at ? at->next : l->first);
}

/* ---- between the files of libos/sched, and for pthreads ------------------------------------- */

extern struct thread thread_first; /* runs main */
extern struct thread *thread_current;
extern uint32_t thread_count;	 /* threads that have not ended, the first one among them */
extern uint64_t thread_tls_size; /* of thread-local variables; 0: there are none (tls.c) */

/* Around what others must not come between; leave lets a more urgent one run. */
void thread_enter(void);
void thread_leave(void);

/* A new one's own words are its creator's. */
void thread_own_inherit(struct thread *t);

/* A second thread is to be; called for each. */
void thread_start(void);

/* Between enter and leave.  Sleeps in q until woken or the deadline (0: none): 0, -ETIMEDOUT;
 * -EINTR by thread_interrupt(). */
int thread_queue_wait(struct thread_queue *q, uint64_t deadline);

/* Wakes the most urgent waiter: 1; 0: there is none.  All of them. */
int thread_queue_wake(struct thread_queue *q);
void thread_queue_wake_all(struct thread_queue *q);

/* Lends the urgency of all waiters to t. */
void thread_queue_lend(const struct thread_queue *q, struct thread *to);

/* t's rank anew, its own and what was lent to it, and of those that it lends to (sync.c). */
void thread_rank(struct thread *t);

/* t (NULL: one of the queue) is runnable, and runs at the next leave if it is more urgent. */
void thread_urge(const struct thread *t);

/* t runs again, if it is blocked. */
void thread_unblock(struct thread *t);

/* The caller ends: it waits for nothing. */
void thread_forget_waits(void);

/* Ends what t waits for, whatever it is; a wait that begins later is not touched. */
void thread_interrupt(struct thread *t);

/* In a copy of the program, before wait_forked(): the siblings are not there. */
void thread_forked(void);

/*
 * Between enter and leave: t, not the caller, runs fn as soon as it may run, on its stack, and then
 * goes on, with its wait if it is in one.  1, also when it is about to run another fn; 0: it is
 * inside a layer that is not to be interrupted, or has ended.
 */
int thread_detour(struct thread *t, void (*fn)(void));

/* Goes on at a struct thread_frame (switch.S). */
_Noreturn void thread_resume(uint64_t frame);

/* Between enter and leave: runs others; the caller's state says whether it is to run again, and
 * then it is in the scheduler's queue. */
void thread_switch_away(void);

/* Of preempt.c: whether slices are to be seen.  Of wait.c: what they lead to, deflected. */
struct upcall_context;
void thread_want_slices(int on);
void thread_preempt(void *arg, struct upcall_context *c);

/* Bytes that a thread's variables need above its stack, and making them there: the fs base. */
uint64_t thread_tls_room(void);
uint64_t thread_tls_make(uint64_t top);

static inline void thread_tls_load(uint64_t base)
{
	__asm__ volatile("wrfsbase %0" ::"r"(base) : "memory");
}

/*
 * The personality's part of a new thread: 0 or -ENOMEM; of one that ended, whose memory may be
 * another thread's later, `personal` included; and of memory that is given back.
 */
int personality_thread(struct thread *t);
void personality_thread_end(struct thread *t);
void personality_thread_free(struct thread *t);

/* The caller, which computes, runs again after others did, whose own word was another. */
void personality_thread_resumed(void);

/* When its handler of events is to run although there are none; UINT64_MAX: never. */
uint64_t personality_alarm(void);

/* The last thread ended: the program does. */
_Noreturn void personality_thread_last(void);

#endif
