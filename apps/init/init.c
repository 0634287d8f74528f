/*
 * init.c - the first program: makes what the manifest says, keeps it going, halts in the end.
 *
 * Owns everything at first: principal 0, all quotas, the console and the machine.  It makes the
 * shared segment, mounts the main file system, starts the programs, writes back what is dirty,
 * tells how programs died, and halts the machine when the shell (or the last program) has ended.
 * Single-threaded.  Called by the kernel.
 */
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/build.h>
#include <libos/posix_segment.h>
#include <libos/start.h>
#include <libos/system.h>
#include <libos/time.h>

static const uint64_t NS = 1000000000u;
enum { LOOK_SECONDS = 1, NOTHING_STATUS = 1, SIGNAL_STATUS = 128 };

static pid_t pids[EXO_MANIFEST_PROGRAMS]; /* 0: not running */
static pid_t shell;
static int status_to_halt_with;

static const char *vector_name(uint32_t vector)
{
	switch (vector) {
	case 0:
		return "division error";
	case 6:
		return "invalid instruction";
	case 13:
		return "protection fault";
	case 14:
		return "page fault";
	default:
		return "exception";
	}
}

/* A program that the kernel had to end says nothing itself. */
static void tell_death(const struct posix_proc *p, const struct build_end *end)
{
	static const char *const ends[] = {
		[EXO_END_FAULT] = "",
		[EXO_END_UPCALL_FAULT] = " on the upcall stack",
		[EXO_END_UPCALL_STACK] = " without a usable upcall stack",
	};

	if (end->end < EXO_END_FAULT || end->end > EXO_END_UPCALL_STACK)
		return;
	printf("%s (%llx): %s%s at 0x%llx, rip 0x%llx rsp 0x%llx error 0x%x\n", p->name,
	       (unsigned long long)p->eid, vector_name(end->vector), ends[end->end],
	       (unsigned long long)end->addr, (unsigned long long)end->rip,
	       (unsigned long long)end->rsp, (unsigned)end->error);
}

static int shell_status(int status)
{
	return WIFSIGNALED(status) ? SIGNAL_STATUS + WTERMSIG(status) : WEXITSTATUS(status);
}

static void ended(const struct exo_manifest *m, pid_t pid, int status)
{
	for (uint32_t i = 0; i < m->programs; i++) {
		if (pids[i] != pid)
			continue;
		pids[i] = 0;
		if (status_to_halt_with == 0 || pid == shell)
			status_to_halt_with = shell_status(status);
	}
}

static void complain(const char *doing, int error)
{
	if (error)
		printf("init: %s: %s\n", doing, strerror(-error));
}

/* Takes in who ended, gives back what is asked for and writes back what is old; sleeps if nobody
 * had ended. */
static void look_after(const struct exo_manifest *m)
{
	int status;
	const pid_t pid = waitpid(-1, &status, WNOHANG);

	posix_halt_if_asked();
	if (pid > 0) {
		ended(m, pid, status);
		return;
	}
	complain("giving back pages", posix_give_back());
	complain("writing back", posix_write_back());
	posix_sleep(time_now() + LOOK_SECONDS * NS);
}

static int running(const struct exo_manifest *m)
{
	for (uint32_t i = 0; i < m->programs; i++)
		if (pids[i])
			return 1;
	return 0;
}

/* Starts them in order; how many could be. */
static uint32_t start_all(const struct exo_manifest *m)
{
	uint32_t started = 0;

	start_note_quotas();
	for (uint32_t i = 0; i < m->programs; i++) {
		const pid_t pid = start_program(m, i);

		if (pid < 0 && (m->program[i].flags & EXO_MF_SHELL))
			status_to_halt_with = NOTHING_STATUS;
		if (pid < 0)
			continue;
		pids[i] = pid;
		started++;
		if (m->program[i].flags & EXO_MF_SHELL)
			shell = pid;
		while ((m->program[i].flags & EXO_MF_WAIT) && pids[i])
			look_after(m);
	}
	return started;
}

/* Until the shell has ended, or where there is none, everything. */
static int serve(const struct exo_manifest *m)
{
	if (start_all(m) == 0) {
		printf("init: no program of the manifest could be started\n");
		return NOTHING_STATUS;
	}
	for (;;) {
		int shell_runs = 0;

		for (uint32_t i = 0; i < m->programs; i++)
			shell_runs |= shell && pids[i] == shell;
		if (shell ? !shell_runs : !running(m))
			return status_to_halt_with;
		look_after(m);
	}
}

int main(void)
{
	const struct exo_manifest *m;
	int status = NOTHING_STATUS;

	posix_on_death(tell_death);
	m = manifest_check();
	if (m && boot_segment() == 0 && boot_mount(m) == 0)
		status = serve(m);
	fflush(stdout);
	system_halt(status);
	printf("init: cannot halt: %s\n", strerror(errno));
	return NOTHING_STATUS;
}
