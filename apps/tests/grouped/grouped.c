/*
 * grouped - scheduling groups as programs use them (libos/group.h), in the machine: each of the six
 * schedulers, by both compilers, among programs that always compute; what is refused; what goes
 * wrong.
 *
 * usage: grouped; grouped hog (what it starts).  The objects are in /tests.  Shares are counts of
 * the kernel's, over decisions and not over time.  Exit status: 0 when all is ok.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/group.h>
#include <libos/spawn.h>

enum { HOGS = 4, DECISIONS = 60, LOADS = 20, PATIENCE = 50 };

static int failures;
static char why[GROUP_WHY];

static void check(int good, const char *what, const char *more)
{
	printf("%s grouped: %s%s%s\n", good ? "ok" : "FAIL", what, more, good ? "" : why);
	fflush(stdout);
	failures += !good;
}

/* ---- hogs, slots, groups -------------------------------------------------------------------- */

static pid_t hog[HOGS];
static struct slots slots;

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

/* A group of the hogs, the words of hog i being word[i]; its number. */
static uint32_t make(uint32_t patience, const uint64_t word[HOGS])
{
	const int made = group_make(patience);

	for (int i = 0; made > 0 && i < HOGS; i++)
		if (group_add((uint32_t)made, (uint32_t)spawn_cap(hog[i])) != i ||
		    group_word((uint32_t)made, (uint32_t)i, 0, word[i]))
			return 0;
	return made > 0 ? (uint32_t)made : 0;
}

static struct group_counts counts(uint32_t group)
{
	struct group_counts c = {0};

	(void)group_counts(group, &c);
	return c;
}

static uint64_t used(uint32_t group, uint32_t place)
{
	struct group_member m = {0};

	(void)group_member(group, place, &m);
	return m.used;
}

/* The group has the slots until it was asked that often, or has lost its program. */
static void run(uint32_t group, uint64_t decisions)
{
	(void)group_give(group, &slots);
	while (counts(group).decisions < decisions && !counts(group).lost)
		usleep(20000);
	(void)group_withdraw(group, &slots);
}

/* ---- the six -------------------------------------------------------------------------------- */

/* No more than `off` from each other. */
static int near(uint64_t a, uint64_t b, uint64_t off)
{
	return a <= b + off && b <= a + off;
}

static int all_to(uint32_t group, uint32_t place)
{
	return used(group, place) > 0 && used(group, place) == counts(group).followed;
}

static int rr_is_fair(uint32_t g)
{
	return near(used(g, 0), used(g, 1), 1) && near(used(g, 1), used(g, 2), 1) &&
	       near(used(g, 2), used(g, 3), 1);
}

/* 1, 2, 3 and 4 of 10 tickets. */
static int shares_are_right(uint32_t g)
{
	const uint64_t tenth = counts(g).followed / 10;

	return near(used(g, 0), tenth, 1) && near(used(g, 1), 2 * tenth, 1) &&
	       near(used(g, 2), 3 * tenth, 1) && used(g, 3) + 2 >= 4 * tenth;
}

static int greatest_runs(uint32_t g)
{
	return all_to(g, 3);
}

static int least_runs(uint32_t g)
{
	return all_to(g, 0);
}

/* The first slot may have been an odd one, and the last an even one. */
static int pairs_run(uint32_t g)
{
	return near(used(g, 0), used(g, 1), 2) && near(used(g, 2), used(g, 3), 2) &&
	       near(used(g, 0) + used(g, 1), used(g, 2) + used(g, 3), 4);
}

static const struct scheduler {
	const char *name;
	uint64_t word[HOGS];
	int (*right)(uint32_t group);
} schedulers[] = {
	{"rr", {0, 0, 0, 0}, rr_is_fair},	    {"priority", {1, 2, 3, 4}, greatest_runs},
	{"stride", {1, 2, 3, 4}, shares_are_right}, {"edf", {1, 2, 3, 4}, least_runs},
	{"remaining", {9, 99, 99, 99}, least_runs}, {"gang", {1, 0, 3, 2}, pairs_run},
};

