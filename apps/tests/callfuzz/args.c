/*
 * args.c - what arguments are made of: each has a kind, told by its name in the table of calls, and
 * each kind a way to pick a value that is likely to be right.
 *
 * A new call is fuzzed as soon as it stands in syscall.def; arguments whose name is not known here
 * are any words.  Tables are constant, and pickers read the kernel's tables: all of it runs in
 * children.  args_kinds() runs in the driver.
 */
#include <libos/time.h>
#include <string.h>
#include "fuzz.h"

enum kind {
	K_WORD,
	K_CE,	   /* slot of an environment: mostly oneself */
	K_CHILD,   /* not oneself */
	K_EID,	   /* any environment */
	K_EID_OWN, /* own child, or the sibling */
	K_ENV_FREE,
	K_FRAME,
	K_FRAME_FREE,
	K_TABLE,
	K_TABLE1,
	K_TABLE2,
	K_ENTRY,
	K_COUNT,
	K_HOW,
	K_TYPE,
	K_CAP,
	K_CAP_EMPTY,
	K_CAP_EXTENT,
	K_CAP_CONSOLE,
	K_RIGHTS,
	K_QUOTA,
	K_SMALL,
	K_GROUP,
	K_SLOT,
	K_SLOT_FREE,
	K_EVENTS,
	K_DEADLINE,
	K_LATER,
	K_VA,
	K_BYTES,
	K_PRINCIPAL,
	K_EXTENT,
	K_EXTENT_FREE,
	K_BLOCK,
	K_RIP,
	K_ZERO,
	KINDS
};

enum { LONG_SLEEP = 10000000 /* ns */ };

/* The first line that fits counts: the call's name begins with, the argument's name is. */
static const struct {
	const char *call, *arg;
	enum kind kind;
} known[] = {
	{"env_create", "index", K_ENV_FREE},
	{"env_k", "ce", K_CHILD},
	{"env_rea", "ce", K_CHILD},
	{"env_start", "ce", K_CHILD},
	{"env_start", "rip", K_RIP},
	{"env_start", "rsp", K_VA},
	{"env_open", "eid", K_EID_OWN},
	{"env_reclaim", "eid", K_EID_OWN},
	{"env_reclaim", "index", K_FRAME},
	{"env_set", "what", K_SMALL},
	{"quota_move", "ce", K_CHILD},
	{"slot_give", "ce", K_CHILD},
	{"revoke", "ce", K_CHILD},
	{"cap_grant", "ce", K_CHILD},
	{"", "ce", K_CE},
	{"page_take", "frame", K_FRAME_FREE},
	{"page_map_large", "table", K_TABLE2},
	{"page_", "table", K_TABLE1},
	{"", "table", K_TABLE},
	{"table_", "index", K_ENTRY},
	{"page_", "index", K_ENTRY},
	{"extent_open", "index", K_EXTENT},
	{"extent_", "index", K_EXTENT_FREE},
	{"revoke_take", "index", K_FRAME},
	{"", "frame", K_FRAME},
	{"", "count", K_COUNT},
	{"", "how", K_HOW},
	{"", "type", K_TYPE},
	{"", "d", K_CAP_EMPTY},
	{"extent_", "s", K_CAP_EXTENT},
	{"block_", "s", K_CAP_EXTENT},
	{"console_", "s", K_CAP_CONSOLE},
	{"", "s", K_CAP},
	{"", "rights", K_RIGHTS},
	{"", "kind", K_QUOTA},
	{"console_", "n", K_BYTES},
	{"", "n", K_SMALL},
	{"slot_take", "slot", K_SLOT_FREE},
	{"", "slot", K_SLOT},
	{"", "mask", K_EVENTS},
	{"", "bits", K_EVENTS},
	{"revoke", "deadline", K_LATER},
	{"extent_", "deadline", K_LATER},
	{"", "deadline", K_DEADLINE},
	{"", "va", K_VA},
	{"", "principal", K_PRINCIPAL},
	{"", "prev", K_EXTENT},
	{"cap_", "start", K_ZERO},
	{"cap_", "len", K_ZERO},
	{"", "start", K_BLOCK},
	{"", "at", K_BLOCK},
	{"", "block", K_BLOCK},
	{"", "len", K_COUNT},
	{"", "drive", K_ZERO},
	{"event_", "eid", K_EID_OWN},
	{"extent_", "eid", K_EID_OWN},
	{"", "eid", K_EID},
	{"", "entry", K_SMALL},
	{"", "group", K_GROUP},
	{"", "place", K_SMALL},
	{"", "word", K_SMALL},
	{"", "patience", K_COUNT},
};

