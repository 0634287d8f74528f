/*
 * group.c - owns groups[], their snapshots and programs, and the choice of a group.
 *
 * Invariant: see group.h.  A snapshot is brought up to date when the program is to see it, at the
 * start of a slot of the group, and not before: so groups cost nothing where there are none, and
 * the cost of one falls on its own slots.  A program can only choose; what it chooses is looked at
 * here, and where it cannot be followed the vector decides, at once.  No lock: one CPU in the
 * kernel.  Called by programs, by slot.c at a tick, by env.c at an end, by load.c with a program.
 */
#include "group.h"
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "event.h"
#include "info.h"
#include "load.h"
#include "machine.h"
#include "quota.h"
#include "slot.h"
#include "syscall.h"

struct exo_group groups[EXO_NGROUP] TABLE(groups);
union scene scenes[EXO_NGROUP] TABLE(scenes);
static struct bpf_program group_programs[EXO_NGROUP];

/*@ requires e < EXO_NENV;
    assigns \nothing;
    ensures \result == EXO_OK ==> 0 < g < EXO_NGROUP && groups[g].owner == e; */
enum exo_status group_owned(uint32_t e, uint64_t g)
{
	if (g == 0 || g >= EXO_NGROUP)
		return EXO_RANGE;
	return groups[g].owner == e ? EXO_OK : EXO_PERM;
}

/* ---- choosing ---------------------------------------------------------------------------- */

/* What member m of a snapshot of this tick is. */
/*@ requires \valid(m) && m->env < EXO_NENV;
    assigns m->runnable, m->since; */
static void look_at(struct exo_sched_member *m, uint64_t tick)
{
	const uint32_t runnable = m->env != 0 && slot_user(m->env) != 0;

	if (runnable && !m->runnable)
		m->since = tick;
	m->runnable = runnable;
}

/*@ requires 0 < g < EXO_NGROUP;
    assigns scenes[g].sched; */
static void look(uint32_t g)
{
	struct exo_sched *const s = &scenes[g].sched;

	s->now = machine_now();
	s->tick = info.ticks;
	s->slot = cpu_this()->position;
	/*@ loop invariant 0 <= i <= EXO_SCHED_MEMBERS;
	    loop assigns i, s->member[0 .. EXO_SCHED_MEMBERS - 1];
	    loop variant EXO_SCHED_MEMBERS - i; */
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS && i < s->members; i++)
		look_at(&s->member[i], s->tick);
}

/* Has place i been runnable for longer than the group's patience, without running? */
/*@ requires 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS;
    assigns \nothing; */
static int starves(uint32_t g, uint32_t i)
{
	const struct exo_sched *const s = &scenes[g].sched;

	return s->member[i].runnable && s->tick - s->member[i].since > groups[g].patience;
}

/* The place that has starved longest; EXO_SCHED_NONE: nobody does. */
/*@ requires 0 < g < EXO_NGROUP;
    assigns \nothing;
    ensures \result <= EXO_SCHED_NONE; */
static uint32_t starved(uint32_t g)
{
	const struct exo_sched *const s = &scenes[g].sched;
	uint32_t longest = EXO_SCHED_NONE;

	/*@ loop invariant 0 <= i <= EXO_SCHED_MEMBERS && longest <= EXO_SCHED_NONE;
	    loop assigns i, longest;
	    loop variant EXO_SCHED_MEMBERS - i; */
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS && i < s->members; i++)
		if (starves(g, i) &&
		    (longest == EXO_SCHED_NONE || s->member[i].since < s->member[longest].since))
			longest = i;
	return longest;
}

/* Does somebody starve, for longer than who is named has waited?  Who is named may be it. */
/*@ requires 0 < g < EXO_NGROUP && named <= EXO_SCHED_NONE;
    assigns \nothing; */
static int lets_starve(uint32_t g, uint64_t named)
{
	const struct exo_sched *const s = &scenes[g].sched;
	const uint32_t longest = groups[g].patience == 0 ? EXO_SCHED_NONE : starved(g);

	return longest != EXO_SCHED_NONE &&
	       (named == EXO_SCHED_NONE || s->member[named].since > s->member[longest].since);
}

/* Why the answer is not followed.  EXO_SCHED_NONE may be: it leaves the slot to the vector. */
/*@ requires 0 < g < EXO_NGROUP;
    assigns \nothing; */
static enum exo_group_fault judge(uint32_t g, uint64_t named)
{
	if (named > EXO_SCHED_NONE)
		return EXO_GROUP_NONSENSE;
	if (named != EXO_SCHED_NONE && scenes[g].sched.member[named].env == 0)
		return EXO_GROUP_EMPTY;
	if (named != EXO_SCHED_NONE && !scenes[g].sched.member[named].runnable)
		return EXO_GROUP_ASLEEP;
	return lets_starve(g, named) ? EXO_GROUP_STARVED : EXO_GROUP_FOLLOWED;
}

