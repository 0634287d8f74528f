/*
 * moves.c - owns the list of a world's moves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "../../kern/env.h"
#include "../../kern/registry.h"
#include "../../kern/syscall.h"
#include "moves.h"

enum { MOVES_MAX = 16384 };

struct move moves[MOVES_MAX];
uint32_t move_count;

static const uint8_t arguments[] = {
#define CALL(number, name, nargs, args, what, errors, bound, example) [number] = (nargs),
#include <exo/syscall.def>
#undef CALL
};

static void add(const struct move *m)
{
	if (move_count == MOVES_MAX) {
		printf("FAIL exhaust: more than %d moves\n", MOVES_MAX);
		exit(1);
	}
	moves[move_count++] = *m;
}

/* Every choice of arguments from number i on. */
static void add_choices(const struct call *c, struct move *m, uint32_t i)
{
	if (i == ARGS || c->arg[i].n == 0) {
		add(m);
		return;
	}
	for (uint32_t k = 0; k < c->arg[i].n; k++) {
		m->a[i] = c->arg[i].v[k];
		add_choices(c, m, i + 1);
	}
	m->a[i] = 0;
}

static void check_call(const struct world *w, const struct call *c)
{
	uint32_t n = 0;

	while (n < ARGS && c->arg[n].n != 0)
		n++;
	if (n == arguments[c->number] || c->prepare)
		return;
	printf("FAIL exhaust %s: %s with %u arguments\n", w->name, host_call_name(c->number), n);
	exit(1);
}

void moves_make(const struct world *w)
{
	for (uint32_t i = 0; i < w->call_count; i++) {
		const struct call *const c = &w->calls[i];

		check_call(w, c);
		for (uint32_t e = 1; e < 32; e++) {
			struct move m = {.who = e, .what = i};

			if (((c->who ? c->who : w->who) >> e & 1) != 0)
				add_choices(c, &m, 0);
		}
	}
	for (uint32_t i = 0; i < w->outside_count; i++)
		add(&(struct move){.what = i});
}

uint64_t move_value(uint64_t v)
{
	const uint64_t low = v & 0xffffffffffffffull;

	switch (v & ~0xffffffffffffffull) {
	case TAG_EID:
		return env_eid((uint32_t)low).n;
	case TAG_OLD:
		return env_eid((uint32_t)low).n - 65536;
	case TAG_NOW:
		return *machine_clock() + low;
	case TAG_ENTRY:
		return EXO_BIND_WAYS * exo_bind_set((uint32_t)(low >> 40), low >> 8 & 0xffffffff,
						    registry_count) +
		       low % 256;
	default:
		return v;
	}
}

#define WITH_0
#define WITH_1 a[0]
#define WITH_2 WITH_1, a[1]
#define WITH_3 WITH_2, a[2]
#define WITH_4 WITH_3, a[3]
#define WITH_5 WITH_4, a[4]
#define WITH_6 WITH_5, a[5]

/* Weak: not every program has every file of the kernel. */
#define CALL(number, name, nargs, args, what, errors, bound, example)                              \
	extern __typeof__(sys_##name) sys_##name __attribute__((weak));
#include <exo/syscall.def>
#undef CALL

struct exo_result move_call(uint32_t number, const uint64_t *a)
{
	switch (number) {
#define CALL(number, name, nargs, args, what, errors, bound, example)                              \
	case number:                                                                               \
		return sys_##name(WITH_##nargs);
#include <exo/syscall.def>
#undef CALL
	default:
		abort();
	}
}

static void print_value(uint64_t v)
{
	const uint64_t low = v & 0xffffffffffffffull;

	switch (v & ~0xffffffffffffffull) {
	case TAG_EID:
		printf("eid of %" PRIu64, low);
		break;
	case TAG_OLD:
		printf("old eid of %" PRIu64, low);
		break;
	case TAG_NOW:
		printf("now + %" PRIu64, low);
		break;
	case TAG_ENTRY:
		printf("place %" PRIu64 " in the set of its block", low % 256);
		break;
	default:
		printf(v < 4096 ? "%" PRIu64 : "%#" PRIx64, v);
	}
}

void move_print(const struct world *w, uint32_t m)
{
	const struct move *const v = &moves[m];
	const struct call *const c = v->who ? &w->calls[v->what] : 0;

	if (!c) {
		printf("outside: %s", w->outside[v->what].name);
		return;
	}
	printf("environment %u: %s(", v->who, host_call_name(c->number));
	for (uint32_t i = 0; i < ARGS && c->arg[i].n != 0; i++) {
		printf(i ? ", " : "");
		print_value(v->a[i]);
	}
	printf(c->prepare ? "), these prepared by it" : ")");
}
