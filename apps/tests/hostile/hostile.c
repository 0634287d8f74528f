/*
 * hostile - a scheduling group whose program does all it can against whoever is not in it.
 *
 * This process owns the group; `first` and `second` are its members, `outsider` is a process with
 * CPU slots of its own.  All of them run without an end.  After each program: what the kernel says
 * became of it, and whether the outsider had every slot that it owns when it came up.  Programs are
 * a few instructions, by hand.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <libos/call.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>

enum {
	GROUP = 1,
	OTHERS = 2, /* the group of who is killed */
	FIRST = 0,  /* places */
	SECOND = 1,
	SLEEPER = 2,
	MORTAL = 3,
	NEVER = 9,
	CAP = 40, /* capability slots: this and those after it */
	SLOTS = 8,
	PATIENCE = 3 * EXO_NSLOT / SLOTS,
	MS = 1000000,
	LIMIT_MS = 20000, /* of the machine's time, for each program */
};

#define INSN(op, dst, src, off, imm)                                                               \
	{                                                                                          \
		(op), (dst) | (src) << 4, (off), (imm)                                             \
	}
#define ANSWER(imm)	 INSN(BPF_ALU64 | BPF_MOV, 0, 0, 0, imm)
#define ADD(imm)	 INSN(BPF_ALU64 | BPF_ADD, 0, 0, 0, imm)
#define UNLESS(imm, off) INSN(BPF_JMP | BPF_JNE, 0, 0, off, imm)
#define EXIT		 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int failed;

static _Noreturn void give_up(const char *why)
{
	printf("FAIL hostile cannot begin: %s\n", why);
	exit(2);
}

static void expect(const char *what, int good)
{
	printf("%s hostile %s\n", good ? "ok" : "FAIL", what);
	failed |= !good;
}

/* ---- processes ------------------------------------------------------------------------------ */

struct process {
	pid_t pid;
	uint64_t eid;
	uint32_t cap;
};

static void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static void sleep_for_ever(void)
{
	for (;;)
		(void)pause();
}

/* CPU slots that nobody has, spread over the vector, become the caller's: how many of n. */
static uint32_t take_slots(uint32_t n, uint16_t slot[SLOTS])
{
	uint32_t got = 0;

	for (uint32_t i = 0; i < EXO_NSLOT && got < n; i++) {
		const uint32_t s = (got * EXO_NSLOT / n + i) % EXO_NSLOT;

		if (call_slot_take(EXO_SELF.n, s).status == EXO_OK)
			slot[got++] = (uint16_t)s;
	}
	return got;
}

static void outsider(void)
{
	uint16_t slot[SLOTS];

	(void)take_slots(SLOTS, slot);
	spin();
}

/* A child that does this, once it runs, with a capability to it. */
static struct process begin(void (*does)(void))
{
	static uint32_t caps;
	struct process p = {.cap = CAP + caps++};
	int ends[2];

	if (pipe(ends) != 0)
		give_up("no pipe");
	p.pid = fork();
	if (p.pid == 0) {
		const uint64_t me = start_self();

		(void)write(ends[1], &me, sizeof me);
		does();
	}
	if (p.pid < 0 || read(ends[0], &p.eid, sizeof p.eid) != sizeof p.eid)
		give_up("no child");
	if (call_env_open(p.eid, p.cap).status != EXO_OK)
		give_up("no capability to a child");
	(void)close(ends[0]);
	(void)close(ends[1]);
	return p;
}

static void end(const struct process *p)
{
	(void)call_cap_drop(p->cap);
	(void)kill(p->pid, SIGKILL);
	(void)waitpid(p->pid, NULL, 0);
}

static uint32_t index_of(const struct process *p)
{
	return (uint32_t)(p->eid & 0xffff);
}

static void wait_ms(uint32_t ms)
{
	(void)time_sleep_until(time_now() + ms * (uint64_t)MS, 0);
}

/* Ticks are what counts: of a host that is busy, fewer come than its clock says. */
static void wait_turns(uint32_t n)
{
	const uint64_t until = tables_info()->ticks + n * EXO_NSLOT;

	while (tables_info()->ticks < until)
		wait_ms(EXO_NSLOT / 4);
}

/* ---- the bystander's slots ------------------------------------------------------------------ */

/* The slots at some time between two ticks, which may lie far apart: others run as well. */
struct watch {
	uint16_t owner[EXO_NSLOT];
	uint32_t used[EXO_NSLOT], missed[EXO_NSLOT];
	uint64_t first, last;
};

static struct watch before, after;

static void look(struct watch *w)
{
	w->first = tables_info()->ticks;
	for (uint32_t s = 0; s < EXO_NSLOT; s++) {
		w->owner[s] = tables_slot(s)->owner;
		w->used[s] = tables_slot(s)->used;
		w->missed[s] = tables_slot(s)->missed;
	}
	w->last = tables_info()->ticks;
}

static void watch_begin(void)
{
	look(&before);
}