static const struct {
	const char *name, *args;
} calls[CALLS] = {
#define CALL(number, name, nargs, args, what, errors, bound, example) [number] = {#name, #args},
#include <exo/syscall.def>
#undef CALL
};

const char *args_call_name(uint32_t number)
{
	return number < CALLS && calls[number].name ? calls[number].name : "unknown";
}

int args_unknown(uint32_t number)
{
	return number >= CALLS || !calls[number].name;
}

int args_never(uint32_t number)
{
	return args_unknown(number) || strcmp(calls[number].name, "machine_halt") == 0;
}

static uint8_t kind_of(const char *call, const char *arg, size_t len)
{
	for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(call, known[i].call, strlen(known[i].call)) == 0 &&
		    strlen(known[i].arg) == len && memcmp(arg, known[i].arg, len) == 0)
			return known[i].kind;
	return K_WORD;
}

/* From "(uint64_t ce, uint64_t frame)": each name ends at ',' or ')' and follows a blank. */
static uint8_t parse(const char *call, const char *args, uint8_t *kinds)
{
	const char *const start = args, *name = start;
	uint8_t n = 0;

	for (; *args && n < ARGS; args++) {
		if (*args == ' ')
			name = args + 1;
		if ((*args == ',' || *args == ')') && name != start)
			kinds[n++] = kind_of(call, name, (size_t)(args - name));
	}
	return n;
}

void args_kinds(struct shared *s)
{
	for (uint32_t c = 0; c < UNKNOWN; c++) {
		if (!calls[c].name)
			continue;
		s->known = c + 1;
		s->nargs[c] = parse(calls[c].name, calls[c].args, s->kind[c]);
	}
}

/* ---- looking for things ------------------------------------------------------------------ */

uint32_t args_own_frame(struct body *b, uint8_t state, uint8_t level)
{
	const uint32_t first = b->hints ? (uint32_t)fuzz_below(b->s, b->hints) : 0;

	for (uint32_t i = 0; i < b->hints; i++) {
		const uint32_t f = b->hint[(first + i) % b->hints];
		const volatile struct exo_page *p = tables_page(f);

		if (p->owner == b->self && p->state == state && (level == 0 || p->level == level))
			return f;
	}
	return 0;
}

uint32_t args_slot(struct body *b, uint8_t kind)
{
	const volatile struct exo_caps *caps = tables_caps(b->self);
	const uint32_t first = (uint32_t)fuzz_below(b->s, EXO_NCAP);

	for (uint32_t i = 0; i < EXO_NCAP; i++) {
		const uint32_t c = (first + i) % EXO_NCAP;

		if (caps->c[c].kind == kind && c != 0)
			return c;
	}
	return kind == EXO_CAP_NONE ? EXO_NCAP : 0;
}

uint32_t args_env(const struct body *b, uint64_t ce)
{
	const volatile struct exo_caps *caps = tables_caps(b->self);

	if (ce >= EXO_NCAP || caps->c[ce].kind != EXO_CAP_ENV)
		return b->self;
	return caps->c[ce].object;
}

static uint64_t eid_of(uint32_t e)
{
	return (uint64_t)tables_env(e)->gen << 16 | e;
}

/* ---- pickers ----------------------------------------------------------------------------- */

static uint64_t pick_child(struct body *b)
{
	return args_slot(b, EXO_CAP_ENV);
}

