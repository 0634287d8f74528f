/*
 * ipc.c - owns calls between environments: who calls whom, who waits to be taken, who is served.
 *
 * Invariant: see ipc.h.  Words go straight into the registers of who sleeps; those of a caller that
 * queues, and of a server that found something without sleeping, stay in messages[] until the
 * server takes them, or has left the CPU.  A capability that comes with a message is copied when
 * the message is delivered, or left out: nothing about it holds a message up.  No lock: one CPU in
 * the kernel.  Called by programs, by event.c and env.c when somebody wakes or ends, by x86/.
 */
#include "ipc.h"
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "event.h"
#include "machine.h"
#include "slot.h"
#include "syscall.h"
#include "timer.h"

struct message messages[EXO_NENV];

/* ---- queues ------------------------------------------------------------------------------ */

/*@ requires t < EXO_NENV && 0 < e < EXO_NENV && envs[e].call_next == 0 && envs[e].call_prev == 0;
    assigns envs[0 .. EXO_NENV - 1];
    ensures envs[t].call_tail == e; */
static void queue_push(uint32_t t, uint32_t e)
{
	const uint16_t last = envs[t].call_tail;

	envs[e].call_prev = last;
	envs[t].call_tail = (uint16_t)e;
	if (last != 0)
		envs[last].call_next = (uint16_t)e;
	else
		envs[t].call_head = (uint16_t)e;
}

/*@ requires t < EXO_NENV && 0 < e < EXO_NENV && envs[t].call_head != 0;
    assigns envs[0 .. EXO_NENV - 1];
    ensures envs[e].call_next == 0 && envs[e].call_prev == 0; */
static void queue_remove(uint32_t t, uint32_t e)
{
	const uint16_t next = envs[e].call_next, prev = envs[e].call_prev;

	if (prev != 0)
		envs[prev].call_next = next;
	else
		envs[t].call_head = next;
	if (next != 0)
		envs[next].call_prev = prev;
	else
		envs[t].call_tail = prev;
	envs[e].call_next = 0;
	envs[e].call_prev = 0;
}

/*@ requires 0 < e < EXO_NENV && envs[e].state == EXO_ENV_CALLING;
    ensures envs[e].calling == 0; */
void ipc_hang_up(uint32_t e)
{
	const uint32_t t = envs[e].calling;

	if (envs[t].client == e) {
		slot_end(slot_user(e));
		envs[e].calling = 0;
		envs[t].client = 0;
		return;
	}
	envs[e].calling = 0;
	queue_remove(t, e);
	if (envs[t].state == EXO_ENV_ZOMBIE && envs[t].call_head == 0)
		queue_remove(0, t);
}

/*@ requires 0 < e < EXO_NENV && envs[e].state != EXO_ENV_FREE && envs[e].state != EXO_ENV_ZOMBIE;
    ensures envs[e].calling == 0 && envs[e].client == 0 && envs[e].accepting == 0; */
void ipc_env_end(uint32_t e)
{
	if (envs[e].state == EXO_ENV_CALLING)
		ipc_hang_up(e);
	envs[e].accepting = 0;
	envs[e].calls_open = 0;
	if (envs[e].client != 0)
		event_wake(envs[e].client, EXO_GONE, 0);
	if (envs[e].call_head != 0)
		queue_push(0, e);
}

void ipc_tick(void)
{
	/*@ loop invariant 0 <= n <= IPC_BATCH;
	    loop variant IPC_BATCH - n; */
	for (uint32_t n = 0; n < IPC_BATCH && envs[0].call_head != 0; n++)
		event_wake(envs[envs[0].call_head].call_head, EXO_GONE, 0);
}

/* ---- delivering -------------------------------------------------------------------------- */

/*@ requires from < EXO_NENV && to < EXO_NENV;
    ensures 0 <= \result <= 1; */
static uint8_t pass_named(uint32_t from, uint32_t s, uint32_t to, uint32_t d)
{
	struct exo_cap cap;

	if (cap_for_grant(from, s, &cap) != EXO_OK || cap_room(to, d) != EXO_OK)
		return 0;
	cap.rights &= (uint8_t)~EXO_RIGHT_GRANT; /* it is lent */
	cap_put(to, d, cap);
	return 1;
}

/* Copies slot s of `from` to slot d of `to`, when both can (0: none is named): 1, else 0. */
static inline uint8_t pass_cap(uint32_t from, uint32_t s, uint32_t to, uint32_t d)
{
	return s == 0 || d == 0 ? 0 : pass_named(from, s, to, d);
}

