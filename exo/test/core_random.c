/*
 * core_random.c - long random sequences of calls with nearly right arguments, on a small machine.
 *
 * After each granted call every invariant is checked, that no translation was left in the TLB, and
 * that the caller touched nothing it had no capability for; after each refused call the state must
 * be what it was, and the status one that syscall.def lists.  Seeded, so that a failure repeats:
 * arguments: [seed [steps]].
 */
#include <stdio.h>
#include <stdlib.h>
#include "../kern/cap.h"
#include "../kern/check.h"
#include "../kern/cpu.h"
#include "../kern/env.h"
#include "../kern/event.h"
#include "../kern/info.h"
#include "../kern/ipc.h"
#include "../kern/page.h"
#include "../kern/quota.h"
#include "../kern/registry.h"
#include "../kern/revoke.h"
#include "../kern/slot.h"
#include "../kern/syscall.h"
#include "../kern/table.h"
#include "../kern/timer.h"
#include "machine_host.h"

enum {
	NENV = 6,
	FRAMES = 1024,
	FIRST_FREE = 16,
	POOL_END = 112, /* frames from here to the run do not exist */
	RUN_START = 512,
	LIFE = 4000, /* calls until the world is made anew */
	STEPS = 300000,
	LAST_CALL = 27,
	CALL_ENV_OPEN = 38,
	CALL_IPC_CALL = 39,
	CALL_IPC_REPLY_WAIT = 40,
	CALL_REVOKE_ASK = 41,
	CALL_REVOKE_TAKE = 42,
	CALL_BLOCK_BIND = 45,
	NCALL = 46,
	DEVICES = 12, /* frames from here to FIRST_FREE are a device */
};

static uint64_t seed;

static uint64_t dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* 0 .. n-1 */
static uint64_t below(uint64_t n)
{
	return dice() % n;
}

static int chance(uint32_t percent)
{
	return below(100) < percent;
}

/* ---- arguments --------------------------------------------------------------------------- */

static uint32_t me;	/* who calls */
static uint32_t target; /* whom the call is about: of the capability slot that was chosen */
static uint32_t table;	/* the table that was chosen */
static uint64_t via;	/* capability slot that goes with the frame that was chosen */

/* A word that means nothing. */
static uint64_t junk(void)
{
	static const uint64_t words[] = {0,   1,    64,		255,   256,
					 512, 1024, 1ull << 32, ~0ull, 1ull << 63};

	return chance(50) ? words[below(10)] : dice() >> below(64);
}

/* A full slot of the caller of this kind (0: any). */
static uint64_t full_slot(uint8_t kind)
{
	const uint32_t start = (uint32_t)below(EXO_NCAP);

	for (uint32_t i = 0; i < EXO_NCAP; i++) {
		const uint32_t s = (start + i) % EXO_NCAP;

		if (caps[me].c[s].kind != EXO_CAP_NONE && (kind == 0 || caps[me].c[s].kind == kind))
			return s;
	}
	return 0;
}

static uint64_t pick_ce(void)
{
	const uint64_t s = chance(40) ? 0 : full_slot(chance(95) ? EXO_CAP_ENV : 0);

	target = caps[me].c[s].kind == EXO_CAP_ENV ? caps[me].c[s].object : me;
	return s;
}

static uint64_t pick_empty(void)
{
	const uint32_t e = chance(70) ? me : target;

	for (uint32_t i = 0; i < 8; i++) {
		const uint64_t d = below(12);

		if (caps[e].c[d].kind == EXO_CAP_NONE)
			return d;
	}
	return below(EXO_NCAP);
}

/* A frame for which the state is `state` and the owner `owner` (0: whatever). */
static uint64_t pick_frame(uint8_t state, uint32_t owner, uint32_t level)
{
	const uint32_t start = (uint32_t)below(FRAMES);

	for (uint32_t i = 0; i < FRAMES; i++) {
		const uint32_t f = (start + i) % FRAMES;

		if (pages[f].state == state && (owner == 0 || pages[f].owner == owner) &&
		    (level == 0 || pages[f].level == level) && (f < POOL_END || chance(5)))
			return f;
	}
	return below(FRAMES);
}

