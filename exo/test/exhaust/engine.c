/*
 * engine.c - goes through every state that a world can come to, and judges each move.
 *
 * usage: exhaust_core [--list] [--states N] [--calls] [--replay N,N,…] [WORLD…]
 *
 * Breadth first: each state is restored, each move is made in it, and where that leads is looked up
 * by its form (form.h).  After a granted call every invariant is checked; after a refused one the
 * world must be what it was, bit for bit; a status must be one that syscall.def lists.  A failure
 * is printed with the shortest sequence of moves that leads to it, and as a --replay that repeats
 * it.  --states bounds how many states are gone on from (0: no bound; default: a small run).
 *
 * Owns the states: of each, the hash of its form, and the move by which it was found first; of
 * those that wait, the words by which they differ from the first.  What is said to be closed is so
 * but for two forms with one hash of 64 bits (for 10 million states: one chance in 300,000).
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/ipc.h"
#include "form.h"
#include "moves.h"
#include "outcome.h"
#include "snapshot.h"

enum { HUNG = 20 }; /* seconds that a state may take */

static struct {
	uint64_t hash;
	struct packed *packed; /* null: done with */
	uint32_t parent, move, depth;
} * states;
static uint32_t state_count, state_room;

static uint32_t *table; /* index of a state + 1, open addressing */
static uint32_t table_size;

static const struct world *world;
static uint64_t edges, granted[64], refused[64];
static uint32_t cut;
static uint32_t now_state, now_move; /* what is being tried */
static struct image here, prepared, reached;

static uint64_t states_limit = UINT64_MAX; /* UINT64_MAX: the world's own */
static int print_calls;

/* ---- failing ----------------------------------------------------------------------------- */

/* The moves that lead to state s, first one first, and the one that is being tried. */
static void print_path(uint32_t s)
{
	const uint32_t n = states[s].depth;
	uint32_t *const path = malloc((n + 1) * sizeof *path);

	if (!path)
		return;

	for (uint32_t i = n; i > 0; i--, s = states[s].parent)
		path[i - 1] = states[s].move;
	path[n] = now_move;
	for (uint32_t i = 0; i <= n; i++) {
		printf("  %2u. ", i + 1);
		move_print(world, path[i]);
		printf("\n");
	}
	printf("  again: --replay ");
	for (uint32_t i = 0; i <= n; i++)
		printf(i ? ",%u" : "%u", path[i]);
	printf(" %s\n", world->name);
	free(path);
}

static _Noreturn void die(const char *what)
{
	printf("FAIL exhaust %s: %s, after\n", world->name, what);
	print_path(now_state);
	fflush(stdout);
	_exit(1);
}

static void on_signal(int number, siginfo_t *info_, void *context)
{
	(void)context;
	if (number == SIGSEGV && snap_touch(info_->si_addr))
		return;
	die(number == SIGALRM ? "the call does not end" : strsignal(number));
}

static void catch_signals(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
	struct sigaction action = {.sa_flags = SA_SIGINFO};

	action.sa_sigaction = on_signal;
	for (uint32_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &action, 0);
}

/* ---- moving ------------------------------------------------------------------------------ */

enum verdict { CANNOT, SAME, MOVED };

/* After a move that has been granted; `broken`: what is known to be wrong with it. */
static void judge(uint32_t me, const char *broken)
{
	if (cpu_this()->inbox)
		ipc_left();
	if (!broken)
		broken = machine_judge(me);
	if (!broken)
		broken = outcome_of_move();
	if (!broken && world->judge)
		broken = world->judge();
	if (broken)
		die(broken);
}

static enum verdict refusal(uint32_t who, uint32_t number, enum exo_status status,
			    struct image before)
{
	refused[number]++;
	if (snap_same(before))
		return SAME;
	if (!machine_noted(status, before))
		die("refused, and has changed something");
	judge(who, 0);
	return MOVED;
}

/* Environment `who` makes the call, in the state that is in the world and in `here`. */
static enum verdict try_call(uint32_t who, const struct call *c, const uint64_t *values)
{
	struct image before = here;
	const struct cpu cpu = *cpu_this();
	struct cpu acting = cpu;
	struct exo_result r;
	uint64_t a[ARGS];

