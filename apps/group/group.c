/*
 * group [-s N/M] [-p PATIENCE] [-t MS] [-j SECTION] SCHEDULER [WORDS:]COMMAND...: programs among
 * whom a scheduler of one's own deals out slots.
 *
 * The slots, N in every M (1 in 4), are this program's, and become the group's; each COMMAND, a
 * word of the shell that is split at blanks, is a member, its WORDS (numbers with commas between)
 * the scheduler's to read.  Ends when all have, or after MS ms by ending them, and tells what each
 * got and whether the scheduler was ever wrong.  One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/group.h>
#include <libos/spawn.h>
#include <libos/time.h>

enum { WORDS = 32, LOOK_US = 5000, MS_NS = 1000000, LONGEST = 3600000 };

static const char usage[] =
	"group [-s N/M] [-p PATIENCE] [-t MS] [-j SECTION] SCHEDULER [WORDS:]COMMAND...";

struct member {
	char *argv[WORDS];
	uint64_t word[GROUP_WORDS];
	uint32_t words, place;
	pid_t pid;		  /* 0: it has ended */
	struct group_member seen; /* the last time that it was looked at */
};

struct job {
	uint32_t n, every, patience;
	unsigned long long ms; /* 0: until all have ended */
	const char *section, *scheduler;
	uint32_t group, members;
	struct member member[GROUP_MEMBERS];
};

/* ---- what is wanted ------------------------------------------------------------------------- */

static void read_share(const char *text, struct job *j)
{
	char *end;
	const unsigned long n = strtoul(text, &end, 10);
	const unsigned long every = *end == '/' ? strtoul(end + 1, &end, 10) : 0;

	if (*end || n == 0 || n > every || every > SLOTS)
		tool_die(TOOL_USAGE, "%s: %s", text, slots_why(-EINVAL));
	j->n = (uint32_t)n;
	j->every = (uint32_t)every;
}

/* The number at *at, of a member that is `text`; *at goes on behind it. */
static uint64_t read_word(char **at, const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(*at, &end, 10);
	if (end == *at)
		tool_die(TOOL_USAGE, "%s: a number is missing", text);
	if (errno)
		tool_die(TOOL_USAGE, "%s: a word has 64 bits", text);
	*at = end;
	return value;
}

/* Numbers with commas between, up to a colon, if there are any: what is behind it. */
static char *read_words(char *text, struct member *m)
{
	const size_t length = strspn(text, "0123456789,");
	char *at = text;

	if (length == 0 || text[length] != ':')
		return text;
	for (;; at++) {
		if (m->words == GROUP_WORDS)
			tool_die(TOOL_USAGE, "%s: a member has %d words", text, GROUP_WORDS);
		m->word[m->words++] = read_word(&at, text);
		if (*at == ':')
			return at + 1;
	}
}

/* [WORDS:]COMMAND, split at blanks. */
static void read_member(char *text, struct member *m)
{
	char *rest;
	int n = 0;

	text = read_words(text, m);
	for (char *at = strtok_r(text, " \t", &rest); at; at = strtok_r(NULL, " \t", &rest)) {
		if (n == WORDS - 1)
			tool_die(TOOL_USAGE, "%s: more than %d words", m->argv[0], WORDS - 1);
		m->argv[n++] = at;
	}
	if (n == 0)
		tool_die(TOOL_USAGE, "an empty command");
}

static uint32_t read_patience(const char *text)
{
	const unsigned long long ticks = tool_number(text);

	if (ticks > UINT32_MAX)
		tool_die(TOOL_USAGE, "-p %s: more than %u slots", text, UINT32_MAX);
	return (uint32_t)ticks;
}

static void read_options(int argc, char **argv, struct job *j)
{
	int c;

	while ((c = tool_option(argc, argv, "+s:p:t:j:", usage)) != -1) {
		if (c == 's')
			read_share(optarg, j);
		else if (c == 'p')
			j->patience = read_patience(optarg);
		else if (c == 't')
			j->ms = tool_number(optarg);
		else
			j->section = optarg;
	}
	if (argc - optind < 2)
		tool_usage(usage);
	if (argc - optind - 1 > GROUP_MEMBERS)
		tool_die(TOOL_USAGE, "%d commands: a group has at most %d members",
			 argc - optind - 1, GROUP_MEMBERS);
	if (j->ms > LONGEST)
		tool_die(TOOL_USAGE, "-t %llu: more than an hour", j->ms);
	j->scheduler = argv[optind];
	for (int i = optind + 1; i < argc; i++)
		read_member(argv[i], &j->member[j->members++]);
}

