/*
 * group_test.c - unit tests of scheduling groups, of loading their programs, and of wake-up
 * predicates: each call, each status, each way in which a program can fail its group.
 *
 * Programs are a few instructions written by hand; that compiled ones do what they say is tested in
 * bpf/sched_test.c.
 */
#include <stddef.h>
#include "../kern/cap.h"
#include "../kern/event.h"
#include "../kern/group.h"
#include "../kern/info.h"
#include "../kern/load.h"
#include "../kern/quota.h"
#include "../kern/timer.h"
#include "../kern/wake.h"
#include "core_world.h"

/* ---- programs ------------------------------------------------------------------------------ */

#define INSN(op, dst, src, off, imm) ((struct exo_bpf_insn){(op), (dst) | (src) << 4, (off), (imm)})
#define MOV(dst, imm)		     INSN(BPF_ALU64 | BPF_MOV, dst, 0, 0, imm)
#define LOAD(size, dst, src, off)    INSN(BPF_LDX | BPF_MEM | (size), dst, src, (int16_t)(off), 0)
#define JUMP_GE(dst, imm, off)	     INSN(BPF_JMP | BPF_JGE, dst, 0, off, imm)
#define JUMP_GE_REG(dst, src, off)   INSN(BPF_JMP | BPF_JGE | BPF_X, dst, src, off, 0)
#define EXIT			     INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define SEES(field)		     offsetof(struct exo_sched, field)
#define FEELS(field)		     offsetof(struct exo_wake, field)

enum { CODE = 2 * EXO_PAGE_SIZE }; /* address of the third data page of each environment */

/* The environment that runs writes a program to its memory. */
static void write_program(const struct exo_bpf_insn *insn, uint32_t n)
{
	memcpy(machine_bytes((struct pfn){frame(cpus[0].current, DATA + 2)}), insn,
	       n * sizeof insn[0]);
}

static uint64_t verify(void)
{
	uint64_t value;

	do
		value = OK(sys_bpf_verify());
	while (EXO_BPF_ANSWER_REASON(value) == EXO_BPF_MORE);
	return value;
}

/* It loads a program: what comes of it. */
static uint64_t load_program_for(uint32_t group, const struct exo_bpf_insn *insn, uint32_t n)
{
	CHECK(OK(sys_bpf_begin(group)) == 1);
	for (uint32_t i = 0; i < n; i += EXO_BPF_PUT) {
		const uint32_t some = n - i < EXO_BPF_PUT ? n - i : EXO_BPF_PUT;

		write_program(&insn[i], some);
		OK(sys_bpf_put(CODE, some));
	}
	return verify();
}

#define LOAD_FOR(group, ...)                                                                       \
	load_program_for(group, (const struct exo_bpf_insn[]){__VA_ARGS__},                        \
			 sizeof((const struct exo_bpf_insn[]){__VA_ARGS__}) /                      \
				 sizeof(struct exo_bpf_insn))

#define ACCEPTED(group, ...) accepted(__LINE__, LOAD_FOR(group, __VA_ARGS__))

static void accepted(int line, uint64_t value)
{
	if (EXO_BPF_ANSWER_REASON(value) != EXO_BPF_OK)
		wrong(line, "refused", exo_bpf_reason_text(EXO_BPF_ANSWER_REASON(value)));
}

/* Environments 2 to 4, in slots 8 to 10 of 1; 1 owns CPU slots 0 and 100. */
static void family(void)
{
	world();
	child(2, 8);
	child(3, 9);
	child(4, 10);
	OK(sys_slot_take(SELF, 100));
}

/* Group 1 of environment 1: CPU slot 100, members 2 and 3 at places 0 and 5. */
static void grouped(void)
{
	family();
	OK(sys_group_take(1, 0));
	OK(sys_group_join(1, 0, 8));
	OK(sys_group_join(1, 5, 9));
	OK(sys_slot_group(100, 1));
}

/* The group's slot comes up: who runs. */
static uint32_t group_slot(void)
{
	tick_to_slot(100);
	return cpus[0].current;
}

/* ---- groups and members -------------------------------------------------------------------- */

static void test_group_take(void)
{
	family();
	NO(RANGE, sys_group_take(0, 0));
	NO(RANGE, sys_group_take(EXO_NGROUP, 0));
	NO(ARG, sys_group_take(1, 1ull << 32));
	OK(sys_group_take(1, UINT32_MAX));
	CHECK(groups[1].owner == 1 && groups[1].patience == UINT32_MAX);
	CHECK(quota_used[1].n[EXO_QUOTA_GROUPS] == 1);
	NO(OCCUPIED, sys_group_take(1, 0));
	become(2);
	NO(OCCUPIED, sys_group_take(1, 0));
	NO(QUOTA, sys_group_take(2, 0));
	become(1);
	OK(sys_quota_move(8, EXO_QUOTA_GROUPS, 1));
	become(2);
	OK(sys_group_take(2, 0));
	NO(QUOTA, sys_group_take(3, 0));
}

static void test_group_free(void)
{
	grouped();
	NO(RANGE, sys_group_free(0));
	NO(RANGE, sys_group_free(EXO_NGROUP));
	NO(PERM, sys_group_free(2));
	NO(BUSY, sys_group_free(1));
	OK(sys_slot_free(100));
	become(2);
	NO(PERM, sys_group_free(1));
	become(1);
	ACCEPTED(1, MOV(0, 0), EXIT);
	OK(sys_group_free(1));
	CHECK(envs[2].group == 0 && envs[3].group == 0 && groups[1].insns == 0);
	CHECK(quota_used[1].n[EXO_QUOTA_GROUPS] == 0 && scenes[1].sched.members == 0);
	OK(sys_group_take(1, 0));
}

