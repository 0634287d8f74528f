/*
 * quota.c - owns the limits and what is used of them; nobody else writes these arrays.
 *
 * Invariant: used <= limit, and the sum of limits of a kind is what boot made it.  No lock: the
 * kernel is entered on one CPU at a time.  Called by the owner of each object that is charged for.
 */
#include "quota.h"
#include "cap.h"
#include "cpu.h"
#include "syscall.h"

struct exo_quota quota_used[EXO_NENV] TABLE(quota_used);
struct exo_quota quota_limit[EXO_NENV] TABLE(quota_limit);

/*@ requires e < EXO_NENV && kind < NQUOTA;
    requires quota_used[e].n[kind] <= quota_limit[e].n[kind];
    assigns \nothing;
    ensures \result == EXO_OK || \result == EXO_QUOTA;
    ensures \result == EXO_OK ==> quota_used[e].n[kind] + n <= quota_limit[e].n[kind];
*/
enum exo_status quota_room(uint32_t e, enum exo_quota_kind kind, uint32_t n)
{
	return n <= quota_limit[e].n[kind] - quota_used[e].n[kind] ? EXO_OK : EXO_QUOTA;
}

/*@ requires e < EXO_NENV && kind < NQUOTA;
    requires quota_used[e].n[kind] + n <= quota_limit[e].n[kind];
    assigns quota_used[e].n[kind];
    ensures quota_used[e].n[kind] == \old(quota_used[e].n[kind]) + n;
*/
void quota_charge(uint32_t e, enum exo_quota_kind kind, uint32_t n)
{
	quota_used[e].n[kind] += n;
}

/*@ requires e < EXO_NENV && kind < NQUOTA && n <= quota_used[e].n[kind];
    assigns quota_used[e].n[kind];
    ensures quota_used[e].n[kind] == \old(quota_used[e].n[kind]) - n;
*/
void quota_release(uint32_t e, enum exo_quota_kind kind, uint32_t n)
{
	quota_used[e].n[kind] -= n;
}

/*@ requires from < EXO_NENV && to < EXO_NENV && from != to && kind < NQUOTA;
    requires n <= quota_limit[from].n[kind];
    requires quota_limit[to].n[kind] + n <= UINT32_MAX;
    assigns quota_limit[from].n[kind], quota_limit[to].n[kind];
    ensures quota_limit[from].n[kind] == \old(quota_limit[from].n[kind]) - n;
    ensures quota_limit[to].n[kind] == \old(quota_limit[to].n[kind]) + n;
*/
static void limit_move(uint32_t from, uint32_t to, uint32_t kind, uint32_t n)
{
	quota_limit[from].n[kind] -= n;
	quota_limit[to].n[kind] += n;
}

/*@ requires from < EXO_NENV && to < EXO_NENV && from != to && kind < NQUOTA;
    requires n <= quota_used[from].n[kind] <= quota_limit[from].n[kind];
    assigns quota_used[from].n[kind], quota_used[to].n[kind];
    assigns quota_limit[from].n[kind], quota_limit[to].n[kind];
*/
void quota_pass(uint32_t from, uint32_t to, enum exo_quota_kind kind, uint32_t n)
{
	quota_used[from].n[kind] -= n;
	limit_move(from, to, kind, n);
	quota_used[to].n[kind] += n;
}

/*@ requires from < EXO_NENV && to < EXO_NENV && kind < NQUOTA;
    assigns quota_limit[from].n[kind], quota_limit[to].n[kind];
    ensures \result != EXO_OK ==> quota_limit[from].n[kind] == \old(quota_limit[from].n[kind]) &&
	    quota_limit[to].n[kind] == \old(quota_limit[to].n[kind]);
*/
enum exo_status quota_move(uint32_t from, uint32_t to, enum exo_quota_kind kind, uint64_t n)
{
	if (n > quota_limit[from].n[kind] - quota_used[from].n[kind])
		return EXO_QUOTA;
	if (from != to)
		limit_move(from, to, kind, (uint32_t)n);
	return EXO_OK;
}

/*@ requires from < EXO_NENV && to < EXO_NENV && from != to;
    assigns quota_limit[from].n[0..NQUOTA - 1], quota_limit[to].n[0..NQUOTA - 1];
    ensures \forall integer k; 0 <= k < NQUOTA ==> quota_limit[from].n[k] == 0;
*/
void quota_inherit(uint32_t from, uint32_t to)
{
	/*@ loop invariant 0 <= k <= NQUOTA;
	    loop invariant \forall integer j; 0 <= j < k ==> quota_limit[from].n[j] == 0;
	    loop assigns k, quota_limit[from].n[0..NQUOTA - 1], quota_limit[to].n[0..NQUOTA - 1];
	    loop variant NQUOTA - k; */
	for (uint32_t k = 0; k < NQUOTA; k++)
		limit_move(from, to, k, quota_limit[from].n[k]);
}

void quota_boot(uint32_t e, enum exo_quota_kind kind, uint32_t limit)
{
	quota_limit[e].n[kind] = limit;
}

struct exo_result sys_quota_move(uint64_t ce, uint64_t kind, uint64_t n)
{
	uint32_t target;
	const enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_GIVE, &target);

	if (status != EXO_OK)
		return refuse(status);
	if (kind >= NQUOTA)
		return refuse(EXO_ARG);
	return refuse(quota_move(cpu_self(), target, (enum exo_quota_kind)kind, n));
}