static uint64_t pick_ce(struct body *b)
{
	return fuzz_one_in(b->s, 4) ? pick_child(b) : 0;
}

static uint64_t pick_eid(struct body *b)
{
	const uint32_t envs = tables_info()->envs;
	const uint32_t first = (uint32_t)fuzz_below(b->s, envs < 64 ? envs : 64);

	for (uint32_t i = 0; i < 64; i++)
		if (tables_env((first + i) % envs)->state >= EXO_ENV_BUILDING)
			return eid_of((first + i) % envs);
	return b->s->self;
}

static uint64_t pick_eid_own(struct body *b)
{
	return eid_of(args_env(b, pick_child(b)));
}

static uint64_t pick_env_free(struct body *b)
{
	const uint32_t envs = tables_info()->envs;
	uint32_t e = 1 + (uint32_t)fuzz_below(b->s, envs - 1);

	for (uint32_t i = 0; i < 64 && tables_env(e)->state != EXO_ENV_FREE; i++)
		e = e + 1 < envs ? e + 1 : 1;
	return e;
}

static uint64_t pick_frame(struct body *b)
{
	return b->hints ? b->hint[fuzz_below(b->s, b->hints)] : 0;
}

static uint64_t pick_frame_free(struct body *b)
{
	const uint32_t words = tables_info()->frames / 64;
	uint32_t w = (uint32_t)fuzz_below(b->s, words);

	for (uint32_t i = 0; i < 256 && *tables_page_free(w) == 0; i++)
		w = w + 1 < words ? w + 1 : 0;
	if (*tables_page_free(w) == 0)
		return 0;
	return w * 64 + (uint32_t)__builtin_ctzll(*tables_page_free(w));
}

static uint64_t pick_table(struct body *b)
{
	return args_own_frame(b, EXO_PAGE_TABLE, 0);
}

static uint64_t pick_table1(struct body *b)
{
	return args_own_frame(b, EXO_PAGE_TABLE, 1);
}

static uint64_t pick_table2(struct body *b)
{
	return args_own_frame(b, EXO_PAGE_TABLE, 2);
}

static uint64_t pick_entry(struct body *b)
{
	return ARENA_INDEX + fuzz_below(b->s, FREE_INDEX_END - ARENA_INDEX);
}

static uint64_t pick_count(struct body *b)
{
	return fuzz_one_in(b->s, 3) ? 1 + fuzz_below(b->s, 8) : 1;
}

static uint64_t pick_how(struct body *b)
{
	static const uint8_t hows[] = {1, 1, 3, 3, 3, 5, 7};
	const uint64_t how = hows[fuzz_below(b->s, sizeof hows)];

	return fuzz_one_in(b->s, 4) ? how | (uint64_t)args_slot(b, EXO_CAP_PAGES) << 8 : how;
}

static uint64_t pick_type(struct body *b)
{
	static const uint16_t types[] = {EXO_PAGE_DATA,		  EXO_PAGE_DATA,
					 EXO_PAGE_DATA,		  EXO_PAGE_SAVE,
					 EXO_PAGE_UPCALL,	  EXO_PAGE_TABLE | 1 << 8,
					 EXO_PAGE_TABLE | 2 << 8, EXO_PAGE_TABLE | 3 << 8,
					 EXO_PAGE_TABLE | 4 << 8, EXO_PAGE_TRACE};

	return types[fuzz_below(b->s, sizeof types / sizeof types[0])];
}

static uint64_t pick_cap(struct body *b)
{
	return fuzz_one_in(b->s, 8) ? 0 : args_slot(b, (uint8_t)(1 + fuzz_below(b->s, 7)));
}

static uint64_t pick_cap_empty(struct body *b)
{
	return args_slot(b, EXO_CAP_NONE);
}

