/*
 * host.c - the disk in memory, locks for one thread, a clock and image files: see host.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <libos/time.h>
#include "host.h"

uint64_t owner_token = 1, host_dead;
uint64_t host_yields, host_clock;
char host_why[512];
struct death host_death;

static _Noreturn void die(const char *what, const char *name)
{
	fprintf(stderr, "%s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

/* ---- lock.h ---- */

void lock_init(struct lock *l)
{
	*l = (struct lock){0};
}

enum lock_state lock_wait(struct lock *l)
{
	if (owner_alive(l->owner)) {
		fprintf(stderr, "deadlock: lock held by %llu\n", (unsigned long long)l->owner);
		abort();
	}
	l->owner = owner_token;
	return LOCK_STOLEN;
}

void lock_release(struct lock *l)
{
	if (l->owner != owner_token)
		abort();
	l->owner = 0;
}

int owner_alive(uint64_t owner)
{
	return owner != 0 && owner != host_dead;
}

void owner_yield(uint64_t owner)
{
	(void)owner;
	if (++host_yields > 1000) {
		fprintf(stderr, "waits for ever\n");
		abort();
	}
}

uint64_t time_now(void)
{
	return host_clock += 1000;
}

struct fs_time fs_now(void)
{
	static int64_t sec = 1800000000;

	return (struct fs_time){++sec, 5000};
}

/* ---- disk.h ---- */

struct disk *disk_new(uint64_t nblocks)
{
	struct disk *d = calloc(1, sizeof *d);

	if (d == NULL || (d->data = calloc(nblocks, DISK_BLOCK)) == NULL)
		die("memory for", "disk");
	d->nblocks = nblocks;
	d->bad_block = UINT64_MAX;
	return d;
}

struct disk *disk_load(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) != 0)
		die("open", path);
	struct disk *d = disk_new((uint64_t)st.st_size / DISK_BLOCK);
	if (fread(d->data, DISK_BLOCK, d->nblocks, f) != d->nblocks)
		die("read", path);
	fclose(f);
	return d;
}

void disk_save(const struct disk *d, const char *path)
{
	static const uint8_t zero[DISK_BLOCK];
	FILE *f = fopen(path, "wb");

	if (f == NULL)
		die("create", path);
	for (uint64_t b = 0; b < d->nblocks; b++) {
		const uint8_t *p = d->data + b * DISK_BLOCK;
		int hole = b + 1 < d->nblocks && memcmp(p, zero, DISK_BLOCK) == 0;

		if (hole ? fseek(f, DISK_BLOCK, SEEK_CUR) != 0 : fwrite(p, DISK_BLOCK, 1, f) != 1)
			die("write", path);
	}
	if (fclose(f) != 0)
		die("write", path);
}

void disk_record(struct disk *d)
{
	d->record = calloc(1, sizeof *d->record);
	if (d->record == NULL)
		die("memory for", "record");
}

static void record_free(struct record *rec)
{
	for (uint32_t i = 0; rec != NULL && i < rec->n; i++)
		free(rec->at[i].data);
	if (rec != NULL)
		free(rec->at);
	free(rec);
}

/* Notes a write or a flush that is done. */
static void note(struct disk *d, const struct disk_req *r)
{
	struct record *rec = d->record;
	struct command *c;

	if (rec == NULL || r->op == DISK_READ)
		return;
	if (rec->n == rec->room) {
		rec->room = rec->room * 2 + 64;
		rec->at = realloc(rec->at, rec->room * sizeof *rec->at);
		if (rec->at == NULL)
			die("memory for", "record");
	}
	c = &rec->at[rec->n++];
	*c = (struct command){.block = r->block, .nblocks = r->nblocks};
	c->data = r->nblocks ? malloc((size_t)r->nblocks * DISK_BLOCK) : NULL;
	if (r->nblocks && c->data == NULL)
		die("memory for", "record");
	for (uint32_t i = 0; i < r->nblocks; i++)
		memcpy(c->data + (size_t)i * DISK_BLOCK, r->pages[i], DISK_BLOCK);
}

void disk_free(struct disk *d)
{
	record_free(d->record);
	free(d->data);
	free(d);
}

void disk_fail(struct disk *d, enum disk_op op, uint64_t nth, uint64_t count)
{
	d->fail_op = op;
	d->fail_from = nth;
	d->fail_count = count;
	d->fail_seen = 0;
}

uint64_t disk_size(struct disk *d)
{
	return d->nblocks;
}

static int fails(struct disk *d, const struct disk_req *r)
{
	if (r->nblocks > 0 && d->bad_block - r->block < r->nblocks)
		return 1;
	if (d->fail_count == 0 || (d->fail_op != 0 && d->fail_op != r->op))
		return 0;
	d->fail_seen++;
	return d->fail_seen >= d->fail_from && d->fail_seen - d->fail_from < d->fail_count;
}

