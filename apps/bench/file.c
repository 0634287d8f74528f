/*
 * file.c - what files and the disk cost.
 *
 * Owns the folder /bench of the main file system, emptied again by those who fill it, the file open
 * in `fd`, and one buffer of 1 MiB.  Reads are cold when the cache has dropped all it may.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <libos/buf.h>
#include <libos/disk_open.h>
#include <libos/posix_segment.h>
#include <libos/vm.h>
#include "bench.h"

#define FOLDER "/bench"
#define SMALL  FOLDER "/small"
#define FRESH  FOLDER "/fresh"
#define BIG    FOLDER "/big"

enum {
	TIMES = 101,
	SYNCS = 21,
	BIG_TIMES = 3,
	BIG_SIZE = 64 * MIB,
	PIECE = 64 * KIB, /* of a read or write of a big file */
	FILES = 1000,
};

static char *buffer; /* 1 MiB, page aligned, there */
static int fd = -1;
static struct disk *volume;
static uint64_t volume_blocks; /* that may be read */

/* 0 or a negative errno of what answers -1 and sets errno. */
static int plain(long result)
{
	return result < 0 ? -errno : 0;
}

/* The same for what must move `n` bytes. */
static int moved(ssize_t result, size_t n)
{
	if (result < 0)
		return -errno;
	return (size_t)result == n ? 0 : -EIO;
}

static int prepare_buffer(void)
{
	uint64_t va;
	int error;

	if (buffer)
		return 0;
	error = vm_reserve(0, MIB, VM_READ | VM_WRITE, VM_ANON, &va);
	if (!error)
		error = vm_populate(va, MIB, VM_READ | VM_WRITE);
	if (error)
		return error;
	buffer = (char *)(uintptr_t)va;
	return 0;
}

/* Opens `path` in /bench as `fd`. */
static int open_file(const char *path, int flags)
{
	int error = prepare_buffer();

	if (error)
		return error;
	if (mkdir(FOLDER, 0755) && errno != EEXIST)
		return -errno;
	fd = open(path, flags, 0644);
	return plain(fd);
}

static int close_file(void)
{
	const int error = plain(close(fd));

	fd = -1;
	return error;
}

/* ---- a small file, cached ---------------------------------------------------------------- */

static int make_small(void)
{
	int error = open_file(SMALL, O_RDWR | O_CREAT);

	if (!error)
		error = moved(pwrite(fd, buffer, 2 * PAGE, 0), 2 * PAGE);
	return error;
}

/* Measures `op` with the small file there and open. */
static const char *with_small(bench_op *op, double *value)
{
	const int error = make_small();
	const char *reason = error ? because(SMALL, error) : measure(op, NULL, TIMES, value);

	if (fd >= 0)
		(void)close_file();
	(void)unlink(SMALL);
	return reason;
}

static int do_open(void)
{
	const int f = open(SMALL, O_RDONLY);

	return f < 0 ? -errno : plain(close(f));
}

const char *open_close(double *value)
{
	return with_small(do_open, value);
}

static int do_stat(void)
{
	struct stat s;

	return plain(stat(SMALL, &s));
}

const char *stat_cached(double *value)
{
	return with_small(do_stat, value);
}

static int do_pread(void)
{
	return moved(pread(fd, buffer, PAGE, 0), PAGE);
}

const char *pread_4k_cached(double *value)
{
	return with_small(do_pread, value);
}

static int do_read_byte(void)
{
	return moved(pread(fd, buffer, 1, 0), 1);
}

const char *read_1b_cached(double *value)
{
	return with_small(do_read_byte, value);
}

static int do_pwrite(void)
{
	return moved(pwrite(fd, buffer, PAGE, 0), PAGE);
}

const char *write_4k_cached(double *value)
{
	return with_small(do_pwrite, value);
}

static int do_create(void)
{
	const int f = open(FRESH, O_WRONLY | O_CREAT | O_EXCL, 0644);
	const int error = f < 0 ? -errno : plain(close(f));

	return error ? error : plain(unlink(FRESH));
}

const char *create_unlink(double *value)
{
	return with_small(do_create, value);
}

static int do_append(void)
{
	const int error = moved(write(fd, buffer, PAGE), PAGE);

	return error ? error : plain(fsync(fd));
}

const char *append_fsync(double *value)
{
	int error = open_file(FRESH, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
	const char *reason = error ? because(FRESH, error) : measure(do_append, NULL, SYNCS, value);

	if (!error)
		(void)close_file();
	(void)unlink(FRESH);
	return reason;
}

/* ---- many files -------------------------------------------------------------------------- */

static const char *name_of(unsigned i)
{
	static char name[32];

	(void)snprintf(name, sizeof(name), FOLDER "/f%u", i);
	return name;
}

static int remove_all(void)
{
	for (unsigned i = 0; i < FILES; i++)
		if (unlink(name_of(i)) && errno != ENOENT)
			return -errno;
	sync();
	return 0;
}

static int create_all(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		const int f = open(name_of(i), O_WRONLY | O_CREAT | O_TRUNC, 0644);
		int error = f < 0 ? -errno : moved(write(f, buffer, KIB), KIB);

		if (f >= 0 && close(f) && !error)
			error = -errno;
		if (error)
			return error;
	}
	sync();
	return 0;
}

