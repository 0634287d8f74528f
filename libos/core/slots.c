/*
 * slots.c - owning CPU slots: by calls of the kernel, one a slot, all of a set or none.
 *
 * Owns nothing: whose a slot is stands in the kernel's table.  Nobody's are taken by the caller
 * first, on its quota, and passed on: so what was begun can be undone.  Called by programs.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/revoke.h>
#include <libos/slots.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>

_Static_assert((int)SLOTS == (int)EXO_NSLOT, "the vector");

static uint32_t self(void)
{
	return EXO_EID_INDEX((struct eid){start_self()});
}

static int error_of(uint64_t status)
{
	switch (status) {
	case EXO_QUOTA:
		return -EDQUOT;
	case EXO_OCCUPIED:
		return -EBUSY;
	default:
		return call_errno(status);
	}
}

struct slots slots_of(uint32_t index)
{
	struct slots s = {{0}};

	for (uint32_t n = 0; n < SLOTS; n++)
		if (tables_slot(n)->owner == index)
			slots_add(&s, n);
	return s;
}

uint32_t slots_owner(uint32_t cap)
{
	const volatile struct exo_cap *const c = &tables_caps(self())->c[cap % EXO_NCAP];

	return cap == 0 ? self() : c->kind == EXO_CAP_ENV ? c->object : 0;
}

/* ---- all or none ---------------------------------------------------------------------------- */

int slots_free(const struct slots *s)
{
	for (uint32_t n = 0; n < SLOTS; n++)
		if (slots_has(s, n) && tables_slot(n)->owner != self())
			return -EACCES;
	for (uint32_t n = 0; n < SLOTS; n++)
		if (slots_has(s, n))
			(void)call_slot_free(n);
	return 0;
}

int slots_take(const struct slots *s)
{
	struct slots got = {{0}};

	for (uint32_t n = 0; n < SLOTS; n++) {
		struct exo_result r;

		if (!slots_has(s, n))
			continue;
		r = call_slot_take(EXO_SELF.n, n);
		if (r.status != EXO_OK) {
			(void)slots_free(&got);
			return error_of(r.status);
		}
		slots_add(&got, n);
	}
	return 0;
}

int slots_give(uint32_t cap, const struct slots *s)
{
	for (uint32_t n = 0; n < SLOTS; n++)
		if (slots_has(s, n) && tables_slot(n)->owner != self())
			return -EACCES;
	for (uint32_t n = 0; n < SLOTS; n++) {
		const struct exo_result r =
			slots_has(s, n) ? call_slot_give(n, cap) : (struct exo_result){EXO_OK, 0};

		/* It ended: what it had been given comes back with it (env_reclaim). */
		if (r.status != EXO_OK)
			return error_of(r.status);
	}
	return 0;
}

/* ---- having back ---------------------------------------------------------------------------- */

static void take_back(uint32_t cap, uint32_t n)
{
	const uint64_t by = tables_revoke(slots_owner(cap))->ask[EXO_ASK_SLOTS].deadline;

	while (call_revoke_take(cap, EXO_ASK_SLOTS, n, 0).status == EXO_AGAIN)
		(void)time_sleep_until(by, 0);
}

int slots_recall(uint32_t cap, const struct slots *s)
{
	const struct exo_result r = call_revoke_ask(cap, EXO_ASK_SLOTS, slots_count(s), 0);
	int back = 0;

	if (r.status != EXO_OK)
		return error_of(r.status);
	for (uint32_t n = 0; n < SLOTS; n++) {
		if (!slots_has(s, n))
			continue;
		take_back(cap, n);
		/* It gave this one up by itself; the quota for it is what it does not use. */
		if (tables_slot(n)->owner == 0 &&
		    call_revoke_take(cap, EXO_ASK_SLOTS, EXO_TAKE_UNUSED, 0).status == EXO_OK)
			(void)call_slot_take(EXO_SELF.n, n);
		back += tables_slot(n)->owner == self();
	}
	(void)call_revoke_ask(cap, EXO_ASK_SLOTS, 0, 0);
	return back;
}

/* ---- reserving ------------------------------------------------------------------------------ */

/* What the caller can give away: all but one, without which it would never run. */
static struct slots spare(void)
{
	struct slots mine = slots_of(self());

	for (uint32_t w = 0; w < SLOTS / 64; w++)
		if (mine.bit[w]) {
			mine.bit[w] &= mine.bit[w] - 1;
			break;
		}
	return mine;
}

int slots_reserve(uint32_t cap, uint32_t n, uint32_t every, struct slots *got)
{
	const uint32_t whose = slots_owner(cap);
	const struct slots its = slots_of(whose), nobodys = slots_of(0), mine = spare();
	struct slots usable = slots_union(&its, &nobodys), plan, own, take;
	int error;

	if (!whose)
		return -ESRCH;
	error = slots_plan(&plan, &usable, n, every);
	if (error == -ENOSPC && cap != 0) {
		usable = slots_union(&usable, &mine);
		error = slots_plan(&plan, &usable, n, every);
	}
	if (error)
		return error;
	plan = slots_without(&plan, &its);
	own = slots_without(&plan, &nobodys);
	take = slots_without(&plan, &own);
	error = slots_take(&take);
	if (!error && cap != 0)
		error = slots_give(cap, &plan);
	if (!error && got)
		*got = plan;
	return error;
}

uint32_t slots_room(void)
{
	return tables_quota_limit(self())->n[EXO_QUOTA_SLOTS] -
	       tables_quota_used(self())->n[EXO_QUOTA_SLOTS];
}

const char *slots_why(int error)
{
	switch (error < 0 ? -error : error) {
	case EINVAL:
		return "N of every M: N is at least 1 and at most M, M at most 256";
	case ENOSPC:
		return "nothing free at that spacing: too many slots are somebody's";
	case EDQUOT:
		return "more slots than this program's quota has left";
	case EBUSY:
		return "somebody else took one meanwhile";
	case EACCES:
		return "not this program's to give";
	case ESRCH:
		return "there is no such program any more";
	default:
		return "refused by the kernel";
	}
}

/* ---- what came of it ------------------------------------------------------------------------ */

struct slots_use slots_used(const struct slots *s)
{
	struct slots_use sum = {0, 0, 0};

	for (uint32_t n = 0; n < SLOTS; n++) {
		if (!slots_has(s, n))
			continue;
		sum.used += tables_slot(n)->used;
		sum.missed += tables_slot(n)->missed;
		sum.given += tables_slot(n)->given;
	}
	return sum;
}

int slots_account(uint32_t index, struct slots_account *out)
{
	const volatile struct exo_env *const e = tables_env(index);

	if (index == 0 || index >= tables_info()->envs || e->state == EXO_ENV_FREE)
		return -ESRCH;
	*out = (struct slots_account){.ran = e->used_ticks,
				      .donated = e->given_ticks,
				      .overrun = e->overruns,
				      .to_forfeit = e->penalty};
	for (uint32_t i = 0; i < sizeof(e->name) && e->name[i]; i++)
		out->name[i] = e->name[i] >= ' ' && e->name[i] < 127 ? e->name[i] : '?';
	return 0;
}
