/*
 * pthread_key.c - values that each thread has of its own, and what is done once.
 *
 * Owns: which keys there are and their destructors.  A key that is made anew has no value in any
 * thread.  Lock: deferred upcalls; destructors and once-routines run without it.  Called by
 * programs.
 */
#include "pthread.h"

#include <errno.h>

static struct {
	int used;
	void (*destructor)(void *);
} keys[PTHREAD_KEYS_MAX];

static void forget_values(pthread_key_t key)
{
	struct thread *t = thread_current;

	do
		pthread_part_of(t)->value[key] = NULL;
	while ((t = t->after) != thread_current);
}

int pthread_key_create(pthread_key_t *out, void (*destructor)(void *))
{
	int error = EAGAIN;

	thread_enter();
	for (pthread_key_t k = 0; k < PTHREAD_KEYS_MAX && error; k++)
		if (!keys[k].used) {
			keys[k].used = 1;
			keys[k].destructor = destructor;
			forget_values(k);
			*out = k;
			error = 0;
		}
	thread_leave();
	return error;
}

int pthread_key_delete(pthread_key_t key)
{
	if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
		return EINVAL;
	keys[key].used = 0;
	return 0;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
	if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
		return EINVAL;
	pthread_part_of(thread_current)->value[key] = value;
	return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
	if (key >= PTHREAD_KEYS_MAX)
		return NULL;
	return (void *)(uintptr_t)pthread_part_of(thread_current)->value[key];
}

/* One round: how many destructors ran. */
static int destroy(struct pthread_part *p)
{
	int ran = 0;

	for (pthread_key_t k = 0; k < PTHREAD_KEYS_MAX; k++) {
		void *const value = (void *)(uintptr_t)p->value[k];

		if (!value || !keys[k].used || !keys[k].destructor)
			continue;
		p->value[k] = NULL;
		keys[k].destructor(value);
		ran++;
	}
	return ran;
}

void pthread_destroy_values(struct pthread_part *p)
{
	for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && destroy(p); round++)
		;
}

/* ---- once ----------------------------------------------------------------------------------- */

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

struct once {
	struct thread_queue waiters;
	uint64_t state;
};

_Static_assert(sizeof(struct once) <= sizeof(pthread_once_t),
	       "newlib/overlay/include has its size");

/* A routine that was cancelled leaves it as if it had not been called. */
static void set_state(struct once *o, uint64_t state)
{
	thread_enter();
	o->state = state;
	thread_queue_wake_all(&o->waiters);
	thread_leave();
}

static void undo(void *o)
{
	set_state(o, ONCE_NEW);
}

int pthread_once(pthread_once_t *once, void (*routine)(void))
{
	struct once *const o = (struct once *)once;
	int mine;

	thread_enter();
	while (o->state == ONCE_RUNNING)
		(void)thread_queue_wait(&o->waiters, 0);
	mine = o->state == ONCE_NEW;
	if (mine)
		o->state = ONCE_RUNNING;
	thread_leave();
	if (!mine)
		return 0;
	pthread_cleanup_push(undo, o);
	routine();
	pthread_cleanup_pop(0);
	set_state(o, ONCE_DONE);
	return 0;
}
