/*
 * slots: whose the CPU slots are and what came of them; reserving, giving, lending, freeing them.
 *
 * Everything shown is read from the kernel's tables.  Stateless.  Called by the program slots and
 * by the shell, whose jobs are children that it can give slots to.
 */
#include "command.h"
#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/slots.h>
#include <libos/spawn.h>

enum { ENVS = 65536, LINE = 64, LONGEST_LOAN = 3600000, MS_US = 1000 };

static const char usage[] =
	"slots: usage: slots [show]                     whose the slots are, and what came of "
	"them\n"
	"              slots reserve N/M COMMAND...     runs COMMAND with N ms in every M\n"
	"              slots give N/M PID               a child, or %JOB, has N ms in every M\n"
	"              slots lend N/M MS PID            for MS ms; then they are taken back\n"
	"              slots free K                     gives up the shell's own but K\n";

TOOL_PRINTF(1, 2) static int complain(const char *format, ...)
{
	va_list args;

	fputs("slots: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return TOOL_FAIL;
}

static int complain_usage(void)
{
	fputs(usage, stderr);
	return TOOL_USAGE;
}

/* A decimal number of at most `most`, ended by `end`; -1: it is none.  *text goes on behind it. */
static long number(const char **text, long most, char end)
{
	char *behind;
	const long value = strtol(*text, &behind, 10);
	const int good = **text >= '0' && **text <= '9' && *behind == end && value <= most;

	*text = *behind ? behind + 1 : behind;
	return good ? value : -1;
}

struct share {
	uint32_t n, every;
};

/* N/M: 1, or 0 after a message. */
static int read_share(const char *text, struct share *share)
{
	const char *at = text;
	const long n = number(&at, SLOTS, '/'), every = number(&at, SLOTS, 0);

	*share = (struct share){(uint32_t)n, (uint32_t)every};
	if (n >= 1 && every >= n)
		return 1;
	(void)complain("%s: %s", text, slots_why(-EINVAL));
	return 0;
}

/* ---- showing -------------------------------------------------------------------------------- */

static char letter(uint32_t owner)
{
	static const char letters[] =
		".123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return owner < sizeof(letters) - 1 ? letters[owner] : '*';
}

/* Who owns each slot: environments by index, few enough to look for one after the other. */
static void show_vector(const struct slots of[], const uint32_t owner[], uint32_t owners)
{
	for (uint32_t n = 0; n < SLOTS; n++) {
		uint32_t i = 0;

		while (i < owners && !slots_has(&of[i], n))
			i++;
		putchar(i < owners ? letter(owner[i]) : '.');
		if (n % LINE == LINE - 1)
			putchar('\n');
	}
}

static void show_owner(uint32_t index, const struct slots *its)
{
	const struct slots_use use = slots_used(its);
	struct slots_account a;

	if (slots_account(index, &a))
		return;
	printf("%c %5u %-12.12s %5u %9llu %9llu %9llu %9llu %9llu %7u %7u\n", letter(index), index,
	       a.name, slots_count(its), (unsigned long long)use.used,
	       (unsigned long long)use.missed, (unsigned long long)use.given,
	       (unsigned long long)a.ran, (unsigned long long)a.donated, a.overrun, a.to_forfeit);
}

/* USED, MISSED and GIVEN are of the places since boot; the rest is of the environment. */
static int show(void)
{
	static struct slots of[SLOTS];
	static uint32_t owner[SLOTS];
	uint32_t owners = 0;
	const struct slots nobodys = slots_of(0);

	for (uint32_t i = 1; i < ENVS && owners < SLOTS; i++) {
		struct slots_account a;

		if (slots_account(i, &a))
			continue;
		of[owners] = slots_of(i);
		owner[owners] = i;
		owners += slots_count(&of[owners]) != 0;
	}
	show_vector(of, owner, owners);
	printf("    ENV NAME         SLOTS      USED    MISSED     GIVEN       RAN   DONATED "
	       "OVERRUN FORFEIT\n");
	for (uint32_t i = 0; i < owners; i++)
		show_owner(owner[i], &of[i]);
	printf(".       nobody       %5u\n", slots_count(&nobodys));
	return TOOL_OK;
}

/* ---- giving --------------------------------------------------------------------------------- */

static int refused(const struct share *share, int error)
{
	if (error == -EDQUOT)
		return complain("%u in every %u: %s: %u", share->n, share->every, slots_why(error),
				slots_room());
	return complain("%u in every %u: %s", share->n, share->every, slots_why(error));
}

/* The capability slot for the child that the word names; -1 after a message. */
static int child_of(const char *word)
{
	const char *at = word;
	const long pid = number(&at, 1l << 30, 0);
	const int cap = pid < 0 ? -1 : spawn_cap((int)pid);

	if (pid < 0)
		(void)complain("%s: not a process id", word);
	else if (cap < 0)
		(void)complain("%s: not a running child of this process: `slots` in the shell "
			       "gives to its jobs",
			       word);
	return cap;
}

/* The child of the word has its share: its capability slot, or -1 after a message. */
static int give_to(const char *word, const struct share *share, struct slots *got)
{
	const int cap = child_of(word);
	const int error = cap < 0 ? 0 : slots_reserve((uint32_t)cap, share->n, share->every, got);

	if (!error)
		return cap;
	(void)refused(share, error);
	return -1;
}

static int give(char **argv)
{
	struct share share;

	return !read_share(argv[0], &share) || give_to(argv[1], &share, NULL) < 0;
}

static int lend(char **argv)
{
	const char *at = argv[1];
	const long ms = number(&at, LONGEST_LOAN, 0);
	struct share share;
	struct slots got, mine, kept;
	int cap, back;

	if (!read_share(argv[0], &share))
		return TOOL_FAIL;
	if (ms < 0)
		return complain("%s: not a number of ms, or more than an hour", argv[1]);
	cap = give_to(argv[2], &share, &got);
	if (cap < 0)
		return TOOL_FAIL;
	(void)usleep((useconds_t)(ms * MS_US));
	if (spawn_cap(atoi(argv[2])) != cap) /* what it had came back when it was waited for */
		return TOOL_OK;
	back = slots_recall((uint32_t)cap, &got);
	if (back < 0)
		return complain("%s: %s", argv[2], slots_why(back));
	printf("%d of %u slots are back\n", back, slots_count(&got));
	mine = slots_of(slots_owner(0));
	kept = slots_without(&got, &mine);
	got = slots_without(&got, &kept);
	return slots_free(&got) ? TOOL_FAIL : TOOL_OK;
}

/* Could anybody have that share now, whatever its quota?  1, or 0 after a message. */
static int is_possible(const struct share *share)
{
	const struct slots nobodys = slots_of(0), mine = slots_of(slots_owner(0));
	const struct slots usable = slots_union(&nobodys, &mine);
	struct slots plan;
	const int error = slots_plan(&plan, &usable, share->n, share->every);

	if (error)
		(void)refused(share, error);
	return !error;
}

/* The slots at `argv[0]` for the program behind it, which is waited for. */
static int reserve(char **argv)
{
	struct share share;
	pid_t pid;
	int error, cap;

	if (!read_share(argv[0], &share) || !is_possible(&share))
		return TOOL_FAIL;
	pid = tool_start(argv + 1);
	if (pid < 0)
		return complain("%s: %s", argv[1], strerror(errno));
	cap = spawn_cap(pid);
	error = cap < 0 ? 0 : slots_reserve((uint32_t)cap, share.n, share.every, NULL);
	if (error && spawn_cap(pid) >= 0) { /* else it had ended before */
		error = refused(&share, error);
		(void)kill(pid, SIGKILL);
		(void)tool_wait(pid);
		return error;
	}
	return tool_wait(pid);
}

/* The caller keeps `argv[0]` slots, those lowest in the vector. */
static int give_up(char **argv)
{
	const char *at = argv[0];
	const long kept = number(&at, SLOTS, 0);
	struct slots mine = slots_of(slots_owner(0));
	long left = kept;

	if (kept < 1)
		return complain("%s: not a number of slots to keep, 1 to %d", argv[0], SLOTS);
	for (uint32_t w = 0; w < SLOTS / 64; w++)
		for (; mine.bit[w] && left; left--)
			mine.bit[w] &= mine.bit[w] - 1;
	return slots_free(&mine) ? TOOL_FAIL : TOOL_OK;
}

int command_slots(int argc, char **argv)
{
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "show") == 0))
		return show();
	if (argc >= 4 && strcmp(argv[1], "reserve") == 0)
		return reserve(argv + 2);
	if (argc == 4 && strcmp(argv[1], "give") == 0)
		return give(argv + 2);
	if (argc == 5 && strcmp(argv[1], "lend") == 0)
		return lend(argv + 2);
	if (argc == 3 && strcmp(argv[1], "free") == 0)
		return give_up(argv + 2);
	return complain_usage();
}
