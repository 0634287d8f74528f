/*
 * check_group.c - owns nothing: looks at groups, their members and slots, who loads, who sleeps by a
 * predicate.
 *
 * Called by check.c; must not change anything.
 */
#include "check.h"
#include "cpu.h"
#include "env.h"
#include "group.h"
#include "info.h"
#include "load.h"
#include "slot.h"
#include "wake.h"

static int lives(uint32_t e)
{
	return e != 0 && e < info.envs && envs[e].state != EXO_ENV_FREE &&
	       envs[e].state != EXO_ENV_ZOMBIE;
}

static const char *check_group(uint32_t g)
{
	const struct exo_group *const group = &groups[g];
	uint32_t owned = 0;

	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		owned += slots[s].group == g;
	if (owned != group->slots)
		return "group counts its slots";
	if (group->owner >= info.envs ||
	    (group->owner != 0 && envs[group->owner].state == EXO_ENV_FREE))
		return "owner of a group exists";
	if (group->owner == 0 && (group->slots != 0 || group->insns != 0 || group->loaded != 0))
		return "group that is nobody's is empty";
	if (group->insns > EXO_BPF_MAX_INSNS || group->bound > EXO_GROUP_STEPS ||
	    (group->insns != 0) != (group->bound != 0))
		return "program of a group is as it was accepted";
	if (group->row >= EXO_GROUP_FAILURES || group->most > EXO_GROUP_STEPS)
		return "group fails, and takes steps, to a bound";
	return 0;
}

static uint32_t members_found; /* of all groups */

static const char *check_members(uint32_t g)
{
	const struct exo_sched *const s = &scenes[g].sched;
	uint32_t end = 0;

	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++) {
		const uint32_t e = s->member[i].env;

		if (e == 0)
			continue;
		if (!lives(e) || envs[e].group != g || envs[e].place != i)
			return "member of a group lives, and knows its place";
		members_found++;
		end = i + 1;
	}
	if (s->members != end || s->last > EXO_SCHED_NONE)
		return "places of a group end behind the last member";
	return groups[g].owner == 0 && end != 0 ? "group that is nobody's has no members" : 0;
}

static const char *check_group_slots(void)
{
	const uint32_t chosen = cpu_this()->chosen, g = slots[cpu_this()->position].group;

	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (slots[s].group >= EXO_NGROUP ||
		    (slots[s].group != 0 && groups[slots[s].group].owner != slots[s].owner))
			return "slot of a group is its owner's";
	if (chosen != 0 && (g == 0 || !lives(chosen) || envs[chosen].group != g ||
			    !lives(groups[g].owner)))
		return "who is chosen is a member of the running slot's group";
	return 0;
}

static const char *check_load(void)
{
	if ((load.env != 0 && !lives(load.env)) || (load.turn != 0 && !lives(load.turn)))
		return "who loads, or may, has not ended";
	if (load.env != 0 && load.turn != 0)
		return "nobody has its turn while somebody loads";
	if (load.group >= EXO_NGROUP ||
	    (load.env != 0 && load.group != 0 && groups[load.group].owner != load.env))
		return "who loads for a group owns it";
	for (uint32_t e = 0; e < EXO_NENV; e++)
		if ((load_waiting[e / 64] >> e % 64 & 1) != 0 && (!lives(e) || load.env == e))
			return "who waits to load has not ended, and does not load";
	return 0;
}

static const char *check_waker(uint32_t e)
{
	const struct exo_waker *const w = &wakers[e].w;

	if (w->asleep > 1 || (w->asleep && (envs[e].state != EXO_ENV_WAITING || w->insns == 0)))
		return "who sleeps by a predicate waits, and has one";
	if (w->insns > EXO_WAKE_INSNS || w->bound > EXO_WAKE_STEPS || w->most > EXO_WAKE_STEPS ||
	    (w->insns != 0) != (w->bound != 0))
		return "predicate is as it was accepted";
	return envs[e].state == EXO_ENV_FREE && w->insns != 0 ? "nobody has no predicate" : 0;
}

const char *check_groups(void)
{
	const char *broken = check_group_slots();
	uint32_t inside = 0;

	members_found = 0;
	for (uint32_t g = 1; g < EXO_NGROUP && !broken; g++) {
		broken = check_group(g);
		if (!broken)
			broken = check_members(g);
	}
	for (uint32_t e = 0; e < info.envs && !broken; e++) {
		inside += envs[e].group != 0;
		broken = check_waker(e);
	}
	if (!broken && inside != members_found)
		broken = "who is in a group has a place there";
	return broken ? broken : check_load();
}
