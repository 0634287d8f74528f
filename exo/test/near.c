/*
 * near.c - nearly right calls: arguments that mostly mean something, for tests that make many
 * calls.
 *
 * Looks only at what programs can see, the read-only tables and page tables.  Decisions are drawn
 * from near_below(), which the test defines: random numbers, or the bytes of a fuzzer.  Called by
 * core_random.c and fuzz/core.c.
 */
#include "../kern/cap.h"
#include <stddef.h>
#include <string.h>
#include "../kern/env.h"
#include "../kern/group.h"
#include "../kern/info.h"
#include "../kern/load.h"
#include "../kern/page.h"
#include "../kern/quota.h"
#include "../kern/registry.h"
#include "../kern/revoke.h"
#include "../kern/slot.h"
#include "../kern/syscall.h"
#include "../kern/table.h"
#include "../kern/wake.h"
#include "machine_host.h"
#include "near.h"

enum {
	POOL_END = 112, /* frames from here to the run do not exist */
	RUN_START = 512,
	DEVICES = 12, /* frames from here to FIRST_FREE are a device */
	FIRST_FREE = 16,
	LAST_CALL = 27,
	CALL_ENV_OPEN = 38,
	CALL_IPC_CALL = 39,
	CALL_IPC_REPLY_WAIT = 40,
	CALL_REVOKE_ASK = 41,
	CALL_REVOKE_TAKE = 42,
	CALL_BLOCK_BIND = 45,
	CALL_GROUP_TAKE = 46,
	CALL_GROUP_JOIN = 48,
	CALL_GROUP_WORD = 50,
	CALL_SLOT_GROUP = 51,
	CALL_BPF_BEGIN = 52,
	CALL_BPF_PUT = 53,
	CALL_BPF_VERIFY = 54,
	CALL_WAIT_UNTIL = 55,
	GROUPS = 3, /* that are tried */
	CALL_TRACE_START = 56,
	CALL_TRACE_STOP = 57,
};

static int chance(uint32_t percent)
{
	return near_below(100) < percent;
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

	return chance(50) ? words[near_below(10)] : near_below(UINT64_MAX) >> near_below(64);
}

/* A full slot of the caller of this kind (0: any). */
static uint64_t full_slot(uint8_t kind)
{
	const uint32_t start = (uint32_t)near_below(EXO_NCAP);

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
		const uint64_t d = near_below(12);

		if (caps[e].c[d].kind == EXO_CAP_NONE)
			return d;
	}
	return near_below(EXO_NCAP);
}

/* A frame for which the state is `state` and the owner `owner` (0: whatever). */
static uint64_t pick_frame(uint8_t state, uint32_t owner, uint32_t level)
{
	const uint32_t start = (uint32_t)near_below(NEAR_FRAMES);

	for (uint32_t i = 0; i < NEAR_FRAMES; i++) {
		const uint32_t f = (start + i) % NEAR_FRAMES;

		if (pages[f].state == state && (owner == 0 || pages[f].owner == owner) &&
		    (level == 0 || pages[f].level == level) && (f < POOL_END || chance(5)))
			return f;
	}
	return near_below(NEAR_FRAMES);
}

static uint64_t pick_owned(void)
{
	const uint32_t e = chance(80) ? target : me;

	return pick_frame((uint8_t)(chance(70) ? EXO_PAGE_DATA : 1 + near_below(4)), e, 0);
}

/* A frame of any type, the target's or anybody's. */
static uint64_t pick_anything(void)
{
	return pick_frame((uint8_t)(1 + near_below(4)), chance(50) ? target : 0, 0);
}

/* A frame that the registry names, where there is one. */
static uint64_t pick_bound(void)
{
	const uint32_t start = (uint32_t)near_below(HOST_BINDS);

	for (uint32_t i = 0; i < HOST_BINDS; i++)
		if (registry[(start + i) % HOST_BINDS].state == EXO_BIND_USED)
			return registry[(start + i) % HOST_BINDS].frame;
	return near_below(NEAR_FRAMES);
}

