/*
 * slot.c - owns the vector of CPU slots, which of them can be used now, and the choice of who runs.
 *
 * Invariant: see slot.h.  cpu.next, when set, is who has the rest of the slice: the target of a
 * directed yield, or a borrower of a slot whose owner cannot run; it ends with the slice, and when
 * the owner of the slot wakes.  Every choice is a search in four words.  No lock: one CPU in the
 * kernel.  Called by programs, by env.c and event.c when somebody can or cannot run, by x86/.
 */
#include "slot.h"
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "group.h"
#include "info.h"
#include "ipc.h"
#include "machine.h"
#include "quota.h"
#include "syscall.h"
#include "trace.h"
#include "wake.h"

struct exo_slot slots[EXO_NSLOT] TABLE(slots);
uint64_t slot_runnable[SLOT_WORDS];
uint32_t slot_enders;

/*@ requires word != 0;
    assigns \nothing;
    ensures 0 <= \result < 64; */
static uint32_t first_bit(uint64_t word)
{
	return (uint32_t)__builtin_ctzll(word);
}

/* May e run now? */
static int env_runnable(uint32_t e)
{
	return envs[e].state == EXO_ENV_RUNNABLE;
}

/*@ requires e < EXO_NENV;
    assigns \nothing;
    ensures \result == 0 || envs[\result].state == EXO_ENV_RUNNABLE; */
uint32_t slot_user(uint32_t e)
{
	/*@ loop invariant e < EXO_NENV && 0 <= n <= IPC_DEPTH;
	    loop assigns e, n;
	    loop variant IPC_DEPTH - n; */
	for (uint32_t n = 0; n < IPC_DEPTH && envs[e].calling != 0; n++) {
		if (envs[envs[e].calling].client != e)
			return 0;
		e = envs[e].calling;
	}
	return env_runnable(e) ? e : 0;
}

/* The slots of word w that e runs in when it can: its own and those of its clients. */
/*@ requires e < EXO_NENV && w < SLOT_WORDS;
    assigns \nothing; */
static uint64_t slots_for(uint32_t e, uint32_t w)
{
	uint64_t found = envs[e].slots[w];

	/*@ loop invariant e < EXO_NENV && 0 <= n <= IPC_DEPTH;
	    loop assigns e, n, found;
	    loop variant IPC_DEPTH - n; */
	for (uint32_t n = 0; n < IPC_DEPTH && envs[e].client != 0; n++) {
		e = envs[e].client;
		found |= envs[e].slots[w];
	}
	return found;
}

/*
 * The first usable slot after `after` in the circle that is not for `except` (0: anyone);
 * EXO_NSLOT: there is none.
 */
/*@ requires after < EXO_NSLOT && except < EXO_NENV;
    assigns \nothing;
    ensures \result <= EXO_NSLOT; */
static uint32_t slot_after(uint32_t after, uint32_t except)
{
	const uint32_t start = (after + 1) % EXO_NSLOT;
	uint64_t mask = ~0ull << start % 64;

	/*@ loop invariant 0 <= i <= SLOT_WORDS + 1;
	    loop assigns i, mask;
	    loop variant SLOT_WORDS + 1 - i; */
	for (uint32_t i = 0; i <= SLOT_WORDS; i++) {
		const uint32_t w = (start / 64 + i) % SLOT_WORDS;
		const uint64_t found = slot_runnable[w] & ~slots_for(except, w) & mask;

		if (found != 0)
			return w * 64 + first_bit(found);
		mask = ~0ull;
	}
	return EXO_NSLOT;
}

/* Whose the running slot is: the member's that was chosen for it, else its owner's; 0: nobody's. */
/*@ requires \valid_read(cpu) && cpu->position < EXO_NSLOT;
    assigns \nothing; */
static uint32_t holder(const struct cpu *cpu)
{
	return cpu->chosen != 0 ? cpu->chosen : slots[cpu->position].owner;
}

