/*
 * outcome.c - owns what is remembered of the state before a move, and judges what became of it.
 *
 * An invariant sees one state.  That a generation has grown, that the dead got nothing, that a
 * right was asked for which was not there: this takes two, or the call itself.
 */
#include <string.h>
#include "../../kern/cap.h"
#include "../../kern/env.h"
#include "../../kern/extent.h"
#include "../../kern/info.h"
#include "../../kern/machine.h"
#include "../../kern/page.h"
#include "../../kern/principal.h"
#include "../../kern/quota.h"
#include "../../kern/revoke.h"
#include "../../kern/table.h"
#include "outcome.h"

enum { ENVS = 32, EXTENTS = 8 };

static struct {
	uint8_t state, accepting;
	uint32_t gen, cap_gen, client;
	uint32_t asked[EXO_NASK];
	struct exo_quota used, limit;
} was[ENVS];
static uint32_t extent_was[EXTENTS];

void outcome_note(void)
{
	for (uint32_t e = 1; e < info.envs && e < ENVS; e++) {
		was[e].state = envs[e].state;
		was[e].accepting = envs[e].accepting;
		was[e].gen = envs[e].gen;
		was[e].cap_gen = envs[e].cap_gen;
		was[e].client = envs[e].client;
		for (uint32_t k = 0; k < EXO_NASK; k++)
			was[e].asked[k] = revokes[e].ask[k].n;
		was[e].used = quota_used[e];
		was[e].limit = quota_limit[e];
	}
	for (uint32_t x = 0; x < EXTENTS; x++)
		extent_was[x] = extent_gen(x);
}

/* ---- calls ------------------------------------------------------------------------------- */

static const char *of_revoke(const struct exo_cap *c)
{
	if (c->kind == EXO_CAP_ENV)
		return envs[c->object].cap_gen == was[c->object].cap_gen ? "nothing is revoked" : 0;
	if ((c->rights & EXO_RIGHT_ADMIN) == 0)
		return "who may not revoke has revoked";
	return extent_gen(c->object) == extent_was[c->object] ? "nothing is revoked" : 0;
}

static const char *of_set(uint32_t who, uint32_t e, uint64_t what, uint64_t value)
{
	const int while_building = what <= EXO_SET_UPCALL_PAGE || what == EXO_SET_PRINCIPAL;

	if (while_building && was[e].state != EXO_ENV_BUILDING)
		return "what is for good was changed";
	if ((what == EXO_SET_UPCALL_VA || what == EXO_SET_UPCALL_ENTRY) && value >= USER_END)
		return "a handler is in the kernel's half";
	if (what == EXO_SET_PRINCIPAL && !principal_above(envs[who].principal, value))
		return "a principal is above its maker's";
	return 0;
}

/* Does a capability count for frame f, of which none may now? */
static int shared(uint64_t f)
{
	for (uint32_t e = 1; e < info.envs; e++) {
		for (uint32_t s = 1; s < EXO_NCAP; s++) {
			const struct exo_cap *const c = &caps[e].c[s];

			if (c->kind == EXO_CAP_PAGES && c->object == pages[f].owner &&
			    f >= c->start && f - c->start < c->len && pages[f].born <= c->gen)
				return 1;
		}
	}
	return 0;
}

static const char *of_take(uint64_t frame)
{
	uint64_t word;

	memcpy(&word, machine_bytes((struct pfn){(uint32_t)frame}), sizeof word);
	if (word != 0)
		return "a frame holds what was there before it was taken";
	return shared(frame) ? "a frame is shared before it was taken" : 0;
}

/* `who` has taken n things of a kind from e, or, where it is e itself, has taken back a frame. */
static const char *of_taking(uint32_t who, uint32_t e, uint64_t kind, uint64_t frame, uint64_t n)
{
	if (e == who)
		return shared(frame) ? "a frame is shared that was taken back" : 0;
	if (revokes[e].ask[kind].n + n != was[e].asked[kind])
		return "more was taken than was asked for";
	return quota_limit[who].n[kind] != was[who].limit.n[kind] + n
		       ? "what was taken is nobody's to use"
		       : 0;
}

/* `who` waits for t. */
static const char *of_ipc_call(uint32_t who, uint32_t t)
{
	if (!envs[t].calls_open)
		return "who is closed to calls is called";
	for (uint32_t n = 0; n < ENVS && t != 0 && t != who; n++)
		t = envs[t].calling;
	return t == who ? "calls wait for each other" : 0;
}

