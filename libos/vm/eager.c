/*
 * eager.c - virtual memory policy: frames are taken when memory is promised, so that touching it
 * never fails later.  Only the stack grows by faults.
 */
#include <errno.h>
#include <libos/layout.h>
#include "vm.h"

int vm_policy_promise(uint64_t va, uint64_t end, unsigned perm)
{
	int err = 0;

	for (; va < end && !err; va += VM_PAGE)
		if (!vm_pte(va))
			err = vm_fill(va, perm);
	return err;
}

int vm_policy_touch(uint64_t va, unsigned perm)
{
	return va < LAYOUT_STACK_TOP ? vm_fill(va, perm) : -EFAULT;
}
