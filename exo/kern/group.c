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
#include "timer.h"
#include "wake.h"

struct exo_group groups[EXO_NGROUP] TABLE(groups);
union scene scenes[EXO_NGROUP] TABLE(scenes);
struct bpf_program group_programs[EXO_NGROUP];

/*@ requires e < EXO_NENV;
    assigns \nothing;
    ensures \result == EXO_OK <==> 0 < g < EXO_NGROUP && groups[g].owner == e; */
enum exo_status group_owned(uint32_t e, uint64_t g)
{
	if (g == 0 || g >= EXO_NGROUP)
		return EXO_RANGE;
	return groups[g].owner == e ? EXO_OK : EXO_PERM;
}

/* ---- choosing ---------------------------------------------------------------------------- */

/* What member m of a snapshot of this tick is. */
/*@ requires \valid(m) && m->env < EXO_NENV;
    assigns m->runnable, m->since;
    ensures m->runnable == 0 || (m->runnable == 1 && m->env != 0);
    ensures m->since == \old(m->since) ||
      (m->since == tick && m->runnable == 1 && \old(m->runnable) == 0); */
static void look_at(struct exo_sched_member *m, uint64_t tick)
{
	const uint32_t runnable = m->env != 0 && slot_user(m->env) != 0;

	if (runnable && !m->runnable)
		m->since = tick;
	m->runnable = runnable;
}

/*@ requires 0 < g < EXO_NGROUP && members_kept(&scenes[g].sched);
    assigns scenes[g].sched;
    ensures members_kept(&scenes[g].sched) && scenes[g].sched.tick == info.ticks;
    ensures scenes[g].sched.last == \old(scenes[g].sched.last); */
static void look(uint32_t g)
{
	struct exo_sched *const s = &scenes[g].sched;

	s->now = machine_now();
	s->tick = info.ticks;
	s->slot = cpu_this()->position;
	/*@ loop invariant 0 <= i <= EXO_SCHED_MEMBERS;
	    loop invariant \forall integer k; 0 <= k < EXO_SCHED_MEMBERS ==>
	      s->member[k].env == \at(scenes[g].sched.member[k].env, Pre);
	    loop assigns i, s->member[0 .. EXO_SCHED_MEMBERS - 1];
	    loop variant EXO_SCHED_MEMBERS - i; */
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS && i < s->members; i++)
		look_at(&s->member[i], s->tick);
}

/*@ predicate starving(integer g, integer i) = scenes[g].sched.member[i].runnable != 0 &&
      (uint64_t)(scenes[g].sched.tick - scenes[g].sched.member[i].since) > groups[g].patience; */

/* Has place i been runnable for longer than the group's patience, without running? */
/*@ requires 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS;
    assigns \nothing;
    ensures \result != 0 <==> starving(g, i); */
static int starves(uint32_t g, uint32_t i)
{
	const struct exo_sched *const s = &scenes[g].sched;

	return s->member[i].runnable && s->tick - s->member[i].since > groups[g].patience;
}

/* The place that has starved longest; EXO_SCHED_NONE: nobody does. */
/*@ requires 0 < g < EXO_NGROUP;
    assigns \nothing;
    ensures \result <= EXO_SCHED_NONE;
    ensures \result != EXO_SCHED_NONE ==> starving(g, \result);
    ensures \forall integer k; 0 <= k < scenes[g].sched.members <= EXO_SCHED_MEMBERS &&
      starving(g, k) ==> \result != EXO_SCHED_NONE &&
	scenes[g].sched.member[\result].since <= scenes[g].sched.member[k].since; */
