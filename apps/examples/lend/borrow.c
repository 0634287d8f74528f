/*
 * borrow - a client of lend: opens a file with one call, then reads the drive by itself.
 *
 *   borrow polite      drops the capability when the server asks for it; its file is one that the
 *                      server has in memory: before, it looks at the blocks there
 *   borrow stubborn    reads on until the kernel has taken it
 *
 * Exits with 0 when every block read was right, writing was refused, and nothing can be read once
 * the blocks are gone.
 */
#include <string.h>
#include <libos/bare.h>
#include <libos/call.h>
#include <libos/disk_open.h>
#include <libos/ipc.h>
#include <libos/layout.h>
#include <libos/registry.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>
#include "lend.h"

int main(int argc, char **argv);

enum { BORROWED = 30, MS = 1000000 };

static RESIDENT volatile uint32_t asked, told;

static int on_event(struct exo_upcall_frame *frame)
{
	asked |= (frame->addr & EXO_EV_REVOKE) != 0;
	told |= (frame->addr & EXO_EV_TAKEN) != 0;
	return 1;
}

/* One call to the server, which may not be there yet. */
static int open_file(uint64_t n, struct disk **d)
{
	struct ipc_message m = {.w = {OP_OPEN, n}, .accept = BORROWED};
	enum exo_status status;

	while ((status = ipc_call(LAYOUT_CAP_ENV, &m, 0)) == EXO_STATE) {
		(void)time_sleep_until(time_now() + MS, 0);
		m = (struct ipc_message){.w = {OP_OPEN, n}, .accept = BORROWED};
	}
	if (status != EXO_OK || m.w[0] != LENT || !m.got)
		return -1;
	return disk_open(BORROWED,
			 tables_caps(EXO_EID_INDEX((struct eid){start_self()}))->c[BORROWED].object,
			 d);
}

/* Blocks of the file over and over, until there are none; how many came, and how many wrong. */
static uint64_t read_on(struct disk *d, uint64_t n, int polite, uint64_t *buffer, uint64_t *wrong)
{
	uint64_t count = 0;

	while (bare_transfer(d, DISK_READ, count % FILE_BLOCKS, 1, buffer) == 0) {
		const uint64_t b = n * FILE_BLOCKS + count++ % FILE_BLOCKS;

		*wrong += buffer[0] != content(b, 0) || buffer[WORDS - 1] != content(b, WORDS - 1);
		if (polite && asked)
			(void)call_cap_drop(BORROWED);
	}
	return count;
}

/* Blocks of the file that are in the server's memory, and right: seen there, read-only. */
static uint64_t look(uint64_t n)
{
	const volatile struct exo_cap *cap =
		&tables_caps(EXO_EID_INDEX((struct eid){start_self()}))->c[BORROWED];
	const volatile uint64_t *window = (const volatile uint64_t *)LAYOUT_WINDOW;
	uint64_t seen = 0;

	for (uint64_t i = 0; i < FILE_BLOCKS; i++) {
		const uint32_t frame = registry_find(cap->object, cap->start + i);

		if (frame == 0 || vm_map(LAYOUT_WINDOW, frame, 1, VM_READ, BORROWED) != 0)
			continue;
		seen += window[1] == content(n * FILE_BLOCKS + i, 1);
		(void)vm_unmap(LAYOUT_WINDOW, 1);
	}
	return seen;
}

int main(int argc, char **argv)
{
	const int polite = argc > 1 && strcmp(argv[1], "polite") == 0;
	const uint64_t n = polite ? FILES - 1 : 2;
	uint64_t *const buffer = bare_pages(1);
	uint64_t wrong = 0, count, start, seen;
	struct disk *d;
	int written, good;

	upcall_on_event(on_event, EXO_EV_REVOKE | EXO_EV_TAKEN);
	if (!buffer || open_file(n, &d) != 0) {
		bare_print("borrow: no file\n");
		return 1;
	}
	written = bare_transfer(d, DISK_WRITE, 0, 1, buffer) == 0;
	seen = look(n);
	start = time_now();
	count = read_on(d, n, polite, buffer, &wrong);
	good = count != 0 && wrong == 0 && seen == (polite ? FILE_BLOCKS : 0) && !written &&
	       asked && polite != (int)told && bare_transfer(d, DISK_READ, 0, 1, buffer) != 0;
	bare_print("%s borrow %s: 1 call, then %u blocks seen in the server's memory, "
		   "%u read in %u ms, %u wrong; %s\n",
		   good ? "ok" : "FAIL", argc > 1 ? argv[1] : "", seen, count,
		   (time_now() - start) / MS, wrong,
		   told ? "told that they were taken" : "gave them back");
	return !good;
}
