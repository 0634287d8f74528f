/*
 * measure [-i] PROGRAM [ARGUMENT...] - runs a program and prints what it cost, for experiments.
 *
 * Prints, after the program has ended, a line `metric NAME VALUE` each (doc/experiments.md): what
 * the kernel counted for the whole machine meanwhile, and the pages and faults of the program
 * itself, which are read between its end and its being taken apart.  -i also counts the
 * instructions in which somebody wanted the processor (soak.h).  The status is the program's.  No
 * lock.
 */
#include "soak.h"
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/posix_segment.h>
#include <libos/spawn.h>
#include <libos/tables.h>
#include <libos/wait.h>

static const char usage[] = "measure [-i] PROGRAM [ARGUMENT...]";

/* What the machine has counted so far. */
struct counts {
	uint64_t busy, ticks, commands, read, written;
};

static struct counts count(void)
{
	struct counts c = {0};

	for (uint32_t i = 0; i < tables_info()->table[EXO_TABLE_DRIVES].count; i++) {
		const volatile struct exo_drive *d = tables_drive(i);

		c.commands += d->commands;
		c.read += d->blocks_read;
		c.written += d->blocks_written;
	}
	c.busy = soak_busy();
	c.ticks = soak_tsc();
	return c;
}

/* What the program held and took itself. */
struct own {
	uint64_t pages, faults;
};

/*
 * Waits until the process has ended, without taking it apart, and reads what it was.  After an exec
 * it has another environment, and waitpid takes the old one apart.
 */
static struct own wait_for_end(pid_t pid)
{
	const struct posix_segment *s = posix_segment();
	const struct posix_proc *p = &s->proc[(uint32_t)pid % s->nprocs];
	int status;

	for (;;) {
		const uint64_t eid = __atomic_load_n(&p->eid, __ATOMIC_ACQUIRE);
		const uint32_t index = (uint32_t)(eid & 0xffff);

		if (tables_alive(eid))
			(void)wait_events(EXO_EV_CHILD, 0);
		else if (p->left.eid == 0 && p->eid == eid)
			return (struct own){tables_quota_used(index)->n[EXO_QUOTA_PAGES],
					    tables_env(index)->faults};
		else
			(void)waitpid(pid, &status, WNOHANG);
	}
}

static void print(const struct counts *from, const struct counts *to, const struct own *own,
		  bool busy)
{
	if (busy)
		fprintf(stderr, "metric instructions %" PRIu64 "\n", to->busy - from->busy);
	fprintf(stderr, "metric ticks %" PRIu64 "\n", to->ticks - from->ticks);
	fprintf(stderr, "metric disk_commands %" PRIu64 "\n", to->commands - from->commands);
	fprintf(stderr, "metric disk_blocks_read %" PRIu64 "\n", to->read - from->read);
	fprintf(stderr, "metric disk_blocks_written %" PRIu64 "\n", to->written - from->written);
	fprintf(stderr, "metric pages %" PRIu64 "\nmetric faults %" PRIu64 "\n", own->pages,
		own->faults);
}

static int run(char **argv, bool busy)
{
	static const int fds[] = {0, 1, 2};
	char *path = tool_program(argv[0]);
	const struct counts from = count();
	const pid_t pid = spawn(path, argv, NULL, fds, 3);
	int raw = 0;

	free(path);
	if (pid < 0) {
		const bool missing = errno == ENOENT;

		tool_warn_errno(argv[0]);
		return missing ? 127 : 126;
	}
	const struct own own = wait_for_end(pid);
	const struct counts to = count();

	while (waitpid(pid, &raw, 0) < 0)
		if (errno != EINTR)
			return tool_warn_errno("waitpid");
	print(&from, &to, &own, busy);
	return tool_done(WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw));
}

int main(int argc, char **argv)
{
	bool busy = false;
	int status;

	tool_init(argv);
	while (tool_option(argc, argv, "+i", usage) != -1)
		busy = true;
	if (!argv[optind])
		tool_usage(usage);
	status = busy ? soak_begin() : 0;
	if (status) {
		errno = -status;
		return tool_warn_errno("the soaker");
	}
	status = run(argv + optind, busy);
	soak_end();
	return status;
}