/* A frame to map, mostly with the slot that gives the right to it. */
static uint64_t pick_mapped(void)
{
	static const uint8_t kinds[] = {EXO_CAP_PAGES, EXO_CAP_PAGES, EXO_CAP_DEVICE,
					EXO_CAP_EXTENT};
	const uint8_t kind = kinds[near_below(sizeof kinds)];
	const uint64_t s = full_slot(kind);

	via = 0;
	if (caps[me].c[s].kind != kind || chance(30))
		return pick_owned();
	via = s;
	if (kind == EXO_CAP_EXTENT)
		return chance(90) ? pick_bound() : pick_owned();
	return caps[me].c[s].start + near_below(caps[me].c[s].len + chance(30));
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

	return pick_frame(EXO_PAGE_TABLE, chance(90) ? target : 0, level > 1 ? level - 1 : 0);
}

static uint64_t pick_how(void)
{
	static const uint8_t perms[] = {1, 3, 5, 3, 1, 7, 2, 0};
	const uint64_t slot = chance(90) ? via : full_slot(0);

	return slot << 8 | perms[near_below(chance(85) ? 5 : 8)];
}

static uint64_t pick_type(void)
{
	static const uint64_t types[] = {1,	1,     3,     4,     8, 0x102, 0x102,
					 0x202, 0x302, 0x402, 0x502, 2, 5};

	return types[near_below(chance(90) ? 10 : 13)];
}

static uint64_t pick_eid(void)
{
	return env_eid((uint32_t)near_below(NEAR_ENVS)).n + (chance(5) ? 65536 : 0);
}

static uint64_t pick_zombie(void)
{
	const uint32_t start = (uint32_t)near_below(NEAR_ENVS);

	for (uint32_t i = 0; i < NEAR_ENVS; i++)
		if (envs[(start + i) % NEAR_ENVS].state == EXO_ENV_ZOMBIE)
			return env_eid((start + i) % NEAR_ENVS).n;
	return pick_eid();
}

/* An address, of the lower half or just not. */
static uint64_t pick_address(void)
{
	return chance(90) ? near_below(64) * 4096 : USER_END;
}

/* The value for env_set: for roles, mostly a frame that fits. */
static uint64_t pick_value(uint64_t what)
{
	if (what <= EXO_SET_UPCALL_PAGE && chance(15))
		return pick_anything();
	switch (what) {
	case EXO_SET_ROOT:
		return pick_frame(EXO_PAGE_TABLE, target, 4);
	case EXO_SET_SAVE:
		return pick_frame(EXO_PAGE_SAVE, target, 0);
	case EXO_SET_UPCALL_PAGE:
		return pick_frame(EXO_PAGE_UPCALL, target, 0);
	case EXO_SET_PRINCIPAL:
		return (chance(80) ? envs[me].principal : 0) | near_below(4) << 56 |
		       near_below(4) << 48;
	default:
		return chance(50) ? near_below(3) : pick_address();
	}
}

