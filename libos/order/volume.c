/*
 * volume.c - volumes, and the ring by which requests go to the kernel.
 *
 * Owns the ring page of this program, made at the first command (a forked child makes its own), and
 * the table of volumes.  A command whose pages need different rights, ours and the POSIX segment's,
 * becomes several entries; `state` counts those that are under way, and one more while there are
 * others to come.  Invariant: no entry stays untaken when volume_send returns, so the list in the
 * ring is free.  No lock: a thread that waits with an entry half made waits alone (wait_alone).
 * Called by queue.c, and by whoever opens a volume.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/disk_open.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>
#include <libos/wait.h>
#include "order.h"

struct disk {
	uint32_t cap, extent;
	uint64_t start, blocks; /* on the drive */
	uint64_t reserved;
};

static struct disk disks[DISK_VOLUMES];
static uint32_t opened;

static uint64_t ring_of; /* eid of who set the ring up: not ours in a forked child */
static uint32_t under_way;

static volatile struct exo_ring *ring(void)
{
	return (volatile struct exo_ring *)LAYOUT_RING;
}

int disk_open(uint32_t cap, uint32_t extent, struct disk **out)
{
	const volatile struct exo_cap *c = &tables_caps(start_self() & 0xffff)->c[cap];

	if (cap >= EXO_NCAP || c->kind != EXO_CAP_EXTENT || c->object != extent)
		return -EBADF;
	if (opened == DISK_VOLUMES)
		return -EMFILE;
	disks[opened] = (struct disk){cap, extent, c->start, c->len, 0};
	*out = &disks[opened++];
	return 0;
}

uint64_t disk_size(struct disk *d)
{
	return d->blocks;
}

static int ring_setup(void)
{
	uint32_t frame;
	int err;

	if (ring_of == start_self())
		return 0;
	err = frame_take(LAYOUT_CAP_SELF, EXO_PAGE_DATA, &frame);
	if (err)
		return err;
	err = vm_map(LAYOUT_RING, frame, 1, VM_READ | VM_WRITE, LAYOUT_CAP_SELF);
	if (!err)
		err = call_result(call_io_setup(frame));
	if (err) {
		(void)vm_unmap(LAYOUT_RING, 1);
		(void)frames_free(LAYOUT_CAP_SELF, frame, 1);
		return err;
	}
	ring_of = start_self();
	under_way = 0;
	queue_reset();
	return 0;
}

static int io_errno(uint32_t status)
{
	return status == EXO_OK ? 0 : call_errno(status);
}

/* One part of `req` is over. */
static void less(struct disk_req *req)
{
	if (--req->state == 0)
		queue_done();
}

/* Takes the completions that are there; returns how many. */
static uint32_t poll(void)
{
	volatile struct exo_ring *r = ring();
	uint32_t head = r->cq_head, n = 0;

	while (head != __atomic_load_n(&r->cq_tail, __ATOMIC_ACQUIRE)) {
		const volatile struct exo_cqe *c = &r->cq[head % EXO_RING_CQ];
		struct disk_req *req = (struct disk_req *)(uintptr_t)c->tag;
		const int err = io_errno(c->status);

		if (err && !req->status)
			req->status = err;
		less(req);
		under_way--;
		__atomic_store_n(&r->cq_head, ++head, __ATOMIC_RELEASE);
		n++;
	}
	return n;
}

int volume_wait(void)
{
	if (poll())
		return 0;
	wait_events(EXO_EV_IO, 0);
	return 1;
}

/* For some request to be over, before an entry that others must not find half made can be sent. */
static void wait_midway(void)
{
	wait_alone++;
	(void)volume_wait();
	wait_alone--;
}

/* The entry at the tail goes to the kernel, who may first want others to be done. */
static void push(struct disk_req *req)
{
	volatile struct exo_ring *r = ring();

	req->state++;
	under_way++;
	__atomic_store_n(&r->sq_tail, r->sq_tail + 1, __ATOMIC_RELEASE);
	while (r->sq_head != r->sq_tail)
		if (call_io_submit().status == EXO_AGAIN)
			wait_midway();
}

static volatile struct exo_sqe *next_entry(const struct disk *d, struct disk_req *req)
{
	volatile struct exo_ring *r = ring();
	volatile struct exo_sqe *s;

	while (under_way >= EXO_RING_CQ)
		wait_midway();
	s = &r->sq[r->sq_tail % EXO_RING_SQ];
	s->op = (uint8_t)(req->op == DISK_READ	  ? EXO_IO_READ
			  : req->op == DISK_WRITE ? EXO_IO_WRITE
						  : EXO_IO_FLUSH);
	s->reserved0 = 0;
	s->reserved1 = 0;
	s->cap = (uint16_t)d->cap;
	s->pages = 0;
	s->count = 0;
	s->block = d->start;
	s->list = 0;
	s->tag = (uint64_t)(uintptr_t)req;
	return s;
}

/* As many pages from the i-th on as one right covers; how many, or a negative errno. */
static int submit_piece(const struct disk *d, struct disk_req *req, uint32_t i)
{
	const unsigned perm = VM_READ | (req->op == DISK_READ ? VM_WRITE : 0u);
	volatile struct exo_sqe *s = next_entry(d, req);
	uint32_t cap;
	const int n = vm_frames(req->pages + i, req->nblocks - i, perm, ring()->list, &cap);

	if (n < 0)
		return n;
	s->pages = (uint16_t)cap;
	s->count = (uint16_t)n;
	s->block = d->start + req->block + i;
	push(req);
	return n;
}

static int check_access(const struct disk *d, const struct disk_req *r)
{
	const uint64_t rights = tables_caps(start_self() & 0xffff)->c[d->cap].rights;

	return rights & (r->op == DISK_READ ? EXO_RIGHT_READ : EXO_RIGHT_WRITE) ? 0 : -EACCES;
}

int volume_check(const struct disk *d, struct disk_req *r)
{
	uint64_t all = 0; /* bits of all addresses */
	int error;

	if (r->op == DISK_FLUSH)
		return r->nblocks ? -EINVAL : ring_setup();
	if ((r->op != DISK_READ && r->op != DISK_WRITE) || r->nblocks == 0 ||
	    r->nblocks > DISK_MAX_BLOCKS)
		return -EINVAL;
	if (r->block >= d->blocks || r->nblocks > d->blocks - r->block)
		return -ERANGE;
	for (uint32_t i = 0; i < r->nblocks; i++)
		all |= (uint64_t)(uintptr_t)r->pages[i];
	if (all % DISK_BLOCK)
		return -EINVAL;
	error = check_access(d, r);
	r->at = d->start + r->block;
	return error ? error : ring_setup();
}

void volume_send(struct disk_req *r)
{
	int n = 0;

	r->state = 1;
	if (r->op == DISK_FLUSH) {
		(void)next_entry(r->disk, r);
		push(r);
	}
	for (uint32_t i = 0; i < r->nblocks && n >= 0; i += (uint32_t)n)
		n = submit_piece(r->disk, r, i);
	if (n < 0)
		r->status = n;
	less(r);
}
