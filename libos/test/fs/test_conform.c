/*
 * test_conform.c - what fs.h asks of every file system, asked of every variant there is.
 *
 * Each test is written against `struct fs_ops` alone and gets a fresh volume of the variant,
 * mounted. A variant is found by being linked (FS_VARIANT): a new file in libos/fs is tested here
 * without a word anywhere.  What its traits say it cannot do must be refused with -EPERM, which is
 * a test too. `test_conform NAME` runs one variant.  Ends with a table of how much each conforms.
 */
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include "host.h"

enum { MIB = 16, FRAMES = 256, LIMIT = 2 << 20, BIG = 300000 };

static const struct fs_ops *ops;
static struct rig r;
static struct fs_node *root;
static struct disk *fresh; /* an empty volume of the variant, copied for each test */

/* ---- short forms ---- */

static struct fs_node *make(const char *name)
{
	struct fs_node *n = NULL;

	return ops->create(&r.ctx, root, name, strlen(name), 0644, &n) == 0 ? n : NULL;
}

static int find(struct fs_node *dir, const char *name, struct fs_node **out)
{
	return ops->lookup(&r.ctx, dir, name, strlen(name), out);
}

/* 0 if the name is there, else lookup's error. */
static int there(struct fs_node *dir, const char *name)
{
	struct fs_node *n;
	const int status = find(dir, name, &n);

	return status ? status : ops->put(&r.ctx, n);
}

static int drop(const char *name)
{
	return ops->unlink(&r.ctx, root, name, strlen(name));
}

static int put(struct fs_node *n)
{
	return ops->put(&r.ctx, n);
}

static int move(const char *from, const char *to)
{
	return ops->rename(&r.ctx, root, from, strlen(from), root, to, strlen(to));
}

static void pattern(uint8_t *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((seed + i) * 2654435761u >> 11);
}

static int write_all(struct fs_node *n, uint64_t off, const void *p, size_t len)
{
	return ops->write(&r.ctx, n, off, p, len) == (int64_t)len ? 0 : -1;
}

/* Whether the file holds just these bytes at `off`. */
static int holds(struct fs_node *n, uint64_t off, const void *p, size_t len)
{
	static uint8_t got[2 * BIG];

	return ops->read(&r.ctx, n, off, got, len) == (int64_t)len && memcmp(got, p, len) == 0;
}

static int zeros(struct fs_node *n, uint64_t off, size_t len)
{
	static const uint8_t zero[2 * BIG];

	return holds(n, off, zero, len);
}

static int up(uint32_t flags)
{
	const int status = rig_up_as(&r, ops, r.disk, FRAMES, flags, LIMIT);

	return status ? status : ops->root(&r.ctx, &root);
}

/* Unmounts and mounts again. */
static int again(uint32_t flags)
{
	const int status = put(root) || rig_down(&r, 1);

	return status ? status : up(flags);
}

static uint64_t free_blocks(void)
{
	struct fs_statfs s;

	return ops->statfs(&r.ctx, &s) == 0 ? s.bfree * (s.bsize / 512) : UINT64_MAX;
}

/* ---- names ---- */

static int test_names(void)
{
	struct fs_node *n = make("file"), *m = NULL;
	struct fs_statfs s;
	char longest[300];

	EXPECT(n != NULL && (n->attr.mode & FS_IFMT) == FS_IFREG && n->attr.nlink == 1);
	EXPECT((n->attr.mode & 07777) == 0644 && n->attr.size == 0 && n->fs == r.ctx.fs);
	EXPECT(find(root, "file", &m) == 0 && m == n && put(m) == 0);
	EXPECT(there(root, "fil") == -ENOENT && there(root, "file2") == -ENOENT);
	EXPECT(there(n, "x") == -ENOTDIR);
	EXPECT(ops->create(&r.ctx, root, "file", 4, 0644, &m) == -EEXIST);
	EXPECT(ops->create(&r.ctx, root, ".", 1, 0644, &m) == -EEXIST);
	EXPECT(ops->create(&r.ctx, root, "a/b", 3, 0644, &m) == -EINVAL);
	EXPECT(ops->create(&r.ctx, root, "a", 0, 0644, &m) == -EINVAL);
	EXPECT(ops->create(&r.ctx, root, "a\0b", 3, 0644, &m) == -EINVAL);
	EXPECT(ops->create(&r.ctx, n, "x", 1, 0644, &m) == -ENOTDIR);
	EXPECT(ops->statfs(&r.ctx, &s) == 0 && s.namemax >= 14 && s.namemax <= FS_NAME_MAX);
	memset(longest, 'n', sizeof longest);
	EXPECT(ops->create(&r.ctx, root, longest, s.namemax, 0600, &m) == 0 && put(m) == 0);
	EXPECT(ops->create(&r.ctx, root, longest, s.namemax + 1, 0600, &m) == -ENAMETOOLONG);
	EXPECT(ops->unlink(&r.ctx, root, longest, s.namemax) == 0);
	EXPECT(ops->unlink(&r.ctx, root, longest, s.namemax) == -ENOENT);
	EXPECT(drop("file") == 0 && there(root, "file") == -ENOENT && put(n) == 0);
	EXPECT(find(root, ".", &m) == 0 && m == root && put(m) == 0);
	EXPECT(find(root, "..", &m) == 0 && m == root && put(m) == 0);
	return 0;
}

/* ---- walking ---- */

#define EIGHT	"eight888" /* as long as a word, and as two: where a name ends is seen in another */
#define SIXTEEN "sixteen_letters_"
#define DEEP	EIGHT "/" SIXTEEN "/"

static struct fs_walk last; /* the last walk */
static struct fs_attr last_attr;

/* Walks from the root as `c` does, gives the references back, and leaves the rest in `last`. */
static enum fs_walked walk_as(struct fs_ctx *c, const char *path, enum fs_walk_want want)
{
	last = (struct fs_walk){path, strlen(path), root, NULL, want, &last_attr};
	const enum fs_walked walked = ops->walk(c, &last);

	if ((last.node != NULL && put(last.node) != 0) ||
	    (last.dir != NULL && last.dir != root && put(last.dir) != 0) ||
	    strlen(last.path) != last.left)
		abort();
	return walked;
}

static enum fs_walked walk(const char *path)
{
	return walk_as(&r.ctx, path, FS_WANT_BOTH);
}

/* The walk found `n`, in `dir`. */
static int walks_to(const char *path, const struct fs_node *dir, const struct fs_node *n)
{
	return walk(path) == FS_WALK_FOUND && last.dir == dir && last.node == n;
}

