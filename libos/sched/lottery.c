/*
 * lottery.c - lottery scheduling: shares in proportion to tickets, by chance.
 *
 * Owns the queue and the random numbers.  Each slice a ticket of those of the runnable threads is
 * drawn, and its holder runs.  Nothing is remembered of a thread, so tickets may change at any time
 * and everyone with a ticket runs some day; after n slices a share of p is off by about
 * sqrt(n p (1 - p)) slices.  (Waldspurger and Weihl, 1994.)  A draw is linear in runnable threads.
 */
#include <libos/sched.h>

const char sched_name[] = "lottery";

static struct sched_list ready;
static uint64_t total; /* tickets in the queue */
static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t tickets(const struct thread *t)
{
	return t->policy.tickets ? t->policy.tickets : 1;
}

/* xorshift64* */
static uint64_t draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1d >> 32;
}

void sched_enqueue(struct thread *t, enum sched_why why)
{
	(void)why;
	total += tickets(t);
	sched_list_insert(&ready, t, NULL);
}

void sched_dequeue(struct thread *t)
{
	total -= tickets(t);
	sched_list_remove(&ready, t);
}

struct thread *sched_pick(void)
{
	struct thread *t = ready.first;
	uint64_t left;

	if (!t)
		return NULL;
	for (left = draw() % total; left >= tickets(t); t = t->next)
		left -= tickets(t);
	sched_dequeue(t);
	return t;
}

int sched_tick(struct thread *t)
{
	(void)t; /* who ran takes part in the next draw, in the queue */
	return ready.first != NULL;
}

int sched_before(const struct thread *a, const struct thread *b)
{
	(void)a, (void)b;
	return 0;
}

int sched_admit(const struct thread *t, const struct thread_policy *policy)
{
	(void)t, (void)policy;
	return 0;
}

void sched_restore(struct thread *t)
{
	(void)t;
}

void sched_inherit(struct thread *t, const struct thread *from)
{
	(void)t, (void)from;
}
