/*
 * show.c - the monitor's commands: each prints a part of the kernel's tables.
 *
 * Owns nothing: records are read where they stand, and may change meanwhile.  The names are those
 * of the debuggers' commands (scripts/debug/show.py), as far as a program may look: page tables and
 * stacks of others it does not see.  Called by monitor.c.
 */
#include "monitor.h"

#include <string.h>
#include <libos/bare.h>
#include <libos/tables.h>

enum { NAME = 16 };

#define WORD(words, i) ((i) < sizeof(words) / sizeof((words)[0]) ? (words)[i] : "?")

static const char *const env_states[] = {"free",    "building", "runnable",
					 "waiting", "zombie",	"calling"};
static const char *const page_states[] = {"free",   "data",   "table",	"save",
					  "upcall", "kernel", "device", "none"};
static const char *const cap_kinds[] = {"none",	   "env",     "pages", "extent",
					"console", "machine", "device"};
static const char *const extent_states[] = {"free", "taking", "live", "dying", "system"};
static const char *const io_ops[] = {"?", "read", "write", "flush", "clear"};

/* A name out of a table, which ends only when it is shorter than its place. */
static const char *name_of(const volatile char *from, uint32_t size)
{
	static char out[NAME + 1];
	uint32_t n = 0;

	for (; n < size && n < NAME && from[n]; n++)
		out[n] = from[n] >= ' ' && from[n] < 127 ? from[n] : '?';
	out[n] = 0;
	return n ? out : "-";
}

static void print_env(uint64_t i)
{
	bare_print(i ? "%u (%s)" : "nobody", i,
		   i ? name_of(tables_env((uint32_t)i)->name, NAME) : "");
}

static void print_quota(const char *what, uint32_t i, uint32_t kind)
{
	bare_print(" %s %u/%u", what, (uint64_t)tables_quota_used(i)->n[kind],
		   (uint64_t)tables_quota_limit(i)->n[kind]);
}

static int exists(uint32_t i)
{
	return i && i < tables_info()->envs && tables_env(i)->state != EXO_ENV_FREE;
}

static void show_envs(uint32_t unused)
{
	(void)unused;
	for (uint32_t i = 1; i < tables_info()->envs; i++) {
		const volatile struct exo_env *e = tables_env(i);

		if (e->state == EXO_ENV_FREE)
			continue;
		bare_print("%u %s %s principal %x", (uint64_t)i, name_of(e->name, NAME),
			   WORD(env_states, e->state), e->principal);
		print_quota("pages", i, EXO_QUOTA_PAGES);
		print_quota("slots", i, EXO_QUOTA_SLOTS);
		print_quota("caps", i, EXO_QUOTA_CAPS);
		bare_print(" faults %u\r\n", e->faults);
	}
}

static void show_env(uint32_t i)
{
	const volatile struct exo_env *e = tables_env(i);

	print_env(i);
	bare_print(": eid 0x%x, %s, made by ", (uint64_t)e->gen << 16 | i,
		   WORD(env_states, e->state));
	print_env(e->parent_index);
	bare_print("\nframes: root 0x%x, save 0x%x, upcalls 0x%x, ring 0x%x\r\n", (uint64_t)e->root,
		   (uint64_t)e->save, (uint64_t)e->upcall_page, (uint64_t)e->io_ring);
	bare_print("events pending 0x%x, waited for 0x%x, deadline %u ns\r\n", e->events,
		   e->wait_mask, e->deadline);
	bare_print("calls ");
	print_env(e->calling);
	bare_print(", serves ");
	print_env(e->client);
	bare_print("\nslices used %u, given %u, overrun %u\r\n", e->used_ticks, e->given_ticks,
		   (uint64_t)e->overruns);
	if (e->state == EXO_ENV_ZOMBIE)
		bare_print("ended: reason %u, vector %u, rip 0x%x, address 0x%x\r\n",
			   (uint64_t)e->end, (uint64_t)e->end_vector, e->end_rip, e->end_addr);
}

