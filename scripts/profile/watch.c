/*
 * watch.c - owns, for each page frame that is watched, the latest functions that stored into it.
 *
 * Which block a frame goes to, the kernel's table of disk requests tells: a store to the record of
 * one makes it looked at after the instruction.  For a block every frame is watched, since nobody
 * knows which will be written to it; of each the latest few are kept.  Called by bochs.c, by
 * one thread.
 */
#include "watch.h"
#include "bochs.h"
#include "control.h"
#include "guest.h"
#include "stack.h"

enum { FEW = 12, MANY = 512, MAX_FRAMES = 1 << 20, NONE = -1 };

struct writer {
	const struct node *node;
	uint64_t pc, tick; /* of the first store */
	uint64_t stores;
	uint32_t env;
};

struct frame {
	size_t count;		 /* all that there were; the latest are kept, in a circle */
	struct writer writers[]; /* `room` of them */
};

static struct frame *frames[MAX_FRAMES]; /* null: nothing stored there yet */
static size_t room;
static uint64_t watched_frame;	/* UINT64_MAX: all, for a block */
static uint64_t drive, block;	/* UINT64_MAX: no block */
static uint64_t ios, io_frames; /* where the kernel has its requests */
static struct {
	const struct node *asked; /* where it was submitted */
	bool active;
} requests[EXO_NIO];
static int touched = NONE; /* the request whose record the instruction at hand stores to */
static uint64_t pc;	   /* of that instruction */

bool watch_start(void)
{
	const char *wanted = control_option("block");

	watched_frame = control_number("page", UINT64_MAX);
	room = watched_frame == UINT64_MAX ? FEW : MANY;
	drive = block = UINT64_MAX;
	if (wanted != NULL && sscanf(wanted, "%lu %lu", &drive, &block) != 2)
		image_refuse(": is no drive and block", wanted);
	ios = image_symbol(image_kernel(), "ios");
	io_frames = image_symbol(image_kernel(), "io_frames");
	return wanted != NULL || watched_frame != UINT64_MAX;
}

/* ---- who writes -------------------------------------------------------------------------- */

static void note_writer(struct frame *f)
{
	const size_t kept = f->count < room ? f->count : room;

	for (size_t i = 0; i < kept; i++)
		if (f->writers[i].env == stack_env() &&
		    f->writers[i].node->function == stack_node()->function) {
			f->writers[i].stores++;
			return;
		}
	f->writers[f->count++ % room] =
		(struct writer){stack_node(), pc, bochs_ticks(), 1, stack_env()};
}

static void note_store(uint64_t physical)
{
	const uint64_t n = physical / GUEST_PAGE;

	if (n >= MAX_FRAMES || (watched_frame != UINT64_MAX && n != watched_frame))
		return;
	if (frames[n] == NULL)
		frames[n] =
			image_memory(1, sizeof(*frames[n]) + room * sizeof(frames[n]->writers[0]));
	note_writer(frames[n]);
}

static void print_writers(uint64_t n)
{
	struct frame *f = n < MAX_FRAMES ? frames[n] : NULL;

	if (f == NULL)
		return;
	if (f->count > room)
		fprintf(control_out(), "forgotten %zu\n", f->count - room);
	for (size_t i = f->count > room ? f->count - room : 0; i < f->count; i++) {
		const struct writer *w = &f->writers[i % room];

		fprintf(control_out(), "writer %lu %u %lx %lu ", w->tick, w->env, w->pc, w->stores);
		tree_write_chain(control_out(), w->node);
		fputc('\n', control_out());
	}
	f->count = 0;
}

/* ---- what drives transfer ---------------------------------------------------------------- */

static void transfer(int i, const struct exo_io *io, uint64_t at, uint32_t frame)
{
	static const char *const words[] = {
		[EXO_IO_READ] = "read", [EXO_IO_WRITE] = "write", [EXO_IO_CLEAR] = "clear"};

	fprintf(control_out(), "transfer %lu %u %s %u %lu %x ", bochs_ticks(), io->env,
		words[io->op], io->drive, at, frame);
	tree_write_chain(control_out(), requests[i].asked);
	fputc('\n', control_out());
}

/* A request begins: which of its blocks or frames are watched? */
static void begin_request(int i, const struct exo_io *io)
{
	if (io->op != EXO_IO_READ && io->op != EXO_IO_WRITE && io->op != EXO_IO_CLEAR)
		return;
	for (uint32_t k = 0; k < io->count; k++) {
		uint32_t frame = 0;

		if (io->op != EXO_IO_CLEAR)
			guest_read_kernel(io_frames + 4ul * (i * EXO_IO_BLOCKS + k), &frame,
					  sizeof(frame));
		if ((io->drive == drive && io->block + k == block) || frame == watched_frame) {
			print_writers(frame);
			transfer(i, io, io->block + k, frame);
		} else if (frame < MAX_FRAMES && frames[frame] != NULL) {
			frames[frame]->count = 0;
		}
	}
}

static void look_at_request(int i)
{
	struct exo_io io;

	guest_read_kernel(ios + i * sizeof(io), &io, sizeof(io));
	if (io.state == EXO_IOS_QUEUED)
		requests[i].asked = stack_node();
	if (io.state == EXO_IOS_ACTIVE && !requests[i].active)
		begin_request(i, &io);
	requests[i].active = io.state == EXO_IOS_ACTIVE;
}

/* ---- for bochs.c ------------------------------------------------------------------------- */

void watch_step(const struct site *site)
{
	if (touched != NONE)
		look_at_request(touched);
	touched = NONE;
	pc = site->pc;
}

void watch_store(uint64_t va, uint64_t physical)
{
	if (va - ios < sizeof(struct exo_io) * EXO_NIO)
		touched = (int)((va - ios) / sizeof(struct exo_io));
	note_store(physical);
}

void watch_end(void)
{
	if (watched_frame != UINT64_MAX)
		print_writers(watched_frame);
}
