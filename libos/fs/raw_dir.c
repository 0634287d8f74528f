/*
 * raw_dir.c - the directory of a raw volume: two copies on the disk, of which the newer sound one
 * counts.
 *
 * Owns: blocks 0 to RAW_FIRST - 1, v->seq, v->durable.  Invariant: the copy that counts is not
 * written; a new one goes to the other place, after the data that it speaks of is durable, and
 * counts once it is whole, which its checksum tells.  So a crash at any moment leaves the one or
 * the other.  Everything read is distrusted: checksum, ranges, names, and that no two runs meet.
 * See raw.h for the lock.
 */
#include <string.h>
#include <exo/crc32c.h>
#include "names.h"
#include "raw.h"

_Static_assert(RAW_COPY <= FS_SCRATCH, "room to make a copy in");

/* ---- transfers ---- */

static int transfer(struct disk *d, enum disk_op op, uint64_t block, uint32_t n, void *at)
{
	void *pages[RAW_COPY];
	struct disk_req r = {.op = op, .block = block, .nblocks = n, .pages = pages};
	int status;

	for (uint32_t i = 0; i < n; i++)
		pages[i] = (char *)at + (size_t)i * DISK_BLOCK;
	status = disk_submit(d, &r);
	return status ? status : disk_wait(d, &r);
}

static size_t bytes_of(const struct raw_copy *k)
{
	return sizeof k->head + k->head.places * sizeof k->entry[0];
}

static uint32_t crc_of(struct raw_copy *k)
{
	const uint32_t was = k->head.crc;
	uint32_t crc;

	k->head.crc = 0;
	crc = exo_crc32c(0, (const uint8_t *)k, bytes_of(k));
	k->head.crc = was;
	return crc;
}

static int write_copy(struct disk *d, struct raw_copy *k)
{
	const uint32_t n = (uint32_t)((bytes_of(k) + DISK_BLOCK - 1) / DISK_BLOCK);

	k->head.crc = crc_of(k);
	return transfer(d, DISK_WRITE, k->head.seq % 2 * RAW_COPY, n, k);
}

/* ---- distrust ---- */

static int overlap(const struct raw_entry *a, const struct raw_entry *b)
{
	return a->blocks && b->blocks && a->start < b->start + b->blocks &&
	       b->start < a->start + a->blocks;
}

