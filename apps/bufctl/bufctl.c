/*
 * bufctl [-d] [NAME=NUMBER ...] - shows and sets the cache of the file system, which all share.
 *
 *	limit=N   frames in use at most           dirty=N   dirty blocks kept; 0: write-through
 *	age=N     ms after which dirt is written  ahead=N   blocks read ahead at most; 0: never
 *	reuse=N   0: what was read is read again
 *
 * Without settings it shows the numbers and what was counted since boot.  -d writes and drops what
 *is cached.  N may end in k (1024).  One process, no lock.
 */
#include "tool.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <libos/cachectl.h>

#define USAGE "bufctl [-d] [limit=N] [dirty=N] [age=MS] [ahead=N] [reuse=0|1]"

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

int main(int argc, char **argv)
{
	struct buf_stats stats;
	struct buf_tuning tuning;
	const char *policy;
	int c, drop = 0;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "d", USAGE)) != -1)
		drop |= c == 'd';
	if (cachectl_look(&stats, &tuning, &policy))
		return tool_warn_errno("the cache");
	if (optind == argc && !drop)
		show(&stats, &tuning, policy);
	for (int i = optind; i < argc; i++)
		set(&tuning, argv[i]);
	if (optind < argc && cachectl_tune(&tuning))
		return tool_warn_errno("these numbers");
	if (drop && cachectl_drop())
		return tool_warn_errno("the cache");
	return tool_done(TOOL_OK);
}
