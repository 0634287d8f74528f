/*
 * deadlines - periodic threads that together want a part of the processor: how many of their jobs
 * are late?
 *
 *   deadlines PERCENT THREADS MS SEED
 *
 * SEED deals PERCENT of the processor out to the threads and gives each a period; for MS of the
 * machine's time each then computes for its share of every period.  Deadlines are the ends of
 * periods.  The scheduler is the one that the program is linked with, and each is told what it can
 * use: edf the periods, prio short periods first, lottery and stride the shares.
 */
#include "../experiment_bare.h"
#include <libos/thread.h>

int main(int argc, char **argv);

enum { NS_PER_MS = 1000000, NS_PER_SHARE = 10000, MOST_THREADS = 16, WHOLE = 10000, TRIES = 9 };
enum { TRIAL = 1 << 14, LEAST_SHARE = 20 };

struct task {
	struct thread *thread;
	uint64_t share; /* of WHOLE */
	uint64_t period_ms, work, jobs, missed;
};

static struct task tasks[MOST_THREADS];
static uint64_t dice;

/* Never inlined: a round is to cost what it did when it was timed. */
__attribute__((noinline)) static void work(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++)
		__asm__ volatile("");
}

/* Rounds of work() in a ms: the least disturbed of some tries counts. */
static uint64_t rounds_per_ms(void)
{
	uint64_t shortest = UINT64_MAX;

	for (uint32_t i = 0; i < TRIES; i++) {
		const uint64_t start = time_now();
		uint64_t took;

		work(TRIAL);
		took = time_now() - start;
		shortest = took < shortest ? took : shortest;
	}
	return shortest ? (uint64_t)TRIAL * NS_PER_MS / shortest : 0;
}

/* Parts of `all`, at random, none of them tiny. */
static void deal_shares(uint64_t all, uint32_t count)
{
	const uint64_t dealt = all - (uint64_t)count * LEAST_SHARE;
	uint64_t weight[MOST_THREADS], sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += weight[i] = experiment_random(&dice) % WHOLE + 1;
	for (uint32_t i = 0; i < count; i++)
		tasks[i].share = LEAST_SHARE + dealt * weight[i] / sum;
}

static void deal(uint64_t percent, uint32_t count, uint64_t ms)
{
	static const uint64_t periods[] = {10, 12, 15, 20, 24, 30, 40, 60};
	const uint64_t per_ms = rounds_per_ms();

	deal_shares(percent * WHOLE / 100, count);
	for (uint32_t i = 0; i < count; i++) {
		struct task *const t = &tasks[i];

		t->period_ms =
			periods[experiment_random(&dice) % (sizeof(periods) / sizeof(periods[0]))];
		t->work = per_ms * t->period_ms * t->share / WHOLE;
		t->jobs = ms / t->period_ms;
	}
}

static void *run(void *arg)
{
	struct task *const t = arg;

	for (uint64_t i = 0; i < t->jobs; i++) {
		int64_t slack;

		work(t->work);
		need(thread_next_period(&slack), "a period");
		t->missed += slack < 0;
	}
	return NULL;
}

/* 0, or -EBUSY: the scheduler says that not all deadlines can be kept. */
static int start(struct task *t)
{
	const struct thread_attr attr = {
		.policy = {.priority = -(int)t->period_ms,
			   .tickets = (uint32_t)t->share,
			   .period = t->period_ms * NS_PER_MS,
			   .budget = t->period_ms * t->share * NS_PER_MS / WHOLE},
	};

	return thread_create(&t->thread, &attr, run, t);
}

static void report(uint32_t count, uint64_t refused)
{
	uint64_t jobs = 0, missed = 0;

	for (uint32_t i = 0; i < count; i++) {
		jobs += tasks[i].jobs;
		missed += tasks[i].missed;
	}
	metric("jobs", jobs);
	metric("missed", missed);
	metric("missed_permille", jobs ? missed * 1000 / jobs : 0);
	metric("refused", refused);
}

int main(int argc, char **argv)
{
	uint64_t percent, ms, refused = 0;
	uint32_t count;

	if (argc != 5)
		usage("deadlines PERCENT THREADS MS SEED");
	percent = argument("PERCENT", argv[1], 10, 120);
	count = (uint32_t)argument("THREADS", argv[2], 2, MOST_THREADS);
	ms = argument("MS", argv[3], 100, 100000);
	dice = argument("SEED", argv[4], 0, UINT32_MAX);
	deal(percent, count, ms);
	for (uint32_t i = 0; i < count; i++) {
		const int error = start(&tasks[i]);

		need(error == -EBUSY ? 0 : error, "a thread");
		refused += error == -EBUSY;
		tasks[i].jobs = error ? 0 : tasks[i].jobs;
	}
	for (uint32_t i = 0; i < count; i++)
		if (tasks[i].jobs)
			need(thread_join(tasks[i].thread, NULL), "the end of a thread");
	report(count, refused);
	return 0;
}
