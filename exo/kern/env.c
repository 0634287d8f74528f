/*
 * env.c - owns the environment records: making, setting up, starting, ending, taking apart.
 *
 * Invariant: see env.h.  An ended environment is taken apart in steps that anyone may drive, each
 * bounded, so that no call does work in proportion to what a program held.  No lock: one CPU in the
 * kernel.  Called by programs, and by the fault path for env_end().
 */
#include "env.h"
#include "cap.h"
#include "console.h"
#include "cpu.h"
#include "event.h"
#include "extent.h"
#include "group.h"
#include "info.h"
#include "io.h"
#include "ipc.h"
#include "load.h"
#include "machine.h"
#include "page.h"
#include "principal.h"
#include "quota.h"
#include "revoke.h"
#include "slot.h"
#include "syscall.h"
#include "table.h"
#include "timer.h"
#include "trace.h"
#include "wake.h"

struct exo_env envs[EXO_NENV] TABLE(envs);

enum { RFLAGS_START = 0x202 }; /* interrupts on */

void env_init(uint32_t nenv)
{
	info.envs = nenv;
	/*@ loop invariant 0 <= e <= nenv;
	    loop assigns e, envs[0 .. nenv - 1];
	    loop variant nenv - e; */
	for (uint32_t e = 0; e < nenv; e++) {
		envs[e].gen = 1;
		envs[e].cap_gen = 1;
	}
	envs[FIRST_ENV].state = EXO_ENV_BUILDING;
	caps[FIRST_ENV].c[0] = cap_for_env(FIRST_ENV, EXO_ENV_ALL);
	quota_boot(FIRST_ENV, EXO_QUOTA_PAGES, page_free_count());
	quota_boot(FIRST_ENV, EXO_QUOTA_SLOTS, EXO_NSLOT);
	quota_boot(FIRST_ENV, EXO_QUOTA_CAPS, nenv * EXO_NCAP);
	quota_boot(FIRST_ENV, EXO_QUOTA_ENVS, nenv - 2);
	quota_boot(FIRST_ENV, EXO_QUOTA_EXTENTS, EXO_NEXTENT);
	quota_boot(FIRST_ENV, EXO_QUOTA_IO, EXO_NIO - 1); /* record 0 is the kernel's */
	quota_boot(FIRST_ENV, EXO_QUOTA_DISK, EXO_DISK_SHARES);
	quota_boot(FIRST_ENV, EXO_QUOTA_GROUPS, EXO_NGROUP - 1);
}

/*@ requires e < EXO_NENV;
    assigns \nothing; */
struct eid env_eid(uint32_t e)
{
	return (struct eid){(uint64_t)envs[e].gen * 65536 + e};
}

/*@ requires info.envs <= EXO_NENV;
    assigns \nothing;
    ensures \result < EXO_NENV;
    ensures \result != 0 ==> envs[\result].state != EXO_ENV_FREE && envs[\result].gen == eid /
   65536;
*/
uint32_t env_by_eid(uint64_t eid)
{
	const uint32_t e = eid % 65536;

	if (e >= info.envs || envs[e].state == EXO_ENV_FREE || envs[e].gen != eid / 65536)
		return 0;
	return e;
}

/* ---- making and starting ----------------------------------------------------------------- */

struct exo_result sys_env_create(uint64_t index, uint64_t d)
{
	const uint32_t me = cpu_self();
	enum exo_status status;

	if (index == 0 || index >= info.envs)
		return refuse(EXO_RANGE);
	if (envs[index].state != EXO_ENV_FREE)
		return refuse(EXO_OCCUPIED);
	status = cap_room(me, d);
	if (status == EXO_OK)
		status = quota_room(me, EXO_QUOTA_ENVS, 1);
	if (status != EXO_OK)
		return refuse(status);

	const uint32_t e = (uint32_t)index;

	quota_charge(me, EXO_QUOTA_ENVS, 1);
	envs[e] = (struct exo_env){
		.gen = envs[e].gen,
		.cap_gen = envs[e].cap_gen,
		.state = EXO_ENV_BUILDING,
		.parent_index = (uint16_t)me,
		.parent = env_eid(me).n,
		.principal = envs[me].principal,
	};
	caps[e].c[0] = cap_for_env(e, EXO_ENV_ALL);
	cap_put(me, (uint32_t)d, cap_for_env(e, EXO_ENV_ALL));
	trace(EXO_TRACE_ENV_CREATE, e, 0, me, 0);
	return answer(EXO_OK, env_eid(e).n);
}

struct exo_result sys_env_open(uint64_t eid, uint64_t d)
{
	const uint32_t e = env_by_eid(eid);
	enum exo_status status;