/* It stopped in `dir`, before `rest`. */
static int stops_at(const char *path, const struct fs_node *dir, const char *rest)
{
	return walk(path) == FS_WALK_STOPPED && last.dir == dir && last.node == NULL &&
	       strcmp(last.path, rest) == 0;
}

/* EIGHT/SIXTEEN/f, and SIXTEEN a second time in the root. */
static struct fs_node *eight, *sixteen, *deep;

static int make_deep(void)
{
	struct fs_node *n;

	EXPECT(ops->mkdir(&r.ctx, root, EIGHT, 8, 0755, &eight) == 0);
	EXPECT(ops->mkdir(&r.ctx, eight, SIXTEEN, 16, 0755, &sixteen) == 0);
	EXPECT(ops->create(&r.ctx, sixteen, "f", 1, 0644, &deep) == 0);
	EXPECT(ops->mkdir(&r.ctx, root, SIXTEEN, 16, 0755, &n) == 0 && put(n) == 0);
	return 0;
}

static int put_deep(void)
{
	return put(eight) || put(sixteen) || put(deep);
}

static int test_walk(void)
{
	struct fs_node *n;
	char longest[FS_NAME_MAX + 2];

	EXPECT(make_deep() == 0);
	if (ops->walk == NULL)
		return put_deep();
	EXPECT(walks_to(DEEP "f", sixteen, deep) && strcmp(last.path, "f") == 0);
	EXPECT(walks_to("//" EIGHT "///" SIXTEEN "//f", sixteen, deep));
	EXPECT(walk_as(&r.ctx, DEEP "f", FS_WANT_NODE) == FS_WALK_FOUND && last.dir == NULL &&
	       last.node == deep);
	EXPECT(walk_as(&r.ctx, DEEP "x", FS_WANT_DIR) == FS_WALK_FOUND && last.dir == sixteen &&
	       last.node == NULL && strcmp(last.path, "x") == 0);
	EXPECT(walk_as(&r.ctx, DEEP "f", FS_WANT_ATTR) == FS_WALK_FOUND && last.dir == NULL &&
	       last.node == NULL && memcmp(&last_attr, &deep->attr, sizeof last_attr) == 0);
	EXPECT(walk_as(&r.ctx, DEEP "x", FS_WANT_ATTR) == FS_WALK_ABSENT && last.dir == sixteen);
	EXPECT(walk(DEEP "g") == FS_WALK_ABSENT && last.dir == sixteen && last.left == 1);
	EXPECT(stops_at(DEEP, root, DEEP) && stops_at("/", root, "/") && stops_at("", root, ""));
	EXPECT(stops_at(EIGHT "/..", eight, "..") && stops_at("./" EIGHT, root, "./" EIGHT));
	EXPECT(stops_at(DEEP "f/g", sixteen, "f/g") &&
	       stops_at("none/" EIGHT, root, "none/" EIGHT));
	memset(longest, 'n', sizeof longest);
	longest[FS_NAME_MAX + 1] = 0;
	EXPECT(stops_at(longest, root, longest));
	EXPECT(walk_as(&r.ctx, longest, FS_WANT_DIR) == FS_WALK_STOPPED);
	longest[FS_NAME_MAX] = 0;
	EXPECT(walk(longest) == FS_WALK_ABSENT && (n = make(longest)) != NULL && put(n) == 0);
	EXPECT(walks_to(longest, root, n));
	EXPECT(eight->refs == 1 && sixteen->refs == 1 && deep->refs == 1);
	return put_deep();
}

/* What somebody else changes is seen by the next walk. */
static int test_walk_changes(void)
{
	struct fs_ctx other = r.ctx;
	struct fs_node *n, *m;

	EXPECT(make_deep() == 0);
	if (ops->walk == NULL)
		return put_deep();
	owner_token = 7;
	EXPECT(walk_as(&other, DEEP "g", FS_WANT_BOTH) == FS_WALK_ABSENT);
	owner_token = 1;
	EXPECT(ops->create(&r.ctx, sixteen, "g", 1, 0644, &n) == 0);
	owner_token = 7;
	EXPECT(walk_as(&other, DEEP "g", FS_WANT_BOTH) == FS_WALK_FOUND && last.node == n);
	EXPECT(ops->rename(&other, sixteen, "g", 1, eight, "h", 1) == 0);
	owner_token = 1;
	EXPECT(walk(DEEP "g") == FS_WALK_ABSENT && walks_to(EIGHT "/h", eight, n));
	EXPECT(ops->rename(&r.ctx, eight, "h", 1, sixteen, "f", 1) == 0);
	EXPECT(walks_to(DEEP "f", sixteen, n) && deep->attr.nlink == 0);
	EXPECT(ops->rename(&r.ctx, root, EIGHT, 8, root, "new", 3) == 0);
	EXPECT(stops_at(DEEP "f", root, DEEP "f"));
	EXPECT(walks_to("new/" SIXTEEN "/f", sixteen, n));
	EXPECT(ops->unlink(&r.ctx, sixteen, "f", 1) == 0);
	EXPECT(walk("new/" SIXTEEN "/f") == FS_WALK_ABSENT && put(n) == 0);
	EXPECT(put(sixteen) == 0 && ops->rmdir(&r.ctx, eight, SIXTEEN, 16) == 0);
	EXPECT(walk("new/" SIXTEEN) == FS_WALK_ABSENT);
	/* A new directory of that name has nothing of the old one. */
	EXPECT(ops->mkdir(&r.ctx, eight, SIXTEEN, 16, 0755, &m) == 0);
	EXPECT(walk("new/" SIXTEEN "/f") == FS_WALK_ABSENT && last.dir == m && put(m) == 0);
	return put(eight) || put(deep);
}

/* What was never looked at is not denied. */
static int test_walk_unknown(void)
{
	if (ops->walk == NULL || (ops->traits & FS_DISKLESS))
		return 0;
	EXPECT(make_deep() == 0 && put_deep() == 0 && again(0) == 0);
	EXPECT(walk(DEEP "f") != FS_WALK_ABSENT && there(root, EIGHT) == 0);
	EXPECT(walk(DEEP "f") != FS_WALK_ABSENT && walk("g") == FS_WALK_ABSENT);
	return 0;
}

