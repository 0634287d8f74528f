/*
 * system.c - what the system says of itself: limits, names, random numbers.
 *
 * Owns the state of the random numbers, seeded at start by whoever built the program; they are not
 * fit for keys.  Called by programs and newlib.
 */
#include "posix.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <libos/call.h>
#include <libos/sched.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

#define NODE_NAME "freehold"

enum { THREADS_OF = 200112 }; /* the POSIX whose threads these are */
enum { ENTROPY_MOST = 256, PIPE_ATOMIC = 4096, LINKS_MOST = 32000, FILE_BITS = 64 };

/* Of schedulers of threads that go by priorities (libos/sched.h). */
__attribute__((weak)) int sched_priorities(void)
{
	return 0;
}

static long thread_limit(int name)
{
	switch (name) {
	case _SC_THREADS:
	case _SC_THREAD_ATTR_STACKADDR:
	case _SC_THREAD_ATTR_STACKSIZE:
	case _SC_THREAD_SAFE_FUNCTIONS:
	case _SC_SEMAPHORES:
	case _SC_BARRIERS:
	case _SC_SPIN_LOCKS:
	case _SC_READER_WRITER_LOCKS:
	case _SC_TIMEOUTS:
	case _SC_CLOCK_SELECTION:
	case _SC_MONOTONIC_CLOCK:
		return THREADS_OF;
	case _SC_THREAD_PRIORITY_SCHEDULING:
	case _SC_THREAD_PRIO_INHERIT:
		return sched_priorities() ? THREADS_OF : -1;
	case _SC_THREAD_PRIO_PROTECT:
	case _SC_THREAD_PROCESS_SHARED:
	case _SC_THREAD_CPUTIME:
		return -1;
	case _SC_THREAD_STACK_MIN:
		return PTHREAD_STACK_MIN;
	case _SC_THREAD_KEYS_MAX:
		return PTHREAD_KEYS_MAX;
	case _SC_THREAD_DESTRUCTOR_ITERATIONS:
		return PTHREAD_DESTRUCTOR_ITERATIONS;
	case _SC_SEM_VALUE_MAX:
		return SEM_VALUE_MAX;
	default:
		errno = EINVAL;
		return -1;
	}
}

long sysconf(int name)
{
	switch (name) {
	case _SC_PAGESIZE:
		return EXO_PAGE_SIZE;
	case _SC_PHYS_PAGES:
		return (long)tables_info()->frames;
	case _SC_AVPHYS_PAGES:
		return (long)tables_info()->free_frames;
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN:
		return 1;
	case _SC_OPEN_MAX:
		return POSIX_NFD;
	case _SC_CLK_TCK:
		return CLOCKS_PER_SEC;
	case _SC_ARG_MAX:
		return LAYOUT_ARGS_END - LAYOUT_ARGS - (long)sizeof(struct start_args);
	case _SC_CHILD_MAX:
		return posix_seg ? (long)posix_seg->nprocs - 2 : 0;
	case _SC_NGROUPS_MAX:
		return 1;
	case _SC_JOB_CONTROL:
	case _SC_SAVED_IDS:
		return 1;
	case _SC_VERSION:
		return 200809;
	case _SC_IOV_MAX:
		return 1024;
	case _SC_SYMLOOP_MAX:
		return 40;
	default:
		return thread_limit(name);
	}
}

static long path_limit(int name)
{
	switch (name) {
	case _PC_LINK_MAX:
		return LINKS_MOST;
	case _PC_NAME_MAX:
		return FS_NAME_MAX;
	case _PC_PATH_MAX:
		return POSIX_PATH;
	case _PC_PIPE_BUF:
		return PIPE_ATOMIC;
	case _PC_MAX_CANON:
	case _PC_MAX_INPUT:
		return POSIX_TTY_LINE;
	case _PC_CHOWN_RESTRICTED:
	case _PC_NO_TRUNC:
		return 1;
	case _PC_VDISABLE:
		return 0;
	case _PC_FILESIZEBITS:
		return FILE_BITS;
	case _PC_SYMLINK_MAX:
		return FS_SYMLINK_MAX;
	default:
		errno = EINVAL;
		return -1;
	}
}

long pathconf(const char *path, int name)
{
	return access(path, F_OK) ? -1 : path_limit(name);
}

long fpathconf(int fd, int name)
{
	if (fd_file(fd))
		return path_limit(name);
	errno = EBADF;
	return -1;
}

int uname(struct utsname *out)
{
	memset(out, 0, sizeof(*out));
	strcpy(out->sysname, "Freehold");
	strcpy(out->nodename, NODE_NAME);
	strcpy(out->release, "1");
	strcpy(out->version, "POSIX libOS");
	strcpy(out->machine, "x86_64");
	return 0;
}

int gethostname(char *out, size_t size)
{
	if (size < sizeof(NODE_NAME)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out, NODE_NAME, sizeof(NODE_NAME));
	return 0;
}

__attribute__((weak)) int sched_yield(void)
{
	call_yield(0);
	return 0;
}

/* ---- limits -------------------------------------------------------------------------------- */

int getrlimit(int resource, struct rlimit *out)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);

	*out = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	switch (resource) {
	case RLIMIT_NOFILE:
		out->rlim_cur = out->rlim_max = POSIX_NFD;
		return 0;
	case RLIMIT_STACK:
		out->rlim_cur = out->rlim_max = LAYOUT_STACK_TOP - LAYOUT_STACK_LOW;
		return 0;
	case RLIMIT_AS:
	case RLIMIT_DATA:
		out->rlim_cur = out->rlim_max =
			(rlim_t)tables_quota_limit(self)->n[EXO_QUOTA_PAGES] * EXO_PAGE_SIZE;
		return 0;
	case RLIMIT_CPU:
	case RLIMIT_FSIZE:
	case RLIMIT_CORE:
	case RLIMIT_NPROC:
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}

/* Limits are the kernel's quotas: only whoever gave them changes them. */
int setrlimit(int resource, const struct rlimit *limit)
{
	(void)resource, (void)limit;
	errno = EPERM;
	return -1;
}

int getpriority(int which, id_t who)
{
	(void)which, (void)who;
	return 0;
}

int setpriority(int which, id_t who, int nice)
{
	(void)which, (void)who, (void)nice;
	errno = EPERM;
	return -1;
}

/* ---- random numbers ------------------------------------------------------------------------ */

/* splitmix64: each state gives one number. */
static uint64_t next_random(void)
{
	static uint64_t state;
	uint32_t low, high;
	uint64_t z;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	if (state == 0)
		state = start_args()->seed[0];
	state += (start_args()->seed[1] | 1) + low;
	z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31) ^ high;
}

ssize_t getrandom(void *out, size_t n, unsigned flags)
{
	char *to = out;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM)) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
		const uint64_t r = next_random();

		memcpy(to + i, &r, n - i < sizeof(r) ? n - i : sizeof(r));
	}
	return (ssize_t)n;
}

int getentropy(void *out, size_t n)
{
	if (n <= ENTROPY_MOST)
		return getrandom(out, n, 0) < 0 ? -1 : 0;
	errno = EIO;
	return -1;
}
