/*
 * dma.c - frames that are given away while the drive works on them: freed, unshared, or left behind
 * by an environment that is killed with requests queued and on the drive.
 */
#include <libos/frames.h>
#include <libos/time.h>
#include <libos/vm.h>
#include "attack.h"

enum { CAP = 47, RUN = 16, KILLS = 10, FREES = 20, MOST = 400 };
#define MARK 0x6d61726b6d61726bull

static struct thread t;
static uint64_t start;

/* The frames of the dead, taken as soon as they are to be had, keep what is written there. */
static int mark_holds(uint32_t f)
{
	volatile uint64_t *at;
	int holds = 1;

	if (call_page_take(0, f, EXO_PAGE_DATA).status != EXO_OK)
		return 0;
	at = vm_window(&f, 1, VM_READ | VM_WRITE, 0, NULL);
	for (uint32_t i = 0; at != NULL && i < 512; i++)
		at[i] = MARK;
	(void)time_sleep_until(time_now() + 2 * MS, 0);
	for (uint32_t i = 0; at != NULL && i < 512; i++)
		holds &= at[i] == MARK;
	vm_window_end();
	(void)call_page_free(0, f);
	return at != NULL && holds;
}

/*
 * A frame that a request on the drive holds is not to be had.  Between the look and the call the
 * drive may have done with it: then it is not held after the call either.
 */
static void while_it_runs(void)
{
	for (uint32_t i = 0; i <= 6; i++) {
		const uint32_t f = t.frames[i];

		if (tables_page_pins(f)[0] != 0)
			tally(call_env_reclaim(t.c.eid, EXO_QUOTA_PAGES, f).status != EXO_OK ||
			      tables_page_pins(f)[0] == 0);
	}
}

static void killed(void)
{
	uint32_t frames[7];

	for (uint32_t i = 0; i < KILLS; i++) {
		if (!reader_start(&t, THREAD_CAP, CAP)) {
			unprepared("a reader");
			return;
		}
		for (uint64_t n = next_random() % 16; n != 0; n--)
			disturb(t.c.eid);
		(void)call_env_kill(THREAD_CAP, 0);
		while_it_runs();
		for (uint32_t k = 0; k < 7; k++)
			frames[k] = t.frames[k];
		tally(child_end(&t.c));
		for (uint32_t k = 0; k < 7; k++)
			tally(mark_holds(frames[k]));
	}
	sum_up("frames of one that is killed with requests in flight");
}

/* Nothing of this program is in flight. */
static int idle(void)
{
	return tables_quota_used(self_index())->n[EXO_QUOTA_IO] == 0;
}

/* Frees f, which requests hold until they have ended; 1: it was held.  It stays this program's. */
static uint32_t tried_early(uint32_t f)
{
	const enum exo_status status = (enum exo_status)call_page_free(0, f).status;

	tally(status == EXO_BUSY || (status == EXO_OK && idle()));
	if (status == EXO_OK)
		tally(call_page_take(0, f, EXO_PAGE_DATA).status == EXO_OK);
	return status == EXO_BUSY;
}

/* Freed and unshared by their owner while the drive reads into them. */
static void freed(void)
{
	uint32_t first, early = 0;

	if (frames_take_run(0, EXO_PAGE_DATA, RUN, 1, &first) != 0) {
		unprepared("frames for a transfer");
		return;
	}
	for (uint32_t i = 0; i < FREES || (early == 0 && i < MOST); i++) {
		const struct exo_sqe e = {
			.op = EXO_IO_READ, .cap = CAP, .count = RUN, .block = start};

		for (uint32_t k = 0; k < RUN; k++)
			ring_page.list[k] = first + k;
		ring_put(e);
		ring_put(e);
		(void)call_io_submit();
		for (uint32_t k = 0; k < RUN; k++) {
			(void)call_page_unshare(first + k, 1);
			early += tried_early(first + k);
		}
		tally(ring_drain());
	}
	sum_up("frames freed and unshared while the drive reads into them");
	score("the drive was at work at times", early > 0);
	score("they can be freed afterwards", frames_free(0, first, RUN) == 0);
}

/* The ring itself is held as long as it is one. */
static void ring_freed(void)
{
	const uint32_t f = vm_frame((uint64_t)(uintptr_t)&ring_page, NULL);

	tally_answered(call_page_free(0, f), EXO_BUSY);
	ring_page.list[0] = data_frame(0);
	ring_put((struct exo_sqe){.op = EXO_IO_READ, .cap = CAP, .count = 1, .block = start});
	(void)call_io_submit();
	tally(call_io_setup(data_frame(1)).status == EXO_BUSY || idle());
	tally(call_io_setup(0).status == EXO_BUSY || idle());
	(void)ring_drain();
	sum_up("the ring freed, or changed for another, with requests in flight");
}

void attack_dma(void)
{
	uint32_t x;

	if (!ring_open() || (x = prey_open(CAP)) == 0) {
		unprepared("requests");
		return;
	}
	start = tables_extent(x)->start;
	killed();
	freed();
	ring_freed();
	ring_close();
}
