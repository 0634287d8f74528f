/*
 * log_mount.c - mounting, which looks at every block in use; making; and the checker.
 *
 * Owns nothing that stays.  Invariant: a volume that is mounted has trees in which every pointer
 * names a block of the volume, and no block is named twice: so what follows pointers later cannot
 * leave it. Names are looked at when they are used, and all at once by log_check. Called through
 * fs_log_ops; log_check by tests.
 */
#include <string.h>
#include <exo/crc32c.h>
#include "log.h"
#include "names.h"

/* ---- the checkpoint ---- */

static int transfer(struct disk *d, enum disk_op op, uint64_t block, void *page)
{
	struct disk_req r = {.op = op, .block = block, .nblocks = 1, .pages = &page};
	const int status = disk_submit(d, &r);

	return status ? status : disk_wait(d, &r);
}

static int sound(struct log_checkpoint *p)
{
	const uint32_t crc = p->crc;
	int right;

	p->crc = 0;
	right = exo_crc32c(0, (const uint8_t *)p, sizeof *p) == crc;
	p->crc = crc;
	return right && p->version == LOG_VERSION;
}

/* Leaves the newer sound checkpoint in `p`. */
static int read_newer(struct disk *d, struct log_checkpoint *p, struct fs_mount *m)
{
	int best = -1, seen = 0;
	uint64_t seq = 0;

	for (int i = 0; i < 2; i++) {
		const int status = transfer(d, DISK_READ, (uint64_t)i, p);

		/* What was never written cannot be read, and is no file system. */
		if (status && status != -ENODATA)
			return status;
		seen |= status == 0 && p->magic == LOG_MAGIC;
		if (status == 0 && p->magic == LOG_MAGIC && sound(p) && p->seq >= seq) {
			best = i;
			seq = p->seq;
		}
	}
	if (best >= 0)
		return transfer(d, DISK_READ, (uint64_t)best, p);
	fs_say(m->message, seen ? "log: damaged: both checkpoints" : "log: not a log file system");
	return -EINVAL;
}

/* What is wrong with a sound checkpoint, or NULL. */
static const char *wrong(const struct log_checkpoint *p, uint64_t blocks)
{
	if (p->blocks > blocks || p->blocks < LOG_LEAST || p->blocks > UINT32_MAX / 2)
		return "length of the volume";
	if (p->inodes.height > LOG_HEIGHT_MAX || p->inode_blocks > p->blocks / 2)
		return "size of the inode file";
	return NULL;
}

/* ---- looking at everything ---- */

/* A bitmap of what was found, and where the next level stands. */
struct scan {
	struct fs_ctx *c;
	uint64_t *found;
	uint32_t count; /* blocks found in this tree */
};

static int claim(struct scan *s, uint32_t block, uint32_t height)
{
	struct log *l = log_of(s->c);
	struct buf *b;
	int status;

	if (block == 0)
		return 0;
	if (block >= l->blocks || log_reserved(block))
		return log_bad(l, "block number", block);
	if (log_bit(s->found, block))
		return log_bad(l, "two owners of block", block);
	log_bit_set(s->found, block, 1);
	s->count++;
	if (height == 0)
		return 0;
	status = buf_get(l->fs.cache, s->c->disk, block, BUF_READ, &b);
	if (status)
		return status;
	for (uint32_t k = 0; k < LOG_FAN && status == 0; k++)
		status = claim(s, ((const uint32_t *)b->data)[k], height - 1);
	buf_put(b);
	return status;
}

static int claim_tree(struct scan *s, const struct log_tree *t)
{
	int status;

	s->count = 0;
	status = claim(s, t->root, t->height);
	if (status == 0 && s->count != t->count)
		status = log_bad(log_of(s->c), "count of blocks of inode", t->ino);
	return status;
}

/* An inode without a name was held when the machine stopped: it is free now. */
static int scan_inode(struct scan *s, uint32_t ino, const struct log_inode *i)
{
	struct log *l = log_of(s->c);
	const char *bad = log_inode_wrong(l, i);
	struct log_tree t = i->tree;

	if (bad)
		return log_bad(l, bad, ino);
	log_bit_set(l->inos, ino, 1);
	l->ino_used++;
	t.ino = ino;
	return claim_tree(s, &t);
}

static int scan_inodes(struct scan *s, uint32_t i)
{
	struct log *l = log_of(s->c);
	uint32_t block;
	struct buf *b;
	int status = log_find(s->c, &l->inodes, i, &block);

	if (status || block == 0)
		return status;
	status = buf_get(l->fs.cache, s->c->disk, block, BUF_READ, &b);
	if (status)
		return status;
	for (uint32_t k = 0; k < LOG_INODES && status == 0; k++) {
		const struct log_inode *at = (const struct log_inode *)b->data + k;
		const uint32_t ino = i * LOG_INODES + k;

		if (at->mode && at->nlink && ino && ino < l->ino_max)
			status = scan_inode(s, ino, at);
	}
	buf_put(b);
	return status;
}