int disk_submit(struct disk *d, struct disk_req *r)
{
	if (r->op == DISK_FLUSH ? r->nblocks != 0 : r->nblocks == 0 || r->nblocks > DISK_MAX_BLOCKS)
		return -EINVAL;
	if (r->block > d->nblocks || r->nblocks > d->nblocks - r->block)
		return -ERANGE;
	if (host_death.countdown > 0 && --host_death.countdown == 0)
		longjmp(host_death.at, 1);
	d->commands[r->op]++;
	if (r->nblocks > d->largest)
		d->largest = r->nblocks;
	if (r->op == DISK_WRITE) {
		d->backwards += r->block < d->last_write;
		d->last_write = r->block;
	}
	r->status = fails(d, r) ? -EIO : 0;
	if (r->status == 0)
		note(d, r);
	for (uint32_t i = 0; i < r->nblocks && r->status == 0; i++) {
		uint8_t *at = d->data + (r->block + i) * DISK_BLOCK;

		if (((uintptr_t)r->pages[i] & (DISK_BLOCK - 1)) != 0)
			abort();
		if (r->op == DISK_READ)
			memcpy(r->pages[i], at, DISK_BLOCK);
		else
			memcpy(at, r->pages[i], DISK_BLOCK);
	}
	return 0;
}

int disk_wait(struct disk *d, struct disk_req *r)
{
	(void)d;
	return r->status;
}

/* ---- rigs, commands, lines ---- */

void *host_pages(size_t bytes)
{
	void *p = aligned_alloc(DISK_BLOCK, (bytes + DISK_BLOCK - 1) & ~(size_t)(DISK_BLOCK - 1));

	if (p == NULL)
		die("memory for", "pages");
	return p;
}

int host_run(const char *format, ...)
{
	char command[1024];
	va_list ap;

	int n = snprintf(command, sizeof command, "{ ");
	va_start(ap, format);
	n += vsnprintf(command + n, sizeof command - (size_t)n, format, ap);
	va_end(ap);
	snprintf(command + n, sizeof command - (size_t)n, "; } >>%s/log 2>&1", DIR_OUT);
	return system(command);
}

struct disk *host_mke2fs(const char *name, unsigned bs, unsigned mib, const char *more)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s.img", DIR_OUT, name);
	remove(path);
	if (host_run("/sbin/mke2fs -q -F -t ext2 -b %u %s %s %uM", bs, more, path, mib) != 0)
		die("mke2fs failed, see log:", path);
	return disk_load(path);
}

int host_e2fsck(const struct disk *d, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s.img", DIR_OUT, name);
	disk_save(d, path);
	return host_run("/sbin/e2fsck -fn %s", path);
}

/* A small cache goes with a small arena: tests with many volumes are quicker. */
static size_t arena_size(size_t nframes)
{
	if (nframes > 1000)
		return 32u << 20;
	return nframes <= 64 ? 512u << 10 : 4u << 20;
}

int host_make(const struct fs_ops *ops, struct disk *d, char message[FS_MESSAGE])
{
	void *scratch = host_pages((size_t)FS_SCRATCH * DISK_BLOCK);
	int status;

	memset(scratch, 0, (size_t)FS_SCRATCH * DISK_BLOCK);
	status = ops->make(d, scratch, message);
	free(scratch);
	return status;
}

struct disk *host_volume(const struct fs_ops *ops, unsigned mib)
{
	char message[160] = "";
	struct disk *d;

	if (!(ops->traits & FS_DISKLESS) && ops->make == NULL)
		return host_mke2fs("volume", 4096, mib, "");
	d = disk_new((uint64_t)mib * 256);
	if (ops->make != NULL && host_make(ops, d, message) != 0) {
		fprintf(stderr, "making %s: %s\n", ops->name, message);
		exit(1);
	}
	return d;
}

int rig_up_as(struct rig *r, const struct fs_ops *ops, struct disk *d, size_t nframes,
	      uint32_t flags, uint64_t limit)
{
	struct fs_mount m = {.flags = flags, .limit = limit};
	int status;

	*r = (struct rig){.ops = ops, .disk = d};
	r->region = host_pages(arena_size(nframes));
	r->frames = host_pages(nframes * BUF_SIZE);
	r->arena = m.arena = arena_init(r->region, arena_size(nframes));
	if (!(ops->traits & FS_DISKLESS)) {
		r->cache = m.cache = buf_init(r->arena, r->frames, nframes, d->nblocks);
		r->ctx.disk = m.disk = d;
	}
	status = ops->mount(&m, &r->ctx.fs);
	memcpy(r->message, m.message, sizeof r->message);
	if (status != 0)
		(void)rig_down(r, 0);
	return status;
}

int rig_up(struct rig *r, struct disk *d, size_t nframes, uint32_t flags)
{
	return rig_up_as(r, &fs_ext2_ops, d, nframes, flags, 0);
}

int rig_down(struct rig *r, int unmount)
{
	int status = unmount ? r->ops->unmount(&r->ctx, 1) : 0;

	free(r->region);
	free(r->frames);
	return status;
}

int host_test(const char *name, int (*test)(void))
{
	host_why[0] = 0;
	host_dead = 0;
	owner_token = 1;
	host_yields = 0;
	int failed = test();

	if (failed)
		printf("FAIL %s: %s\n", name, host_why);
	else
		printf("ok %s\n", name);
	fflush(stdout);
	return failed;
}
