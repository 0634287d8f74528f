/*
 * start.c - starting the manifest's programs: what each is promised, and which rights it gets.
 *
 * Owns: what init held at first, of which percentages are taken, and the terminals dealt out.
 * Capabilities made for a program alone pass through init's highest free slots and are dropped when
 * it runs; sessions are kept, for they are their maker's.  Single-threaded.  Called by init.c.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/posix_segment.h>
#include <libos/start.h>
#include <libos/tables.h>

#define PERCENT 0x80000000u

enum {
	OWN_PART = 8,
	OWN_LEAST = 4,
	KEPT_PAGES = 64, /* for init itself */
	KEPT_CAPS = 32,
	ARGS = 66, /* of a program, with its name and the end */
	MOST_GRANTS = 13,
};

static struct exo_quota at_first;
static uint64_t eids[EXO_MANIFEST_PROGRAMS]; /* of the programs started */

static uint32_t self_index(void)
{
	return (uint32_t)(start_self() & 0xffff);
}

void start_note_quotas(void)
{
	for (uint32_t kind = 0; kind < EXO_NQUOTA; kind++)
		at_first.n[kind] = tables_quota_limit(self_index())->n[kind];
}

static uint32_t left_of(uint32_t kind)
{
	const uint32_t kept = kind == EXO_QUOTA_PAGES  ? KEPT_PAGES
			      : kind == EXO_QUOTA_CAPS ? KEPT_CAPS
						       : 0;
	const uint32_t used = tables_quota_used(self_index())->n[kind] + kept;
	const uint32_t limit = tables_quota_limit(self_index())->n[kind];

	return limit > used ? limit - used : 0;
}

/* What the manifest promises, as far as it is there. */
static uint32_t promised(uint32_t kind, uint32_t n)
{
	const uint32_t left = left_of(kind);

	if (n & PERCENT)
		n = (uint32_t)((uint64_t)at_first.n[kind] * (n & ~PERCENT) / 100);
	return n < left ? n : left;
}

/*
 * Programs with children deal their slots out, and what they leave in the vector can be reserved
 * (libos/slots.h): of many they own an eighth, of few half.
 */
static uint32_t own_slots(uint32_t quota)
{
	const uint32_t half = (quota + 1) / 2, part = (quota + OWN_PART - 1) / OWN_PART;

	if (half < OWN_LEAST)
		return half;
	return part < OWN_LEAST ? OWN_LEAST : part;
}

static void fill_quotas(const struct exo_manifest_program *p, struct build_spec *spec)
{
	for (uint32_t kind = 0; kind < EXO_NQUOTA; kind++)
		spec->quota[kind] = promised(kind, p->quota.n[kind]);
	spec->slots = spec->quota[EXO_QUOTA_SLOTS];
	spec->slot_every = p->slot_every;
	spec->slot_first = p->slot_first;
	if (!p->slot_every && spec->quota[EXO_QUOTA_ENVS])
		spec->slots = own_slots(spec->slots);
}

/* ---- rights -------------------------------------------------------------------------------- */

struct grants {
	struct build_grant list[MOST_GRANTS];
	uint32_t count;
	uint32_t drop[2 * EXO_MANIFEST_CAPS + 3]; /* init's slots to be emptied again */
	uint32_t drops;
	int tty;
};

/* The highest empty slot of init; EXO_NCAP, which the kernel refuses, when there is none. */
static uint32_t spare(void)
{
	const volatile struct exo_caps *mine = tables_caps(self_index());

	for (uint32_t i = EXO_NCAP; i-- > LAYOUT_CAP_FREE;)
		if (mine->c[i].kind == EXO_CAP_NONE)
			return i;
	return EXO_NCAP;
}

static void grant(struct grants *g, uint32_t from, uint32_t to)
{
	g->list[g->count++] = (struct build_grant){from, to};
}

/* What slot `whole` holds goes on to slot `to`, with these rights only. */
static int grant_narrowed(struct grants *g, uint32_t whole, uint32_t rights, uint32_t to)
{
	const uint32_t narrow = spare();
	const int error =
		call_result(call_cap_derive(whole, narrow, rights | EXO_RIGHT_GRANT, 0, 0));

	if (error)
		return error;
	g->drop[g->drops++] = narrow;
	grant(g, narrow, to);
	return 0;
}

/* One extent, with the rights that the manifest says. */
static int grant_extent(struct grants *g, const struct exo_manifest_program *p, uint32_t i,
			struct build_spec *spec)
{
	char name[sizeof(p->extent[0]) + 1] = "";
	const uint32_t whole = spare();
	int index, error;

	memcpy(name, p->extent[i], sizeof(p->extent[i]));
	index = start_extent_index(name);
	if (index < 0)
		error = index;
	else
		error = call_result(call_extent_open((uint64_t)index, whole));
	if (error == 0) {
		g->drop[g->drops++] = whole;
		error = grant_narrowed(g, whole, p->extent_rights[i], LAYOUT_CAP_EXTENT + i);
	}
	if (error) {
		printf("init: %s: extent '%s': %s\n", p->name, name, strerror(-error));
		return error;
	}
	memcpy(spec->extent[spec->extents].name, p->extent[i], sizeof(p->extent[i]));
	spec->extent[spec->extents].slot = LAYOUT_CAP_EXTENT + i;
	spec->extent[spec->extents].index = (uint32_t)index;
	spec->extents++;
	return 0;
}

