/*
 * deputy.c - a server that holds what its client must not have: the client tries to get at it by
 * words, by slot numbers, by capabilities that it does not hold.
 *
 * Both are threads.  The server has the extent in slot 10 and a lesser capability to lend, and
 * writes down what the kernel tells it of each caller; the client has the right to call, no more.
 */
#include <libos/ipc.h>
#include <libos/layout.h>
#include "attack.h"

enum { OPEN_CAP = 30, PREY = 10, LENT = 11, ACCEPT = 12, SERVER = 5, GOT = 20, CALLS = 200 };

enum { OP_NOTHING = 1, OP_LEND = 2, OP_END = 3 };

static struct thread server, client;
static volatile uint64_t callers, wrong_callers, came;

static void serve(struct thread *t)
{
	struct ipc_message m = {.accept = ACCEPT};
	enum exo_status status = ipc_open(1);

	t->rounds = 1;
	if (status == EXO_OK)
		status = ipc_reply_wait(0, &m, 0, 0);
	while (status == EXO_OK && m.w[0] != OP_END) {
		callers++;
		wrong_callers += m.from != t->other;
		came += m.got;
		m.pass = m.w[0] == OP_LEND ? LENT : 0;
		m.accept = ACCEPT;
		status = ipc_reply_wait(1, &m, 0, 0);
	}
}

/* One call: 1 when it was refused with this status. */
static int refused_with(enum exo_status want, uint32_t pass, uint32_t accept)
{
	struct ipc_message m = {.w = {OP_NOTHING}, .pass = pass, .accept = accept};

	return ipc_call(SERVER, &m, 0) == want;
}

/* Slots of its own that hold nothing; the server's numbers; numbers of no slot; more than is
 * allowed. */
static uint64_t pass_what_it_has_not(void)
{
	uint64_t bad = 0;

	for (uint32_t s = 1; s < EXO_NCAP; s++)
		bad += s != SERVER && !refused_with(EXO_STATE, s, 0);
	for (uint32_t s = EXO_NCAP; s < 256; s++) {
		bad += !refused_with(EXO_RANGE, s, 0);
		bad += !refused_with(EXO_RANGE, 0, s);
	}
	bad += !refused_with(EXO_PERM, SERVER, 0); /* it may call, not pass that on */
	for (uint64_t bit = 1ull << 24; bit != 0; bit *= 2)
		bad += call_trap(39, SERVER | bit, 0, OP_NOTHING, 0, 0, 0).status != EXO_ARG;
	return bad;
}

/* Words that look like slots, rights, ids. */
static uint64_t say_anything(void)
{
	uint64_t bad = 0;

	for (uint32_t i = 0; i < CALLS; i++) {
		struct ipc_message m = {.w = {OP_NOTHING, PREY, i % 64, i}, .accept = GOT};

		bad += ipc_call(SERVER, &m, 0) != EXO_OK || m.got != 0;
	}
	return bad;
}

/* What is lent is what was lent: not more, not passed on, not over what is there. */
static uint64_t borrow(struct thread *t)
{
	const uint32_t me = EXO_EID_INDEX((struct eid){t->c.eid});
	struct ipc_message m = {.w = {OP_LEND}, .accept = SERVER};
	uint64_t bad = 0;

	bad += ipc_call(SERVER, &m, 0) != EXO_OK || m.got != 0; /* that slot is full */
	bad += tables_caps(me)->c[SERVER].kind != EXO_CAP_ENV;
	m = (struct ipc_message){.w = {OP_LEND}, .accept = GOT};
	bad += ipc_call(SERVER, &m, 0) != EXO_OK || m.got != 1;
	bad += tables_caps(me)->c[GOT].rights != EXO_RIGHT_READ;
	bad += tables_caps(me)->c[GOT].len != 4;
	bad += !refused_with(EXO_PERM, GOT, 0);
	bad += call_cap_grant(GOT, EXO_SELF.n, 21, EXO_RIGHT_READ).status == EXO_OK;
	bad += call_cap_derive(GOT, 21, EXO_RIGHT_WRITE, 0, 0).status == EXO_OK;
	bad += call_extent_free(GOT).status == EXO_OK;
	return bad;
}

static void cheat(struct thread *t)
{
	struct ipc_message m = {.w = {OP_END}};

	t->result[0] = pass_what_it_has_not();
	t->result[1] = say_anything();
	t->result[2] = borrow(t);
	t->rounds = 1;
	(void)ipc_call(SERVER, &m, 0);
}

static int prepare(void)
{
	const volatile struct exo_cap *c = &tables_caps(self_index())->c[LAYOUT_CAP_EXTENT];

	return thread_make(&server, THREAD_CAP, serve) && thread_make(&client, OTHER_CAP, cheat) &&
	       call_cap_grant(LAYOUT_CAP_EXTENT, THREAD_CAP, PREY, EXO_RIGHTS_ALL).status ==
		       EXO_OK &&
	       call_cap_derive(LAYOUT_CAP_EXTENT, OPEN_CAP, EXO_RIGHT_READ | EXO_RIGHT_GRANT,
			       c->start, 4)
			       .status == EXO_OK &&
	       call_cap_grant(OPEN_CAP, THREAD_CAP, LENT, EXO_RIGHTS_ALL).status == EXO_OK &&
	       call_cap_grant(THREAD_CAP, OTHER_CAP, SERVER, EXO_ENV_CALL).status == EXO_OK;
}

void attack_deputy(void)
{
	int ended;

	callers = wrong_callers = came = 0;
	if (!prepare() || !thread_go(&server)) {
		unprepared("a server and a client");
		return;
	}
	server.other = client.c.eid;
	ended = thread_wait(&server, 1, TRANSFER_MS) && thread_go(&client) &&
		child_wait(&client.c, TRANSFER_MS) && client.rounds == 1;
	score("passing capabilities that the client does not hold", ended && client.result[0] == 0);
	score("words that name what the server holds", ended && client.result[1] == 0);
	score("more than was lent", ended && client.result[2] == 0);
	score("the server was told who called, each time, and that nothing came",
	      callers >= CALLS && wrong_callers == 0 && came == 0);
	score("the server still holds what it held",
	      tables_caps(server.c.index)->c[PREY].kind == EXO_CAP_EXTENT &&
		      tables_caps(server.c.index)->c[ACCEPT].kind == EXO_CAP_NONE);
	score("both taken back", child_end(&client.c) && child_end(&server.c));
}
