/*
 * swapthreads - threads whose memory swaps, and that wait for files meanwhile.
 *
 * Each has as much memory as the program's quota, writes it and looks at it again and again, beside
 * siblings that do so, one that writes a file and reads it back, one that maps, protects and
 * unmaps, and one that counts in its pages: pages of one go and come while others wait for the
 * disk.  Some accesses are made where no sibling may come between (upcalls deferred).  Then one
 * computes while another waits for pages: it gets on.  Prints `ok` and `FAIL` lines.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <libos/disk.h>
#include <libos/start.h>
#include <libos/swap.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

enum {
	THREADS = 3,
	ROUNDS = 3,
	WORDS = VM_PAGE / sizeof(uint64_t),
	BLOCKS = 64,
	MAPPED = 32,
	ALONE = 5, /* every so many accesses */
	TOUCHES = 4000,
	SLEEPS = 50
};

static size_t pages;
static volatile uint64_t inside; /* who accesses memory alone now */
static volatile int using;	 /* threads that use memory still */
static volatile int stop;
static volatile uint64_t laps;

static RESIDENT uint64_t hand;

/* The worst policy there is: pages go in the order of their addresses, whoever uses them just now.
 */
void swap_victims(void)
{
	for (int round = 0; round < 2; round++) {
		uint64_t va;

		while ((va = swap_next(hand))) {
			hand = va + 1;
			if (!swap_choose(va))
				return;
		}
		hand = 0;
	}
}

/* 1: a sibling ran. */
static int write_alone(uint64_t *at, uint64_t word)
{
	int broken;

	upcall_defer();
	inside = word;
	*at = word;
	broken = inside != word;
	inside = 0;
	upcall_undefer();
	return broken;
}

/* How many words were not as they were written. */
static void *uses_memory(void *arg)
{
	const uint64_t me = (uint64_t)(uintptr_t)arg;
	uint64_t *const p = malloc(pages * VM_PAGE), bad = 0;

	for (uint64_t round = 1; round <= ROUNDS && p; round++) {
		for (size_t i = 0; i < pages; i++) {
			const uint64_t word = me << 48 | round << 32 | i;

			if (i % ALONE)
				p[i * WORDS] = word;
			else
				bad += write_alone(&p[i * WORDS], word);
		}
		for (size_t i = 0; i < pages; i++)
			bad += p[i * WORDS] != (me << 48 | round << 32 | i);
	}
	free(p);
	using --;
	return (void *)(uintptr_t)(p ? bad : 1);
}

/* Writes to its pages without end, so also while they are being written to the disk. */
static void *counts(void *arg)
{
	uint64_t *const p = calloc(MAPPED, VM_PAGE), bad = p == NULL;

	(void)arg;
	for (uint64_t n = 0; using && p; n++)
		for (size_t i = 0; i < MAPPED; i++)
			bad += p[i * WORDS]++ != n;
	free(p);
	return (void *)(uintptr_t)bad;
}

/* Changed while it may be going, then out of reach and back: what counts was written last. */
static uint64_t map_round(uint64_t round)
{
	const size_t size = MAPPED * VM_PAGE;
	uint64_t *const p =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t bad = 0;

	if (p == MAP_FAILED)
		return 1;
	for (int times = 0; times < ROUNDS; times++) {
		for (size_t i = 0; i < MAPPED; i++)
			p[i * WORDS] = round + times + i;
		bad += mprotect(p, size, PROT_NONE) != 0;
		bad += mprotect(p, size, PROT_READ | PROT_WRITE) != 0;
		for (size_t i = 0; i < MAPPED; i++)
			bad += p[i * WORDS] != round + times + i;
	}
	return bad + (munmap(p, size) != 0);
}

static void *uses_maps(void *arg)
{
	uint64_t bad = 0;

	(void)arg;
	for (uint64_t round = 0; using; round++)
		bad += map_round(round);
	return (void *)(uintptr_t)bad;
}

