/*
 * pthread_fork.c - what fork() is to do before and afterwards, for programs whose threads share
 * data.
 *
 * Owns: the handlers, which stay for ever.  Invariant: they run in the order in which they were
 * registered, those before fork() in the reverse one.  Lock: deferred upcalls; handlers run
 * without. Called by programs and fork.c.
 */
#include "posix.h"
#include "pthread.h"

#include <errno.h>
#include <stdlib.h>

struct handlers {
	struct handlers *next, *prev;
	void (*prepare)(void);
	void (*parent)(void);
	void (*child)(void);
};

static struct handlers *first, *last;

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	struct handlers *const h = malloc(sizeof(*h));

	if (!h)
		return ENOMEM;
	thread_enter();
	*h = (struct handlers){NULL, last, prepare, parent, child};
	*(last ? &last->next : &first) = h;
	last = h;
	thread_leave();
	return 0;
}

void fork_before(void)
{
	for (const struct handlers *h = last; h; h = h->prev)
		if (h->prepare)
			h->prepare();
}

void fork_after(int in_child)
{
	for (const struct handlers *h = first; h; h = h->next) {
		void (*const fn)(void) = in_child ? h->child : h->parent;

		if (fn)
			fn();
	}
}
