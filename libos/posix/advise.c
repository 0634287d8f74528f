/*
 * advise.c - what programs say about the cache of the file system: posix_fadvise, and
 * libos/cachectl.h.
 *
 * Owns nothing: advice goes to the file system, which knows the blocks, and from there to the
 * cache's policy.  Called by programs.
 */
#include "posix.h"
#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <libos/cachectl.h>

/* ---- the cache of a file system -------------------------------------------------------------- */

/* Finds the cache, whose mount is held by what stands in `w`: walk_done ends it.  0 or an error. */
static int find_cache(const char *path, struct walk *w, struct buf_cache **out)
{
	const int error = posix_seg && mount_main() ? walk(NULL, path, 0, w) : -ENODEV;

	if (error)
		return error;
	*out = w->node ? w->node->fs->cache : NULL;
	if (*out)
		return 0;
	walk_done(w);
	return -ENODEV;
}

int cachectl_look(const char *path, struct buf_stats *stats, struct buf_tuning *tuning,
		  const char **policy)
{
	struct buf_cache *cache;
	struct walk w;
	int error;

	posix_enter();
	error = find_cache(path, &w, &cache);
	if (error == 0) {
		buf_get_stats(cache, stats);
		buf_get_tuning(cache, tuning);
		*policy = buf_policy_of(cache);
		walk_done(&w);
	}
	return (int)posix_leave(error);
}

/* Setting goes without the file system's lock, so it must do no I/O: that was done before. */
static int write_and(const char *path, const struct buf_tuning *tuning)
{
	struct buf_cache *cache;
	struct walk w;
	int error = find_cache(path, &w, &cache);

	if (error)
		return error;
	error = mount_sync(0);
	if (error == 0 && tuning)
		error = buf_tune(cache, tuning);
	else if (error == 0)
		buf_invalidate(cache);
	walk_done(&w);
	return error;
}

int cachectl_tune(const char *path, const struct buf_tuning *tuning)
{
	posix_enter();
	return (int)posix_leave(write_and(path, tuning));
}

int cachectl_drop(const char *path)
{
	posix_enter();
	return (int)posix_leave(write_and(path, NULL));
}

/* ---- one file ------------------------------------------------------------------------------ */

static int advise(int fd, off_t offset, off_t bytes, int advice)
{
	static const enum fs_advice meaning[] = {
		[POSIX_FADV_NORMAL] = FS_ADVICE_NORMAL,
		[POSIX_FADV_RANDOM] = FS_ADVICE_RANDOM,
		[POSIX_FADV_SEQUENTIAL] = FS_ADVICE_SEQUENTIAL,
		[POSIX_FADV_WILLNEED] = FS_ADVICE_WILLNEED,
		[POSIX_FADV_DONTNEED] = FS_ADVICE_DONTNEED,
		[POSIX_FADV_NOREUSE] = FS_ADVICE_ONCE,
	};
	struct posix_file *f = fd_file(fd);
	struct reach *r;

	if (!f)
		return -EBADF;
	if (f->type == POSIX_FILE_PIPE_READ || f->type == POSIX_FILE_PIPE_WRITE)
		return -ESPIPE;
	if (advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE || offset < 0 || bytes < 0)
		return -EINVAL;
	/* What has no blocks, or a file system that does not listen, needs no advice. */
	if (f->type != POSIX_FILE_NODE || (f->node->attr.mode & FS_IFMT) != FS_IFREG)
		return 0;
	r = reach_fs(f->node->fs);
	if (!r)
		return -ENODEV;
	return !r->ops->advise
		       ? 0
		       : r->ops->advise(&r->ctx, f->node, (uint64_t)offset,
					bytes ? (uint64_t)bytes : UINT64_MAX, meaning[advice]);
}

/* The error itself is returned, and errno stays: so POSIX wants it. */
int posix_fadvise(int fd, off_t offset, off_t bytes, int advice)
{
	const int kept = errno;
	int error;

	posix_enter();
	error = posix_leave(advise(fd, offset, bytes, advice)) < 0 ? errno : 0;
	errno = kept;
	return error;
}