/* What is covered, a link, or closed to the user is left to others. */
static int test_walk_stops(void)
{
	struct fs_ctx user = r.ctx;
	struct fs_node *n;

	EXPECT(make_deep() == 0);
	if (ops->walk == NULL)
		return put_deep();
	sixteen->user = 1;
	EXPECT(stops_at(DEEP "f", eight, SIXTEEN "/f"));
	EXPECT(stops_at(EIGHT "/" SIXTEEN, eight, SIXTEEN));
	sixteen->user = 0;
	EXPECT(ops->symlink(&r.ctx, eight, "s", 1, SIXTEEN, 16, &n) == 0 && put(n) == 0);
	EXPECT(stops_at(EIGHT "/s/f", eight, "s/f") && stops_at(EIGHT "/s", eight, "s"));
	user.uid = user.gid = 5;
	EXPECT(walk_as(&user, DEEP "f", FS_WANT_BOTH) == FS_WALK_FOUND);
	EXPECT(ops->setattr(&r.ctx, eight, &(struct fs_attr){.mode = 0766}, FS_SET_MODE) == 0);
	EXPECT(walk_as(&user, DEEP "f", FS_WANT_BOTH) == FS_WALK_STOPPED && last.dir == eight);
	EXPECT(walk_as(&user, EIGHT "/x", FS_WANT_DIR) == FS_WALK_STOPPED);
	EXPECT(walk(DEEP "f") == FS_WALK_FOUND);
	EXPECT(ops->setattr(&r.ctx, eight, &(struct fs_attr){.mode = 0711}, FS_SET_MODE) == 0);
	EXPECT(walk_as(&user, DEEP "f", FS_WANT_BOTH) == FS_WALK_FOUND);
	EXPECT(ops->setattr(&r.ctx, eight, &(struct fs_attr){.gid = 5, .mode = 0701},
			    FS_SET_GID | FS_SET_MODE) == 0);
	EXPECT(walk_as(&user, DEEP "f", FS_WANT_BOTH) == FS_WALK_STOPPED);
	EXPECT(ops->setattr(&r.ctx, eight, &(struct fs_attr){.uid = 5}, FS_SET_UID) == 0);
	EXPECT(walk_as(&user, DEEP "f", FS_WANT_BOTH) == FS_WALK_FOUND);
	return put_deep();
}

static int test_rename(void)
{
	struct fs_node *a = make("a"), *b = make("b"), *m = NULL;
	const uint64_t ino = a->attr.ino;

	EXPECT(write_all(a, 0, "aaaa", 4) == 0 && write_all(b, 0, "bb", 2) == 0);
	EXPECT(move("a", "a") == 0 && there(root, "a") == 0);
	EXPECT(move("none", "c") == -ENOENT && there(root, "c") == -ENOENT);
	EXPECT(move("a", "c") == 0 && there(root, "a") == -ENOENT);
	EXPECT(find(root, "c", &m) == 0 && m == a && m->attr.ino == ino && put(m) == 0);
	EXPECT(move("c", "b") == 0 && there(root, "c") == -ENOENT && b->attr.nlink == 0);
	EXPECT(find(root, "b", &m) == 0 && m == a && put(m) == 0);
	EXPECT(holds(a, 0, "aaaa", 4) && holds(b, 0, "bb", 2)); /* b is held, and lives on */
	EXPECT(move("b", "x/y") == -EINVAL && move("b", ".") == -EINVAL);
	EXPECT(put(a) == 0 && put(b) == 0);
	return 0;
}

/* Held while it loses its name: it can be used until it is let go, and then its room is free. */
static int test_unlinked(void)
{
	static uint8_t bytes[100000];
	struct fs_node *first = make("first"), *n;
	uint64_t before;

	EXPECT(write_all(first, 0, "1", 1) == 0 && put(first) == 0 && ops->sync(&r.ctx) == 0);
	before = free_blocks();
	n = make("n");
	pattern(bytes, sizeof bytes, 3);
	EXPECT(write_all(n, 0, bytes, sizeof bytes) == 0 && drop("n") == 0);
	EXPECT(n->attr.nlink == 0 && there(root, "n") == -ENOENT);
	EXPECT(holds(n, 0, bytes, sizeof bytes) && write_all(n, 5, "new", 3) == 0);
	EXPECT(holds(n, 5, "new", 3) && free_blocks() < before);
	EXPECT(put(n) == 0 && ops->sync(&r.ctx) == 0 && free_blocks() == before);
	return 0;
}

static int list(struct fs_node *dir, unsigned batch, uint8_t *seen, int max)
{
	struct fs_dirent e[7];
	uint64_t cookie = 0;
	int k, dots = 0;

	while ((k = ops->readdir(&r.ctx, dir, cookie, e, batch)) > 0)
		for (int i = 0; i < k; i++) {
			const int at = atoi(e[i].name + 1);

			cookie = e[i].cookie;
			if (e[i].name[0] == '.')
				dots++;
			else if (e[i].name[0] != 'f' || e[i].namelen != strlen(e[i].name) ||
				 at >= max || seen[at]++)
				return -1;
		}
	return k < 0 ? k : dots;
}

static int test_readdir(void)
{
	enum { MANY = 90 };
	uint8_t seen[MANY];
	struct fs_dirent e[5];
	struct fs_node *n;
	char name[16];
	uint64_t cookie;

	for (int i = 0; i < MANY; i++) {
		const int len = snprintf(name, sizeof name, "f%d", i);

		EXPECT(ops->create(&r.ctx, root, name, (size_t)len, 0644, &n) == 0);
		EXPECT(ops->readdir(&r.ctx, n, 0, e, 1) == -ENOTDIR && put(n) == 0);
	}
	(void)ops->rmdir(&r.ctx, root, "lost+found", 10); /* of ext2 */
	for (unsigned batch = 1; batch <= 7; batch += 3) {
		memset(seen, 0, sizeof seen);
		EXPECT(list(root, batch, seen, MANY) == 2);
		EXPECT(memchr(seen, 0, MANY) == NULL);
	}
	/* What goes while somebody lists may be missed; the others are seen once. */
	EXPECT(ops->readdir(&r.ctx, root, 0, e, 5) == 5);
	cookie = e[4].cookie;
	EXPECT(ops->unlink(&r.ctx, root, e[4].name, e[4].namelen) == 0);
	memset(seen, 0, sizeof seen);
	for (int i = 0; i < 5; i++)
		if (e[i].name[0] == 'f')
			seen[atoi(e[i].name + 1)]++;
	while (ops->readdir(&r.ctx, root, cookie, e, 1) == 1) {
		cookie = e[0].cookie;
		if (e[0].name[0] == 'f')
			EXPECT(seen[atoi(e[0].name + 1)]++ == 0);
	}
	EXPECT(memchr(seen, 0, MANY) == NULL);
	return 0;
}

/* ---- bytes ---- */

