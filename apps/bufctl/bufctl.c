/*
 * bufctl [-d] [-a | -m PATH] [NAME=NUMBER ...] - shows and sets the cache of a file system, which
 *all share: of the root's, of the one that PATH is on, or (-a) of each that is mounted and has one.
 *
 *	limit=N   frames in use at most           dirty=N   dirty blocks kept; 0: write-through
 *	age=N     ms after which dirt is written  ahead=N   blocks read ahead at most; 0: never
 *	reuse=N   0: what was read is read again
 *
 * Without settings it shows the numbers and what was counted since it was mounted.  -d writes and
 * drops what is cached.  N may end in k (1024).  One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <libos/cachectl.h>
#include <libos/mount.h>

#define USAGE "bufctl [-d] [-a | -m PATH] [limit=N] [dirty=N] [age=MS] [ahead=N] [reuse=0|1]"

static uint32_t *member(struct buf_tuning *t, const char *name, size_t length)
{
	const struct {
		const char *name;
		uint32_t *at;
	} names[] = {
		{"limit", &t->limit},	   {"dirty", &t->dirty_most}, {"age", &t->dirty_ms},
		{"ahead", &t->ahead_most}, {"reuse", &t->reuse},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == length && !strncmp(names[i].name, name, length))
			return names[i].at;
	return NULL;
}

static void set(struct buf_tuning *t, const char *word)
{
	const char *equals = strchr(word, '=');
	uint32_t *to = equals ? member(t, word, (size_t)(equals - word)) : NULL;

	if (!to)
		tool_usage(USAGE);
	const unsigned long long value = tool_number(equals + 1);
	if (value > UINT32_MAX)
		tool_die(TOOL_FAIL, "%s: too large", word);
	*to = (uint32_t)value;
}

static void show(const struct buf_stats *s, const struct buf_tuning *t, const char *policy)
{
	const uint64_t asked = s->hits + s->misses;

	printf("policy %s  limit=%" PRIu32 " dirty=%" PRIu32 " age=%" PRIu32 " ahead=%" PRIu32
	       " reuse=%" PRIu32 "\n",
	       policy, t->limit, t->dirty_most, t->dirty_ms, t->ahead_most, t->reuse);
	printf("frames   %" PRIu32 " of 4 KiB, %" PRIu32 " in use, %" PRIu32 " dirty\n", s->frames,
	       s->used, s->dirty);
	printf("asked    %" PRIu64 ": %" PRIu64 " hits, %" PRIu64 " misses, %" PRIu64 "%% hits\n",
	       asked, s->hits, s->misses, asked ? s->hits * 100 / asked : 0);
	printf("reads    %" PRIu64 " of %" PRIu64 " blocks; ahead %" PRIu64 " used, %" PRIu64
	       " wasted\n",
	       s->reads, s->read_blocks, s->ahead_used, s->ahead_wasted);
	printf("writes   %" PRIu64 " of %" PRIu64 " blocks\n", s->writes, s->write_blocks);
	printf("given up %" PRIu64 ", errors %" PRIu64 "\n", s->evictions, s->errors);
}

/* Does what the words say with the cache of `path`; with `quiet` nothing, if there is none. */
static int one(const char *path, char **words, int n, int drop, int quiet)
{
	struct buf_stats stats;
	struct buf_tuning tuning;
	const char *policy;

	if (cachectl_look(path, &stats, &tuning, &policy))
		return quiet && errno == ENODEV ? TOOL_OK : tool_warn_errno(path);
	if (n == 0 && !drop) {
		if (quiet)
			printf("%s\n", path);
		show(&stats, &tuning, policy);
	}
	for (int i = 0; i < n; i++)
		set(&tuning, words[i]);
	if (n > 0 && cachectl_tune(path, &tuning))
		return tool_warn_errno("these numbers");
	return drop && cachectl_drop(path) ? tool_warn_errno(path) : TOOL_OK;
}

static int all(char **words, int n, int drop)
{
	struct mount_info m;
	int status = TOOL_OK;

	for (unsigned i = 0; i < MOUNT_PLACES; i++) {
		const int there = mount_look(i, &m);
		const int s = there > 0	  ? one(m.target, words, n, drop, 1)
			      : there < 0 ? tool_warn_errno("mount")
					  : TOOL_OK;

		status = s ? s : status;
	}
	return status;
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	int c, drop = 0, each = 0;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "dam:", USAGE)) != -1) {
		drop |= c == 'd';
		each |= c == 'a';
		path = c == 'm' ? optarg : path;
	}
	if (each && path)
		tool_usage(USAGE);
	argv += optind;
	argc -= optind;
	return tool_done(each ? all(argv, argc, drop)
			      : one(path ? path : "/", argv, argc, drop, 0));
}