static void test_group_join(void)
{
	grouped();
	CHECK(scenes[1].sched.members == 6 && envs[3].group == 1 && envs[3].place == 5);
	NO(RANGE, sys_group_join(0, 1, 10));
	NO(RANGE, sys_group_join(EXO_NGROUP, 1, 10));
	NO(RANGE, sys_group_join(1, EXO_SCHED_MEMBERS, 10));
	NO(RANGE, sys_group_join(1, 1, EXO_NCAP));
	NO(PERM, sys_group_join(2, 1, 10));
	NO(STATE, sys_group_join(1, 1, 30));
	NO(OCCUPIED, sys_group_join(1, 0, 10));
	NO(BUSY, sys_group_join(1, 1, 8));
	OK(sys_cap_derive(10, 20, EXO_ENV_ALL & ~EXO_ENV_GIVE, 0, 0));
	NO(PERM, sys_group_join(1, 1, 20));
	cap_put(1, 21, (struct exo_cap){.kind = EXO_CAP_MACHINE});
	NO(TYPE, sys_group_join(1, 1, 21));
	OK(sys_env_kill(10, 0));
	NO(STATE, sys_group_join(1, 1, 10));
	OK(sys_cap_revoke(9));
	OK(sys_cap_derive(9, 22, EXO_ENV_ALL, 0, 0));
	caps[1].c[22].gen--;
	NO(STALE, sys_group_join(1, 1, 22));
	OK(sys_group_join(1, EXO_SCHED_MEMBERS - 1, SELF)); /* an owner may be a member */
	CHECK(scenes[1].sched.members == EXO_SCHED_MEMBERS);
	become(2);
	NO(PERM, sys_group_join(1, 1, SELF));
}

static void test_group_leave(void)
{
	grouped();
	NO(RANGE, sys_group_leave(0, 0));
	NO(RANGE, sys_group_leave(EXO_NGROUP, 0));
	NO(RANGE, sys_group_leave(1, EXO_SCHED_MEMBERS));
	NO(STATE, sys_group_leave(1, 1));
	become(2);
	NO(PERM, sys_group_leave(1, 5));
	OK(sys_group_leave(1, 0)); /* itself */
	CHECK(envs[2].group == 0 && scenes[1].sched.members == 6);
	become(1);
	OK(sys_group_leave(1, 5));
	CHECK(envs[3].group == 0 && scenes[1].sched.members == 0);
}

static void test_group_word(void)
{
	grouped();
	NO(RANGE, sys_group_word(0, 0, 0, 1));
	NO(RANGE, sys_group_word(EXO_NGROUP, 0, 0, 1));
	NO(RANGE, sys_group_word(1, EXO_SCHED_MEMBERS, 0, 1));
	NO(RANGE, sys_group_word(1, 0, EXO_SCHED_WORDS, 1));
	NO(STATE, sys_group_word(1, 1, 0, 1));
	OK(sys_group_word(1, 0, 3, 7));
	become(2);
	NO(PERM, sys_group_word(1, 5, 3, 1));
	OK(sys_group_word(1, 0, 2, 8));
	CHECK(scenes[1].sched.member[0].word[3] == 7 && scenes[1].sched.member[0].word[2] == 8);
	become(1);
	OK(sys_group_leave(1, 0));
	OK(sys_group_join(1, 0, 10));
	CHECK(scenes[1].sched.member[0].word[3] == 0); /* nothing of whoever was there */
}

static void test_slot_group(void)
{
	family();
	OK(sys_group_take(1, 0));
	NO(RANGE, sys_slot_group(EXO_NSLOT, 1));
	NO(RANGE, sys_slot_group(100, EXO_NGROUP));
	NO(PERM, sys_slot_group(2, 1));
	NO(PERM, sys_slot_group(100, 2));
	OK(sys_slot_group(100, 1));
	OK(sys_slot_group(0, 1));
	OK(sys_slot_group(0, 1));
	CHECK(groups[1].slots == 2);
	OK(sys_slot_group(0, 0));
	CHECK(groups[1].slots == 1 && slots[0].group == 0);
	OK(sys_slot_give(100, 8)); /* what is given is in no group */
	CHECK(groups[1].slots == 0 && slots[100].group == 0);
	OK(sys_slot_group(0, 1));
	OK(sys_slot_free(0));
	CHECK(groups[1].slots == 0 && slots[0].group == 0);
}

/* A slot that is taken by force is in no group any more, though its group's member runs in it. */
static void test_revoked_slot_leaves_group(void)
{
	grouped();
	OK(sys_quota_move(8, EXO_QUOTA_GROUPS, 1));
	OK(sys_group_leave(1, 0));
	become(2);
	OK(sys_group_take(2, 0));
	OK(sys_slot_group(2, 2));
	OK(sys_group_join(2, 0, SELF));
	ACCEPTED(2, MOV(0, 0), EXIT);
	tick_to_slot(2);
	CHECK(cpus[0].chosen == 2 && groups[2].followed == 1);
	become(1);
	OK(sys_revoke_ask(8, EXO_ASK_SLOTS, 1, 0));
	host_now += EXO_REVOKE_MIN_NS;
	CHECK(OK(sys_revoke_take(8, EXO_ASK_SLOTS, 2, 0)) == 1);
	CHECK(slots[2].owner == 1 && slots[2].group == 0 && groups[2].slots == 0);
	CHECK(cpus[0].chosen == 0);
}

/* Who dies leaves; a dead owner's group is reclaimed, once its slots are. */
static void test_group_ends(void)
{
	grouped();
	OK(sys_env_kill(9, 0));
	CHECK(envs[3].group == 0 && scenes[1].sched.members == 1);
	OK(sys_quota_move(8, EXO_QUOTA_GROUPS, 1));
	become(2);
	OK(sys_group_take(2, 0));
	OK(sys_slot_group(2, 2));
	NO(BUSY, sys_group_join(2, 1, SELF));
	OK(sys_group_leave(1, 0));
	OK(sys_group_join(2, 1, SELF));
	become(1);
	NO(STATE, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_GROUPS, 2));
	OK(sys_env_kill(8, 0));
	CHECK(scenes[2].sched.members == 0 && groups[2].owner == 2);
	NO(RANGE, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_GROUPS, 0));
	NO(RANGE, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_GROUPS, EXO_NGROUP));
	NO(PERM, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_GROUPS, 1));
	NO(BUSY, sys_env_reclaim(env_eid(2).n, EXO_QUOTA_GROUPS, 2));
	OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_SLOTS, 2));
	NO(BUSY, sys_env_reap(8));
	CHECK(OK(sys_env_reclaim(env_eid(2).n, EXO_QUOTA_GROUPS, 2)) == 1);
	CHECK(groups[2].owner == 0 && quota_used[2].n[EXO_QUOTA_GROUPS] == 0);
}