/* Fills `now` and `inos` with what the checkpoint leads to. */
static int scan_all(struct fs_ctx *c)
{
	struct log *l = log_of(c);
	struct scan s = {c, l->now, 0};
	int status = claim_tree(&s, &l->inodes);

	for (uint32_t i = 0; i < l->inode_blocks && status == 0; i++)
		status = scan_inodes(&s, i);
	memcpy(l->durable, l->now, log_bits_size(l->blocks));
	log_count(l);
	return status;
}

/* ---- mount ---- */

void log_free(struct log *l)
{
	struct arena *a = l->fs.arena;

	log_node_drop_all(l);
	arena_free(a, l->now, log_bits_size(l->blocks));
	arena_free(a, l->durable, log_bits_size(l->blocks));
	arena_free(a, l->inos, log_bits_size(l->ino_max));
	arena_free(a, l->busy, l->segments * sizeof *l->busy);
	arena_free(a, l->page, sizeof *l->page);
	arena_free(a, l, sizeof *l);
}

/* Takes the checkpoint in l->page for its own. */
static int take(struct log *l)
{
	const struct log_checkpoint *p = l->page;
	struct arena *a = l->fs.arena;

	lock_init(&l->fs.lock);
	l->blocks = (uint32_t)p->blocks;
	l->segments = (l->blocks + LOG_SEGMENT - 1) / LOG_SEGMENT;
	l->seq = p->seq;
	l->inodes = p->inodes;
	l->inodes.ino = 0;
	l->inode_blocks = p->inode_blocks;
	l->ino_max = l->blocks / 2;
	l->now = arena_alloc(a, log_bits_size(l->blocks));
	l->durable = arena_alloc(a, log_bits_size(l->blocks));
	l->inos = arena_alloc(a, log_bits_size(l->ino_max));
	l->busy = arena_alloc(a, l->segments * sizeof *l->busy);
	return l->now && l->durable && l->inos && l->busy ? 0 : -ENOMEM;
}

/* The checkpoint's tree of inodes is looked at through `now`, which is not yet: so all is in use.
 */
static int open_volume(struct fs_ctx *c)
{
	struct log *l = log_of(c);
	int status = take(l);

	if (status == 0)
		status = scan_all(c);
	if (status == 0 && !log_bit(l->inos, LOG_ROOT_INO))
		status = log_bad(l, "no root, inode", LOG_ROOT_INO);
	if (status == 0)
		status = log_node_get(c, LOG_ROOT_INO, &l->root);
	if (status == 0 && log_type(l->root) != FS_IFDIR)
		status = log_bad(l, "root is no directory, inode", LOG_ROOT_INO);
	return status;
}

int log_mount(struct fs_mount *m, struct fs **out)
{
	struct log *l = arena_alloc(m->arena, sizeof *l);
	struct fs_ctx c = {.disk = m->disk};
	const char *why;
	int status;

	*out = NULL;
	if (!l)
		return -ENOMEM;
	c.fs = &l->fs;
	l->fs = (struct fs){
		.type = FS_TYPE_LOG, .flags = m->flags, .arena = m->arena, .cache = m->cache};
	l->page = arena_alloc(m->arena, sizeof *l->page);
	status = l->page ? 0 : -ENOMEM;
	if (status == 0 && disk_size(m->disk) < LOG_LEAST) {
		fs_say(m->message, "log: not a log file system: the volume is too small");
		status = -EINVAL;
	}
	if (status == 0)
		status = read_newer(m->disk, l->page, m);
	why = status == 0 ? wrong(l->page, disk_size(m->disk)) : NULL;
	if (why) {
		fs_say(m->message, "log: damaged: ");
		fs_say(m->message, why);
		status = -EINVAL;
	}
	if (status == 0)
		status = open_volume(&c);
	if (status == -EIO && l->fs.readonly)
		status = -EINVAL;
	if (status) {
		fs_say(m->message, l->fs.message);
		log_free(l);
		return status;
	}
	l->fs.readonly = m->flags & FS_MOUNT_RDONLY;
	*out = &l->fs;
	return 0;
}

/* ---- make ---- */

/* A root in the first block that files may have, its inode in the inode file, and one checkpoint.
 */
