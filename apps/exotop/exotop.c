/*
 * exotop [-1] [-e] [-n N] - who owns what: pages, CPU slots, extents, the disk's queue; or, with
 * -e, what happens: who runs, calls, faults, transfers.
 *
 * Everything is read from the kernel's tables, which every program sees; no call is made but to
 * sleep, and with -e to trace where nobody does.  Every second, N times (without -n until it is
 * ended; -1 is -n 1).  One process, no lock.
 */
#include "exotop.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libos/tables.h>

enum { STATES = 9 };

static uint64_t ticks_before[EXO_NENV], idle_before, total_before;

static const char *env_state(uint8_t state)
{
	static const char *const names[] = {"free",    "building", "ready",
					    "waiting", "ended",	   "calling"};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

const char *name_of(const volatile char *from, size_t size, char out[NAME + 1])
{
	size_t n = 0;

	while (n < size && n < NAME && from[n]) {
		out[n] = from[n] >= ' ' && from[n] < 127 ? from[n] : '?';
		n++;
	}
	out[n] = 0;
	return n ? out : "-";
}

static void show_memory(void)
{
	static const char *const names[STATES] = {"free",   "data",   "tables", "save", "upcall",
						  "kernel", "device", "absent", "trace"};
	const uint32_t frames = tables_info()->frames;
	uint32_t count[STATES] = {0};

	for (uint32_t f = 0; f < frames; f++)
		count[tables_page(f)->state % STATES]++;
	printf("pages ");
	for (uint32_t s = 0; s < STATES; s++)
		printf("  %s %lu", names[s], (unsigned long)count[s]);
	printf("\n");
}

unsigned percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned)(part * 100 / whole) : 0;
}

static void show_head(uint64_t passed)
{
	const volatile struct exo_info *info = tables_info();
	const uint64_t idle = info->idle_ticks;

	printf("up %llu s   idle %u%%   %lu of %lu MiB free\n",
	       (unsigned long long)(info->ticks * info->tick_ns / 1000000000u),
	       percent(idle - idle_before, passed), (unsigned long)(info->free_frames / 256),
	       (unsigned long)(info->frames / 256));
	idle_before = idle;
}

static void show_envs(uint64_t passed)
{
	const uint32_t envs = tables_info()->envs;

	printf("%5s %-12s %-8s %16s %15s %9s %7s %4s %4s %8s\n", "ENV", "NAME", "STATE",
	       "PRINCIPAL", "PAGES", "SLOTS", "CAPS", "IO", "CPU%", "FAULTS");
	for (uint32_t i = 1; i < envs; i++) {
		const volatile struct exo_env *e = tables_env(i);
		const volatile struct exo_quota *used = tables_quota_used(i);
		const volatile struct exo_quota *limit = tables_quota_limit(i);
		const uint64_t ticks = e->used_ticks;
		char name[NAME + 1];

		if (e->state == EXO_ENV_FREE)
			continue;
		printf("%5lu %-12.12s %-8s %16llx %7lu/%-7lu %4lu/%-4lu %3lu/%-3lu %4lu %4u "
		       "%8llu\n",
		       (unsigned long)i, name_of(e->name, sizeof(e->name), name),
		       env_state(e->state), (unsigned long long)e->principal,
		       (unsigned long)used->n[EXO_QUOTA_PAGES],
		       (unsigned long)limit->n[EXO_QUOTA_PAGES],
		       (unsigned long)used->n[EXO_QUOTA_SLOTS],
		       (unsigned long)limit->n[EXO_QUOTA_SLOTS],
		       (unsigned long)used->n[EXO_QUOTA_CAPS],
		       (unsigned long)limit->n[EXO_QUOTA_CAPS],
		       (unsigned long)used->n[EXO_QUOTA_IO],
		       percent(ticks - ticks_before[i], passed), (unsigned long long)e->faults);
		ticks_before[i] = ticks;
	}
}