/* What to take back from `z`. */
static uint64_t pick_thing(uint32_t z, uint64_t kind)
{
	switch (kind) {
	case EXO_QUOTA_PAGES:
		return pick_frame((uint8_t)(chance(50) ? EXO_PAGE_TABLE : 1 + near_below(4)), z, 0);
	case EXO_QUOTA_SLOTS:
		for (uint32_t s = 0; s < EXO_NSLOT; s++)
			if (slots[s].owner == z)
				return s;
		return near_below(EXO_NSLOT);
	case EXO_QUOTA_ENVS:
		return near_below(NEAR_ENVS);
	case EXO_QUOTA_GROUPS:
		for (uint32_t g = 1; g < EXO_NGROUP; g++)
			if (groups[g].owner == z)
				return g;
		return near_below(EXO_NGROUP);
	default:
		return near_below(12);
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
	for (uint32_t t = 0; t < NEAR_FRAMES; t++) {
		if (pages[t].state != EXO_PAGE_TABLE || pages[t].level != 1)
			continue;
		for (uint32_t i = 0; i < NENTRY; i++)
			if (entry_frame(machine_table((struct pfn){t})->e[i]) == frame &&
			    chance(80))
				return t;
	}
	return pick_table(chance(80) ? 1 : 2);
}

/* ---- downloaded programs ------------------------------------------------------------------ */

#define INSN(op, dst, src, off, imm)                                                               \
	{                                                                                          \
		(op), (dst) | (src) << 4, (off), (imm)                                             \
	}
#define ANSWER(imm)		  INSN(BPF_ALU64 | BPF_MOV, 0, 0, 0, imm)
#define LOADED(size, dst, offset) INSN(BPF_LDX | BPF_MEM | (size), dst, 1, offset, 0)
#define EXIT			  INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* For groups and as predicates; most are accepted as either. */
static const struct {
	struct exo_bpf_insn insn[6];
	uint32_t count;
} programs[] = {
	{{ANSWER(0), EXIT}, 2},
	{{ANSWER(1), EXIT}, 2},
	{{ANSWER(-1), EXIT}, 2},
	{{ANSWER(EXO_SCHED_NONE), EXIT}, 2},
	{{LOADED(BPF_DW, 0, offsetof(struct exo_sched, member[0].word)), EXIT}, 2},
	{{LOADED(BPF_B, 0, offsetof(struct exo_sched, tick)), INSN(BPF_ALU64 | BPF_AND, 0, 0, 0, 3),
	  EXIT},
	 3},
	{{LOADED(BPF_H, 2, offsetof(struct exo_wake, count[32])),
	  LOADED(BPF_W, 3, offsetof(struct exo_wake, word)), ANSWER(0),
	  INSN(BPF_JMP | BPF_JLT | BPF_X, 2, 3, 1, 0), ANSWER(1), EXIT},
	 6},
	{{LOADED(BPF_W, 2, offsetof(struct exo_wake, free_frames)), ANSWER(1),
	  INSN(BPF_ALU64 | BPF_AND, 2, 0, 0, 1), INSN(BPF_JMP | BPF_JNE, 2, 0, 1, 0), ANSWER(0),
	  EXIT},
	 6},
	{{ANSWER(0), INSN(BPF_ALU64 | BPF_ADD, 0, 0, 0, 1), INSN(BPF_JMP | BPF_JNE, 0, 0, -2, 200),
	  EXIT},
	 4}, /* over the budget of a predicate */
	{{EXIT}, 1},
};

/* An address at which the caller has a frame of its own, all of whose bytes it may choose; its
   number. */
static uint64_t own_page(uint32_t *frame)
{
	for (uint32_t t = 0; t < NEAR_FRAMES; t++) {
		if (pages[t].state != EXO_PAGE_TABLE || pages[t].level != 1 ||
		    pages[t].owner != me || pages[t].parent == 0)
			continue;
		for (uint32_t i = 0; i < NENTRY; i++) {
			const uint64_t entry = machine_table((struct pfn){t})->e[i];

			*frame = entry_frame(entry);
			if (entry != 0 && pages[*frame].owner == me &&
			    pages[*frame].state == EXO_PAGE_DATA)
				return pages[t].va + i * EXO_PAGE_SIZE;
		}
	}
	return USER_END;
}

/* The caller writes a program to its memory: its address; *n: how long it is. */
static uint64_t write_program(uint64_t *n)
{
	const uint64_t p = near_below(sizeof programs / sizeof programs[0]);
	uint32_t frame;
	const uint64_t va = own_page(&frame);

	*n = programs[p].count;
	if (va != USER_END)
		memcpy(machine_bytes((struct pfn){frame}), programs[p].insn,
		       programs[p].count * sizeof programs[p].insn[0]);
	return va;
}

/* A place of a group: the caller's own, often. */
static uint64_t pick_place(void)
{
	return chance(30) ? envs[me].place : near_below(chance(95) ? 3 : EXO_SCHED_MEMBERS + 2);
}

static uint64_t pick_group(void)
{
	if (chance(60))
		for (uint64_t g = 1; g < EXO_NGROUP; g++)
			if (groups[g].owner == me && chance(70))
				return g;
	return chance(95) ? near_below(GROUPS + 1) : near_below(EXO_NGROUP + 2);
}

/*
 * One letter an argument:  c environment capability  C the same, mostly another's  d empty slot  s
 * full slot  f free frame o frame of the target  t table  1 level-1 table  2 level-2 table  y table
 * to link  i index n count  h how  p type  e eid  x environment index  q quota kind  l CPU slot  r
 * rights  w what Z eid of a dead one  v value  k thing to take back  a address  M event mask  m
 * frame to map  z time  R first frame of a run  A what of ipc_reply_wait  B what of ipc_call  #
 * number  I kind asked for  U how much  W slot of somebody of whom it asked  V thing to take  Y
 * table that may map it  E slot of an extent  b block of it  N entry of its set  F frame to bind
 * g group  P place in it  O word of a member  X address of a program  S slot for tracing  T first
 * frame of a ring  ^ how many
 */
const char *const near_shapes[NEAR_CALLS] = {
	[0] = "",	 [1] = "xd",	 [2] = "cwv",	  [3] = "caaa",	   [4] = "C#",
	[5] = "Zqk",	 [6] = "c",	 [7] = "cq#",	  [8] = "cfp",	   [9] = "co",
	[10] = "ctiy",	 [11] = "cti",	 [12] = "c1imnh", [13] = "c2iRh",  [14] = "ctin",
	[15] = "ctinh",	 [16] = "oncdr", [17] = "on",	  [18] = "sdr##",  [19] = "scdr",
	[20] = "s",	 [21] = "s",	 [22] = "cl",	  [23] = "lc",	   [24] = "l",
	[25] = "e",	 [26] = "Mz",	 [27] = "eM",	  [38] = "ed",	   [39] = "Bzssss",
	[40] = "AMzsss", [41] = "CIUz",	 [42] = "WIVY",	  [45] = "EbNF",   [46] = "g#",
	[47] = "g",	 [48] = "gPc",	 [49] = "gP",	  [50] = "gPO#",   [51] = "lg",
	[52] = "g",	 [53] = "Xn",	 [54] = "",	  [55] = "Mz####", [56] = "ST^",
	[57] = "",
};

/* Capability slots of a message. */
static uint64_t pick_sent(void)
{
	return (chance(50) ? 0 : full_slot(0)) << 8 | (chance(50) ? 0 : near_below(12)) << 16;
}

/* Numbers, times, words: whatever means no object. */
static uint64_t pick_word(char letter)
{
	switch (letter) {
	case 'i':
		return chance(80) ? near_below(6) : 506 + near_below(7);
	case 'n':
		return chance(70) ? 1 : near_below(8);
	case 'x':
		return near_below(NEAR_ENVS + 1);
	case 'q':
		return chance(90) ? near_below(6) : EXO_QUOTA_GROUPS;
	case 'l':
		return near_below(12);
	case 'r':
		return chance(70) ? 1 + near_below(7) : near_below(32);
	case 'w':
		return chance(60) ? near_below(3) : chance(30) ? EXO_SET_CALLS : near_below(12);
	case 'a':
		return pick_address();
	case 'M':
		return chance(50) ? near_below(4) << 32 : near_below(8);
	case 'z':
		return chance(70) ? 1 + host_now + near_below(2000000) : 0;
	case 'A':
		return chance(70) | pick_sent();
	case 'B':
		return pick_ce() | pick_sent();
	case 'I':
		return chance(95) ? near_below(2) : near_below(5);
	case 'U':
		return chance(85) ? 1 + near_below(8) : 0;
	case 'O':
		return near_below(chance(95) ? EXO_SCHED_WORDS : EXO_SCHED_WORDS + 2);
	case '^':
		return chance(85) ? 1 : near_below(5);
	case 'R':
		return chance(80) ? RUN_START : near_below(NEAR_FRAMES);
	default:
		return chance(60) ? near_below(20) : 0;
	}
}

/* Blocks, groups, programs, rings. */
static uint64_t pick_held(char letter, const uint64_t *before)
{
	uint64_t unused;

	switch (letter) {
	case 'E':
		return chance(95) ? full_slot(EXO_CAP_EXTENT) : full_slot(0);
	case 'b':
		return caps[me].c[before[-1] % EXO_NCAP].start + near_below(4);
	case 'N':
		return exo_bind_set(caps[me].c[before[-2] % EXO_NCAP].object % EXO_NEXTENT,
				    before[-1], HOST_BINDS) *
			       EXO_BIND_WAYS +
		       near_below(chance(95) ? 2 : 9);
	case 'F':
		return chance(30) ? 0 : pick_frame(EXO_PAGE_DATA, me, 0);
	case 'g':
		return pick_group();
	case 'P':
		return pick_place();
	case 'X':
		return chance(70) ? write_program(&unused) : pick_address();
	case 'S':
		return chance(95) ? full_slot(EXO_CAP_TRACE) : full_slot(0);
	case 'T':
		return pick_frame(EXO_PAGE_TRACE, chance(90) ? me : 0, 0);
	default:
		return pick_word(letter);
	}
}

/* Frames and tables, and how they are used. */
static uint64_t pick_memory(char letter, const uint64_t *before)
{
	switch (letter) {
	case 'm':
		return pick_mapped();
	case 'f':
		return pick_frame(EXO_PAGE_FREE, 0, 0);
	case 'o':
		return pick_owned();
	case 't':
		return pick_table((uint32_t)near_below(5));
	case '1':
		return pick_table(1);
	case '2':
		return pick_table(2);
	case 'y':
		return pick_child();
	case 'h':
		return pick_how();
	case 'p':
		return pick_type();
	case 'Y':
		return pick_table_of(before[-1]);
	default:
		return pick_held(letter, before);
	}
}

/* Environments, capability slots, and what is taken from them; else what the others pick. */
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
	case 'e':
		return pick_eid();
	case 'Z':
		return pick_zombie();
	case 'v':
		return pick_value(before[-1]);
	case 'k':
		return pick_thing(before[-2] % 65536 % NEAR_ENVS, before[-1]);
	case 'W':
		return pick_asked();
	case 'V':
		return pick_taken(before[-1]);
	default:
		return pick_memory(letter, before);
	}
}

