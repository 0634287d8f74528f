/*
 * lend - a file server that lends the blocks of a file instead of reading them for others.
 *
 * One call opens a file: the reply brings a capability to its run of blocks, with the right to
 * read.  From then on the client talks to the drive itself; the kernel checks each request against
 * the capability, and this server does not run.  After LOAN_MS it wants the blocks back
 * (extent_recall): a client that heeds the request drops its capability, from another one the
 * kernel takes it when the time is over.  The server's other blocks are out of reach all the time.
 * The blocks that it has in memory anyway (the last file) are in the block registry: who may read
 * them can map its pages instead of asking the drive.
 *
 * Ends when two loans have come back; exits with 0 when one was given back and one taken.
 */
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/ipc.h>
#include <libos/registry.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>
#include "lend.h"

int main(void);

enum { LOANS = 2, SLOT = 20, LOAN_MS = 300, MS = 1000000, TICK = 10 * MS };

struct loan {
	uint64_t client; /* eid */
	uint32_t run; /* slot with the capability to the blocks; the next one held what was lent */
	uint64_t since, back; /* ns since boot; 0: not yet */
	uint64_t taken;	      /* how much had been taken from the client before */
};

static struct loan loans[LOANS];
static uint32_t lent;

static uint64_t taken_from(uint64_t eid)
{
	return tables_revoke(EXO_EID_INDEX((struct eid){eid}))->taken;
}

/* Capabilities to file n: in `run` all rights, to have it back; in run + 1 what goes out. */
static int derive(uint32_t run, uint64_t n)
{
	const uint32_t whole = (uint32_t)start_extent("files");
	const volatile struct exo_cap *cap =
		&tables_caps(EXO_EID_INDEX((struct eid){start_self()}))->c[whole];
	const uint64_t start = cap->start + n * FILE_BLOCKS;

	return call_cap_derive(whole, run, cap->rights, start, FILE_BLOCKS).status == EXO_OK &&
	       call_cap_derive(run, run + 1, EXO_RIGHT_READ | EXO_RIGHT_GRANT, start, FILE_BLOCKS)
			       .status == EXO_OK;
}

static void answer_call(struct ipc_message *m)
{
	const uint32_t run = SLOT + 2 * lent;
	const uint64_t n = m->w[1];

	m->pass = 0;
	if (m->w[0] != OP_OPEN || n >= FILES || lent == LOANS || !derive(run, n)) {
		m->w[0] = NOT_LENT;
		return;
	}
	loans[lent++] = (struct loan){m->from, run, time_now(), 0, taken_from(m->from)};
	m->w[0] = LENT;
	m->w[1] = FILE_BLOCKS;
	m->pass = run + 1;
}

/* Asks for what has been lent long enough; `again` while something is out. */
static int want_back(void)
{
	int again = 0;

	for (uint32_t i = 0; i < lent; i++) {
		struct loan *l = &loans[i];
		struct exo_result r = {EXO_OK, 0};

		if (l->back)
			continue;
		if (time_now() >= l->since + LOAN_MS * (uint64_t)MS)
			r = call_extent_recall(l->run, l->client, 0);
		if (r.value == 1 || r.status == EXO_STALE || r.status == EXO_STATE)
			l->back = time_now();
		again |= l->back == 0;
	}
	return again || lent < LOANS;
}

static int fill(struct disk *d, uint64_t *buffer)
{
	int err = 0;

	for (uint64_t b = 0; b < FILES * FILE_BLOCKS && !err; b += FILE_BLOCKS) {
		for (uint64_t i = 0; i < (uint64_t)FILE_BLOCKS * WORDS; i++)
			buffer[i] = content(b + i / WORDS, i % WORDS);
		err = bare_transfer(d, DISK_WRITE, b, FILE_BLOCKS, buffer);
	}
	return err;
}

/* The buffer holds the last file now: says so to everybody. */
static int publish(const uint64_t *buffer)
{
	const uint32_t whole = (uint32_t)start_extent("files");
	const uint64_t start =
		tables_caps(EXO_EID_INDEX((struct eid){start_self()}))->c[whole].start;
	int err = 0;

	for (uint64_t i = 0; i < FILE_BLOCKS && !err; i++)
		err = registry_bind(whole, start + (FILES - 1) * FILE_BLOCKS + i,
				    vm_frame((uint64_t)(uintptr_t)&buffer[i * WORDS], NULL));
	return err;
}

static int serve(void)
{
	struct ipc_message m = {.w = {0}};
	enum exo_status status = ipc_open(1);

	if (status == EXO_OK)
		status = ipc_reply_wait(0, &m, 0, time_now() + TICK);
	while ((status == EXO_OK || status == EXO_TIMEOUT) && want_back()) {
		const int reply = status == EXO_OK;

		if (reply)
			answer_call(&m);
		status = ipc_reply_wait(reply, &m, 0, time_now() + TICK);
	}
	return status != EXO_OK && status != EXO_TIMEOUT;
}

int main(void)
{
	uint64_t *const buffer = bare_pages(FILE_BLOCKS);
	uint32_t by_force = 0;
	struct disk *d;
	int err = bare_open("files", &d);

	if (!err && buffer)
		err = fill(d, buffer);
	if (!err && buffer)
		err = publish(buffer);
	if (err || !buffer || serve()) {
		bare_print("lend: error %d\n", (int64_t)-err);
		return 1;
	}
	for (uint32_t i = 0; i < LOANS; i++) {
		const int forced = taken_from(loans[i].client) != loans[i].taken;

		by_force += forced != 0;
		bare_print("lend: loan %u %s %u ms after it was wanted back\n", (uint64_t)i,
			   forced ? "taken" : "given back",
			   (loans[i].back - loans[i].since) / MS - LOAN_MS);
	}
	return by_force != 1;
}