static uint64_t pick_owned(void)
{
	const uint32_t e = chance(80) ? target : me;

	return pick_frame((uint8_t)(chance(70) ? EXO_PAGE_DATA : 1 + below(4)), e, 0);
}

/* A frame to map, mostly with the slot that gives the right to it. */
static uint64_t pick_mapped(void)
{
	static const uint8_t kinds[] = {EXO_CAP_PAGES, EXO_CAP_PAGES, EXO_CAP_DEVICE,
					EXO_CAP_EXTENT};
	const uint8_t kind = kinds[below(sizeof kinds)];
	const uint64_t s = full_slot(kind);

	via = 0;
	if (caps[me].c[s].kind != kind || chance(30))
		return pick_owned();
	via = s;
	if (kind == EXO_CAP_EXTENT)
		return chance(90) ? registry[below(HOST_BINDS)].frame : pick_owned();
	return caps[me].c[s].start + below(caps[me].c[s].len + chance(10));
}

/* A table, mostly one that is linked. */
static uint64_t pick_table(uint32_t level)
{
	for (uint32_t i = 0; i < 4; i++) {
		table = (uint32_t)pick_frame(EXO_PAGE_TABLE, target, chance(80) ? level : 0);
		if (pages[table].parent != 0 || envs[target].root == table)
			break;
	}
	return table;
}

/* A table that can stand below the chosen one. */
static uint64_t pick_child(void)
{
	const uint32_t level = pages[table].level;

	return pick_frame(EXO_PAGE_TABLE, target, level > 1 ? level - 1 : 0);
}

static uint64_t pick_how(void)
{
	static const uint8_t perms[] = {1, 3, 5, 3, 1, 7, 2, 0};
	const uint64_t slot = chance(90) ? via : full_slot(0);

	return slot << 8 | perms[below(chance(85) ? 5 : 8)];
}

static uint64_t pick_type(void)
{
	static const uint64_t types[] = {1,	1,     3,     4,     0x102, 0x102,
					 0x202, 0x302, 0x402, 0x502, 2,	    5};

	return types[below(chance(90) ? 9 : 12)];
}

static uint64_t pick_eid(void)
{
	return env_eid((uint32_t)below(NENV)).n + (chance(5) ? 65536 : 0);
}

static uint64_t pick_zombie(void)
{
	const uint32_t start = (uint32_t)below(NENV);

	for (uint32_t i = 0; i < NENV; i++)
		if (envs[(start + i) % NENV].state == EXO_ENV_ZOMBIE)
			return env_eid((start + i) % NENV).n;
	return pick_eid();
}

/* The value for env_set: for roles, a frame that fits. */
static uint64_t pick_value(uint64_t what)
{
	switch (what) {
	case EXO_SET_ROOT:
		return pick_frame(EXO_PAGE_TABLE, target, 4);
	case EXO_SET_SAVE:
		return pick_frame(EXO_PAGE_SAVE, target, 0);
	case EXO_SET_UPCALL_PAGE:
		return pick_frame(EXO_PAGE_UPCALL, target, 0);
	case EXO_SET_PRINCIPAL:
		return envs[me].principal | below(4) << 56 | below(4) << 48;
	default:
		return chance(50) ? below(3) : below(64) * 4096;
	}
}

/* What to take back from `z`. */
static uint64_t pick_thing(uint32_t z, uint64_t kind)
{
	switch (kind) {
	case EXO_QUOTA_PAGES:
		return pick_frame((uint8_t)(chance(50) ? EXO_PAGE_TABLE : 1 + below(4)), z, 0);
	case EXO_QUOTA_SLOTS:
		for (uint32_t s = 0; s < EXO_NSLOT; s++)
			if (slots[s].owner == z)
				return s;
		return below(EXO_NSLOT);
	case EXO_QUOTA_ENVS:
		return below(NENV);
	default:
		return below(12);
	}
}