/* Mostly one that counts: a cut or freed extent leaves stale ones behind. */
static uint64_t pick_cap_extent(struct body *b)
{
	uint32_t slot = 0;

	for (uint32_t i = 0; i < 6; i++) {
		const volatile struct exo_cap *c;

		slot = args_slot(b, EXO_CAP_EXTENT);
		c = &tables_caps(b->self)->c[slot];
		if (c->gen == tables_extent(c->object % EXO_NEXTENT)->gen)
			break;
	}
	return slot;
}

static uint64_t pick_cap_console(struct body *b)
{
	return args_slot(b, EXO_CAP_CONSOLE);
}

static uint64_t pick_rights(struct body *b)
{
	static const uint8_t rights[] = {1, 3, 5, 7, 0x7f, 0xff};

	return rights[fuzz_below(b->s, sizeof rights)];
}

static uint64_t pick_quota(struct body *b)
{
	return fuzz_below(b->s, EXO_NQUOTA);
}

static uint64_t pick_small(struct body *b)
{
	return fuzz_below(b->s, 12);
}

/* A group of its own, or any. */
static uint64_t pick_group(struct body *b)
{
	for (uint64_t g = 1; g < EXO_NGROUP; g++)
		if (tables_group(g)->owner == b->self && !fuzz_one_in(b->s, 4))
			return g;
	return fuzz_below(b->s, EXO_NGROUP);
}

static uint64_t find_slot(struct body *b, uint32_t owner)
{
	const uint32_t first = (uint32_t)fuzz_below(b->s, EXO_NSLOT);

	for (uint32_t i = 0; i < EXO_NSLOT; i++)
		if (tables_slot((first + i) % EXO_NSLOT)->owner == owner)
			return (first + i) % EXO_NSLOT;
	return first;
}

static uint64_t pick_slot(struct body *b)
{
	return find_slot(b, b->self);
}

static uint64_t pick_slot_free(struct body *b)
{
	return find_slot(b, 0);
}

static uint64_t pick_events(struct body *b)
{
	return 1ull << 32 << fuzz_below(b->s, 32) | (fuzz_one_in(b->s, 4) ? 0xff : 0);
}

static uint64_t pick_deadline(struct body *b)
{
	return time_now() + fuzz_below(b->s, 2000000);
}

static uint64_t pick_later(struct body *b)
{
	return time_now() + EXO_REVOKE_MIN_NS + 1000000 + fuzz_below(b->s, 100000000);
}

/* Good, at the end of what is there, in what is read-only, in what is not there. */
static uint64_t pick_va(struct body *b)
{
	const uint64_t at = fuzz_below(b->s, CHILD_ARENA_PAGES * VM_PAGE);

	switch (fuzz_below(b->s, 16)) {
	case 0:
		return CHILD_ARENA + CHILD_ARENA_PAGES * VM_PAGE - at % 64;
	case 1:
		return CHILD_ARENA - at % 64;
	case 2:
		return EXO_TABLES_VA + at % VM_PAGE;
	case 3:
		return CHILD_CODE + at % VM_PAGE;
	case 4:
		return at;
	default:
		return CHILD_ARENA + at;
	}
}

static uint64_t pick_bytes(struct body *b)
{
	return fuzz_below(b->s, fuzz_one_in(b->s, 8) ? 257 : 16);
}

static uint64_t pick_principal(struct body *b)
{
	return tables_env(b->self)->principal | (fuzz_one_in(b->s, 2) ? fuzz_below(b->s, 256) : 0);
}

static uint64_t find_extent(struct body *b, int free)
{
	uint32_t x = (uint32_t)fuzz_below(b->s, 64);

	for (uint32_t i = 0; i < 64; i++, x = (x + 1) % 64)
		if ((tables_extent(x)->state == EXO_EXTENT_FREE) == free && x != 0)
			return x;
	return 0;
}

static uint64_t pick_extent(struct body *b)
{
	return find_extent(b, 0);
}

static uint64_t pick_extent_free(struct body *b)
{
	return find_extent(b, 1);
}

static uint64_t pick_block(struct body *b)
{
	const volatile struct exo_extent *x = tables_extent((uint32_t)find_extent(b, 0));

	return x->start + fuzz_below(b->s, x->len ? x->len : 1);
}