/* Who owns a group is not reaped, and leaves no predicate to whoever has its number next. */
static void test_group_and_predicate_before_reaping(void)
{
	world();
	OK(sys_env_create(5, 25));
	OK(sys_quota_move(25, EXO_QUOTA_GROUPS, 1));
	become(5);
	OK(sys_group_take(3, 0));
	wake_program(5, &(struct bpf_program){.count = 1, .steps = 1});
	become(1);
	OK(sys_env_kill(25, 0));
	NO(BUSY, sys_env_reap(25));
	OK(sys_env_reclaim(env_eid(5).n, EXO_QUOTA_GROUPS, 3));
	OK(sys_env_reap(25));
	CHECK(wakers[5].w.insns == 0 && quota_limit[1].n[EXO_QUOTA_GROUPS] == EXO_NGROUP - 1);
}

/* ---- choosing ------------------------------------------------------------------------------ */

static void test_choice_is_followed(void)
{
	const struct exo_sched_member *const m = scenes[1].sched.member;

	grouped();
	CHECK(group_slot() == 1); /* without a program it is the owner's */
	CHECK(groups[1].decisions == 0 && slots[100].used == 1);
	become(1);
	ACCEPTED(1, MOV(0, 5), EXIT);
	CHECK(groups[1].insns == 2 && groups[1].bound == 2 && groups[1].loaded == 1);
	CHECK(group_slot() == 3 && cpus[0].chosen == 3);
	CHECK(m[5].used == 1 && m[5].since == info.ticks && m[0].used == 0);
	CHECK(m[0].runnable == 1 && m[0].since == info.ticks && scenes[1].sched.last == 5);
	CHECK(scenes[1].sched.slot == 100 && scenes[1].sched.tick == info.ticks);
	CHECK(groups[1].decisions == 1 && groups[1].followed == 1 && groups[1].steps == 2);
	CHECK(groups[1].most == 2 && slots[100].used == 2 && slots[100].given == 0);
	CHECK(check_state() == 0);
	slot_tick(); /* the next slot is nobody's: it goes round */
	CHECK(cpus[0].chosen == 0 && check_state() == 0);
}

/* Whoever is chosen has the slot as if it owned it. */
static void test_chosen_as_owner(void)
{
	grouped();
	ACCEPTED(1, MOV(0, 5), EXIT);
	CHECK(group_slot() == 3);
	OK(sys_yield(env_eid(2).n));
	CHECK(cpu_next() == 2);
	become(2);
	OK(sys_yield(0)); /* back to whose slot it is */
	CHECK(cpu_next() == 3);
	become(3);
	OK(sys_wait(1, 0));
	CHECK(cpu_next() != 3 && cpu_next() != 0);
	become(cpu_next());
	event_raise(3, 1); /* it takes the CPU from who borrowed it */
	CHECK(cpus[0].resched && cpu_next() == 3);
	become(3);
	tick_to_slot(99);
	envs[3].penalty = 1; /* and forfeits it, like an owner, when it has overrun another */
	CHECK(group_slot() != 3 && envs[3].penalty == 0 && slots[100].missed == 1);
	CHECK(group_slot() == 3);
}

/* The slot of a group is not its owner's next slice: it is told that its own ends. */
static void test_slice_ends_before_a_slot_of_a_group(void)
{
	family();
	OK(sys_slot_take(SELF, 101));
	OK(sys_env_set(SELF, EXO_SET_SLICE_UPCALL, EXO_SLICE_END));
	CHECK(group_slot() == 1 && !slot_ending(1));
	become(1);
	OK(sys_group_take(1, 0));
	OK(sys_slot_group(101, 1));
	CHECK(slot_ending(1) && cpus[0].told == 1);
}

/* Who serves a member's call runs in the slot that the member was chosen for. */
static void test_chosen_caller(void)
{
	grouped();
	OK(sys_env_set(10, EXO_SET_CALLS, 1));
	OK(sys_cap_grant(10, 8, 5, EXO_ENV_CALL));
	become(4);
	OK(sys_ipc_reply_wait(0, 0, 0, 0, 0, 0));
	become(1);
	ACCEPTED(1, MOV(0, 0), EXIT);
	CHECK(group_slot() == 2);
	OK(sys_ipc_call(5, 0, 0, 0, 0, 0));
	CHECK(cpu_next() == 4);
	become(4);
	CHECK(group_slot() == 4 && cpus[0].chosen == 2);
	CHECK(scenes[1].sched.member[0].runnable && groups[1].followed == 2);
}

static void test_choice_ends_with_membership(void)
{
	grouped();
	ACCEPTED(1, MOV(0, 5), EXIT);
	CHECK(group_slot() == 3);
	OK(sys_group_leave(1, 5));
	CHECK(cpus[0].chosen == 0 && cpus[0].resched && cpu_next() == 1);
	become(1);
	OK(sys_group_join(1, 5, 9));
	CHECK(group_slot() == 3);
	OK(sys_env_kill(SELF, 0));
	CHECK(cpus[0].chosen == 0 && cpu_next() == 1);
	become(1);
	OK(sys_group_leave(1, 0));
	OK(sys_group_join(1, 5, 8));
	CHECK(group_slot() == 2);
	become(1);
	OK(sys_slot_group(100, 0)); /* the owner takes the slot back while it passes */
	CHECK(cpus[0].chosen == 0);
}

