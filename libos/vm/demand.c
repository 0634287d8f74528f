/*
 * demand.c - virtual memory policy: a frame is taken when a page is first touched.
 */
#include "vm.h"

int vm_policy_promise(uint64_t va, uint64_t end, unsigned perm)
{
	(void)va;
	(void)end;
	(void)perm;
	return 0;
}

int vm_policy_touch(uint64_t va, unsigned perm)
{
	return vm_fill(va, perm);
}
