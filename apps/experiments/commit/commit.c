/*
 * commit - threads whose transactions must be on the disk before they go on: each by a write and a
 * flush of its own, or those that come together by one.
 *
 *   commit WRITERS TRANSACTIONS THINK WINDOW MOST SEED
 *
 * WRITERS threads make TRANSACTIONS each, and pause before each for up to THINK us.  A transaction
 * is a record at the end of a log in extent `spare`.  Whoever commits while nobody flushes does it
 * for all that have come by then, MOST at most, after waiting WINDOW us for more to come; who comes
 * meanwhile waits for the next flush.  MOST 1: everybody for himself.  In the end the log is read
 * back: every record must be there, whole.
 *
 * Owns the log.  Invariant: records below `durable` are on the disk; durable <= appended.  Lock:
 * `lock`, not held during transfers, while records may be added to the block that is being written:
 * they are not counted as written, and each record lies in one block.
 */
#include "../experiment_bare.h"
#include <string.h>
#include <libos/thread.h>
#include <libos/vm.h>

int main(int argc, char **argv);

enum { MOST_WRITERS = 32, WORDS = 32, NS_PER_US = 1000, MOST_TRANSACTIONS = 10000 };
enum { PER_BLOCK = DISK_BLOCK / (WORDS * 8), STACK = 16384 };

struct record {
	uint64_t word[WORDS];
};

static struct {
	struct thread_mutex lock;
	struct thread_cond written, full;
	struct record *record;
	uint64_t appended, durable, flushes;
	int flushing;
} journal;

static struct disk *volume;
static uint64_t transactions, think, window, most, seed, waited_ns;

static void fill(struct record *r, uint64_t writer, uint64_t number)
{
	r->word[0] = writer;
	r->word[1] = number;
	for (uint64_t w = 2; w < WORDS; w++)
		r->word[w] = experiment_word(seed, (writer << 32 | number) * WORDS + w);
}

/* The blocks of records [from, to), and a flush. */
static int write_out(uint64_t from, uint64_t to)
{
	const uint64_t end = (to + PER_BLOCK - 1) / PER_BLOCK;
	int error = 0;

	for (uint64_t b = from / PER_BLOCK; b < end && !error; b += DISK_MAX_BLOCKS) {
		const uint64_t n = end - b < DISK_MAX_BLOCKS ? end - b : DISK_MAX_BLOCKS;

		error = bare_transfer(volume, DISK_WRITE, b, (uint32_t)n,
				      journal.record + b * PER_BLOCK);
	}
	return error ? error : bare_transfer(volume, DISK_FLUSH, 0, 0, NULL);
}

/* For all that have come, MOST at most.  The lock is let go meanwhile. */
static int flush(void)
{
	const uint64_t until = time_now() + window * NS_PER_US, from = journal.durable;
	uint64_t to;
	int error = 0;

	while (window && journal.appended - from < most && error != -ETIMEDOUT)
		error = thread_cond_wait(&journal.full, &journal.lock, until);
	to = journal.appended - from < most ? journal.appended : from + most;
	thread_mutex_unlock(&journal.lock);
	error = write_out(from, to);
	thread_mutex_lock(&journal.lock);
	if (!error)
		journal.durable = to;
	journal.flushes++;
	return error;
}

/* Returns when the record is on the disk. */
static int commit(uint64_t writer, uint64_t number)
{
	const uint64_t begin = time_now();
	uint64_t mine;
	int error = 0;

	thread_mutex_lock(&journal.lock);
	fill(&journal.record[journal.appended++], writer, number);
	mine = journal.appended;
	if (mine - journal.durable >= most)
		thread_cond_signal(&journal.full);
	while (journal.durable < mine && !error) {
		if (journal.flushing) {
			(void)thread_cond_wait(&journal.written, &journal.lock, 0);
			continue;
		}
		journal.flushing = 1;
		error = flush();
		journal.flushing = 0;
		thread_cond_broadcast(&journal.written);
	}
	waited_ns += time_now() - begin;
	thread_mutex_unlock(&journal.lock);
	return error;
}

