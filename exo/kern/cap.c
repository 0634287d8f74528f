/*
 * cap.c - owns the capability tables; the only writer of caps[].
 *
 * Invariant: slot 0 of a live environment is its own with all rights; a full slot names an object
 * inside its table, carries no later generation than it, and was put there by its maker or copied
 * from a slot with at least its rights and range.  No lock: one CPU in the kernel.  Called by every
 * call that names something by capability.
 */
#include "cap.h"
#include "console.h"
#include "cpu.h"
#include "env.h"
#include "extent.h"
#include "quota.h"
#include "syscall.h"

struct exo_caps caps[EXO_NENV] TABLE(caps);

/*
 * Generations are not used twice, or a capability kept from the first time would count again.  So
 * there is an end to revoking, well before the end of the numbers: who has revoked that often must
 * still be reaped, or freed, which takes one more.
 */
enum { CAP_GEN_REVOKES = 0x7fffffff };

/*@ requires \valid_read(cap);
    assigns \nothing; */
static int cap_stale(const struct exo_cap *cap)
{
	switch (cap->kind) {
	case EXO_CAP_ENV:
		return cap->gen != envs[cap->object].cap_gen;
	case EXO_CAP_PAGES: /* of each frame, when it is used: page_right() */
		return envs[cap->object].state == EXO_ENV_FREE;
	case EXO_CAP_EXTENT:
		return cap->gen != extent_gen(cap->object);
	case EXO_CAP_CONSOLE:
		return cap->gen != console_gen(cap->object);
	default:
		return 0;
	}
}

/*@ requires e < EXO_NENV && \valid(cap);
    assigns *cap;
    ensures \result == EXO_OK ==> slot < EXO_NCAP && *cap == &caps[e].c[slot] &&
	    caps[e].c[slot].kind != EXO_CAP_NONE;
*/
enum exo_status cap_look_other(uint32_t e, uint64_t slot, const struct exo_cap **cap)
{
	if (slot >= EXO_NCAP)
		return EXO_RANGE;
	*cap = &caps[e].c[slot];
	if (caps[e].c[slot].kind == EXO_CAP_NONE)
		return EXO_STATE;
	return cap_stale(&caps[e].c[slot]) ? EXO_STALE : EXO_OK;
}

/*@ requires e < EXO_NENV && \valid(out);
    assigns *out;
    ensures \result == EXO_OK ==> slot < EXO_NCAP && out->kind != EXO_CAP_NONE;
*/
enum exo_status cap_read(uint32_t e, uint64_t slot, struct exo_cap *out)
{
	const struct exo_cap *cap;
	const enum exo_status status = cap_look(e, slot, &cap);

	if (status == EXO_OK)
		*out = *cap;
	return status;
}

/*@ requires e < EXO_NENV && \valid(out);
    assigns *out;
    ensures \result == EXO_OK ==> slot < EXO_NCAP && out->kind != EXO_CAP_NONE;
*/
enum exo_status cap_for_grant(uint32_t e, uint64_t slot, struct exo_cap *out)
{
	const enum exo_status status = cap_read(e, slot, out);

	if (status == EXO_OK && out->kind != EXO_CAP_MACHINE &&
	    (out->rights & EXO_RIGHT_GRANT) == 0)
		return EXO_PERM;
	return status;
}

/*@ requires e < EXO_NENV && \valid(out);
    assigns *out;
    ensures \result == EXO_OK ==> out->kind == kind && (rights & out->rights) == rights;
*/
enum exo_status cap_find(uint32_t e, uint64_t slot, uint8_t kind, uint32_t rights,
			 struct exo_cap *out)
{
	const enum exo_status status = cap_read(e, slot, out);

	if (status != EXO_OK)
		return status;
	if (out->kind != kind)
		return EXO_TYPE;
	if ((rights & out->rights) != rights)
		return EXO_PERM;
	return EXO_OK;
}

/*@ requires e < EXO_NENV && \valid(target);
    assigns *target;
    ensures \result == EXO_OK ==> 0 < *target < EXO_NENV;
*/
enum exo_status cap_env(uint32_t e, uint64_t ce, uint32_t rights, uint32_t *target)
{
	if (ce >= EXO_NCAP)
		return EXO_RANGE;

	const struct exo_cap *const cap = &caps[e].c[ce];

	if (cap->kind != EXO_CAP_ENV)
		return cap->kind == EXO_CAP_NONE ? EXO_STATE : EXO_TYPE;
	if (cap->gen != envs[cap->object].cap_gen)
		return EXO_STALE;
	if ((rights & cap->rights) != rights)
		return EXO_PERM;
	*target = cap->object;
	return EXO_OK;
}

/*@ requires e < EXO_NENV && \valid(target);
    assigns *target;
    ensures \result == EXO_OK ==> 0 < *target < EXO_NENV && envs[*target].state != EXO_ENV_ZOMBIE;
*/
enum exo_status cap_live_other(uint32_t e, uint64_t ce, uint32_t rights, uint32_t *target)
{
	const enum exo_status status = cap_env(e, ce, rights, target);

	if (status == EXO_OK && envs[*target].state == EXO_ENV_ZOMBIE)
		return EXO_STATE;
	return status;
}

/*@ requires e < EXO_NENV;
    assigns \nothing;
    ensures \result == EXO_OK ==> d < EXO_NCAP && caps[e].c[d].kind == EXO_CAP_NONE;
*/
enum exo_status cap_room(uint32_t e, uint64_t d)
{
	if (d >= EXO_NCAP)
		return EXO_RANGE;
	if (caps[e].c[d].kind != EXO_CAP_NONE)
		return EXO_OCCUPIED;
	return quota_room(e, EXO_QUOTA_CAPS, 1);
}

