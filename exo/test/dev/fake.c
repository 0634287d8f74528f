/*
 * fake.c - owns the memory, drives, clock and line of the disk and console tests.
 */
#include <stdlib.h>
#include <string.h>
#include <exo/crc32c.h>
#include "../../kern/cap.h"
#include "../../kern/check.h"
#include "../../kern/console.h"
#include "../../kern/cpu.h"
#include "../../kern/env.h"
#include "../../kern/info.h"
#include "../../kern/page.h"
#include "../../kern/quota.h"
#include "../../kern/registry.h"
#include "../../kern/revoke.h"
#include "../../kern/slot.h"
#include "../../kern/syscall.h"
#include "fake.h"

const struct exo_image fake_image = {
	.magic = EXO_IMAGE_MAGIC,
	.version = EXO_IMAGE_VERSION,
	.id = 0x1234567890abcdefull,
	.blocks = FAKE_BLOCKS,
	.table = {TABLE_A, TABLE_B},
	.table_blocks = TABLE_BLOCKS,
	.pool = POOL,
	.pool_end = POOL_END,
};

struct cpu cpus[NCPU];
union extent_block fake_disk[2][FAKE_BLOCKS];
struct fake_entry fake_log[FAKE_LOG];
uint32_t fake_logged, fake_unreadable;
char fake_line[65536];
uint32_t fake_shown, fake_room;
int fake_failed;

static union {
	uint8_t bytes[EXO_PAGE_SIZE];
	struct table table;
	struct exo_save save;
	struct exo_ring ring;
	struct exo_upcall_head head;
} memory[NFRAME];
static uint32_t active[NCHANNEL];

/* ---- the machine ------------------------------------------------------------------------- */

struct table *machine_table(struct pfn f)
{
	return &memory[f.n].table;
}

struct exo_save *machine_save(struct pfn f)
{
	return &memory[f.n].save;
}

struct exo_ring *machine_ring(struct pfn f)
{
	return &memory[f.n].ring;
}

struct exo_upcall_head *machine_upcall_head(struct pfn f)
{
	return &memory[f.n].head;
}

uint8_t *machine_bytes(struct pfn f)
{
	return f.n == FAKE_PAGE ? extent_page.bytes : memory[f.n].bytes;
}

void machine_zero(struct pfn f)
{
	memset(&memory[f.n], 0, sizeof(memory[f.n]));
}

void machine_root_init(struct pfn root)
{
	machine_zero(root);
}

void machine_tlb_drop(struct pfn root, uint64_t va, uint32_t count)
{
	(void)root;
	(void)va;
	(void)count;
}

/* A request takes as many ns as it has blocks, and 8. */
uint64_t fake_now = 1;

uint64_t machine_now(void)
{
	return fake_now;
}

uint64_t machine_tsc(void)
{
	return fake_now;
}

void machine_trace(struct pfn first, uint32_t frames)
{
	(void)first;
	(void)frames;
}

void machine_slice_timer(void)
{
}

void machine_fpu_init(struct exo_save *save)
{
	(void)save;
}

int machine_console_put(uint8_t byte)
{
	if (fake_room == 0)
		return 0;
	fake_room--;
	fake_line[fake_shown++ % sizeof(fake_line)] = (char)byte;
	return 1;
}

/* ---- drives ------------------------------------------------------------------------------ */

void machine_disk_start(uint32_t io)
{
	const uint32_t c = drives[ios[io].drive].channel;

	if (active[c] != 0)
		abort(); /* the drive was not idle */
	active[c] = io + 1;
}

enum exo_status machine_disk_read(uint32_t drive, uint64_t block, union extent_block *to)
{
	if (block >= FAKE_BLOCKS)
		abort();
	if (fake_unreadable != 0 && block == fake_unreadable)
		return EXO_IO;
	*to = fake_disk[drive / 2][block];
	return EXO_OK;
}

uint32_t fake_active(uint32_t channel)
{
	return active[channel];
}

static void log_write(const struct exo_io *r, uint64_t block, const uint8_t *data)
{
	struct fake_entry *entry = &fake_log[fake_logged % FAKE_LOG];

	fake_logged++;
	entry->flush = data == NULL;
	entry->drive = r->drive;
	entry->block = block;
	if (data != NULL)
		memcpy(entry->data, data, EXO_BLOCK_SIZE);
}

static void transfer(const struct exo_io *r, uint32_t io, uint32_t i)
{
	static const uint8_t zeros[EXO_BLOCK_SIZE];
	union extent_block *at = &fake_disk[r->drive / 2][r->block + i];
	uint8_t *frame =
		r->op == EXO_IO_CLEAR ? NULL : machine_bytes((struct pfn){io_frames[io][i]});

	if (r->block + i >= FAKE_BLOCKS)
		abort();
	if (r->op == EXO_IO_READ) {
		memcpy(frame, at->bytes, EXO_BLOCK_SIZE);
		return;
	}
	memcpy(at->bytes, frame != NULL ? frame : zeros, EXO_BLOCK_SIZE);
	log_write(r, r->block + i, at->bytes);
}