/*@ requires e < EXO_NENV;
    assigns slot_runnable[0 .. SLOT_WORDS - 1], cpus[0]; */
void slot_ready(uint32_t e)
{
	struct cpu *const cpu = cpu_this();
	uint64_t any = 0;

	/*@ loop invariant 0 <= w <= SLOT_WORDS;
	    loop assigns w, any, slot_runnable[0 .. SLOT_WORDS - 1];
	    loop variant SLOT_WORDS - w; */
	for (uint32_t w = 0; w < SLOT_WORDS; w++) {
		const uint64_t found = slots_for(e, w);

		slot_runnable[w] |= found;
		any |= found;
	}
	if (slot_user(holder(cpu)) == e) {
		cpu->next = 0;
		cpu->resched = 1;
	} else if (cpu->current == 0 && any != 0) {
		cpu->resched = 1;
	}
}

/*@ requires e < EXO_NENV;
    assigns slot_runnable[0 .. SLOT_WORDS - 1]; */
void slot_lend(uint32_t e)
{
	/*@ loop invariant 0 <= w <= SLOT_WORDS;
	    loop assigns w, slot_runnable[0 .. SLOT_WORDS - 1];
	    loop variant SLOT_WORDS - w; */
	for (uint32_t w = 0; w < SLOT_WORDS; w++)
		slot_runnable[w] |= envs[e].slots[w];
}

/*@ requires e < EXO_NENV;
    assigns cpus[0]; */
void slot_end(uint32_t e)
{
	struct cpu *const cpu = cpu_this();

	if (cpu->next == e)
		cpu->next = 0;
	if (cpu->current == e)
		cpu->resched = 1;
	if (cpu->told == e)
		cpu->told = 0;
}

/* Nobody is chosen for the running slot any more. */
/*@ assigns cpus[0];
    ensures cpus[0].chosen == 0; */
static void choose_nobody(void)
{
	const uint32_t user = slot_user(cpu_this()->chosen);

	if (cpu_this()->chosen == 0)
		return;
	cpu_this()->chosen = 0;
	slot_end(user);
}

/*@ requires 0 < e < EXO_NENV;
    assigns cpus[0];
    ensures cpus[0].chosen != e; */
void slot_unchoose(uint32_t e)
{
	if (cpu_this()->chosen == e)
		choose_nobody();
}

/*@ requires 0 < e < EXO_NENV;
    assigns cpus[0]; */
void slot_orphan(uint32_t e)
{
	if (slots[cpu_this()->position].owner == e)
		choose_nobody();
}

/*@ requires e < EXO_NENV;
    assigns slot_runnable[0 .. SLOT_WORDS - 1], cpus[0]; */
void slot_unready(uint32_t e)
{
	/*@ loop invariant 0 <= w <= SLOT_WORDS;
	    loop assigns w, slot_runnable[0 .. SLOT_WORDS - 1];
	    loop variant SLOT_WORDS - w; */
	for (uint32_t w = 0; w < SLOT_WORDS; w++)
		slot_runnable[w] &= ~slots_for(e, w);
	slot_end(e);
}

/*@ assigns cpus[0];
    ensures \result != 0 ==> envs[\result].state == EXO_ENV_RUNNABLE; */
uint32_t cpu_next(void)
{
	struct cpu *const cpu = cpu_this();
	uint32_t first, e, s;

	cpu->resched = 0;
	if (cpu->next != 0)
		return cpu->next;
	first = holder(cpu);
	e = slot_user(first);
	if (e != 0 && !cpu->forfeit)
		return e;
	s = slot_after(cpu->borrow, cpu->forfeit ? first : 0);
	if (s == EXO_NSLOT)
		return e;
	cpu->borrow = s;
	cpu->next = slot_user(slots[s].owner);
	return cpu->next;
}