enum { SCHEDULERS = sizeof(schedulers) / sizeof(schedulers[0]) };

static int load(uint32_t group, const char *name, const char *kind)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/tests/%s.%s.o", name, kind);
	return group_load_file(group, path, NULL, why);
}

static void try_scheduler(const struct scheduler *s, const char *kind)
{
	const uint32_t g = make(0, s->word);
	const int loaded = g && load(g, s->name, kind) == 0;

	if (loaded)
		run(g, DECISIONS);
	if (loaded && !s->right(g))
		(void)snprintf(why, sizeof(why), ": %llu, %llu, %llu, %llu of %llu",
			       (unsigned long long)used(g, 0), (unsigned long long)used(g, 1),
			       (unsigned long long)used(g, 2), (unsigned long long)used(g, 3),
			       (unsigned long long)counts(g).followed);
	check(loaded && s->right(g) && counts(g).failed == 0 && counts(g).most <= counts(g).bound,
	      s->name, kind[0] == 'c' ? " (clang)" : " (gcc)");
	(void)group_end(g);
}

/* With a store in its source the same is refused. */
static void try_store(const struct scheduler *s)
{
	const uint32_t g = make(0, s->word);

	check(load(g, s->name, "store") == -ENOEXEC &&
		      strstr(why, ": stores to the context, which is read-only"),
	      "with a store it is refused: ", s->name);
	check(counts(g).insns == 0, "and nothing is loaded: ", s->name);
	(void)group_end(g);
}

/* ---- refusals ------------------------------------------------------------------------------- */

/* op, registers, offset, number. */
static const uint64_t answer_99[] = {0x00000063000000b7, 0x95}, answer_5[] = {0x5000000b7, 0x95},
		      answer_4[] = {0x4000000b7, 0x95}, loops[] = {0xffff0005, 0x95};

/* Takes groups until that is refused, and gives them up: the error. */
static int all_groups(void)
{
	uint32_t mine = 0;
	int made;

	while ((made = group_make(0)) > 0)
		mine |= 1u << made;
	for (uint32_t g = 1; mine >> g; g++)
		if (mine >> g & 1)
			(void)group_end(g);
	return made;
}

