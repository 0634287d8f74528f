/*
 * ipc - calls between programs on the running kernel: words, capabilities, nesting, time, endings.
 *
 * Prints `ok NAME` or `FAIL NAME: why` for each test; exits with 0 or 1.  The servers are this
 * program again (ipc serve), started as processes; what a call asks of them is its first word.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/build.h>
#include <libos/ipc.h>
#include <libos/layout.h>
#include <libos/posix_segment.h>
#include <libos/spawn.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>

enum op {
	OP_ADD = 1, /* w[1] + w[2], w[1], w[2] */
	OP_WHO,	    /* principal and eid of the caller, as the kernel's tables have them */
	OP_ON,	    /* ADD, asked of the server whose capability comes along */
	OP_LEND,    /* lends the capability of slot w[1] */
	OP_SLOW,    /* computes for w[1] milliseconds */
	OP_QUIET,   /* sleeps for w[1] milliseconds */
	OP_SPOIL,   /* fills the vector registers */
	OP_END,	    /* ends without a reply */
};

enum { ACCEPT = 40, PASSED = 41, CALLS = 20000, MS = 1000000, PATIENCE = 500 };

static const int fds[] = {0, 1, 2};
static int failures;

/* ---- the server -------------------------------------------------------------------------- */

static void spoil(void)
{
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm15"
			 :
			 :
			 : "xmm0", "xmm7", "xmm15");
}

/* Asks the server that came along; that its capability goes back is refused: it was lent. */
static void ask_on(struct ipc_message *m)
{
	struct ipc_message next = {.w = {OP_ADD, m->w[1], m->w[2]}};
	const enum exo_status status = m->got ? ipc_call(ACCEPT, &next, 0) : EXO_STATE;

	m->w[0] = next.w[0];
	m->w[1] = status;
	m->pass = ACCEPT;
}

static void busy(uint64_t until)
{
	while (time_now() < until)
		;
}

static void answer_call(struct ipc_message *m)
{
	const volatile struct exo_env *caller = tables_env(m->from & 0xffff);

	m->pass = 0;
	switch (m->w[0]) {
	case OP_ADD:
		m->w[0] = m->w[1] + m->w[2];
		break;
	case OP_WHO:
		m->w[0] = caller->principal;
		m->w[1] = m->from;
		break;
	case OP_ON:
		ask_on(m);
		break;
	case OP_LEND:
		m->pass = (uint32_t)m->w[1];
		break;
	case OP_SLOW:
		busy(time_now() + m->w[1] * MS);
		break;
	case OP_QUIET:
		(void)call_wait(0, time_now() + m->w[1] * MS);
		break;
	case OP_SPOIL:
		spoil();
		break;
	default:
		_exit(7);
	}
}

static int serve(void)
{
	struct ipc_message m = {.accept = ACCEPT};

	if (ipc_open(1) != EXO_OK || ipc_reply_wait(0, &m, 0, 0) != EXO_OK)
		return 1;
	for (;;) {
		answer_call(&m);
		if (m.pass != ACCEPT)
			(void)call_cap_drop(ACCEPT);
		if (ipc_reply_wait(1, &m, 0, 0) != EXO_OK)
			return 1;
	}
}

/* ---- the client -------------------------------------------------------------------------- */

struct server {
	pid_t pid;
	uint32_t cap;
};

static uint64_t eid_of(pid_t pid)
{
	const struct posix_segment *s = posix_segment();

	return s->proc[(uint32_t)pid % s->nprocs].eid;
}

/* Starts a server that accepts calls; its capability in slot `cap`.  Null, or what went wrong. */
static const char *start(struct server *s, uint32_t cap)
{
	char program[] = "/tests/ipc", what[] = "serve";
	char *argv[] = {program, what, NULL};
	const volatile struct exo_env *env;

	s->cap = cap;
	s->pid = spawn(program, argv, NULL, fds, 3);
	if (s->pid < 0 || call_env_open(eid_of(s->pid), cap).status != EXO_OK)
		return "no server";
	env = tables_env(eid_of(s->pid) & 0xffff);
	for (int i = 0; i < PATIENCE && !env->accepting; i++)
		(void)usleep(10000);
	return env->accepting ? NULL : "the server does not accept calls";
}

static void stop(struct server *s)
{
	struct ipc_message m = {.w = {OP_END}};

	(void)ipc_call(s->cap, &m, 0);
	(void)call_cap_drop(s->cap);
	(void)waitpid(s->pid, NULL, 0);
}

static const char *test_words(const struct server *s)
{
	for (uint64_t i = 0; i < CALLS; i++) {
		struct ipc_message m = {.w = {OP_ADD, i, i * i}};

		if (ipc_call(s->cap, &m, 0) != EXO_OK)
			return "no reply";
		if (m.w[0] != i + i * i || m.w[1] != i || m.w[2] != i * i || m.got)
			return "wrong words";
	}
	return NULL;
}

static const char *test_caller_is_known(const struct server *s)
{
	struct ipc_message m = {.w = {OP_WHO}};

	if (ipc_call(s->cap, &m, 0) != EXO_OK)
		return "no reply";
	return m.w[1] == start_self() && m.w[0] == tables_env(start_self() & 0xffff)->principal
		       ? NULL
		       : "the server took us for another";
}

