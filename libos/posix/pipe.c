/*
 * pipe.c - pipes: a ring in the segment, and who sleeps at its ends.
 *
 * Owns: struct posix_pipe.  Invariant: head and tail change by one store each, so a pipe is sound
 * even when its lock's holder died.  Lock: the pipe's own; never held while sleeping.
 * One sleeper a side is woken at once; others look again every LOOK_AGAIN ns.
 * Called by io.c, poll.c and descriptor.c.
 */
#include "posix.h"
#include "pipe_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <libos/start.h>
#include <libos/time.h>

enum { READING = 1, WRITING = 2, SMALL = 4096, LARGE = 16384, LARGE_SEGMENT = 1024, ATOMIC = 4096 };
enum { LOOK_AGAIN = 10000000 };

static void pipe_lock(struct posix_pipe *p)
{
	/* Nothing to repair: see the invariant. */
	if (lock_acquire(&p->lock) == LOCK_STOLEN)
		return;
}

struct posix_pipe *pipe_new(void)
{
	const uint32_t size = posix_seg->pages < LARGE_SEGMENT ? SMALL : LARGE;
	struct posix_pipe *p = arena_alloc(posix_seg->arena, sizeof(*p));

	if (!p)
		return NULL;
	p->size = size;
	p->ends = READING | WRITING;
	do
		p->data = arena_alloc(posix_seg->arena, size);
	while (!p->data && image_give_up());
	if (p->data)
		return p;
	arena_free(posix_seg->arena, p, sizeof(*p));
	return NULL;
}

int pipe_end_closed(struct posix_pipe *p, int writing)
{
	uint64_t reader, writer;
	uint32_t left;

	pipe_lock(p);
	p->ends &= writing ? ~(uint32_t)WRITING : ~(uint32_t)READING;
	left = p->ends;
	reader = p->reader;
	writer = p->writer;
	p->reader = p->writer = 0;
	lock_release(&p->lock);
	posix_wake(reader);
	posix_wake(writer);
	if (left)
		return 0;
	arena_free(posix_seg->arena, p->data, p->size);
	arena_free(posix_seg->arena, p, sizeof(*p));
	return 1;
}

/* Notes the caller as the sleeper of a side; when to look again without being woken (0: never). */
static uint64_t sleeper(uint64_t *place)
{
	const uint64_t self = start_self();

	if (*place == 0 || *place == self || !owner_alive(*place)) {
		*place = self;
		return 0;
	}
	return time_now() + LOOK_AGAIN;
}

/* Sleeps with the pipe unlocked. */
static int pipe_sleep(struct posix_pipe *p, uint64_t *place)
{
	const uint64_t until = sleeper(place);
	int error;

	lock_release(&p->lock);
	error = posix_wait(POSIX_EV_WAKE, until);
	pipe_lock(p);
	if (*place == start_self())
		*place = 0;
	return error == -EINTR ? error : 0;
}

static uint64_t take_sleeper(uint64_t *place)
{
	const uint64_t eid = *place;

	*place = 0;
	return eid;
}

ssize_t pipe_read(struct posix_file *f, char *to, size_t n)
{
	struct posix_pipe *p = f->pipe;
	uint64_t wake = 0;
	ssize_t got = 0;

	if (n == 0)
		return 0;
	pipe_lock(p);
	while (got == 0) {
		got = pipe_ring_get(p, to, n);
		if (got) {
			wake = take_sleeper(&p->writer);
			break;
		}
		if (!(p->ends & WRITING))
			break;
		got = f->flags & O_NONBLOCK ? -EAGAIN : pipe_sleep(p, &p->reader);
	}
	lock_release(&p->lock);
	posix_wake(wake);
	return got;
}

/* Writes of up to ATOMIC bytes are put whole; longer ones as room comes. */
static uint32_t wanted_room(size_t left)
{
	return left <= ATOMIC ? (uint32_t)left : 1;
}

ssize_t pipe_write(struct posix_file *f, const char *from, size_t n)
{
	struct posix_pipe *p = f->pipe;
	size_t done = 0;
	ssize_t error = 0;

	pipe_lock(p);
	while (done < n && error == 0) {
		if (!(p->ends & READING)) {
			error = -EPIPE;
		} else if (pipe_ring_room(p) >= wanted_room(n)) {
			const uint32_t put = pipe_ring_put(p, from + done, n - done);
			const uint64_t wake = take_sleeper(&p->reader);

			done += put;
			if (wake) {
				lock_release(&p->lock);
				posix_wake(wake);
				pipe_lock(p);
			}
		} else {
			error = f->flags & O_NONBLOCK ? -EAGAIN : pipe_sleep(p, &p->writer);
		}
	}
	lock_release(&p->lock);
	if (error == -EPIPE) {
		posix_lock();
		signal_send(posix_self, SIGPIPE);
		posix_unlock();
	}
	return done ? (ssize_t)done : error;
}

int pipe_poll(const struct posix_file *f)
{
	const struct posix_pipe *p = f->pipe;

	if (f->type == POSIX_FILE_PIPE_READ)
		return (pipe_ring_used(p) ? POLLIN : 0) | (p->ends & WRITING ? 0 : POLLHUP);
	return p->ends & READING ? (pipe_ring_room(p) >= ATOMIC ? POLLOUT : 0) : POLLERR | POLLOUT;
}

size_t pipe_waiting(const struct posix_file *f)
{
	return pipe_ring_used(f->pipe);
}
