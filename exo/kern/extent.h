/*
 * extent.h - extents: who owns which run of disk blocks, in memory and on the disk.
 *
 * extents[] holds one record per extent; those of a drive form a list by `next`, sorted by start,
 * from a sentinel on.  Invariant: the records of a list are disjoint and inside the drive, those of
 * programs inside the pool; a record not in a list is FREE; blocks at or above start + init are
 * never read.  Of the boot drive's table two copies stand on the disk, and at any moment at least
 * one of them is whole: a change is LIVE only when it stands there, and never before its data.
 * Other drives have one extent each that is not kept.  The kernel is entered one CPU at a time, so
 * there is no lock.
 */
#ifndef KERN_EXTENT_H
#define KERN_EXTENT_H

#include <exo/image.h>
#include "table_section.h"

extern struct exo_extent extents[EXO_NEXTENT];

/* A block of a table copy, as it stands on the disk. */
union extent_block {
	uint8_t bytes[EXO_BLOCK_SIZE];
	struct exo_extents_head head;
	struct exo_extent record[EXO_EXTENTS_PER_BLOCK];
};
_Static_assert(sizeof(union extent_block) == EXO_BLOCK_SIZE, "one block");

/* The kernel's own requests write from this page; at boot, reads go here. */
extern union extent_block extent_page;

/* What can be wrong with a table copy. */
enum extent_fault {
	EXTENT_GOOD = 0,
	EXTENT_BAD_READ,     /* the drive did not give it */
	EXTENT_BAD_HEAD,     /* magic, version, number of blocks or checksum of its head */
	EXTENT_BAD_ID,	     /* of another image */
	EXTENT_BAD_BLOCK,    /* checksum of a record block */
	EXTENT_BAD_RECORD,   /* impossible state, drive or watermark */
	EXTENT_BAD_RANGE,    /* outside the pool or the drive */
	EXTENT_BAD_ORDER,    /* not sorted, or overlapping */
	EXTENT_BAD_LIST,     /* link outside the table, loop, or record outside the list */
	EXTENT_BAD_SENTINEL, /* record 0 */
	EXTENT_BAD_PLACE,    /* the image header's places of table and pool do not fit the drive */
};

struct extent_loaded {
	enum extent_fault fault[2]; /* of each copy; EXTENT_GOOD also where it was not looked at */
	uint32_t copy;		    /* the one in use, when one of them is */
	uint32_t usable; /* 1: the table stands; 0: extents[] is empty and must not be used */
};

/*
 * Boot: reads the newest good copy of the table that `image` describes from `drive`, which has
 * `blocks` blocks.  Trusts nothing it reads.  Writes nothing to the disk.
 */
struct extent_loaded extent_load(const struct exo_image *image, uint32_t drive, uint64_t blocks);

/* Boot, after extent_load(): one extent over a whole other drive, owned by principal 0, named
   "driveN".  FULL when every record is taken. */
enum exo_status extent_add_drive(uint32_t drive, uint64_t blocks);

/* Name of a fault for people. */
const char *extent_fault_name(enum extent_fault fault);

/* Generation that capabilities for extent x (inside the table) carry. */
uint32_t extent_gen(uint32_t x);

/* Boot: what is on the drives is charged to the first environment, which has all quotas. */
void extent_charge_all(void);

/*
 * `from`, which is dead, pays for x no more, but `to` does, and has the limit for it: RANGE, PERM.
 * For env_reclaim.
 */
enum exo_status extent_pass_charge(uint64_t x, uint32_t from, uint32_t to);

/* Every capability to x is stale from now on.  For cap_revoke. */
void extent_revoke(uint32_t x);

/*
 * For io.c, when a request reaches its idle drive: may it start?  STALE when the extent was revoked
 * or freed since (gen is that of the capability), UNINIT when it reads what was not written or
 * writes beyond it.  Requests of one extent start one at a time, so the watermark is exact here.
 */
enum exo_status extent_admit(uint32_t x, uint32_t gen, enum exo_io_op op, uint64_t block,
			     uint32_t count);

/* For io.c: a write or clear that was admitted is on the drive; the watermark follows. */
void extent_written(uint32_t x, uint64_t block, uint32_t count);

/* For io.c: the drive has no request of x any more; one that is being freed goes on. */
void extent_drained(uint32_t x);

/*
 * For io.c, when flush `io` of extent x reaches its idle drive.  1: the watermark must reach the
 * disk too, so a commit of the table, which flushes as well, answers it by io_finish(io, …) later;
 * 0: a flush of the drive is all there is to do.
 */
int extent_takes_flush(uint32_t x, uint32_t io);

/* For io.c: the kernel's request (io_kernel_start) has completed. */
void extent_step(enum exo_status status);

/* 1 while a change of the table is under way. */
int extent_changing(void);

/* Implemented by dev/ide.c and by host tests: polls one block into *to; only while booting. */
enum exo_status machine_disk_read(uint32_t drive, uint64_t block, union extent_block *to);

/*
 * Boot, implemented by dev/tables.c since it reports: finds the drive that has `image`, loads its
 * table, gives the other drives their extent.  Does not return when there is no usable table.
 */
void extent_boot(const struct exo_image *image);

#endif
