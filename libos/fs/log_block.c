/*
 * log_block.c - which blocks are in use, where the next one goes, and when the disk knows.
 *
 * Owns: now, durable, busy, used, free, head; the checkpoints and the segments' summaries.
 * Invariant: a block that the checkpoint on the disk needs is not written: what changes goes to a
 * block that neither it nor the present uses (log_own).  used counts the bits of `now`, free the
 * blocks that are in neither bitmap, busy[] the others of each segment.  A summary is a hint, and
 * may be anything. A checkpoint allocates nothing. See log.h for the lock.
 */
#include <string.h>
#include <exo/crc32c.h>
#include "log.h"
#include "names.h"

enum {
	CLEAN_LOW = 3,	/* empty segments, below which the cleaner works */
	CLEAN_MOST = 4, /* segments that it empties at a time */
};

int log_bad(struct log *l, const char *what, uint64_t number)
{
	l->fs.readonly = 1;
	l->fs.message[0] = 0;
	fs_say(l->fs.message, "log: damaged: ");
	fs_say(l->fs.message, what);
	fs_say(l->fs.message, " ");
	fs_say_number(l->fs.message, number);
	return -EIO;
}

/* ---- counting ---- */

static uint32_t summary_of(uint32_t segment)
{
	return segment ? segment * LOG_SEGMENT : 2;
}

int log_reserved(uint32_t block)
{
	return block < 3 || block % LOG_SEGMENT == 0;
}

void log_count(struct log *l)
{
	memset(l->busy, 0, l->segments * sizeof *l->busy);
	l->used = l->free = 0;
	for (uint32_t b = 0; b < l->blocks; b++) {
		const int now = log_bit(l->now, b), busy = now || log_bit(l->durable, b);

		if (log_reserved(b))
			continue;
		l->used += (uint32_t)now;
		l->busy[b / LOG_SEGMENT] += (uint16_t)busy;
		l->free += !busy;
	}
}

int log_room(const struct log *l)
{
	return l->used + LOG_RESERVE < log_capacity(l) && l->free > LOG_MARGIN / 2;
}

int log_begin(struct fs_ctx *c, uint64_t want)
{
	struct log *l = log_of(c);
	const int waits = log_capacity(l) - l->used > l->free; /* some come free by a checkpoint */
	int status = 0;

	if (l->unsure || (waits && l->free < want + LOG_MARGIN))
		status = log_checkpoint(c);
	if (status == 0 && l->free < LOG_MARGIN / 2)
		status = -ENOSPC;
	if (status == 0)
		l->changed = l->fs.dirty = 1;
	return status;
}

/* ---- taking and giving ---- */

static int is_free(const struct log *l, uint32_t b)
{
	return !log_reserved(b) && !log_bit(l->now, b) && !log_bit(l->durable, b);
}

static uint32_t room_in(const struct log *l, uint32_t segment)
{
	const uint32_t first = segment * LOG_SEGMENT;
	const uint32_t size = l->blocks - first < LOG_SEGMENT ? l->blocks - first : LOG_SEGMENT;

	return size - (segment ? 1 : 3) - l->busy[segment];
}

/* The segment to go on in: the next empty one, or else the one with most room. */
static uint32_t next_segment(const struct log *l)
{
	const uint32_t from = l->head / LOG_SEGMENT;
	uint32_t best = from, most = 0;

	for (uint32_t i = 1; i <= l->segments; i++) {
		const uint32_t s = (from + i) % l->segments;
		const uint32_t room = room_in(l, s);

		if (l->busy[s] == 0 && room)
			return s;
		if (room > most) {
			most = room;
			best = s;
		}
	}
	return best;
}

/* Block at the head of the log, or 0: there is none. */
static uint32_t take(struct log *l)
{
	if (l->free == 0)
		return 0;
	for (uint32_t tries = 0; tries < 2; tries++) {
		const uint32_t s = l->head / LOG_SEGMENT;
		const uint32_t end =
			(s + 1) * LOG_SEGMENT < l->blocks ? (s + 1) * LOG_SEGMENT : l->blocks;

		for (uint32_t b = l->head; b < end; b++)
			if (is_free(l, b)) {
				l->head = b + 1 < end ? b + 1 : b;
				log_bit_set(l->now, b, 1);
				l->busy[s]++;
				l->used++;
				l->free--;
				return b;
			}
		l->head = next_segment(l) * LOG_SEGMENT;
	}
	return 0;
}

void log_free_block(struct log *l, uint32_t block)
{
	log_bit_set(l->now, block, 0);
	l->used--;
	if (log_bit(l->durable, block))
		return;
	l->busy[block / LOG_SEGMENT]--;
	l->free++;
	buf_forget(l->fs.cache, block);
}

/* Notes in the summary of its segment where the block belongs. */
static int note(struct fs_ctx *c, uint32_t block, struct log_place p)
{
	struct buf *b;
	const int status =
		buf_get(c->fs->cache, c->disk, summary_of(block / LOG_SEGMENT), BUF_READ, &b);

	if (status)
		return status;
	((struct log_place *)b->data)[block % LOG_SEGMENT] = p;
	buf_dirty(c->fs->cache, b, 0);
	buf_put(b);
	return 0;
}

/* Fills the pinned new block with what the old one holds, or zeros. */
static int fill(struct fs_ctx *c, struct buf *new, uint32_t old, int whole)
{
	struct buf *b;
	int status;

	if (old == 0 || whole) {
		memset(new->data, 0, DISK_BLOCK);
		return 0;
	}
	status = buf_get(c->fs->cache, c->disk, old, BUF_READ, &b);
	if (status)
		return status;
	memcpy(new->data, b->data, DISK_BLOCK);
	buf_put(b);
	return 0;
}