static int test_bytes(void)
{
	static uint8_t w[BIG];
	struct fs_node *n = make("n");
	uint8_t one;

	pattern(w, sizeof w, 9);
	EXPECT(ops->read(&r.ctx, n, 0, &one, 1) == 0 && ops->write(&r.ctx, n, 0, w, 0) == 0);
	EXPECT(write_all(n, 0, w, sizeof w) == 0 && n->attr.size == sizeof w);
	EXPECT(holds(n, 0, w, sizeof w) && holds(n, 4095, w + 4095, 2));
	EXPECT(n->attr.blocks >= sizeof w / 512 && n->attr.blksize >= 512);
	EXPECT(ops->read(&r.ctx, n, BIG - 1, &one, 1) == 1 && one == w[BIG - 1]);
	EXPECT(ops->read(&r.ctx, n, BIG, &one, 1) == 0);
	EXPECT(ops->read(&r.ctx, n, UINT64_MAX - 1, &one, 1) == 0);
	EXPECT(write_all(n, 8190, "over", 4) == 0 && memcpy(w + 8190, "over", 4));
	EXPECT(holds(n, 0, w, sizeof w) && n->attr.size == sizeof w);
	EXPECT(ops->fsync(&r.ctx, n) == 0 && holds(n, 0, w, sizeof w));
	if (r.cache)
		buf_invalidate(r.cache);
	EXPECT(holds(n, 0, w, sizeof w) && put(n) == 0);
	EXPECT(ops->read(&r.ctx, root, 0, &one, 1) == -EISDIR);
	EXPECT(ops->write(&r.ctx, root, 0, &one, 1) == -EISDIR);
	return 0;
}

static int test_holes(void)
{
	struct fs_node *n = make("n");

	EXPECT(write_all(n, 100, "x", 1) == 0 && zeros(n, 0, 100) && holds(n, 100, "x", 1));
	EXPECT(write_all(n, 200000, "y", 1) == 0 && zeros(n, 101, 199899));
	EXPECT(holds(n, 200000, "y", 1) && n->attr.size == 200001);
	EXPECT(ops->truncate(&r.ctx, n, BIG) == 0 && zeros(n, 200001, BIG - 200001));
	EXPECT(write_all(n, 120000, "z", 1) == 0 && zeros(n, 101, 119899) &&
	       zeros(n, 120001, 79999) && holds(n, 200000, "y", 1));
	EXPECT(put(n) == 0);
	return 0;
}

/* What was cut off does not come back. */
static int test_truncate(void)
{
	static uint8_t w[50000];
	struct fs_node *n = make("n");
	const struct fs_attr a = {.size = 10};

	memset(w, 'w', sizeof w);
	EXPECT(write_all(n, 0, w, sizeof w) == 0 && ops->truncate(&r.ctx, n, 5000) == 0);
	EXPECT(n->attr.size == 5000 && holds(n, 0, w, 5000));
	EXPECT(ops->truncate(&r.ctx, n, 20000) == 0 && holds(n, 0, w, 5000));
	EXPECT(zeros(n, 5000, 15000));
	EXPECT(ops->truncate(&r.ctx, n, 100) == 0 && write_all(n, 6000, "e", 1) == 0);
	EXPECT(holds(n, 0, w, 100) && zeros(n, 100, 5900));
	EXPECT(ops->setattr(&r.ctx, n, &a, FS_SET_SIZE) == 0 && n->attr.size == 10);
	EXPECT(ops->truncate(&r.ctx, root, 0) == -EISDIR);
	EXPECT(ops->write(&r.ctx, n, UINT64_MAX - 5, w, 5) == -EFBIG);
	EXPECT(ops->truncate(&r.ctx, n, UINT64_MAX) == -EFBIG);
	EXPECT(n->attr.size == 10 && holds(n, 0, w, 10) && put(n) == 0);
	return 0;
}

/* Random writes, reads and cuts of two files that grow side by side, against arrays. */
static int test_random(void)
{
	enum { MOST = 150000, STEPS = 1500 };
	static uint8_t model[2][MOST], chunk[20000];
	struct fs_node *n[2] = {make("left"), make("right")};
	uint32_t size[2] = {0, 0};
	struct rng g = {77};

	memset(model, 0, sizeof model);
	for (int step = 0; step < STEPS; step++) {
		const uint32_t f = rnd(&g, 2), off = rnd(&g, rnd(&g, 3) ? size[f] + 1 : MOST);
		const uint32_t most = off + sizeof chunk > MOST ? MOST - off : sizeof chunk;
		const uint32_t len = most ? rnd(&g, most) : 0;

		if (rnd(&g, 12) == 0) {
			EXPECT(ops->truncate(&r.ctx, n[f], off) == 0);
			if (off < size[f])
				memset(model[f] + off, 0, size[f] - off);
			size[f] = off;
		} else if (rnd(&g, 3) == 0) {
			EXPECT(holds(n[f], 0, model[f], size[f]));
		} else {
			pattern(chunk, len, g.s);
			EXPECT(write_all(n[f], off, chunk, len) == 0);
			memcpy(model[f] + off, chunk, len);
			if (len && off + len > size[f])
				size[f] = off + len;
		}
		EXPECT(n[f]->attr.size == size[f]);
		if (rnd(&g, 50) == 0)
			EXPECT((rnd(&g, 2) ? ops->sync(&r.ctx) : ops->fsync(&r.ctx, n[f])) == 0);
	}
	EXPECT(holds(n[0], 0, model[0], size[0]) && holds(n[1], 0, model[1], size[1]));
	EXPECT(put(n[0]) == 0 && put(n[1]) == 0);
	return 0;
}

/* ---- attributes ---- */

static int test_attributes(void)
{
	struct fs_attr a = {.mode = 0120,
			    .uid = 1001,
			    .gid = 5,
			    .mtime = {5000000000, 123456789},
			    .atime = {4000000000, 7}},
		       b;
	struct fs_node *n;

	r.ctx.uid = 700;
	r.ctx.gid = 800;
	n = make("n");
	EXPECT(n->attr.uid == 700 && n->attr.gid == 800);
	EXPECT(ops->setattr(&r.ctx, n, &a,
			    FS_SET_MODE | FS_SET_UID | FS_SET_MTIME | FS_SET_ATIME) == 0);
	EXPECT(ops->getattr(&r.ctx, n, &b) == 0 && b.mode == (FS_IFREG | 0120));
	EXPECT(b.uid == 1001 && b.gid == 800 && b.nlink == 1 && b.ino == n->attr.ino);
	EXPECT(b.mtime.sec == 5000000000 && b.mtime.nsec == 123456789 && b.atime.nsec == 7);
	a.gid = 6;
	EXPECT(ops->setattr(&r.ctx, n, &a, FS_SET_GID) == 0 && n->attr.gid == 6);
	EXPECT(n->attr.mode == (FS_IFREG | 0120) && put(n) == 0);
	if (ops->traits & FS_DISKLESS)
		return 0;
	EXPECT(again(FS_MOUNT_RDONLY) == 0 && find(root, "n", &n) == 0);
	EXPECT(n->attr.mode == (FS_IFREG | 0120) && n->attr.uid == 1001 && n->attr.gid == 6);
	EXPECT(n->attr.mtime.sec == 5000000000 && n->attr.mtime.nsec == 123456789);
	EXPECT(put(n) == 0);
	return 0;
}

