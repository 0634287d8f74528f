/*
 * test-trace - does the trace say exactly what happened?  Needs the right to trace, and the extent
 * `spare`.
 *
 * Each test does a known number of things while it traces, and counts their records.  Prints `ok
 * NAME` or `FAIL NAME: why`; exits with 0 or 1.  One process, and children that it makes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/call.h>
#include <libos/disk_open.h>
#include <libos/ipc.h>
#include <libos/layout.h>
#include <libos/posix_segment.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>
#include <libos/trace.h>
#include <libos/vm.h>

enum {
	RING = 64, /* frames */
	FAULTS = 37,
	NULLS = 211,
	REFUSALS = 13,
	READS = 9,
	BLOCKS = 2,
	TRIPS = 150,
	MANY = 1000,
	SERVER_CAP = 50,
	DISK_CAP = 51,
	MS = 1000000,
};

enum {
#define CALL(number, name, nargs, args, what, errors, bound, example) CALL_##name = (number),
#include <exo/syscall.def>
#undef CALL
};

static int failures;
static struct trace_reader reader;

static uint32_t self(void)
{
	return (uint32_t)(start_self() & 0xffff);
}

/* What a record must be to be counted; -1: anything. */
struct like {
	int kind, env, detail;
	int64_t a;
};

static int is_like(const struct exo_trace *t, const struct like *l)
{
	return t->kind == l->kind && (l->env < 0 || t->env == l->env) &&
	       (l->detail < 0 || t->detail == l->detail) && (l->a < 0 || t->a == l->a);
}

/* What is new in the ring is read, to its end: how many records are like each of these. */
static void count(const struct like *like, uint32_t *n, uint32_t likes)
{
	const uint64_t until = tables_tracing(0)->last;
	struct exo_trace t;

	memset(n, 0, likes * sizeof(*n));
	while (reader.next <= until && trace_next(&reader, &t))
		for (uint32_t i = 0; i < likes; i++)
			n[i] += (uint32_t)is_like(&t, &like[i]);
}

static uint32_t count_one(int kind, int env, int detail, int64_t a)
{
	const struct like like = {kind, env, detail, a};
	uint32_t n;

	count(&like, &n, 1);
	return n;
}

/* ---- exactly what happened ---------------------------------------------------------------- */

static const char *test_faults(void)
{
	const uint64_t before = tables_env(self())->faults;
	const struct like page = {EXO_TRACE_FAULT, (int)self(), 14, -1};
	uint64_t va, delta;
	uint32_t n;

	if (vm_reserve(0, FAULTS * VM_PAGE, VM_READ | VM_WRITE, VM_ANON, &va) != 0)
		return "no memory";
	for (uint32_t i = 0; i < FAULTS; i++)
		((volatile char *)va)[i * VM_PAGE] = 1;
	delta = tables_env(self())->faults - before;
	count(&page, &n, 1);
	return delta >= FAULTS && n == delta ? NULL : "not as many faults as there were";
}

static const char *test_calls(void)
{
	const struct like like[] = {
		{EXO_TRACE_CALL, (int)self(), EXO_OK, CALL_null},
		{EXO_TRACE_CALL, (int)self(), EXO_STATE, CALL_cap_drop},
		{EXO_TRACE_CALL, (int)self(), -1, CALL_cap_drop},
		{EXO_TRACE_CALL, (int)self(), EXO_TIMEOUT, CALL_wait},
	};
	uint32_t n[4];

	for (uint32_t i = 0; i < NULLS; i++)
		(void)call_null();
	for (uint32_t i = 0; i < REFUSALS; i++)
		(void)call_cap_drop(EXO_NCAP - 1);
	(void)call_wait(0, 1);
	count(like, n, 4);
	if (n[0] != NULLS)
		return "not as many calls as there were";
	return n[1] == REFUSALS && n[2] == REFUSALS && n[3] == 1 ? NULL : "wrong statuses";
}

static int read_blocks(struct disk *d, uint64_t block, void *memory)
{
	void *pages[BLOCKS] = {memory, (char *)memory + DISK_BLOCK};
	struct disk_req r = {.op = DISK_READ, .nblocks = BLOCKS, .block = block, .pages = pages};

	return disk_submit(d, &r) == 0 && disk_wait(d, &r) == 0;
}

static const char *test_disk(void)
{
	const int index = start_extent_index("spare");
	const struct like like[] = {
		{EXO_TRACE_IO_QUEUE, (int)self(), EXO_IO_READ, BLOCKS},
		{EXO_TRACE_IO_START, (int)self(), EXO_IO_READ, BLOCKS},
		{EXO_TRACE_IO_DONE, (int)self(), EXO_OK, BLOCKS},
	};
	uint32_t n[3];
	struct disk *d;
	void *memory;

	if (index < 0 || call_extent_open((uint64_t)index, DISK_CAP).status != EXO_OK ||
	    disk_open(DISK_CAP, (uint32_t)index, &d) != 0 ||
	    posix_memalign(&memory, DISK_BLOCK, BLOCKS * DISK_BLOCK) != 0)
		return "no extent `spare`";
	memset(memory, 1, BLOCKS * DISK_BLOCK);
	for (uint32_t i = 0; i < READS; i++)
		if (!read_blocks(d, i * BLOCKS, memory))
			return "a read failed";
	free(memory);
	count(like, n, 3);
	return n[0] == READS && n[1] == READS && n[2] == READS
		       ? NULL
		       : "not as many requests as there were";
}

/* ---- others ------------------------------------------------------------------------------- */