/* Runs the group's slot with a program that answers `answer`: 1 has it, as of old. */
static void fails_with(enum exo_group_fault fault, uint64_t answer)
{
	const uint64_t before = groups[1].failed[fault], used = slots[100].used;

	CHECK(group_slot() == 1 && cpus[0].chosen == 0 && slots[100].used == used + 1);
	CHECK(groups[1].failed[fault] == before + 1 && groups[1].fault == fault);
	CHECK(groups[1].answer == answer && groups[1].tick == info.ticks);
	CHECK((envs[1].events & EXO_EV_GROUP) != 0 && check_state() == 0);
	envs[1].events = 0;
	become(1);
}

static void test_failures(void)
{
	grouped();
	ACCEPTED(1, MOV(0, EXO_SCHED_NONE + 1), EXIT);
	fails_with(EXO_GROUP_NONSENSE, EXO_SCHED_NONE + 1);
	ACCEPTED(1, MOV(0, -1), EXIT);
	fails_with(EXO_GROUP_NONSENSE, UINT32_MAX);
	ACCEPTED(1, MOV(0, 2), EXIT);
	fails_with(EXO_GROUP_EMPTY, 2);
	ACCEPTED(1, MOV(0, 5), EXIT);
	become(3);
	OK(sys_wait(1, 0));
	fails_with(EXO_GROUP_ASLEEP, 5);
	CHECK(scenes[1].sched.member[5].missed == 1 && scenes[1].sched.member[5].used == 0);
	OK(sys_env_kill(9, 0)); /* the dead are no members */
	fails_with(EXO_GROUP_EMPTY, 5);
	CHECK(groups[1].row == 2);
	ACCEPTED(1, MOV(0, EXO_SCHED_NONE), EXIT); /* leaving it to the vector is no failure */
	CHECK(group_slot() == 1 && groups[1].passed == 1 && groups[1].row == 0);
	CHECK(envs[1].events == 0 && groups[1].followed == 0 && groups[1].decisions == 6);
}

static void test_program_is_lost(void)
{
	grouped();
	ACCEPTED(1, MOV(0, 63), EXIT);
	for (uint32_t i = 0; i < EXO_GROUP_FAILURES; i++)
		fails_with(EXO_GROUP_EMPTY, 63);
	CHECK(groups[1].insns == 0 && groups[1].bound == 0 && groups[1].lost == 1);
	CHECK(group_slot() == 1 && groups[1].decisions == EXO_GROUP_FAILURES);
	become(1);
	ACCEPTED(1, MOV(0, 63), EXIT);
	for (uint32_t i = 0; i + 1 < EXO_GROUP_FAILURES; i++)
		fails_with(EXO_GROUP_EMPTY, 63);
	OK(sys_group_join(1, 63, 10)); /* one that is followed, and the row is over */
	CHECK(group_slot() == 4 && groups[1].row == 0 && groups[1].lost == 1);
}

static void test_starved(void)
{
	family();
	OK(sys_group_take(1, 2 * EXO_NSLOT));
	OK(sys_group_join(1, 0, 8));
	OK(sys_group_join(1, 5, 9));
	OK(sys_slot_group(100, 1));
	ACCEPTED(1, MOV(0, 5), EXIT);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(group_slot() == 3);
	fails_with(EXO_GROUP_STARVED, 0);
	ACCEPTED(1, MOV(0, EXO_SCHED_NONE), EXIT);
	fails_with(EXO_GROUP_STARVED, 0);
	ACCEPTED(1, MOV(0, 0), EXIT);
	CHECK(group_slot() == 2); /* naming who starves ends it */
	become(1);
	ACCEPTED(1, MOV(0, 5), EXIT);
	CHECK(group_slot() == 3);
	become(2);
	OK(sys_wait(1, 0)); /* who sleeps does not starve */
	for (uint32_t i = 0; i < 4; i++)
		CHECK(group_slot() == 3);
	event_raise(2, 1);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(group_slot() == 3);
	fails_with(EXO_GROUP_STARVED, 0);
}

/* Of those who starve it must be who has waited longest: the others' time will come. */
static void test_starved_longest(void)
{
	family();
	OK(sys_group_take(1, EXO_NSLOT));
	OK(sys_group_join(1, 0, 8));
	OK(sys_slot_group(100, 1));
	ACCEPTED(1, MOV(0, EXO_SCHED_NONE), EXIT);
	CHECK(group_slot() == 1 && groups[1].passed == 1);
	become(1);
	OK(sys_group_join(1, 1, 9));
	CHECK(group_slot() == 1 && groups[1].passed == 2);
	become(1);
	ACCEPTED(1, MOV(0, 1), EXIT);
	fails_with(EXO_GROUP_STARVED, 0);
	fails_with(EXO_GROUP_STARVED, 0); /* by now place 1 starves, too */
	ACCEPTED(1, MOV(0, 0), EXIT);
	CHECK(group_slot() == 2);
	become(1);
	fails_with(EXO_GROUP_STARVED, 1);
	ACCEPTED(1, MOV(0, 1), EXIT);
	CHECK(group_slot() == 3);
}

/* While its group's member runs, and before: nobody decides for the dead. */
static void test_owner_ends(void)
{
	grouped();
	ACCEPTED(1, MOV(0, 5), EXIT);
	CHECK(group_slot() == 3);
	become(3);
	env_end(1, EXO_END_KILLED, 0, 0, 0, 0, 0, 0);
	CHECK(cpus[0].chosen == 0 && cpus[0].resched && check_state() == 0);
	CHECK(cpu_next() != 1);
	become(2);
	CHECK(group_slot() != 0 && cpus[0].chosen == 0);
	CHECK(groups[1].failed[EXO_GROUP_OWNER] == 1 && groups[1].decisions == 1);
	for (uint32_t i = 1; i < EXO_GROUP_FAILURES; i++)
		group_slot();
	CHECK(groups[1].lost == 1 && groups[1].insns == 0 && check_state() == 0);
	NO(STATE, sys_env_reclaim(env_eid(1).n, EXO_QUOTA_ENVS, 2)); /* nobody is above it */
	OK(sys_env_reclaim(env_eid(1).n, EXO_QUOTA_SLOTS, 100));
	OK(sys_env_reclaim(env_eid(1).n, EXO_QUOTA_GROUPS, 1));
	CHECK(envs[2].group == 0 && envs[3].group == 0);
}

