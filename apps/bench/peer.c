/*
 * peer.c - measurements that take more than one program, and the peers that they start.
 *
 * A peer is this program again: bench PEER EID, with the eid of who measures.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <libos/build.h>
#include <libos/ipc.h>
#include <libos/posix_segment.h>
#include <libos/spawn.h>
#include <libos/start.h>
#include "bench.h"

enum {
	TIMES = 101,
	SPAWNS = 21,
	SETTLE_US = 20000, /* between looks at a program that is to become idle */
	SETTLE_LOOKS = 50,
	CALL_END = 1, /* first word of a call that wants no reply */
};

static uint64_t peer_eid;
static uint32_t peer_cap;
static int request[2], reply[2]; /* pipes */

/* ---- peers ------------------------------------------------------------------------------- */

static int yield_peer(uint64_t to)
{
	while (call_yield(to).status == EXO_OK)
		;
	return 0;
}

/* Answers calls until it is told to end, which it does without a reply. */
static int call_peer(void)
{
	struct ipc_message m = {0};
	enum exo_status status = ipc_open(1);

	if (status == EXO_OK)
		status = ipc_reply_wait(0, &m, 0, 0);
	while (status == EXO_OK && m.w[0] != CALL_END)
		status = ipc_reply_wait(1, &m, 0, 0);
	return status != EXO_OK;
}

static int pipe_peer(void)
{
	char c;

	while (read(0, &c, 1) == 1 && write(1, &c, 1) == 1)
		;
	return 0;
}

int peer_main(const char *name, char **argv)
{
	if (strcmp(name, "pipe-peer") == 0)
		return pipe_peer();
	if (strcmp(name, "call-peer") == 0)
		return call_peer();
	if (strcmp(name, "yield-peer") == 0 && argv[1])
		return yield_peer(strtoull(argv[1], NULL, 16));
	return -1;
}

static pid_t start_peer(const char *name, const int *fds, int nfds)
{
	char program[] = "/bin/bench", what[16], eid[20];
	char *argv[] = {program, what, eid, NULL};

	(void)snprintf(what, sizeof(what), "%s", name);
	(void)snprintf(eid, sizeof(eid), "%llx", (unsigned long long)start_self());
	return spawn(program, argv, NULL, fds, nfds);
}

static const int usual_fds[] = {0, 1, 2};

static uint64_t eid_of(pid_t pid)
{
	const struct posix_segment *s = posix_segment();

	return s->proc[(uint32_t)pid % s->nprocs].eid;
}

/* ---- measurements ------------------------------------------------------------------------ */

static int do_yield(void)
{
	return call_result(call_yield(peer_eid));
}

const char *yield_switch(double *value)
{
	const char *reason;
	const pid_t pid = start_peer("yield-peer", usual_fds, 3);

	if (pid < 0)
		return because("the peer", -errno);
	peer_eid = eid_of(pid);
	reason = measure(do_yield, NULL, TIMES, value);
	*value /= 2;
	/* While we wait for it, it cannot yield to us, and ends. */
	(void)waitpid(pid, NULL, 0);
	return reason;
}

static int do_call(void)
{
	struct ipc_message m = {.w = {0, 1, 2, 3}};

	return call_result((struct exo_result){ipc_call(peer_cap, &m, 0), 0});
}

/* A call into the other program, and its reply. */
static const char *measure_calls(uint64_t eid, double *value)
{
	const volatile struct exo_env *peer = tables_env((uint32_t)(eid & 0xffff));
	struct ipc_message end = {.w = {CALL_END}};
	const int slot = build_free_cap();
	const char *reason;

	if (slot < 0)
		return because("a capability slot", slot);
	peer_cap = (uint32_t)slot;
	if (call_env_open(eid, peer_cap).status != EXO_OK)
		return because("a capability", -EACCES);
	for (unsigned i = 0; i < SETTLE_LOOKS && !peer->accepting; i++)
		(void)usleep(SETTLE_US);
	reason = measure(do_call, NULL, TIMES, value);
	(void)ipc_call(peer_cap, &end, 0);
	(void)call_cap_drop(peer_cap);
	return reason;
}

const char *pct_round_trip(double *value)
{
	const char *reason;
	const pid_t pid = start_peer("call-peer", usual_fds, 3);

	if (pid < 0)
		return because("the peer", -errno);
	reason = measure_calls(eid_of(pid), value);
	if (reason)
		(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return reason;
}

static int do_round_trip(void)
{
	char c = 0;

	return write(request[1], &c, 1) == 1 && read(reply[0], &c, 1) == 1 ? 0 : -errno;
}

/* Both pipes, or none. */
static int open_pipes(void)
{
	int error;

	if (pipe(request))
		return -errno;
	if (pipe(reply) == 0)
		return 0;
	error = -errno;
	(void)close(request[0]);
	(void)close(request[1]);
	return error;
}

const char *pipe_round_trip(double *value)
{
	const char *reason;
	const int error = open_pipes();
	int fds[3];
	pid_t pid;

	if (error)
		return because("pipes", error);
	fds[0] = request[0];
	fds[1] = reply[1];
	fds[2] = 2;
	pid = start_peer("pipe-peer", fds, 3);
	reason = pid < 0 ? because("the peer", -errno) : measure(do_round_trip, NULL, TIMES, value);
	(void)close(request[0]);
	(void)close(request[1]);
	(void)close(reply[0]);
	(void)close(reply[1]);
	if (pid >= 0)
		(void)waitpid(pid, NULL, 0);
	return reason;
}

static int do_spawn(void)
{
	char program[] = "/bin/true";
	char *argv[] = {program, NULL};
	const pid_t pid = spawn(program, argv, NULL, usual_fds, 3);
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status == 0 ? 0 : -ECHILD;
}

static int do_fork(void)
{
	const pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status == 0 ? 0 : -ECHILD;
}

const char *fork_exit_wait(double *value)
{
	return measure(do_fork, NULL, SPAWNS, value);
}

const char *spawn_exit_wait(double *value)
{
	return measure(do_spawn, NULL, SPAWNS, value);
}

/* Waits until the program sleeps: 0 or a negative errno. */
static int settle(uint64_t eid)
{
	for (unsigned i = 0; i < SETTLE_LOOKS; i++) {
		(void)usleep(SETTLE_US);
		if (!tables_alive(eid))
			return -ECHILD;
		if (tables_env((uint32_t)(eid & 0xffff))->state == EXO_ENV_WAITING)
			return 0;
	}
	return -ETIMEDOUT;
}

static uint32_t pages_of(uint64_t eid)
{
	uint32_t n = 0;

	for (uint32_t f = 0; f < tables_info()->frames; f++)
		n += tables_page(f)->state != EXO_PAGE_FREE &&
		     tables_page(f)->owner == (eid & 0xffff);
	return n;
}

const char *process_cost(double *value)
{
	char program[] = "/bin/cat";
	char *argv[] = {program, NULL};
	const int opened = open_pipes();
	const int fds[] = {request[0], reply[1], 2};
	int error = 0;
	pid_t pid;

	if (opened)
		return because("pipes", opened);
	pid = spawn(program, argv, NULL, fds, 3);
	if (pid < 0)
		error = -errno;
	if (!error)
		error = settle(eid_of(pid));
	if (!error)
		*value = (double)pages_of(eid_of(pid)) * PAGE / KIB;
	(void)close(request[0]);
	(void)close(request[1]);
	(void)close(reply[0]);
	(void)close(reply[1]);
	if (pid >= 0)
		(void)waitpid(pid, NULL, 0);
	return error ? because("an idle program", error) : NULL;
}
