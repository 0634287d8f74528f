/*
 * io.c - reading and writing descriptors: what to do is chosen by the type of the open file.
 *
 * Owns nothing; the offset of an open file is guarded by the file's own lock.  Buffers are checked
 * (user.c) before any lock.  Called by programs and newlib.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/uio.h>
#include <libos/console.h>
#include <libos/vm.h>

/* A dead holder leaves at worst an offset that was not moved. */
static void offset_lock(struct posix_file *f)
{
	if (lock_acquire(&f->lock) == LOCK_STOLEN)
		return;
}

static ssize_t file_read(struct posix_file *f, char *to, size_t n)
{
	ssize_t got;

	offset_lock(f);
	got = node_read(f->node, f->offset, to, n);
	if (got > 0)
		f->offset += (uint64_t)got;
	lock_release(&f->lock);
	return got;
}

static ssize_t file_write(struct posix_file *f, const char *from, size_t n)
{
	ssize_t put;

	offset_lock(f);
	if (f->flags & O_APPEND)
		f->offset = f->node->attr.size;
	put = node_write(f->node, f->offset, from, n);
	if (put > 0)
		f->offset += (uint64_t)put;
	lock_release(&f->lock);
	if (put >= 0 && (f->flags & O_SYNC)) {
		const int error = node_fsync(f->node);

		return error ? error : put;
	}
	return put;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as all that read */
static ssize_t null_read(struct posix_file *f, char *to, size_t n)
{
	(void)f, (void)to, (void)n;
	return 0;
}

static ssize_t null_write(struct posix_file *f, const char *from, size_t n)
{
	(void)f, (void)from;
	return (ssize_t)n;
}

static ssize_t zero_read(struct posix_file *f, char *to, size_t n)
{
	(void)f;
	memset(to, 0, n);
	return (ssize_t)n;
}

/* What each type of open file can do; by type, since the segment holds no pointers to code. */
static const struct {
	ssize_t (*read)(struct posix_file *f, char *to, size_t n);
	ssize_t (*write)(struct posix_file *f, const char *from, size_t n);
} io[POSIX_FILE_NTYPE] = {
	[POSIX_FILE_NODE] = {file_read, file_write},  [POSIX_FILE_PIPE_READ] = {pipe_read, NULL},
	[POSIX_FILE_PIPE_WRITE] = {NULL, pipe_write}, [POSIX_FILE_TTY] = {tty_read, tty_write},
	[POSIX_FILE_NULL] = {null_read, null_write},  [POSIX_FILE_ZERO] = {zero_read, null_write},
};

static ssize_t do_read(int fd, void *to, size_t n)
{
	struct posix_file *f;
	int error = fd_readable(fd, &f);

	if (error == 0 && (!io[f->type].read || n > INT64_MAX))
		error = -EINVAL;
	if (error == 0)
		error = user_check(to, n, VM_WRITE);
	return error ? error : io[f->type].read(f, to, n);
}

static ssize_t do_write(int fd, const void *from, size_t n)
{
	struct posix_file *f;
	int error = fd_writable(fd, &f);

	if (error == 0 && (!io[f->type].write || n > INT64_MAX))
		error = -EINVAL;
	if (error == 0)
		error = user_check(from, n, VM_READ);
	return error ? error : io[f->type].write(f, from, n);
}

ssize_t read(int fd, void *to, size_t n)
{
	posix_enter_point();
	return posix_leave(do_read(fd, to, n));
}

/* Before init has made its segment, messages go to the console as they are. */
ssize_t write(int fd, const void *from, size_t n)
{
	if (!posix_seg)
		return console_write(from, n) ? -1 : (ssize_t)n;
	posix_enter_point();
	return posix_leave(do_write(fd, from, n));
}

/* A file at a place of its own: pread and pwrite. */
static int placed(int fd, int writing, off_t at, struct posix_file **f)
{
	const int error = writing ? fd_writable(fd, f) : fd_readable(fd, f);

	if (error)
		return error;
	if ((*f)->type != POSIX_FILE_NODE)
		return -ESPIPE;
	return at < 0 ? -EINVAL : 0;
}

static ssize_t do_pread(int fd, void *to, size_t n, off_t at)
{
	struct posix_file *f;
	int error = placed(fd, 0, at, &f);

	if (error == 0)
		error = user_check(to, n, VM_WRITE);
	return error ? error : node_read(f->node, (uint64_t)at, to, n);
}

static ssize_t do_pwrite(int fd, const void *from, size_t n, off_t at)
{
	struct posix_file *f;
	int error = placed(fd, 1, at, &f);

	if (error == 0)
		error = user_check(from, n, VM_READ);
	return error ? error : node_write(f->node, (uint64_t)at, from, n);
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
	posix_enter_point();
	return posix_leave(do_pread(fd, to, n, at));
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
	posix_enter_point();
	return posix_leave(do_pwrite(fd, from, n, at));
}

/* ---- several pieces ------------------------------------------------------------------------ */

enum vector_how { VECTOR_READ, VECTOR_WRITE, VECTOR_PREAD, VECTOR_PWRITE };

static ssize_t one_piece(int fd, const struct iovec *v, enum vector_how how, off_t at)
{
	switch (how) {
	case VECTOR_READ:
		return read(fd, v->iov_base, v->iov_len);
	case VECTOR_WRITE:
		return write(fd, v->iov_base, v->iov_len);
	case VECTOR_PREAD:
		return pread(fd, v->iov_base, v->iov_len, at);
	default:
		return pwrite(fd, v->iov_base, v->iov_len, at);
	}
}

static ssize_t vector(int fd, const struct iovec *v, int count, enum vector_how how, off_t at)
{
	ssize_t total = 0;

	if (count < 0 || count > IOV_MAX || user_check(v, sizeof(*v) * (size_t)count, VM_READ)) {
		errno = count < 0 || count > IOV_MAX ? EINVAL : EFAULT;
		return -1;
	}
	for (int i = 0; i < count; i++) {
		const ssize_t done = one_piece(fd, &v[i], how, at + total);

		if (done < 0)
			return total ? total : -1;
		total += done;
		if ((size_t)done < v[i].iov_len)
			break;
	}
	return total;
}

ssize_t readv(int fd, const struct iovec *v, int count)
{
	return vector(fd, v, count, VECTOR_READ, 0);
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
	return vector(fd, v, count, VECTOR_WRITE, 0);
}

ssize_t preadv(int fd, const struct iovec *v, int count, off_t at)
{
	return vector(fd, v, count, VECTOR_PREAD, at);
}

ssize_t pwritev(int fd, const struct iovec *v, int count, off_t at)
{
	return vector(fd, v, count, VECTOR_PWRITE, at);
}

/* ---- offsets and sizes --------------------------------------------------------------------- */

static off_t do_lseek(int fd, off_t offset, int whence)
{
	struct posix_file *f = fd_file(fd);
	off_t base = 0, at;

	if (!f)
		return -EBADF;
	if (f->type != POSIX_FILE_NODE)
		return f->type == POSIX_FILE_NULL || f->type == POSIX_FILE_ZERO ? 0 : -ESPIPE;
	if (whence == SEEK_CUR)
		base = (off_t)f->offset;
	else if (whence == SEEK_END)
		base = (off_t)f->node->attr.size;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, offset, &at))
		return -EOVERFLOW;
	if (at < 0)
		return -EINVAL;
	f->offset = (uint64_t)at;
	return at;
}

off_t lseek(int fd, off_t offset, int whence)
{
	posix_enter();
	return posix_leave(do_lseek(fd, offset, whence));
}

static int do_ftruncate(int fd, off_t size)
{
	struct posix_file *f;
	const int error = fd_writable(fd, &f);

	if (error)
		return error;
	if (f->type != POSIX_FILE_NODE || size < 0)
		return -EINVAL;
	return node_truncate(f->node, (uint64_t)size);
}

int ftruncate(int fd, off_t size)
{
	posix_enter();
	return (int)posix_leave(do_ftruncate(fd, size));
}

static int do_fsync(int fd)
{
	struct posix_file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	return f->type == POSIX_FILE_NODE ? node_fsync(f->node) : -EINVAL;
}

int fsync(int fd)
{
	posix_enter_point();
	return (int)posix_leave(do_fsync(fd));
}

int fdatasync(int fd)
{
	return fsync(fd);
}

void sync(void)
{
	posix_enter();
	if (mount_main())
		(void)mount_sync(0);
	(void)posix_leave(0);
}