void fake_complete(uint32_t channel)
{
	const uint32_t io = active[channel] - 1;

	if (active[channel] == 0)
		return;
	active[channel] = 0;
	fake_now += 8 + ios[io].count;
	if (ios[io].op == EXO_IO_FLUSH) {
		log_write(&ios[io], 0, NULL);
		io_done(io, EXO_OK, 0);
		return;
	}
	for (uint32_t i = 0; i < ios[io].count; i++)
		transfer(&ios[io], io, i);
	io_done(io, EXO_OK, ios[io].count);
}

void fake_fail(uint32_t channel)
{
	const uint32_t io = active[channel] - 1;

	if (active[channel] == 0)
		return;
	active[channel] = 0;
	io_done(io, EXO_IO, 0);
}

const char *fake_broken(void)
{
	const char *const broken = check_state();

	return broken != NULL ? broken : check_disk();
}

void fake_run(void)
{
	while (active[0] != 0 || active[1] != 0) {
		fake_complete(0);
		fake_complete(1);
		if (fake_broken() != NULL)
			printf("after a completion: %s\n", fake_broken());
		CHECK(fake_broken() == NULL);
	}
}

/* ---- booting ----------------------------------------------------------------------------- */

void fake_format(void)
{
	for (uint32_t c = 0; c < 2; c++) {
		union extent_block *head = &fake_disk[0][fake_image.table[c]];

		memset(head, 0, TABLE_BLOCKS * sizeof(*head));
		head[1].record[0] =
			(struct exo_extent){.len = POOL, .gen = 1, .state = EXO_EXTENT_SYSTEM};
		head->head = (struct exo_extents_head){.magic = EXO_EXTENTS_MAGIC,
						       .version = EXO_IMAGE_VERSION,
						       .id = fake_image.id,
						       .seq = 1 + c,
						       .blocks = TABLE_BLOCKS - 1};
		for (uint32_t b = 0; b + 1 < TABLE_BLOCKS; b++)
			head->head.block_crc[b] = exo_crc32c(0, head[1 + b].bytes, EXO_BLOCK_SIZE);
		head->head.crc = exo_crc32c(0, head->bytes, sizeof(head->head));
	}
}

static void forget(void)
{
	memset(&info, 0, sizeof(info));
	memset(cpus, 0, sizeof(cpus));
	memset(envs, 0, sizeof(envs));
	memset(quota_used, 0, sizeof(quota_used));
	memset(quota_limit, 0, sizeof(quota_limit));
	memset(caps, 0, sizeof(caps));
	memset(slots, 0, sizeof(slots));
	memset(slot_runnable, 0, sizeof(slot_runnable));
	memset(pages, 0, sizeof(pages));
	memset(page_maps, 0, sizeof(page_maps));
	memset(page_pins, 0, sizeof(page_pins));
	memset(page_free_map, 0, sizeof(page_free_map));
	memset(run_maps, 0, sizeof(run_maps));
	memset(run_born, 0, sizeof(run_born));
	memset(revokes, 0, sizeof(revokes));
	memset(extents, 0, sizeof(extents));
	memset(active, 0, sizeof(active));
	fake_shown = 0;
	fake_room = sizeof(fake_line);
}

struct extent_loaded fake_reboot(void)
{
	struct extent_loaded loaded;

	forget();
	info.frames = NFRAME;
	page_boot_range(0, FAKE_FIRST_FREE, EXO_PAGE_KERNEL);
	page_boot_range(FAKE_FIRST_FREE, NFRAME - FAKE_FIRST_FREE, EXO_PAGE_FREE);
	registry_init(64);
	env_init(FAKE_ENVS);
	cpus[0].current = 1;
	console_init();
	for (uint32_t d = 0; d < EXO_NDRIVE; d++)
		drives[d] = (struct exo_drive){.blocks = d % 2 == 0 ? FAKE_BLOCKS : 0,
					       .channel = (uint8_t)(d / 2),
					       .unit = d % 2};
	io_init((struct pfn){FAKE_PAGE});
	loaded = extent_load(&fake_image, 0, FAKE_BLOCKS);
	if (loaded.usable && extent_add_drive(2, FAKE_BLOCKS) != EXO_OK)
		abort();
	return loaded;
}

void fake_boot(void)
{
	memset(fake_disk, 0, sizeof(fake_disk));
	fake_logged = fake_unreadable = 0;
	fake_format();
	(void)fake_reboot();
}

void fake_as(uint32_t e)
{
	cpus[0].current = e;
}

/* A call of the setting up that must succeed. */
static void must(struct exo_result r)
{
	if (r.status != EXO_OK)
		abort();
}

void fake_env(uint32_t index, uint64_t principal)
{
	const uint64_t ce = index + 8, n[EXO_NQUOTA] = {0, 0, 32, 0, 8, 64, 1000};

	fake_as(1);
	must(sys_env_create(index, ce));
	must(sys_quota_move(ce, EXO_QUOTA_PAGES, 64));
	for (uint32_t k = EXO_QUOTA_CAPS; k <= EXO_QUOTA_DISK; k++)
		must(sys_quota_move(ce, k, n[k]));
	for (uint32_t i = 0; i < 64; i++)
		must(sys_page_take(ce, index * 64 + i, EXO_PAGE_DATA));
	must(sys_env_set(ce, EXO_SET_PRINCIPAL, principal));
	fake_as(index);
	must(sys_io_setup(index * 64));
}
