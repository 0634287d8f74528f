/*
 * clock.c - times of day, sleeping, and the time that processes used.
 *
 * Owns nothing: clocks are read from the processor's counter (libos/time.h), CPU time from the
 * kernel's environment table, in slots.  Called by programs and newlib.
 */
#include "posix.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>

static const uint64_t NS = 1000000000u;
enum { US_NS = 1000 };

/* CPU time of this process so far, ns. */
static uint64_t own_time(void)
{
	const volatile struct exo_env *e = tables_env((uint32_t)(start_self() & 0xffff));

	return e->used_ticks * tables_info()->tick_ns;
}

static uint64_t children_time(void)
{
	return posix_self->ticks * tables_info()->tick_ns;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / NS), (long)(ns % NS)};
}

static struct timeval timeval_of(uint64_t ns)
{
	return (struct timeval){(time_t)(ns / NS), (suseconds_t)(ns % NS / US_NS)};
}

/* 1: the clock is known, and its time is in *ns. */
static int clock_ns(clockid_t clock, uint64_t *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
		*ns = time_real();
		return 1;
	case CLOCK_MONOTONIC:
		*ns = time_now();
		return 1;
	default:
		errno = EINVAL;
		return 0;
	}
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	uint64_t ns;

	if (!clock_ns(clock, &ns))
		return -1;
	*out = timespec_of(ns);
	return 0;
}

int clock_getres(clockid_t clock, struct timespec *out)
{
	uint64_t ns;

	if (!clock_ns(clock, &ns))
		return -1;
	if (out)
		*out = timespec_of(1);
	return 0;
}

int clock_settime(clockid_t clock, const struct timespec *t)
{
	(void)clock, (void)t;
	errno = EPERM;
	return -1;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	if (zone)
		memset(zone, 0, sizeof(struct timezone));
	*out = timeval_of(time_real());
	return 0;
}

uint64_t posix_ns(const struct timespec *t)
{
	const uint64_t most = INT64_MAX / NS;

	return (uint64_t)t->tv_sec < most ? (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_nsec
					  : most * NS;
}

/* ---- sleeping ------------------------------------------------------------------------------ */

/* Until `deadline`, since boot.  0, or -EINTR. */
static int sleep_until(uint64_t deadline)
{
	int error = 0;

	while (error == 0 && time_now() < deadline)
		error = posix_wait(POSIX_EV_SIGNAL, deadline);
	return error == -ETIMEDOUT ? 0 : error;
}

static int bad(const struct timespec *t)
{
	return t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= (long)NS;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	const uint64_t deadline = time_now() + posix_ns(wanted);
	int result;

	posix_enter_point();
	result = (int)posix_leave(bad(wanted) ? -EINVAL : sleep_until(deadline));
	if (result && left && errno == EINTR) {
		const uint64_t now = time_now();

		*left = timespec_of(deadline > now ? deadline - now : 0);
	}
	return result;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
		    struct timespec *left);
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
		    struct timespec *left)
{
	uint64_t now, until;

	if (!(flags & TIMER_ABSTIME))
		return nanosleep(wanted, left) ? errno : 0;
	if (bad(wanted) || !clock_ns(clock, &now))
		return EINVAL;
	until = posix_ns(wanted);
	posix_enter_point();
	return posix_leave(until > now ? sleep_until(time_now() + until - now) : 0) ? errno : 0;
}

unsigned sleep(unsigned seconds)
{
	struct timespec left = {seconds, 0};

	return nanosleep(&left, &left) ? (unsigned)left.tv_sec + (left.tv_nsec != 0) : 0;
}

int usleep(useconds_t us)
{
	const struct timespec wanted = timespec_of((uint64_t)us * US_NS);

	return nanosleep(&wanted, NULL);
}

/* ---- time used ----------------------------------------------------------------------------- */

clock_t times(struct tms *out)
{
	const uint64_t tick = NS / CLOCKS_PER_SEC;

	if (out)
		*out = (struct tms){
			.tms_utime = (clock_t)(own_time() / tick),
			.tms_cutime = (clock_t)(children_time() / tick),
		};
	return (clock_t)(time_now() / tick);
}

int getrusage(int who, struct rusage *out)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN) {
		errno = EINVAL;
		return -1;
	}
	memset(out, 0, sizeof(*out));
	out->ru_utime = timeval_of(who == RUSAGE_SELF ? own_time() : children_time());
	if (who == RUSAGE_SELF) {
		out->ru_maxrss =
			(long)tables_quota_used(self)->n[EXO_QUOTA_PAGES] * (EXO_PAGE_SIZE / 1024);
		out->ru_minflt = (long)tables_env(self)->faults;
	}
	return 0;
}