/* Whatever the group does, others have what they own: of 10 turns, 10 slots each. */
static void test_others_have_their_slots(void)
{
	static const int32_t answers[] = {0, 5, 63, EXO_SCHED_NONE, -1};

	grouped();
	OK(sys_slot_take(10, 101));
	for (uint32_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const uint32_t before[2] = {slots[4].used, slots[101].used};

		become(1);
		ACCEPTED(1, MOV(0, answers[i]), EXIT);
		for (uint32_t n = 0; n < 10 * EXO_NSLOT; n++) {
			slot_tick();
			cpus[0].current = cpu_next();
		}
		CHECK(slots[4].used == before[0] + 10 && slots[101].used == before[1] + 10);
		CHECK(slots[4].missed == 0 && slots[101].missed == 0);
	}
}

/* ---- loading ------------------------------------------------------------------------------- */

static void test_bpf_begin(void)
{
	grouped();
	NO(RANGE, sys_bpf_begin(EXO_NGROUP));
	NO(PERM, sys_bpf_begin(2));
	become(2);
	NO(PERM, sys_bpf_begin(1));
	CHECK(OK(sys_bpf_begin(0)) == 1 && load.env == 2);
}

static void test_bpf_put(void)
{
	grouped();
	NO(STATE, sys_bpf_put(CODE, 1));
	CHECK(OK(sys_bpf_begin(1)) == 1);
	NO(RANGE, sys_bpf_put(CODE, 0));
	NO(RANGE, sys_bpf_put(CODE, EXO_BPF_PUT + 1));
	NO(FAULT, sys_bpf_put(64 * EXO_PAGE_SIZE, 1));
	NO(FAULT, sys_bpf_put(4 * EXO_PAGE_SIZE - 8, 2));
	write_program((const struct exo_bpf_insn[]){INSN(0xff, 1, 2, -3, -4)}, 1);
	for (uint32_t i = 0; i < EXO_BPF_MAX_INSNS / EXO_BPF_PUT; i++)
		OK(sys_bpf_put(CODE, EXO_BPF_PUT));
	CHECK(memcmp(&load_program.insn[EXO_BPF_PUT], &load_program.insn[0], 8) == 0);
	CHECK(load_program.insn[0].op == 0xff && load_program.insn[0].regs == 0x21);
	CHECK(load_program.insn[0].off == -3 && load_program.insn[0].imm == -4);
	NO(RANGE, sys_bpf_put(CODE, 1));
	become(2);
	NO(STATE, sys_bpf_put(CODE, 1)); /* somebody else loads */
	become(1);
	CHECK(OK(sys_bpf_begin(0)) == 1);
	OK(sys_bpf_put(CODE, EXO_WAKE_INSNS));
	NO(RANGE, sys_bpf_put(CODE, 1)); /* a predicate is short */
}

static void test_bpf_verify(void)
{
	struct exo_bpf_insn loop[] = {MOV(0, 0), INSN(BPF_ALU64 | BPF_ADD, 0, 0, 0, 1),
				      INSN(BPF_JMP | BPF_JNE, 0, 0, -2, 1000), EXIT};
	uint64_t value;
	uint32_t parts = 0;

	grouped();
	NO(STATE, sys_bpf_verify());
	CHECK(OK(sys_bpf_begin(1)) == 1);
	become(2);
	NO(STATE, sys_bpf_verify());
	become(1);
	CHECK(EXO_BPF_ANSWER_REASON(OK(sys_bpf_verify())) == EXO_BPF_LENGTH); /* nothing was put */
	NO(STATE, sys_bpf_verify());					      /* it is over */
	value = LOAD_FOR(1, MOV(0, 0), MOV(10, 1), EXIT);
	CHECK(value == (EXO_BPF_FRAME | 1ull << 16));
	value = load_program_for(1, loop, 4);
	CHECK(EXO_BPF_ANSWER_REASON(value) == EXO_BPF_OK && EXO_BPF_ANSWER_STEPS(value) == 2002);
	loop[2].imm = 1024;
	value = load_program_for(1, loop, 4);
	CHECK(EXO_BPF_ANSWER_REASON(value) == EXO_BPF_BUDGET &&
	      EXO_BPF_ANSWER_STEPS(value) == 2050);
	CHECK(groups[1].bound == 2002 && groups[1].loaded == 1); /* it keeps what it had */
	loop[2].imm = 0;
	CHECK(OK(sys_bpf_begin(1)) == 1);
	write_program(loop, 4);
	OK(sys_bpf_put(CODE, 4));
	do {
		value = OK(sys_bpf_verify());
		parts++;
		NO(STATE, sys_bpf_put(CODE, 1)); /* what is verified is not changed */
	} while (EXO_BPF_ANSWER_REASON(value) == EXO_BPF_MORE);
	CHECK(EXO_BPF_ANSWER_REASON(value) == EXO_BPF_LOOP);
	CHECK(parts == 2 + EXO_BPF_MAX_STEPS / EXO_BPF_LOOK);
	CHECK(groups[1].bound == 2002);
}

/* The group's own program decides until the new one is accepted, and at once from then on. */
static void test_program_changes_while_it_runs(void)
{
	grouped();
	ACCEPTED(1, MOV(0, 5), EXIT);
	CHECK(OK(sys_bpf_begin(1)) == 1);
	write_program((const struct exo_bpf_insn[]){MOV(0, 0), EXIT}, 2);
	OK(sys_bpf_put(CODE, 2));
	CHECK(group_slot() == 3);
	become(1);
	CHECK(EXO_BPF_ANSWER_REASON(OK(sys_bpf_verify())) == EXO_BPF_MORE);
	write_program((const struct exo_bpf_insn[]){MOV(0, 63), EXIT}, 2); /* not what was put */
	CHECK(group_slot() == 3);
	become(1);
	CHECK(EXO_BPF_ANSWER_REASON(OK(sys_bpf_verify())) == EXO_BPF_OK);
	CHECK(groups[1].most == 0 && groups[1].steps == 2 * 2);
	CHECK(group_slot() == 2 && groups[1].loaded == 2 && groups[1].most == 2);
}