/* A slot of somebody of whom the caller has asked for something, or its own. */
static uint64_t pick_asked(void)
{
	for (uint32_t s = 1; s < EXO_NCAP; s++) {
		const struct exo_cap *const c = &caps[me].c[s];

		if (c->kind == EXO_CAP_ENV && c->object != me && chance(70) &&
		    (revokes[c->object].ask[0].n != 0 || revokes[c->object].ask[1].n != 0)) {
			target = c->object;
			return s;
		}
	}
	return chance(50) ? 0 : pick_ce();
}

/* Something of the target: a slot of it, a frame, or what it does not use. */
static uint64_t pick_taken(uint64_t kind)
{
	if (chance(15))
		return EXO_TAKE_UNUSED;
	if (kind == EXO_ASK_SLOTS)
		return pick_thing(target, EXO_QUOTA_SLOTS);
	return pick_frame(EXO_PAGE_DATA, chance(95) ? target : 0, 0);
}

/* A table that maps this frame, where there is one. */
static uint64_t pick_table_of(uint64_t frame)
{
	for (uint32_t t = 0; t < FRAMES; t++) {
		if (pages[t].state != EXO_PAGE_TABLE || pages[t].level != 1)
			continue;
		for (uint32_t i = 0; i < NENTRY; i++)
			if (entry_frame(machine_table((struct pfn){t})->e[i]) == frame &&
			    chance(80))
				return t;
	}
	return pick_table(chance(80) ? 1 : 2);
}

/*
 * One letter an argument:  c environment capability  C the same, mostly another's  d empty slot  s
 * full slot  f free frame o frame of the target  t table  1 level-1 table  2 level-2 table  y table
 * to link  i index n count  h how  p type  e eid  x environment index  q quota kind  l CPU slot  r
 * rights  w what Z eid of a dead one  v value  k thing to take back  a address  M event mask  m
 * frame to map  z time  R first frame of a run  A what of ipc_reply_wait  B what of ipc_call  #
 * number  I kind asked for  U how much  W slot of somebody of whom it asked  V thing to take  Y
 * table that may map it  E slot of an extent  b block of it  N entry of its set  F frame to bind
 */
static const char *const shapes[NCALL] = {
	[0] = "",	 [1] = "xd",	 [2] = "cwv",	  [3] = "caaa",	  [4] = "C#",
	[5] = "Zqk",	 [6] = "c",	 [7] = "cq#",	  [8] = "cfp",	  [9] = "co",
	[10] = "ctiy",	 [11] = "cti",	 [12] = "c1imnh", [13] = "c2iRh", [14] = "ctin",
	[15] = "ctinh",	 [16] = "oncdr", [17] = "on",	  [18] = "sdr##", [19] = "scdr",
	[20] = "s",	 [21] = "s",	 [22] = "cl",	  [23] = "lc",	  [24] = "l",
	[25] = "e",	 [26] = "Mz",	 [27] = "eM",	  [38] = "ed",	  [39] = "Bzssss",
	[40] = "AMzsss", [41] = "CIUz",	 [42] = "WIVY",	  [45] = "EbNF",
};

/* Capability slots of a message. */
static uint64_t pick_sent(void)
{
	return (chance(50) ? 0 : full_slot(0)) << 8 | (chance(50) ? 0 : below(12)) << 16;
}