/* ---- the group ------------------------------------------------------------------------------ */

static void end_all(struct job *j)
{
	for (uint32_t i = 0; i < j->members; i++)
		if (j->member[i].pid > 0 && kill(j->member[i].pid, SIGKILL) == 0)
			(void)tool_wait(j->member[i].pid);
}

static void make(struct job *j, struct slots *slots)
{
	char why[GROUP_WHY];
	int made, error = slots_reserve(0, j->n, j->every, slots);

	if (error)
		tool_die(TOOL_FAIL, "%u slots in every %u: %s", j->n, j->every, slots_why(error));
	made = group_make(j->patience);
	if (made < 0)
		tool_die(TOOL_FAIL, "%s",
			 made == -EDQUOT ? "no scheduling group is left to this program (groups= "
					   "of the manifest)"
					 : "all scheduling groups are in use");
	j->group = (uint32_t)made;
	if (group_load_file(j->group, j->scheduler, j->section, why))
		tool_die(TOOL_FAIL, "%s: %s", j->scheduler, why);
}

static void start(struct job *j, struct member *m)
{
	int cap, place;

	m->pid = tool_start(m->argv);
	if (m->pid < 0) {
		const int error = errno;

		end_all(j);
		tool_die(TOOL_FAIL, "%s: %s", m->argv[0], strerror(error));
	}
	cap = spawn_cap(m->pid);
	place = cap < 0 ? cap : group_add(j->group, (uint32_t)cap);
	m->place = GROUP_MEMBERS;
	if (place < 0) /* it has ended already, and is waited for as the others are */
		return;
	m->place = (uint32_t)place;
	for (uint32_t i = 0; i < m->words; i++)
		(void)group_word(j->group, m->place, i, m->word[i]);
}

/* ---- its time ------------------------------------------------------------------------------- */

/* Counts go with a member, so they are looked at while it is there.  How many live. */
static uint32_t look(struct job *j)
{
	uint32_t living = 0;

	for (uint32_t i = 0; i < j->members; i++) {
		struct member *const m = &j->member[i];
		struct group_member now;

		if (!m->pid)
			continue;
		if (group_member(j->group, m->place, &now) == 0 && now.env)
			m->seen = now;
		if (waitpid(m->pid, NULL, WNOHANG) == m->pid)
			m->pid = 0;
		living += m->pid != 0;
	}
	return living;
}

static void run(struct job *j)
{
	const uint64_t until = time_now() + j->ms * MS_NS;

	while (look(j) && (!j->ms || time_now() < until))
		(void)usleep(LOOK_US);
	end_all(j);
}

static void report(const struct job *j)
{
	struct group_counts c;
	char why[GROUP_WHY];

	if (group_counts(j->group, &c))
		return;
	for (uint32_t i = 0; i < j->members; i++)
		printf("%-16s %8llu slots %8llu missed\n", j->member[i].argv[0],
		       (unsigned long long)j->member[i].seen.used,
		       (unsigned long long)j->member[i].seen.missed);
	printf("%s: %u instructions, bound %u steps, longest %u; asked %llu times: %llu followed, "
	       "%llu named nobody, %llu wrong\n",
	       j->scheduler, c.insns, c.bound, c.most, (unsigned long long)c.decisions,
	       (unsigned long long)c.followed, (unsigned long long)c.passed,
	       (unsigned long long)c.failed);
	group_failure(j->group, why);
	if (*why)
		printf("%s: %s\n", j->scheduler, why);
}

int main(int argc, char **argv)
{
	static struct job j = {.n = 1, .every = 4};
	struct slots slots;

	tool_init(argv);
	read_options(argc, argv, &j);
	make(&j, &slots);
	for (uint32_t i = 0; i < j.members; i++)
		start(&j, &j.member[i]);
	if (group_give(j.group, &slots))
		tool_die(TOOL_FAIL, "its slots cannot be given to the group");
	run(&j);
	report(&j);
	return tool_done(group_end(j.group) ? TOOL_FAIL : TOOL_OK);
}