void slot_upcalls(uint32_t e, uint8_t wanted)
{
	slot_enders -= (envs[e].slice_upcall & EXO_SLICE_END) != 0;
	slot_enders += (wanted & EXO_SLICE_END) != 0;
	envs[e].slice_upcall = wanted;
}

/*@ requires e < EXO_NENV;
    assigns cpus[0].told; */
int slot_ending(uint32_t e)
{
	const uint32_t next = (cpu_this()->position + 1) % EXO_NSLOT;

	if ((envs[e].slice_upcall & EXO_SLICE_END) == 0 ||
	    (slots[next].owner == e && slots[next].group == 0))
		return 0;
	cpu_this()->told = e;
	return 1;
}

/* The slice is over: who was told and is still here has overrun it. */
static void overrun(struct cpu *cpu)
{
	const uint32_t e = cpu->told;

	cpu->told = 0;
	if (e == 0 || e != cpu->current)
		return;
	envs[e].overruns++;
	if (envs[e].penalty < UINT16_MAX)
		envs[e].penalty++;
}

/* Whether e, whose slot begins, has forfeited it. */
static uint32_t forfeits(uint32_t e)
{
	if (e == 0 || envs[e].penalty == 0)
		return 0;
	envs[e].penalty--;
	return 1;
}

/* Whose the slot is that begins: a member's, where it has a group that chooses. */
static uint32_t begin(struct cpu *cpu)
{
	const uint32_t g = slots[cpu->position].group;

	cpu->chosen = 0;
	if (g != 0)
		cpu->chosen = group_choose(g);
	return holder(cpu);
}

void slot_tick(void)
{
	struct cpu *const cpu = cpu_this();
	uint32_t e, whose;

	overrun(cpu);
	cpu->position = (cpu->position + 1) % EXO_NSLOT;
	cpu->next = 0;
	info.ticks++;
	info.current_slot = cpu->position;
	whose = begin(cpu);
	if (wakers[whose].w.asleep)
		wake_slot(whose);
	cpu->forfeit = forfeits(whose);
	e = cpu_next();
	cpu->resched = e != cpu->current;
	if (e == 0)
		info.idle_ticks++;
	else
		envs[e].used_ticks++;
	if (whose != 0 && e == slot_user(whose))
		slots[cpu->position].used++;
	else if (whose != 0)
		slots[cpu->position].missed++;
	if (e != 0 && e != slot_user(whose))
		slots[cpu->position].given++;
	trace(EXO_TRACE_SLICE, e, cpu->forfeit, cpu->position, whose);
	if (slot_enders != 0)
		machine_slice_timer();
}

/* ---- owning slots ------------------------------------------------------------------------ */

/* Slot s, nobody's, becomes e's. */
static void slot_assign(uint32_t e, uint32_t s)
{
	const uint64_t bit = 1ull << s % 64;

	slots[s].owner = (uint16_t)e;
	envs[e].slots[s / 64] |= bit;
	if (slot_user(e) != 0)
		slot_runnable[s / 64] |= bit;
}

/* Slot s is group g's from now on (0: no group's). */
/*@ requires s < EXO_NSLOT && g < EXO_NGROUP;
    ensures slots[s].group == g; */
static void slot_hand(uint32_t s, uint32_t g)
{
	if (cpu_this()->position == s)
		choose_nobody();
	if (slots[s].group != 0)
		groups[slots[s].group].slots--;
	slots[s].group = (uint16_t)g;
	if (g != 0)
		groups[g].slots++;
}

/* Slot s, e's, becomes nobody's. */
static void slot_withdraw(uint32_t e, uint32_t s)
{
	const uint64_t bit = 1ull << s % 64;

	slot_hand(s, 0);
	slots[s].owner = 0;
	envs[e].slots[s / 64] &= ~bit;
	slot_runnable[s / 64] &= ~bit;
}

/*@ requires 0 < e < EXO_NENV && s < EXO_NSLOT && slots[s].owner == e;
    ensures slots[s].owner == 0; */