	if (e == 0)
		return refuse(EXO_STALE);
	if (envs[e].parent_index != cpu_self())
		return refuse(EXO_PERM);
	status = cap_room(cpu_self(), d);
	if (status == EXO_OK)
		cap_put(cpu_self(), (uint32_t)d, cap_for_env(e, EXO_ENV_ALL));
	return refuse(status);
}

/* Gives e's frame `value` of this type the role that *role names, for good. */
/*@ requires e < EXO_NENV && \valid(role) && info.frames <= NFRAME;
    assigns *role, page_pins[0 .. NFRAME - 1];
    ensures \result != EXO_OK ==> *role == \old(*role);
*/
static enum exo_status role_set(uint32_t e, uint64_t value, uint8_t type, uint8_t level,
				uint32_t *role)
{
	if (envs[e].state != EXO_ENV_BUILDING || *role != 0)
		return EXO_STATE;
	if (value >= info.frames)
		return EXO_RANGE;
	if (pages[value].owner != e)
		return EXO_PERM;
	if (pages[value].state != type || pages[value].level != level)
		return EXO_TYPE;
	page_pin((uint32_t)value);
	*role = (uint32_t)value;
	return EXO_OK;
}

static enum exo_status principal_set(uint32_t e, uint64_t value)
{
	if (envs[e].state != EXO_ENV_BUILDING)
		return EXO_STATE;
	if (!principal_above(envs[cpu_self()].principal, value))
		return EXO_PERM;
	envs[e].principal = value;
	return EXO_OK;
}

/* Half of a name: 8 characters, first one lowest. */
static void name_set(char *half, uint64_t value)
{
	/*@ loop invariant 0 <= i <= 8;
	    loop assigns i, value, half[0 .. 7];
	    loop variant 8 - i; */
	for (uint32_t i = 0; i < 8; i++) {
		half[i] = (char)(value % 256);
		value /= 256;
	}
}

/* Properties that are words: ARG where the word cannot be. */
static enum exo_status word_set(uint32_t e, uint64_t what, uint64_t value)
{
	struct exo_env *const env = &envs[e];

	switch (what) {
	case EXO_SET_UPCALL_VA:
		if (value % EXO_PAGE_SIZE != 0 || value >= USER_END)
			return EXO_ARG;
		env->upcall_va = value;
		return EXO_OK;
	case EXO_SET_UPCALL_ENTRY:
		if (value >= USER_END)
			return EXO_ARG;
		env->upcall_entry = value;
		return EXO_OK;
	case EXO_SET_EVENT_UPCALL:
		env->event_upcall = value;
		return EXO_OK;
	case EXO_SET_SLICE_UPCALL:
		if (value > (EXO_SLICE_START | EXO_SLICE_END))
			return EXO_ARG;
		slot_upcalls(e, (uint8_t)value);
		return EXO_OK;
	case EXO_SET_CALLS:
		if (value > 1)
			return EXO_ARG;
		env->calls_open = (uint8_t)value;
		return EXO_OK;
	default:
		return EXO_ARG;
	}
}

struct exo_result sys_env_set(uint64_t ce, uint64_t what, uint64_t value)
{
	uint32_t e;
	const enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_BUILD, &e);

	if (status != EXO_OK)
		return refuse(status);
	switch (what) {
	case EXO_SET_ROOT:
		return refuse(role_set(e, value, EXO_PAGE_TABLE, 4, &envs[e].root));
	case EXO_SET_SAVE:
		return refuse(role_set(e, value, EXO_PAGE_SAVE, 0, &envs[e].save));
	case EXO_SET_UPCALL_PAGE:
		return refuse(role_set(e, value, EXO_PAGE_UPCALL, 0, &envs[e].upcall_page));
	case EXO_SET_PRINCIPAL:
		return refuse(principal_set(e, value));
	case EXO_SET_NAME_LO:
		name_set(envs[e].name, value);
		return refuse(EXO_OK);
	case EXO_SET_NAME_HI:
		name_set(envs[e].name + 8, value);
		return refuse(EXO_OK);
	default:
		return refuse(word_set(e, what, value));
	}
}

struct exo_result sys_env_start(uint64_t ce, uint64_t rip, uint64_t rsp, uint64_t arg)
{
	uint32_t e;
	const enum exo_status status = cap_live_env(cpu_self(), ce, EXO_ENV_BUILD, &e);

	if (status != EXO_OK)
		return refuse(status);
	if (envs[e].state != EXO_ENV_BUILDING || envs[e].root == 0 || envs[e].save == 0)
		return refuse(EXO_STATE);
	if (rip >= USER_END || rsp >= USER_END)
		return refuse(EXO_ARG);

	struct exo_save *const save = machine_save((struct pfn){envs[e].save});