static void nothing_without_right(void)
{
	const struct slots others = {{1}};
	const int a = group_make(0), b = group_make(0);

	check(a > 0 && b > 0 && a != b, "two groups are had", "");
	check(all_groups() == -EDQUOT, "more than the quota is refused", "");
	check(group_add((uint32_t)a, 0) == 0 && group_add((uint32_t)b, 0) == -EBUSY &&
		      group_remove((uint32_t)a, 0) == 0,
	      "who is a member is no other group's", "");
	check(group_end((uint32_t)b) == 0, "one ends", "");
	check(group_end((uint32_t)b) == -EACCES, "once", "");
	check(group_load((uint32_t)b, answer_4, 2, why) == -EACCES && why[0], "another's program",
	      "");
	check(group_add((uint32_t)b, 0) == -EACCES && group_give((uint32_t)b, &slots) == -EACCES &&
		      group_give((uint32_t)a, &others) == -EACCES,
	      "another's group or slots", "");
	check(group_word((uint32_t)a, 0, 0, 1) == -EINVAL && group_remove((uint32_t)a, 0) < 0 &&
		      group_word((uint32_t)a, GROUP_MEMBERS, 0, 1) == -ERANGE,
	      "nobody's place", "");
	check(group_load((uint32_t)a, loops, 2, why) == -ENOEXEC && strstr(why, "no end was found"),
	      "a loop", "");
	check(group_load((uint32_t)a, loops, 0, why) == -ENOEXEC && strstr(why, "1 to 512"),
	      "no instructions", "");
	check(group_load_file((uint32_t)a, "/nowhere", NULL, why) == -ENOENT && why[0], "no file",
	      "");
	check(group_load_file((uint32_t)a, "/tests", NULL, why) == -EISDIR, "a folder", "");
	check(group_load_file((uint32_t)a, "/bin/sh", NULL, why) == -ENOEXEC, "a program", "");
	check(load((uint32_t)a, "rr", "clang") == 0 && counts((uint32_t)a).insns > 0, "a good one",
	      "");
	check(group_load((uint32_t)a, loops, 2, why) == -ENOEXEC && counts((uint32_t)a).insns > 0,
	      "who has one keeps it when another is refused", "");
	(void)group_end((uint32_t)a);
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

static void wrong_answers(const uint64_t *program, const char *words)
{
	static const uint64_t none[HOGS] = {0};
	const uint32_t g = make(0, none);

	check(g && group_add(g, 0) == HOGS && group_load(g, program, 2, why) == 0,
	      "loaded, one that answers wrongly", "");
	run(g, ~0ull);
	group_failure(g, why);
	check(counts(g).lost == 1 && counts(g).insns == 0 && counts(g).failed >= 16,
	      "it is taken from the group", "");
	check(strstr(why, words) && strstr(why, "taken from the group"),
	      "the owner is told: ", words);
	(void)group_end(g);
}

static void starving(void)
{
	static const uint64_t priority[HOGS] = {1, 9, 9, 9};
	const uint32_t g = make(PATIENCE, priority);

	check(g && load(g, "priority", "clang") == 0, "priorities, with patience", "");
	run(g, 2 * DECISIONS);
	group_failure(g, why);
	check(counts(g).failed > 0 &&
		      strstr(why, "member 0 could run and was not named for too long"),
	      "who starves is seen", "");
	(void)group_end(g);
}

/* Two programs load at once, again and again. */
static void loading_in_turns(void)
{
	int bad = 0, status = -1;
	uint32_t g;
	pid_t child;

	fflush(stdout);
	child = fork();
	g = (uint32_t)group_make(0);
	for (int i = 0; i < LOADS; i++)
		bad += load(g, "gang", i % 2 ? "clang" : "gcc") != 0;
	(void)group_end(g);
	if (child == 0)
		_exit(bad != 0);
	check(child > 0 && waitpid(child, &status, 0) == child && status == 0 && !bad,
	      "two programs load in turns", "");
}

static void the_dead_leave(void)
{
	static const uint64_t none[HOGS] = {0};
	const struct slots before = slots_of(slots_owner(0));
	const uint32_t g = make(0, none);
	struct group_member m;
	struct slots now;

	check(counts(g).members == HOGS, "all are members", "");
	(void)kill(hog[0], SIGKILL);
	(void)waitpid(hog[0], NULL, 0);
	hog[0] = 0;
	check(counts(g).members == HOGS - 1 && group_member(g, 0, &m) == 0 && m.env == 0,
	      "who ended is no member", "");
	(void)group_give(g, &slots);
	check(counts(g).slots == slots_count(&slots), "the group has its slots", "");
	check(group_end(g) == 0 && counts(g).slots == 0, "it ends", "");
	now = slots_of(slots_owner(0));
	check(memcmp(&before, &now, sizeof(now)) == 0, "the slots are the owner's again", "");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "hog") == 0)
		for (;;)
			;
	check(slots_reserve(0, 2, 8, &slots) == 0, "slots are had", "");
	nothing_without_right();
	loading_in_turns();
	start_hogs(argv[0]);
	for (int i = 0; i < SCHEDULERS; i++) {
		try_scheduler(&schedulers[i], "clang");
		try_scheduler(&schedulers[i], "gcc");
		try_store(&schedulers[i]);
	}
	wrong_answers(answer_99, "99 was named, which is no place");
	wrong_answers(answer_5, "5 was named, a place that nobody has");
	wrong_answers(answer_4, "4 was named, and could not run");
	starving();
	the_dead_leave();
	end_hogs();
	return failures != 0;
}