static int serve(void)
{
	struct ipc_message m = {.accept = 0};

	(void)ipc_open(1);
	for (int reply = 0; ipc_reply_wait(reply, &m, 0, 0) == EXO_OK; reply = 1)
		;
	return 1;
}

static uint64_t eid_of(pid_t pid)
{
	const struct posix_segment *s = posix_segment();

	return s->proc[(uint32_t)pid % s->nprocs].eid;
}

/* A child that answers calls, in slot SERVER_CAP, once it waits for them; 0: none. */
static uint32_t start_server(pid_t *pid)
{
	uint32_t e;

	*pid = fork();
	if (*pid == 0)
		_exit(serve());
	e = (uint32_t)(eid_of(*pid) & 0xffff);
	if (*pid < 0 || call_env_open(eid_of(*pid), SERVER_CAP).status != EXO_OK)
		return 0;
	for (int i = 0; i < 500 && !tables_env(e)->accepting; i++)
		(void)usleep(10000);
	return tables_env(e)->accepting ? e : 0;
}

static void end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static const char *test_transfers(void)
{
	pid_t pid;
	const uint32_t e = start_server(&pid);
	const struct like like[] = {
		{EXO_TRACE_IPC_CALL, (int)self(), 0, e},
		{EXO_TRACE_IPC_REPLY, (int)e, 0, self()},
		{EXO_TRACE_CALL, (int)e, EXO_OK, CALL_ipc_reply_wait | 1 << 16},
		{EXO_TRACE_ENV_END, (int)e, -1, -1},
	};
	uint32_t n[4];

	if (e == 0)
		return "no server";
	(void)count_one(0, 0, 0, 0);
	for (uint32_t i = 0; i < TRIPS; i++) {
		struct ipc_message m = {.w = {i}};

		if (ipc_call(SERVER_CAP, &m, 0) != EXO_OK)
			return "no reply";
	}
	(void)call_cap_drop(SERVER_CAP);
	end_child(pid);
	count(like, n, 4);
	if (n[0] != TRIPS || n[1] != TRIPS || n[2] != TRIPS)
		return "not as many calls and replies as there were";
	return n[3] == 1 ? NULL : "its end is not told";
}

/* Who was put on the CPU and who left it make a chain, from this program to this program. */
static const char *test_switches(void)
{
	const uint64_t until = tables_tracing(0)->last;
	uint32_t runs = self(), switches = 0;
	struct exo_trace t;

	(void)usleep(20000);
	while (reader.next <= tables_tracing(0)->last && trace_next(&reader, &t)) {
		if (t.kind != EXO_TRACE_SWITCH)
			continue;
		if (t.number > until && t.a != runs)
			return "who leaves the CPU had not come";
		runs = t.env;
		switches++;
	}
	return switches >= 2 && runs == self() ? NULL : "we slept, and nobody else ran";
}

/* ---- the ring ----------------------------------------------------------------------------- */

static const char *test_loss(void)
{
	struct trace_reader r;
	uint64_t first, seen = 0;
	struct exo_trace t;

	trace_end();
	if (trace_begin(1, &r) != 0)
		return "no small ring";
	first = r.next;
	for (uint32_t i = 0; i < MANY; i++)
		(void)call_null();
	while (trace_next(&r, &t))
		seen++;
	if (r.lost < MANY - 2 * 128 || seen < 64)
		return "it does not say how much was lost";
	if (seen + r.lost != r.next - first)
		return "what was seen and what was lost is not all";
	trace_end();
	return trace_begin(RING, &reader) == 0 ? NULL : "no ring again";
}

/* In a child: somebody else records, and that can be read, and not be stopped or begun. */
static int look_on(void)
{
	struct trace_reader r;
	struct exo_trace t;

	if (!trace_join(&r) || trace_begin(1, &r) == 0 || call_trace_stop().status != EXO_STATE)
		return 1;
	(void)trace_join(&r);
	(void)call_null();
	while (trace_next(&r, &t))
		if (t.kind == EXO_TRACE_CALL && t.env == self() && t.a == CALL_null)
			return 0;
	return 2;
}

static const char *test_others(void)
{
	int status;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(look_on());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 1)
		return "somebody else begins or ends it";
	return WEXITSTATUS(status) == 0 ? NULL : "somebody else cannot read it";
}

static const char *test_end(void)
{
	pid_t pid;

	trace_end();
	if (tables_tracing(0)->records != 0)
		return "it goes on";
	pid = fork();
	if (pid == 0) {
		(void)trace_begin(RING, &reader);
		for (;;)
			(void)pause();
	}
	for (int i = 0; i < 500 && tables_tracing(0)->records == 0; i++)
		(void)usleep(10000);
	if (tables_tracing(0)->by != eid_of(pid))
		return "the child does not trace";
	end_child(pid);
	if (tables_tracing(0)->records != 0)
		return "it does not end with who traces";
	return trace_begin(RING, &reader) == 0 ? NULL : "it cannot be begun again";
}

static void result(const char *name, const char *why)
{
	if (why)
		printf("FAIL trace.%s: %s\n", name, why);
	else
		printf("ok trace.%s\n", name);
	(void)fflush(stdout);
	failures += why != NULL;
	(void)count_one(0, 0, 0, 0); /* what came by the way */
}

int main(void)
{
	const int error = trace_begin(RING, &reader);

	result("begin", error ? strerror(-error) : NULL);
	if (error)
		return 1;
	result("faults", test_faults());
	result("calls", test_calls());
	result("disk", test_disk());
	result("transfers", test_transfers());
	result("switches", test_switches());
	result("loss", test_loss());
	result("others", test_others());
	result("end", test_end());
	trace_end();
	return failures != 0;
}