static uint32_t starved(uint32_t g)
{
	const struct exo_sched *const s = &scenes[g].sched;
	uint32_t longest = EXO_SCHED_NONE;

	/*@ loop invariant 0 <= i <= EXO_SCHED_MEMBERS && longest <= EXO_SCHED_NONE;
	    loop invariant longest != EXO_SCHED_NONE ==> starving(g, longest);
	    loop invariant \forall integer k; 0 <= k < i && starving(g, k) ==>
	      longest != EXO_SCHED_NONE && s->member[longest].since <= s->member[k].since;
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
    assigns \nothing;
    ensures \result <= EXO_GROUP_STARVED;
    ensures \result == EXO_GROUP_FOLLOWED || \result == EXO_GROUP_ASLEEP ==>
      named <= EXO_SCHED_NONE;
    ensures \result == EXO_GROUP_FOLLOWED && named != EXO_SCHED_NONE ==>
      scenes[g].sched.member[named].env != 0 && scenes[g].sched.member[named].runnable != 0;
    ensures \result == EXO_GROUP_ASLEEP ==> named != EXO_SCHED_NONE; */
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

/*@ // the owner may sleep by a predicate when it is told
    predicate group_wakes(integer g) = wakers[groups[g].owner].w.asleep != 0 ==>
      waker_sound(groups[g].owner);
    // e is a member that can run, and that the group chose last
    predicate has_slot(integer g, integer e) = scenes[g].sched.last < EXO_SCHED_MEMBERS &&
      scenes[g].sched.member[scenes[g].sched.last].env == e &&
      scenes[g].sched.member[scenes[g].sched.last].runnable != 0; */

/* The program failed: counted, told, and at last taken away. */
/*@ requires 0 < g < EXO_NGROUP && group_kept(g) && group_wakes(g);
    requires 0 < fault < EXO_NGROUP_FAULT && groups[g].insns != 0;
    assigns groups[g], wakers[groups[g].owner], envs[0 .. EXO_NENV - 1],
      cpus[0], slot_runnable[0 .. SLOT_WORDS - 1], timer_heap[0 .. EXO_NENV - 1],
      timer_place[0 .. EXO_NENV - 1], timer_count;
    ensures groups[g].owner == \old(groups[g].owner) && groups[g].row < EXO_GROUP_FAILURES;
    ensures members_kept(&scenes[g].sched);
    ensures group_sound(g);
    ensures groups[g].insns ==
      (\old(groups[g].row) + 1 == EXO_GROUP_FAILURES ? 0 : \old(groups[g].insns)); */
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
	/*@ assert \forall integer k; 0 <= k < wakers[group->owner].w.insns ==>
	      wakers[group->owner].w.insn[k] == \at(wakers[groups[g].owner].w.insn[k], Pre); */
	event_raise(group->owner, EXO_EV_GROUP);
	/*@ assert \forall integer k; 0 <= k < group_programs[g].count ==>
	      group_programs[g].insn[k] == \at(group_programs[g].insn[k], Pre); */
	/*@ assert group_programs[g].count == \at(group_programs[g].count, Pre) &&
	      group_programs[g].steps == \at(group_programs[g].steps, Pre) &&
	      group_programs[g].context_size == \at(group_programs[g].context_size, Pre) &&
	      scenes[g].sched.members == \at(scenes[g].sched.members, Pre); */
	/*@ assert \forall integer k; 0 <= k < EXO_SCHED_MEMBERS ==>
	      scenes[g].sched.member[k].env == \at(scenes[g].sched.member[k].env, Pre); */
	/*@ assert \at(checked_insns(&group_programs[g].insn[0], group_programs[g].count), Pre); */
	/*@ assert checked_insns(&group_programs[g].insn[0], group_programs[g].count); */
}

