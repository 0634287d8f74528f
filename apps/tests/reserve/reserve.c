/*
 * reserve - CPU slots as a resource (libos/slots.h), beside programs that never yield.
 *
 * usage: reserve; reserve hog (what it starts).  Which ms were the program's is seen by the program
 * itself, which looks at the kernel's count of slots all the time, and then compared with what the
 * tables say.  For machines that count instructions: a host that takes time takes slots.
 * Exit status: 0 when all is ok.  Called by apps/tests/guest.tests.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <libos/slots.h>
#include <libos/spawn.h>
#include <libos/tables.h>

enum { N = 2, EVERY = 10, TURNS = 4, TICKS = TURNS * SLOTS, HOGS = 3, NOBODY = EXO_NCAP - 1 };

static int failures;

static void check(int good, const char *what)
{
	printf("%s reserve: %s\n", good ? "ok" : "FAIL", what);
	fflush(stdout);
	failures += !good;
}

static int equal(const struct slots *a, const struct slots *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static uint32_t self(void)
{
	return slots_owner(0);
}

/* ---- what was seen -------------------------------------------------------------------------- */

static uint8_t seen[TICKS]; /* 1: this program ran in that slot */

static void watch(void)
{
	const uint64_t begin = tables_info()->ticks + 1;
	uint64_t now;

	memset(seen, 0, sizeof(seen));
	while ((now = tables_info()->ticks) < begin + TICKS)
		if (now >= begin)
			seen[now - begin] = 1;
}

/* In how many stretches of EVERY slots it ran in fewer than N. */
static uint32_t short_of(void)
{
	uint32_t bad = 0;

	for (uint32_t start = 0; start + EVERY <= TICKS; start++) {
		uint32_t n = 0;

		for (uint32_t i = 0; i < EVERY; i++)
			n += seen[start + i];
		bad += n < N;
	}
	return bad;
}

/* ---- hogs ----------------------------------------------------------------------------------- */

static pid_t hog[HOGS];

static void start_hogs(const char *path)
{
	char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t) "hog", NULL};

	for (int i = 0; i < HOGS; i++)
		hog[i] = spawn(path, argv, NULL, NULL, 0);
}

static void end_hogs(void)
{
	for (int i = 0; i < HOGS; i++)
		if (hog[i] > 0 && kill(hog[i], SIGKILL) == 0)
			(void)waitpid(hog[i], NULL, 0);
}

/* ---- the tests ------------------------------------------------------------------------------ */

static void nothing_changes_when_refused(void)
{
	const struct slots before = slots_of(self());
	struct slots all, init = {{1}}, now;

	memset(&all, 0xff, sizeof(all));
	check(slots_reserve(0, 0, 10, NULL) == -EINVAL &&
		      slots_reserve(0, 11, 10, NULL) == -EINVAL &&
		      slots_reserve(0, 1, SLOTS + 1, NULL) == -EINVAL,
	      "senseless shares are refused");
	check(slots_reserve(0, 1, 1, NULL) == -ENOSPC, "what is somebody's is not to be had");
	check(slots_take(&all) == -EBUSY, "a taken one is refused");
	all = slots_of(0);
	check(slots_take(&all) == -EDQUOT, "more than the quota is refused");
	check(slots_free(&init) == -EACCES && slots_give(NOBODY, &init) == -EACCES,
	      "another's cannot be freed or given");
	check(slots_give(NOBODY, &before) == -EINVAL &&
		      slots_reserve(NOBODY, 1, 10, NULL) == -ESRCH,
	      "nobody cannot be given any");
	now = slots_of(self());
	check(equal(&before, &now), "what is refused changes nothing");
}

static void reserve(struct slots *got)
{
	struct slots mine;

	check(slots_reserve(0, N, EVERY, got) == 0 && slots_count(got) >= 50, "2 in 10 are had");
	mine = slots_of(self());
	check(slots_least(&mine, EVERY) >= N, "any 10 in a row have 2");
}

static void what_is_reserved_comes(void)
{
	const struct slots mine = slots_of(self());
	const struct slots_use before = slots_used(&mine);
	struct slots_use after;
	uint32_t bad;

	watch();
	after = slots_used(&mine);
	bad = short_of();
	printf("# with %u slots: used %llu times, missed %llu, given %llu; %u of %u stretches "
	       "short\n",
	       slots_count(&mine), (unsigned long long)(after.used - before.used),
	       (unsigned long long)(after.missed - before.missed),
	       (unsigned long long)(after.given - before.given), bad, TICKS - EVERY + 1);
	check(bad == 0, "beside hogs it ran 2 ms in every 10");
	check(after.missed == before.missed && after.given == before.given, "nothing was missed");
	check(after.used - before.used >= TURNS * slots_count(&mine) &&
		      after.used - before.used <= (TURNS + 1) * slots_count(&mine),
	      "each slot was used in each turn");
}

static void lent_ones_come_back(void)
{
	const int cap = spawn_cap(hog[0]);
	const uint32_t its = slots_owner((uint32_t)cap);
	const struct slots before = slots_of(self());
	struct slots got, now;
	uint64_t used;

	check(cap > 0 && slots_reserve((uint32_t)cap, 1, 8, &got) == 0, "a child is lent 1 in 8");
	now = slots_of(its);
	check(slots_least(&now, 8) >= 1, "it has them");
	used = slots_used(&got).used;
	watch();
	check(slots_used(&got).used - used >= TURNS * slots_count(&got), "it uses them");
	printf("# without: %u of %u stretches short\n", short_of(), TICKS - EVERY + 1);
	check(short_of() > 0, "who reserved nothing runs less beside it");
	check(slots_recall((uint32_t)cap, &got) == (int)slots_count(&got), "all come back");
	now = slots_of(its);
	check(slots_count(&now) >= 1, "it keeps its own");
	check(slots_free(&got) == 0, "who lent them has them");
	now = slots_of(self());
	check(equal(&before, &now), "all is as before");
}

static void the_dead_get_nothing(void)
{
	const struct slots before = slots_of(self());
	const int cap = spawn_cap(hog[0]);
	const uint32_t its = slots_owner((uint32_t)cap);
	struct slots now;

	(void)kill(hog[0], SIGKILL);
	while (spawn_cap(hog[0]) >= 0 && tables_env(its)->state < EXO_ENV_ZOMBIE)
		;
	check(slots_reserve((uint32_t)cap, 1, 8, NULL) != 0, "one that ended is given none");
	check(waitpid(hog[0], NULL, 0) == hog[0] && spawn_cap(hog[0]) == -1, "it is no child then");
	hog[0] = 0;
	now = slots_of(self());
	check(slots_count(&before) <= slots_count(&now), "nothing is lost by that");
}

int main(int argc, char **argv)
{
	struct slots got;

	if (argc == 2 && strcmp(argv[1], "hog") == 0)
		for (;;)
			;
	nothing_changes_when_refused();
	reserve(&got);
	start_hogs(argv[0]);
	what_is_reserved_comes();
	check(slots_free(&got) == 0, "they are given up");
	lent_ones_come_back();
	the_dead_get_nothing();
	end_hogs();
	return failures != 0;
}