static int same_name(const struct raw_entry *a, const struct raw_entry *b)
{
	return a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

/* What is wrong with the entry of a file, or NULL. */
static const char *wrong_entry(const struct raw_entry *e, uint64_t blocks)
{
	if ((e->mode & FS_IFMT) != FS_IFREG)
		return "type";
	if (fs_name_check(e->name, e->len, RAW_NAME) || fs_name_dots(e->name, e->len))
		return "name";
	if (e->start > blocks || e->blocks > blocks - e->start ||
	    (e->blocks && e->start < RAW_FIRST))
		return "run";
	return e->filled > e->size || e->size > e->blocks * DISK_BLOCK ? "size" : NULL;
}

/* What is wrong with a copy whose checksum is right, or NULL. */
static const char *wrong_copy(const struct raw_copy *k, uint64_t blocks)
{
	const char *wrong = NULL;

	if (k->head.version != RAW_VERSION)
		return "version";
	if (k->head.blocks > blocks || k->head.blocks < RAW_LEAST)
		return "length of the volume";
	if ((k->entry[0].mode & FS_IFMT) != FS_IFDIR)
		return "root";
	for (uint32_t i = 1; i < k->head.places && !wrong; i++) {
		const struct raw_entry *e = &k->entry[i];

		wrong = e->mode ? wrong_entry(e, k->head.blocks) : NULL;
		for (uint32_t j = 1; j < i && e->mode && !wrong; j++)
			if (k->entry[j].mode && overlap(e, &k->entry[j]))
				wrong = "two files in one run";
			else if (k->entry[j].mode && same_name(e, &k->entry[j]))
				wrong = "two files of one name";
	}
	return wrong;
}

/* Reads copy `which`.  0, or -EIO, or -EINVAL and in *wrong why. */
static int read_copy(struct disk *d, int which, struct raw_copy *k, const char **wrong)
{
	const int status = transfer(d, DISK_READ, (uint64_t)which * RAW_COPY, RAW_COPY, k);

	/* What was never written cannot be read, and is no file system. */
	if (status && status != -ENODATA)
		return status;
	if (status || k->head.magic != RAW_MAGIC)
		return -EINVAL;
	if (k->head.places < 1 || k->head.places > RAW_PLACES)
		*wrong = "number of entries";
	else if (k->head.crc != crc_of(k))
		*wrong = "checksum";
	else
		*wrong = wrong_copy(k, disk_size(d));
	return *wrong ? -EINVAL : 0;
}

/* Leaves the copy that counts in `k`. */
static int read_newer(struct disk *d, struct raw_copy *k, struct fs_mount *m)
{
	const char *wrong = NULL;
	uint64_t seq[2] = {0, 0};
	int status[2];

	for (int i = 0; i < 2; i++) {
		status[i] = read_copy(d, i, k, &wrong);
		seq[i] = status[i] ? 0 : k->head.seq;
	}
	if (status[0] == 0 && (status[1] || seq[0] > seq[1]))
		status[1] = read_copy(d, 0, k, &wrong);
	if (status[1] == 0)
		return 0;
	if (status[0] == -EINVAL && status[1] == -EINVAL) {
		fs_say(m->message, wrong ? "raw: damaged, in both directories: "
					 : "raw: not a raw file system");
		fs_say(m->message, wrong ? wrong : "");
		return -EINVAL;
	}
	fs_say(m->message, "raw: cannot read the directory");
	return status[1] == -EINVAL ? status[0] : status[1];
}

/* ---- from the disk to memory, and back ---- */

static void load_entry(struct raw *v, uint32_t i, const struct raw_entry *e)
{
	struct raw_node *n = &v->node[i];

	*n = (struct raw_node){.pub = {.fs = &v->fs},
			       .run = {e->start, e->blocks},
			       .filled = e->filled,
			       .len = e->len};
	memcpy(n->name, e->name, sizeof n->name);
	n->pub.attr = (struct fs_attr){.ino = i + 1,
				       .size = e->size,
				       .blocks = e->blocks * (DISK_BLOCK / 512),
				       .mode = e->mode,
				       .nlink = i == 0 ? 2 : 1,
				       .uid = e->uid,
				       .gid = e->gid,
				       .blksize = DISK_BLOCK,
				       .atime = {e->atime, e->atime_nsec},
				       .mtime = {e->mtime, e->mtime_nsec},
				       .ctime = {e->ctime, e->ctime_nsec}};
	v->durable[i] = n->run;
}

/* What has no name any more is not there on the disk. */
static void store_entry(const struct raw_node *n, struct raw_entry *e)
{
	const struct fs_attr *a = &n->pub.attr;

	*e = (struct raw_entry){.mode = 0};
	if (a->mode == 0 || a->nlink == 0)
		return;
	*e = (struct raw_entry){.size = a->size,
				.filled = n->filled,
				.start = n->run.start,
				.blocks = n->run.blocks,
				.atime = a->atime.sec,
				.mtime = a->mtime.sec,
				.ctime = a->ctime.sec,
				.atime_nsec = a->atime.nsec,
				.mtime_nsec = a->mtime.nsec,
				.ctime_nsec = a->ctime.nsec,
				.uid = a->uid,
				.gid = a->gid,
				.mode = (uint16_t)a->mode,
				.len = n->len};
	memcpy(e->name, n->name, n->len);
}

/* Fills v->copy with the directory as it is now, one newer than the disk's. */
static void store(struct raw *v)
{
	struct raw_copy *k = v->copy;

	k->head = (struct raw_head){.magic = RAW_MAGIC,
				    .version = RAW_VERSION,
				    .seq = v->seq + 1,
				    .blocks = v->blocks,
				    .places = 1};
	for (uint32_t i = 0; i < RAW_PLACES; i++) {
		store_entry(&v->node[i], &k->entry[i]);
		if (k->entry[i].mode)
			k->head.places = i + 1;
	}
}

int raw_commit(struct fs_ctx *c)
{
	struct raw *v = raw_of(c);
	int status = buf_sync(v->fs.cache, c->disk);

	if (status == 0)
		status = buf_flush(c->disk);
	if (status || v->fs.dirty == RAW_CLEAN || v->fs.readonly)
		return status;
	store(v);
	status = write_copy(c->disk, v->copy);
	if (status == 0)
		status = buf_flush(c->disk);
	v->unsure = status != 0;
	if (status)
		return status;
	v->seq++;
	v->fs.dirty = RAW_CLEAN;
	for (uint32_t i = 0; i < RAW_PLACES; i++)
		v->durable[i] = (struct raw_run){v->copy->entry[i].start, v->copy->entry[i].blocks};
	return 0;
}

/* ---- mount and make ---- */

void raw_free(struct raw *v)
{
	struct arena *a = v->fs.arena;

	arena_free(a, v->copy, sizeof *v->copy);
	arena_free(a, v, sizeof *v);
}

int raw_mount(struct fs_mount *m, struct fs **out)
{
	struct raw *v = arena_alloc(m->arena, sizeof *v);
	struct raw_copy *k = arena_alloc(m->arena, sizeof *k);
	int status = v && k ? 0 : -ENOMEM;

	*out = NULL;
	if (status == 0 && disk_size(m->disk) < RAW_LEAST) {
		fs_say(m->message, "raw: not a raw file system: the volume is too small");
		status = -EINVAL;
	}
	if (status == 0)
		status = read_newer(m->disk, k, m);
	if (status) {
		arena_free(m->arena, v, sizeof *v);
		arena_free(m->arena, k, sizeof *k);
		return status;
	}
	v->fs = (struct fs){.type = FS_TYPE_RAW,
			    .flags = m->flags,
			    .readonly = m->flags & FS_MOUNT_RDONLY,
			    .arena = m->arena,
			    .cache = m->cache};
	lock_init(&v->fs.lock);
	v->copy = k;
	v->seq = k->head.seq;
	v->blocks = k->head.blocks;
	for (uint32_t i = 0; i < k->head.places; i++)
		load_entry(v, i, &k->entry[i]);
	for (uint32_t i = k->head.places; i < RAW_PLACES; i++)
		v->node[i].pub.fs = &v->fs;
	*out = &v->fs;
	return 0;
}

/* An old directory of a higher number must not count: the other copy's magic goes first. */
int raw_make(struct disk *d, void *scratch, char message[FS_MESSAGE])
{
	struct raw_copy *k = scratch;
	const struct fs_time now = fs_now();
	int status;

	if (disk_size(d) < RAW_LEAST) {
		fs_say(message, "raw: the volume is too small: blocks wanted at least ");
		fs_say_number(message, RAW_LEAST);
		return -ENOSPC;
	}
	for (int i = 0; i < 2; i++) {
		status = transfer(d, DISK_WRITE, (uint64_t)i * RAW_COPY, RAW_COPY, k);
		if (status)
			return status;
	}
	k->head = (struct raw_head){.magic = RAW_MAGIC,
				    .version = RAW_VERSION,
				    .seq = 1,
				    .blocks = disk_size(d),
				    .places = 1};
	k->entry[0] = (struct raw_entry){
		.mode = FS_IFDIR | 0755, .atime = now.sec, .mtime = now.sec, .ctime = now.sec};
	status = write_copy(d, k);
	return status ? status : buf_flush(d);
}
