/*
 * signal.c - signals: sent as a bit in the segment and an event, run where it is safe.
 *
 * Owns: this program's dispositions, each thread's mask, the alarm.  A signal to the program is run
 * by any thread whose mask lets it, one to a thread (pthread_signal.c) by that.  A signal runs on
 * the program's own stack: after a call of the layer (posix_leave), or deflected from an event that
 * comes while the program computes; never inside the layer.  Invariant: posix_self->ignored has the
 * bits of signals whose sending would change nothing.  Lock: posix_lock to send; running needs
 * none. Called by programs; by the kernel's upcalls through libos/upcall.h.
 */
#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/time.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>
#include <libos/vm.h>
#include <libos/wait.h>

#define BIT(sig) (1ul << (sig))

static const uint64_t NS = 1000000000u;
enum { PATIENCE_NS = 50000000, STEP_NS = 1000000, US_NS = 1000 };

/* Default action: nothing.  Stopping is not supported, so those that stop do nothing either. */
static const uint64_t harmless = BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT) |
				 BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU) |
				 BIT(SIGIO);
static const uint64_t unblockable = BIT(SIGKILL) | BIT(SIGSTOP) | POSIX_SIGNAL_MARK;

static RESIDENT struct sigaction actions[NSIG];
RESIDENT uint64_t signal_blocked;
RESIDENT uint64_t signal_alarm_at;
static uint64_t alarm_every;

/* ---- without threads ------------------------------------------------------------------------ */

__attribute__((weak)) uint64_t signal_own(void)
{
	return 0;
}

__attribute__((weak)) int signal_own_take(uint64_t set)
{
	(void)set;
	return 0;
}

__attribute__((weak)) void signal_own_drop(uint64_t set)
{
	(void)set;
}

__attribute__((weak)) void signal_offer(void)
{
}

__attribute__((weak)) void signal_broke(void)
{
}

/* ---- when it is safe ----------------------------------------------------------------------- */

uint64_t signal_pending(void)
{
	const uint64_t set = posix_self->pending;

	return set & POSIX_SIGNAL_MARK ? (set ^ POSIX_SIGNAL_MARK) | signal_own() : set;
}

static void drop(uint64_t set)
{
	__atomic_and_fetch(&posix_self->pending, ~set, __ATOMIC_RELAXED);
}

void signal_take(int sig)
{
	if (!signal_own_take(BIT(sig)))
		drop(BIT(sig));
}

static uint64_t ready(void)
{
	return signal_pending() & ~signal_blocked;
}

__attribute__((noinline)) static void ring(void)
{
	if (time_now() < signal_alarm_at)
		return;
	signal_alarm_at = alarm_every ? signal_alarm_at + alarm_every : 0;
	__atomic_or_fetch(&posix_self->pending, BIT(SIGALRM), __ATOMIC_RELAXED);
	signal_offer();
}

int signal_waiting(void)
{
	if (signal_alarm_at)
		ring();
	return (posix_self->pending & ~signal_blocked) && ready();
}

/* Bits of the signals that wait and have a handler that restarts the call they come in. */
static uint64_t restarting(void)
{
	uint64_t set = 0;

	for (uint64_t left = ready(); left; left &= left - 1) {
		const int sig = __builtin_ctzll(left);
		const struct sigaction *a = &actions[sig];

		if ((a->sa_flags & SA_RESTART) && a->sa_handler != SIG_DFL)
			set |= BIT(sig);
	}
	return set;
}

/* One waits. */
__attribute__((noinline)) static int interrupts(int any)
{
	do {
		if (any || (ready() & ~restarting()))
			return 1;
		upcall_undefer();
		signal_deliver();
		posix_enter();
	} while (signal_waiting());
	return 0;
}

int signal_interrupts(int any)
{
	return signal_waiting() && interrupts(any);
}