/* The program failed: counted, told, and at last taken away. */
/*@ requires 0 < g < EXO_NGROUP; */
static void fail(uint32_t g, enum exo_group_fault fault, uint64_t named)
{
	struct exo_group *const group = &groups[g];

	if (fault == EXO_GROUP_STARVED)
		named = starved(g);
	group->fault = (uint8_t)fault;
	group->answer = named > UINT32_MAX ? UINT32_MAX : (uint32_t)named;
	group->tick = info.ticks;
	group->failed[fault]++;
	group->row++;
	if (group->row == EXO_GROUP_FAILURES) {
		group->row = 0;
		group->insns = 0;
		group->bound = 0;
		group->lost++;
	}
	event_raise(group->owner, EXO_EV_GROUP);
}

/* The slot goes to member i. */
/*@ requires 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS;
    assigns groups[g], scenes[g].sched; */
static uint32_t follow(uint32_t g, uint32_t i)
{
	struct exo_sched *const s = &scenes[g].sched;

	groups[g].followed++;
	s->last = i;
	s->member[i].used++;
	s->member[i].since = s->tick;
	return s->member[i].env;
}

/* One run of the group's program: its answer. */
/*@ requires 0 < g < EXO_NGROUP && groups[g].insns != 0;
    assigns groups[g]; */
static uint64_t ask(uint32_t g)
{
	struct exo_group *const group = &groups[g];
	uint32_t steps;
	const uint64_t named = bpf_run(&group_programs[g], scenes[g].bytes, &steps);

	group->decisions++;
	group->steps += steps;
	if (steps > group->most)
		group->most = steps;
	return named;
}

/* The member to which the program gives the slot, if it can be followed; 0. */
/*@ requires 0 < g < EXO_NGROUP && groups[g].insns != 0;
    ensures \result < EXO_NENV; */
static uint32_t decide(uint32_t g)
{
	const uint64_t named = ask(g);
	const enum exo_group_fault fault = judge(g, named);

	if (fault == EXO_GROUP_ASLEEP)
		scenes[g].sched.member[named].missed++;
	if (fault != EXO_GROUP_FOLLOWED) {
		fail(g, fault, named);
		return 0;
	}
	groups[g].row = 0;
	if (named == EXO_SCHED_NONE) {
		groups[g].passed++;
		return 0;
	}
	return follow(g, (uint32_t)named);
}

/*@ requires 0 < g < EXO_NGROUP && groups[g].owner != 0;
    ensures \result < EXO_NENV; */
uint32_t group_choose(uint32_t g)
{
	uint32_t chosen;

	if (groups[g].insns == 0)
		return 0;
	if (envs[groups[g].owner].state == EXO_ENV_ZOMBIE) {
		fail(g, EXO_GROUP_OWNER, EXO_SCHED_NONE);
		return 0;
	}
	look(g);
	chosen = decide(g);
	groups[g].time += machine_now() - scenes[g].sched.now;
	return chosen;
}

/*@ requires 0 < g < EXO_NGROUP && \valid_read(program);
    assigns groups[g], group_programs[g]; */
void group_program(uint32_t g, const struct bpf_program *program)
{
	group_programs[g] = *program;
	groups[g].insns = program->count;
	groups[g].bound = program->steps;
	groups[g].most = 0;
	groups[g].row = 0;
	groups[g].loaded++;
}

/* ---- members ----------------------------------------------------------------------------- */

/* Whoever has place i of group g has it no more, nor the slot that it was chosen for. */
/*@ requires 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS && scenes[g].sched.member[i].env != 0;
    ensures scenes[g].sched.member[i].env == 0; */
static void expel(uint32_t g, uint32_t i)
{
	struct exo_sched *const s = &scenes[g].sched;
	const uint32_t e = s->member[i].env;

	slot_unchoose(e);
	envs[e].group = 0;
	envs[e].place = 0;
	s->member[i] = (struct exo_sched_member){0};
	if (s->last == i)
		s->last = EXO_SCHED_NONE;
	/*@ loop invariant s->members <= EXO_SCHED_MEMBERS;
	    loop assigns s->members;
	    loop variant s->members; */
	while (s->members != 0 && s->member[s->members - 1].env == 0)
		s->members--;
}

/*@ requires 0 < e < EXO_NENV;
    ensures envs[e].group == 0; */
void group_env_end(uint32_t e)
{
	if (envs[e].group != 0)
		expel(envs[e].group, envs[e].place);
}

/* A place of a group, by numbers that may be anything. */
/*@ assigns \nothing;
    ensures \result == EXO_OK ==> 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS; */