static int later(struct fs_time a, struct fs_time b)
{
	return a.sec > b.sec;
}

/* The clock of the tests goes on at each look. */
static int test_times(void)
{
	struct fs_node *n = make("n");
	struct fs_attr was = n->attr;
	const struct fs_time made = root->attr.mtime;
	char c;

	EXPECT(write_all(n, 0, "x", 1) == 0 && later(n->attr.mtime, was.mtime));
	EXPECT(later(n->attr.ctime, was.ctime));
	was = n->attr;
	EXPECT(ops->read(&r.ctx, n, 0, &c, 1) == 1 && later(n->attr.atime, was.mtime));
	EXPECT(!later(n->attr.mtime, was.mtime));
	was = n->attr;
	EXPECT(ops->read(&r.ctx, n, 0, &c, 1) == 1 && !later(n->attr.atime, was.atime));
	EXPECT(ops->setattr(&r.ctx, n, &was, FS_SET_MODE) == 0 && later(n->attr.ctime, was.ctime));
	EXPECT(!later(n->attr.mtime, was.mtime));
	EXPECT(drop("n") == 0 && later(root->attr.mtime, made) && put(n) == 0);
	return 0;
}

/* ---- directories, links, symbolic links ---- */

static int test_directories(void)
{
	struct fs_node *a, *b, *f, *m = NULL;
	const uint32_t links = root->attr.nlink;

	EXPECT(ops->mkdir(&r.ctx, root, "a", 1, 0751, &a) == 0 && root->attr.nlink == links + 1);
	EXPECT(a->attr.nlink == 2 && a->attr.mode == (FS_IFDIR | 0751));
	EXPECT(ops->mkdir(&r.ctx, a, "b", 1, 0755, &b) == 0 && a->attr.nlink == 3);
	EXPECT(ops->mkdir(&r.ctx, root, "a", 1, 0755, NULL) == -EEXIST);
	EXPECT(ops->mkdir(&r.ctx, root, "..", 2, 0755, NULL) == -EEXIST);
	EXPECT(find(b, "..", &m) == 0 && m == a && put(m) == 0);
	EXPECT(ops->create(&r.ctx, b, "f", 1, 0644, &f) == 0 && there(b, "f") == 0);
	EXPECT(there(root, "f") == -ENOENT && there(a, "f") == -ENOENT);
	EXPECT(ops->rmdir(&r.ctx, a, "b", 1) == -ENOTEMPTY);
	EXPECT(ops->rmdir(&r.ctx, b, "f", 1) == -ENOTDIR);
	EXPECT(ops->rmdir(&r.ctx, b, ".", 1) == -EINVAL);
	EXPECT(ops->rmdir(&r.ctx, b, "..", 2) == -ENOTEMPTY);
	EXPECT(ops->unlink(&r.ctx, a, "b", 1) == -EISDIR);
	EXPECT(ops->unlink(&r.ctx, a, ".", 1) == -EISDIR);
	EXPECT(ops->rename(&r.ctx, root, "a", 1, b, "loop", 4) == -EINVAL);
	EXPECT(ops->rename(&r.ctx, root, "a", 1, a, "loop", 4) == -EINVAL);
	EXPECT(ops->rename(&r.ctx, b, "f", 1, root, "a", 1) == -EISDIR);
	EXPECT(ops->rename(&r.ctx, b, "f", 1, root, "f", 1) == 0 && there(root, "f") == 0);
	EXPECT(ops->rename(&r.ctx, a, "b", 1, root, "f", 1) == -ENOTDIR);
	EXPECT(ops->rename(&r.ctx, a, "b", 1, root, "c", 1) == 0 && a->attr.nlink == 2);
	EXPECT(root->attr.nlink == links + 2);
	EXPECT(find(b, "..", &m) == 0 && m == root && put(m) == 0);
	EXPECT(ops->rename(&r.ctx, root, "c", 1, root, "a", 1) == 0 && a->attr.nlink == 0);
	EXPECT(root->attr.nlink == links + 1 && there(root, "c") == -ENOENT);
	EXPECT(ops->create(&r.ctx, a, "x", 1, 0644, &m) == -ENOENT);
	EXPECT(ops->mkdir(&r.ctx, a, "x", 1, 0755, NULL) == -ENOENT && put(a) == 0);
	EXPECT(put(b) == 0 && ops->rmdir(&r.ctx, root, "a", 1) == 0);
	EXPECT(root->attr.nlink == links && put(f) == 0);
	return 0;
}

static int test_flat(void)
{
	struct fs_node *m = NULL;

	EXPECT(ops->mkdir(&r.ctx, root, "a", 1, 0755, &m) == -EPERM);
	EXPECT(there(root, "a") == -ENOENT && root->attr.nlink == 2);
	EXPECT(make("f") != NULL && ops->rmdir(&r.ctx, root, "f", 1) == -ENOTDIR);
	EXPECT(ops->rmdir(&r.ctx, root, "g", 1) == -ENOENT);
	EXPECT(ops->unlink(&r.ctx, root, ".", 1) == -EISDIR);
	return 0;
}

static int test_links(void)
{
	struct fs_node *n = make("n"), *m = NULL;

	EXPECT(write_all(n, 0, "same", 4) == 0);
	EXPECT(ops->link(&r.ctx, n, root, "n", 1) == -EEXIST);
	EXPECT(ops->link(&r.ctx, n, root, "m", 1) == 0 && n->attr.nlink == 2);
	EXPECT(find(root, "m", &m) == 0 && m == n && put(m) == 0);
	EXPECT(move("n", "m") == 0 && there(root, "n") == 0 && there(root, "m") == 0);
	EXPECT(ops->link(&r.ctx, root, root, "r", 1) == -EPERM);
	/* link_of_a_directory_to_a_taken_name: mem and log said -EEXIST */
	EXPECT(ops->link(&r.ctx, root, root, "m", 1) == -EPERM);
	EXPECT(drop("n") == 0 && n->attr.nlink == 1 && put(n) == 0);
	EXPECT(find(root, "m", &m) == 0 && holds(m, 0, "same", 4));
	EXPECT(drop("m") == 0 && ops->link(&r.ctx, m, root, "o", 1) == -ENOENT && put(m) == 0);
	return 0;
}

