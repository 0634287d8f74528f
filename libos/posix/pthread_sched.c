/*
 * pthread_sched.c - POSIX's scheduling policies, as far as the scheduler that is linked has them.
 *
 * Owns: what they mean here.  SCHED_OTHER is what the scheduler does anyway, at priority 0.
 * SCHED_FIFO and SCHED_RR, priorities 1 to 99, are for a scheduler that goes by priorities
 * (sched=prio), where 0 is below all of them; others refuse them (ENOTSUP).  The process's own are
 * not for it to set: what it gets of the processor are its slots (libos/slots.h).
 * Lock: deferred upcalls.  Called by programs.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include "pthread.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>
#include <libos/tables.h>

enum { LEAST = 1, MOST = 99, SECOND_NS = 1000000000 };

static int is_policy(int policy)
{
	return policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR;
}

static int answer(int error, int result)
{
	if (!error)
		return result;
	errno = error;
	return -1;
}

int sched_get_priority_min(int policy)
{
	return answer(is_policy(policy) ? 0 : EINVAL, policy == SCHED_OTHER ? 0 : LEAST);
}

int sched_get_priority_max(int policy)
{
	return answer(is_policy(policy) ? 0 : EINVAL, policy == SCHED_OTHER ? 0 : MOST);
}

/* ---- of threads ----------------------------------------------------------------------------- */

int pthread_policy_of(int policy, int priority, struct thread_policy *out)
{
	if (!is_policy(policy) || priority < sched_get_priority_min(policy) ||
	    priority > sched_get_priority_max(policy))
		return EINVAL;
	if (policy != SCHED_OTHER && !sched_priorities())
		return ENOTSUP;
	*out = (struct thread_policy){.priority = priority, .fifo = policy == SCHED_FIFO};
	return 0;
}

int pthread_policy_name(const struct thread_policy *p)
{
	if (!sched_priorities() || p->priority == 0)
		return SCHED_OTHER;
	return p->fifo ? SCHED_FIFO : SCHED_RR;
}

/* What other schedulers go by stays as it was. */
int pthread_setschedparam(pthread_t t, int policy, const struct sched_param *param)
{
	struct thread_policy now = thread_policy_of(t), p;
	const int error = pthread_policy_of(policy, param->sched_priority, &p);

	if (error)
		return error;
	if (t->state == THREAD_ENDED)
		return ESRCH;
	now.priority = p.priority;
	now.fifo = p.fifo;
	return -thread_set_policy(t, &now);
}

int pthread_getschedparam(pthread_t t, int *policy, struct sched_param *param)
{
	const struct thread_policy p = thread_policy_of(t);

	*policy = pthread_policy_name(&p);
	*param = (struct sched_param){.sched_priority = p.priority};
	return 0;
}

int pthread_setschedprio(pthread_t t, int priority)
{
	const struct thread_policy p = thread_policy_of(t);
	const struct sched_param param = {.sched_priority = priority};

	return pthread_setschedparam(t, pthread_policy_name(&p), &param);
}

/* There is nothing to say: threads are the program's own. */
static int concurrency;

int pthread_setconcurrency(int level)
{
	if (level < 0)
		return EINVAL;
	concurrency = level;
	return 0;
}

int pthread_getconcurrency(void)
{
	return concurrency;
}

/* What a thread computed is counted in slices that began while it ran: too coarse for a clock. */
int pthread_getcpuclockid(pthread_t t, clockid_t *clock)
{
	(void)t;
	*clock = 0;
	return ENOTSUP;
}

/* ---- of the process ------------------------------------------------------------------------- */

static int not_us(pid_t pid)
{
	return pid == 0 || pid == getpid() ? 0 : pid < 0 ? EINVAL : ESRCH;
}

int sched_getscheduler(pid_t pid)
{
	return answer(not_us(pid), SCHED_OTHER);
}

int sched_getparam(pid_t pid, struct sched_param *param)
{
	*param = (struct sched_param){.sched_priority = 0};
	return answer(not_us(pid), 0);
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	if (!is_policy(policy) || param->sched_priority < sched_get_priority_min(policy) ||
	    param->sched_priority > sched_get_priority_max(policy))
		return answer(EINVAL, 0);
	if (not_us(pid))
		return answer(not_us(pid), 0);
	return answer(policy == SCHED_OTHER ? 0 : EPERM, SCHED_OTHER);
}

int sched_setparam(pid_t pid, const struct sched_param *param)
{
	return sched_setscheduler(pid, SCHED_OTHER, param);
}

int sched_rr_get_interval(pid_t pid, struct timespec *interval)
{
	const uint64_t ns = tables_info()->tick_ns;

	*interval = (struct timespec){(time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS)};
	return answer(not_us(pid), 0);
}

int sched_getcpu(void)
{
	return 0;
}