/* The slot goes to member i. */
/*@ requires 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS;
    requires members_kept(&scenes[g].sched);
    assigns groups[g].followed, scenes[g].sched.last, scenes[g].sched.member[i].used,
      scenes[g].sched.member[i].since;
    ensures members_kept(&scenes[g].sched) && scenes[g].sched.last == i;
    ensures \result == scenes[g].sched.member[i].env;
    ensures scenes[g].sched.member[i].since == scenes[g].sched.tick; */
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
/*@ requires 0 < g < EXO_NGROUP && group_sound(g);
    assigns groups[g].decisions, groups[g].steps, groups[g].most;
    ensures \old(groups[g].most) <= groups[g].most; */
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
    requires group_kept(g) && group_wakes(g);
    assigns groups[g], scenes[g].sched, wakers[groups[g].owner], envs[0 .. EXO_NENV - 1],
      cpus[0], slot_runnable[0 .. SLOT_WORDS - 1], timer_heap[0 .. EXO_NENV - 1],
      timer_place[0 .. EXO_NENV - 1], timer_count;
    ensures group_kept(g) && \result < EXO_NENV;
    ensures \result != 0 ==> has_slot(g, \result); */
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
    requires group_kept(g) && group_wakes(g);
    assigns groups[g], scenes[g].sched, wakers[groups[g].owner], envs[0 .. EXO_NENV - 1],
      cpus[0], slot_runnable[0 .. SLOT_WORDS - 1], timer_heap[0 .. EXO_NENV - 1],
      timer_place[0 .. EXO_NENV - 1], timer_count;
    ensures group_kept(g) && \result < EXO_NENV;
    ensures \result != 0 ==> has_slot(g, \result); */
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

/*@ requires 0 < g < EXO_NGROUP && \valid_read(program) && checked(program);
    requires \separated(program, &group_programs[g], &groups[g]);
    requires program->steps <= EXO_GROUP_STEPS;
    requires program->context_size == sizeof(struct exo_sched);
    assigns groups[g].insns, groups[g].bound, groups[g].most, groups[g].row, groups[g].loaded,
      group_programs[g];
    ensures group_sound(g) && groups[g].insns == group_programs[g].count == program->count;
    ensures groups[g].row == 0; */
void group_program(uint32_t g, const struct bpf_program *program)
{
	group_programs[g] = *program;
	/*@ assert \forall integer k; 0 <= k < program->count ==>
	      group_programs[g].insn[k] == \at(program->insn[k], Pre); */
	groups[g].insns = program->count;
	groups[g].bound = program->steps;
	groups[g].most = 0;
	groups[g].row = 0;
	groups[g].loaded++;
}

/* ---- members ----------------------------------------------------------------------------- */

/* Whoever has place i of group g has it no more, nor the slot that it was chosen for. */
/*@ requires 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS && scenes[g].sched.member[i].env != 0;
    requires members_kept(&scenes[g].sched);
    assigns cpus[0], envs[scenes[g].sched.member[i].env].group,
      envs[scenes[g].sched.member[i].env].place, scenes[g].sched.member[i],
      scenes[g].sched.last, scenes[g].sched.members;
    ensures scenes[g].sched.member[i].env == 0;
    ensures members_kept(&scenes[g].sched);
    ensures envs[\old(scenes[g].sched.member[i].env)].group == 0;
    ensures cpus[0].chosen != \old(scenes[g].sched.member[i].env);
    ensures scenes[g].sched.last != i; */
static void expel(uint32_t g, uint32_t i)
{
	struct exo_sched *const s = &scenes[g].sched;
	const uint32_t e = s->member[i].env;

	slot_unchoose(e);
	envs[e].group = 0;
	envs[e].place = 0;
	s->member[i] = (struct exo_sched_member){0};
	/*@ assert \forall integer k; 0 <= k < EXO_SCHED_MEMBERS ==>
	      s->member[k].env == 0 ||
	      s->member[k].env == \at(scenes[g].sched.member[k].env, Pre); */
	if (s->last == i)
		s->last = EXO_SCHED_NONE;
	/*@ loop invariant s->members <= EXO_SCHED_MEMBERS;
	    loop invariant \forall integer k; s->members <= k < EXO_SCHED_MEMBERS ==>
	      s->member[k].env == 0;
	    loop assigns s->members;
	    loop variant s->members; */
	while (s->members != 0 && s->member[s->members - 1].env == 0)
		s->members--;
}

/*@ requires 0 < e < EXO_NENV && envs[e].group < EXO_NGROUP;
    requires envs[e].group != 0 ==> envs[e].place < EXO_SCHED_MEMBERS &&
      scenes[envs[e].group].sched.member[envs[e].place].env == e &&
      members_kept(&scenes[envs[e].group].sched);
    ensures envs[e].group == 0; */