/* The answer of ipc_reply_wait to a call, in the registers of who sleeps. */
/*@ requires \valid(regs);
    assigns *regs; */
static inline void put_call(struct exo_regs *regs, uint64_t from, uint64_t w0, uint64_t w1,
			    uint64_t w2, uint64_t w3, uint64_t with_cap)
{
	regs->rax = EXO_OK;
	regs->rdx = from;
	regs->rdi = w0;
	regs->rsi = w1;
	regs->r8 = w2;
	regs->r9 = w3;
	regs->r10 = with_cap;
}

void ipc_left(void)
{
	const uint32_t me = cpu_self();
	const struct message *const m = &messages[me];
	struct exo_regs *const regs = &machine_save((struct pfn){envs[me].save})->regs;

	cpu_this()->inbox = 0;
	put_call(regs, m->from, m->w[0], m->w[1], m->w[2], m->w[3], m->with_cap);
	regs->rax = m->status;
}

/* e, which sleeps, is awake: only its slots are not looked at. */
/*@ requires 0 < e < EXO_NENV;
    ensures envs[e].state == EXO_ENV_RUNNABLE && envs[e].deadline == 0; */
static inline void resume(uint32_t e)
{
	if (envs[e].deadline != 0)
		timer_drop(e);
	envs[e].deadline = 0;
	envs[e].wait_mask = 0;
	envs[e].accepting = 0;
	envs[e].state = EXO_ENV_RUNNABLE;
}

/* e sleeps in this state until the deadline (0: none): only its slots are not looked at. */
/*@ requires 0 < e < EXO_NENV && envs[e].state == EXO_ENV_RUNNABLE;
    ensures envs[e].state == state && envs[e].deadline == deadline; */
static inline void suspend(uint32_t e, enum exo_env_state state, uint64_t deadline)
{
	envs[e].state = (uint8_t)state;
	envs[e].deadline = deadline;
	if (deadline != 0)
		timer_add(e);
}

/* Who runs now gives the rest of its slice to e. */
static void hand_over(uint32_t e)
{
	cpu_this()->next = e;
	cpu_this()->resched = 1;
}

/* ---- calling ----------------------------------------------------------------------------- */

/* May `me` call t?  STATE: t is closed, or calls would nest too deep or wait for each other. */
/*@ requires 0 < me < EXO_NENV && 0 < t < EXO_NENV;
    assigns \nothing; */
static enum exo_status may_call(uint32_t me, uint32_t t)
{
	uint32_t depth = 1, e;

	if (t == me || !envs[t].calls_open)
		return EXO_STATE;
	/*@ loop invariant e < EXO_NENV && 1 <= depth <= IPC_DEPTH + 1;
	    loop assigns e, depth;
	    loop variant IPC_DEPTH + 1 - depth; */
	for (e = envs[me].client; e != 0 && depth <= IPC_DEPTH; e = envs[e].client)
		depth++;
	/*@ loop invariant e < EXO_NENV && 1 <= depth <= IPC_DEPTH + 1;
	    loop assigns e, depth;
	    loop variant IPC_DEPTH + 1 - depth; */
	for (e = envs[t].calling; e != 0 && e != me && depth <= IPC_DEPTH; e = envs[e].calling)
		depth++;
	return e == me || depth > IPC_DEPTH ? EXO_STATE : EXO_OK;
}

/* The fields of `what`: low (8 bits) | s << 8 | d << 16. */
/*@ assigns \nothing; */
static enum exo_status check_what(uint64_t what)
{
	if (what >> 24 != 0)
		return EXO_ARG;
	if ((what >> 8 & 255) >= EXO_NCAP || what >> 16 >= EXO_NCAP)
		return EXO_RANGE;
	return EXO_OK;
}

