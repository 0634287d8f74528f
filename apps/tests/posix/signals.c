/*
 * signals.c - tests of signals.  Owns what the handlers note.
 */
#define _GNU_SOURCE /* sighold */
#include "check.h"
#include "child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile sig_atomic_t caught, count;
static sigjmp_buf back;

static void note(int sig)
{
	caught = sig;
	count++;
}

static void jump(int sig)
{
	siglongjmp(back, sig);
}

static void test_handler(void)
{
	CHECK(signal(SIGUSR1, note) == SIG_DFL);
	caught = 0;
	CHECK(raise(SIGUSR1) == 0 && caught == SIGUSR1);
	CHECK(signal(SIGUSR1, SIG_IGN) == note);
	caught = 0;
	CHECK(raise(SIGUSR1) == 0 && caught == 0);
	CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
	CHECK_ERROR(sigaction(SIGKILL, &(struct sigaction){.sa_handler = note}, NULL), EINVAL);
	CHECK_ERROR(kill(getpid(), 99), EINVAL);
}

static void test_mask(void)
{
	sigset_t set, old, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	caught = 0;
	CHECK(signal(SIGUSR2, note) == SIG_DFL && sigprocmask(SIG_BLOCK, &set, &old) == 0);
	CHECK(raise(SIGUSR2) == 0 && caught == 0);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2));
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && caught == SIGUSR2);
	CHECK(signal(SIGUSR2, SIG_DFL) == note);
}

static void test_sigsuspend(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	caught = 0;
	CHECK(signal(SIGUSR1, note) == SIG_DFL && sigprocmask(SIG_BLOCK, &set, &old) == 0);
	CHECK(raise(SIGUSR1) == 0 && caught == 0);
	CHECK_ERROR(sigsuspend(&old), EINTR);
	CHECK(caught == SIGUSR1 && sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	CHECK(signal(SIGUSR1, SIG_DFL) == note);
}

/* What the mask of the wait lets through interrupts it, what it holds back does not. */
static void test_pselect_mask(void)
{
	const struct timespec soon = {0, 2000000}, long_enough = {60, 0}, bad = {0, 1000000000};
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	caught = 0;
	CHECK(signal(SIGUSR1, note) == SIG_DFL && sigprocmask(SIG_BLOCK, &set, &old) == 0);
	CHECK(raise(SIGUSR1) == 0 && pselect(0, NULL, NULL, NULL, &soon, NULL) == 0);
	CHECK(pselect(0, NULL, NULL, NULL, &soon, &set) == 0 && caught == 0);
	CHECK_ERROR(pselect(0, NULL, NULL, NULL, &bad, &old), EINVAL);
	CHECK(caught == 0);
	CHECK_ERROR(pselect(0, NULL, NULL, NULL, &long_enough, &old), EINTR);
	CHECK(caught == SIGUSR1);
	caught = 0;
	CHECK(raise(SIGUSR1) == 0 && caught == 0); /* the mask is as it was */
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && caught == SIGUSR1);
	CHECK(signal(SIGUSR1, SIG_DFL) == note);
}

/* XSI's older names for the same. */
static void test_hold(void)
{
	sigset_t pending;

	caught = 0;
	CHECK(sigset(SIGUSR1, note) == SIG_DFL && sighold(SIGUSR1) == 0);
	CHECK(raise(SIGUSR1) == 0 && caught == 0);
	CHECK(sigset(SIGUSR1, SIG_HOLD) == SIG_HOLD && sigrelse(SIGUSR1) == 0 && caught == SIGUSR1);
	CHECK(sighold(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && sigignore(SIGUSR1) == 0);
	CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGUSR1));
	CHECK(sigset(SIGUSR1, SIG_DFL) == SIG_HOLD && signal(SIGUSR1, SIG_DFL) == SIG_DFL);
	CHECK_ERROR(sighold(99), EINVAL);
	CHECK_ERROR(sigignore(SIGKILL), EINVAL);
}

