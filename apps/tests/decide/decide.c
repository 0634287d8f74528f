/*
 * decide - what the example schedulers cost and do in the machine, in numbers: `make schedulers`.
 *
 * usage: decide cost        each scheduler: bound, steps and ns of a decision, among 8 that compute
 *        decide shares [N]  stride: how far shares are from the tickets after N slices (10000)
 *        decide deadlines   jobs that must be done in time, by EDF and by round robin
 *
 * Counts are the kernel's.  ns are instructions where the emulator counts so (ICOUNT=1).  Exit
 * status: 0 when what a scheduler promises was kept.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/call.h>
#include <libos/group.h>
#include <libos/spawn.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>

enum { HOGS = 8, DECISIONS = 200, SHARERS = 4, SLICES = 10000, MS = 1000000 };

static struct slots mine;
static char why[GROUP_WHY];

static _Noreturn void give_up(const char *what)
{
	printf("FAIL decide: %s %s\n", what, why);
	exit(2);
}

/* ---- members ------------------------------------------------------------------------------- */

static void compute(void *unused)
{
	(void)unused;
	for (;;)
		__asm__ volatile("");
}

/* A child that does this, as a member of the group at place i, with this word. */
static pid_t member(uint32_t group, uint32_t i, uint64_t word, void (*does)(void *), void *with)
{
	int ready[2];
	pid_t pid;
	char c;

	fflush(stdout);
	if (pipe(ready) != 0 || (pid = fork()) < 0)
		give_up("no child");
	if (pid == 0) {
		(void)close(ready[1]);
		(void)read(ready[0], &c, 1);
		does(with);
		_exit(0);
	}
	if (group_add(group, (uint32_t)spawn_cap(pid)) != (int)i ||
	    group_word(group, i, 0, word) != 0)
		give_up("no member");
	(void)close(ready[0]);
	(void)write(ready[1], "", 1);
	(void)close(ready[1]);
	return pid;
}

static void end(pid_t *pid, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		(void)kill(pid[i], SIGKILL);
		(void)waitpid(pid[i], NULL, 0);
	}
}

static uint32_t make_group(void)
{
	const int made = group_make(0);

	if (made <= 0)
		give_up("no group");
	return (uint32_t)made;
}

static void load(uint32_t group, const char *name, const char *kind)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/tests/%s.%s.o", name, kind);
	if (group_load_file(group, path, NULL, why) != 0)
		give_up(path);
}

/* What is left of the reserved slots is the group's: each child was given one. */
static void give_slots(uint32_t group)
{
	const struct slots own = slots_of(slots_owner(0)), gone = slots_without(&mine, &own);

	mine = slots_without(&mine, &gone);
	if (group_give(group, &mine) != 0)
		give_up("no slots of its own");
}

/* The group has the slots until it has decided n times more. */
static void decide(uint32_t group, uint64_t n)
{
	const volatile struct exo_group *const g = tables_group(group);
	const uint64_t until = g->decisions + n;

	give_slots(group);
	while (g->decisions < until && g->lost == 0)
		usleep(50000);
	(void)group_withdraw(group, &mine);
}

/* ---- what decisions cost -------------------------------------------------------------------- */

/* One line of the table: n decisions by this program. */
static void cost_of(uint32_t group, const char *name, const char *kind)
{
	const volatile struct exo_group *const g = tables_group(group);
	uint64_t n, steps, time;

	load(group, name, kind);
	n = g->decisions;
	steps = g->steps;
	time = g->time;
	decide(group, DECISIONS);
	n = g->decisions - n;
	steps = g->steps - steps;
	time = g->time - time;
	if (n == 0 || steps == 0)
		give_up("no decisions");
	printf("%-10s %-6s %5u %6u %6llu %6u %7llu %6.1f %7.2f\n", name, kind, g->insns, g->bound,
	       (unsigned long long)(steps / n), g->most, (unsigned long long)(time / n),
	       (double)time / (double)steps,
	       100.0 * (double)time / (double)n / tables_info()->tick_ns);
}

static int cost(void)
{
	static const char *const names[] = {"rr", "priority", "stride", "edf", "remaining", "gang"};
	const uint32_t g = make_group();
	pid_t pid[HOGS];

	for (uint32_t i = 0; i < HOGS; i++)
		pid[i] = member(g, i, i ^ 1, compute, NULL);
	printf("%-10s %-6s %5s %6s %6s %6s %7s %6s %7s\n", "scheduler", "by", "insns", "bound",
	       "steps", "most", "ns", "/step", "% of ms");
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cost_of(g, names[i], "clang");
		cost_of(g, names[i], "gcc");
	}
	end(pid, HOGS);
	(void)group_end(g);
	return 0;
}

/* ---- shares -------------------------------------------------------------------------------- */