/* The vector, 64 slots a line: a letter for each owner, a dot where there is none. */
static void show_slots(void)
{
	static const char letters[] =
		"123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (uint32_t s = 0; s < EXO_NSLOT; s++) {
		const uint32_t owner = tables_slot(s)->owner;

		if (s % 64 == 0)
			printf("%s", s ? "\n      " : "slots ");
		putchar(owner == 0 ? '.' : owner < sizeof(letters) ? letters[owner - 1] : '*');
	}
	printf("\n");
}

static void show_extents(void)
{
	static const char *const states[] = {"free", "taking", "live", "dying", "system"};

	printf("%6s %-8s %-6s %5s %16s %10s %10s %10s\n", "EXTENT", "NAME", "STATE", "DRIVE",
	       "OWNER", "START", "BLOCKS", "READABLE");
	for (uint32_t i = 0; i < EXO_NEXTENT; i++) {
		const volatile struct exo_extent *x = tables_extent(i);
		char name[NAME + 1];

		if (x->state == EXO_EXTENT_FREE || x->state > EXO_EXTENT_SYSTEM || x->len == 0)
			continue;
		printf("%6lu %-8s %-6s %5u %16llx %10llu %10llu %10llu\n", (unsigned long)i,
		       name_of(x->name, sizeof(x->name), name), states[x->state],
		       (unsigned)x->drive, (unsigned long long)x->owner,
		       (unsigned long long)x->start, (unsigned long long)x->len,
		       (unsigned long long)x->init);
	}
}

static void show_queue(void)
{
	static const char *const ops[] = {"?", "read", "write", "flush", "clear"};
	uint32_t queued = 0;

	for (uint32_t d = 0; d < EXO_NDRIVE; d++) {
		const volatile struct exo_drive *v = tables_drive(d);
		char name[NAME + 1];

		if (v->blocks)
			printf("drive %lu: %s, %llu blocks, %llu commands, %llu blocks read, %llu "
			       "written, %lu errors\n",
			       (unsigned long)d, name_of(v->model, sizeof(v->model), name),
			       (unsigned long long)v->blocks, (unsigned long long)v->commands,
			       (unsigned long long)v->blocks_read,
			       (unsigned long long)v->blocks_written, (unsigned long)v->errors);
	}
	for (uint32_t i = 0; i < EXO_NIO; i++) {
		const volatile struct exo_io *io = tables_io(i);

		if (io->state == EXO_IOS_FREE)
			continue;
		queued++;
		printf("  %s %s: environment %u, extent %lu, block %llu, %lu blocks\n",
		       io->state == EXO_IOS_ACTIVE ? "active" : "queued", ops[io->op % 5],
		       (unsigned)io->env, (unsigned long)io->extent, (unsigned long long)io->block,
		       (unsigned long)io->count);
	}
	printf("queue: %lu requests\n", (unsigned long)queued);
}

static void show(void)
{
	const uint64_t total = tables_info()->ticks, passed = total - total_before;

	show_head(passed);
	show_memory();
	show_envs(passed);
	show_slots();
	show_extents();
	show_queue();
	total_before = total;
}

int main(int argc, char **argv)
{
	static const char usage[] = "exotop [-1] [-e] [-n N]";
	unsigned long long rounds = 0;
	int option, events = 0;

	tool_init(argv);
	while ((option = tool_option(argc, argv, "1en:", usage)) != -1) {
		if (option == 'e')
			events = 1;
		else
			rounds = option == '1' ? 1 : tool_number(optarg);
	}
	if (optind != argc)
		tool_usage(usage);
	if (events)
		events_begin();
	for (unsigned long long i = 0; !rounds || i < rounds; i++) {
		if (i) {
			(void)tool_done(0);
			if (!events)
				sleep(1);
		}
		if (rounds != 1 && isatty(1))
			printf("\033[H\033[J");
		if (events)
			events_show();
		else
			show();
	}
	events_end();
	return tool_done(TOOL_OK);
}