static uint64_t pick_rip(struct body *b)
{
	(void)b;
	return (uint64_t)(uintptr_t)fuzz_entry;
}

static uint64_t pick_zero(struct body *b)
{
	(void)b;
	return 0;
}

void args_wake(struct body *b, uint32_t number, uint64_t *a)
{
	const uint64_t now = time_now();

	for (uint32_t i = 0; number < UNKNOWN && i < b->s->nargs[number]; i++)
		if (b->s->kind[number][i] == K_DEADLINE && (a[i] == 0 || a[i] > now + LONG_SLEEP))
			a[i] = now + fuzz_below(b->s, LONG_SLEEP);
}

uint64_t args_wild(struct body *b)
{
	static const uint64_t bounds[] = {0,
					  1,
					  0x7fffffff,
					  0x80000000,
					  0xffffffff,
					  1ull << 32,
					  1ull << 47,
					  (1ull << 47) - 4096,
					  1ull << 63,
					  ~0ull,
					  ~0ull - 4095,
					  0x8000000000000000ull - 1,
					  EXO_TABLES_VA,
					  EXO_TABLES_KERNEL,
					  0xffffffff80100000ull,
					  0xffff800000000000ull,
					  CHILD_SHARED - 1,
					  255,
					  256,
					  511,
					  512,
					  EXO_NCAP,
					  EXO_NENV,
					  EXO_NEXTENT};

	switch (fuzz_below(b->s, 5)) {
	case 0:
		return fuzz_random(b->s) << 11 ^ fuzz_random(b->s);
	case 1:
		return bounds[fuzz_below(b->s, sizeof bounds / sizeof bounds[0])];
	case 2:
		return fuzz_below(b->s, tables_info()->frames + 4);
	case 3:
		return args_right(b, (uint8_t)fuzz_below(b->s, KINDS)) + fuzz_below(b->s, 3) - 1;
	default:
		return fuzz_below(b->s, 70);
	}
}

static uint64_t pick_word(struct body *b)
{
	return fuzz_one_in(b->s, 2) ? fuzz_random(b->s) : fuzz_below(b->s, 64);
}

uint64_t args_right(struct body *b, uint8_t kind)
{
	static uint64_t (*const pick[KINDS])(struct body *) = {
		[K_WORD] = pick_word,
		[K_CE] = pick_ce,
		[K_CHILD] = pick_child,
		[K_EID] = pick_eid,
		[K_EID_OWN] = pick_eid_own,
		[K_ENV_FREE] = pick_env_free,
		[K_FRAME] = pick_frame,
		[K_FRAME_FREE] = pick_frame_free,
		[K_TABLE] = pick_table,
		[K_TABLE1] = pick_table1,
		[K_TABLE2] = pick_table2,
		[K_ENTRY] = pick_entry,
		[K_COUNT] = pick_count,
		[K_HOW] = pick_how,
		[K_TYPE] = pick_type,
		[K_CAP] = pick_cap,
		[K_CAP_EMPTY] = pick_cap_empty,
		[K_CAP_EXTENT] = pick_cap_extent,
		[K_CAP_CONSOLE] = pick_cap_console,
		[K_RIGHTS] = pick_rights,
		[K_QUOTA] = pick_quota,
		[K_SMALL] = pick_small,
		[K_GROUP] = pick_group,
		[K_SLOT] = pick_slot,
		[K_SLOT_FREE] = pick_slot_free,
		[K_EVENTS] = pick_events,
		[K_DEADLINE] = pick_deadline,
		[K_LATER] = pick_later,
		[K_VA] = pick_va,
		[K_BYTES] = pick_bytes,
		[K_PRINCIPAL] = pick_principal,
		[K_EXTENT] = pick_extent,
		[K_EXTENT_FREE] = pick_extent_free,
		[K_BLOCK] = pick_block,
		[K_RIP] = pick_rip,
		[K_ZERO] = pick_zero,
	};

	return pick[kind](b);
}