void group_env_end(uint32_t e)
{
	if (envs[e].group != 0)
		expel(envs[e].group, envs[e].place);
}

/* A place of a group, by numbers that may be anything. */
/*@ assigns \nothing;
    ensures \result == EXO_OK <==> 0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS; */
static enum exo_status place_named(uint64_t g, uint64_t i)
{
	return g == 0 || g >= EXO_NGROUP || i >= EXO_SCHED_MEMBERS ? EXO_RANGE : EXO_OK;
}

/*@ predicate holds_place(integer me, integer g, integer i) =
      0 < g < EXO_NGROUP && i < EXO_SCHED_MEMBERS && scenes[g].sched.member[i].env != 0 &&
      (groups[g].owner == me || scenes[g].sched.member[i].env == me); */

/* The same, where somebody is, for `me`, which owns the group or is that one. */
/*@ requires me < EXO_NENV;
    assigns \nothing;
    ensures \result == EXO_OK <==> holds_place(me, g, i); */
static enum exo_status place_held(uint32_t me, uint64_t g, uint64_t i)
{
	const enum exo_status status = place_named(g, i);

	if (status != EXO_OK)
		return status;
	if (scenes[g].sched.member[i].env == 0)
		return EXO_STATE;
	return groups[g].owner == me || scenes[g].sched.member[i].env == me ? EXO_OK : EXO_PERM;
}

/*@ requires 0 < cpus[0].current < EXO_NENV;
    requires 0 < group < EXO_NGROUP ==> members_kept(&scenes[group].sched);
    assigns scenes[group].sched.member[place].env, scenes[group].sched.members,
      envs[0 .. EXO_NENV - 1].group, envs[0 .. EXO_NENV - 1].place;
    ensures \result.status == EXO_OK ==> members_kept(&scenes[group].sched);
    ensures \result.status == EXO_OK ==> groups[group].owner == cpus[0].current &&
      \old(scenes[group].sched.member[place].env) == 0 &&
      scenes[group].sched.member[place].env != 0;
    behavior refused:
      assumes group == 0 || group >= EXO_NGROUP || place >= EXO_SCHED_MEMBERS ||
	groups[group].owner != cpus[0].current || scenes[group].sched.member[place].env != 0;
      assigns \nothing;
      ensures \result.status != EXO_OK; */
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

/*@ requires 0 < cpus[0].current < EXO_NENV;
    requires 0 < group < EXO_NGROUP ==> members_kept(&scenes[group].sched);
    ensures 0 < group < EXO_NGROUP ==> members_kept(&scenes[group].sched);
    behavior refused:
      assumes !holds_place(cpus[0].current, group, place);
      assigns \nothing;
      ensures \result.status != EXO_OK;
    behavior left:
      assumes holds_place(cpus[0].current, group, place);
      ensures \result.status == EXO_OK && scenes[group].sched.member[place].env == 0; */
struct exo_result sys_group_leave(uint64_t group, uint64_t place)
{
	const enum exo_status status = place_held(cpu_self(), group, place);

	if (status == EXO_OK)
		expel((uint32_t)group, (uint32_t)place);
	return refuse(status);
}

/*@ requires 0 < cpus[0].current < EXO_NENV;
    assigns scenes[group].sched.member[place].word[word];
    ensures \result.status == EXO_OK ==>
      scenes[group].sched.member[place].word[word] == value;
    behavior refused:
      assumes word >= EXO_SCHED_WORDS || !holds_place(cpus[0].current, group, place);
      assigns \nothing;
      ensures \result.status != EXO_OK; */
struct exo_result sys_group_word(uint64_t group, uint64_t place, uint64_t word, uint64_t value)
{
	const enum exo_status status =
		word >= EXO_SCHED_WORDS ? EXO_RANGE : place_held(cpu_self(), group, place);

	if (status == EXO_OK)
		scenes[group].sched.member[place].word[word] = value;
	return refuse(status);
}