/* ---- who may load -------------------------------------------------------------------------- */

/* Does `e` come to load now? */
static uint64_t begins(uint32_t e)
{
	become(e);
	return OK(sys_bpf_begin(0));
}

static void pass(uint32_t ticks)
{
	for (uint32_t i = 0; i < ticks; i++)
		slot_tick();
}

/* Who begins again and again without an end is before the others for EXO_BPF_TICKS, no longer. */
static void test_loading_has_an_end(void)
{
	family();
	CHECK(begins(2) == 1 && begins(3) == 0);
	for (uint32_t i = 0; i < EXO_BPF_TICKS - 1; i++) {
		pass(1);
		CHECK(begins(2) == 1 && begins(3) == 0);
	}
	pass(1);
	CHECK(begins(2) == 0 && begins(3) == 1 && begins(2) == 0);
	become(2);
	NO(STATE, sys_bpf_put(CODE, 1));
	/* Alone, nobody makes room. */
	become(3);
	OK(sys_env_kill(SELF, 0));
	CHECK(begins(2) == 1);
	pass(2 * EXO_BPF_TICKS);
	CHECK(begins(2) == 1 && load.env == 2);
}

/* Two who take turns as fast as they can do not keep out a third. */
static void test_loading_goes_round(void)
{
	uint32_t rounds = 0;

	family();
	CHECK(begins(4) == 1);
	while (!begins(3) && rounds < 10) {
		for (uint32_t e = 2; e <= 4; e += 2) {
			become(e);
			if (load.env == e)
				(void)verify(); /* of nothing: it is over at once */
			begins(e);
		}
		rounds++;
	}
	CHECK(load.env == 3 && rounds <= 3);
}

/* Who has its turn and does not come loses it; so does who dies. */
static void test_turn_passes(void)
{
	family();
	CHECK(begins(2) == 1 && begins(3) == 0 && begins(4) == 0);
	become(2);
	OK(sys_env_kill(SELF, 0));
	CHECK(load.env == 0 && begins(4) == 0 && load.turn == 3);
	pass(EXO_BPF_TICKS - 1);
	CHECK(begins(4) == 0);
	pass(1);
	CHECK(begins(4) == 1 && begins(3) == 0);
	become(4);
	(void)verify();
	CHECK(begins(4) == 0 && load.turn == 3);
	become(3);
	OK(sys_env_kill(SELF, 0));
	CHECK(load.turn == 0 && begins(4) == 1);
	/* Who has its turn may come late, when nobody came before. */
	become(4);
	(void)verify();
	CHECK(begins(1) == 1 && begins(4) == 0);
	become(1);
	(void)verify();
	CHECK(begins(1) == 0 && load.turn == 4);
	pass(3 * EXO_BPF_TICKS);
	CHECK(begins(4) == 1);
}

/* A group that is freed takes what is loaded for it along. */
static void test_group_is_freed_while_it_loads(void)
{
	family();
	OK(sys_group_take(1, 0));
	CHECK(OK(sys_bpf_begin(1)) == 1);
	OK(sys_group_free(1));
	CHECK(load.env == 0);
	NO(STATE, sys_bpf_verify());
	OK(sys_group_take(1, 0));
	CHECK(OK(sys_bpf_begin(0)) == 1);
	OK(sys_group_free(1));
	CHECK(load.env == 1); /* a predicate has nothing to do with it */
}

/* ---- predicates ---------------------------------------------------------------------------- */

/* Wakes when a 32-bit field of what it sees is at least the low half of word 0. */
static void wakes_at(uint64_t field)
{
	ACCEPTED(0, MOV(0, 0), LOAD(BPF_W, 2, 1, field), LOAD(BPF_W, 3, 1, FEELS(word[0])),
		 INSN(BPF_JMP | BPF_JLT | BPF_X, 2, 3, 1, 0), MOV(0, 1), EXIT);
}

static const struct exo_regs *regs_of(uint32_t e)
{
	return &machine_save((struct pfn){envs[e].save})->regs;
}

static void test_wait_until(void)
{
	family();
	become(2);
	NO(STATE, sys_wait_until(1, 0, 0, 0, 0, 0));
	wakes_at(FEELS(completions));
	CHECK(wakers[2].w.insns == 6 && wakers[2].w.bound == 6);
	host_now = 50;
	NO(TIMEOUT, sys_wait_until(EXO_EV_IO, 50, 1, 0, 0, 0));
	envs[2].events = EXO_EV_IO | EXO_EV_REVOKE;
	CHECK(OK(sys_wait_until(EXO_EV_IO, 0, 0, 0, 0, 0)) == EXO_EV_IO); /* at once */
	CHECK(envs[2].events == EXO_EV_REVOKE && wakers[2].w.asked == 1 && wakers[2].w.held == 0);
	OK(sys_wait_until(EXO_EV_IO, 99, 3, 0, 0, 7));
	CHECK(envs[2].state == EXO_ENV_WAITING && wakers[2].w.asleep && timer_count == 1);
	CHECK(wakers[2].w.held == 1 && wakers[2].w.seen.word[3] == 7);
	for (host_completions[2] = 1; host_completions[2] < 3; host_completions[2]++) {
		event_raise(2, EXO_EV_IO);
		CHECK(envs[2].state == EXO_ENV_WAITING && check_state() == 0);
	}
	event_raise(2, EXO_EV_REVOKE); /* not of its mask: it is not asked */
	CHECK(wakers[2].w.asked == 4 && envs[2].state == EXO_ENV_WAITING);
	event_raise(2, EXO_EV_IO);
	CHECK(envs[2].state == EXO_ENV_RUNNABLE && !wakers[2].w.asleep && check_state() == 0);
	CHECK(regs_of(2)->rax == EXO_OK && regs_of(2)->rdx == EXO_EV_IO && timer_count == 0);
	CHECK(envs[2].events == EXO_EV_REVOKE && wakers[2].w.steps == 5 * 6 - 3);
}