static uint64_t pick(char letter, const uint64_t *before)
{
	switch (letter) {
	case 'c':
		return pick_ce();
	case 'C':
		return chance(97) ? full_slot(EXO_CAP_ENV) : pick_ce();
	case 'd':
		return pick_empty();
	case 's':
		return full_slot(0);
	case 'm':
		return pick_mapped();
	case 'f':
		return pick_frame(EXO_PAGE_FREE, 0, 0);
	case 'o':
		return pick_owned();
	case 't':
		return pick_table((uint32_t)below(5));
	case '1':
		return pick_table(1);
	case '2':
		return pick_table(2);
	case 'y':
		return pick_child();
	case 'i':
		return chance(80) ? below(6) : 506 + below(7);
	case 'n':
		return chance(70) ? 1 : below(8);
	case 'h':
		return pick_how();
	case 'p':
		return pick_type();
	case 'e':
		return pick_eid();
	case 'Z':
		return pick_zombie();
	case 'x':
		return below(NENV + 1);
	case 'q':
		return below(6);
	case 'l':
		return below(12);
	case 'r':
		return chance(70) ? 1 + below(7) : below(32);
	case 'w':
		return chance(60) ? below(3) : chance(30) ? EXO_SET_CALLS : below(12);
	case 'v':
		return pick_value(before[-1]);
	case 'k':
		return pick_thing(before[-2] % 65536 % NENV, before[-1]);
	case 'a':
		return below(1000);
	case 'M':
		return chance(50) ? below(4) << 32 : below(8);
	case 'z':
		return chance(70) ? 1 + host_now + below(2000000) : 0;
	case 'A':
		return chance(70) | pick_sent();
	case 'B':
		return pick_ce() | pick_sent();
	case 'I':
		return chance(95) ? below(2) : below(5);
	case 'U':
		return chance(85) ? 1 + below(8) : 0;
	case 'W':
		return pick_asked();
	case 'V':
		return pick_taken(before[-1]);
	case 'Y':
		return pick_table_of(before[-1]);
	case 'E':
		return chance(95) ? full_slot(EXO_CAP_EXTENT) : full_slot(0);
	case 'b':
		return caps[me].c[before[-1] % EXO_NCAP].start + below(4);
	case 'N':
		return exo_bind_set(caps[me].c[before[-2] % EXO_NCAP].object % EXO_NEXTENT,
				    before[-1], HOST_BINDS) *
			       EXO_BIND_WAYS +
		       below(chance(95) ? 2 : 9);
	case 'F':
		return chance(30) ? 0 : pick_frame(EXO_PAGE_DATA, me, 0);
	case 'R':
		return chance(80) ? RUN_START : below(FRAMES);
	default:
		return chance(60) ? below(20) : 0;
	}
}

/* ---- calling ----------------------------------------------------------------------------- */

static struct exo_result call(uint32_t number, const uint64_t *a)
{
	switch (number) {
	case 1:
		return sys_env_create(a[0], a[1]);
	case 2:
		return sys_env_set(a[0], a[1], a[2]);
	case 3:
		return sys_env_start(a[0], a[1], a[2], a[3]);
	case 4:
		return sys_env_kill(a[0], a[1]);
	case 5:
		return sys_env_reclaim(a[0], a[1], a[2]);
	case 6:
		return sys_env_reap(a[0]);
	case 7:
		return sys_quota_move(a[0], a[1], a[2]);
	case 8:
		return sys_page_take(a[0], a[1], a[2]);
	case 9:
		return sys_page_free(a[0], a[1]);
	case 10:
		return sys_table_link(a[0], a[1], a[2], a[3]);
	case 11:
		return sys_table_unlink(a[0], a[1], a[2]);
	case 12:
		return sys_page_map(a[0], a[1], a[2], a[3], a[4], a[5]);
	case 13:
		return sys_page_map_large(a[0], a[1], a[2], a[3], a[4]);
	case 14:
		return sys_page_unmap(a[0], a[1], a[2], a[3]);
	case 15:
		return sys_page_protect(a[0], a[1], a[2], a[3], a[4]);
	case 16:
		return sys_page_share(a[0], a[1], a[2], a[3], a[4]);
	case 17:
		return sys_page_unshare(a[0], a[1]);
	case 18:
		return sys_cap_derive(a[0], a[1], a[2], a[3], a[4]);
	case 19:
		return sys_cap_grant(a[0], a[1], a[2], a[3]);
	case 20:
		return sys_cap_drop(a[0]);
	case 21:
		return sys_cap_revoke(a[0]);
	case 22:
		return sys_slot_take(a[0], a[1]);
	case 23:
		return sys_slot_give(a[0], a[1]);
	case 24:
		return sys_slot_free(a[0]);
	case 25:
		return sys_yield(a[0]);
	case 26:
		return sys_wait(a[0], a[1]);
	case 27:
		return sys_event_post(a[0], a[1]);
	case CALL_REVOKE_ASK:
		return sys_revoke_ask(a[0], a[1], a[2], a[3]);
	case CALL_REVOKE_TAKE:
		return sys_revoke_take(a[0], a[1], a[2], a[3]);
	case CALL_BLOCK_BIND:
		return sys_block_bind(a[0], a[1], a[2], a[3]);
	case CALL_ENV_OPEN:
		return sys_env_open(a[0], a[1]);
	case CALL_IPC_CALL:
		return sys_ipc_call(a[0], a[1], a[2], a[3], a[4], a[5]);
	case CALL_IPC_REPLY_WAIT:
		return sys_ipc_reply_wait(a[0], a[1], a[2], a[3], a[4], a[5]);
	default:
		return answer(EXO_OK, EXO_ABI_VERSION);
	}
}