static const char *test_capability(const struct server *s, const struct server *other)
{
	struct ipc_message m = {.w = {OP_ON, 40, 2}, .pass = other->cap, .accept = PASSED};
	struct ipc_message back = {.w = {OP_LEND, LAYOUT_CAP_SEGMENT}, .accept = PASSED};

	if (ipc_call(s->cap, &m, 0) != EXO_OK || m.w[1] != EXO_OK || m.w[0] != 42)
		return "it could not be used by who got it";
	if (m.got)
		return "what was lent was lent on";
	if (ipc_call(s->cap, &back, 0) != EXO_OK || !back.got)
		return "the server's own did not come";
	if (tables_caps(start_self() & 0xffff)->c[PASSED].kind != EXO_CAP_PAGES)
		return "another one came";
	(void)call_cap_drop(PASSED);
	m = (struct ipc_message){.w = {OP_ON, 40, 2}};
	if (ipc_call(s->cap, &m, 0) != EXO_OK || m.w[1] != EXO_STATE || m.got)
		return "there is one without passing";
	return NULL;
}

static const char *test_deadline(const struct server *s)
{
	struct ipc_message m = {.w = {OP_QUIET, 50}};
	const uint64_t before = time_now();

	if (ipc_call(s->cap, &m, before + 5 * MS) != EXO_TIMEOUT)
		return "no timeout while the server sleeps";
	m = (struct ipc_message){.w = {OP_ADD, 1, 1}};
	if (ipc_call(s->cap, &m, time_now() + 5 * MS) != EXO_TIMEOUT)
		return "no timeout in the queue";
	m = (struct ipc_message){.w = {OP_ADD, 1, 1}};
	if (ipc_call(s->cap, &m, 0) != EXO_OK || m.w[0] != 2)
		return "the server has not come back";
	m = (struct ipc_message){.w = {OP_SLOW, 30}};
	if (ipc_call(s->cap, &m, time_now() + 5 * MS) != EXO_TIMEOUT)
		return "no timeout while the server computes";
	m = (struct ipc_message){.w = {OP_SLOW, 5}}; /* over several slices */
	return ipc_call(s->cap, &m, 0) == EXO_OK ? NULL : "the server has not come back";
}

/* What the server does to its vector registers, its client does not see, nor the other way. */
static const char *test_registers(const struct server *s)
{
	uint64_t in[2] = {0x0123456789abcdef, 42}, out[6];
	register uint64_t rax __asm__("rax") = 39;
	register uint64_t rdi __asm__("rdi") = s->cap;
	register uint64_t rsi __asm__("rsi") = 0;
	register uint64_t rdx __asm__("rdx") = OP_SPOIL;
	register uint64_t r10 __asm__("r10") = 0;
	register uint64_t r8 __asm__("r8") = 0;
	register uint64_t r9 __asm__("r9") = 0;

	__asm__ volatile(
		"movdqu %[in], %%xmm0; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm15\n\t"
		"syscall\n\t"
		"movdqu %%xmm0, %[o0]; movdqu %%xmm7, %[o1]; movdqu %%xmm15, %[o2]"
		: "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8),
		  "+r"(r9), [o0] "=m"(*(uint64_t(*)[2])out), [o1] "=m"(*(uint64_t(*)[2])(out + 2)),
		  [o2] "=m"(*(uint64_t(*)[2])(out + 4))
		: [in] "m"(*(uint64_t(*)[2])in)
		: "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
	if (rax != EXO_OK)
		return "no reply";
	for (int i = 0; i < 6; i++)
		if (out[i] != in[i % 2])
			return "vector registers are not kept";
	return NULL;
}

static const char *test_gone(struct server *s)
{
	struct ipc_message m = {.w = {OP_END}};
	int status;

	if (ipc_call(s->cap, &m, 0) != EXO_GONE)
		return "the end of the server is not told";
	if (waitpid(s->pid, &status, 0) != s->pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		return "the server has not ended";
	m = (struct ipc_message){.w = {OP_ADD}};
	if (ipc_call(s->cap, &m, 0) == EXO_OK)
		return "the dead answer";
	(void)call_cap_drop(s->cap);
	return NULL;
}

static const char *test_closed(void)
{
	struct ipc_message m = {.w = {OP_ADD}};

	if (ipc_call(0, &m, 0) != EXO_STATE)
		return "a program calls itself";
	m = (struct ipc_message){.w = {OP_ADD}};
	return ipc_call(LAYOUT_CAP_CONSOLE, &m, 0) == EXO_TYPE ? NULL : "a console can be called";
}

static void result(const char *name, const char *why)
{
	if (why)
		printf("FAIL ipc.%s: %s\n", name, why);
	else
		printf("ok ipc.%s\n", name);
	(void)fflush(stdout);
	failures += why != NULL;
}

int main(int argc, char **argv)
{
	struct server a, b;
	const char *why;

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve();
	why = start(&a, 50);
	if (!why)
		why = start(&b, 51);
	result("start", why);
	if (why)
		return 1;
	result("words", test_words(&a));
	result("caller_is_known", test_caller_is_known(&a));
	result("capability", test_capability(&a, &b));
	result("deadline", test_deadline(&a));
	result("registers", test_registers(&a));
	result("closed", test_closed());
	result("gone", test_gone(&a));
	stop(&b);
	return failures != 0;
}
