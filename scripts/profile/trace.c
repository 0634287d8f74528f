/*
 * trace.c - owns the line of the instruction that is being executed, which is printed when it is
 * done.
 *
 * Invariant: `pending` says whether there is one; its registers are those from before it.  Called
 * by bochs.c, by one thread.
 */
#include "trace.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bochs.h"
#include "control.h"
#include "guest.h"
#include "stack.h"

enum { ACCESSES = 8, LIMIT = 1000, NAME = 128 };

struct access {
	uint64_t va, physical;
	unsigned size;
	bool store;
};

static char image[NAME], function[NAME]; /* which function; "": any */
static uint64_t depth, skip, limit;
static bool pending;
static uint64_t before[BOCHS_REGISTERS];
static struct access accesses[ACCESSES];
static size_t naccess;

bool trace_start(void)
{
	const char *wanted = control_option("trace");

	if (wanted == NULL || sscanf(wanted, "%127s %127s", image, function) != 2)
		return false;
	if (strcmp(function, "*") == 0)
		function[0] = 0;
	depth = control_number("depth", 0);
	skip = control_number("skip", 0);
	limit = control_number("limit", LIMIT);
	return true;
}

static bool is_wanted(const struct node *node)
{
	return strcmp(node->function->name, function) == 0 &&
	       strcmp(node->function->image->name, image) == 0;
}

/* How many calls below the chosen function this is; -1: not below it, or too deep. */
static int depth_below(const struct node *node)
{
	if (function[0] == 0)
		return 0;
	for (uint64_t d = 0; d <= depth && node != NULL && node->function != NULL;
	     d++, node = node->parent)
		if (is_wanted(node))
			return (int)d;
	return -1;
}

static void print_access(const struct access *a)
{
	uint64_t value = 0;

	guest_read(a->physical, &value, a->size < sizeof(value) ? a->size : sizeof(value));
	fprintf(control_out(), " %s@%lx/%lx/%u=%lx", a->store ? "store" : "load", a->va,
		a->physical, a->size, value);
}

static void finish(void)
{
	for (unsigned i = 0; i < BOCHS_REGISTERS; i++)
		if (bochs_register(i) != before[i])
			fprintf(control_out(), " %s=%lx", bochs_register_names[i],
				bochs_register(i));
	for (size_t i = 0; i < naccess; i++)
		print_access(&accesses[i]);
	fputc('\n', control_out());
	pending = false;
	if (--limit > 0)
		return;
	control_end();
	_exit(0);
}

static void begin(const struct site *site, int below)
{
	const struct function *f = stack_node()->function;

	fprintf(control_out(), "insn %lu %u %s %lx %s %d", bochs_ticks(), stack_env(),
		f->image->name, site->pc, f->name, below);
	for (unsigned i = 0; i < BOCHS_REGISTERS; i++)
		before[i] = bochs_register(i);
	naccess = 0;
	pending = true;
}

void trace_done(void)
{
	if (pending)
		finish();
}

void trace_step(const struct site *site)
{
	int below;

	trace_done();
	if (!stack_counting())
		return;
	below = depth_below(stack_node());
	if (below < 0)
		return;
	if (skip > 0)
		skip--;
	else
		begin(site, below);
}

void trace_fault(void)
{
	if (!pending)
		return;
	fputs(" fault", control_out());
	finish();
}

void trace_access(uint64_t va, uint64_t physical, unsigned size, bool store)
{
	if (pending && naccess < ACCESSES)
		accesses[naccess++] = (struct access){va, physical, size, store};
}
