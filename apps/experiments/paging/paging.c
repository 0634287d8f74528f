/*
 * paging - goes through more memory than its page quota, in ways that programs do.
 *
 *   paging multiply PAGES ROUNDS SEED   C = A * B: B is PAGES pages, A and C have ROUNDS rows
 *   paging columns PAGES ROUNDS SEED    adds up the first ROUNDS columns, one after the other, of a
 *                                       matrix whose rows are PAGES pages
 *   paging graph PAGES ROUNDS SEED      ROUNDS * PAGES steps through a graph, 16 vertices a page
 *
 * Run by `within`, which gives the quota.  Which pages go is the clock's choice (vm/swap_clock.c)
 * in `paging`, and the program's own (own.c) in `paging-own`; nothing else differs.  Results are
 * checked.
 */
#include "../experiment_bare.h"
#include <string.h>
#include <libos/upcall.h>
#include <libos/vm.h>
#include "paging.h"

int main(int argc, char **argv);

enum { ROW = VM_PAGE / 8, MOST_PAGES = 16384, MOST_ROUNDS = 512 };

RESIDENT struct paging_plan plan;

static uint64_t rounds, seed, dice;

static uint64_t *words(uint64_t pages, uint64_t *area)
{
	void *const memory = bare_pages((uint32_t)pages);

	need(memory ? 0 : -ENOMEM, "the data");
	*area = (uint64_t)memory;
	return memory;
}

/* Random numbers in `count` words; *at is the page that is filled. */
static void scatter(uint64_t *to, uint64_t count, uint64_t *at)
{
	for (uint64_t i = 0; i < count; i++) {
		*at = i / ROW;
		to[i] = experiment_random(&dice);
	}
}

/* ---- multiply: modulo 2^64, so nothing is lost -------------------------------------------- */

static struct {
	uint64_t *a, *b, *c;
} matrix;

static void multiply_make(void)
{
	plan.left_pages = (rounds * plan.pages + ROW - 1) / ROW;
	plan.out_pages = rounds;
	matrix.a = words(plan.left_pages, &plan.left);
	matrix.b = words(plan.pages, &plan.data);
	matrix.c = words(plan.out_pages, &plan.out);
	scatter(matrix.a, rounds * plan.pages, &plan.left_at);
	scatter(matrix.b, plan.pages * ROW, &plan.at);
}

static void multiply_run(void)
{
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t *const c = matrix.c + i * ROW;

		plan.out_at = i;
		plan.left_at = i * plan.pages / ROW;
		for (uint64_t k = 0; k < plan.pages; k++) {
			const uint64_t a = matrix.a[i * plan.pages + k];
			const uint64_t *const b = matrix.b + k * ROW;

			plan.at = k;
			for (uint64_t j = 0; j < ROW; j++)
				c[j] += a * b[j];
		}
	}
}

static uint64_t dot(const uint64_t *x, const uint64_t *y, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/* Rows of C for which C x is not A (B x), x being random: a wrong one would pass once in 2^64. */
static uint64_t multiply_check(void)
{
	static uint64_t x[ROW], bx[MOST_PAGES];
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < ROW; i++)
		x[i] = experiment_random(&dice);
	for (uint64_t k = 0; k < plan.pages; k++)
		bx[k] = dot(matrix.b + k * ROW, x, ROW);
	for (uint64_t i = 0; i < rounds; i++)
		wrong += dot(matrix.c + i * ROW, x, ROW) !=
			 dot(matrix.a + i * plan.pages, bx, plan.pages);
	return wrong;
}

/* ---- columns ------------------------------------------------------------------------------ */

static uint64_t column_sum[ROW], column_true[ROW];

static void columns_make(void)
{
	matrix.b = words(plan.pages, &plan.data);
	scatter(matrix.b, plan.pages * ROW, &plan.at);
	for (uint64_t i = 0; i < plan.pages; i++)
		for (uint64_t j = 0; j < ROW; j++)
			column_true[j] += matrix.b[i * ROW + j];
}

static void columns_run(void)
{
	for (uint64_t j = 0; j < rounds; j++)
		for (plan.at = 0; plan.at < plan.pages; plan.at++)
			column_sum[j] += matrix.b[plan.at * ROW + j];
}

