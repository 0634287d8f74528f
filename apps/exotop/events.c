/*
 * events.c - owns the counts of what each environment did, from the trace ring.
 *
 * The ring is read every few milliseconds, so that little is lost in a busy second; what is lost is
 * told.  Time on the CPU is exact, from one switch to the next, where exotop's first page counts
 * slices that began.  Called by exotop.c.
 */
#include "exotop.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <libos/tables.h>
#include <libos/trace.h>

enum { FRAMES = 64, LOOKS = 100, LOOK_US = 10000 };

static struct counts {
	uint64_t time; /* on the CPU, in ticks of the TSC */
	uint32_t all, runs, calls, refused, faults, upcalls, ipc, requests, blocks;
	char name[12]; /* when it has ended: the table may not have it any more */
} counts[EXO_NENV];

static struct trace_reader reader;
static int own; /* the ring is ours */
static uint32_t runs;
static uint64_t since, records;

void events_begin(void)
{
	const int error = trace_begin(FRAMES, &reader);

	own = error == 0;
	if (!own && !trace_join(&reader))
		tool_die(TOOL_FAIL, "-e: nobody traces, and it may not be begun: %s",
			 strerror(-error));
}

void events_end(void)
{
	if (own)
		trace_end();
}

/* Up to this time the same one was on the CPU. */
static void account(uint64_t tsc)
{
	if (since != 0)
		counts[runs].time += tsc - since;
	since = tsc;
}

static void count(const struct exo_trace *t)
{
	struct counts *const c = &counts[t->env % EXO_NENV];

	records++;
	c->all++;
	switch (t->kind) {
	case EXO_TRACE_SWITCH:
		account(t->tsc);
		runs = t->env % EXO_NENV;
		c->runs++;
		break;
	case EXO_TRACE_CALL:
		c->calls++;
		c->refused += t->detail != EXO_OK;
		break;
	case EXO_TRACE_FAULT:
		c->faults++;
		break;
	case EXO_TRACE_UPCALL:
		c->upcalls++;
		break;
	case EXO_TRACE_IPC_CALL:
	case EXO_TRACE_IPC_REPLY:
		c->ipc++;
		break;
	case EXO_TRACE_IO_DONE:
		c->requests++;
		c->blocks += t->a & 0xffff;
		break;
	case EXO_TRACE_ENV_END:
		memcpy(c->name, &t->b, 8);
		memcpy(c->name + 8, &t->a, 4);
		break;
	default:
		break;
	}
}

/* What is in the ring now; after a loss nobody knows who is on the CPU. */
static void look(void)
{
	const uint64_t until = tables_tracing(0)->last, lost = reader.lost;
	struct exo_trace t;

	while (reader.next <= until && trace_next(&reader, &t)) {
		if (reader.lost != lost)
			since = 0;
		count(&t);
	}
}

static void show_head(void)
{
	const volatile struct exo_env *by = tables_env((uint32_t)(tables_tracing(0)->by & 0xffff));
	char name[NAME + 1];

	printf("records %llu, %llu lost   %lu places, traced by %s\n", (unsigned long long)records,
	       (unsigned long long)reader.lost, (unsigned long)tables_tracing(0)->records,
	       name_of(by->name, sizeof(by->name), name));
	printf("%5s %-12s %4s %7s %8s %8s %8s %8s %8s %6s %7s\n", "ENV", "NAME", "CPU%", "RUNS",
	       "CALLS", "REFUSED", "FAULTS", "UPCALLS", "IPC", "IO", "BLOCKS");
}

static const char *who(uint32_t e, char name[NAME + 1])
{
	const volatile struct exo_env *const env = tables_env(e);

	if (e == 0)
		return "nobody";
	return env->state == EXO_ENV_FREE ? name_of(counts[e].name, sizeof(counts[e].name), name)
					  : name_of(env->name, sizeof(env->name), name);
}

static void show_env(uint32_t e, uint64_t whole)
{
	const struct counts *const c = &counts[e];
	char name[NAME + 1];

	printf("%5lu %-12.12s %4u %7lu %8lu %8lu %8lu %8lu %8lu %6lu %7lu\n", (unsigned long)e,
	       who(e, name), percent(c->time, whole), (unsigned long)c->runs,
	       (unsigned long)c->calls, (unsigned long)c->refused, (unsigned long)c->faults,
	       (unsigned long)c->upcalls, (unsigned long)c->ipc, (unsigned long)c->requests,
	       (unsigned long)c->blocks);
}

void events_show(void)
{
	uint64_t whole = 0;

	records = 0;
	memset(counts, 0, sizeof(counts));
	for (int i = 0; i < LOOKS; i++) {
		usleep(LOOK_US);
		look();
	}
	for (uint32_t e = 0; e < EXO_NENV; e++)
		whole += counts[e].time;
	show_head();
	for (uint32_t e = 0; e < tables_info()->envs; e++)
		if (counts[e].all != 0 || counts[e].time != 0)
			show_env(e, whole);
}