static void run_handler(int sig, const struct sigaction *action)
{
	const uint64_t before = signal_blocked;
	const int error = errno;
	siginfo_t info;

	wait_own(&signal_blocked);
	signal_blocked |= action->sa_mask | (action->sa_flags & SA_NODEFER ? 0 : BIT(sig));
	signal_blocked &= ~unblockable;
	if (action->sa_flags & SA_SIGINFO) {
		memset(&info, 0, sizeof(info));
		info.si_signo = sig;
		info.si_code = SI_USER;
		action->sa_sigaction(sig, &info, NULL);
	} else {
		action->sa_handler(sig);
	}
	signal_blocked = before;
	errno = error;
	if (!(action->sa_flags & SA_RESTART))
		signal_broke();
}

static void run(int sig)
{
	struct sigaction action = actions[sig];

	if (sig == SIGKILL)
		proc_die(sig);
	if (action.sa_handler == SIG_IGN)
		return;
	if (action.sa_handler == SIG_DFL) {
		if (!(harmless & BIT(sig)))
			proc_die(sig);
		return;
	}
	if (action.sa_flags & SA_RESETHAND)
		actions[sig].sa_handler = SIG_DFL;
	run_handler(sig, &action);
}

void signal_deliver(void)
{
	uint64_t set;

	while ((set = ready()) != 0) {
		const int sig = __builtin_ctzll(set);

		signal_take(sig);
		run(sig);
	}
}

/* ---- upcalls ------------------------------------------------------------------------------- */

/* On the program's stack, with its registers saved: what came while it computed. */
static void came(void *arg, struct upcall_context *c)
{
	const uint64_t events = (uint64_t)(uintptr_t)arg;
	const int error = errno;

	(void)c;
	posix_enter();
	wait_posted(events);
	if (events & POSIX_EV_SIGNAL)
		signal_offer();
	if (events & EXO_EV_CHILD)
		(void)proc_children();
	if (events & EXO_EV_CONSOLE_IN)
		tty_pump();
	(void)posix_leave(0);
	errno = error;
}

static int on_event(struct exo_upcall_frame *frame)
{
	return upcall_deflect(frame, came, (void *)(uintptr_t)frame->addr) == 0;
}

static int on_slice(struct exo_upcall_frame *frame)
{
	if (signal_alarm_at && time_now() >= signal_alarm_at)
		(void)upcall_deflect(frame, came, NULL);
	return 1;
}

/* A fault that nobody mends is a signal, if the program handles it; else it ends with a report. */
struct fault {
	int sig;
	uint64_t addr;
};

static RESIDENT struct fault fault;

static void faulted(void *arg, struct upcall_context *c)
{
	const struct sigaction action = actions[fault.sig];
	siginfo_t info;

	(void)arg;
	memset(&info, 0, sizeof(info));
	info.si_signo = fault.sig;
	info.si_code = SI_KERNEL;
	info.si_addr = (void *)fault.addr;
	if (action.sa_flags & SA_RESETHAND)
		actions[fault.sig].sa_handler = SIG_DFL;
	wait_own(&signal_blocked);
	signal_blocked |= action.sa_mask | BIT(fault.sig);
	if (action.sa_flags & SA_SIGINFO)
		action.sa_sigaction(fault.sig, &info, c);
	else
		action.sa_handler(fault.sig);
	signal_blocked &= ~BIT(fault.sig);
}

static int fault_signal(unsigned vector)
{
	switch (vector) {
	case 0:
	case 16:
	case 19:
		return SIGFPE;
	case 1:
	case 3:
		return SIGTRAP;
	case 6:
		return SIGILL;
	case 17:
		return SIGBUS;
	default:
		return SIGSEGV;
	}
}

static int on_fault(struct exo_upcall_frame *frame)
{
	const int sig = fault_signal(frame->what >> 8 & 31);

	if (actions[sig].sa_handler == SIG_DFL || actions[sig].sa_handler == SIG_IGN ||
	    (signal_blocked & BIT(sig)))
		return 0;
	fault = (struct fault){sig, frame->addr};
	return upcall_deflect(frame, faulted, NULL) == 0;
}