	save->regs = (struct exo_regs){
		.rdi = arg,
		.rip = rip,
		.cs = EXO_USER_CS,
		.rflags = RFLAGS_START,
		.rsp = rsp,
		.ss = EXO_USER_SS,
	};
	machine_fpu_init(save);
	envs[e].state = EXO_ENV_RUNNABLE;
	slot_ready(e);
	trace_named(EXO_TRACE_ENV_START, e, 0);
	return refuse(EXO_OK);
}

/* ---- ending ------------------------------------------------------------------------------ */

/*@ requires 0 < e < EXO_NENV;
    requires envs[e].state != EXO_ENV_FREE && envs[e].state != EXO_ENV_ZOMBIE;
    ensures envs[e].state == EXO_ENV_ZOMBIE;
*/
void env_end(uint32_t e, enum exo_end why, uint8_t vector, uint32_t error, uint64_t addr,
	     uint64_t rip, uint64_t rsp, uint64_t code)
{
	struct exo_env *const env = &envs[e];

	timer_drop(e);
	ipc_env_end(e);
	slot_upcalls(e, 0);
	env->state = EXO_ENV_ZOMBIE;
	slot_unready(e);
	slot_orphan(e);
	group_env_end(e);
	load_env_end(e);
	wake_over(e);
	env->events = 0;
	env->wait_mask = 0;
	env->deadline = 0;
	env->end = (uint8_t)why;
	env->end_vector = vector;
	env->end_error = error;
	env->end_addr = addr;
	env->end_rip = rip;
	env->end_rsp = rsp;
	env->end_code = code;
	console_env_end(e);
	trace_named(EXO_TRACE_ENV_END, e, why);
	trace_env_end(e);
	event_raise(env->parent_index, EXO_EV_CHILD);
}

struct exo_result sys_env_kill(uint64_t ce, uint64_t code)
{
	const uint32_t me = cpu_self();
	uint32_t e;
	const enum exo_status status = cap_live_env(me, ce, EXO_ENV_KILL, &e);

	if (status == EXO_OK)
		env_end(e, e == me ? EXO_END_EXIT : EXO_END_KILLED, 0, 0, 0, 0, 0, code);
	return refuse(status);
}

/* ---- taking apart ------------------------------------------------------------------------ */

/* Frame f of the ZOMBIE z has no role any more. */
static void role_clear(uint32_t z, uint32_t f)
{
	uint32_t *const roles[3] = {&envs[z].root, &envs[z].save, &envs[z].upcall_page};

	/*@ loop invariant 0 <= i <= 3;
	    loop assigns i, envs[z], page_pins[f];
	    loop variant 3 - i; */
	for (uint32_t i = 0; i < 3; i++) {
		if (*roles[i] == f) {
			*roles[i] = 0;
			page_unpin(f);
		}
	}
}

/* Does f have a role in z?  A frame has at most one, for each role has a type. */
static uint32_t role_pins(uint32_t z, uint32_t f)
{
	return envs[z].root == f || envs[z].save == f || envs[z].upcall_page == f;
}

/*
 * Of a table with entries, one table is emptied from below (value 0: come again), and frames that
 * only it led to go with that; anything else is freed (value 1).  A frame that is still mapped
 * somewhere waits for that mapping to go.
 */
static struct exo_result reclaim_page(uint32_t z, uint64_t index)
{
	if (index >= info.frames)
		return refuse(EXO_RANGE);
	if (pages[index].owner != z)
		return refuse(EXO_PERM);

	const uint32_t f = (uint32_t)index;

	if (pages[f].present != 0) {
		table_empty(table_lowest(f));
		return answer(EXO_OK, 0);
	}
	if (page_maps[f] != 0 || run_maps[f / RUN] != 0 || pages[f].parent != 0 ||
	    page_pins[f] != role_pins(z, f))
		return refuse(EXO_BUSY);
	role_clear(z, f);
	page_release(f);
	return answer(EXO_OK, 1);
}

static struct exo_result reclaim_slot(uint32_t z, uint64_t index)
{
	if (index >= EXO_NSLOT)
		return refuse(EXO_RANGE);
	if (slots[index].owner != z)
		return refuse(EXO_PERM);
	slot_release(z, (uint32_t)index);
	return answer(EXO_OK, 1);
}

static struct exo_result reclaim_cap(uint32_t z, uint64_t index)
{
	if (index == 0 || index >= EXO_NCAP)
		return refuse(EXO_RANGE);
	if (caps[z].c[index].kind == EXO_CAP_NONE)
		return refuse(EXO_STATE);
	cap_clear(z, (uint32_t)index);
	return answer(EXO_OK, 1);
}

/* The creator of z becomes the child's, pays for it, and hears of its end if that has come. */
static struct exo_result reclaim_child(uint32_t z, uint64_t index)
{
	const uint32_t heir = envs[z].parent_index;

