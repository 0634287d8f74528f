/*
 * start.c - what happens between the kernel's first instruction for a program and its personality.
 *
 * Owns the program's idea of who it is.  Runs first: nothing works yet, not even bss pages, so all
 * of its data is resident.  Called by core/start.S.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/layout.h>
#include <libos/lock.h>
#include <libos/note.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

enum { FIRST_INDEX = 1 }; /* environment of the first program */

_Noreturn void start_main(struct start_args *args);

static char first_name[] = "init";
static char *no_strings[] = {first_name, 0};
static RESIDENT const struct start_args *the_args;
RESIDENT uint64_t owner_token;

/* The first program has nobody to tell it; the page tables are in the kernel's. */
static RESIDENT struct start_args first_args = {
	.magic = START_MAGIC,
	.version = START_VERSION,
	.size = sizeof(struct start_args),
	.argv = no_strings,
	.envp = no_strings + 1,
	.argc = 1,
};

extern char __executable_start[];
extern char _end[];

/* Frames that the kernel gave the first program lie near its root: search outwards from there. */
static void first_tables(struct start_args *a, uint32_t root)
{
	const uint32_t frames = tables_info()->frames;
	uint32_t left = tables_quota_used(FIRST_INDEX)->n[EXO_QUOTA_PAGES];

	for (uint32_t d = 0; left && a->tables < START_TABLES && d < 2 * frames; d++) {
		const uint32_t f = d & 1 ? root - (d + 1) / 2 : root + d / 2;
		const volatile struct exo_page *p = tables_page(f);

		if (f >= frames || p->owner != FIRST_INDEX)
			continue;
		left--;
		if (p->state == EXO_PAGE_TABLE)
			a->table[a->tables++] = (struct start_table){p->va, f, p->level};
	}
}

static const struct start_args *start_first(void)
{
	const volatile struct exo_env *e = tables_env(FIRST_INDEX);
	struct start_args *a = &first_args;
	const uint64_t end = ((uint64_t)(uintptr_t)_end + VM_PAGE - 1) & ~(VM_PAGE - 1);

	a->self = (uint64_t)e->gen << 16 | FIRST_INDEX;
	a->seed[0] = tables_info()->boot_tsc ^ tables_info()->epoch;
	a->seed[1] = tables_info()->image_id;
	a->image = (uint64_t)(uintptr_t)__executable_start & ~(VM_PAGE - 1);
	a->image_end = end;
	a->bss_end = end;
	a->stack_low = LAYOUT_STACK_TOP - 4 * VM_PAGE;
	first_tables(a, e->root);
	call_env_set(LAYOUT_CAP_SELF, EXO_SET_NAME_LO, 0x74696e69); /* "init" */
	return a;
}

static void check_kernel(void)
{
	const volatile struct exo_info *info = tables_info();

	if (info->magic == EXO_INFO_MAGIC && info->abi_version == libos_note.abi &&
	    info->info_size >= sizeof(*info))
		return;
	console_print(the_args ? the_args->argv[0] : "init");
	console_print(": its libOS (");
	console_print(libos_note.line);
	console_print(") is for kernel ABI version ");
	console_dec(libos_note.abi);
	console_print(", this kernel has version ");
	console_dec(info->abi_version);
	console_print("\n");
	start_exit(START_EXIT_ABI);
}

_Noreturn void start_main(struct start_args *args)
{
	the_args = args;
	check_kernel();
	if (!args)
		the_args = start_first();
	owner_token = the_args->self;
	if (the_args->magic != START_MAGIC || the_args->version != START_VERSION)
		start_die("started with arguments of another version", START_EXIT_ABI);
	vm_start(the_args);
	upcall_start();
	start_run(the_args);
}

const struct start_args *start_args(void)
{
	return the_args;
}

uint64_t start_self(void)
{
	return owner_token;
}

void start_set_self(uint64_t eid)
{
	owner_token = eid;
}

static int name_equal(const char *have, const char *want)
{
	for (unsigned i = 0; i < 8; i++) {
		if (have[i] != want[i])
			return 0;
		if (!want[i])
			return 1;
	}
	return want[8] == 0;
}

int start_extent(const char *name)
{
	for (uint32_t i = 0; i < the_args->extents; i++)
		if (name_equal(the_args->extent[i].name, name))
			return (int)the_args->extent[i].slot;
	return -ENOENT;
}

int start_extent_index(const char *name)
{
	for (uint32_t i = 0; i < EXO_NEXTENT; i++) {
		const volatile struct exo_extent *x = tables_extent(i);
		char copy[8];

		if (x->state != EXO_EXTENT_LIVE)
			continue;
		for (unsigned j = 0; j < 8; j++)
			copy[j] = x->name[j];
		if (name_equal(copy, name))
			return (int)i;
	}
	return -ENOENT;
}

_Noreturn void start_exit(int status)
{
	for (;;)
		call_env_kill(0, (uint64_t)(uint32_t)status);
}

_Noreturn void start_die(const char *message, int status)
{
	console_print(the_args && the_args->argc ? the_args->argv[0] : "init");
	console_print(": ");
	console_print(message);
	console_print("\n");
	start_exit(status);
}