static void show_caps(uint32_t i)
{
	for (uint32_t s = 0; s < EXO_NCAP; s++) {
		const volatile struct exo_cap *c = &tables_caps(i)->c[s];

		if (c->kind == EXO_CAP_NONE)
			continue;
		bare_print("%u %s %u rights 0x%x generation %u", (uint64_t)s,
			   WORD(cap_kinds, c->kind), (uint64_t)c->object, (uint64_t)c->rights,
			   c->gen);
		if (c->len)
			bare_print(" range 0x%x-0x%x", c->start, c->start + c->len - 1);
		bare_print("\r\n");
	}
}

/* Requests that move data to or from a frame are not told: which frames they name is the kernel's.
 */
static void show_frame(uint32_t f)
{
	const volatile struct exo_page *p = tables_page(f);

	bare_print("frame 0x%x: %s, owner ", (uint64_t)f, WORD(page_states, p->state));
	print_env(p->owner);
	bare_print(", born %u\nmapped %u times, its run %u times; %u pins\r\n", p->born,
		   (uint64_t)*tables_page_maps(f), (uint64_t)*tables_run_maps(f / 512),
		   (uint64_t)*tables_page_pins(f));
	if (p->state == EXO_PAGE_TABLE)
		bare_print("table of level %u for 0x%x, %u entries, linked by 0x%x\r\n",
			   (uint64_t)p->level, p->va, (uint64_t)p->present, (uint64_t)p->parent);
	if (p->bound) {
		const volatile struct exo_bind *b = tables_bind(p->bound - 1);

		bare_print("holds block %u of extent %u, bound by ", b->block, (uint64_t)b->extent);
		print_env(b->env);
		bare_print("\r\n");
	}
	for (uint32_t i = 1; i < tables_info()->envs; i++) {
		const volatile struct exo_env *e = tables_env(i);

		if (exists(i) &&
		    (e->root == f || e->save == f || e->upcall_page == f || e->io_ring == f)) {
			bare_print("root, save area, upcall page or ring of ");
			print_env(i);
			bare_print("\r\n");
		}
	}
}

/* Runs of slots with one owner. */
static void show_slots(uint32_t unused)
{
	uint32_t first = 0;

	(void)unused;
	bare_print("slot %u of %u runs\r\n", (uint64_t)tables_info()->current_slot,
		   (uint64_t)EXO_NSLOT);
	for (uint32_t s = 1; s <= EXO_NSLOT; s++) {
		if (s < EXO_NSLOT && tables_slot(s)->owner == tables_slot(first)->owner)
			continue;
		bare_print("%u-%u ", (uint64_t)first, (uint64_t)s - 1);
		print_env(tables_slot(first)->owner);
		bare_print("\r\n");
		first = s;
	}
}

static void show_extents(uint32_t unused)
{
	(void)unused;
	for (uint32_t i = 0; i < tables_info()->table[EXO_TABLE_EXTENTS].count; i++) {
		const volatile struct exo_extent *x = tables_extent(i);

		if (x->state == EXO_EXTENT_FREE || x->len == 0)
			continue;
		bare_print("%u %s %s drive %u owner %x blocks %u-%u readable %u generation %u\r\n",
			   (uint64_t)i, name_of(x->name, sizeof(x->name)),
			   WORD(extent_states, x->state), (uint64_t)x->drive, x->owner, x->start,
			   x->start + x->len - 1, x->init, (uint64_t)x->gen);
	}
}

static void show_queues(uint32_t unused)
{
	uint64_t requests = 0;

	(void)unused;
	for (uint32_t d = 0; d < EXO_NDRIVE; d++) {
		const volatile struct exo_drive *v = tables_drive(d);

		if (v->blocks)
			bare_print("drive %u: %u blocks, %u commands, %u read, %u written, %u "
				   "errors\r\n",
				   (uint64_t)d, v->blocks, v->commands, v->blocks_read,
				   v->blocks_written, (uint64_t)v->errors);
	}
	for (uint32_t i = 0; i < EXO_NIO; i++) {
		const volatile struct exo_io *io = tables_io(i);

		if (io->state == EXO_IOS_FREE)
			continue;
		requests++;
		bare_print("%s: %u, %s of ", io->state == EXO_IOS_ACTIVE ? "active" : "queued",
			   (uint64_t)i, WORD(io_ops, io->op));
		print_env(io->env);
		bare_print(": %u blocks at %u\r\n", (uint64_t)io->count, io->block);
	}
	bare_print("%u requests\r\n", requests);
}