/*@ requires e < EXO_NENV && 0 < d < EXO_NCAP && caps[e].c[d].kind == EXO_CAP_NONE;
    assigns caps[e].c[d], quota_used[e].n[EXO_QUOTA_CAPS];
*/
void cap_put(uint32_t e, uint32_t d, struct exo_cap cap)
{
	quota_charge(e, EXO_QUOTA_CAPS, 1);
	caps[e].c[d] = cap;
}

/*@ requires e < EXO_NENV && 0 < d < EXO_NCAP && caps[e].c[d].kind != EXO_CAP_NONE;
    assigns caps[e].c[d], quota_used[e].n[EXO_QUOTA_CAPS];
    ensures caps[e].c[d].kind == EXO_CAP_NONE;
*/
void cap_clear(uint32_t e, uint32_t d)
{
	caps[e].c[d] = (struct exo_cap){0};
	quota_release(e, EXO_QUOTA_CAPS, 1);
}

/*@ requires target < EXO_NENV && rights <= 255;
    assigns \nothing;
    ensures \result.kind == EXO_CAP_ENV && \result.object == target;
*/
struct exo_cap cap_for_env(uint32_t target, uint32_t rights)
{
	return (struct exo_cap){
		.kind = EXO_CAP_ENV,
		.rights = (uint8_t)rights,
		.object = target,
		.gen = envs[target].cap_gen,
	};
}

/* Narrows *cap; refuses what it does not have. */
/*@ requires \valid(cap);
    assigns *cap;
    ensures \result != EXO_OK ==> *cap == \old(*cap);
    ensures \result == EXO_OK ==> cap->start >= \old(cap->start) && cap->len <= \old(cap->len);
*/
static enum exo_status cap_narrow(struct exo_cap *cap, uint64_t rights, uint64_t start,
				  uint64_t len)
{
	if ((rights & cap->rights) != rights)
		return EXO_PERM;
	if (start != 0 || len != 0) {
		if (len == 0)
			return EXO_ARG;
		if (start < cap->start || len > cap->len || start - cap->start > cap->len - len)
			return EXO_RANGE;
		cap->start = start;
		cap->len = len;
	}
	cap->rights = (uint8_t)rights;
	return EXO_OK;
}

struct exo_result sys_cap_derive(uint64_t s, uint64_t d, uint64_t rights, uint64_t start,
				 uint64_t len)
{
	struct exo_cap cap;
	enum exo_status status = cap_read(cpu_self(), s, &cap);

	if (status == EXO_OK)
		status = cap_narrow(&cap, rights, start, len);
	if (status == EXO_OK)
		status = cap_room(cpu_self(), d);
	if (status == EXO_OK)
		cap_put(cpu_self(), (uint32_t)d, cap);
	return refuse(status);
}

struct exo_result sys_cap_grant(uint64_t s, uint64_t ce, uint64_t d, uint64_t rights)
{
	struct exo_cap cap;
	uint32_t target;
	enum exo_status status = cap_for_grant(cpu_self(), s, &cap);

	if (status == EXO_OK)
		status = cap_live_env(cpu_self(), ce, EXO_ENV_GIVE, &target);
	if (status == EXO_OK)
		status = cap_room(target, d);
	if (status != EXO_OK)
		return refuse(status);
	cap.rights = (uint8_t)(cap.rights & rights);
	cap_put(target, (uint32_t)d, cap);
	return refuse(EXO_OK);
}

struct exo_result sys_cap_drop(uint64_t s)
{
	const uint32_t me = cpu_self();

	if (s >= EXO_NCAP)
		return refuse(EXO_RANGE);
	if (s == 0 || caps[me].c[s].kind == EXO_CAP_NONE)
		return refuse(EXO_STATE);
	cap_clear(me, (uint32_t)s);
	return refuse(EXO_OK);
}

/* All capabilities to the environment of slot s become stale, but its own and slot s. */
/*@ requires me < EXO_NENV && s < EXO_NCAP && caps[me].c[s].kind == EXO_CAP_ENV;
    assigns caps[0..EXO_NENV - 1], envs[0..EXO_NENV - 1];
*/
static enum exo_status env_revoke(uint32_t me, uint32_t s)
{
	const uint32_t target = caps[me].c[s].object;

	if ((caps[me].c[s].rights & EXO_ENV_ALL) != EXO_ENV_ALL)
		return EXO_PERM;
	if (envs[target].cap_gen >= CAP_GEN_REVOKES)
		return EXO_STATE;
	envs[target].cap_gen++;
	caps[target].c[0].gen = envs[target].cap_gen;
	caps[me].c[s].gen = envs[target].cap_gen;
	return EXO_OK;
}

struct exo_result sys_cap_revoke(uint64_t s)
{
	struct exo_cap cap;
	const enum exo_status status = cap_read(cpu_self(), s, &cap);

	if (status != EXO_OK)
		return refuse(status);
	if (cap.kind == EXO_CAP_ENV)
		return refuse(env_revoke(cpu_self(), (uint32_t)s));
	if (cap.kind != EXO_CAP_EXTENT && cap.kind != EXO_CAP_CONSOLE)
		return refuse(EXO_TYPE);
	if ((cap.rights & EXO_RIGHT_ADMIN) == 0)
		return refuse(EXO_PERM);
	if (cap.kind == EXO_CAP_CONSOLE) {
		console_revoke(cap.object);
		return refuse(EXO_OK);
	}
	if (extent_gen(cap.object) >= CAP_GEN_REVOKES)
		return refuse(EXO_STATE);
	extent_revoke(cap.object);
	return refuse(EXO_OK);
}