/* Has e had each of its slots each time?  A turn may just have begun, or ended. */
static int had_all(uint32_t e)
{
	uint64_t least, most;
	uint32_t owned = 0;

	look(&after);
	least = (after.first - before.last) / EXO_NSLOT;
	most = (after.last - before.first) / EXO_NSLOT + 1;
	for (uint32_t s = 0; s < EXO_NSLOT; s++) {
		const uint32_t used = after.used[s] - before.used[s];

		if (after.owner[s] != e || before.owner[s] != e)
			continue;
		owned++;
		if (after.missed[s] != before.missed[s] || used < least || used > most)
			return 0;
	}
	return owned != 0 && least != 0;
}

/* ---- loading -------------------------------------------------------------------------------- */

static void put(uint32_t group, const struct exo_bpf_insn *insn, uint32_t n)
{
	while (call_bpf_begin(group).value == 0)
		wait_ms(1);
	(void)call_bpf_put((uint64_t)insn, n);
}

/* What comes of a program of n instructions, at most EXO_BPF_PUT. */
static uint64_t load(uint32_t group, const struct exo_bpf_insn *insn, uint32_t n)
{
	struct exo_result r;

	put(group, insn, n);
	do
		r = call_bpf_verify();
	while (r.status == EXO_OK && EXO_BPF_ANSWER_REASON(r.value) == EXO_BPF_MORE);
	return r.value;
}

static int load_answer(uint32_t group, int32_t answer)
{
	const struct exo_bpf_insn insn[] = {ANSWER(answer), EXIT};

	return EXO_BPF_ANSWER_REASON(load(group, insn, 2)) == EXO_BPF_OK;
}

/* ---- programs that fail --------------------------------------------------------------------- */

static struct process first, second, bystander;

/* The program that answers so fails in that way until it is taken away. */
static void fails(const char *what, int32_t answer, enum exo_group_fault fault)
{
	const volatile struct exo_group *const g = tables_group(GROUP);
	const uint64_t failures = g->failed[fault], until = time_now() + LIMIT_MS * (uint64_t)MS;
	const uint32_t lost = g->lost;
	int good = load_answer(GROUP, answer);

	watch_begin();
	while (good && g->lost == lost && time_now() < until)
		wait_turns(1);
	wait_turns(1);
	good &= g->lost == lost + 1 && g->insns == 0 && g->fault == fault;
	good &= g->failed[fault] == failures + EXO_GROUP_FAILURES;
	expect(what, good && had_all(index_of(&bystander)));
}

static uint16_t mine[SLOTS]; /* of the group */

static void group_make(uint32_t patience)
{
	if (call_group_take(GROUP, patience).status != EXO_OK)
		give_up("no group");
	(void)call_group_join(GROUP, FIRST, first.cap);
	(void)call_group_join(GROUP, SECOND, second.cap);
	for (uint32_t i = 0; i < SLOTS; i++)
		(void)call_slot_group(mine[i], GROUP);
}

static void group_end(void)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		(void)call_slot_group(mine[i], 0);
	expect("a group is given up", call_group_free(GROUP).status == EXO_OK);
}

static void test_nonsense(void)
{
	fails("answers what is no place", EXO_SCHED_NONE + 1, EXO_GROUP_NONSENSE);
	fails("answers a number below zero", -1, EXO_GROUP_NONSENSE);
	fails("answers a place where nobody is", NEVER, EXO_GROUP_EMPTY);
	expect("the owner is told",
	       (tables_env((uint32_t)(start_self() & 0xffff))->events & EXO_EV_GROUP) != 0);
}

/* A place is no environment: what it names is a member, or nobody. */
static void test_foreign(void)
{
	const uint64_t used = tables_env(index_of(&bystander))->used_ticks;

	fails("answers the number of a foreign environment", 64 + (int32_t)index_of(&bystander),
	      EXO_GROUP_NONSENSE);
	expect("that one runs on", tables_env(index_of(&bystander))->used_ticks > used);
}

static void test_dead(void)
{
	struct process mortal = begin(spin);

	(void)call_group_join(GROUP, MORTAL, mortal.cap);
	expect("a member is chosen while it lives", load_answer(GROUP, MORTAL));
	while (tables_sched(GROUP)->member[MORTAL].used == 0)
		wait_ms(10);
	end(&mortal);
	fails("answers a dead environment", MORTAL, EXO_GROUP_EMPTY);
}

static void test_asleep(void)
{
	struct process sleeper = begin(sleep_for_ever);

	wait_ms(50);
	(void)call_group_join(GROUP, SLEEPER, sleeper.cap);
	fails("answers a member that never runs", SLEEPER, EXO_GROUP_ASLEEP);
	expect("its misses are counted",
	       tables_sched(GROUP)->member[SLEEPER].missed == EXO_GROUP_FAILURES);
	end(&sleeper);
}

static void test_starving(void)
{
	group_end();
	group_make(PATIENCE);
	fails("lets a member starve", FIRST, EXO_GROUP_STARVED);
	expect("which is named", tables_group(GROUP)->answer == SECOND);
	expect("the other had its slots before", tables_group(GROUP)->followed != 0);
}

