/*
 * signal_wait.c - waiting for signals: by running their handlers, or instead of that.
 *
 * Owns nothing.  While a thread waits its mask lets through what it waits for, so a signal to the
 * process finds it; the layer does not run handlers meanwhile, so what is accepted is not run.  The
 * mask is as it was before handlers run.  Lock: none.  Called by programs.
 */
#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <libos/time.h>
#include <libos/wait.h>

enum { SECOND_NS = 1000000000 };

static const sigset_t never = 1ul << SIGKILL | 1ul << SIGSTOP | POSIX_SIGNAL_MARK;

static int sleep_for_signal(void)
{
	int error;

	tty_pump();
	do
		error = posix_wait(POSIX_EV_SIGNAL, 0);
	while (error != -EINTR);
	return error;
}

uint64_t signal_mask_enter(const sigset_t *mask)
{
	const uint64_t before = signal_blocked;

	wait_own(&signal_blocked);
	signal_blocked = *mask & ~never;
	return before;
}

int64_t signal_mask_leave(uint64_t before, int64_t result)
{
	if (result == -EINTR) {
		upcall_undefer();
		signal_deliver();
		posix_enter();
	}
	signal_blocked = before;
	return posix_leave(result);
}

int sigsuspend(const sigset_t *mask)
{
	uint64_t before;

	posix_enter_point();
	before = signal_mask_enter(mask);
	return (int)signal_mask_leave(before, sleep_for_signal());
}

int pause(void)
{
	posix_enter_point();
	return (int)posix_leave(sleep_for_signal());
}

/* One of `set`; -EAGAIN: none until the deadline (0: none); -EINTR: another is to be run. */
static int accept(sigset_t set, uint64_t deadline)
{
	const uint64_t before = signal_blocked;
	int error = 0, sig;

	tty_pump();
	wait_own(&signal_blocked);
	set &= ~never;
	signal_blocked &= ~set;
	while (!(signal_pending() & set) && error != -EINTR && error != -ETIMEDOUT)
		error = posix_wait(POSIX_EV_SIGNAL, deadline);
	signal_blocked = before;
	if (!(signal_pending() & set))
		return error == -ETIMEDOUT ? -EAGAIN : error;
	sig = __builtin_ctzll(signal_pending() & set);
	signal_take(sig);
	return sig;
}

/* sig, which was accepted, or -1: who sent it is not known. */
static int tell(int sig, siginfo_t *info)
{
	if (sig > 0 && info) {
		memset(info, 0, sizeof(*info));
		info->si_signo = sig;
		info->si_code = SI_USER;
	}
	return sig;
}

int sigwait(const sigset_t *set, int *sig)
{
	int got;

	do {
		posix_enter_point();
		got = (int)posix_leave(accept(*set, 0));
	} while (got < 0);
	*sig = got;
	return 0;
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	posix_enter_point();
	return tell((int)posix_leave(accept(*set, 0)), info);
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *most)
{
	uint64_t deadline;

	if (most->tv_nsec < 0 || most->tv_nsec >= SECOND_NS) {
		errno = EINVAL;
		return -1;
	}
	deadline = time_now() + (most->tv_sec > 0 ? (uint64_t)most->tv_sec * SECOND_NS : 0) +
		   (most->tv_sec < 0 ? 0 : (uint64_t)most->tv_nsec);
	posix_enter_point();
	return tell((int)posix_leave(accept(*set, deadline)), info);
}

/* A signal is a bit: there is no room for a value beside it. */
int sigqueue(pid_t pid, int sig, const union sigval value)
{
	(void)pid, (void)sig, (void)value;
	errno = ENOSYS;
	return -1;
}

void psiginfo(const siginfo_t *info, const char *what)
{
	psignal(info->si_signo, what);
}

/* ---- XSI's older ones ----------------------------------------------------------------------- */

static int change_mask(int how, int sig)
{
	const sigset_t set = 1ul << sig;

	if (sig > 0 && sig < NSIG)
		return sigprocmask(how, &set, NULL);
	errno = EINVAL;
	return -1;
}

int sighold(int sig)
{
	return change_mask(SIG_BLOCK, sig);
}

int sigrelse(int sig)
{
	return change_mask(SIG_UNBLOCK, sig);
}

int sigignore(int sig)
{
	return signal(sig, SIG_IGN) == SIG_ERR ? -1 : 0;
}

/* What sig did before; SIG_HOLD: it was blocked. */
_sig_func_ptr sigset(int sig, _sig_func_ptr handler)
{
	struct sigaction action = {.sa_handler = handler}, old;
	sigset_t mask;

	if (sigprocmask(SIG_BLOCK, NULL, &mask) ||
	    sigaction(sig, handler == SIG_HOLD ? NULL : &action, &old) ||
	    change_mask(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, sig))
		return SIG_ERR;
	return sigismember(&mask, sig) ? SIG_HOLD : old.sa_handler;
}

/* sigpause() has this name where XSI is asked for. */
int __xpg_sigpause(int sig);
int __xpg_sigpause(int sig)
{
	sigset_t mask;

	if (sig <= 0 || sig >= NSIG) {
		errno = EINVAL;
		return -1;
	}
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	sigdelset(&mask, sig);
	return sigsuspend(&mask);
}
