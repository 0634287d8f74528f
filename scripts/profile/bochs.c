/*
 * bochs.c - counts and traces in Bochs: a library that is loaded before it (LD_PRELOAD).
 *
 * Debian's Bochs is built with calls of empty functions wherever an instrument could be told
 * something (bx_instr_*).  Here they are replaced, while the emulator starts, by jumps to ours.
 * That is no interface of its: each must be what it is known to be, a lone `ret`, or nothing is
 * done and the emulator ends.
 *
 * Owns a table from where Bochs keeps a decoded instruction to what we know of it.  Bochs fills its
 * store of decoded instructions from the beginning to the end, telling of each but those that it
 * copies from elsewhere in it, then throws all away and begins again; so an entry holds as long as
 * it is of this round. One virtual processor, so one thread.
 */
#include "bochs.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "control.h"
#include "stack.h"
#include "trace.h"
#include "watch.h"

enum { RETURN = 0xc3, JUMP_SIZE = 14, STUB_SIZE = 16, HOST_PAGE = 4096 };
enum { TABLE_BITS = 20, TABLE = 1 << TABLE_BITS };
enum { ACCESS_READ = 0 }; /* else it stores, or loads and then stores */

struct decoded {
	const void *instruction;
	struct site *site;
	uint32_t round; /* in which site was found; 0: not yet */
};

const char *const bochs_register_names[BOCHS_REGISTERS] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",	 "r8",
	"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "flags"};

static struct decoded *table;
static uint32_t round_now = 1;
static const void *decoded_last;
static bool tracing, watching;
static enum kind last; /* of the instruction that is being executed */

/* Of the emulator: C++ functions under their mangled names. */
static uint64_t (*get_rip)(void);
static uint64_t (*get_register)(unsigned);
static void (*fetch)(void *cpu, uint64_t physical, unsigned size, void *to);
static uint64_t (*ticks)(void *cpu);
static uint32_t (*get_flags)(void *cpu);
static void ***cpus;

uint64_t bochs_register(unsigned number)
{
	return number == BOCHS_FLAGS ? get_flags((*cpus)[0]) : get_register(number);
}

uint64_t bochs_ticks(void)
{
	return ticks((*cpus)[0]);
}

static void read_physical(uint64_t physical, void *to, size_t size)
{
	fetch((*cpus)[0], physical, (unsigned)size, to);
}

/* ---- what Bochs tells -------------------------------------------------------------------- */

static struct decoded *entry(const void *instruction)
{
	size_t i = (uintptr_t)instruction * 0x9e3779b97f4a7c15ull >> (64 - TABLE_BITS);

	while (table[i].instruction != NULL && table[i].instruction != instruction)
		i = (i + 1) % TABLE;
	table[i].instruction = instruction;
	return &table[i];
}

static void decodes(unsigned cpu, const void *instruction, const uint8_t *bytes, unsigned size,
		    bool is32, bool is64)
{
	(void)cpu, (void)bytes, (void)size, (void)is32, (void)is64;
	if (instruction <= decoded_last)
		round_now++;
	decoded_last = instruction;
	entry(instruction)->round = 0;
}

/* The bytes of the instruction at va, and perhaps of what follows it. */
static size_t fetch_code(uint64_t va, uint8_t bytes[SITE_BYTES])
{
	size_t size = 0;

	if (!guest_in_kernel(va) && !site_kernel_runs())
		return 0;
	while (size < SITE_BYTES) {
		const size_t rest = GUEST_PAGE - (va + size) % GUEST_PAGE;
		const size_t part = rest < SITE_BYTES - size ? rest : SITE_BYTES - size;
		uint64_t physical;

		if (!guest_translate(guest_current(), va + size, &physical))
			break;
		guest_read(physical, bytes + size, part);
		size += part;
	}
	return size;
}

static void locate(struct decoded *d)
{
	uint8_t bytes[SITE_BYTES] = {0};
	const uint64_t rip = get_rip();

	if (d->site == NULL)
		d->site = image_memory(1, sizeof(*d->site));
	site_find(d->site, rip, bytes, fetch_code(rip, bytes));
	d->round = round_now;
}

static void executes(unsigned cpu, const void *instruction)
{
	struct decoded *d = entry(instruction);

	(void)cpu;
	if (d->round != round_now)
		locate(d);
	stack_step(d->site);
	stack_executed++;
	if (tracing)
		trace_step(d->site);
	if (watching)
		watch_step(d->site);
	last = d->site->kind;
}

static void accesses(unsigned cpu, uint64_t va, uint64_t physical, unsigned size, unsigned type,
		     unsigned how)
{
	(void)cpu, (void)type;
	if (how == ACCESS_READ)
		stack_loaded(last, va);
	else
		stack_stored(last, va);
	if (tracing)
		trace_access(va, physical, size, how != ACCESS_READ);
	if (watching && how != ACCESS_READ)
		watch_store(va, physical);
}

/* What the processor stores for a trap is no access of the instruction before, or of the one that
 * faults. */
static void faults(void)
{
	last = KIND_PLAIN;
	if (tracing)
		trace_fault();
}

static void interrupts(void)
{
	last = KIND_PLAIN;
	if (tracing)
		trace_done();
}

/* ---- getting there ----------------------------------------------------------------------- */

static void *symbol(const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);

	if (found == NULL)
		image_refuse(": this Bochs has no such symbol", name);
	return found;
}

static void replace(const char *name, const void *with)
{
	uint8_t *stub = symbol(name),
		jump[JUMP_SIZE] = {0xff, 0x25}; /* jmp *0(%rip); the address follows */
	void *const page = (void *)((uintptr_t)stub & -(uintptr_t)HOST_PAGE);

	if (stub[0] != RETURN || (uintptr_t)stub % STUB_SIZE != 0)
		image_refuse(": is no empty function in this Bochs", name);
	memcpy(jump + 6, &with, sizeof(with));
	mprotect(page, 2 * HOST_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy(stub, jump, sizeof(jump));
	mprotect(page, 2 * HOST_PAGE, PROT_READ | PROT_EXEC);
}

/* A function of the emulator's as one of ours; C has no cast for that. */
static void find(const char *name, void *pointer)
{
	void *found = symbol(name);

	memcpy(pointer, &found, sizeof(found));
}

static void end(void)
{
	if (watching)
		watch_end();
	control_end();
}

__attribute__((constructor)) static void start(void)
{
	if (dlsym(RTLD_DEFAULT, "_Z17bx_instr_init_envv") == NULL)
		return; /* what starts Bochs is loaded with us too */
	find("_Z14bx_dbg_get_ripv", &get_rip);
	find("_Z22bx_dbg_get_reg64_valuej", &get_register);
	find("_ZN8BX_MEM_C13dbg_fetch_memEP8BX_CPU_CmjPh", &fetch);
	find("_ZN8BX_CPU_C7get_TSCEv", &ticks);
	find("_ZN8BX_CPU_C11force_flagsEv", &get_flags);
	cpus = symbol("bx_cpu_array");
	table = image_memory(TABLE, sizeof(*table));
	control_start(read_physical);
	tracing = trace_start();
	watching = watch_start();
	replace("_Z15bx_instr_opcodejP15bxInstruction_cPKhjbb", decodes);
	replace("_Z25bx_instr_before_executionjP15bxInstruction_c", executes);
	replace("_Z19bx_instr_lin_accessjmmjjj", accesses);
	replace("_Z18bx_instr_exceptionjjj", faults);
	replace("_Z20bx_instr_hwinterruptjjtm", interrupts);
	atexit(end);
}
