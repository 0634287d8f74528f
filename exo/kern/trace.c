/*
 * trace.c - owns traces[] and tracing; calls trace_start, trace_stop.
 *
 * Numbers of records go on from one ring to the next, so what an earlier one left in a frame is
 * never taken for a record of this one.  The kernel never reads what it has written here.  No lock:
 * one CPU in the kernel, and none of its instructions is seen between those of another.  Called by
 * programs, by kern/ where something happens, and by the paths in x86/ that record.
 */
#include "trace.h"
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "info.h"
#include "machine.h"
#include "page.h"
#include "syscall.h"

struct exo_trace traces[EXO_NTRACE] TABLE(traces);
struct exo_tracing tracing TABLE(tracing);

static uint32_t runs; /* who has the CPU, as far as the ring knows */

enum {
#define CALL(number, name, nargs, args, what, errors, bound, example) CALL_##name = (number),
#include <exo/syscall.def>
#undef CALL
};

/*@ requires 0 < tracing.records <= EXO_NTRACE;
    assigns tracing.last, traces[0 .. EXO_NTRACE - 1];
    ensures tracing.last == \old(tracing.last) + 1; */
void trace_put(enum exo_trace_kind kind, uint32_t env, uint32_t detail, uint32_t a, uint64_t b)
{
	const uint64_t number = ++tracing.last;

	traces[number & (tracing.records - 1)] = (struct exo_trace){
		.number = number,
		.tsc = machine_tsc(),
		.kind = (uint8_t)kind,
		.detail = (uint8_t)detail,
		.env = (uint16_t)env,
		.a = a,
		.b = b,
	};
}

void trace_put_runs(uint32_t e)
{
	if (e == runs)
		return;
	trace_put(EXO_TRACE_SWITCH, e, 0, runs, 0);
	runs = e;
}

void trace_put_upcall(enum exo_upcall_type type)
{
	trace_put_runs(cpu_self());
	trace_put(EXO_TRACE_UPCALL, cpu_self(), type, 0, 0);
}

/* Characters first..first+n-1 of e's name, the first one lowest. */
/*@ requires e < EXO_NENV && first + n <= 16 && n <= 8;
    assigns \nothing; */
static uint64_t name_part(uint32_t e, uint32_t first, uint32_t n)
{
	uint64_t part = 0;

	/*@ loop invariant 0 <= i <= n;
	    loop assigns i, part;
	    loop variant n - i; */
	for (uint32_t i = 0; i < n; i++)
		part |= (uint64_t)(uint8_t)envs[e].name[first + i] << 8 * i;
	return part;
}

void trace_put_named(enum exo_trace_kind kind, uint32_t env, uint32_t detail)
{
	trace_put(kind, env, detail, (uint32_t)name_part(env, 8, 4), name_part(env, 0, 8));
}

/* What ipc_reply_wait of `me`, which served `client`, has done. */
static void trace_served(uint32_t me, uint32_t client)
{
	const uint32_t now = envs[me].client;

	if (client != 0)
		trace(EXO_TRACE_IPC_REPLY, me, 0, client, 0);
	if (now != 0)
		trace(EXO_TRACE_IPC_TAKE, me, 0, now, 0);
}

/*@ requires 0 < me < EXO_NENV && client < EXO_NENV; */
void trace_call(uint32_t me, uint32_t client, uint64_t number, uint64_t status, uint64_t since)
{
	const uint64_t took = machine_tsc() - since;
	const uint32_t callee = envs[me].calling;
	const uint32_t sleeps =
		envs[me].state == EXO_ENV_WAITING || envs[me].state == EXO_ENV_CALLING;

	if (number == CALL_ipc_call && callee != 0)
		trace(EXO_TRACE_IPC_CALL, me, envs[callee].client != me, callee, 0);
	if (number == CALL_ipc_reply_wait && status == EXO_OK)
		trace_served(me, client);
	trace(EXO_TRACE_CALL, me, (uint32_t)status, (uint32_t)number | sleeps << 16, took);
}

/* ---- on and off -------------------------------------------------------------------------- */

/* Frames first..first+count-1 can be a ring of e's. */
/*@ requires e < EXO_NENV && info.frames <= NFRAME;
    assigns \nothing;
    ensures \result == EXO_OK ==> 0 < count <= TRACE_FRAMES && first + count <= info.frames; */
static enum exo_status ring_right(uint32_t e, uint64_t first, uint64_t count)
{
	if (count == 0 || count > TRACE_FRAMES || (count & (count - 1)) != 0)
		return EXO_ARG;
	if (first >= info.frames || count > info.frames - first)
		return EXO_RANGE;
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i;
	    loop variant count - i; */
	for (uint64_t i = 0; i < count; i++) {
		if (pages[first + i].owner != e)
			return EXO_PERM;
		if (pages[first + i].state != EXO_PAGE_TRACE)
			return EXO_TYPE;
	}
	return EXO_OK;
}

struct exo_result sys_trace_start(uint64_t s, uint64_t frame, uint64_t count)
{
	const uint32_t me = cpu_self();
	struct exo_cap cap;
	enum exo_status status = cap_find(me, s, EXO_CAP_TRACE, 0, &cap);

	if (status == EXO_OK)
		status = ring_right(me, frame, count);
	if (status == EXO_OK && tracing.records != 0)
		status = EXO_BUSY;
	if (status != EXO_OK)
		return refuse(status);

	/*@ loop invariant 0 <= i <= count;
	    loop variant count - i; */
	for (uint32_t i = 0; i < count; i++)
		page_pin((uint32_t)frame + i);
	machine_trace((struct pfn){(uint32_t)frame}, (uint32_t)count);
	tracing.by = env_eid(me).n;
	tracing.first = tracing.last + 1;
	tracing.frame = (uint32_t)frame;
	tracing.records = (uint32_t)count * TRACE_PER_FRAME;
	runs = me;
	trace_put(EXO_TRACE_START, me, 0, tracing.records, 0);
	return answer(EXO_OK, tracing.first);
}

/* Somebody traces; from now on nobody does. */
/*@ requires 0 < tracing.records <= EXO_NTRACE;
    ensures tracing.records == 0; */
static void stop(void)
{
	const uint32_t frames = tracing.records / TRACE_PER_FRAME;

	machine_trace((struct pfn){0}, 0);
	/*@ loop invariant 0 <= i <= frames;
	    loop variant frames - i; */
	for (uint32_t i = 0; i < frames; i++)
		page_unpin(tracing.frame + i);
	tracing.by = 0;
	tracing.frame = 0;
	tracing.records = 0;
}

struct exo_result sys_trace_stop(void)
{
	if (tracing.records == 0 || tracing.by != env_eid(cpu_self()).n)
		return refuse(EXO_STATE);
	stop();
	return answer(EXO_OK, tracing.last);
}

/*@ requires 0 < e < EXO_NENV; */
void trace_env_end(uint32_t e)
{
	if (tracing.records != 0 && tracing.by == env_eid(e).n)
		stop();
}
