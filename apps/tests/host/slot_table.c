/*
 * Host stand-in for CPU slots: here is no vector, so none is anybody's, and nothing can be had.
 */
#include <libos/slots.h>
#include <libos/spawn.h>

#include <errno.h>

int spawn_cap(int pid)
{
	(void)pid;
	errno = ECHILD;
	return -1;
}

struct slots slots_of(uint32_t index)
{
	(void)index;
	return (struct slots){{0}};
}

uint32_t slots_owner(uint32_t cap)
{
	(void)cap;
	return 0;
}

int slots_free(const struct slots *s)
{
	return slots_count(s) ? -EACCES : 0;
}

int slots_recall(uint32_t cap, const struct slots *s)
{
	(void)cap, (void)s;
	return -ESRCH;
}

int slots_reserve(uint32_t cap, uint32_t n, uint32_t every, struct slots *got)
{
	(void)cap, (void)n, (void)every, (void)got;
	return -ENOSPC;
}

uint32_t slots_room(void)
{
	return 0;
}

const char *slots_why(int error)
{
	(void)error;
	return "no slots on this machine";
}

struct slots_use slots_used(const struct slots *s)
{
	(void)s;
	return (struct slots_use){0, 0, 0};
}

int slots_account(uint32_t index, struct slots_account *out)
{
	(void)index, (void)out;
	return -ESRCH;
}
