/*
 * user.c - memory that a program hands to the POSIX layer, checked before a lock is taken.
 *
 * Owns nothing.  A bad pointer must be found here: a fault inside the file system would end the
 * program with the file system's lock held.  And a page that swapped is brought here, while other
 * threads can still run.  Called at the start of calls that take pointers.
 */
#include "posix.h"

#include <errno.h>
#include <string.h>
#include <libos/vm.h>

/* End of what is accessible from va on, or 0. */
static uint64_t accessible(uint64_t va, unsigned perm)
{
	const struct vm_region *r;

	if (va >= LAYOUT_SEGMENT && va < LAYOUT_SEGMENT_END && posix_seg)
		return LAYOUT_SEGMENT + (uint64_t)posix_seg->pages * EXO_PAGE_SIZE;
	r = vm_find(va);
	return r && (r->perm & perm) == perm ? r->end : 0;
}

int user_check(const void *p, size_t n, unsigned perm)
{
	const uint64_t start = (uint64_t)(uintptr_t)p, end = start + n;

	if (n && end <= start)
		return -EFAULT;
	for (uint64_t at = start; at < end;) {
		at = accessible(at, perm);
		if (at == 0)
			return -EFAULT;
	}
	vm_bring(start, n);
	return 0;
}

long user_path(const char *path)
{
	const uint64_t start = (uint64_t)(uintptr_t)path, most = start + POSIX_PATH;
	uint64_t at = start;

	while (at < most) {
		uint64_t end = accessible(at, VM_READ);

		if (end == 0)
			return -EFAULT;
		end = end < most ? end : most;
		at += strnlen((const char *)at, end - at);
		if (at < end)
			return at == start ? -ENOENT : (long)(at - start);
	}
	return -ENAMETOOLONG;
}
