/*
 * host.h - what the host tests of buffers and file systems stand on: a disk in memory, locks, a
 * clock, images.
 *
 * Owns: nothing at run time but what it hands out. The disk counts commands, can be told to fail,
 * and can be loaded from and saved to image files. Called by the tests of this folder only. One
 * thread.
 */
#ifndef TEST_HOST_H
#define TEST_HOST_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <libos/fs.h>

/* A write with its data, or a flush (nblocks 0). */
struct command {
	uint64_t block;
	uint32_t nblocks;
	uint8_t *data;
};

struct record {
	struct command *at;
	uint32_t n, room;
};

struct disk {
	struct record *record; /* NULL: nothing is recorded */
	uint8_t *data;
	uint64_t nblocks;
	uint64_t commands[4]; /* by enum disk_op */
	uint64_t largest;     /* blocks of the largest command */
	uint64_t last_write;  /* first block of the last write */
	uint64_t backwards;   /* writes that went back */
	uint64_t fail_from;   /* commands (of `fail_op`, 0: any) with this number and the next ones
				 fail … */
	uint64_t fail_count;  /* … as many as this */
	enum disk_op fail_op;
	uint64_t fail_seen;
	uint64_t bad_block; /* fails always, unless UINT64_MAX */
};

/* How a process dies in the middle: the command counted down to does not return, but jumps to `at`.
 */
struct death {
	uint64_t countdown; /* 0: nobody dies */
	jmp_buf at;
};
extern struct death host_death;

struct disk *disk_new(uint64_t nblocks);
struct disk *disk_load(const char *path);
void disk_save(const struct disk *d, const char *path);
void disk_free(struct disk *d);
/* Keeps every write and flush from now on, in d->record. */
void disk_record(struct disk *d);
/* Lets commands from the `nth` on (1: the next) fail, `count` of them. */
void disk_fail(struct disk *d, enum disk_op op, uint64_t nth, uint64_t count);

/* The caller's owner token, and which one is dead (0: none). */
extern uint64_t host_dead;
extern uint64_t host_yields;
/* What time_now says, in ns; each look moves it on a little. */
extern uint64_t host_clock;

/* A region for an arena, and page frames: aligned, freed by the caller with free(). */
void *host_pages(size_t bytes);

/* Runs a shell command; its exit status. Output goes to DIR_OUT/log (DIR_OUT comes from the
 * makefile). */
int host_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes DIR_OUT/<name>.img with mke2fs (block size, MiB, further arguments) and loads it. */
struct disk *host_mke2fs(const char *name, unsigned bs, unsigned mib, const char *more);
/* Saves `d` as DIR_OUT/<name>.img and lets e2fsck look: 0 if clean. */
int host_e2fsck(const struct disk *d, const char *name);

/* A mounted image with all its parts. */
struct rig {
	const struct fs_ops *ops; /* of its variant */
	struct disk *disk;
	void *region, *frames;
	struct arena *arena;
	struct buf_cache *cache;
	struct fs_ctx ctx;
	char message[160];
};

/* Mounts `d` with a cache of `nframes`; 0 or mount's error, with everything but the disk freed. */
int rig_up(struct rig *r, struct disk *d, size_t nframes, uint32_t flags);
/* The same for any variant; FS_DISKLESS gets no disk, and may take `limit` bytes. */
int rig_up_as(struct rig *r, const struct fs_ops *ops, struct disk *d, size_t nframes,
	      uint32_t flags, uint64_t limit);
/* Unmounts (if `unmount`) and frees all but the disk; unmount's status. */
int rig_down(struct rig *r, int unmount);

/* An empty volume of a variant: `mib` MiB, made by its own make() or, where it has none, mke2fs. */
struct disk *host_volume(const struct fs_ops *ops, unsigned mib);

/* Makes the disk an empty volume of a variant that can. */
int host_make(const struct fs_ops *ops, struct disk *d, char message[FS_MESSAGE]);

/* A fixed sequence of numbers. */
struct rng {
	uint64_t s;
};
static inline uint32_t rnd(struct rng *r, uint32_t below)
{
	r->s = r->s * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((r->s >> 33) % below);
}

/* One line per test. A failed EXPECT says where and leaves the test function, which returns 1. */
#define EXPECT(x)                                                                                  \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			snprintf(host_why, sizeof host_why, "%s:%d: %s", __FILE__, __LINE__, #x);  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)
extern char host_why[512];

/* Runs one test; prints its line; 1 if it failed. */
int host_test(const char *name, int (*test)(void));

#endif