static enum exo_status place_named(uint64_t g, uint64_t i)
{
	return g == 0 || g >= EXO_NGROUP || i >= EXO_SCHED_MEMBERS ? EXO_RANGE : EXO_OK;
}

/* The same, where somebody is, for `me`, which owns the group or is that one. */
/*@ requires me < EXO_NENV;
    assigns \nothing;
    ensures \result == EXO_OK ==> 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS &&
      scenes[g].sched.member[i].env != 0; */
static enum exo_status place_held(uint32_t me, uint64_t g, uint64_t i)
{
	const enum exo_status status = place_named(g, i);

	if (status != EXO_OK)
		return status;
	if (scenes[g].sched.member[i].env == 0)
		return EXO_STATE;
	return groups[g].owner == me || scenes[g].sched.member[i].env == me ? EXO_OK : EXO_PERM;
}

struct exo_result sys_group_join(uint64_t group, uint64_t place, uint64_t ce)
{
	const uint32_t me = cpu_self();
	uint32_t e;
	enum exo_status status = place_named(group, place);

	if (status == EXO_OK)
		status = group_owned(me, group);
	if (status == EXO_OK)
		status = cap_live_env(me, ce, EXO_ENV_GIVE, &e);
	if (status != EXO_OK)
		return refuse(status);

	struct exo_sched *const s = &scenes[group].sched;

	if (s->member[place].env != 0)
		return refuse(EXO_OCCUPIED);
	if (envs[e].group != 0)
		return refuse(EXO_BUSY);
	s->member[place].env = e;
	if (place >= s->members)
		s->members = (uint32_t)place + 1;
	envs[e].group = (uint8_t)group;
	envs[e].place = (uint8_t)place;
	return refuse(EXO_OK);
}

struct exo_result sys_group_leave(uint64_t group, uint64_t place)
{
	const enum exo_status status = place_held(cpu_self(), group, place);

	if (status == EXO_OK)
		expel((uint32_t)group, (uint32_t)place);
	return refuse(status);
}

struct exo_result sys_group_word(uint64_t group, uint64_t place, uint64_t word, uint64_t value)
{
	const enum exo_status status =
		word >= EXO_SCHED_WORDS ? EXO_RANGE : place_held(cpu_self(), group, place);

	if (status == EXO_OK)
		scenes[group].sched.member[place].word[word] = value;
	return refuse(status);
}

/* ---- owning ------------------------------------------------------------------------------ */

struct exo_result sys_group_take(uint64_t group, uint64_t patience)
{
	const uint32_t me = cpu_self();
	enum exo_status status;

	if (group == 0 || group >= EXO_NGROUP)
		return refuse(EXO_RANGE);
	if (groups[group].owner != 0)
		return refuse(EXO_OCCUPIED);
	if (patience > UINT32_MAX)
		return refuse(EXO_ARG);
	status = quota_room(me, EXO_QUOTA_GROUPS, 1);
	if (status != EXO_OK)
		return refuse(status);
	quota_charge(me, EXO_QUOTA_GROUPS, 1);
	groups[group].owner = (uint16_t)me;
	groups[group].patience = (uint32_t)patience;
	scenes[group].sched.last = EXO_SCHED_NONE;
	return refuse(EXO_OK);
}

/* Group g, e's, becomes nobody's: BUSY while it has slots. */
/*@ requires 0 < e < EXO_NENV && 0 < g < EXO_NGROUP && groups[g].owner == e;
    ensures \result == EXO_OK || \result == EXO_BUSY;
    ensures \result == EXO_OK ==> groups[g].owner == 0; */
static enum exo_status group_release(uint32_t e, uint32_t g)
{
	if (groups[g].slots != 0)
		return EXO_BUSY;
	load_drop(g);
	/*@ loop invariant 0 <= i <= EXO_SCHED_MEMBERS;
	    loop variant EXO_SCHED_MEMBERS - i; */
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++)
		if (scenes[g].sched.member[i].env != 0)
			expel(g, i);
	groups[g] = (struct exo_group){0};
	scenes[g].sched = (struct exo_sched){0};
	quota_release(e, EXO_QUOTA_GROUPS, 1);
	return EXO_OK;
}

struct exo_result sys_group_free(uint64_t group)
{
	const enum exo_status status = group_owned(cpu_self(), group);

	return refuse(status == EXO_OK ? group_release(cpu_self(), (uint32_t)group) : status);
}

/*@ requires 0 < z < EXO_NENV && envs[z].state == EXO_ENV_ZOMBIE; */
enum exo_status group_reclaim(uint32_t z, uint64_t g)
{
	const enum exo_status status = group_owned(z, g);

	return status == EXO_OK ? group_release(z, (uint32_t)g) : status;
}