static int shares(uint32_t slices)
{
	static const uint64_t tickets[SHARERS] = {1, 2, 3, 7};
	const uint32_t g = make_group();
	uint64_t sum = 0, all = 0, used;
	double worst = 0;
	pid_t pid[SHARERS];

	for (uint32_t i = 0; i < SHARERS; i++) {
		pid[i] = member(g, i, tickets[i], compute, NULL);
		sum += tickets[i];
	}
	load(g, "stride", "clang");
	decide(g, slices);
	for (uint32_t i = 0; i < SHARERS; i++)
		all += tables_sched(g)->member[i].used;
	for (uint32_t i = 0; i < SHARERS; i++) {
		const double due = (double)(all * tickets[i]) / (double)sum;

		used = tables_sched(g)->member[i].used;
		printf("stride: %llu of %llu tickets: %llu of %llu slices, %+.2f\n",
		       (unsigned long long)tickets[i], (unsigned long long)sum,
		       (unsigned long long)used, (unsigned long long)all, (double)used - due);
		worst = (double)used - due > worst ? (double)used - due : worst;
		worst = due - (double)used > worst ? due - (double)used : worst;
	}
	printf("%s decide: shares are off by %.2f slices at most, of %llu\n",
	       worst < 2 && all >= slices ? "ok" : "FAIL", worst, (unsigned long long)all);
	end(pid, SHARERS);
	(void)group_end(g);
	return worst >= 2;
}

/* ---- deadlines ------------------------------------------------------------------------------ */

/* Every period a job: so many slices of the group's are to begin with it before the next one. */
struct task {
	uint32_t group, place;
	uint32_t slices, period; /* ms */
	int result;		 /* where missed, of jobs, goes */
};

enum { JOBS_MS = 1500, PATIENCE_MS = 1000 };

/* Computes until it has had its slices, or is late for long: then the group gives it none. */
static void job(const struct task *t, uint64_t deadline)
{
	const volatile struct exo_sched_member *const m = &tables_sched(t->group)->member[t->place];
	const uint64_t done = m->used + t->slices;

	while (m->used < done && time_now() < deadline + PATIENCE_MS * (uint64_t)MS)
		__asm__ volatile("");
}

static void jobs(void *with)
{
	const struct task *const t = with;
	const uint64_t end = time_now() + JOBS_MS * (uint64_t)MS;
	uint64_t begin = time_now();
	uint32_t count[2] = {0, 0};

	while (begin < end) {
		const uint64_t deadline = begin + t->period * (uint64_t)MS;

		(void)group_word(t->group, t->place, 0, deadline);
		job(t, deadline);
		count[0] += time_now() > deadline;
		count[1]++;
		(void)time_sleep_until(deadline, 0);
		begin = deadline > time_now() - MS ? deadline : time_now();
	}
	(void)write(t->result, count, sizeof(count));
}

/* The tasks by this scheduler: how many jobs were late; *all: of how many. */
static uint32_t late(const char *name, uint32_t *all)
{
	static struct task task[] = {{.slices = 4, .period = 32},
				     {.slices = 4, .period = 64},
				     {.slices = 6, .period = 128}};
	const uint32_t n = sizeof(task) / sizeof(task[0]), g = make_group();
	uint32_t count[2], missed = 0;
	int result[2];
	pid_t pid[3];

	*all = 0;
	if (pipe(result) != 0)
		give_up("no pipe");
	load(g, name, "clang");
	for (uint32_t i = 0; i < n; i++) {
		task[i].group = g;
		task[i].place = i;
		task[i].result = result[1];
		pid[i] = member(g, i, 0, jobs, &task[i]);
	}
	give_slots(g);
	/* Only members hold the writing end now, so one that ends without a word ends the reading.
	 */
	(void)close(result[1]);
	for (uint32_t i = 0; i < n; i++) {
		if (read(result[0], count, sizeof(count)) != sizeof(count))
			give_up("a member ended without telling its deadlines");
		missed += count[0];
		*all += count[1];
	}
	(void)close(result[0]);
	end(pid, n);
	(void)group_end(g);
	printf("%s: %u of %u jobs late\n", name, missed, *all);
	fflush(stdout);
	return missed;
}

static int deadlines(void)
{
	uint32_t edf, rr, of[2];

	edf = late("edf", &of[0]);
	rr = late("rr", &of[1]);
	/* The host may stop the machine for a moment, which no scheduler can help. */
	printf("%s decide: deadlines are kept by EDF that round robin misses\n",
	       edf * 10 <= of[0] && rr > 5 * edf && rr * 20 > of[1] ? "ok" : "FAIL");
	return edf * 10 > of[0] || rr <= 5 * edf;
}

int main(int argc, char **argv)
{
	const char *const what = argc > 1 ? argv[1] : "";

	if (slots_reserve(0, 1, 4, &mine) != 0)
		give_up("no slots");
	if (strcmp(what, "cost") == 0)
		return cost();
	if (strcmp(what, "shares") == 0)
		return shares(argc > 2 ? (uint32_t)atoi(argv[2]) : SLICES);
	if (strcmp(what, "deadlines") == 0)
		return deadlines();
	(void)fprintf(stderr, "usage: decide cost | shares [N] | deadlines\n");
	return 2;
}
