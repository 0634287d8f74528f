/*
 * attack.h - what the attacks share: the scoreboard, the kernel's tables, and children to
 * sacrifice.
 *
 * An attack is an attempt to get what is not the program's.  It is scored as `ok` when the kernel
 * refused or contained it; the program fails when any one succeeded.  Each group is one file.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <libos/call.h>
#include <libos/tables.h>

/* ---- main.c ------------------------------------------------------------------------------ */

/* Scores one attempt by its outcome. */
void score(const char *name, int ok);

/* The call must not have answered OK. */
void refused(const char *name, struct exo_result r);

/* The call must have answered exactly this. */
void answered(const char *name, struct exo_result r, enum exo_status status);

/* An attack needs something it could not get: counts as failed, since nothing was shown. */
void unprepared(const char *name);

static inline const struct exo_info *tables(void)
{
	return (const struct exo_info *)EXO_TABLES_VA;
}

static inline const void *table_of(enum exo_table_id id)
{
	return (const void *)tables()->table[id].va;
}

uint32_t self_index(void);
const struct exo_env *env_at(uint32_t e);
const struct exo_page *page_at(uint32_t f);

/* A frame in `state` that belongs (or not) to this program; 0: there is none. */
uint32_t find_frame(enum exo_page_state state, int own);

/* An environment that is not this one and runs; 0: none. */
uint32_t find_victim(void);

/* An environment record that is free; 0: none. */
uint32_t find_free_env(void);

/* ---- child.c ----------------------------------------------------------------------------- */

enum {
	CHILD_CAP = 40,	       /* capability slot for the child */
	CHILD_CODE = 0x400000, /* one page: child.S */
	CHILD_DATA = 0x401000, /* stack, growing down from the end of the page */
	CHILD_UPCALL = 0x402000,
};

/* What a child does when it has started; the routines of child.S. */
enum child_task {
	CHILD_SPIN,	       /* runs for ever without yielding */
	CHILD_FAULT_IN_UPCALL, /* faults, and again in its handler */
	CHILD_LOST_STACK,      /* faults with its upcall page not where it said */
	CHILD_NO_HANDLER,      /* faults without a handler */
	CHILD_NONCANONICAL,    /* jumps to an address that is none */
	CHILD_HLT,
	CHILD_CLI,
	CHILD_IN,
	CHILD_OUT,
	CHILD_WRMSR,
	CHILD_CR3,
	CHILD_LGDT,
	CHILD_INT32,	   /* int $32, the kernel's interrupt */
	CHILD_IRET_KERNEL, /* iretq to the kernel's code segment */
	CHILD_JUMP_KERNEL, /* calls into kernel text */
	CHILD_READ_KERNEL,
	CHILD_WRITE_TABLES, /* writes to the read-only tables */
	CHILD_TASKS
};

struct child {
	uint32_t index;
	uint64_t eid;
	uint32_t frames[8];
	uint32_t nframes;
};

/* Makes and starts a child; 1, or 0 when something was not to be had. */
int child_start(struct child *c, enum child_task task);

/* Waits up to ms for its end; 1 when it has ended. */
int child_wait(const struct child *c, uint64_t ms);

/* Kills it where needed, takes everything back.  1 when nothing of it is left. */
int child_end(const struct child *c);

/* ---- the groups -------------------------------------------------------------------------- */

void attack_calls(void);  /* calls.c: numbers, pointers, registers */
void attack_envs(void);	  /* envs.c: other environments, stale names, capabilities */
void attack_pages(void);  /* pages.c: frames and page tables */
void attack_disk(void);	  /* disk.c: extents, rings, DMA */
void attack_cpu(void);	  /* cpu.c: privileged instructions, upcalls, greed */
void attack_tables(void); /* tables.c: filling everything */

#endif