static int test_no_links(void)
{
	struct fs_node *n = make("n");

	EXPECT(ops->link(&r.ctx, n, root, "m", 1) == -EPERM && n->attr.nlink == 1);
	EXPECT(there(root, "m") == -ENOENT && put(n) == 0);
	return 0;
}

static int test_symlinks(void)
{
	static const unsigned lengths[] = {1, 59, 60, 61, 200, 1000};
	char text[FS_SYMLINK_MAX + 10], got[1100], name[16];
	struct fs_node *n, *f = make("f");

	memset(text, 's', sizeof text);
	for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		const unsigned len = lengths[i];
		const size_t k = (size_t)snprintf(name, sizeof name, "l%u", len);

		EXPECT(ops->symlink(&r.ctx, root, name, k, text, len, &n) == 0);
		EXPECT(n->attr.size == len && (n->attr.mode & FS_IFMT) == FS_IFLNK);
		EXPECT(ops->readlink(&r.ctx, n, got, sizeof got) == len);
		EXPECT(memcmp(text, got, len) == 0 && ops->readlink(&r.ctx, n, got, 1) == 1);
		EXPECT(ops->read(&r.ctx, n, 0, got, 1) == -EINVAL && put(n) == 0);
	}
	EXPECT(ops->symlink(&r.ctx, root, "x", 1, text, FS_SYMLINK_MAX + 1, &n) == -ENAMETOOLONG);
	EXPECT(ops->symlink(&r.ctx, root, "x", 1, text, 0, &n) == -EINVAL);
	EXPECT(ops->symlink(&r.ctx, root, "l1", 2, text, 1, &n) == -EEXIST);
	EXPECT(ops->readlink(&r.ctx, f, got, 10) == -EINVAL && put(f) == 0);
	EXPECT(drop("l59") == 0 && drop("l1000") == 0 && there(root, "l200") == 0);
	return 0;
}

static int test_no_symlinks(void)
{
	struct fs_node *n = NULL, *f = make("f");
	char got[4];

	EXPECT(ops->symlink(&r.ctx, root, "x", 1, "to", 2, &n) == -EPERM);
	EXPECT(there(root, "x") == -ENOENT && ops->readlink(&r.ctx, f, got, 4) == -EINVAL);
	EXPECT(put(f) == 0);
	return 0;
}

/* ---- the volume as a whole ---- */

/* Fills it with one file: how many bytes it took. */
static uint64_t fill(const char *name)
{
	static uint8_t chunk[50000];
	struct fs_node *n = make(name);
	uint64_t off = 0;
	int64_t k = 0;

	while (n && (k = ops->write(&r.ctx, n, off, chunk, sizeof chunk)) > 0)
		off += (uint64_t)k;
	if (!n || k != -ENOSPC || n->attr.size != off || put(n) != 0)
		return 0;
	return off;
}

static int test_full(void)
{
	struct fs_node *n = make("keep");
	const uint64_t before = (write_all(n, 0, "kept", 4), free_blocks());
	uint64_t size;

	EXPECT((size = fill("f")) > LIMIT / 2 && ops->sync(&r.ctx) == 0);
	EXPECT(holds(n, 0, "kept", 4) && write_all(n, 0, "KEPT", 4) == 0);
	EXPECT(drop("f") == 0 && ops->sync(&r.ctx) == 0 && free_blocks() == before);
	EXPECT(fill("g") == size && drop("g") == 0 && holds(n, 0, "KEPT", 4) && put(n) == 0);
	return 0;
}

/* As many files as it takes, then one less and one more. */
static int test_many(void)
{
	enum { MOST = 40000 };
	struct fs_node *n;
	char name[16];
	int made = 0, status = 0;

	while (status == 0 && made < MOST) {
		const int len = snprintf(name, sizeof name, "n%d", made);

		status = ops->create(&r.ctx, root, name, (size_t)len, 0644, &n);
		if (status == 0)
			EXPECT(put(n) == 0 && ++made);
	}
	EXPECT(status == -ENOSPC && made > 50 && there(root, "n0") == 0);
	EXPECT(there(root, name) == -ENOENT && drop("n1") == 0 && ops->sync(&r.ctx) == 0);
	EXPECT((n = make("n1")) != NULL && put(n) == 0);
	return 0;
}

static int test_lasting(void)
{
	static uint8_t w[100000];
	struct fs_node *n = make("n");

	pattern(w, sizeof w, 1);
	EXPECT(write_all(n, 10, w, sizeof w) == 0 && put(n) == 0);
	EXPECT(again(0) == 0 && !r.ctx.fs->readonly);
	if (ops->traits & FS_DISKLESS) {
		EXPECT(there(root, "n") == -ENOENT);
		return 0;
	}
	EXPECT(find(root, "n", &n) == 0 && n->attr.size == sizeof w + 10);
	EXPECT(zeros(n, 0, 10) && holds(n, 10, w, sizeof w) && put(n) == 0);
	EXPECT(drop("n") == 0 && again(0) == 0 && there(root, "n") == -ENOENT);
	return 0;
}

static int test_readonly(void)
{
	const struct fs_attr a = {.mode = 0600};
	struct fs_node *n = make("n"), *m = NULL;
	uint64_t writes;

	EXPECT(put(n) == 0 && put(root) == 0 && rig_down(&r, 1) == 0);
	writes = r.disk->commands[DISK_WRITE];
	EXPECT(up(FS_MOUNT_RDONLY) == 0 && r.ctx.fs->readonly);
	EXPECT(ops->create(&r.ctx, root, "m", 1, 0644, &m) == -EROFS);
	if (!(ops->traits & FS_DISKLESS)) {
		EXPECT(find(root, "n", &n) == 0 && ops->write(&r.ctx, n, 0, "x", 1) == -EROFS);
		EXPECT(ops->truncate(&r.ctx, n, 5) == -EROFS && drop("n") == -EROFS);
		EXPECT(ops->setattr(&r.ctx, n, &a, FS_SET_MODE) == -EROFS);
		EXPECT(move("n", "o") == -EROFS && put(n) == 0);
	}
	EXPECT(ops->sync(&r.ctx) == 0 && r.disk->commands[DISK_WRITE] == writes);
	return 0;
}

