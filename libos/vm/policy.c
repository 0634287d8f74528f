/*
 * policy.c - what a policy of virtual memory need not say when a page that is there stays there.
 *
 * Owns nothing.  Each function is weak: a policy that defines it (vm/swap.c) has its own.  Called
 * as vm.h says.
 */
#include "vm.h"

#define DEFAULT __attribute__((weak))

DEFAULT int vm_policy_need(uint64_t va, unsigned perm)
{
	return vm_fill(va, perm);
}

DEFAULT void vm_policy_forget(uint64_t va, uint64_t end)
{
	(void)va, (void)end;
}

DEFAULT void vm_policy_unmapped(uint64_t va, uint64_t entry)
{
	(void)va, (void)entry;
}

DEFAULT int vm_policy_copy(void)
{
	return 0;
}

DEFAULT void vm_policy_idle(void)
{
}

DEFAULT void vm_policy_asked(struct exo_upcall_frame *frame)
{
	(void)frame;
}

DEFAULT void vm_bring(uint64_t va, uint64_t len)
{
	(void)va, (void)len;
}

DEFAULT void vm_get_stats(struct vm_stats *out)
{
	*out = (struct vm_stats){0};
}

DEFAULT int vm_disk_enter(const struct disk_req *r)
{
	(void)r;
	return 0;
}

DEFAULT void vm_disk_leave(const struct disk_req *r)
{
	(void)r;
}