/* ---- owning ------------------------------------------------------------------------------ */

/*@ requires 0 < cpus[0].current < EXO_NENV;
    requires quota_used[cpus[0].current].n[EXO_QUOTA_GROUPS] <=
      quota_limit[cpus[0].current].n[EXO_QUOTA_GROUPS];
    assigns groups[group].owner, groups[group].patience, scenes[group].sched.last,
      quota_used[cpus[0].current].n[EXO_QUOTA_GROUPS];
    ensures quota_used[cpus[0].current].n[EXO_QUOTA_GROUPS] <=
      quota_limit[cpus[0].current].n[EXO_QUOTA_GROUPS];
    ensures quota_used[cpus[0].current].n[EXO_QUOTA_GROUPS] ==
      \old(quota_used[cpus[0].current].n[EXO_QUOTA_GROUPS]) + (\result.status == EXO_OK ? 1 : 0);
    behavior refused:
      assumes group == 0 || group >= EXO_NGROUP || groups[group].owner != 0 ||
	patience > UINT32_MAX;
      assigns \nothing;
      ensures \result.status != EXO_OK; */
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
    requires members_kept(&scenes[g].sched) && load_kept;
    requires 1 <= quota_used[e].n[EXO_QUOTA_GROUPS];
    ensures \result == EXO_OK ==> groups[g].owner == 0 && groups[g].insns == 0;
    ensures \result == EXO_OK ==> scenes[g].sched.members == 0;
    ensures \result == EXO_OK ==> load.env == 0 || load.group != g;
    behavior refused:
      assumes groups[g].slots != 0;
      assigns \nothing;
      ensures \result == EXO_BUSY;
    behavior released:
      assumes groups[g].slots == 0;
      ensures \result == EXO_OK; */
static enum exo_status group_release(uint32_t e, uint32_t g)
{
	if (groups[g].slots != 0)
		return EXO_BUSY;
	load_drop(g);
	/*@ loop invariant 0 <= i <= EXO_SCHED_MEMBERS && members_kept(&scenes[g].sched);
	    loop assigns i, cpus[0], envs[0 .. EXO_NENV - 1], scenes[g].sched;
	    loop variant EXO_SCHED_MEMBERS - i; */
	for (uint32_t i = 0; i < EXO_SCHED_MEMBERS; i++)
		if (scenes[g].sched.member[i].env != 0)
			expel(g, i);
	groups[g] = (struct exo_group){0};
	scenes[g].sched = (struct exo_sched){0};
	quota_release(e, EXO_QUOTA_GROUPS, 1);
	return EXO_OK;
}

/*@ requires 0 < cpus[0].current < EXO_NENV && load_kept;
    requires 0 < group < EXO_NGROUP && groups[group].owner == cpus[0].current ==>
      members_kept(&scenes[group].sched) &&
      1 <= quota_used[cpus[0].current].n[EXO_QUOTA_GROUPS];
    behavior refused:
      assumes group == 0 || group >= EXO_NGROUP || groups[group].owner != cpus[0].current;
      assigns \nothing;
      ensures \result.status != EXO_OK; */
struct exo_result sys_group_free(uint64_t group)
{
	const enum exo_status status = group_owned(cpu_self(), group);

	return refuse(status == EXO_OK ? group_release(cpu_self(), (uint32_t)group) : status);
}

/*@ requires 0 < z < EXO_NENV && envs[z].state == EXO_ENV_ZOMBIE && load_kept;
    requires 0 < g < EXO_NGROUP && groups[g].owner == z ==>
      members_kept(&scenes[g].sched) && 1 <= quota_used[z].n[EXO_QUOTA_GROUPS];
    behavior refused:
      assumes g == 0 || g >= EXO_NGROUP || groups[g].owner != z;
      assigns \nothing;
      ensures \result != EXO_OK; */
enum exo_status group_reclaim(uint32_t z, uint64_t g)
{
	const enum exo_status status = group_owned(z, g);

	return status == EXO_OK ? group_release(z, (uint32_t)g) : status;
}