/* ---- programs that are refused -------------------------------------------------------------- */

static void test_looping(void)
{
	static const struct exo_bpf_insn loop[] = {ANSWER(0), ADD(1), UNLESS(0, -2), EXIT};
	static const struct exo_bpf_insn far[] = {ANSWER(0), ADD(1), UNLESS(2000, -2), EXIT};
	uint64_t value;

	watch_begin();
	value = load(GROUP, loop, 4);
	expect("loops, and is refused for it", EXO_BPF_ANSWER_REASON(value) == EXO_BPF_LOOP);
	value = load(GROUP, far, 4);
	expect("takes too many steps, and is told how many",
	       EXO_BPF_ANSWER_REASON(value) == EXO_BPF_BUDGET &&
		       EXO_BPF_ANSWER_STEPS(value) == 2 * 2000 + 2);
	wait_turns(2);
	expect("others ran while it was looked at", had_all(index_of(&bystander)));
}

/* What is loaded is a copy; the program that it replaces decides until it is accepted. */
static void test_changing(void)
{
	static struct exo_bpf_insn insn[] = {ANSWER(SECOND), EXIT};
	const volatile struct exo_sched *const s = tables_sched(GROUP);
	uint64_t used[2];

	expect("a program is in use", load_answer(GROUP, FIRST));
	used[SECOND] = s->member[SECOND].used;
	put(GROUP, insn, 2);
	insn[0].imm = NEVER; /* too late */
	used[FIRST] = s->member[FIRST].used;
	while (s->member[FIRST].used < used[FIRST] + SLOTS)
		wait_ms(EXO_NSLOT);
	expect("it decides while the next one is loaded", s->member[SECOND].used == used[SECOND]);
	while (EXO_BPF_ANSWER_REASON(call_bpf_verify().value) == EXO_BPF_MORE)
		;
	used[FIRST] = s->member[FIRST].used;
	while (s->member[SECOND].used < used[SECOND] + SLOTS)
		wait_ms(EXO_NSLOT);
	expect("the next one decides from then on, as it was put",
	       s->member[FIRST].used <= used[FIRST] + 1);
}

/* ---- an owner that is killed ---------------------------------------------------------------- */

static void own_a_group(void)
{
	struct process member = begin(spin);
	uint16_t slot[SLOTS];

	while (call_group_take(OTHERS, 0).status != EXO_OK)
		wait_ms(1); /* its quota is on the way */
	(void)call_group_join(OTHERS, 0, member.cap);
	(void)load_answer(OTHERS, 0);
	for (uint32_t n = take_slots(SLOTS, slot); n != 0; n--)
		(void)call_slot_group(slot[n - 1], OTHERS);
	sleep_for_ever();
}

/* Kills it, and lets three turns pass in which the libOS does not bury it; what it had is then what
   the kernel has left of it. */
static void kill_unburied(const struct process *p, const volatile struct exo_group *g)
{
	const volatile struct exo_env *const me = tables_env((uint32_t)(start_self() & 0xffff));
	const uint64_t mask = me->event_upcall, until = tables_info()->ticks + 3 * EXO_NSLOT;
	uint64_t followed;

	(void)call_env_set(EXO_SELF.n, EXO_SET_EVENT_UPCALL, 0);
	(void)call_env_kill(p->cap, 0);
	followed = g->followed;
	while (tables_info()->ticks < until)
		(void)call_wait(0, time_now() + EXO_NSLOT * (uint64_t)MS);
	expect("its owner is killed: nobody is asked any more",
	       g->followed == followed && g->failed[EXO_GROUP_OWNER] != 0);
	(void)call_env_set(EXO_SELF.n, EXO_SET_EVENT_UPCALL, mask);
}

static void test_owner_killed(void)
{
	const volatile struct exo_group *const g = tables_group(OTHERS);
	struct process owner;

	for (uint32_t i = 0; i < SLOTS; i++)
		(void)call_slot_free(mine[i]); /* so that there are some for the other */
	owner = begin(own_a_group);
	(void)call_quota_move(owner.cap, EXO_QUOTA_GROUPS, 1);
	while (g->followed < SLOTS)
		wait_ms(EXO_NSLOT);
	watch_begin();
	kill_unburied(&owner, g);
	expect("and others have what is theirs", had_all(index_of(&bystander)));
	end(&owner);
	expect("it is taken apart with its owner", g->owner == 0);
}

int main(void)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (take_slots(SLOTS, mine) != SLOTS)
		give_up("no CPU slots");
	first = begin(spin);
	second = begin(spin);
	bystander = begin(outsider);
	group_make(0);
	test_nonsense();
	test_foreign();
	test_dead();
	test_asleep();
	test_looping();
	test_changing();
	test_starving();
	group_end();
	test_owner_killed();
	end(&first);
	end(&second);
	end(&bystander);
	return failed;
}