/* What it sees: counts, its words, the time, events of its mask. */
static void test_predicate_sees(void)
{
	const struct exo_wake *const seen = &wakers[2].w.seen;

	family();
	become(2);
	ACCEPTED(0, MOV(0, 0), LOAD(BPF_H, 2, 1, FEELS(count[33])),
		 INSN(BPF_JMP | BPF_JNE, 2, 0, 1, 3), MOV(0, 1), EXIT);
	host_now = 70;
	OK(sys_wait_until(3ull << 32, 0, 1, 2, 3, 4));
	CHECK(seen->version == EXO_WAKE_VERSION && seen->slept == 70 && seen->now == 70);
	CHECK(seen->word[0] == 1 && seen->word[1] == 2 && seen->word[2] == 3 && seen->word[3] == 4);
	CHECK(seen->free_frames == info.free_frames && seen->completions == 0);
	host_now = 75;
	event_raise(2, 1ull << 33);
	event_raise(2, 1ull << 32 | 1ull << 33 | EXO_EV_IO);
	CHECK(seen->now == 75 && seen->slept == 70 && seen->events == 3ull << 32);
	CHECK(seen->count[33] == 2 && seen->count[32] == 1 && seen->count[1] == 1);
	event_raise(2, 1ull << 33);
	CHECK(envs[2].state == EXO_ENV_RUNNABLE && regs_of(2)->rdx == 3ull << 32);
	envs[2].events = 0;
	OK(sys_wait_until(3ull << 32, 0, 1, 2, 3, 4));
	CHECK(seen->count[33] == 0); /* counted anew */
	wakers[2].w.seen.count[5] = UINT16_MAX;
	event_raise(2, 1 << 5);
	CHECK(seen->count[5] == UINT16_MAX);
}

/* In a slot of its own it is asked though nothing has come: here about free frames. */
static void test_predicate_in_its_slot(void)
{
	family();
	become(2);
	wakes_at(FEELS(free_frames));
	OK(sys_wait_until(0, 0, info.free_frames + 1, 0, 0, 0));
	tick_to_slot(2);
	CHECK(cpus[0].current != 2 && wakers[2].w.asked == 2 && slots[2].missed == 1);
	tick_to_slot(1);
	CHECK(wakers[2].w.asked == 2);
	become(1);
	OK(sys_page_unmap(SELF, frame(1, L1), 3, 1));
	OK(sys_page_free(SELF, frame(1, DATA + 3)));
	CHECK(envs[2].state == EXO_ENV_WAITING);
	tick_to_slot(2);
	CHECK(cpus[0].current == 2 && wakers[2].w.asked == 3 && slots[2].used == 1);
	CHECK(regs_of(2)->rax == EXO_OK && regs_of(2)->rdx == 0 && check_state() == 0);
}

/* A member that has none is not asked in its group's, which are not its own to spend, even if it is
   named there: an event has it asked. */
static void test_predicate_of_a_member_without_slots(void)
{
	grouped();
	ACCEPTED(1, MOV(0, 0), EXIT); /* names the place of 2 */
	become(2);
	wakes_at(FEELS(free_frames));
	OK(sys_slot_free(2));
	OK(sys_wait_until(1, 0, info.free_frames + 1, 0, 0, 0));
	become(1);
	OK(sys_page_unmap(SELF, frame(1, L1), 3, 1));
	OK(sys_page_free(SELF, frame(1, DATA + 3)));
	CHECK(group_slot() == 1 && wakers[2].w.asked == 1);
	CHECK(groups[1].fault == EXO_GROUP_ASLEEP && envs[2].state == EXO_ENV_WAITING);
	event_raise(2, 1);
	CHECK(wakers[2].w.asked == 2 && envs[2].state == EXO_ENV_RUNNABLE);
	CHECK(group_slot() == 2 && check_state() == 0);
}

static void test_predicate_and_deadline(void)
{
	family();
	become(2);
	wakes_at(FEELS(completions));
	OK(sys_wait_until(1, host_now + 10, 1, 0, 0, 0));
	event_raise(2, 1);
	host_now += 10;
	timer_expire(host_now);
	CHECK(envs[2].state == EXO_ENV_RUNNABLE && regs_of(2)->rax == EXO_TIMEOUT);
	CHECK(!wakers[2].w.asleep && wakers[2].w.asked == 2 && envs[2].events == 1);
	envs[2].events = 0;
	OK(sys_wait(1, 0)); /* the plain wait has nothing to do with it */
	event_raise(2, 1);
	CHECK(envs[2].state == EXO_ENV_RUNNABLE && wakers[2].w.asked == 2);
}

/* A predicate dies with its environment: asleep, and for whoever has the number next. */
static void test_predicate_ends(void)
{
	family();
	become(2);
	wakes_at(FEELS(completions));
	OK(sys_wait_until(1, 0, 1, 0, 0, 0));
	become(1);
	OK(sys_env_kill(8, 0));
	CHECK(!wakers[2].w.asleep);
	tick_to_slot(2);
	CHECK(wakers[2].w.asked == 1);
	wake_forget(2);
	CHECK(wakers[2].w.insns == 0 && wakers[2].w.asked == 0);
}

