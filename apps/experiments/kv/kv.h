/*
 * kv.h - a key-value store in three parts: what a record is, where blocks are kept (place.c), how
 * records lie in them (layout_page.c, layout_log.c).
 *
 * Keys are 0 .. keys-1, values one length.  What was put counts after a sync: from then on it is
 * found again, whatever happens.  One thread, no lock.  Errors are negative errnos.
 */
#ifndef KV_H
#define KV_H

#include <stdint.h>

enum { KV_BLOCK = 4096, KV_RECORD = 256, KV_PER_BLOCK = KV_BLOCK / KV_RECORD, KV_VALUE = 28 };

struct kv_record {
	uint64_t key, version;
	uint64_t era; /* the layout's: records of others do not count */
	uint64_t check;
	uint64_t value[KV_VALUE];
};
_Static_assert(sizeof(struct kv_record) == KV_RECORD, "records fill blocks");

/* Sets the check of a record; whether it has the right one. */
void kv_seal(struct kv_record *r);
int kv_sound(const struct kv_record *r);

/* ---- place.c: a run of blocks, in a file or an extent --------------------------------------- */

/* Opens the file at path, or with a name `extent:NAME` that extent, and makes it `blocks` long. */
int place_open(const char *name, uint64_t blocks);

/* Copies one block from there, and to there; what was written is durable after a sync. */
int place_read(uint64_t block, void *to);
int place_write(uint64_t block, const void *from);
int place_sync(void);

/* Forgets what is in memory, as far as that is ours to do. */
void place_forget(void);

/* ---- layouts ----------------------------------------------------------------------------------
 */

struct kv_layout {
	const char *name;
	uint64_t (*blocks)(uint64_t keys); /* that it needs */
	int (*make)(uint64_t keys);	   /* an empty store in the open place */
	int (*recover)(uint64_t keys);	   /* takes up the one that is in it */
	int (*put)(const struct kv_record *r);
	int (*get)(uint64_t key, struct kv_record *out); /* -ENOENT */
	int (*sync)(void);
};

extern const struct kv_layout layout_page, layout_log;

#endif