const char *outcome_of_call(uint32_t who, uint32_t number, const uint64_t *values,
			    const uint64_t *a, uint64_t value)
{
	const struct exo_cap *const own = caps[who].c;

	for (uint32_t i = 0; i < ARGS; i++)
		if (values[i] >> 56 == TAG_OLD >> 56)
			return "an eid of an earlier generation counts";
	switch (number) {
	case CALL_page_take:
		return of_take(a[1]);
	case CALL_cap_derive:
		return a[0] >= EXO_NCAP || own[a[1]].rights != a[2] ? "derived otherwise than asked"
								    : 0;
	case CALL_cap_grant:
		return a[0] >= EXO_NCAP || (caps[own[a[1]].object].c[a[2]].rights & ~a[3]) != 0
			       ? "granted otherwise than asked"
			       : 0;
	case CALL_cap_revoke:
		return of_revoke(&own[a[0]]);
	case CALL_env_set:
		return of_set(who, own[a[0]].object, a[1], a[2]);
	case CALL_page_unshare:
		return a[1] == 1 && shared(a[0]) ? "a frame is shared that was unshared" : 0;
	case CALL_revoke_take:
		return of_taking(who, own[a[0]].object, a[1], a[2], value);
	case CALL_ipc_call:
		return of_ipc_call(who, own[a[0] % 256].object);
	case CALL_ipc_reply_wait:
		return a[0] % 2 == 0 && was[who].client != 0 ? "a client is forgotten" : 0;
	case CALL_wait:
		return (envs[who].events & value) != 0 ? "an event is reported, and stays" : 0;
	case CALL_event_post:
		return !principal_above(envs[who].principal, envs[a[0] % 65536].principal)
			       ? "an event was posted to somebody above"
			       : 0;
	case CALL_env_start:
		return a[1] >= USER_END || a[2] >= USER_END ? "a start in the kernel's half" : 0;
	default:
		return 0;
	}
}

/* ---- environments ------------------------------------------------------------------------ */

/* e was woken: was it answered what the call in which it slept can answer? */
static int answered_well(uint32_t e)
{
	uint32_t number = CALL_wait;

	if (was[e].state == EXO_ENV_CALLING)
		number = CALL_ipc_call;
	else if (was[e].accepting)
		number = CALL_ipc_reply_wait;
	return host_documented(number, machine_save((struct pfn){envs[e].save})->regs.rax);
}

/* e slept for events: has it got some that are still pending? */
static int told_twice(uint32_t e)
{
	const struct exo_regs *const regs = &machine_save((struct pfn){envs[e].save})->regs;
	const uint64_t events = was[e].accepting ? regs->rdi : regs->rdx;

	if (was[e].state != EXO_ENV_WAITING || regs->rax != EXO_OK ||
	    (was[e].accepting && regs->rdx != 0))
		return 0;
	return (envs[e].events & events) != 0;
}

static const char *of_env(uint32_t e)
{
	const int slept = was[e].state == EXO_ENV_WAITING || was[e].state == EXO_ENV_CALLING;

	if (slept && envs[e].state == EXO_ENV_RUNNABLE && !answered_well(e))
		return "a sleeper is answered what the table of calls does not say";
	if (slept && envs[e].state == EXO_ENV_RUNNABLE && told_twice(e))
		return "an event is reported, and stays";
	if (was[e].state != EXO_ENV_ZOMBIE)
		return 0;
	if (envs[e].state == EXO_ENV_FREE)
		return envs[e].gen <= was[e].gen || envs[e].cap_gen <= was[e].cap_gen
			       ? "the next environment there has the name of the last"
			       : 0;
	if (envs[e].state != EXO_ENV_ZOMBIE)
		return "the dead live";
	for (uint32_t k = 0; k < EXO_NQUOTA; k++)
		if (quota_used[e].n[k] > was[e].used.n[k] ||
		    quota_limit[e].n[k] > was[e].limit.n[k])
			return "the dead are given something";
	return 0;
}

const char *outcome_of_move(void)
{
	const char *broken = 0;

	for (uint32_t e = 1; e < info.envs && e < ENVS && !broken; e++)
		broken = of_env(e);
	return broken;
}
