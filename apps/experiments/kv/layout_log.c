/*
 * layout_log.c - records one after the other, as they are put; memory knows where each key's last
 * one is.
 *
 *	block 0 .. half-1, half .. 2*half-1    two halves, one of which is in use: a head, then
 *					       blocks of records
 *
 * When a half is full, the last record of each key is copied to the other one, and when they are
 * there a head with the next era makes that the one in use.  A record counts if it is sound and of
 * its half's era, so old ones behind the end do not.  The last block is written again as it fills:
 * the records that were in it are the same in both, so a torn write loses none.
 *
 * Owns the log.  Called by kv.c.
 */
#include "../experiment_posix.h"
#include "kv.h"

#define NOWHERE UINT64_MAX

static struct {
	uint64_t half; /* blocks of each */
	uint64_t base; /* first block of the one in use */
	uint64_t era;
	uint64_t end;		/* records in it, those of `last` too */
	uint64_t keys, *record; /* number of each key's last record, or NOWHERE */
	struct kv_record last[KV_PER_BLOCK];
	int changed; /* the last block is newer in memory */
} journal;

/* A head, and records of each key twice. */
static uint64_t half_blocks(uint64_t keys)
{
	return 1 + (2 * keys + KV_PER_BLOCK - 1) / KV_PER_BLOCK;
}

static uint64_t log_blocks(uint64_t keys)
{
	return 2 * half_blocks(keys);
}

static uint64_t room(void)
{
	return (journal.half - 1) * KV_PER_BLOCK;
}

static uint64_t block_of(uint64_t record)
{
	return journal.base + 1 + record / KV_PER_BLOCK;
}

static int write_last(void)
{
	journal.changed = 0;
	return place_write(block_of(journal.end - 1), journal.last);
}

/* Adds a record to the half in use, where there is room. */
static int append(const struct kv_record *r)
{
	struct kv_record *const to = &journal.last[journal.end % KV_PER_BLOCK];

	if (journal.end % KV_PER_BLOCK == 0)
		memset(journal.last, 0, sizeof(journal.last));
	*to = *r;
	to->era = journal.era;
	kv_seal(to);
	journal.record[r->key] = journal.end++;
	journal.changed = 1;
	return journal.end % KV_PER_BLOCK == 0 ? write_last() : 0;
}

static int read_record(uint64_t base, uint64_t record, struct kv_record *out)
{
	struct kv_record block[KV_PER_BLOCK];
	const int error = place_read(base + 1 + record / KV_PER_BLOCK, block);

	*out = block[record % KV_PER_BLOCK];
	return error;
}

static int log_get(uint64_t key, struct kv_record *out)
{
	const uint64_t at = journal.record[key];
	int error = 0;

	if (at == NOWHERE)
		return -ENOENT;
	if (journal.changed && at / KV_PER_BLOCK == (journal.end - 1) / KV_PER_BLOCK)
		*out = journal.last[at % KV_PER_BLOCK];
	else
		error = read_record(journal.base, at, out);
	return error ? error : kv_sound(out) && out->key == key ? 0 : -EIO;
}

static int log_sync(void)
{
	const int error = journal.changed ? write_last() : 0;

	return error ? error : place_sync();
}

/* The half in use is the one with the greater era that is sound. */
static int write_head(void)
{
	struct kv_record head[KV_PER_BLOCK] = {{.era = journal.era}};

	kv_seal(&head[0]);
	return place_write(journal.base, head);
}

/* What counts, to the other half.  A record is read before its number is written over. */
static int move(void)
{
	const uint64_t from = journal.base;
	int error = log_sync();

	journal.base = from ? 0 : journal.half;
	journal.era++;
	journal.end = 0;
	for (uint64_t key = 0; key < journal.keys && !error; key++) {
		struct kv_record r;

		if (journal.record[key] == NOWHERE)
			continue;
		error = read_record(from, journal.record[key], &r);
		if (!error)
			error = append(&r);
	}
	if (!error)
		error = log_sync();
	if (!error)
		error = write_head();
	return error ? error : place_sync();
}

static int log_put(const struct kv_record *r)
{
	const int error = journal.end == room() ? move() : 0;

	return error ? error : append(r);
}

static int start(uint64_t keys)
{
	free(journal.record);
	memset(&journal, 0, sizeof(journal));
	journal.half = half_blocks(keys);
	journal.keys = keys;
	journal.record = malloc(keys * sizeof(uint64_t));
	for (uint64_t key = 0; key < keys && journal.record; key++)
		journal.record[key] = NOWHERE;
	return journal.record ? 0 : -ENOMEM;
}

static int log_make(uint64_t keys)
{
	static const struct kv_record none[KV_PER_BLOCK];
	int error = start(keys);

	journal.era = 1;
	if (!error)
		error = place_write(journal.half, none);
	if (!error)
		error = write_head();
	return error ? error : place_sync();
}

/* Era of the half that begins there; 0: it is none. */
static uint64_t era_of(uint64_t base)
{
	struct kv_record head[KV_PER_BLOCK];

	return place_read(base, head) == 0 && kv_sound(&head[0]) ? head[0].era : 0;
}

static int log_recover(uint64_t keys)
{
	struct kv_record *const block = journal.last;
	int error = start(keys);

	if (error)
		return error;
	journal.base = era_of(journal.half) > era_of(0) ? journal.half : 0;
	journal.era = era_of(journal.base);
	for (; journal.end < room(); journal.end++) {
		const struct kv_record *const r = &block[journal.end % KV_PER_BLOCK];

		if (journal.end % KV_PER_BLOCK == 0)
			error = place_read(block_of(journal.end), block);
		if (error || r->era != journal.era || !kv_sound(r) || r->key >= keys)
			break;
		journal.record[r->key] = journal.end;
	}
	return error;
}

const struct kv_layout layout_log = {
	.name = "log",
	.blocks = log_blocks,
	.make = log_make,
	.recover = log_recover,
	.put = log_put,
	.get = log_get,
	.sync = log_sync,
};
