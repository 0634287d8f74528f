/*
 * ipc.h - protected control transfer: calls from one environment into another, and replies.
 *
 * A caller is CALLING from ipc_call to the reply, its deadline, or the callee's end.  It stands in
 * the queue of whom it calls until that one takes its call; then it is `client` there, and its CPU
 * slots count for the callee (kern/slot.h).  Invariant: calling and client, calling and queue
 * agree; who is `accepting` sleeps in ipc_reply_wait with no client and no queue; the queue of
 * nobody (envs[0]) holds the dead whose own queue is not empty yet; following clients upwards, or
 * whom they call downwards, comes to an end after IPC_DEPTH steps.
 */
#ifndef KERN_IPC_H
#define KERN_IPC_H

#include <exo/tables.h>

enum {
	IPC_DEPTH = 8,	/* calls within calls */
	IPC_BATCH = 16, /* callers of the dead that one tick wakes */
};

/* What a blocked environment sends or accepts, and what a call has for who runs. */
struct message {
	uint64_t w[4];
	uint64_t from;	  /* eid of the caller; 0: events, in w[0], or a deadline */
	uint8_t status;	  /* enum exo_status */
	uint8_t s, d;	  /* capability slots: passed, to be filled; 0: none */
	uint8_t with_cap; /* a capability came */
};

extern struct message messages[EXO_NENV];

/* e, CALLING, calls no more: out of the queue it is in, or no client of whom it calls. */
void ipc_hang_up(uint32_t e);

/* e ends: its call, and its client's; who queues for it is told in ipc_tick(). */
void ipc_env_end(uint32_t e);

/* A tick has passed: wakes at most IPC_BATCH callers of the dead. */
void ipc_tick(void);

/*
 * The registers of who is on the CPU are in its save area now: writes the message that
 * ipc_reply_wait had for it.  x86/ calls it when cpu.inbox is set, before cpu_next().
 */
void ipc_left(void);

#endif
