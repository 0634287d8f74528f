/*
 * frames.c - finds free page frames in the kernel's bitmap and takes them.
 *
 * Owns a cursor into the bitmap.  It starts at a place that depends on the environment's index, so
 * that programs do not race for the same frame, and moves on as frames are taken (next fit): what
 * was freed behind it is found on the next round.  The bitmap is a hint: another program may take
 * the frame first, and then the next one is tried.  No lock: an upcall that moves the cursor while
 * we look only makes us try a frame that is taken.
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>

static RESIDENT uint32_t cursor; /* frame to try next; 0: not begun */

static uint32_t first_place(uint32_t frames)
{
	const uint32_t index = (uint32_t)(start_self() & 0xffff);

	return (uint32_t)((uint64_t)(index * 0x9e3779b1u) * frames >> 32);
}

/* The first free frame at or after `from`, or `frames`. */
static uint32_t next_free(uint32_t from, uint32_t frames)
{
	const volatile uint64_t *map = tables_page_free(0);
	uint32_t word = from / 64;
	uint64_t bits;

	if (from >= frames)
		return frames;
	bits = map[word] & (~0ull << (from % 64));
	while (!bits) {
		if (++word >= (frames + 63) / 64)
			return frames;
		bits = map[word];
	}
	return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

int frame_take(uint32_t ce, uint64_t type, uint32_t *frame)
{
	const uint32_t frames = tables_info()->frames;
	uint32_t f = next_free(cursor ? cursor : first_place(frames), frames);
	int wrapped = 0;

	for (;;) {
		struct exo_result r;

		if (f >= frames) {
			if (wrapped++)
				return -ENOMEM;
			f = next_free(0, frames);
			continue;
		}
		r = call_page_take(ce, f, type);
		if (r.status == EXO_OK) {
			cursor = f + 1;
			*frame = f;
			return 0;
		}
		if (r.status == EXO_QUOTA)
			return -EDQUOT;
		if (r.status != EXO_OCCUPIED)
			return call_errno(r.status);
		f = next_free(f + 1, frames);
	}
}

/* How many frames from `first` on are free, up to count. */
static uint32_t free_run(uint32_t first, uint32_t count)
{
	uint32_t n = 0;

	while (n < count && (*tables_page_free((first + n) / 64) >> ((first + n) % 64) & 1))
		n++;
	return n;
}

/* Takes the run, or what was got of it is given back. */
static int take_run(uint32_t ce, uint64_t type, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct exo_result r = call_page_take(ce, first + i, type);

		if (r.status == EXO_OK)
			continue;
		(void)frames_free(ce, first, i);
		return r.status == EXO_QUOTA ? -EDQUOT : call_errno(r.status);
	}
	return 0;
}

int frames_take_run(uint32_t ce, uint64_t type, uint32_t count, uint32_t align, uint32_t *first)
{
	const uint32_t frames = tables_info()->frames;
	uint32_t f = 0;

	while ((f = next_free(f, frames)) < frames) {
		uint32_t n;
		int err;

		f = (f + align - 1) & ~(align - 1);
		if (f >= frames || count > frames - f)
			break;
		n = free_run(f, count);
		if (n < count) {
			f += n + 1;
			continue;
		}
		err = take_run(ce, type, f, count);
		if (err != -EEXIST) {
			*first = f;
			return err;
		}
		f++;
	}
	return -ENOMEM;
}

int frames_free(uint32_t ce, uint32_t first, uint32_t count)
{
	int err = 0;

	for (uint32_t i = 0; i < count; i++) {
		const int e = call_result(call_page_free(ce, first + i));

		if (e && !err)
			err = e;
	}
	return err;
}