static uint64_t columns_check(void)
{
	uint64_t wrong = 0;

	for (uint64_t j = 0; j < rounds; j++)
		wrong += column_sum[j] != column_true[j];
	return wrong;
}

/* ---- graph -------------------------------------------------------------------------------- */

enum { DEGREE = 15, PER_PAGE = 16 };

struct vertex {
	uint64_t visits;
	uint32_t edge[2 * DEGREE];
	uint64_t name;
	uint8_t rest[VM_PAGE / PER_PAGE - 8 - 4 * 2 * DEGREE - 8];
};
_Static_assert(sizeof(struct vertex) == VM_PAGE / PER_PAGE, "they fill a page");

static struct vertex *graph;

/* Where an edge leads: vertex number x has degree proportional to 1/sqrt(x), as one that grew by
 * preferential attachment. */
static uint32_t somewhere(uint64_t vertices)
{
	const uint64_t u = experiment_random(&dice) >> 44; /* 20 bits */

	return (uint32_t)(u * u * vertices >> 40);
}

static void graph_make(void)
{
	const uint64_t vertices = plan.pages * PER_PAGE;

	graph = (struct vertex *)(void *)words(plan.pages, &plan.data);
	for (uint64_t v = 0; v < vertices; v++) {
		graph[v].name = experiment_word(seed, v);
		for (uint32_t e = 0; e < 2 * DEGREE; e++)
			graph[v].edge[e] = somewhere(vertices);
	}
}

static void graph_run(void)
{
	uint32_t v = 0;

	for (uint64_t i = 0; i < rounds * plan.pages; i++) {
		graph[v].visits++;
		v = graph[v].edge[experiment_random(&dice) % (2 * DEGREE)];
	}
}

static uint64_t graph_check(void)
{
	const uint64_t vertices = plan.pages * PER_PAGE;
	uint64_t visits = 0, wrong = 0;

	for (uint64_t v = 0; v < vertices; v++) {
		visits += graph[v].visits;
		wrong += graph[v].name != experiment_word(seed, v);
	}
	return wrong + (visits != rounds * plan.pages);
}

/* ------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*make)(void), (*run)(void);
	uint64_t (*check)(void); /* how much is wrong */
} workloads[] = {
	[PAGING_MULTIPLY] = {"multiply", multiply_make, multiply_run, multiply_check},
	[PAGING_COLUMNS] = {"columns", columns_make, columns_run, columns_check},
	[PAGING_GRAPH] = {"graph", graph_make, graph_run, graph_check},
};

static void choose_workload(const char *name)
{
	uint32_t i = 0;

	while (i < sizeof(workloads) / sizeof(workloads[0]) && strcmp(workloads[i].name, name) != 0)
		i++;
	if (i == sizeof(workloads) / sizeof(workloads[0]))
		usage("paging multiply|columns|graph PAGES ROUNDS SEED");
	plan.workload = (enum workload)i;
}

static void report(const struct experiment_cost *cost, const struct vm_stats *before)
{
	struct vm_stats s;

	vm_get_stats(&s);
	metric("ticks", cost->ticks);
	metric("disk_commands", cost->commands);
	metric("disk_blocks_read", cost->read);
	metric("disk_blocks_written", cost->written);
	metric("pages_in", s.paged_in - before->paged_in);
	metric("pages_out", s.paged_out - before->paged_out);
	metric("pages_dropped", s.dropped - before->dropped);
}

int main(int argc, char **argv)
{
	struct experiment_cost cost;
	struct vm_stats before;
	uint64_t wrong;

	if (argc != 5)
		usage("paging multiply|columns|graph PAGES ROUNDS SEED");
	choose_workload(argv[1]);
	plan.pages = argument("PAGES", argv[2], 1, MOST_PAGES);
	rounds = argument("ROUNDS", argv[3], 1, MOST_ROUNDS);
	seed = dice = argument("SEED", argv[4], 0, UINT32_MAX);
	workloads[plan.workload].make();
	vm_get_stats(&before);
	cost = experiment_now();
	workloads[plan.workload].run();
	cost = experiment_since(&cost);
	report(&cost, &before);
	wrong = workloads[plan.workload].check();
	if (wrong)
		bare_print("paging: %u results are wrong\n", wrong);
	return wrong != 0;
}