struct exo_result sys_ipc_call(uint64_t what, uint64_t deadline, uint64_t w0, uint64_t w1,
			       uint64_t w2, uint64_t w3)
{
	const uint32_t me = cpu_self(), s = what >> 8 & 255;
	struct message *const m = &messages[me];
	struct exo_cap cap;
	uint32_t t;
	enum exo_status status = check_what(what);

	if (status == EXO_OK)
		status = cap_live_env(me, what & 255, EXO_ENV_CALL, &t);
	if (status == EXO_OK)
		status = may_call(me, t);
	if (status == EXO_OK && s != 0)
		status = cap_for_grant(me, s, &cap);
	if (status == EXO_OK && deadline != 0 && deadline <= machine_now())
		status = EXO_TIMEOUT;
	if (status != EXO_OK)
		return refuse(status);

	envs[me].calling = (uint16_t)t;
	m->d = (uint8_t)(what >> 16);
	suspend(me, EXO_ENV_CALLING, deadline);
	if (envs[t].accepting) {
		struct exo_regs *const regs = &machine_save((struct pfn){envs[t].save})->regs;

		put_call(regs, env_eid(me).n, w0, w1, w2, w3, pass_cap(me, s, t, messages[t].d));
		envs[t].client = (uint16_t)me;
		resume(t);
		slot_lend(t); /* those of `me` go on being usable: t runs in them */
		hand_over(t);
		return refuse(EXO_OK); /* who replies writes the answer that the program sees */
	}
	m->w[0] = w0;
	m->w[1] = w1;
	m->w[2] = w2;
	m->w[3] = w3;
	m->from = env_eid(me).n;
	m->s = (uint8_t)s;
	queue_push(t, me);
	slot_unready(me);
	return refuse(EXO_OK); /* whoever wakes it writes the answer that the program sees */
}

/* ---- serving ----------------------------------------------------------------------------- */

/*
 * The client of `me`, if it is still there, gets its answer: who that was, or 0.  Its slots were
 * usable, since `me` runs, and are.
 */
/*@ requires 0 < me < EXO_NENV;
    ensures envs[me].client == 0; */
static inline uint32_t reply(uint32_t me, uint32_t s, uint64_t w0, uint64_t w1, uint64_t w2)
{
	const uint32_t c = envs[me].client;

	if (c == 0)
		return 0;

	struct exo_regs *const regs = &machine_save((struct pfn){envs[c].save})->regs;

	regs->rax = EXO_OK;
	regs->rdx = w0;
	regs->rdi = w1;
	regs->rsi = w2;
	regs->r10 = pass_cap(me, s, c, messages[c].d);
	envs[me].client = 0;
	envs[c].calling = 0;
	resume(c);
	return c;
}

/* What `me` need not sleep for goes to messages[me]: pending events, the first caller; 1, or 0. */
/*@ requires 0 < me < EXO_NENV && envs[me].client == 0 && d < EXO_NCAP; */
static int take_now(uint32_t me, uint64_t mask, uint32_t d)
{
	const uint64_t pending = envs[me].events & mask;
	const uint32_t c = envs[me].call_head;

	if (pending != 0) {
		envs[me].events &= ~pending;
		messages[me] = (struct message){.w = {pending}};
		return 1;
	}
	if (c == 0)
		return 0;
	queue_remove(me, c);
	envs[me].client = (uint16_t)c;
	messages[me] = messages[c];
	messages[me].status = EXO_OK;
	messages[me].with_cap = pass_cap(c, messages[c].s, me, d);
	slot_ready(me);
	return 1;
}

struct exo_result sys_ipc_reply_wait(uint64_t what, uint64_t mask, uint64_t deadline, uint64_t w0,
				     uint64_t w1, uint64_t w2)
{
	const uint32_t me = cpu_self(), d = (what >> 16) & 255;
	const uint32_t late = deadline != 0 && deadline <= machine_now();
	const enum exo_status status = (what & 0xfe) != 0 ? EXO_ARG : check_what(what);
	uint32_t c;
	int now;

	if (status != EXO_OK)
		return refuse(status);
	if ((what & 1) == 0 && envs[me].client != 0)
		return refuse(EXO_STATE);
	if (late && envs[me].client == 0 && (envs[me].events & mask) == 0 &&
	    envs[me].call_head == 0)
		return refuse(EXO_TIMEOUT);

	c = reply(me, what >> 8 & 255, w0, w1, w2);
	now = take_now(me, mask, d);
	if (!now && late) {
		messages[me] = (struct message){.status = EXO_TIMEOUT};
		now = 1;
	}
	if (now) {
		cpu_this()->inbox = 1;
		cpu_this()->resched = 1;
	} else {
		messages[me].d = (uint8_t)d;
		envs[me].accepting = 1;
		envs[me].wait_mask = mask;
		suspend(me, EXO_ENV_WAITING, deadline);
		slot_unready(me);
	}
	if (c != 0)
		hand_over(c);
	return refuse(EXO_OK); /* the answer goes to the save area: ipc_left(), or who wakes it */
}