/*
 * What is typed is for those alone that share the segment, or attend, and nobody revokes sessions
 * or makes more of them.
 */
static uint32_t console_rights(uint32_t flags)
{
	if (flags & EXO_MF_ATTEND)
		return EXO_RIGHT_WRITE | EXO_RIGHT_READ | EXO_RIGHT_ATTEND;
	return EXO_RIGHT_WRITE | (flags & EXO_MF_SHARED ? EXO_RIGHT_READ : 0);
}

/* Its own session or init's and, for one that shares the segment, a terminal. */
static int grant_console(struct grants *g, const struct exo_manifest_program *p)
{
	static uint32_t ttys = 1;
	const uint32_t own = (p->flags & EXO_MF_CONSOLE) != 0, shared = p->flags & EXO_MF_SHARED;
	const uint32_t slot = own ? spare() : LAYOUT_CAP_CONSOLE;
	int error = own ? call_result(call_console_session(slot)) : 0;

	if (error == 0)
		error = grant_narrowed(g, slot, console_rights(p->flags), LAYOUT_CAP_CONSOLE);
	if (error) {
		printf("init: %s: no console session: %s\n", p->name, strerror(-error));
		return error;
	}
	if (own && shared && ttys < POSIX_NTTY) {
		g->tty = (int)ttys++;
		posix_tty_make((uint32_t)g->tty);
	}
	return 0;
}

/* A capability for init or a program started before, if that still runs: narrowed, and not passed
 * on. */
static int grant_env(struct grants *g, const struct exo_manifest_program *p)
{
	const uint32_t whole = p->env == EXO_MANIFEST_INIT ? LAYOUT_CAP_SELF : spare();
	int error = 0;

	if (whole != LAYOUT_CAP_SELF) {
		error = call_result(call_env_open(eids[p->env - 1], whole));
		if (error == 0)
			g->drop[g->drops++] = whole;
	}
	if (error == 0)
		error = grant_narrowed(g, whole, p->env_rights, LAYOUT_CAP_ENV);
	if (error) {
		printf("init: %s: program %u: %s\n", p->name, p->env, strerror(-error));
		return error;
	}
	return 0;
}

static int fill_grants(struct grants *g, const struct exo_manifest_program *p,
		       struct build_spec *spec)
{
	int error;

	g->tty = -1;
	error = grant_console(g, p);
	if (p->flags & EXO_MF_HALT)
		grant(g, LAYOUT_CAP_MACHINE, LAYOUT_CAP_MACHINE);
	if (p->flags & EXO_MF_SCREEN)
		grant(g, LAYOUT_CAP_SCREEN, LAYOUT_CAP_SCREEN);
	if (p->flags & EXO_MF_TRACE)
		grant(g, LAYOUT_CAP_TRACE, LAYOUT_CAP_TRACE);
	for (uint32_t i = 0; i < p->extents && i < EXO_MANIFEST_CAPS && !error; i++)
		error = grant_extent(g, p, i, spec);
	if (p->env && !error)
		error = grant_env(g, p);
	spec->grants = g->list;
	spec->ngrants = g->count;
	return error;
}

/* ---- starting ------------------------------------------------------------------------------ */

/* argv from the manifest's NUL-separated words. */
static void split_args(const struct exo_manifest_program *p, char *argv[ARGS])
{
	const char *at = p->args, *const end = p->args + sizeof(p->args);
	int n = 0;

	argv[n++] = (char *)(uintptr_t)p->name;
	while (at < end && *at && n < ARGS - 1) {
		argv[n++] = (char *)(uintptr_t)at;
		at += strnlen(at, (size_t)(end - at)) + 1;
	}
	argv[n] = NULL;
}

static void boot_args(const struct exo_manifest *m, char *argv[ARGS])
{
	argv[1] = (char *)(uintptr_t) "-c";
	argv[2] = (char *)(uintptr_t)m->boot_args;
	argv[3] = NULL;
}

pid_t start_program(const struct exo_manifest *m, uint32_t i)
{
	static char *const envp[] = {(char *)(uintptr_t) "PATH=/bin", (char *)(uintptr_t) "HOME=/",
				     (char *)(uintptr_t) "TERM=vt100", NULL};
	const struct exo_manifest_program *p = &m->program[i];
	const int shared = (p->flags & EXO_MF_SHARED) != 0;
	struct build_spec spec = {.principal = p->principal};
	struct grants g = {.count = 0};
	int fds[3] = {0, 1, 2}, null = -1;
	char *argv[ARGS];
	pid_t pid = -1;

	split_args(p, argv);
	if ((p->flags & EXO_MF_SHELL) && m->boot_args[0]) {
		boot_args(m, argv);
		fds[0] = null = open("/dev/null", O_RDONLY);
	}
	fill_quotas(p, &spec);
	if (fill_grants(&g, p, &spec) == 0) {
		const struct posix_launch launch = {p->path,	    p->name, argv,  envp,  fds,
						    shared ? 3 : 0, 0,	     g.tty, shared};

		pid = posix_launch(&launch, &spec);
		if (pid < 0)
			printf("init: manifest program %u (%s): %s\n", (unsigned)(i + 1), p->path,
			       strerror(errno));
	}
	eids[i] = pid > 0 ? posix_eid(pid) : 0;
	for (uint32_t k = 0; k < g.drops; k++)
		call_cap_drop(g.drop[k]);
	if (null >= 0)
		(void)close(null);
	return pid;
}