static void test_sigpause(void)
{
	caught = 0;
	CHECK(sigset(SIGUSR1, note) == SIG_DFL && sighold(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
	CHECK_ERROR(sigpause(SIGUSR1), EINTR);
	CHECK(caught == SIGUSR1 && raise(SIGUSR1) == 0 && count >= 1);
	caught = 0;
	CHECK(sigrelse(SIGUSR1) == 0 && caught == SIGUSR1 && signal(SIGUSR1, SIG_DFL) == note);
}

static void test_sigqueue(void)
{
	const union sigval value = {.sival_int = 1};

	CHECK_ERROR(sigqueue(getpid(), SIGUSR1, value), ENOSYS);
}

static void test_interrupts(void)
{
	const struct itimerval soon = {.it_value.tv_usec = 10000};

	caught = 0;
	CHECK(signal(SIGALRM, note) == SIG_DFL && setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK_ERROR(pause(), EINTR);
	CHECK(caught == SIGALRM && signal(SIGALRM, SIG_DFL) == note);
}

/* The alarm comes while the program computes and calls nothing. */
static void test_while_computing(void)
{
	const struct itimerval soon = {.it_value.tv_usec = 5000};

	caught = 0;
	CHECK(signal(SIGALRM, note) == SIG_DFL && setitimer(ITIMER_REAL, &soon, NULL) == 0);
	for (volatile unsigned long n = 0; !caught && n < 2000000000ul; n++)
		;
	CHECK(caught == SIGALRM && signal(SIGALRM, SIG_DFL) == note);
}

static void test_jump(void)
{
	CHECK(signal(SIGUSR1, jump) == SIG_DFL);
	if (sigsetjmp(back, 1) == 0) {
		raise(SIGUSR1);
		CHECK(!"the handler did not jump");
	}
	CHECK(signal(SIGUSR1, SIG_DFL) == jump);
}

/* _setjmp once stored a signal mask, for which a jmp_buf has no room. */
static void test_setjmp_neighbour(void)
{
	struct {
		jmp_buf buf;
		unsigned long after[2];
	} jump_to = {.after = {0x1111, 0x2222}};

	if (_setjmp(jump_to.buf) == 0)
		_longjmp(jump_to.buf, 1);
	CHECK(jump_to.after[0] == 0x1111 && jump_to.after[1] == 0x2222);
}

static void jump_by_parameter(sigjmp_buf env)
{
	siglongjmp(env, 5);
}

/* siglongjmp once took the address of a parameter for that of the buffer. */
static void test_siglongjmp_parameter(void)
{
	sigjmp_buf env;
	const int got = sigsetjmp(env, 1);

	if (got == 0)
		jump_by_parameter(env);
	CHECK(got == 5);
}

static void test_fault(void)
{
	volatile int *volatile nowhere = NULL;

	CHECK(signal(SIGSEGV, jump) == SIG_DFL);
	if (sigsetjmp(back, 1) == 0) {
		*nowhere = 1;
		CHECK(!"the store did not fault");
	}
	CHECK(signal(SIGSEGV, SIG_DFL) == jump);
}

static void test_child(void)
{
	count = 0;
	CHECK(signal(SIGCHLD, note) == SIG_DFL && run_child("exit", "0") == 0 && count == 1);
	CHECK(signal(SIGCHLD, SIG_DFL) == note);
}

static void test_ignored_by_child(void)
{
	static const int fds[3] = {-1, 1, 2};
	int status;
	pid_t pid;

	CHECK(signal(SIGTERM, SIG_IGN) == SIG_DFL);
	pid = start_child("sleep", "100", fds, 3);
	CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
	usleep(20000);
	CHECK(pid > 0 && kill(pid, SIGTERM) == 0);
	usleep(20000);
	CHECK(waitpid(pid, &status, WNOHANG) == 0 && kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
}

const struct check signal_checks[] = {
	{"signal-handler", test_handler},
	{"signal-mask", test_mask},
	{"sigsuspend", test_sigsuspend},
	{"pselect ignored its mask", test_pselect_mask},
	{"sighold", test_hold},
	{"sigpause", test_sigpause},
	{"sigqueue-refused", test_sigqueue},
	{"signal-interrupts", test_interrupts},
	{"signal-while-computing", test_while_computing},
	{"signal-jump", test_jump},
	{"setjmp-neighbour", test_setjmp_neighbour},
	{"siglongjmp-parameter", test_siglongjmp_parameter},
	{"signal-fault", test_fault},
	{"signal-child", test_child},
	{"signal-ignored-by-child", test_ignored_by_child},
	{NULL, NULL},
};
