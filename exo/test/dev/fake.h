/*
 * fake.h - the machine under disk and console in host tests: memory, two drives that log what is
 * written to them, and a line with as much room as the test gives it.
 */
#ifndef TEST_DEV_FAKE_H
#define TEST_DEV_FAKE_H

#include <stdio.h>
#include "../../kern/extent.h"
#include "../../kern/io.h"
#include "../../kern/machine.h"

enum {
	FAKE_BLOCKS = 1024, /* of each drive */
	FAKE_PAGE = 1,	    /* frame that extent_page stands for */
	FAKE_FIRST_FREE = 16,
	FAKE_ENVS = 16,
	FAKE_LOG = 4096, /* later entries overwrite the first */
	TABLE_A = 300,	 /* places in fake_image */
	TABLE_B = 310,
	TABLE_BLOCKS = 3, /* of a copy: head and two record blocks */
	POOL = 400,
	POOL_END = 1000,
};

/* One write of a block, or a flush, in the order the drive did them. */
struct fake_entry {
	int flush;
	uint32_t drive;
	uint64_t block;
	uint8_t data[EXO_BLOCK_SIZE];
};

extern const struct exo_image fake_image;
extern union extent_block fake_disk[2][FAKE_BLOCKS];
extern struct fake_entry fake_log[FAKE_LOG];
extern uint32_t fake_logged;
extern uint64_t fake_now;	 /* what the clock says, in ns */
extern uint32_t fake_unreadable; /* block of drive 0 that machine_disk_read cannot read; 0: none */

/* A disk with an empty table, nothing logged, and the core as after boot with the table loaded;
   environment 1 is current. */
void fake_boot(void);

/* Null when every invariant of the core and of the disk holds, else the name of a broken one. */
const char *fake_broken(void);

/* The same, from the disk as it is. */
struct extent_loaded fake_reboot(void);

/* Writes an empty table (sentinel only) to both copies. */
void fake_format(void);

/* Environment `index`, made by environment 1 (capability in its slot index + 8), with a principal,
   quota, and a ring in frame index * 64; frames after that up to the next ring are its DATA. */
void fake_env(uint32_t index, uint64_t principal);

/* Who makes the next call. */
void fake_as(uint32_t e);

/* The request on a channel: io + 1; 0: idle. */
uint32_t fake_active(uint32_t channel);

/* The request on a channel is done as the drive would do it, or fails.  Nothing when idle. */
void fake_complete(uint32_t channel);
void fake_fail(uint32_t channel);

/* Completes until both channels are idle. */
void fake_run(void);

/* The line: what was shown, and how much more it takes. */
extern char fake_line[65536];
extern uint32_t fake_shown, fake_room;

/* ---- checks ------------------------------------------------------------------------------ */

extern int fake_failed; /* tests that failed */

/* In a test function: complains once and leaves it. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("FAIL %s: %s:%d: %s\n", __func__, __FILE__, __LINE__, #condition);  \
			fake_failed++;                                                             \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* Runs a test on a fresh boot and says so when it passes. */
#define RUN_TEST(name)                                                                             \
	do {                                                                                       \
		const int before = fake_failed;                                                    \
		fake_boot();                                                                       \
		name();                                                                            \
		if (fake_failed == before)                                                         \
			printf("ok %s\n", #name);                                                  \
	} while (0)

#endif
