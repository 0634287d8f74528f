/*
 * place.c - blocks in a file, through a file system; or in an extent of the user's own, through a
 * buffer cache of the program's own (libos/buf.h) with as many frames as a mounted file system has.
 *
 * Owns the open file, or volume and cache.  Called by the layouts.
 */
#include "../experiment_posix.h"
#include <fcntl.h>
#include <unistd.h>
#include <libos/arena.h>
#include <libos/buf.h>
#include "kv.h"

enum { FRAMES = 512, HEAP = 256 << 10 };

static int file = -1;
static struct disk *volume;
static struct buf_cache *cache;

static int open_extent(const char *name, uint64_t blocks)
{
	void *const frames = aligned_alloc(KV_BLOCK, (size_t)FRAMES * KV_BLOCK);
	void *const heap = aligned_alloc(KV_BLOCK, HEAP);
	const int error = experiment_open(name, &volume);

	if (error)
		return error;
	if (!frames || !heap)
		return -ENOMEM;
	if (disk_size(volume) < blocks)
		return -ENOSPC;
	cache = buf_init(arena_init(heap, HEAP), frames, FRAMES, disk_size(volume));
	return cache ? 0 : -ENOMEM;
}

/* All its blocks are there: those of a file that is written in its middle need no new ones. */
static int open_file(const char *path, uint64_t blocks)
{
	static const char zeros[KV_BLOCK];

	file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (file < 0 || ftruncate(file, (off_t)(blocks * KV_BLOCK)) != 0)
		return -errno;
	for (uint64_t b = 0; b < blocks; b++) {
		const int error = place_write(b, zeros);

		if (error)
			return error;
	}
	return fsync(file) ? -errno : 0;
}

int place_open(const char *name, uint64_t blocks)
{
	static const char extent[] = "extent:";

	if (strncmp(name, extent, sizeof(extent) - 1) == 0)
		return open_extent(name + sizeof(extent) - 1, blocks);
	return open_file(name, blocks);
}

static int whole(ssize_t n)
{
	return n == KV_BLOCK ? 0 : n < 0 ? -errno : -ENOSPC;
}

int place_read(uint64_t block, void *to)
{
	struct buf *b;
	int error;

	if (!cache)
		return whole(pread(file, to, KV_BLOCK, (off_t)(block * KV_BLOCK)));
	error = buf_get(cache, volume, block, BUF_READ, &b);
	if (error)
		return error;
	memcpy(to, b->data, KV_BLOCK);
	buf_put(b);
	return 0;
}

int place_write(uint64_t block, const void *from)
{
	struct buf *b;
	int error;

	if (!cache)
		return whole(pwrite(file, from, KV_BLOCK, (off_t)(block * KV_BLOCK)));
	error = buf_get(cache, volume, block, BUF_OVERWRITE, &b);
	if (error)
		return error;
	memcpy(b->data, from, KV_BLOCK);
	buf_dirty(cache, b, 0);
	buf_put(b);
	return buf_settle(cache, volume);
}

int place_sync(void)
{
	int error;

	if (!cache)
		return fsync(file) ? -errno : 0;
	error = buf_sync(cache, volume);
	return error ? error : buf_flush(volume);
}

void place_forget(void)
{
	if (cache)
		buf_invalidate(cache);
}