/* Calls that build are tried more often than those that end things. */
static uint32_t pick_call(void)
{
	static const uint8_t often[] = {2,  3,	5,  5,	5,  7,	7,  8,	8,  8,	10, 10, 10, 12, 12,
					12, 13, 15, 16, 38, 39, 39, 40, 41, 42, 42, 45, 45, 12, 46,
					47, 48, 48, 49, 50, 50, 51, 51, 52, 53, 54, 55, 56, 56, 57};

	if (chance(60))
		return often[near_below(sizeof often)];
	return 1 + (uint32_t)near_below(LAST_CALL);
}

/* Any call; none where it would end the test's world too often. */
static void choose_any(struct near_call *c)
{
	const uint32_t number = pick_call();

	if ((number == 4 && me == 1 && full_slot(EXO_CAP_ENV) == 0) ||
	    (number == 4 && chance(60)) ||
	    ((number == 26 || number == CALL_WAIT_UNTIL) && chance(80)) ||
	    ((number == CALL_IPC_REPLY_WAIT || number == CALL_IPC_CALL) && chance(70)))
		return;
	target = me;
	via = chance(70) ? 0 : full_slot(EXO_CAP_PAGES);
	c->number = number;
	for (uint32_t i = 0; near_shapes[number][i] != 0; i++)
		c->a[i] = pick(near_shapes[number][i], &c->a[i]);
	for (uint32_t i = 0; i < 6; i++)
		if (chance(1))
			c->a[i] = junk();
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
static void choose_build(struct near_call *c)
{
	const uint64_t ce = building_slot();
	const uint32_t e = caps[me].c[ce].object;
	const uint32_t root = owned_frame(e, EXO_PAGE_TABLE, 4),
		       save = owned_frame(e, EXO_PAGE_SAVE, 0);
	const uint64_t kind = near_below(5) < 4 ? near_below(4) : EXO_QUOTA_GROUPS;

	target = e;
	if (ce == 0)
		choose_any(c);
	else if (quota_limit[e].n[EXO_QUOTA_PAGES] < 6)
		*c = (struct near_call){7, {ce, EXO_QUOTA_PAGES, 6}};
	else if (quota_limit[e].n[kind] < (kind == EXO_QUOTA_GROUPS ? 1 : 3))
		*c = (struct near_call){7, {ce, kind, kind == EXO_QUOTA_GROUPS ? 1 : 3}};
	else if (envs[e].root == 0 && root != 0)
		*c = (struct near_call){2, {ce, EXO_SET_ROOT, chance(80) ? root : pick_anything()}};
	else if (envs[e].save == 0 && save != 0)
		*c = (struct near_call){2, {ce, EXO_SET_SAVE, chance(80) ? save : pick_anything()}};
	else if (envs[e].root == 0 || envs[e].save == 0)
		*c = (struct near_call){
			8,
			{ce, pick_frame(EXO_PAGE_FREE, 0, 0),
			 envs[e].root == 0 ? EXO_PAGE_TABLE | 4 << 8 : EXO_PAGE_SAVE}};
	else
		*c = (struct near_call){3, {ce, 1, 1, 1}};
}

/* A slot of the caller for somebody else whom it may call, or 0; twice as gladly for who is open.
 */
static uint64_t callee_slot(void)
{
	const uint32_t start = (uint32_t)near_below(EXO_NCAP);
	uint64_t found = 0;

	for (uint32_t i = 0; i < EXO_NCAP; i++) {
		const uint32_t s = (start + i) % EXO_NCAP;
		const struct exo_cap *const c = &caps[me].c[s];

		if (c->kind != EXO_CAP_ENV || c->object == me || (c->rights & EXO_ENV_CALL) == 0)
			continue;
		if (envs[c->object].state == EXO_ENV_BUILDING)
			continue; /* does not reply */
		if (envs[c->object].calls_open)
			return s;
		found = s;
	}
	return found;
}

/* Calls and replies among those who are open. */
static void choose_ipc(struct near_call *c)
{
	const uint64_t ce = callee_slot(), sent = pick_sent();
	const uint64_t until = chance(50) ? host_now + 1 + near_below(3000000) : 0;
	const int busy = envs[me].client != 0 || envs[me].call_head != 0;

	if (!envs[me].calls_open)
		*c = (struct near_call){2, {0, EXO_SET_CALLS, 1}};
	else if (busy ? chance(60) : ce == 0 || chance(20))
		*c = (struct near_call){CALL_IPC_REPLY_WAIT,
					{chance(80) | sent, 1 | near_below(32), until,
					 near_below(1ull << 32), 1, 2}};
	else if (ce != 0 && !envs[caps[me].c[ce].object].calls_open)
		*c = (struct near_call){2, {ce, EXO_SET_CALLS, 1}};
	else
		*c = (struct near_call){CALL_IPC_CALL,
					{ce | sent, until, near_below(1ull << 32), 1, 2, 3}};
}

/* A slot of the caller that names e with this right, or 0. */
static uint64_t slot_naming(uint32_t e, uint32_t right)
{
	for (uint32_t s = 1; s < EXO_NCAP; s++)
		if (caps[me].c[s].kind == EXO_CAP_ENV && caps[me].c[s].object == e &&
		    (caps[me].c[s].rights & right) != 0)
			return s;
	return 0;
}

/* Something of this kind that z holds. */
static uint64_t holding(uint32_t z, uint32_t kind)
{
	if (kind == EXO_QUOTA_CAPS)
		for (uint32_t s = 1; s < EXO_NCAP; s++)
			if (caps[z].c[s].kind != EXO_CAP_NONE)
				return s;
	if (kind == EXO_QUOTA_ENVS)
		for (uint32_t e = 1; e < NEAR_ENVS; e++)
			if (envs[e].state != EXO_ENV_FREE && envs[e].parent_index == z)
				return e;
	return kind == EXO_QUOTA_PAGES ? pick_frame((uint8_t)(1 + near_below(4)), z, 0)
				       : pick_thing(z, kind);
}

/* The next call that takes a dead one apart. */
static void choose_bury(struct near_call *c)
{
	const uint64_t eid = pick_zombie();
	const uint32_t z = eid % 65536 % NEAR_ENVS;
	const uint64_t ce = slot_naming(z, EXO_ENV_KILL);

	for (uint32_t kind = 0; kind <= EXO_QUOTA_GROUPS; kind++) {
		if (quota_used[z].n[kind] == 0 || envs[z].state != EXO_ENV_ZOMBIE)
			continue;
		*c = (struct near_call){5, {eid, kind, holding(z, kind)}};
		return;
	}
	if (envs[z].state != EXO_ENV_ZOMBIE)
		choose_any(c);
	else if (ce != 0)
		*c = (struct near_call){6, {ce}};
	else
		*c = (struct near_call){CALL_ENV_OPEN, {eid, pick_empty()}};
}

/* Asks somebody for something, or takes what was asked for. */
static void choose_revoke(struct near_call *c)
{
	const uint32_t e = 1 + (uint32_t)near_below(NEAR_ENVS - 1);
	const uint64_t ce = slot_naming(e, EXO_ENV_REVOKE), kind = near_below(2);
	uint64_t thing;

	target = e;
	if (ce == 0 || quota_limit[e].n[kind] == 0) {
		choose_any(c);
	} else if (revokes[e].ask[kind].n == 0) {
		*c = (struct near_call){
			CALL_REVOKE_ASK,
			{ce, kind, 1 + near_below(quota_limit[e].n[kind]), host_now}};
	} else {
		thing = pick_taken(kind);
		*c = (struct near_call){CALL_REVOKE_TAKE, {ce, kind, thing, pick_table_of(thing)}};
	}
}

/* The next call that gets a program into use. */
static void choose_load(struct near_call *c)
{
	uint64_t n;

	if (load.env != me || chance(3))
		*c = (struct near_call){CALL_BPF_BEGIN, {chance(50) ? pick_group() : 0}};
	else if (load_program.count == 0 && !load.verifying)
		*c = (struct near_call){CALL_BPF_PUT, {write_program(&n), n}};
	else
		*c = (struct near_call){CALL_BPF_VERIFY, {0}};
	if (c->number == CALL_BPF_PUT)
		c->a[1] = n;
}

/* A slot of the caller, or EXO_NSLOT. */
static uint64_t own_slot(void)
{
	for (uint64_t s = 0; s < EXO_NSLOT; s++)
		if (slots[s].owner == me && chance(70))
			return s;
	return EXO_NSLOT;
}

/* The next call that brings a group towards choosing. */
static void choose_group(struct near_call *c)
{
	const uint64_t g = pick_group() % EXO_NGROUP, place = pick_place() % EXO_SCHED_MEMBERS;

	if (groups[g].owner == 0)
		*c = (struct near_call){CALL_GROUP_TAKE, {g, chance(50) ? 0 : near_below(600)}};
	else if (groups[g].owner != me || (groups[g].insns == 0 && chance(50)))
		choose_load(c);
	else if (groups[g].slots == 0 && chance(70))
		*c = (struct near_call){CALL_SLOT_GROUP, {own_slot(), g}};
	else if (scenes[g].sched.member[place].env == 0)
		*c = (struct near_call){CALL_GROUP_JOIN, {g, place, pick_ce()}};
	else
		*c = (struct near_call){CALL_GROUP_WORD, {g, place, 0, near_below(66)}};
}

struct near_call near_choose(uint32_t e)
{
	struct near_call c = {0};

	me = e;
	target = e;
	if (chance(15))
		choose_build(&c);
	else if (chance(5))
		choose_ipc(&c);
	else if (chance(8))
		choose_bury(&c);
	else if (chance(5))
		choose_revoke(&c);
	else if (chance(5))
		choose_load(&c);
	else if (chance(6))
		choose_group(&c);
	else
		choose_any(&c);
	return c;
}

/* Groups, downloaded programs, the trace. */
static struct exo_result do_group(uint32_t number, const uint64_t *a)
{
	switch (number) {
	case CALL_GROUP_TAKE:
		return sys_group_take(a[0], a[1]);
	case CALL_GROUP_TAKE + 1:
		return sys_group_free(a[0]);
	case CALL_GROUP_JOIN:
		return sys_group_join(a[0], a[1], a[2]);
	case CALL_GROUP_JOIN + 1:
		return sys_group_leave(a[0], a[1]);
	case CALL_GROUP_WORD:
		return sys_group_word(a[0], a[1], a[2], a[3]);
	case CALL_SLOT_GROUP:
		return sys_slot_group(a[0], a[1]);
	case CALL_BPF_BEGIN:
		return sys_bpf_begin(a[0]);
	case CALL_BPF_PUT:
		return sys_bpf_put(a[0], a[1]);
	case CALL_BPF_VERIFY:
		return sys_bpf_verify();
	case CALL_TRACE_START:
		return sys_trace_start(a[0], a[1], a[2]);
	case CALL_TRACE_STOP:
		return sys_trace_stop();
	default:
		return sys_null();
	}
}

/* Capabilities, CPU slots, waiting, what is asked back, calls. */
static struct exo_result do_cap(uint32_t number, const uint64_t *a)
{
	switch (number) {
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
	case CALL_WAIT_UNTIL:
		return sys_wait_until(a[0], a[1], a[2], a[3], a[4], a[5]);
	case CALL_REVOKE_ASK:
		return sys_revoke_ask(a[0], a[1], a[2], a[3]);
	case CALL_REVOKE_TAKE:
		return sys_revoke_take(a[0], a[1], a[2], a[3]);
	case CALL_IPC_CALL:
		return sys_ipc_call(a[0], a[1], a[2], a[3], a[4], a[5]);
	case CALL_IPC_REPLY_WAIT:
		return sys_ipc_reply_wait(a[0], a[1], a[2], a[3], a[4], a[5]);
	default:
		return do_group(number, a);
	}
}

/* Frames, tables, blocks. */
static struct exo_result do_page(uint32_t number, const uint64_t *a)
{
	switch (number) {
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
	case CALL_BLOCK_BIND:
		return sys_block_bind(a[0], a[1], a[2], a[3]);
	default:
		return do_cap(number, a);
	}
}

struct exo_result near_do(const struct near_call *call)
{
	const uint64_t *const a = call->a;

	switch (call->number) {
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
	case CALL_ENV_OPEN:
		return sys_env_open(a[0], a[1]);
	default:
		return do_page(call->number, a);
	}
}

/* ---- the world --------------------------------------------------------------------------- */

void near_boot(void)
{
	host_boot(NEAR_FRAMES, FIRST_FREE, NEAR_ENVS);
	page_boot_range(POOL_END, RUN_START - POOL_END, EXO_PAGE_NONE);
	page_boot_range(DEVICES, FIRST_FREE - DEVICES, EXO_PAGE_DEVICE);
	quota_boot(1, EXO_QUOTA_PAGES, page_free_count());
	for (uint32_t x = 3; x < 5; x++)
		cap_put(1, 40 + x,
			(struct exo_cap){.kind = EXO_CAP_EXTENT,
					 .rights = 15,
					 .object = x,
					 .start = 100 * x,
					 .len = 4});
	cap_put(1, 45,
		(struct exo_cap){.kind = EXO_CAP_DEVICE, .rights = 7, .start = DEVICES, .len = 4});
	cap_put(1, 46, (struct exo_cap){.kind = EXO_CAP_CONSOLE, .rights = 15});
	cap_put(1, 47, (struct exo_cap){.kind = EXO_CAP_MACHINE});
	cap_put(1, 48, (struct exo_cap){.kind = EXO_CAP_TRACE, .rights = EXO_RIGHT_GRANT});
}

void near_first(void (*attempt)(struct near_call))
{
	attempt((struct near_call){8, {0, 16, EXO_PAGE_TABLE | 4 << 8}});
	attempt((struct near_call){8, {0, 17, EXO_PAGE_SAVE}});
	attempt((struct near_call){2, {0, EXO_SET_ROOT, 16}});
	attempt((struct near_call){2, {0, EXO_SET_SAVE, 17}});
	for (uint32_t i = 3; i >= 1; i--) {
		attempt((struct near_call){8, {0, 21 - i, EXO_PAGE_TABLE | i << 8}});
		attempt((struct near_call){10, {0, i == 3 ? 16 : 20 - i, 0, 21 - i}});
	}
	for (uint32_t i = 0; i < RUN; i++)
		attempt((struct near_call){8, {0, RUN_START + i, EXO_PAGE_DATA}});
	attempt((struct near_call){22, {0, 0}});
	attempt((struct near_call){3, {0, 1, 1, 1}});
}