/* Calls that build are tried more often than those that end things. */
static uint32_t pick_call(void)
{
	static const uint8_t often[] = {2,  3,	5,  5,	5,  7,	7,  8,	8,  8,	10, 10, 10, 12, 12,
					12, 13, 15, 16, 38, 39, 39, 40, 41, 42, 42, 45, 45, 12};

	if (chance(60))
		return often[below(sizeof often)];
	return 1 + (uint32_t)below(LAST_CALL);
}

static uint64_t granted[NCALL], refused[NCALL];

static void die(uint32_t step, uint32_t number, const uint64_t *a, const char *what)
{
	printf("FAIL core_random: step %u: environment %u: %s(%#llx, %#llx, %#llx, %#llx, %#llx, "
	       "%#llx): %s\n",
	       step, me, host_call_name(number), (unsigned long long)a[0], (unsigned long long)a[1],
	       (unsigned long long)a[2], (unsigned long long)a[3], (unsigned long long)a[4],
	       (unsigned long long)a[5], what);
	exit(1);
}

static const char *judge(uint32_t number, struct exo_result r)
{
	const char *broken;

	if (!host_documented(number, r.status))
		return host_status_name(r.status);
	if (r.status != EXO_OK) {
		refused[number]++;
		return host_same() ? 0 : "refused, and has changed something";
	}
	granted[number]++;
	broken = check_state();
	if (!broken)
		broken = host_overstep(me);
	if (!broken && !host_tlb_clean())
		broken = "translation left in the TLB";
	host_remember();
	return broken;
}

static void attempt(uint32_t step, uint32_t number, const uint64_t *a)
{
	const struct exo_result r = call(number, a);
	const char *const bad = judge(number, r);

	if (cpus[0].inbox)
		ipc_left();

	if (bad)
		die(step, number, a, bad);
}

static void step_call(uint32_t step)
{
	const uint32_t number = pick_call();
	uint64_t a[6] = {0};

	if ((number == 4 && me == 1 && full_slot(EXO_CAP_ENV) == 0) ||
	    (number == 4 && chance(60)) || (number == 26 && chance(80)) ||
	    (number == CALL_IPC_REPLY_WAIT && chance(50)))
		return;
	target = me;
	via = chance(70) ? 0 : full_slot(EXO_CAP_PAGES);
	for (uint32_t i = 0; shapes[number][i] != 0; i++)
		a[i] = pick(shapes[number][i], &a[i]);
	for (uint32_t i = 0; i < 6; i++)
		if (chance(1))
			a[i] = junk();
	attempt(step, number, a);
}

/* Does e own a frame of this state and level?  Its number, or 0. */
static uint32_t owned_frame(uint32_t e, uint8_t state, uint32_t level)
{
	for (uint32_t f = 0; f < POOL_END; f++)
		if (pages[f].owner == e && pages[f].state == state && pages[f].level == level &&
		    pages[f].parent == 0)
			return f;
	return 0;
}