static void test_predicate_over_budget(void)
{
	uint64_t value;

	family();
	become(2);
	value = LOAD_FOR(0, MOV(0, 0), INSN(BPF_ALU64 | BPF_ADD, 0, 0, 0, 1),
			 INSN(BPF_JMP | BPF_JNE, 0, 0, -2, 127), EXIT);
	CHECK(EXO_BPF_ANSWER_REASON(value) == EXO_BPF_OK);
	CHECK(EXO_BPF_ANSWER_STEPS(value) == EXO_WAKE_STEPS);
	value = LOAD_FOR(0, MOV(0, 0), INSN(BPF_ALU64 | BPF_ADD, 0, 0, 0, 1),
			 INSN(BPF_JMP | BPF_JNE, 0, 0, -2, 128), EXIT);
	CHECK(EXO_BPF_ANSWER_REASON(value) == EXO_BPF_BUDGET &&
	      wakers[2].w.bound == EXO_WAKE_STEPS);
	/* What is not behind its 200 bytes. */
	value = LOAD_FOR(0, LOAD(BPF_W, 0, 1, sizeof(struct exo_wake)), EXIT);
	CHECK(EXO_BPF_ANSWER_REASON(value) == EXO_BPF_CONTEXT);
}

/* ---- the checker --------------------------------------------------------------------------- */

#define PLANT(statement)                                                                           \
	do {                                                                                       \
		grouped();                                                                         \
		ACCEPTED(1, MOV(0, 5), EXIT);                                                      \
		CHECK(group_slot() == 3 && check_state() == 0);                                    \
		statement;                                                                         \
		if (check_state() == 0)                                                            \
			wrong(__LINE__, "not seen", #statement);                                   \
	} while (0)

static void test_checker_sees(void)
{
	PLANT(groups[1].slots++);
	PLANT(groups[1].owner = 2);
	PLANT(groups[1].owner = NENV);
	PLANT(groups[2].owner = 1);
	PLANT((groups[2].owner = 7, quota_used[7].n[EXO_QUOTA_GROUPS]++));
	PLANT(groups[2].loaded = 1);
	PLANT(groups[1].insns = 0);
	PLANT(groups[1].bound = EXO_GROUP_STEPS + 1);
	PLANT(groups[1].row = EXO_GROUP_FAILURES);
	PLANT(groups[1].most = EXO_GROUP_STEPS + 1);
	PLANT(quota_used[1].n[EXO_QUOTA_GROUPS] = 0);
	PLANT(quota_limit[1].n[EXO_QUOTA_GROUPS]++);
	PLANT(scenes[1].sched.member[0].env = 4);
	PLANT(scenes[1].sched.member[1].env = 3);
	PLANT(scenes[1].sched.member[0].env = 7);
	PLANT(scenes[1].sched.members++);
	PLANT(scenes[1].sched.last = 65);
	PLANT(scenes[2] = scenes[1]);
	PLANT(envs[4].group = 1);
	PLANT(envs[2].place = 1);
	PLANT(slots[3].group = 1);
	PLANT(slots[100].group = EXO_NGROUP);
	PLANT(cpus[0].chosen = 4);
	PLANT(load.env = 7);
	PLANT(load.turn = 7);
	PLANT((load.env = 1, load.turn = 2));
	PLANT((load.env = 2, load.group = 1));
	PLANT(load.group = EXO_NGROUP);
	PLANT(load_waiting[0] |= 1 << 7);
	PLANT(load_waiting[0] |= 1);
	PLANT((load.env = 2, load.group = 0, load_waiting[0] |= 1 << 2));
	PLANT(load.turn = NENV);
	PLANT((env_end(4, EXO_END_KILLED, 0, 0, 0, 0, 0, 0), load.turn = 4));
	PLANT(groups[3].owner = NENV);
	PLANT((slots[200].group = 3, groups[3].slots = 1));
	PLANT(groups[3].insns = 1);
	PLANT(groups[1].insns = EXO_BPF_MAX_INSNS + 1);
	PLANT((scenes[2].sched.member[0].env = 4, scenes[2].sched.members = 1, envs[4].group = 2));
	PLANT(cpus[0].position = 50);
	PLANT(cpus[0].chosen = 7);
	PLANT((env_end(1, EXO_END_KILLED, 0, 0, 0, 0, 0, 0), cpus[0].chosen = 3));
	PLANT(wakers[2].w.asleep = 2);
	PLANT((become(4), sys_wait(1, 0), wakers[4].w.asleep = 1));
	PLANT((wakers[2].w.insns = EXO_WAKE_INSNS + 1, wakers[2].w.bound = 1));
	PLANT((wakers[2].w.insns = 1, wakers[2].w.bound = EXO_WAKE_STEPS + 1));
	PLANT(wakers[2].w.asleep = 1);
	PLANT(wakers[2].w.insns = 1);
	PLANT(wakers[2].w.most = EXO_WAKE_STEPS + 1);
	PLANT((wakers[7].w.insns = 1, wakers[7].w.bound = 1));
}

/* ------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
#define TEST(name)                                                                                 \
	{                                                                                          \
#name, test_##name                                                                 \
	}
	TEST(group_take),
	TEST(group_free),
	TEST(group_join),
	TEST(group_leave),
	TEST(group_word),
	TEST(slot_group),
	TEST(revoked_slot_leaves_group),
	TEST(group_ends),
	TEST(group_and_predicate_before_reaping),
	TEST(choice_is_followed),
	TEST(chosen_as_owner),
	TEST(slice_ends_before_a_slot_of_a_group),
	TEST(chosen_caller),
	TEST(choice_ends_with_membership),
	TEST(failures),
	TEST(program_is_lost),
	TEST(starved),
	TEST(starved_longest),
	TEST(owner_ends),
	TEST(others_have_their_slots),
	TEST(bpf_begin),
	TEST(bpf_put),
	TEST(bpf_verify),
	TEST(program_changes_while_it_runs),
	TEST(loading_has_an_end),
	TEST(loading_goes_round),
	TEST(turn_passes),
	TEST(group_is_freed_while_it_loads),
	TEST(wait_until),
	TEST(predicate_sees),
	TEST(predicate_in_its_slot),
	TEST(predicate_of_a_member_without_slots),
	TEST(predicate_and_deadline),
	TEST(predicate_ends),
	TEST(predicate_over_budget),
	TEST(checker_sees),
#undef TEST
};

int main(void)
{
	int failed = 0;

	for (uint32_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		failed |= core_run("group", tests[i].name, tests[i].run);
	return failed;
}