	if (envs[who].state != EXO_ENV_RUNNABLE || (world->scheduled && cpu.current != who))
		return CANNOT;
	for (uint32_t i = 0; i < ARGS; i++)
		a[i] = move_value(values[i]);
	if (c->prepare) {
		c->prepare(who, a);
		snap_take(prepared);
		before = prepared;
	}
	acting.current = who;
	*cpu_this() = acting;
	r = move_call(c->number, a);
	if (!host_documented(c->number, r.status))
		die(host_status_name(r.status));
	if (r.status != EXO_OK) {
		if (memcmp(cpu_this(), &acting, sizeof acting) != 0)
			die("refused, and has changed something");
		*cpu_this() = cpu;
		return refusal(who, c->number, (enum exo_status)r.status, before);
	}
	granted[c->number]++;
	if (c->in_vain)
		die("granted, which it may never be");
	judge(who, outcome_of_call(who, c->number, values, a, r.value));
	return MOVED;
}

/* Makes move m in the state that is in the world. */
static enum verdict try_move(uint32_t m)
{
	const struct move *const v = &moves[m];
	enum verdict verdict = MOVED;

	now_move = m;
	machine_watch();
	if (v->who != 0)
		verdict = try_call(v->who, &world->calls[v->what], v->a);
	else if (!world->outside[v->what].act())
		verdict = CANNOT;
	else
		judge(0, 0);
	if (verdict == MOVED || (verdict == SAME && world->calls[v->what].prepare)) {
		machine_settle(world->scheduled);
		verdict = MOVED;
	}
	return verdict;
}

/* ---- states ------------------------------------------------------------------------------ */

static void table_put(uint32_t s)
{
	uint32_t i = (uint32_t)(states[s].hash >> 20) & (table_size - 1);

	while (table[i] != 0)
		i = (i + 1) & (table_size - 1);
	table[i] = s + 1;
}

static int known(uint64_t hash)
{
	uint32_t i = (uint32_t)(hash >> 20) & (table_size - 1);

	while (table[i] != 0 && states[table[i] - 1].hash != hash)
		i = (i + 1) & (table_size - 1);
	return table[i] != 0;
}

static void make_room(void)
{
	state_room = state_room ? state_room * 2 : 1 << 16;
	table_size = state_room * 2;
	states = realloc(states, state_room * sizeof *states);
	free(table);
	table = calloc(table_size, sizeof *table);
	if (!states || !table) {
		printf("FAIL exhaust %s: no memory for %u states\n", world->name, state_room);
		exit(1);
	}
	for (uint32_t s = 0; s < state_count; s++)
		table_put(s);
}

/* The state in the world, which move m of state s has led to, is new: it waits to be gone on from,
 * unless it is too far away. */
static void keep(uint64_t hash, uint32_t s, uint32_t m)
{
	const int beyond = world->beyond && world->beyond();

	if (state_count == state_room)
		make_room();
	cut += (uint32_t)beyond;
	states[state_count].hash = hash;
	states[state_count].packed = beyond ? 0 : snap_pack();
	states[state_count].parent = s;
	states[state_count].move = m;
	states[state_count].depth = state_count ? states[s].depth + 1 : 0;
	table_put(state_count++);
}

/* The state in the world was reached by move m of s: is it new?  The world is spoilt. */
static void arrive(uint32_t s, uint32_t m)
{
	uint64_t hash;

	if (snap_same(here))
		return;
	snap_take(reached);
	hash = form_of(world);
	if (!known(hash)) {
		snap_put(reached);
		keep(hash, s, m);
	}
	snap_put(here);
}

/* Makes every move in state s. */
static void go_on(uint32_t s)
{
	now_state = s;
	alarm(HUNG);
	snap_unpack(states[s].packed, here);
	free(states[s].packed);
	states[s].packed = 0;
	snap_put(here);
	machine_remember();
	outcome_note();
	for (uint32_t m = 0; m < move_count; m++) {
		const enum verdict verdict = try_move(m);

		edges += verdict != CANNOT;
		if (verdict == MOVED)
			arrive(s, m);
	}
}

/* ---- a world ----------------------------------------------------------------------------- */

static void begin(const struct world *w)
{
	world = w;
	moves_make(w);
	w->begin();
	machine_settle(world->scheduled);
	snap_begin();
	catch_signals();
	here = snap_image();
	prepared = snap_image();
	reached = snap_image();
	form_begin();
}