/* A slot of the caller for an environment that is BUILDING, or 0. */
static uint64_t building_slot(void)
{
	for (uint32_t s = 1; s < EXO_NCAP; s++)
		if (caps[me].c[s].kind == EXO_CAP_ENV &&
		    envs[caps[me].c[s].object].state == EXO_ENV_BUILDING)
			return s;
	return 0;
}

/* The next call that brings a BUILDING environment, whose slot is ce, towards its start. */
static void step_build(uint32_t step)
{
	const uint64_t ce = building_slot();
	const uint32_t e = caps[me].c[ce].object;
	const uint32_t root = owned_frame(e, EXO_PAGE_TABLE, 4),
		       save = owned_frame(e, EXO_PAGE_SAVE, 0);
	const uint64_t kind = below(4);

	if (ce == 0)
		step_call(step);
	else if (quota_limit[e].n[EXO_QUOTA_PAGES] < 6)
		attempt(step, 7, (uint64_t[6]){ce, EXO_QUOTA_PAGES, 6});
	else if (quota_limit[e].n[kind] < 3)
		attempt(step, 7, (uint64_t[6]){ce, kind, 3});
	else if (envs[e].root == 0 && root != 0)
		attempt(step, 2, (uint64_t[6]){ce, EXO_SET_ROOT, root});
	else if (envs[e].save == 0 && save != 0)
		attempt(step, 2, (uint64_t[6]){ce, EXO_SET_SAVE, save});
	else if (envs[e].root == 0 || envs[e].save == 0)
		attempt(step, 8,
			(uint64_t[6]){ce, pick_frame(EXO_PAGE_FREE, 0, 0),
				      envs[e].root == 0 ? EXO_PAGE_TABLE | 4 << 8 : EXO_PAGE_SAVE});
	else
		attempt(step, 3, (uint64_t[6]){ce, 1, 1, 1});
}

/* A slot of the caller for somebody else whom it may call, or 0; twice as gladly for who is open.
 */
static uint64_t callee_slot(void)
{
	const uint32_t start = (uint32_t)below(EXO_NCAP);
	uint64_t found = 0;

	for (uint32_t i = 0; i < EXO_NCAP; i++) {
		const uint32_t s = (start + i) % EXO_NCAP;
		const struct exo_cap *const c = &caps[me].c[s];

		if (c->kind != EXO_CAP_ENV || c->object == me || (c->rights & EXO_ENV_CALL) == 0)
			continue;
		if (envs[c->object].state != EXO_ENV_BUILDING && envs[c->object].calls_open)
			return s;
		found = s;
	}
	return found;
}

/* Calls and replies among those who are open. */
static void step_ipc(uint32_t step)
{
	const uint64_t ce = callee_slot(), sent = pick_sent();
	const uint64_t until = chance(50) ? host_now + 1 + below(3000000) : 0;
	const int busy = envs[me].client != 0 || envs[me].call_head != 0;

	if (!envs[me].calls_open)
		attempt(step, 2, (uint64_t[6]){0, EXO_SET_CALLS, 1});
	else if (busy ? chance(60) : ce == 0 || chance(20))
		attempt(step, CALL_IPC_REPLY_WAIT,
			(uint64_t[6]){chance(80) | sent, 1 | below(32), until, dice(), 1, 2});
	else if (ce != 0 && !envs[caps[me].c[ce].object].calls_open)
		attempt(step, 2, (uint64_t[6]){ce, EXO_SET_CALLS, 1});
	else
		attempt(step, CALL_IPC_CALL, (uint64_t[6]){ce | sent, until, dice(), 1, 2, 3});
}

/* ---- the world --------------------------------------------------------------------------- */

static void must(struct exo_result r)
{
	if (r.status != EXO_OK) {
		printf("FAIL core_random: the first environment could not be built\n");
		exit(1);
	}
}