static int test_busy(void)
{
	struct fs_node *n = make("n");
	struct fs_ctx c = r.ctx;

	EXPECT(ops->unmount(&c, 0) == -EBUSY && c.fs == r.ctx.fs);
	EXPECT(put(root) == 0 && ops->unmount(&c, 0) == -EBUSY && holds(n, 0, "", 0));
	ops->ref(&r.ctx, n);
	EXPECT(put(n) == 0 && ops->unmount(&c, 0) == -EBUSY && put(n) == 0);
	EXPECT(ops->root(&r.ctx, &root) == 0 && ops->unmount(&c, 0) == -EBUSY);
	EXPECT(put(root) == 0 && ops->unmount(&r.ctx, 0) == 0 && r.ctx.fs == NULL);
	EXPECT(rig_down(&r, 0) == 0 && up(0) == 0);
	return 0;
}

/* A process dies in an operation: the next one goes on, or is told that it is read-only now. */
static int test_death(void)
{
	struct fs_node *n = make("n"), *m = NULL;

	r.ctx.fs->lock.owner = 2;
	host_dead = 2;
	EXPECT(there(root, "n") == 0 && !r.ctx.fs->readonly);
	EXPECT(ops->create(&r.ctx, root, "m", 1, 0644, &m) == 0 && put(m) == 0 && put(n) == 0);
	return 0;
}

/* A failing disk is told of, and what was not lost is there when it works again. */
static int test_errors(void)
{
	static uint8_t w[100000], got[100000];
	struct fs_node *n = make("n");

	pattern(w, sizeof w, 8);
	EXPECT(write_all(n, 0, w, sizeof w) == 0 && ops->sync(&r.ctx) == 0);
	buf_invalidate(r.cache);
	disk_fail(r.disk, DISK_READ, 1, UINT64_MAX / 2);
	EXPECT(ops->read(&r.ctx, n, 0, got, sizeof got) == -EIO);
	disk_fail(r.disk, DISK_READ, 1, 0);
	EXPECT(holds(n, 0, w, sizeof w) && write_all(n, 0, "new", 3) == 0);
	disk_fail(r.disk, DISK_WRITE, 1, 40);
	EXPECT(ops->fsync(&r.ctx, n) == -EIO);
	disk_fail(r.disk, DISK_WRITE, 1, 0);
	EXPECT(ops->fsync(&r.ctx, n) == 0 && !r.ctx.fs->readonly && holds(n, 0, "new", 3));
	disk_fail(r.disk, DISK_FLUSH, 1, 1);
	EXPECT(write_all(n, 5, "new", 3) == 0 && ops->fsync(&r.ctx, n) == -EIO);
	EXPECT(ops->fsync(&r.ctx, n) == 0 && put(n) == 0);
	return 0;
}

/* ---- bounds of write-back ---- */

static int tune(uint32_t dirty_most)
{
	struct buf_tuning t;

	buf_get_tuning(r.cache, &t);
	t.dirty_most = dirty_most;
	return buf_tune(r.cache, &t);
}

/* Who starts from the disk as it is now, nothing synced, finds under the name just these bytes
 * (lookup's error, -1: others). */
static int on_disk(const char *name, const void *bytes, size_t len)
{
	static uint8_t got[BIG];
	struct disk *d = disk_new(r.disk->nblocks);
	struct rig other;
	struct fs_node *top, *n;
	int status = -1;

	memcpy(d->data, r.disk->data, d->nblocks * DISK_BLOCK);
	if (rig_up_as(&other, ops, d, FRAMES, FS_MOUNT_RDONLY, LIMIT) == 0) {
		if (ops->root(&other.ctx, &top) == 0) {
			status = ops->lookup(&other.ctx, top, name, strlen(name), &n);
			if (status == 0 &&
			    (n->attr.size != len ||
			     ops->read(&other.ctx, n, 0, got, sizeof got) != (int64_t)len ||
			     memcmp(got, bytes, len) != 0))
				status = -1;
		}
		(void)rig_down(&other, 0);
	}
	disk_free(d);
	return status;
}

/* Write-through: when an operation has ended, the disk has what it changed. */
static int test_through(void)
{
	static uint8_t w[BIG];
	struct fs_node *n;
	const struct fs_attr a = {.size = 5000};

	pattern(w, sizeof w, 4);
	EXPECT(tune(0) == 0);
	EXPECT((n = make("n")) != NULL && on_disk("n", w, 0) == 0);
	EXPECT(write_all(n, 0, w, sizeof w) == 0 && on_disk("n", w, sizeof w) == 0);
	EXPECT(write_all(n, 4000, "over", 4) == 0 && memcpy(w + 4000, "over", 4));
	EXPECT(on_disk("n", w, sizeof w) == 0);
	EXPECT(ops->truncate(&r.ctx, n, 9999) == 0 && on_disk("n", w, 9999) == 0);
	EXPECT(ops->setattr(&r.ctx, n, &a, FS_SET_SIZE) == 0 && on_disk("n", w, 5000) == 0);
	EXPECT(move("n", "m") == 0 && on_disk("m", w, 5000) == 0 && on_disk("n", w, 0) == -ENOENT);
	EXPECT(drop("m") == 0 && on_disk("m", w, 0) == -ENOENT && put(n) == 0);
	return 0;
}

static int test_through_names(void)
{
	struct fs_node *n, *d;

	EXPECT(tune(0) == 0);
	EXPECT((n = make("n")) != NULL && write_all(n, 0, "same", 4) == 0);
	EXPECT(ops->mkdir(&r.ctx, root, "d", 1, 0755, &d) == 0 && on_disk("d", "", 0) != -ENOENT);
	EXPECT(ops->link(&r.ctx, n, root, "l", 1) == 0 && on_disk("l", "same", 4) == 0);
	EXPECT(put(d) == 0 && ops->rmdir(&r.ctx, root, "d", 1) == 0);
	EXPECT(on_disk("d", "", 0) == -ENOENT);
	EXPECT(ops->symlink(&r.ctx, root, "s", 1, "n", 1, &d) == 0 && put(d) == 0);
	EXPECT(on_disk("s", "", 0) != -ENOENT && put(n) == 0);
	return 0;
}

/* Write-back: no more is dirty after an operation than is allowed, and that which is in no buffer
 * is told of (fs.dirty), since it grows old too. */
