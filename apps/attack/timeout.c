/*
 * timeout.c - those who hold others up by calls: servers that never reply or end, calls that wait
 * for each other, clients that end while they are served.
 */
#include <libos/ipc.h>
#include <libos/time.h>
#include "attack.h"

enum { SERVER = 5, WAIT_MS = 2000, DEADLINE_MS = 20, ROUNDS = 12, DEPTH = 8 };

static struct thread one, other;

/* Takes a call and sleeps on it. */
static void hold(struct thread *t)
{
	struct ipc_message m = {.w = {0}};

	(void)ipc_open(1);
	t->rounds = 1;
	(void)ipc_reply_wait(0, &m, 0, 0);
	t->rounds = 2;
	(void)call_wait(EXO_EV_USER, 0);
}

/* Calls without a deadline, and says how that ended. */
static void call_once(struct thread *t)
{
	struct ipc_message m = {.w = {1}};

	t->rounds = 1;
	t->result[0] = ipc_call(SERVER, &m, 0);
	t->rounds = 2;
}

static int open_server(void (*run)(struct thread *))
{
	return thread_make(&one, THREAD_CAP, run) && thread_go(&one) &&
	       thread_wait(&one, 1, WAIT_MS);
}

static void deadlines(void)
{
	struct ipc_message m = {.w = {1}};

	if (!open_server(hold)) {
		unprepared("a server that never replies");
		return;
	}
	for (uint32_t i = 0; i < 4; i++) { /* the first is taken, the others queue */
		m = (struct ipc_message){.w = {1}};
		tally_answered(
			(struct exo_result){ipc_call(THREAD_CAP, &m, time_now() + DEADLINE_MS * MS),
					    0},
			EXO_TIMEOUT);
	}
	sum_up("a server that never replies");
	score("taken back", child_end(&one.c));
}

static int client_waits(void)
{
	return thread_make(&other, OTHER_CAP, call_once) &&
	       call_cap_grant(THREAD_CAP, OTHER_CAP, SERVER, EXO_ENV_CALL).status == EXO_OK &&
	       thread_go(&other) && thread_wait(&other, 1, WAIT_MS);
}

/* Whoever of the two ends at a random moment, the other goes on. */
static void endings(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		if (!open_server(hold) || !client_waits()) {
			unprepared("a server and a client");
			return;
		}
		for (uint64_t n = next_random() % 8; n != 0; n--)
			disturb(other.c.eid);
		if (i % 2 == 0) {
			(void)call_env_kill(THREAD_CAP, 0);
			tally(child_wait(&other.c, WAIT_MS) &&
			      (other.result[0] == EXO_GONE || other.result[0] == EXO_STATE));
		} else {
			(void)call_env_kill(OTHER_CAP, 0);
			tally(tables_env(one.c.index)->client == 0 &&
			      tables_env(one.c.index)->call_head == 0);
		}
		tally(child_end(&other.c) && child_end(&one.c));
	}
	sum_up("one of two ends in the middle of a call");
}

/* Calls back whoever calls it, as long as that is allowed. */
static void call_back(struct thread *t)
{
	struct ipc_message m = {.w = {0}};

	(void)ipc_open(1);
	t->rounds = 1;
	if (ipc_reply_wait(0, &m, 0, 0) != EXO_OK)
		return;
	m = (struct ipc_message){.w = {2}};
	t->result[0] = ipc_call(SERVER, &m, 0);
	t->rounds = 2;
	(void)ipc_reply_wait(1, &m, 0, time_now() + MS);
}

static void cycles(void)
{
	struct ipc_message m = {.w = {1}};
	enum exo_status status;

	refused("calling oneself", call_trap(39, EXO_SELF.n, 0, 0, 0, 0, 0));
	if (!thread_make(&one, THREAD_CAP, call_back) ||
	    call_cap_grant(EXO_SELF.n, THREAD_CAP, SERVER, EXO_ENV_CALL).status != EXO_OK ||
	    ipc_open(1) != EXO_OK || !thread_go(&one) || !thread_wait(&one, 1, WAIT_MS)) {
		unprepared("calls that wait for each other");
		return;
	}
	status = ipc_call(THREAD_CAP, &m, time_now() + WAIT_MS * (uint64_t)MS);
	score("calls that wait for each other", status == EXO_OK && one.result[0] == EXO_STATE);
	(void)ipc_open(0);
	score("taken back", child_end(&one.c));
	refused("calling who is closed", call_trap(39, THREAD_CAP, 0, 0, 0, 0, 0));
}

void attack_timeout(void)
{
	deadlines();
	endings();
	cycles();
}