static void find_events(void)
{
	posix_events = &tables_env((uint32_t)(start_self() & 0xffff))->events;
}

void signal_copied(void)
{
	find_events();
	signal_own_drop(~0ul);
	signal_alarm_at = alarm_every = 0;
	upcall_on_slice(NULL);
}

void signal_carry(struct posix_carried *to)
{
	__atomic_or_fetch(&posix_self->pending, signal_own(), __ATOMIC_RELAXED);
	*to = (struct posix_carried){signal_blocked, signal_alarm_at, alarm_every};
}

static void take_carried(const struct posix_carried *from)
{
	signal_blocked = from->blocked;
	signal_alarm_at = from->alarm_at;
	alarm_every = from->alarm_every;
	if (signal_alarm_at)
		upcall_on_slice(on_slice);
}

void signal_start(void)
{
	find_events();
	drop(POSIX_SIGNAL_MARK);
	take_carried(&posix_self->carried);
	for (int sig = 1; sig < NSIG; sig++)
		if (posix_self->ignored & ~harmless & BIT(sig))
			actions[sig].sa_handler = SIG_IGN;
	posix_self->ignored |= harmless;
	upcall_on_event(on_event, POSIX_UPCALLS);
}

/* ---- sending ------------------------------------------------------------------------------- */

void signal_send(struct posix_proc *p, int sig)
{
	if (p->state != POSIX_PROC_RUNNING || (p->ignored & BIT(sig) & ~BIT(SIGKILL)))
		return;
	__atomic_or_fetch(&p->pending, BIT(sig), __ATOMIC_RELAXED);
	if (p == posix_self)
		signal_offer();
	else if (p->eid)
		call_event_post(p->eid, POSIX_EV_SIGNAL);
}

int signal_group(int32_t pgrp, int sig)
{
	int found = 0;

	posix_lock();
	for (uint32_t i = 1; i < posix_seg->nprocs; i++) {
		struct posix_proc *p = &posix_seg->proc[i];

		if (p->state == POSIX_PROC_FREE || (pgrp != -1 && p->pgrp != pgrp) ||
		    (pgrp == -1 && (p->parent == 0 || p == posix_self)))
			continue;
		found = 1;
		if (sig)
			signal_send(p, sig);
	}
	posix_unlock();
	return found ? 0 : -ESRCH;
}

/*
 * A child that does not follow SIGKILL in time, being wedged, is ended by its capability.  It is
 * asked first, because one that dies inside the file system makes that read-only.
 */
static void insist(const struct posix_proc *p)
{
	const struct build b = {.eid = p->eid, .cap = p->cap};
	const uint64_t patience = time_now() + PATIENCE_NS;

	if (p->parent != posix_self->pid || p->cap >= EXO_NCAP)
		return;
	while (!build_ended(&b) && time_now() < patience)
		wait_events(0, time_now() + STEP_NS);
	if (!build_ended(&b))
		(void)build_kill(&b, SIGKILL);
}

/* Init (pid 1) takes no signals: the machine's programs live and end with it. */
static int do_kill(pid_t pid, int sig)
{
	struct posix_proc *p;

	if (sig < 0 || sig >= NSIG)
		return -EINVAL;
	if (pid == 1 && sig != 0)
		return -EPERM;
	if (pid <= 0)
		return signal_group(pid == 0 ? posix_self->pgrp : pid == -1 ? -1 : -pid, sig);
	posix_lock();
	p = proc_find(pid);
	if (p && sig)
		signal_send(p, sig);
	posix_unlock();
	if (p && sig == SIGKILL && p != posix_self && p->state == POSIX_PROC_RUNNING)
		insist(p);
	return p ? 0 : -ESRCH;
}

int kill(pid_t pid, int sig)
{
	posix_enter();
	return (int)posix_leave(do_kill(pid, sig));
}

int killpg(pid_t pgrp, int sig)
{
	return kill(pgrp ? -pgrp : 0, sig);
}

__attribute__((weak)) int raise(int sig)
{
	return kill(getpid(), sig);
}