static int test_bounds(void)
{
	enum { MOST = 10 };
	static uint8_t w[BIG];
	const struct fs_attr a = {.mode = 0600};
	struct buf_stats s;
	struct fs_node *n;
	char name[8];

	EXPECT(tune(MOST) == 0);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "n%d", i);
		EXPECT((n = make(name)) != NULL);
		buf_get_stats(r.cache, &s);
		EXPECT(s.dirty <= MOST && write_all(n, 0, w, i % 2 ? 5000 : sizeof w / 10) == 0);
		buf_get_stats(r.cache, &s);
		EXPECT(s.dirty <= MOST && put(n) == 0);
	}
	EXPECT(ops->sync(&r.ctx) == 0 && !r.ctx.fs->dirty && find(root, "n3", &n) == 0);
	EXPECT(ops->setattr(&r.ctx, n, &a, FS_SET_MODE) == 0);
	buf_get_stats(r.cache, &s);
	EXPECT((s.dirty || r.ctx.fs->dirty) && put(n) == 0);
	return 0;
}

/* What a write-through cannot write is told of once, and not lost. */
static int test_through_errors(void)
{
	struct fs_node *n = make("n");

	EXPECT(tune(0) == 0);
	EXPECT(write_all(n, 0, "first", 5) == 0);
	disk_fail(r.disk, DISK_WRITE, 1, 20);
	EXPECT(ops->write(&r.ctx, n, 0, "again", 5) == -EIO && holds(n, 0, "again", 5));
	disk_fail(r.disk, DISK_WRITE, 1, 0);
	EXPECT(!r.ctx.fs->readonly && write_all(n, 5, "!", 1) == 0 &&
	       on_disk("n", "again!", 6) == 0);
	EXPECT(put(n) == 0);
	return 0;
}

/* Volumes that are not this variant's, and none at all. */
static int test_foreign(void)
{
	struct disk *d = disk_new(64);
	struct rig other;

	for (int kind = 0; kind < 3; kind++) {
		memset(d->data, kind == 2 ? 0xff : 0, d->nblocks * DISK_BLOCK);
		for (size_t i = 0; kind == 1 && i < d->nblocks * DISK_BLOCK; i++)
			d->data[i] = (uint8_t)(i * i >> 7);
		EXPECT(rig_up_as(&other, ops, d, FRAMES, 0, LIMIT) == -EINVAL);
		EXPECT(strstr(other.message, ops->name) != NULL);
	}
	EXPECT(d->commands[DISK_WRITE] == 0);
	disk_free(d);
	return 0;
}

/* ---- all of them, for all variants ---- */

static const struct {
	const char *name;
	int (*run)(void);
	uint32_t without, with; /* traits that it is not, or only, for */
} tests[] = {
	{"names", test_names, 0, 0},
	{"walk", test_walk, FS_FLAT, 0},
	{"walk_changes", test_walk_changes, FS_FLAT, 0},
	{"walk_unknown", test_walk_unknown, FS_FLAT, 0},
	{"walk_stops", test_walk_stops, FS_FLAT | FS_NO_SYMLINKS, 0},
	{"rename", test_rename, 0, 0},
	{"unlinked", test_unlinked, 0, 0},
	{"readdir", test_readdir, 0, 0},
	{"bytes", test_bytes, 0, 0},
	{"holes", test_holes, 0, 0},
	{"truncate", test_truncate, 0, 0},
	{"random", test_random, 0, 0},
	{"attributes", test_attributes, 0, 0},
	{"times", test_times, 0, 0},
	{"directories", test_directories, FS_FLAT, 0},
	{"flat", test_flat, 0, FS_FLAT},
	{"links", test_links, FS_NO_LINKS, 0},
	{"no_links", test_no_links, 0, FS_NO_LINKS},
	{"symlinks", test_symlinks, FS_NO_SYMLINKS, 0},
	{"no_symlinks", test_no_symlinks, 0, FS_NO_SYMLINKS},
	{"full", test_full, 0, 0},
	{"many", test_many, 0, 0},
	{"lasting", test_lasting, 0, 0},
	{"readonly", test_readonly, 0, 0},
	{"busy", test_busy, 0, 0},
	{"death", test_death, 0, 0},
	{"errors", test_errors, FS_DISKLESS, 0},
	{"through", test_through, FS_DISKLESS, 0},
	{"through_names", test_through_names, FS_DISKLESS | FS_FLAT | FS_NO_LINKS | FS_NO_SYMLINKS,
	 0},
	{"bounds", test_bounds, FS_DISKLESS, 0},
	{"through_errors", test_through_errors, FS_DISKLESS, 0},
	{"foreign", test_foreign, FS_DISKLESS, 0},
};
enum { NTESTS = sizeof tests / sizeof tests[0] };

static int (*current)(void);

/* On a fresh volume; the cache and, of ext2, the volume must be sound afterwards. */
static int on_fresh(void)
{
	r.disk = disk_new(fresh->nblocks);
	memcpy(r.disk->data, fresh->data, fresh->nblocks * DISK_BLOCK);
	EXPECT(up(0) == 0);
	EXPECT(r.ctx.fs->type == ops->type && r.ctx.fs->mark == 0 && root->user == 0);
	if (current())
		return 1;
	EXPECT(r.cache == NULL || buf_check(r.cache) == 0);
	EXPECT(put(root) == 0 && rig_down(&r, 1) == 0);
	EXPECT(ops->type != FS_TYPE_EXT2 || host_e2fsck(r.disk, "conform") == 0);
	disk_free(r.disk);
	return 0;
}

/* How many tests there were for it, and in *passed how many it passed. */
static int conform(int *passed)
{
	int total = 0;

	*passed = 0;
	fresh = host_volume(ops, MIB);
	for (int i = 0; i < NTESTS; i++) {
		char name[64];

		if ((ops->traits & tests[i].without) ||
		    (ops->traits & tests[i].with) != tests[i].with)
			continue;
		snprintf(name, sizeof name, "conform.%s.%s", ops->name, tests[i].name);
		current = tests[i].run;
		total++;
		*passed += host_test(name, on_fresh) == 0;
	}
	disk_free(fresh);
	return total;
}

int main(int argc, char **argv)
{
	const struct fs_ops *const *const first = __start_fs_variants;
	const size_t n = (size_t)(__stop_fs_variants - first);
	char table[1024] = "";
	size_t at = 0;
	int failed = 0;

	for (size_t i = 0; i < n && at < sizeof table; i++) {
		int passed, total;

		ops = first[i];
		if (argc > 1 && strcmp(argv[1], ops->name) != 0)
			continue;
		total = conform(&passed);
		failed += total - passed;
		at += (size_t)snprintf(table + at, sizeof table - at, "# %-8s %3d of %d\n",
				       ops->name, passed, total);
	}
	printf("# variant  conforms\n%s", table);
	return failed != 0;
}
