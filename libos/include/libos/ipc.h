/*
 * ipc.h - calls into other programs, and serving them (kernel calls ipc_call and ipc_reply_wait).
 *
 * A call carries four words and perhaps a capability, the reply three words and perhaps one.  The
 * caller sleeps until the reply; meanwhile its CPU slots are the server's.  The server knows its
 * caller by eid, and finds principal and creator in the environment table (libos/tables.h).  A
 * server opens itself to calls with ipc_open(), and needs a CPU slot of its own: it must run to
 * come back for the next call when a caller has left it in the middle of the work.  Owns nothing,
 * keeps nothing; for every program, whatever its personality.
 */
#ifndef LIBOS_IPC_H
#define LIBOS_IPC_H

#include <libos/call.h>

struct ipc_message {
	uint64_t w[4];	 /* the words; a reply has three */
	uint32_t pass;	 /* sent: capability slot whose capability goes along; 0: none */
	uint32_t accept; /* sent: own empty slot for one that comes back; 0: accepts none */
	uint64_t from;	 /* taken: eid of the caller; 0: there is none, see `events` */
	uint64_t events; /* taken without a caller: the events that came */
	uint64_t got;	 /* taken: 1 when a capability came, and is in the slot `accept` */
};

/*
 * The trap of both calls: arguments and answers in the order rdi rsi rdx r10 r8 r9, in place.
 * Returns the status.
 */
static inline enum exo_status ipc_trap(uint64_t number, uint64_t regs[6])
{
	register uint64_t r10 __asm__("r10") = regs[3];
	register uint64_t r8 __asm__("r8") = regs[4];
	register uint64_t r9 __asm__("r9") = regs[5];

	__asm__ volatile("syscall"
			 : "+a"(number), "+D"(regs[0]), "+S"(regs[1]), "+d"(regs[2]), "+r"(r10),
			   "+r"(r8), "+r"(r9)
			 :
			 : "rcx", "r11", "memory");
	regs[3] = r10;
	regs[4] = r8;
	regs[5] = r9;
	return (enum exo_status)number;
}

/* Opens this program to calls of all who hold EXO_ENV_CALL for it, or closes it (on = 0). */
static inline enum exo_status ipc_open(int on)
{
	return (enum exo_status)call_env_set(EXO_SELF.n, EXO_SET_CALLS, on != 0).status;
}

/*
 * Calls the program of capability slot `callee`, and sleeps until it replies or the deadline (ns
 * since boot; 0: none).  *m is what is sent, and on EXO_OK the reply: w[0..2] and got.  Statuses:
 * those of call 39 in doc/abi.md; EXO_TIMEOUT and EXO_GONE say that the server may have acted.
 */
static inline enum exo_status ipc_call(uint32_t callee, struct ipc_message *m, uint64_t deadline)
{
	uint64_t regs[6] = {callee | (uint64_t)m->pass << 8 | (uint64_t)m->accept << 16,
			    deadline,
			    m->w[0],
			    m->w[1],
			    m->w[2],
			    m->w[3]};
	const enum exo_status status = ipc_trap(39, regs);

	m->w[0] = regs[2];
	m->w[1] = regs[0];
	m->w[2] = regs[1];
	m->got = regs[3];
	return status;
}

/*
 * With `reply`, answers who is served with w[0..2] of *m, if that one is still there; then takes
 * the next call, or events of `mask`, into *m, or sleeps until one comes or the deadline. Statuses:
 * those of call 40; a server that always replies and names no bad slots sees OK and TIMEOUT only.
 */
static inline enum exo_status ipc_reply_wait(int reply, struct ipc_message *m, uint64_t mask,
					     uint64_t deadline)
{
	uint64_t regs[6] = {(reply != 0) | (uint64_t)m->pass << 8 | (uint64_t)m->accept << 16,
			    mask,
			    deadline,
			    m->w[0],
			    m->w[1],
			    m->w[2]};
	const enum exo_status status = ipc_trap(40, regs);

	m->from = regs[2];
	m->events = m->from == 0 ? regs[0] : 0;
	m->w[0] = regs[0];
	m->w[1] = regs[1];
	m->w[2] = regs[4];
	m->w[3] = regs[5];
	m->got = regs[3];
	return status;
}

#endif
