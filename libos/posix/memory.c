/*
 * memory.c - mmap and its family on the regions of libos/vm.h, and aligned allocation.
 *
 * Owns nothing.  Anonymous memory is the program's own; shared, it is the frames' owner's still,
 * and a process that ends is waited for until no copy of it maps them any more.  A file is mapped
 * private by reading it into anonymous memory at once; shared writable mappings of files are
 * refused. Called by programs and newlib.
 */
#include "posix.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <libos/vm.h>

static unsigned perm_of(int prot)
{
	return (prot & PROT_READ ? VM_READ : 0u) | (prot & PROT_WRITE ? VM_READ | VM_WRITE : 0u) |
	       (prot & PROT_EXEC ? VM_READ | VM_EXEC : 0u);
}

/* Reads the file's bytes into the new memory, then gives it the permissions asked for. */
static int fill_from(int fd, off_t at, uint64_t va, size_t n, int prot)
{
	struct posix_file *f;
	const int error = fd_readable(fd, &f);
	int64_t got;

	if (error)
		return error;
	if (f->type != POSIX_FILE_NODE)
		return -ENODEV;
	got = node_read(f->node, (uint64_t)at, (void *)va, n);
	return got < 0 ? (int)got : vm_protect(va, n, perm_of(prot));
}

/* All of it is there from now on: what a copy of this process touched first would be its own. */
static int share(uint64_t va, size_t n, unsigned perm)
{
	vm_find(va)->shared = 1;
	return vm_populate(va, n, perm);
}

static int map(void *addr, size_t n, int prot, int flags, int fd, off_t at, uint64_t *out)
{
	const int anonymous = flags & MAP_ANONYMOUS;
	const unsigned perm = anonymous ? perm_of(prot) : VM_READ | VM_WRITE;
	int error;

	if (n == 0 || at < 0 || at % EXO_PAGE_SIZE || !(flags & (MAP_PRIVATE | MAP_SHARED)))
		return -EINVAL;
	if (!anonymous && (flags & MAP_SHARED) && (prot & PROT_WRITE))
		return -ENODEV;
	if ((flags & MAP_FIXED) && (uint64_t)addr % EXO_PAGE_SIZE)
		return -EINVAL;
	if (flags & MAP_FIXED)
		(void)vm_release((uint64_t)addr, n);
	error = vm_reserve(flags & MAP_FIXED ? (uint64_t)addr : 0, n, perm, VM_ANON, out);
	if (error == -EDQUOT)
		return -ENOMEM; /* what POSIX calls it */
	if (error || (anonymous && !(flags & MAP_SHARED)))
		return error;
	error = anonymous ? share(*out, n, perm) : fill_from(fd, at, *out, n, prot);
	if (error)
		(void)vm_release(*out, n);
	return error;
}

void *mmap(void *addr, size_t n, int prot, int flags, int fd, off_t at)
{
	uint64_t va = 0;

	posix_enter();
	return posix_leave(map(addr, n, prot, flags, fd, at, &va)) ? MAP_FAILED : (void *)va;
}

int munmap(void *addr, size_t n)
{
	posix_enter();
	return (int)posix_leave(
		(uint64_t)addr % EXO_PAGE_SIZE || n == 0 ? -EINVAL : vm_release((uint64_t)addr, n));
}

int mprotect(void *addr, size_t n, int prot)
{
	posix_enter();
	return (int)posix_leave((uint64_t)addr % EXO_PAGE_SIZE
					? -EINVAL
					: vm_protect((uint64_t)addr, n, perm_of(prot)));
}

/* Nothing mapped is shared with a file, so nothing is to be written back. */
int msync(void *addr, size_t n, int flags)
{
	(void)flags;
	posix_enter_point();
	return (int)posix_leave(user_check(addr, n, 0) ? -ENOMEM : 0);
}

int madvise(void *addr, size_t n, int advice)
{
	(void)advice;
	return msync(addr, n, 0);
}

int posix_madvise(void *addr, size_t n, int advice)
{
	return madvise(addr, n, advice) ? errno : 0;
}

int mlock(const void *addr, size_t n)
{
	posix_enter();
	return (int)posix_leave(vm_pin((uint64_t)addr, n, 1));
}

int munlock(const void *addr, size_t n)
{
	posix_enter();
	return (int)posix_leave(vm_pin((uint64_t)addr, n, 0));
}

int posix_memalign(void **out, size_t align, size_t n)
{
	const int error = errno;
	void *p;

	if (align < sizeof(void *) || (align & (align - 1)))
		return EINVAL;
	p = memalign(align, n);
	errno = error;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

int getpagesize(void)
{
	return EXO_PAGE_SIZE;
}