static void world(void)
{
	host_boot(FRAMES, FIRST_FREE, NENV);
	page_boot_range(POOL_END, RUN_START - POOL_END, EXO_PAGE_NONE);
	quota_boot(1, EXO_QUOTA_PAGES, page_free_count());
	must(sys_page_take(0, 16, EXO_PAGE_TABLE | 4 << 8));
	must(sys_page_take(0, 17, EXO_PAGE_SAVE));
	must(sys_env_set(0, EXO_SET_ROOT, 16));
	must(sys_env_set(0, EXO_SET_SAVE, 17));
	for (uint32_t i = 0; i < RUN; i++)
		must(sys_page_take(0, RUN_START + i, EXO_PAGE_DATA));
	for (uint32_t i = 3; i >= 1; i--) {
		must(sys_page_take(0, 21 - i, EXO_PAGE_TABLE | i << 8));
		must(sys_table_link(0, i == 3 ? 16 : 20 - i, 0, 21 - i));
	}
	page_boot_range(DEVICES, FIRST_FREE - DEVICES, EXO_PAGE_DEVICE);
	for (uint32_t x = 3; x < 5; x++)
		cap_put(1, 40 + x,
			(struct exo_cap){.kind = EXO_CAP_EXTENT,
					 .rights = 15,
					 .object = x,
					 .start = 100 * x,
					 .len = 4});
	cap_put(1, 45,
		(struct exo_cap){.kind = EXO_CAP_DEVICE, .rights = 7, .start = DEVICES, .len = 4});
	must(sys_slot_take(0, 0));
	must(sys_env_start(0, 1, 1, 1));
	host_remember();
}

/* What comes from outside: ticks, time, devices. */
static void step_outside(uint32_t step)
{
	static const uint64_t none[6];
	const char *broken;

	host_now += chance(3) ? EXO_REVOKE_MIN_NS : below(1000000);
	slot_tick();
	timer_expire(host_now);
	ipc_tick();
	for (uint32_t e = 1; e < NENV; e++)
		if (me == 0 || chance(20))
			event_raise(e, me == 0 ? ~0ull : below(32));
	cpus[0].current = cpu_next();
	if (me == 0 && cpus[0].current == 0 && chance(10))
		world(); /* each waits for another */
	broken = check_state();
	if (broken)
		die(step, 0, none, broken);
	host_remember();
}

/* Somebody who can run, as if it were its turn; 0: nobody. */
static uint32_t somebody(void)
{
	const uint32_t start = (uint32_t)below(NENV);

	for (uint32_t i = 0; i < NENV; i++)
		if (envs[(start + i) % NENV].state == EXO_ENV_RUNNABLE)
			return (start + i) % NENV;
	return 0;
}

/* A run that never got to grant some call has tested nothing of it. */
static int covered(void)
{
	int all = 1;

	for (uint32_t n = 1; n < NCALL; n++) {
		if (shapes[n] == 0)
			continue;
		if (granted[n] == 0 || refused[n] == 0) {
			printf("FAIL core_random: %s was granted %llu times, refused %llu\n",
			       host_call_name(n), (unsigned long long)granted[n],
			       (unsigned long long)refused[n]);
			all = 0;
		}
	}
	return all;
}

int main(int argc, char **argv)
{
	const uint32_t steps = argc > 2 ? (uint32_t)atoi(argv[2]) : STEPS;

	seed = argc > 1 ? strtoull(argv[1], 0, 0) | 1 : 0x9e3779b97f4a7c15;
	for (uint32_t step = 0; step < steps; step++) {
		if (step % LIFE == 0 || envs[1].state == EXO_ENV_ZOMBIE)
			world();
		me = somebody();
		if (me == 0 || chance(5)) {
			step_outside(step);
			continue;
		}
		cpus[0].current = me;
		cpus[0].resched = 0;
		host_remember();
		if (chance(10))
			step_build(step);
		else if (chance(5))
			step_ipc(step);
		else
			step_call(step);
	}
	if (argc > 2)
		for (uint32_t n = 1; n < NCALL; n++)
			if (shapes[n])
				printf("%-16s %8llu %8llu\n", host_call_name(n),
				       (unsigned long long)granted[n],
				       (unsigned long long)refused[n]);
	if (!covered())
		return 1;
	printf("ok core_random\n");
	return 0;
}