/* ---- dispositions and masks ---------------------------------------------------------------- */

static void note_ignored(int sig)
{
	const int ignored = actions[sig].sa_handler == SIG_IGN ||
			    (actions[sig].sa_handler == SIG_DFL && (harmless & BIT(sig)));

	if (ignored) {
		posix_self->ignored |= BIT(sig);
		drop(BIT(sig));
		signal_own_drop(BIT(sig));
	} else {
		posix_self->ignored &= ~BIT(sig);
	}
}

static int do_sigaction(int sig, const struct sigaction *action, struct sigaction *old)
{
	static const unsigned faults[] = {0, 1, 3, 6, 13, 14, 16, 17, 19};

	if (sig <= 0 || sig >= NSIG)
		return -EINVAL;
	if (action && (unblockable & BIT(sig)))
		return -EINVAL;
	if (old)
		*old = actions[sig];
	if (!action)
		return 0;
	actions[sig] = *action;
	note_ignored(sig);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (fault_signal(faults[i]) == sig)
			upcall_on_fault(faults[i], on_fault);
	return 0;
}

int sigaction(int sig, const struct sigaction *action, struct sigaction *old)
{
	posix_enter();
	return (int)posix_leave(do_sigaction(sig, action, old));
}

_sig_func_ptr signal(int sig, _sig_func_ptr handler)
{
	const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct sigaction old;

	return sigaction(sig, &action, &old) ? SIG_ERR : old.sa_handler;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	const uint64_t before = signal_blocked;
	long result = 0;

	posix_enter();
	wait_own(&signal_blocked);
	if (set) {
		if (how == SIG_BLOCK)
			signal_blocked |= *set;
		else if (how == SIG_UNBLOCK)
			signal_blocked &= ~*set;
		else if (how == SIG_SETMASK)
			signal_blocked = *set;
		else
			result = -EINVAL;
		signal_blocked &= ~unblockable;
	}
	if (old)
		*old = before;
	return (int)posix_leave(result);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return sigprocmask(how, set, old) ? errno : 0;
}

int sigpending(sigset_t *set)
{
	*set = signal_pending() & signal_blocked;
	return 0;
}

int siginterrupt(int sig, int flag)
{
	if (sig <= 0 || sig >= NSIG) {
		errno = EINVAL;
		return -1;
	}
	actions[sig].sa_flags =
		flag ? actions[sig].sa_flags & ~SA_RESTART : actions[sig].sa_flags | SA_RESTART;
	return 0;
}

/* ---- the alarm ----------------------------------------------------------------------------- */

static uint64_t ns_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_usec * US_NS;
}

static struct timeval timeval_of(uint64_t ns)
{
	return (struct timeval){(time_t)(ns / NS), (suseconds_t)(ns % NS / US_NS)};
}

static uint64_t alarm_left(void)
{
	const uint64_t now = time_now();

	return signal_alarm_at == 0 ? 0 : signal_alarm_at > now ? signal_alarm_at - now : 1;
}

int getitimer(int which, struct itimerval *out)
{
	if (which != ITIMER_REAL) {
		errno = EINVAL;
		return -1;
	}
	out->it_value = timeval_of(alarm_left());
	out->it_interval = timeval_of(alarm_every);
	return 0;
}

int setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
	if (old && getitimer(which, old))
		return -1;
	if (which != ITIMER_REAL) {
		errno = EINVAL;
		return -1;
	}
	alarm_every = ns_of(&value->it_interval);
	signal_alarm_at = ns_of(&value->it_value) ? time_now() + ns_of(&value->it_value) : 0;
	upcall_on_slice(signal_alarm_at ? on_slice : NULL);
	return 0;
}

unsigned alarm(unsigned seconds)
{
	const struct itimerval value = {.it_value.tv_sec = seconds};
	const uint64_t left = alarm_left();

	(void)setitimer(ITIMER_REAL, &value, NULL);
	return (unsigned)((left + NS - 1) / NS);
}