static void tell_calls(void)
{
	for (uint32_t n = 0; n < COUNT(granted); n++)
		if (granted[n] + refused[n] != 0)
			printf("  %-16s %10" PRIu64 " granted %10" PRIu64 " refused\n",
			       host_call_name(n), granted[n], refused[n]);
}

/* A call that was never granted has not been tested. */
static void judge_coverage(void)
{
	for (uint32_t i = 0; i < world->call_count; i++) {
		const uint32_t n = world->calls[i].number;

		if (granted[n] == 0 && !world->calls[i].in_vain) {
			printf("FAIL exhaust %s: %s was never granted\n", world->name,
			       host_call_name(n));
			exit(1);
		}
	}
}

static void tell(uint32_t done, double seconds)
{
	printf("ok exhaust %s: %u states, %" PRIu64 " edges, ", world->name, state_count, edges);
	if (done < state_count)
		printf("all to depth %u (%u states wait)", states[done].depth, state_count - done);
	else
		printf("closed at depth %u", states[state_count - 1].depth);
	if (cut != 0)
		printf(", %u beyond its bounds", cut);
	printf(", %.1f s\n", seconds);
	if (print_calls)
		tell_calls();
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void explore(const struct world *w)
{
	const double start = seconds_now();
	const uint64_t limit = states_limit == UINT64_MAX ? w->states
			       : states_limit == 0	  ? UINT32_MAX
							  : states_limit;
	uint64_t hash;
	uint32_t done = 0;

	begin(w);
	hash = form_of(w);
	snap_put(here);
	keep(hash, 0, 0);
	for (; done < state_count && done < limit; done++)
		if (states[done].packed)
			go_on(done);
	if (limit >= w->states)
		judge_coverage();
	tell(done, seconds_now() - start);
}

/* Makes the moves of a list, and prints what each is answered. */
static void replay(const struct world *w, const char *list)
{
	uint32_t n = 0;

	begin(w);
	make_room();
	state_count = 1;
	for (; *list; list += strcspn(list, ","), list += *list == ',') {
		const uint32_t m = (uint32_t)strtoul(list, 0, 10);

		if (m >= move_count) {
			printf("exhaust: there is no move %u\n", m);
			exit(2);
		}
		printf("  %2u. ", ++n);
		move_print(w, m);
		printf("\n");
		fflush(stdout);
		snap_take(here);
		machine_remember();
		outcome_note();
		printf("      %s\n", (const char *[]){"cannot be", "refused", "done"}[try_move(m)]);
	}
}

/* ---- the program ------------------------------------------------------------------------- */

static const struct world *find(const char *name)
{
	for (uint32_t i = 0; i < world_count; i++)
		if (strcmp(worlds[i]->name, name) == 0)
			return worlds[i];
	return 0;
}

/* Each world in a process of its own: nothing of one is left in another. */
static int run(const struct world *w, const char *moves_list)
{
	int status = 1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (moves_list)
			replay(w, moves_list);
		else
			explore(w);
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 1;
	if (WIFSIGNALED(status))
		printf("FAIL exhaust %s: %s\n", w->name, strsignal(WTERMSIG(status)));
	return status != 0;
}

static void list_worlds(void)
{
	for (uint32_t i = 0; i < world_count; i++)
		printf("%-10s %s\n", worlds[i]->name, worlds[i]->what);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: exhaust_… [--list] [--states N] [--calls] [--replay N,N,…] [WORLD…]\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *moves_list = 0;
	int i = 1, failed = 0;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--list") == 0)
			return list_worlds(), 0;
		if (strcmp(argv[i], "--calls") == 0)
			print_calls = 1;
		else if (strcmp(argv[i], "--states") == 0 && i + 1 < argc)
			states_limit = strtoull(argv[++i], 0, 10);
		else if (strcmp(argv[i], "--replay") == 0 && i + 1 < argc)
			moves_list = argv[++i];
		else
			return usage();
	}
	for (int k = i; k < argc; k++)
		if (!find(argv[k]))
			return fprintf(stderr, "exhaust: there is no world %s\n", argv[k]), 2;
	for (uint32_t k = 0; i == argc && k < world_count; k++)
		failed |= run(worlds[k], moves_list);
	for (; i < argc; i++)
		failed |= run(find(argv[i]), moves_list);
	return failed;
}