/* ---- arguments ----------------------------------------------------------------------------- */

enum takes { NOTHING, AN_ENV, A_FRAME };

static void show_help(uint32_t unused);

static const struct command {
	const char *name;
	enum takes takes;
	void (*show)(uint32_t number);
	const char *what;
} commands[] = {
	{"envs", NOTHING, show_envs, "environments"},
	{"env", AN_ENV, show_env, "ENV (index or name): one of them"},
	{"caps", AN_ENV, show_caps, "ENV: its capabilities"},
	{"frame", A_FRAME, show_frame, "NUMBER: a page frame"},
	{"slots", NOTHING, show_slots, "the CPU's slots by owner"},
	{"extents", NOTHING, show_extents, "extents of the disks"},
	{"queues", NOTHING, show_queues, "drives, and the requests for them"},
	{"help", NOTHING, show_help, "this"},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void show_help(uint32_t unused)
{
	(void)unused;
	for (uint32_t i = 0; i < COMMANDS; i++)
		bare_print("%s  %s\r\n", commands[i].name, commands[i].what);
	bare_print("Ctrl-] gives the console back\r\n");
}

/* The value of a digit of that base; the base when it is none. */
static uint32_t digit(char c, uint32_t base)
{
	const uint32_t n = c >= 'a' ? (uint32_t)(c - 'a') + 10 : (uint32_t)(c - '0');

	return (c >= '0' && c <= '9') || c >= 'a' ? (n < base ? n : base) : base;
}

/* The number that text is, whole, hexadecimal after 0x; -1 when it is none. */
static int64_t number(const char *text)
{
	const uint32_t base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
	int64_t n = 0;

	text += base == 16 ? 2 : 0;
	if (!text[0])
		return -1;
	for (; *text; text++) {
		if (digit(*text, base) == base || n > UINT32_MAX)
			return -1;
		n = n * base + digit(*text, base);
	}
	return n;
}

/* An environment's index by that or by its name, if only one has it; -1 when there is none. */
static int64_t env_named(const char *text)
{
	int64_t found = number(text);

	if (found >= 0)
		return found <= UINT16_MAX && exists((uint32_t)found) ? found : -1;
	for (uint32_t i = 1; i < tables_info()->envs; i++) {
		if (!exists(i) || strcmp(name_of(tables_env(i)->name, NAME), text) != 0)
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

static void refuse_env(const char *text)
{
	bare_print("no environment, or not one alone, is '%s'; there are:", text);
	for (uint32_t i = 1; i < tables_info()->envs; i++) {
		if (exists(i)) {
			bare_print(" ");
			print_env(i);
		}
	}
	bare_print("\r\n");
}

static void run(const struct command *c, const char *argument)
{
	int64_t n = 0;

	if ((c->takes == NOTHING) != (argument[0] == 0)) {
		bare_print("%s  %s\r\n", c->name, c->what);
		return;
	}
	if (c->takes == AN_ENV)
		n = env_named(argument);
	else if (c->takes == A_FRAME)
		n = number(argument);
	if (c->takes == AN_ENV && n < 0)
		refuse_env(argument);
	else if (c->takes == A_FRAME && (n < 0 || n >= tables_info()->frames))
		bare_print("no frame '%s': there are 0 to 0x%x\r\n", argument,
			   (uint64_t)tables_info()->frames - 1);
	else
		c->show((uint32_t)n);
}

void show_command(const char *name, const char *argument)
{
	for (uint32_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			run(&commands[i], argument);
			return;
		}
	}
	bare_print("no command '%s'; there are:", name);
	for (uint32_t i = 0; i < COMMANDS; i++)
		bare_print(" %s", commands[i].name);
	bare_print("\r\n");
}