void slot_release(uint32_t e, uint32_t s)
{
	slot_withdraw(e, s);
	quota_release(e, EXO_QUOTA_SLOTS, 1);
}

/*@ requires 0 < from < EXO_NENV && 0 < to < EXO_NENV && from != to;
    requires s < EXO_NSLOT && slots[s].owner == from;
    ensures slots[s].owner == to; */
void slot_pass(uint32_t from, uint32_t to, uint32_t s)
{
	slot_withdraw(from, s);
	quota_pass(from, to, EXO_QUOTA_SLOTS, 1);
	slot_assign(to, s);
}

struct exo_result sys_slot_take(uint64_t ce, uint64_t slot)
{
	uint32_t e;
	enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_BUILD, &e);

	if (status != EXO_OK)
		return refuse(status);
	if (slot >= EXO_NSLOT)
		return refuse(EXO_RANGE);
	if (slots[slot].owner != 0)
		return refuse(EXO_OCCUPIED);
	status = quota_room(e, EXO_QUOTA_SLOTS, 1);
	if (status != EXO_OK)
		return refuse(status);
	quota_charge(e, EXO_QUOTA_SLOTS, 1);
	slot_assign(e, (uint32_t)slot);
	return refuse(EXO_OK);
}

struct exo_result sys_slot_give(uint64_t slot, uint64_t ce)
{
	const uint32_t me = cpu_self();
	uint32_t e;
	enum exo_status status;

	if (slot >= EXO_NSLOT)
		return refuse(EXO_RANGE);
	if (slots[slot].owner != me)
		return refuse(EXO_PERM);
	status = cap_live_env(me, ce, EXO_ENV_GIVE, &e);
	if (status != EXO_OK)
		return refuse(status);
	if (e != me)
		slot_pass(me, e, (uint32_t)slot);
	return refuse(EXO_OK);
}

struct exo_result sys_slot_free(uint64_t slot)
{
	if (slot >= EXO_NSLOT)
		return refuse(EXO_RANGE);
	if (slots[slot].owner != cpu_self())
		return refuse(EXO_PERM);
	slot_release(cpu_self(), (uint32_t)slot);
	return refuse(EXO_OK);
}

struct exo_result sys_slot_group(uint64_t slot, uint64_t group)
{
	enum exo_status status = EXO_OK;

	if (slot >= EXO_NSLOT || group >= EXO_NGROUP)
		return refuse(EXO_RANGE);
	if (slots[slot].owner != cpu_self())
		return refuse(EXO_PERM);
	if (group != 0)
		status = group_owned(cpu_self(), group);
	if (status == EXO_OK)
		slot_hand((uint32_t)slot, (uint32_t)group);
	return refuse(status);
}

/* ---- yielding ---------------------------------------------------------------------------- */

/* Who gets what `me` leaves of the slice when it names nobody: whose slot it is, or the next
   borrower; `me` when there is no one else. */
static uint32_t yield_any(uint32_t me)
{
	struct cpu *const cpu = cpu_this();
	const uint32_t user = slot_user(holder(cpu));
	uint32_t s;

	if (user != 0 && user != me && !cpu->forfeit)
		return user;
	s = slot_after(cpu->borrow, me);
	if (s == EXO_NSLOT)
		return me;
	cpu->borrow = s;
	return slot_user(slots[s].owner);
}

struct exo_result sys_yield(uint64_t eid)
{
	const uint32_t me = cpu_self();
	uint32_t to;

	if (eid == 0) {
		to = yield_any(me);
	} else {
		to = env_by_eid(eid);
		if (to == 0)
			return refuse(EXO_STALE);
		if (!env_runnable(to))
			return refuse(EXO_STATE);
	}
	if (cpu_this()->told == me)
		cpu_this()->told = 0;
	if (to != me) {
		cpu_this()->next = to;
		cpu_this()->resched = 1;
		envs[me].given_ticks++;
	}
	return refuse(EXO_OK);
}