int log_own(struct fs_ctx *c, struct log_tree *t, uint32_t *at, struct log_place p, int whole,
	    struct buf **out)
{
	struct log *l = log_of(c);
	const uint32_t old = *at;
	uint32_t new;
	int status;

	if (old && !log_bit(l->durable, old))
		return buf_get(l->fs.cache, c->disk, old, BUF_READ, out);
	new = take(l);
	if (new == 0)
		return -ENOSPC;
	status = note(c, new, p);
	if (status == 0)
		status = buf_get(l->fs.cache, c->disk, new, BUF_OVERWRITE, out);
	if (status == 0) {
		status = fill(c, *out, old, whole);
		if (status)
			buf_put(*out);
	}
	if (status) {
		log_free_block(l, new);
		return status;
	}
	*at = new;
	if (old)
		log_free_block(l, old);
	else
		t->count++;
	return 0;
}

void log_done(struct fs_ctx *c, const struct log_tree *t, struct buf *b)
{
	buf_dirty(c->fs->cache, b, t->ino);
	buf_put(b);
}

/* ---- checkpoints ---- */

static int write_page(struct fs_ctx *c)
{
	struct log *l = log_of(c);
	void *page = l->page;
	struct disk_req r = {
		.op = DISK_WRITE, .block = (l->seq + 1) % 2, .nblocks = 1, .pages = &page};
	int status;

	*l->page = (struct log_checkpoint){.magic = LOG_MAGIC,
					   .version = LOG_VERSION,
					   .seq = l->seq + 1,
					   .blocks = l->blocks,
					   .inodes = l->inodes,
					   .inode_blocks = l->inode_blocks};
	l->page->crc = exo_crc32c(0, (const uint8_t *)l->page, sizeof *l->page);
	status = disk_submit(c->disk, &r);
	return status ? status : disk_wait(c->disk, &r);
}

int log_checkpoint(struct fs_ctx *c)
{
	struct log *l = log_of(c);
	int status;

	if (!l->changed || l->fs.readonly)
		return 0;
	status = log_node_store_all(c);
	if (status == 0)
		status = buf_sync(l->fs.cache, c->disk);
	if (status == 0)
		status = buf_flush(c->disk);
	if (status)
		return status;
	status = write_page(c);
	if (status == 0)
		status = buf_flush(c->disk);
	l->unsure = status != 0;
	if (status)
		return status;
	l->seq++;
	l->changed = l->fs.dirty = 0;
	memcpy(l->durable, l->now, log_bits_size(l->blocks));
	log_count(l);
	return 0;
}

/* ---- cleaning ---- */

/* A node whose tree has moved goes to the inode file. */
static int put_back(struct fs_ctx *c, struct log_node *n, int status)
{
	int more;

	n->dirty = 1;
	more = log_node_store(c, n);
	status = status ? status : more;
	more = log_node_put(c, n);
	return status ? status : more;
}

/* Moves the block to the head of the log, if the hint is true; what is not found stays. */
static int move(struct fs_ctx *c, uint32_t block, struct log_place p)
{
	struct log *l = log_of(c);
	struct log_node *n = NULL;
	struct log_tree *t = &l->inodes;
	struct buf *b;
	int status = 0;

	if (p.ino) {
		if (p.ino >= l->ino_max || !log_bit(l->inos, p.ino))
			return 0;
		status = log_node_get(c, p.ino, &n);
		if (status)
			return status;
		t = &n->tree;
	}
	if (log_is_at(c, t, p, block)) {
		status = log_change(c, t, p.height, p.index, 0, &b);
		if (status == 0)
			log_done(c, t, b);
	}
	return n ? put_back(c, n, status) : status;
}

/* Moves what is in use out of the segment; ends early when blocks run short. */
static int empty_segment(struct fs_ctx *c, uint32_t segment)
{
	struct log_place places[LOG_SEGMENT];
	struct log *l = log_of(c);
	struct buf *b;
	int status = buf_get(l->fs.cache, c->disk, summary_of(segment), BUF_READ, &b);

	if (status)
		return status;
	memcpy(places, b->data, sizeof places);
	buf_put(b);
	for (uint32_t i = 0; i < LOG_SEGMENT && status == 0; i++) {
		const uint32_t block = segment * LOG_SEGMENT + i;

		if (l->free < LOG_MARGIN)
			break;
		if (block < l->blocks && !log_reserved(block) && log_bit(l->now, block) &&
		    log_bit(l->durable, block))
			status = move(c, block, places[i]);
	}
	return status;
}

/* The segment, not the head's, with the fewest blocks in use: at most half; or l->segments. */
static uint32_t victim(const struct log *l)
{
	uint32_t best = l->segments, least = LOG_SEGMENT / 2;

	for (uint32_t s = 0; s < l->segments; s++)
		if (l->busy[s] && l->busy[s] < least && s != l->head / LOG_SEGMENT) {
			least = l->busy[s];
			best = s;
		}
	return best;
}

static uint32_t empty_segments(const struct log *l)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < l->segments; s++)
		n += l->busy[s] == 0;
	return n;
}

int log_sync(struct fs_ctx *c)
{
	struct log *l = log_of(c);
	int status = log_checkpoint(c);

	for (int i = 0; i < CLEAN_MOST && status == 0 && !l->fs.readonly; i++) {
		const uint32_t s = victim(l);

		if (empty_segments(l) >= CLEAN_LOW || s == l->segments)
			break;
		status = log_begin(c, LOG_SEGMENT);
		if (status == 0)
			status = empty_segment(c, s);
		if (status == 0)
			status = log_checkpoint(c);
	}
	return status == -ENOSPC ? 0 : status;
}
