/*
 * pthread_newlib.c - newlib among threads: a state for each (errno, strtok …), locks that lock.
 *
 * Owns: newlib's lock objects, which take the place of libc's own empty ones, and each thread's
 * struct _reent.  Linked with any program that makes threads, since thread.c asks for it.
 * Called by newlib and by libos/sched/thread.c.
 */
#include <errno.h>
#include <reent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lock.h>
#include <libos/sched.h>
#include "posix.h"
#include "pthread.h"

void __sinit(struct _reent *state);

/* ---- state ---------------------------------------------------------------------------------- */

struct _reent *__getreent(void)
{
	return thread_current->personal ? thread_current->personal : _GLOBAL_REENT;
}

int personality_thread(struct thread *t)
{
	if (!t->personal)
		t->personal = malloc(sizeof(struct _reent));
	if (!t->personal)
		return -ENOMEM;
	_REENT_INIT_PTR((struct _reent *)t->personal);
	return 0;
}

void personality_thread_end(struct thread *t)
{
	if (t->personal)
		_reclaim_reent(t->personal);
}

void personality_thread_free(struct thread *t)
{
	free(t->personal);
}

/* Its mask lets signals through that the others' did not; it may have been cancelled. */
void personality_thread_resumed(void)
{
	posix_enter();
	(void)posix_leave(0);
	pthread_resumed();
}

uint64_t personality_alarm(void)
{
	return signal_alarm_at ? signal_alarm_at : UINT64_MAX;
}

_Noreturn void personality_thread_last(void)
{
	exit(0);
}

/* ---- locks ---------------------------------------------------------------------------------- */

struct __lock {
	struct thread_mutex m;
	uint32_t depth;
};

struct __lock __lock___sinit_recursive_mutex, __lock___sfp_recursive_mutex,
	__lock___atexit_recursive_mutex, __lock___at_quick_exit_mutex,
	__lock___malloc_recursive_mutex, __lock___env_recursive_mutex, __lock___tz_mutex,
	__lock___dd_hash_mutex, __lock___arc4random_mutex;

/* For those whose lock could not be made: one that is shared locks as well. */
static struct __lock spare;

void __retarget_lock_init(_LOCK_T *lock)
{
	*lock = calloc(1, sizeof(**lock));
	if (!*lock)
		*lock = &spare;
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
	__retarget_lock_init(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
	if (lock != &spare)
		free(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
	__retarget_lock_close(lock);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
	if (lock->m.owner == thread_current)
		lock->depth++;
	else if (thread_mutex_trylock(&lock->m))
		return 0;
	return 1;
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
	if (!__retarget_lock_try_acquire_recursive(lock))
		thread_mutex_lock(&lock->m);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
	if (lock->depth)
		lock->depth--;
	else
		thread_mutex_unlock(&lock->m);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
	return __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
	__retarget_lock_acquire_recursive(lock);
}

void __retarget_lock_release(_LOCK_T lock)
{
	__retarget_lock_release_recursive(lock);
}

/* The lock that stdio's functions take.  stdin, stdout and stderr have theirs from the first use of
 * stdio on. */
void flockfile(FILE *stream)
{
	__sinit(_REENT);
	__lock_acquire_recursive(stream->_lock);
}

int ftrylockfile(FILE *stream)
{
	__sinit(_REENT);
	return !__lock_try_acquire_recursive(stream->_lock);
}

void funlockfile(FILE *stream)
{
	__lock_release_recursive(stream->_lock);
}

/* ---- fork ----------------------------------------------------------------------------------- */

/* No sibling is in the midst of these, so the copy can use them, where it would not go on.  In the
 * order in which newlib takes them. */
static struct __lock *const held[] = {&__lock___sfp_recursive_mutex, &__lock___env_recursive_mutex,
				      &__lock___malloc_recursive_mutex};

enum { HELD = sizeof(held) / sizeof(held[0]) };

void newlib_hold(void)
{
	for (int i = 0; i < HELD; i++)
		__retarget_lock_acquire_recursive(held[i]);
}

/* Of the copy alone: the sibling that has it is not there. */
static void free_stream(FILE *stream)
{
	if (stream->_flags && stream->_lock->m.owner != thread_current)
		*stream->_lock = (struct __lock){.depth = 0};
}

void newlib_copied(void)
{
	for (int i = 0; i < 3; i++)
		free_stream(&__sf[i]);
	for (const struct _glue *g = &_GLOBAL_REENT->__sglue; g; g = g->_next)
		for (int i = 0; i < g->_niobs; i++)
			free_stream(&g->_iobs[i]);
}

void newlib_let_go(void)
{
	for (int i = HELD; i-- > 0;)
		__retarget_lock_release_recursive(held[i]);
}