	if (index == 0 || index >= info.envs)
		return refuse(EXO_RANGE);
	if (envs[index].state == EXO_ENV_FREE || envs[index].parent_index != z)
		return refuse(EXO_PERM);
	if (heir == 0)
		return refuse(EXO_STATE);
	quota_pass(z, heir, EXO_QUOTA_ENVS, 1);
	envs[index].parent_index = (uint16_t)heir;
	envs[index].parent = env_eid(heir).n;
	if (envs[index].state == EXO_ENV_ZOMBIE)
		event_raise(heir, EXO_EV_CHILD);
	return answer(EXO_OK, 1);
}

/* Its creator pays for an extent from now on, which outlives who took it. */
static struct exo_result reclaim_extent(uint32_t z, uint64_t index)
{
	const uint32_t heir = envs[z].parent_index;
	const enum exo_status status = heir == 0 ? EXO_STATE : extent_pass_charge(index, z, heir);

	return status == EXO_OK ? answer(EXO_OK, 1) : refuse(status);
}

/* Some of its requests are dropped (value 0: come again), or the last of its I/O is (value 1). */
static struct exo_result reclaim_io(uint32_t z, uint64_t index)
{
	const uint32_t before = quota_used[z].n[EXO_QUOTA_IO];

	if (index != 0)
		return refuse(EXO_ARG);
	if (!io_busy(z))
		return refuse(EXO_STATE);
	if (io_env_end(z) == EXO_OK)
		return answer(EXO_OK, 1);
	return refuse(quota_used[z].n[EXO_QUOTA_IO] < before ? EXO_OK : EXO_BUSY);
}

static struct exo_result reclaim_group(uint32_t z, uint64_t index)
{
	const enum exo_status status = group_reclaim(z, index);

	return status == EXO_OK ? answer(EXO_OK, 1) : refuse(status);
}

struct exo_result sys_env_reclaim(uint64_t eid, uint64_t kind, uint64_t index)
{
	const uint32_t z = env_by_eid(eid);

	if (z == 0)
		return refuse(EXO_STALE);
	if (envs[z].state != EXO_ENV_ZOMBIE)
		return refuse(EXO_STATE);
	switch (kind) {
	case EXO_QUOTA_PAGES:
		return reclaim_page(z, index);
	case EXO_QUOTA_SLOTS:
		return reclaim_slot(z, index);
	case EXO_QUOTA_CAPS:
		return reclaim_cap(z, index);
	case EXO_QUOTA_ENVS:
		return reclaim_child(z, index);
	case EXO_QUOTA_EXTENTS:
		return reclaim_extent(z, index);
	case EXO_QUOTA_IO:
		return reclaim_io(z, index);
	case EXO_QUOTA_GROUPS:
		return reclaim_group(z, index);
	default:
		return refuse(EXO_ARG);
	}
}

/* Does the ZOMBIE z hold anything that must be reclaimed before it is reaped? */
/*@ requires z < EXO_NENV;
    assigns \nothing; */
static int holds_nothing(uint32_t z)
{
	const struct exo_quota *const used = &quota_used[z];

	return used->n[EXO_QUOTA_PAGES] == 0 && used->n[EXO_QUOTA_SLOTS] == 0 &&
	       used->n[EXO_QUOTA_CAPS] == 0 && used->n[EXO_QUOTA_ENVS] == 0 &&
	       used->n[EXO_QUOTA_EXTENTS] == 0 && used->n[EXO_QUOTA_IO] == 0 && !io_busy(z) &&
	       used->n[EXO_QUOTA_GROUPS] == 0 && envs[z].call_head == 0;
}

struct exo_result sys_env_reap(uint64_t ce)
{
	const uint32_t me = cpu_self();
	uint32_t z;
	const enum exo_status status = cap_env(me, ce, EXO_ENV_KILL, &z);

	if (status != EXO_OK)
		return refuse(status);
	if (envs[z].state != EXO_ENV_ZOMBIE || envs[z].gen == UINT32_MAX ||
	    envs[z].cap_gen == UINT32_MAX)
		return refuse(EXO_STATE);
	if (!holds_nothing(z))
		return refuse(EXO_BUSY);
	if (envs[z].parent_index != 0)
		quota_release(envs[z].parent_index, EXO_QUOTA_ENVS, 1);
	quota_inherit(z, me);
	cap_clear(me, (uint32_t)ce);
	caps[z].c[0] = (struct exo_cap){0};
	revoke_forget(z);
	wake_forget(z);
	envs[z] = (struct exo_env){.gen = envs[z].gen + 1, .cap_gen = envs[z].cap_gen + 1};
	trace(EXO_TRACE_ENV_REAP, z, 0, 0, 0);
	return refuse(EXO_OK);
}