/* Most of the time the file system waits for the disk. */
static void *uses_file(void *arg)
{
	static char block[VM_PAGE], back[VM_PAGE];
	uint64_t bad = 0;
	int fd;

	(void)arg;
	fd = open("/threaded", O_CREAT | O_RDWR | O_TRUNC, 0600);
	for (unsigned round = 0; using; round++) {
		const off_t at = (off_t)(round % BLOCKS) * VM_PAGE;

		memset(block, (int)round, sizeof(block));
		bad += pwrite(fd, block, sizeof(block), at) != VM_PAGE || fsync(fd) != 0;
		bad += pread(fd, back, sizeof(back), at) != VM_PAGE ||
		       memcmp(block, back, sizeof(block)) != 0;
	}
	(void)close(fd);
	(void)unlink("/threaded");
	return (void *)(uintptr_t)bad;
}

/* All at once, and whether each has what it wrote. */
static int use_all(void)
{
	void *(*const others[])(void *) = {uses_file, uses_maps, counts};
	enum { OTHERS = sizeof(others) / sizeof(others[0]), ALL = THREADS + OTHERS };
	pthread_t t[ALL];
	int made = 0, right = 0;
	void *bad;

	using = THREADS;
	for (long i = 0; i < ALL; i++)
		made += pthread_create(&t[i], NULL, i < THREADS ? uses_memory : others[i - THREADS],
				       (void *)(i + 1)) == 0;
	for (int i = 0; i < ALL && made == ALL; i++)
		right += pthread_join(t[i], &bad) == 0 && bad == NULL;
	return right == ALL;
}

/* ---- who computes gets on ------------------------------------------------------------------- */

static void *computes(void *arg)
{
	(void)arg;
	while (!stop)
		laps++;
	return NULL;
}

static void touch(const uint64_t *p, int fd)
{
	if (fd < 0)
		(void)*(const volatile uint64_t *)p;
	else if (pwrite(fd, p, VM_PAGE, 0) != VM_PAGE)
		stop = 1;
}

static uint64_t sleeps_so_far(void)
{
	struct disk_stats s;

	disk_get_stats(&s);
	return s.sleeps;
}

struct seen {
	int sleeps, got_on;
};

/*
 * Accesses to pages that are out, by the program or, with fd, by the file system: in how many it
 * had to sleep, and in how many of those a sibling got on.  A drive may answer at once always.
 */
static struct seen look(const uint64_t *p, int fd)
{
	struct seen seen = {0, 0};

	for (size_t i = 0; i < TOUCHES && seen.sleeps < SLEEPS && !stop; i++) {
		const uint64_t sleeps = sleeps_so_far(), lap = laps;

		touch(&p[i % (2 * pages) * WORDS], fd);
		if (sleeps_so_far() == sleeps)
			continue;
		seen.sleeps++;
		seen.got_on += laps != lap;
	}
	return seen;
}

/* When the whole program sleeps it is one in a hundred, by chance. */
static int enough(struct seen s)
{
	return s.got_on * 2 >= s.sleeps;
}

static void none_waits(void)
{
	uint64_t *const p = malloc(2 * pages * VM_PAGE);
	const int fd = open("/threaded", O_CREAT | O_RDWR | O_TRUNC, 0600);
	struct seen direct, call;
	pthread_t t;

	for (size_t i = 0; p && i < 2 * pages; i++)
		p[i * WORDS] = i;
	if (!p || fd < 0 || pthread_create(&t, NULL, computes, NULL)) {
		puts("FAIL swapthreads: cannot begin");
		return;
	}
	direct = look(p, -1);
	call = look(p, fd);
	stop++;
	(void)pthread_join(t, NULL);
	(void)close(fd);
	(void)unlink("/threaded");
	free(p);
	printf("%s swapthreads: one waits for a page, others get on: in %d of %d and %d of %d\n",
	       stop == 1 && enough(direct) && enough(call) ? "ok" : "FAIL", direct.got_on,
	       direct.sleeps, call.got_on, call.sleeps);
}

int main(void)
{
	struct vm_stats s;
	int right;

	pages = tables_quota_limit(start_self() & 0xffff)->n[EXO_QUOTA_PAGES];
	right = use_all();
	vm_get_stats(&s);
	printf("swapthreads: %u pages in, %u out\n", (unsigned)s.paged_in, (unsigned)s.paged_out);
	printf("%s swapthreads: each has what it wrote\n", right ? "ok" : "FAIL");
	printf("%s swapthreads: swapped\n",
	       s.paged_in > pages && s.paged_out > pages ? "ok" : "FAIL");
	none_waits();
	return 0;
}