static void *write_some(void *arg)
{
	const uint64_t writer = (uint64_t)(uintptr_t)arg;
	uint64_t dice = experiment_word(seed, writer);

	for (uint64_t i = 0; i < transactions; i++) {
		if (think)
			thread_sleep_until(time_now() +
					   experiment_random(&dice) % think * NS_PER_US);
		need(commit(writer, i), "a commit");
	}
	return NULL;
}

static void run(uint32_t writers)
{
	const struct thread_attr attr = {.stack = STACK};
	struct thread *threads[MOST_WRITERS];

	for (uint32_t i = 0; i < writers; i++)
		need(thread_create(&threads[i], &attr, write_some, (void *)(uintptr_t)i),
		     "a thread");
	for (uint32_t i = 0; i < writers; i++)
		need(thread_join(threads[i], NULL), "the end of a thread");
}

/* Records on the disk that are not what was committed, or not in each writer's order. */
static uint64_t count_wrong(uint64_t records)
{
	uint64_t next[MOST_WRITERS] = {0}, wrong = 0;
	struct record *const block = bare_pages(1), right = {{0}};

	for (uint64_t i = 0; i < records; i++) {
		const struct record *const r = &block[i % PER_BLOCK];
		struct record expected = right;

		if (i % PER_BLOCK == 0)
			need(bare_transfer(volume, DISK_READ, i / PER_BLOCK, 1, block),
			     "reading the log");
		if (r->word[0] >= MOST_WRITERS || r->word[1] != next[r->word[0]]++) {
			wrong++;
			continue;
		}
		fill(&expected, r->word[0], r->word[1]);
		wrong += memcmp(&expected, r, sizeof(expected)) != 0;
	}
	return wrong;
}

static void report(const struct experiment_cost *cost, uint64_t records)
{
	metric("ticks", cost->ticks);
	metric("ticks_per_transaction", cost->ticks / records);
	metric("disk_commands", cost->commands);
	metric("disk_blocks_written", cost->written);
	metric("flushes", journal.flushes);
	bare_print("metric transactions_per_flush %u.%u\n", records / journal.flushes,
		   records * 10 / journal.flushes % 10);
	metric("wait_us", waited_ns / records / NS_PER_US);
}

static uint32_t read_arguments(int argc, char **argv)
{
	const char *const words = "commit WRITERS TRANSACTIONS THINK WINDOW MOST SEED";
	uint32_t writers;

	if (argc != 7)
		usage(words);
	writers = (uint32_t)argument("WRITERS", argv[1], 1, MOST_WRITERS);
	transactions = argument("TRANSACTIONS", argv[2], 1, MOST_TRANSACTIONS);
	think = argument("THINK", argv[3], 0, 1000000);
	window = argument("WINDOW", argv[4], 0, 1000000);
	most = argument("MOST", argv[5], 1, MOST_TRANSACTIONS);
	seed = argument("SEED", argv[6], 0, UINT32_MAX);
	return writers;
}

int main(int argc, char **argv)
{
	const uint32_t writers = read_arguments(argc, argv);
	const uint64_t records = writers * transactions, blocks = records / PER_BLOCK + 1;
	struct experiment_cost cost;
	uint64_t wrong;

	need(experiment_open("spare", &volume), "extent 'spare'");
	need(records ? 0 : -EINVAL, "transactions");
	need(blocks > disk_size(volume) ? -ENOSPC : 0, "so many transactions in extent 'spare'");
	journal.record = bare_pages((uint32_t)blocks);
	need(journal.record ? vm_populate((uint64_t)journal.record, blocks * VM_PAGE, VM_WRITE)
			    : -ENOMEM,
	     "memory for the log");
	cost = experiment_now();
	run(writers);
	cost = experiment_since(&cost);
	wrong = count_wrong(records);
	report(&cost, records);
	if (wrong)
		bare_print("commit: %u records are not on the disk as committed\n", wrong);
	return wrong != 0;
}
