/*
 * io.c - owns ios[], io_frames[], drives[] and each environment's queue; calls io_setup, io_submit.
 *
 * io_submit checks an entry once, pins its frames and queues it.  Capability, extent generation and
 * watermark are looked at again when the request reaches its idle channel, so a read may follow the
 * write it needs in one queue, and revoking reaches what is still queued.  A channel serves, of the
 * environments whose next request is for it, the one that has had the least drive time for its
 * shares (EXO_QUOTA_DISK): the time a request took is divided by them and added to its virtual
 * time. Who comes back starts no earlier than whoever was served last, so nobody saves up; who
 * comes waits for the request on the drive, and for those who have had less.  Invariant: pins, IO
 * quota and `flight` count exactly the records that are not FREE; an environment is in the round of
 * its first request's channel, or in none.  Called by programs' calls and by dev/.
 */
#include "cap.h"
#include "cpu.h"
#include "env.h"
#include "event.h"
#include "extent.h"
#include "info.h"
#include "io.h"
#include "machine.h"
#include "page.h"
#include "quota.h"
#include "syscall.h"
#include "trace.h"

enum {
	IO_REFUSALS = 4, /* most requests answered without the drive in one go */
	SUBMIT_BLOCKS = 1024,
	END_DROPS = 2,
};

struct exo_io ios[EXO_NIO] TABLE(ios);
uint32_t io_frames[EXO_NIO][EXO_IO_BLOCKS] TABLE(io_frames);
struct exo_drive drives[EXO_NDRIVE] TABLE(drives);

/* The capability slot that a request came by, and the extent generation that was in it. */
static uint16_t io_cap[EXO_NIO];
static uint32_t io_gen[EXO_NIO];

static uint64_t free_records[EXO_NIO / 64];

static TRACE_PUT void trace_put_io(enum exo_trace_kind kind, uint32_t io, uint32_t detail,
				   uint32_t blocks)
{
	trace_put(kind, ios[io].env, detail, (uint32_t)ios[io].drive << 16 | blocks, ios[io].block);
}

/* A step of request io, of which `blocks` are meant or done. */
static inline void trace_io(enum exo_trace_kind kind, uint32_t io, uint32_t detail, uint32_t blocks)
{
	if (tracing.records != 0)
		trace_put_io(kind, io, detail, blocks);
}

/* Each environment's side; the kernel is number 0. */
static struct {
	uint32_t sq_head, cq_tail; /* what the ring says is never read back */
	uint32_t flight;	   /* records in use */
	uint64_t time;		   /* virtual: ns of the drives, for EXO_DISK_SHARES shares */
	uint16_t next, prev;	   /* in the round: environment + 1 */
	uint16_t channel;	   /* whose round: channel + 1; 0: none */
} askers[EXO_NENV];

static struct {
	uint16_t active;      /* request + 1 */
	uint16_t first, last; /* the round: environment + 1 */
	uint64_t time;	      /* virtual time of whoever was served last */
	uint64_t since;	      /* when the active request began */
} channels[NCHANNEL];

void io_init(struct pfn page)
{
	for (uint32_t i = 0; i < EXO_NIO; i++)
		ios[i] = (struct exo_io){0};
	for (uint32_t w = 0; w < EXO_NIO / 64; w++)
		free_records[w] = ~0ull;
	free_records[0] &= ~(1ull << IO_KERNEL);
	for (uint32_t e = 0; e < info.envs; e++) {
		askers[e].flight = 0;
		askers[e].channel = 0;
		askers[e].time = 0;
		envs[e].io_head = envs[e].io_tail = 0;
	}
	for (uint32_t c = 0; c < NCHANNEL; c++) {
		channels[c].active = channels[c].first = channels[c].last = 0;
		channels[c].time = 0;
	}
	io_frames[IO_KERNEL][0] = page.n;
}

/* ---- queues and rounds ------------------------------------------------------------------- */

