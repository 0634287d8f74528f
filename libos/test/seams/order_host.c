/*
 * order_host.c - runs the suite of the disk's order (apps/tests/order) on this machine, and looks
 * at the very order in which requests are sent: volume.c is replaced by a drive in memory that
 * serves what it was sent when somebody waits, one request at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libos/time.h>
#include <libos/vm.h>
#include "../../../apps/tests/order/suite.h"
#include "../../order/order.h"

enum { BLOCKS = 1000, LOG = 4096, MS = 1000000 };

struct disk {
	char *data;
};

static struct disk drive;
static struct disk_req *with_kernel[64]; /* a ring */
static uint32_t taken, put;
static uint64_t sent[LOG], clock_ns;
static uint32_t nsent;

uint64_t time_now(void)
{
	return clock_ns;
}

uint64_t disk_size(struct disk *d)
{
	(void)d;
	return BLOCKS;
}

int volume_check(const struct disk *d, struct disk_req *r)
{
	(void)d;
	if (r->op == DISK_FLUSH)
		return 0;
	if (r->nblocks == 0 || r->nblocks > DISK_MAX_BLOCKS)
		return -EINVAL;
	if (r->block >= BLOCKS || r->nblocks > BLOCKS - r->block)
		return -ERANGE;
	r->at = r->block;
	return 0;
}

/* This machine's memory stays where it is. */
int vm_disk_enter(const struct disk_req *r)
{
	(void)r;
	return 0;
}

void vm_disk_leave(const struct disk_req *r)
{
	(void)r;
}

void volume_send(struct disk_req *r)
{
	r->state = 1;
	with_kernel[put++ % 64] = r;
	if (r->op != DISK_FLUSH)
		sent[nsent++ % LOG] = r->at;
}

int volume_wait(void)
{
	if (taken == put)
		abort(); /* it would sleep for ever */
	struct disk_req *r = with_kernel[taken++ % 64];

	for (uint32_t i = 0; i < r->nblocks; i++) {
		char *at = drive.data + (r->block + i) * DISK_BLOCK;

		if (r->op == DISK_READ)
			memcpy(r->pages[i], at, DISK_BLOCK);
		else
			memcpy(at, r->pages[i], DISK_BLOCK);
	}
	r->state = 0;
	queue_done();
	return 0;
}

static void say(const char *name, const char *why, int line)
{
	if (why != NULL)
		printf("FAIL order/%s %s: %s:%d\n", order_name, name, why, line);
	else
		printf("ok order/%s %s\n", order_name, name);
}

/* ---- the very order ---- */

static char *pages;
static struct disk_req reqs[32];
static void *one_page[32];

static void submit(uint32_t i, enum disk_op op, uint64_t block)
{
	one_page[i] = pages + (size_t)i * DISK_BLOCK;
	reqs[i] = (struct disk_req){.op = op, .nblocks = 1, .block = block, .pages = &one_page[i]};
	if (disk_submit(&drive, &reqs[i]) != 0)
		abort();
}

static void finish(uint32_t i)
{
	if (disk_wait(&drive, &reqs[i]) != 0)
		abort();
}

static void settle(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		finish(i);
}

/* The first two go at once; of the others, what a sweep makes of them. An order that is not named
 * may do what it likes. */
static int check_sequence(void)
{
	static const uint64_t given[] = {500, 100, 700, 300, 600, 50, 900, 40},
			      swept[] = {500, 100, 300, 600, 700, 900, 40, 50};
	const int sweeps = !strcmp(order_name, "cscan") || !strcmp(order_name, "deadline");
	const uint64_t *want = sweeps				 ? swept
			       : strcmp(order_name, "fifo") == 0 ? given
								 : &sent[nsent];
	const uint32_t first = nsent;

	for (uint32_t i = 0; i < 8; i++)
		submit(i, DISK_READ, given[i]);
	settle(8);
	return memcmp(&sent[first], want, sizeof(given)) != 0;
}

/*
 * A request behind the arm, while a stream of others goes on before it, two at a time and 10 ms
 * each: how many are sent before it is.
 */
static uint32_t passed_over(enum disk_op op)
{
	const uint32_t first = nsent;
	uint64_t next = 200;
	uint32_t i;

	for (i = 0; i < 4; i++)
		submit(i, DISK_READ, next++);
	submit(31, op, 10);
	while (reqs[31].state != 0 && nsent - first < 1000) {
		finish(i % 4);
		clock_ns += 10 * MS;
		submit(i++ % 4, DISK_READ, next);
		next = next + 1 < BLOCKS ? next + 1 : 200;
	}
	settle(4);
	finish(31);
	for (i = first; sent[i] != 10; i++)
		;
	return i - first;
}

/* By when it must have been sent; an order that is not named: some time. */
static int check_starvation(void)
{
	const int fifo = !strcmp(order_name, "fifo"), late = !strcmp(order_name, "deadline");
	const uint32_t read_most = fifo	  ? 4
				   : late ? 500 / 10 + 6
					  : 900,
		       write_most = fifo   ? 4
				    : late ? 5000 / 10 + 6
					   : 900;
	const uint32_t read = passed_over(DISK_READ), write = passed_over(DISK_WRITE);

	if (read > read_most || write > write_most)
		printf("order/%s: passed over %u and %u times\n", order_name, read, write);
	return read > read_most || write > write_most;
}

int main(void)
{
	struct suite s = {.disk = &drive, .say = say};
	int failed;

	drive.data = calloc(BLOCKS, DISK_BLOCK);
	s.pages = pages = aligned_alloc(DISK_BLOCK, (size_t)SUITE_PAGES * DISK_BLOCK);
	failed = check_sequence();
	say("sequence", failed ? "another order than it should be" : NULL, __LINE__);
	failed |= suite_run(&s, order_name);
	nsent = 0;
	if (check_starvation()) {
		say("starvation", "a request was passed over too often", __LINE__);
		failed = 1;
	} else {
		say("starvation", NULL, 0);
	}
	free(drive.data);
	free(pages);
	return failed != 0;
}