int log_make(struct disk *d, void *scratch, char message[FS_MESSAGE])
{
	struct log_inode *inode = scratch;
	struct log_checkpoint *p = scratch;
	const struct fs_time now = fs_now();
	const uint32_t first = 3;
	int status = 0;

	if (disk_size(d) < LOG_LEAST) {
		fs_say(message, "log: the volume is too small: blocks wanted at least ");
		fs_say_number(message, LOG_LEAST);
		return -ENOSPC;
	}
	for (uint64_t i = 0; i < 2 && status == 0; i++)
		status = transfer(d, DISK_WRITE, i, scratch);
	inode[LOG_ROOT_INO] = (struct log_inode){.mode = FS_IFDIR | 0755,
						 .nlink = 2,
						 .atime = now.sec,
						 .mtime = now.sec,
						 .ctime = now.sec,
						 .parent = LOG_ROOT_INO};
	if (status == 0)
		status = transfer(d, DISK_WRITE, first, scratch);
	if (status == 0)
		status = buf_flush(d);
	if (status)
		return status;
	memset(p, 0, sizeof *p);
	*p = (struct log_checkpoint){.magic = LOG_MAGIC,
				     .version = LOG_VERSION,
				     .seq = 1,
				     .blocks = disk_size(d),
				     .inodes = {.root = first, .count = 1},
				     .inode_blocks = 1};
	p->crc = exo_crc32c(0, scratch, sizeof *p);
	status = transfer(d, DISK_WRITE, 1, p);
	return status ? status : buf_flush(d);
}

/* ---- the checker ---- */

/* The blocks in use, found anew, must be those of `now`. */
static int check_blocks(struct fs_ctx *c, uint64_t *found)
{
	struct log *l = log_of(c);
	struct scan s = {c, found, 0};
	int status = claim_tree(&s, &l->inodes);

	for (uint32_t ino = 1; ino < l->ino_max && status == 0; ino++) {
		struct log_node *n;

		if (!log_bit(l->inos, ino))
			continue;
		status = log_node_get(c, ino, &n);
		if (status)
			return __LINE__;
		status = claim_tree(&s, &n->tree);
		if (log_node_put(c, n))
			return __LINE__;
	}
	if (status || memcmp(found, l->now, log_bits_size(l->blocks)) != 0)
		return __LINE__;
	return 0;
}

/* Counts the names of a directory at the inodes that they name, and the directories at their
 * parents. */
static int count_names(struct fs_ctx *c, struct log_node *dir, uint32_t *names)
{
	const struct log *l = log_of(c);
	struct fs_dirent e;
	uint64_t cookie = 2;
	int k;

	while ((k = log_dir_read(c, dir, cookie, &e, 1)) == 1) {
		struct log_node *n;

		cookie = e.cookie;
		if (e.ino == 0 || e.ino >= l->ino_max || !log_bit(l->inos, (uint32_t)e.ino) ||
		    log_node_get(c, (uint32_t)e.ino, &n))
			return __LINE__;
		names[e.ino]++;
		k = log_type(n) == e.mode;
		if (log_type(n) == FS_IFDIR) {
			names[dir->tree.ino]++;
			names[e.ino]++;
			k &= n->parent == dir->tree.ino;
		}
		if (log_node_put(c, n) || !k)
			return __LINE__;
	}
	return k < 0 ? __LINE__ : 0;
}

/* Each inode has as many names as it says; a directory two and its directories', the root besides.
 */
static int check_names(struct fs_ctx *c, uint32_t *names)
{
	struct log *l = log_of(c);
	struct log_node *n;
	int line = 0;

	names[LOG_ROOT_INO] = 2;
	for (uint32_t ino = 1; ino < l->ino_max && line == 0; ino++) {
		if (!log_bit(l->inos, ino))
			continue;
		if (log_node_get(c, ino, &n))
			return __LINE__;
		if (log_type(n) == FS_IFDIR)
			line = count_names(c, n, names);
		if (log_node_put(c, n))
			return __LINE__;
	}
	for (uint32_t ino = 1; ino < l->ino_max && line == 0; ino++) {
		if (!log_bit(l->inos, ino))
			continue;
		if (log_node_get(c, ino, &n))
			return __LINE__;
		line = n->pub.attr.nlink == names[ino] ? 0 : __LINE__;
		if (log_node_put(c, n))
			return __LINE__;
	}
	return line;
}

int log_check(struct fs_ctx *c)
{
	struct log *l = log_of(c);
	const uint32_t used = l->used, free = l->free;
	uint64_t *found = arena_alloc(l->fs.arena, log_bits_size(l->blocks));
	uint32_t *names = arena_alloc(l->fs.arena, l->ino_max * sizeof *names);
	int line = found && names ? 0 : __LINE__;

	if (line == 0) {
		log_count(l);
		line = l->used == used && l->free == free ? 0 : __LINE__;
	}
	if (line == 0)
		line = check_blocks(c, found);
	if (line == 0)
		line = check_names(c, names);
	arena_free(l->fs.arena, found, log_bits_size(l->blocks));
	arena_free(l->fs.arena, names, l->ino_max * sizeof *names);
	return line;
}