/* Is virtual time a before b?  They are never half of what 64 bits hold apart. */
static int earlier(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static void join(uint32_t e, uint32_t c)
{
	if (earlier(askers[e].time, channels[c].time))
		askers[e].time = channels[c].time;
	askers[e].channel = (uint16_t)(c + 1);
	askers[e].next = 0;
	askers[e].prev = channels[c].last;
	if (channels[c].last != 0)
		askers[channels[c].last - 1].next = (uint16_t)(e + 1);
	else
		channels[c].first = (uint16_t)(e + 1);
	channels[c].last = (uint16_t)(e + 1);
}

static void leave(uint32_t e)
{
	const uint32_t c = askers[e].channel - 1u;
	const uint16_t next = askers[e].next, prev = askers[e].prev;

	if (prev != 0)
		askers[prev - 1].next = next;
	else
		channels[c].first = next;
	if (next != 0)
		askers[next - 1].prev = prev;
	else
		channels[c].last = prev;
	askers[e].channel = 0;
}

static void enqueue(uint32_t io)
{
	const uint32_t e = ios[io].env;

	ios[io].state = EXO_IOS_QUEUED;
	ios[io].next = 0;
	if (envs[e].io_tail != 0) {
		ios[envs[e].io_tail - 1].next = (uint16_t)(io + 1);
	} else {
		envs[e].io_head = (uint16_t)(io + 1);
		join(e, drives[ios[io].drive].channel);
	}
	envs[e].io_tail = (uint16_t)(io + 1);
	trace_io(EXO_TRACE_IO_QUEUE, io, ios[io].op, ios[io].count);
}

/* Takes the first request of e out of its queue; e goes where its next one belongs. */
static uint32_t dequeue(uint32_t e)
{
	const uint32_t io = envs[e].io_head - 1u;
	const uint16_t next = ios[io].next;

	envs[e].io_head = next;
	if (next == 0) {
		envs[e].io_tail = 0;
		leave(e);
	} else if (drives[ios[next - 1].drive].channel + 1 != askers[e].channel) {
		leave(e);
		join(e, drives[ios[next - 1].drive].channel);
	}
	ios[io].next = 0;
	return io;
}

/*
 * Whose request channel c serves next; its round is not empty.  Who is in it has a request, so
 * there are fewer than EXO_NIO.
 */
static uint32_t next_asker(uint32_t c)
{
	uint32_t best = channels[c].first - 1u;

	for (uint32_t next = channels[c].first; next != 0; next = askers[next - 1].next) {
		if (earlier(askers[next - 1].time, askers[best].time))
			best = next - 1u;
	}
	channels[c].time = askers[best].time;
	return best;
}

/* e had a drive for `ns`.  The kernel, which works for all, counts as having all shares. */
static void charge(uint32_t e, uint64_t ns)
{
	const uint32_t own = quota_limit[e].n[EXO_QUOTA_DISK];
	const uint32_t shares = e == 0 ? EXO_DISK_SHARES : own == 0 ? 1 : own;

	askers[e].time += ns * EXO_DISK_SHARES / shares;
	envs[e].disk_time += ns;
}

/* ---- completion -------------------------------------------------------------------------- */

static void unpin(uint32_t io)
{
	if (ios[io].op != EXO_IO_READ && ios[io].op != EXO_IO_WRITE)
		return;
	for (uint32_t i = 0; i < ios[io].count; i++)
		page_unpin(io_frames[io][i]);
}

/* Puts a completion into e's ring; there is room, since entries are taken only while there is. */
static void complete(uint32_t e, uint64_t tag, enum exo_status status, uint32_t blocks)
{
	volatile struct exo_ring *ring;
	volatile struct exo_cqe *cqe;

	if (envs[e].state == EXO_ENV_ZOMBIE)
		return;
	ring = machine_ring((struct pfn){envs[e].io_ring});
	cqe = &ring->cq[askers[e].cq_tail % EXO_RING_CQ];
	cqe->tag = tag;
	cqe->status = status;
	cqe->count = blocks;
	ring->cq_tail = ++askers[e].cq_tail;
	event_raise(e, EXO_EV_IO);
}

void io_finish(uint32_t io, enum exo_status status, uint32_t blocks)
{
	const uint32_t e = ios[io].env;

	unpin(io);
	quota_release(e, EXO_QUOTA_IO, 1);
	askers[e].flight--;
	ios[io].state = EXO_IOS_FREE;
	free_records[io / 64] |= 1ull << io % 64;
	complete(e, ios[io].tag, status, blocks);
}

/* Rights to an extent of which an operation needs one. */
static uint32_t enough(uint8_t op)
{
	if (op == EXO_IO_READ)
		return EXO_RIGHT_READ;
	return op == EXO_IO_FLUSH ? EXO_RIGHT_READ | EXO_RIGHT_WRITE : EXO_RIGHT_WRITE;
}

/* Is there a capability where request io came from that covers it, as the one then did? */
static int still_held(uint32_t io)
{
	const struct exo_io *const r = &ios[io];
	const struct exo_cap *const c = &caps[r->env].c[io_cap[io]];

	return c->kind == EXO_CAP_EXTENT && c->object == r->extent && c->gen == io_gen[io] &&
	       (c->rights & enough(r->op)) != 0 && r->block >= c->start &&
	       r->block + r->count <= c->start + c->len;
}

/* OK when request io may go to its drive now. */
static enum exo_status admit(uint32_t io)
{
	const struct exo_io *r = &ios[io];

	if (io == IO_KERNEL)
		return EXO_OK;
	if (envs[r->env].state == EXO_ENV_ZOMBIE)
		return EXO_STATE;
	if (r->op != EXO_IO_FLUSH && !still_held(io))
		return EXO_STALE;
	return extent_admit(r->extent, io_gen[io], r->op, r->block, r->count);
}

/* Request io, out of its queue, goes to its channel, to the extent table, or back to its asker. */
static void start(uint32_t io, uint32_t c)
{
	const enum exo_status status = admit(io);

	if (status != EXO_OK) {
		io_finish(io, status, 0);
		return;
	}
	ios[io].state = EXO_IOS_ACTIVE;
	if (io != IO_KERNEL && ios[io].op == EXO_IO_FLUSH && extent_takes_flush(ios[io].extent, io))
		return;
	channels[c].active = (uint16_t)(io + 1);
	channels[c].since = machine_now();
	trace_io(EXO_TRACE_IO_START, io, ios[io].op, ios[io].count);
	machine_disk_start(io);
}

/* Gives channel c its next request if it is idle. */
static void serve(uint32_t c)
{
	for (uint32_t n = 0; n < IO_REFUSALS && channels[c].active == 0 && channels[c].first != 0;
	     n++)
		start(dequeue(next_asker(c)), c);
}

void io_tick(void)
{
	for (uint32_t c = 0; c < NCHANNEL; c++)
		serve(c);
}

static void account(uint32_t io, enum exo_status status, uint32_t blocks)
{
	struct exo_drive *d = &drives[ios[io].drive];

	d->commands++;
	if (status != EXO_OK)
		d->errors++;
	if (ios[io].op == EXO_IO_READ)
		d->blocks_read += blocks;
	else if (ios[io].op != EXO_IO_FLUSH)
		d->blocks_written += blocks;
}

void io_done(uint32_t io, enum exo_status status, uint32_t blocks)
{
	const uint32_t c = drives[ios[io].drive].channel, x = ios[io].extent;

	account(io, status, blocks);
	trace_io(EXO_TRACE_IO_DONE, io, status, blocks);
	charge(ios[io].env, machine_now() - channels[c].since);
	channels[c].active = 0;
	if (io == IO_KERNEL) {
		ios[io].state = EXO_IOS_FREE;
		extent_step(status);
	} else {
		if (status == EXO_OK && (ios[io].op == EXO_IO_WRITE || ios[io].op == EXO_IO_CLEAR))
			extent_written(x, ios[io].block, ios[io].count);
		io_finish(io, status, blocks);
		extent_drained(x);
	}
	serve(c);
}

void io_kernel_start(enum exo_io_op op, uint32_t drive, uint64_t block)
{
	ios[IO_KERNEL] = (struct exo_io){.op = (uint8_t)op,
					 .drive = (uint8_t)drive,
					 .count = op != EXO_IO_FLUSH,
					 .block = block};
	enqueue(IO_KERNEL);
}

int io_active_on(uint32_t x)
{
	for (uint32_t c = 0; c < NCHANNEL; c++) {
		const uint32_t active = channels[c].active;

		if (active > IO_KERNEL + 1 && ios[active - 1].extent == x)
			return 1;
	}
	return 0;
}

/* ---- submission -------------------------------------------------------------------------- */

/* Is the run of blocks inside what the capability covers? */
static int inside(const struct exo_cap *cap, uint64_t block, uint64_t count)
{
	return block >= cap->start && count <= cap->len && block - cap->start <= cap->len - count;
}

static enum exo_status check_form(const struct exo_sqe *s)
{
	const int memory = s->op == EXO_IO_READ || s->op == EXO_IO_WRITE;

	if (s->op < EXO_IO_READ || s->op > EXO_IO_CLEAR || s->reserved0 != 0 || s->reserved1 != 0)
		return EXO_ARG;
	if (s->op == EXO_IO_FLUSH)
		return s->count == 0 ? EXO_OK : EXO_ARG;
	if (s->count == 0 || s->count > EXO_IO_BLOCKS)
		return EXO_ARG;
	if (memory && (s->list > EXO_RING_LIST || s->count > EXO_RING_LIST - s->list))
		return EXO_ARG;
	return EXO_OK;
}

static enum exo_status check_extent(uint32_t e, const struct exo_sqe *s, struct exo_cap *cap)
{
	const enum exo_status status = cap_find(e, s->cap, EXO_CAP_EXTENT, 0, cap);

	if (status != EXO_OK)
		return status;
	if ((cap->rights & enough(s->op)) == 0)
		return EXO_PERM;
	if (s->op != EXO_IO_FLUSH && !inside(cap, s->block, s->count))
		return EXO_RANGE;
	return EXO_OK;
}

/* Copies the frame numbers into the free record io and checks the right to them, run by run. */
static enum exo_status check_frames(uint32_t e, const struct exo_sqe *s,
				    const volatile uint32_t *list, uint32_t io)
{
	uint32_t *const frames = io_frames[io];
	const uint32_t count = s->count;
	uint32_t first = 0;

	frames[0] = list[0];
	for (uint32_t i = 1; i <= count; i++) {
		enum exo_status status;

		if (i < count)
			frames[i] = list[i];
		if (i < count && frames[i] == frames[i - 1] + 1)
			continue;
		status = page_covered(e, s->pages, frames[first], i - first, s->op == EXO_IO_READ);
		if (status != EXO_OK)
			return status;
		first = i;
	}
	return EXO_OK;
}

static void submit(uint32_t e, const struct exo_sqe *s, const struct exo_cap *cap, uint32_t io)
{
	ios[io] = (struct exo_io){.op = s->op,
				  .drive = extents[cap->object].drive,
				  .env = (uint16_t)e,
				  .extent = cap->object,
				  .count = s->count,
				  .block = s->block,
				  .tag = s->tag};
	io_cap[io] = s->cap;
	io_gen[io] = (uint32_t)cap->gen;
	if (s->op == EXO_IO_READ || s->op == EXO_IO_WRITE) {
		const uint32_t count = s->count;

		for (uint32_t i = 0; i < count; i++)
			page_pin(io_frames[io][i]);
	}
	free_records[io / 64] &= ~(1ull << io % 64);
	quota_charge(e, EXO_QUOTA_IO, 1);
	askers[e].flight++;
	enqueue(io);
	serve(drives[ios[io].drive].channel);
}

/* A free record; IO_KERNEL where there is none. */
static uint32_t find_record(void)
{
	for (uint32_t w = 0; w < EXO_NIO / 64; w++) {
		if (free_records[w] != 0)
			return w * 64 + (uint32_t)__builtin_ctzll(free_records[w]);
	}
	return IO_KERNEL;
}

/*@ requires e < EXO_NENV;
    assigns \nothing; */
uint32_t io_completions(uint32_t e)
{
	if (envs[e].io_ring == 0)
		return 0;
	return askers[e].cq_tail - machine_ring((struct pfn){envs[e].io_ring})->cq_head;
}

/* Takes the entry at sq_head: AGAIN when it must stay, else how it was answered. */
static enum exo_status take_entry(uint32_t e, volatile struct exo_ring *ring, uint32_t *blocks)
{
	const uint32_t io = find_record();
	const uint32_t waiting = askers[e].cq_tail - ring->cq_head;
	struct exo_sqe s;
	struct exo_cap cap;
	enum exo_status status;

	if (waiting >= EXO_RING_CQ || askers[e].flight >= EXO_RING_CQ - waiting ||
	    io == IO_KERNEL || quota_room(e, EXO_QUOTA_IO, 1) != EXO_OK)
		return EXO_AGAIN;
	s = ring->sq[askers[e].sq_head % EXO_RING_SQ];
	ring->sq_head = ++askers[e].sq_head;
	status = check_form(&s);
	if (status == EXO_OK)
		status = check_extent(e, &s, &cap);
	if (status == EXO_OK && (s.op == EXO_IO_READ || s.op == EXO_IO_WRITE))
		status = check_frames(e, &s, &ring->list[s.list], io);
	if (status != EXO_OK) {
		complete(e, s.tag, status, 0);
		return status;
	}
	submit(e, &s, &cap, io);
	*blocks += s.count;
	return EXO_OK;
}

struct exo_result sys_io_submit(void)
{
	const uint32_t e = cpu_self();
	volatile struct exo_ring *ring;
	uint32_t entries, taken = 0, blocks = 0;

	if (envs[e].io_ring == 0)
		return refuse(EXO_STATE);
	ring = machine_ring((struct pfn){envs[e].io_ring});
	entries = ring->sq_tail - askers[e].sq_head;
	if (entries > EXO_RING_SQ)
		entries = EXO_RING_SQ;
	while (taken < entries && blocks + EXO_IO_BLOCKS <= SUBMIT_BLOCKS) {
		const enum exo_status status = take_entry(e, ring, &blocks);

		if (status == EXO_AGAIN)
			break;
		taken++;
		if (status != EXO_OK)
			break;
	}
	return answer(taken == 0 && entries != 0 ? EXO_AGAIN : EXO_OK, taken);
}

/* ---- rings ------------------------------------------------------------------------------- */

static void drop_ring(uint32_t e)
{
	if (envs[e].io_ring != 0)
		page_unpin(envs[e].io_ring);
	envs[e].io_ring = 0;
}

struct exo_result sys_io_setup(uint64_t frame)
{
	const uint32_t e = cpu_self();
	volatile struct exo_ring *ring;

	if (frame >= info.frames)
		return refuse(EXO_RANGE);
	if (askers[e].flight != 0)
		return refuse(EXO_BUSY);
	if (frame == 0) {
		drop_ring(e);
		return answer(EXO_OK, 0);
	}
	if (pages[frame].owner != e)
		return refuse(EXO_PERM);
	if (pages[frame].state != EXO_PAGE_DATA)
		return refuse(EXO_TYPE);

	page_pin((uint32_t)frame);
	drop_ring(e);
	envs[e].io_ring = (uint32_t)frame;
	askers[e].sq_head = askers[e].cq_tail = 0;
	ring = machine_ring((struct pfn){(uint32_t)frame});
	ring->sq_head = 0;
	ring->cq_tail = 0;
	return answer(EXO_OK, 0);
}

int io_busy(uint32_t e)
{
	return envs[e].io_ring != 0 || askers[e].flight != 0;
}

enum exo_status io_env_end(uint32_t e)
{
	for (uint32_t i = 0; i < END_DROPS && envs[e].io_head != 0; i++)
		io_finish(dequeue(e), EXO_STATE, 0);
	if (askers[e].flight != 0)
		return EXO_BUSY;
	drop_ring(e);
	askers[e].time = 0;
	return EXO_OK;
}
