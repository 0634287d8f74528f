/*
 * slice_end - asks to be told before its slice ends: yields then, and overruns nothing; and does
 * not, and pays for it.
 */
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>

int main(void);

enum { TURNS = 40 };

static RESIDENT volatile uint32_t told;
static RESIDENT volatile uint32_t yields;

static int on_end(struct exo_upcall_frame *frame)
{
	(void)frame;
	told++;
	if (yields)
		(void)call_yield(0);
	return 1;
}

static const volatile struct exo_env *self(void)
{
	return tables_env(EXO_EID_INDEX((struct eid){start_self()}));
}

/* Runs until it was told TURNS times; how many slices it overran meanwhile. */
static uint32_t run(uint32_t yielding)
{
	const uint32_t before = self()->overruns;

	told = 0;
	yields = yielding;
	while (told < TURNS)
		__asm__ volatile("");
	return self()->overruns - before;
}

int main(void)
{
	uint32_t polite, rude;

	upcall_on_slice_end(on_end);
	polite = run(1);
	rude = run(0);
	upcall_on_slice_end(0);
	/* A host that stops the emulator for a moment can make anybody late. */
	bare_print("%s slice_end yields in time: %u of %u slices overrun\n",
		   polite <= TURNS / 10 ? "ok" : "FAIL", (uint64_t)polite, (uint64_t)TURNS);
	bare_print("%s slice_end overruns: %u of %u slices\n",
		   rude >= TURNS - TURNS / 10 - 1 ? "ok" : "FAIL", (uint64_t)rude, (uint64_t)TURNS);
	return polite > TURNS / 10 || rude < TURNS - TURNS / 10 - 1;
}
