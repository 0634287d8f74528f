/*
 * poll.c - waiting for any of several descriptors.
 *
 * Owns nothing.  There is one sleeper's place at each end of a pipe, which poll leaves to readers
 * and writers: it looks again every LOOK_AGAIN ns, and at once when typing or a signal comes.
 * Called by programs.
 */
#include "posix.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <libos/time.h>
#include <libos/vm.h>

enum {
	LOOK_AGAIN = 2000000,
	MS_NS = 1000000,
	US_NS = 1000,
	SECOND_US = 1000000,
	SECOND_NS = 1000000000
};

static int ready(int fd, int events)
{
	const struct posix_file *f = fd_file(fd);
	int now;

	if (!f)
		return POLLNVAL;
	switch (f->type) {
	case POSIX_FILE_PIPE_READ:
	case POSIX_FILE_PIPE_WRITE:
		now = pipe_poll(f);
		break;
	case POSIX_FILE_TTY:
		now = tty_poll(f);
		break;
	default:
		now = POLLIN | POLLOUT;
	}
	if (now & POLLIN)
		now |= POLLRDNORM;
	if (now & POLLOUT)
		now |= POLLWRNORM;
	return now & (events | POLLERR | POLLHUP);
}

static int look(struct pollfd *fds, nfds_t count)
{
	int found = 0;

	for (nfds_t i = 0; i < count; i++) {
		fds[i].revents = fds[i].fd < 0 ? 0 : (short)ready(fds[i].fd, fds[i].events);
		found += fds[i].revents != 0;
	}
	return found;
}

/* deadline: ns since boot; UINT64_MAX: none. */
static int do_poll(struct pollfd *fds, nfds_t count, uint64_t deadline)
{
	if (user_check(fds, count * sizeof(*fds), VM_WRITE))
		return -EFAULT;
	for (;;) {
		const int found = look(fds, count);
		const uint64_t now = time_now();
		uint64_t until = now + LOOK_AGAIN;

		if (found || now >= deadline)
			return found;
		if (until > deadline)
			until = deadline;
		if (posix_wait(POSIX_EV_WAKE | POSIX_EV_SIGNAL, until) == -EINTR)
			return -EINTR;
	}
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	const uint64_t deadline =
		timeout_ms < 0 ? UINT64_MAX : time_now() + (uint64_t)timeout_ms * MS_NS;

	posix_enter_point();
	return (int)posix_leave(do_poll(fds, count, deadline));
}

/* ---- select -------------------------------------------------------------------------------- */

static int in_set(const fd_set *set, int fd)
{
	return set && FD_ISSET(fd, set);
}

static int fill(struct pollfd *fds, int n, const fd_set *in, const fd_set *out, const fd_set *err)
{
	int count = 0;

	for (int fd = 0; fd < n; fd++) {
		const int events = (in_set(in, fd) ? POLLIN : 0) | (in_set(out, fd) ? POLLOUT : 0) |
				   (in_set(err, fd) ? POLLPRI : 0);

		if (events)
			fds[count++] = (struct pollfd){.fd = fd, .events = (short)events};
	}
	return count;
}

static int mark(fd_set *set, const struct pollfd *p, int asked, int bits)
{
	if (!set || !(p->events & asked) || !(p->revents & bits))
		return 0;
	FD_SET(p->fd, set);
	return 1;
}

/* `mask` is in force while it waits; NULL: the mask is as it is. */
static int wait_for(struct pollfd *fds, int count, uint64_t deadline, const sigset_t *mask)
{
	uint64_t before;

	posix_enter_point();
	if (!mask)
		return (int)posix_leave(do_poll(fds, (nfds_t)count, deadline));
	before = signal_mask_enter(mask);
	return (int)signal_mask_leave(before, do_poll(fds, (nfds_t)count, deadline));
}

static int mark_all(const struct pollfd *fds, int count, fd_set *in, fd_set *out, fd_set *err)
{
	int found = 0;

	if (in)
		FD_ZERO(in);
	if (out)
		FD_ZERO(out);
	if (err)
		FD_ZERO(err);
	for (int i = 0; i < count; i++)
		found += mark(in, &fds[i], POLLIN, POLLIN | POLLHUP | POLLERR) +
			 mark(out, &fds[i], POLLOUT, POLLOUT | POLLERR);
	return found;
}

int pselect(int n, fd_set *in, fd_set *out, fd_set *err, const struct timespec *timeout,
	    const sigset_t *mask)
{
	struct pollfd fds[FD_SETSIZE];
	int count;

	if (n < 0 || n > FD_SETSIZE ||
	    (timeout &&
	     (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= SECOND_NS))) {
		errno = EINVAL;
		return -1;
	}
	count = fill(fds, n, in, out, err);
	if (wait_for(fds, count, timeout ? time_now() + posix_ns(timeout) : UINT64_MAX, mask) < 0)
		return -1;
	return mark_all(fds, count, in, out, err);
}

/* Microseconds may be a second and more, as in Linux. */
int select(int n, fd_set *in, fd_set *out, fd_set *err, struct timeval *timeout)
{
	struct timespec until;

	if (!timeout)
		return pselect(n, in, out, err, NULL, NULL);
	until.tv_sec = timeout->tv_sec + timeout->tv_usec / SECOND_US;
	until.tv_nsec = timeout->tv_usec % SECOND_US * US_NS;
	return pselect(n, in, out, err, &until, NULL);
}