/* Measures one of the two, the other making its place ready each time. */
static const char *per_file(bench_op *op, bench_op *prepare, double *value)
{
	int error = open_file(SMALL, O_RDWR | O_CREAT);
	const char *reason;

	if (!error)
		error = close_file();
	if (error)
		return because(FOLDER, error);
	reason = measure(op, prepare, BIG_TIMES, value);
	*value /= FILES;
	(void)remove_all();
	(void)unlink(SMALL);
	return reason;
}

const char *create_1000_sync(double *value)
{
	return per_file(create_all, remove_all, value);
}

const char *unlink_1000_sync(double *value)
{
	return per_file(remove_all, create_all, value);
}

/* ---- the volume -------------------------------------------------------------------------- */

static int open_volume(void)
{
	const uint32_t extent = posix_segment()->mount[0].volume;
	int error = prepare_buffer();

	if (!volume && !error)
		error = disk_open(POSIX_CAP_VOLUME, extent, &volume);
	if (error)
		return error;
	volume_blocks = disk_size(volume);
	if (volume_blocks > tables_extent(extent)->init)
		volume_blocks = tables_extent(extent)->init;
	return volume_blocks >= DISK_MAX_BLOCKS ? 0 : -ENOSPC;
}

static int read_blocks(uint64_t block, uint32_t n)
{
	static void *pages[DISK_MAX_BLOCKS];
	struct disk_req r = {.op = DISK_READ, .nblocks = n, .block = block, .pages = pages};
	int error;

	for (uint32_t i = 0; i < n; i++)
		pages[i] = buffer + (size_t)i * DISK_BLOCK;
	error = disk_submit(volume, &r);
	return error ? error : disk_wait(volume, &r);
}

/* Anywhere in the volume, in an order that is the same each time. */
static uint64_t somewhere(uint32_t n)
{
	static uint32_t seed = 1;

	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % (volume_blocks - n + 1);
}

static int do_read_4k(void)
{
	return read_blocks(somewhere(1), 1);
}

static int do_read_1m(void)
{
	return read_blocks(somewhere(DISK_MAX_BLOCKS), DISK_MAX_BLOCKS);
}

const char *disk_read_4k(double *value)
{
	const int error = open_volume();

	return error ? because("the volume", error) : measure(do_read_4k, NULL, TIMES, value);
}

const char *disk_read_1m(double *value)
{
	const int error = open_volume();
	const char *reason =
		error ? because("the volume", error) : measure(do_read_1m, NULL, SYNCS, value);

	*value /= (double)MIB / KIB;
	return reason;
}

/* ---- a big file -------------------------------------------------------------------------- */

static int remove_big(void)
{
	if (unlink(BIG) && errno != ENOENT)
		return -errno;
	sync();
	return 0;
}

static int write_big(void)
{
	int error = open_file(BIG, O_WRONLY | O_CREAT | O_TRUNC);

	if (error)
		return error;
	for (uint32_t at = 0; at < BIG_SIZE && !error; at += PIECE)
		error = moved(write(fd, buffer, PIECE), PIECE);
	if (!error)
		error = plain(fsync(fd));
	return close_file() || error ? error ? error : -EIO : 0;
}

/* The cache forgets what it holds, so that the next reads go to the disk. */
static int drop_cache(void)
{
	sync();
	buf_invalidate(posix_segment()->mount[0].fs->cache);
	return 0;
}

static int read_big(void)
{
	int error = open_file(BIG, O_RDONLY);

	if (error)
		return error;
	for (uint32_t at = 0; at < BIG_SIZE && !error; at += PIECE)
		error = moved(read(fd, buffer, PIECE), PIECE);
	return close_file() || error ? error ? error : -EIO : 0;
}

const char *file_write_fsync(double *value)
{
	const char *reason = measure(write_big, remove_big, BIG_TIMES, value);

	*value /= (double)BIG_SIZE / KIB;
	(void)remove_big();
	return reason;
}

const char *file_read_cold(double *value)
{
	const int error = write_big();
	const char *reason =
		error ? because(BIG, error) : measure(read_big, drop_cache, BIG_TIMES, value);

	*value /= (double)BIG_SIZE / KIB;
	(void)remove_big();
	return reason;
}

/* ---- for those with a stop-watch --------------------------------------------------------- */

static int wall(bench_op *op, bench_op *prepare, unsigned passes)
{
	int error = 0;

	for (unsigned i = 0; i < passes && !error; i++) {
		error = prepare();
		printf("wall begin %d\n", BIG_SIZE);
		(void)fflush(stdout);
		if (!error)
			error = op();
		printf("wall end %d\n", error);
		(void)fflush(stdout);
	}
	(void)remove_big();
	return error != 0;
}

int wall_read(unsigned passes)
{
	return write_big() ? 1 : wall(read_big, drop_cache, passes);
}

int wall_write(unsigned passes)
{
	return wall(write_big, remove_big, passes);
}
