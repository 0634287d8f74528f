/*
 * test_ext2.c - host tests of ext2, operation by operation, on images that mke2fs made; e2fsck has
 * the last word.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "host.h"

static const struct fs_ops *const ops = &fs_ext2_ops;

static struct fs_node *must(struct rig *r, struct fs_node *dir, const char *name)
{
	struct fs_node *n = NULL;

	return ops->lookup(&r->ctx, dir, name, strlen(name), &n) == 0 ? n : NULL;
}

static int find(struct rig *r, struct fs_node *dir, const char *name)
{
	struct fs_node *n;
	int status = ops->lookup(&r->ctx, dir, name, strlen(name), &n);

	return status != 0 ? status : ops->put(&r->ctx, n);
}

static struct fs_node *root_of(struct rig *r)
{
	struct fs_node *root = NULL;

	return ops->root(&r->ctx, &root) == 0 ? root : NULL;
}

static void pattern(uint8_t *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((seed + i) * 2654435761u >> 11);
}

/* ---- reading what others made ---- */

static int check_foreign(unsigned bs)
{
	static uint8_t want[700000], got[700000];
	char name[32], source[128];
	struct rig r;
	struct fs_attr a;

	snprintf(name, sizeof name, "foreign%u", bs);
	snprintf(source, sizeof source, "%s/source", DIR_OUT);
	EXPECT(host_run("rm -rf %s && mkdir -p %s/sub/deep && ln -s sub/deep %s/short && "
			"ln -s $(printf '%%0200d' 7) %s/long && chmod 751 %s/sub && mkdir %s/many "
			"&& "
			"for i in $(seq 300); do echo $i >%s/many/file$i; done",
			source, source, source, source, source, source, source) == 0);
	pattern(want, sizeof want, 5);
	char path[256];
	snprintf(path, sizeof path, "%s/sub/deep/data", source);
	FILE *f = fopen(path, "wb");
	EXPECT(f != NULL && fwrite(want, sizeof want, 1, f) == 1 && fclose(f) == 0);
	snprintf(path, sizeof path, "-d %s", source);
	struct disk *d = host_mke2fs(name, bs, 16, path);
	EXPECT(rig_up(&r, d, 512, FS_MOUNT_RDONLY) == 0);
	struct fs_node *root = root_of(&r), *sub = must(&r, root, "sub");
	EXPECT(sub != NULL && (sub->attr.mode & 07777) == 0751);
	struct fs_node *deep = must(&r, sub, "deep"), *data = must(&r, deep, "data");
	EXPECT(data != NULL && data->attr.size == sizeof want);
	EXPECT(ops->read(&r.ctx, data, 0, got, sizeof got + 0) == sizeof want);
	EXPECT(memcmp(want, got, sizeof want) == 0);
	EXPECT(ops->read(&r.ctx, data, 699999, got, 10) == 1 && got[0] == want[699999]);
	EXPECT(ops->read(&r.ctx, data, 700000, got, 10) == 0);
	struct fs_node *s = must(&r, root, "short"), *l = must(&r, root, "long");
	EXPECT(ops->readlink(&r.ctx, s, (char *)got, 100) == 8 && memcmp(got, "sub/deep", 8) == 0);
	EXPECT(ops->readlink(&r.ctx, l, (char *)got, 1000) == 200 && got[199] == '7');
	EXPECT(find(&r, must(&r, root, "many"), "file299") == 0);
	EXPECT(find(&r, root, "nothing") == -ENOENT && find(&r, data, "x") == -ENOTDIR);
	EXPECT(ops->getattr(&r.ctx, data, &a) == 0 && a.nlink == 1);
	EXPECT(ops->write(&r.ctx, data, 0, "x", 1) == -EROFS);
	EXPECT(rig_down(&r, 1) == 0);
	EXPECT(d->commands[DISK_WRITE] == 0);
	disk_free(d);
	return 0;
}

static int test_foreign(void)
{
	return check_foreign(1024) || check_foreign(2048) || check_foreign(4096);
}

/* ---- big and sparse files ---- */

static int check_sparse(unsigned bs)
{
	uint64_t per = bs / 4;
	uint64_t at[] = {0,
			 11 * bs + 5,
			 12 * bs,
			 (12 + per) * bs - 3,
			 (12 + per + per * per) * bs - 7,
			 (12 + per + per * per + 5 * per) * (uint64_t)bs + 100};
	uint8_t b[64], w[64];
	char name[32];
	struct rig r;
	struct fs_node *n;

	snprintf(name, sizeof name, "sparse%u", bs);
	struct disk *d = host_mke2fs(name, bs, 16, "");
	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *root = root_of(&r);
	EXPECT(ops->create(&r.ctx, root, "s", 1, 0644, &n) == 0);
	for (unsigned i = 0; i < 6; i++) {
		pattern(w, sizeof w, i);
		EXPECT(ops->write(&r.ctx, n, at[i], w, sizeof w) == sizeof w);
	}
	for (unsigned i = 0; i < 6; i++) {
		pattern(w, sizeof w, i);
		EXPECT(ops->read(&r.ctx, n, at[i], b, sizeof b) == sizeof b);
		EXPECT(memcmp(b, w, sizeof b) == 0);
	}
	EXPECT(ops->read(&r.ctx, n, 20 * bs, b, sizeof b) == sizeof b);
	for (unsigned i = 0; i < sizeof b; i++)
		EXPECT(b[i] == 0);
	EXPECT(ops->fsync(&r.ctx, n) == 0);
	EXPECT(ops->sync(&r.ctx) == 0 && host_e2fsck(d, name) == 0);
	uint64_t blocks = n->attr.blocks;
	for (unsigned i = 6; i-- > 1;) {
		EXPECT(ops->truncate(&r.ctx, n, at[i] + 1) == 0);
		EXPECT(n->attr.blocks <= blocks);
		blocks = n->attr.blocks;
	}
	EXPECT(ops->truncate(&r.ctx, n, at[5]) == 0);
	EXPECT(ops->read(&r.ctx, n, at[1], b, sizeof b) == sizeof b);
	pattern(w, sizeof w, 1);
	EXPECT(b[0] == w[0] && b[1] == 0 && b[63] == 0);
	EXPECT(ops->write(&r.ctx, n, UINT64_MAX - 5, w, 5) == -EFBIG);
	EXPECT(ops->truncate(&r.ctx, n, UINT64_MAX) == -EFBIG);
	EXPECT(ops->put(&r.ctx, n) == 0 && ops->put(&r.ctx, root) == 0);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, name) == 0);
	disk_free(d);
	return 0;
}

static int test_sparse(void)
{
	return check_sparse(1024) || check_sparse(2048) || check_sparse(4096);
}

static int test_sequential(void)
{
	static uint8_t chunk[65536], back[65536];
	struct rig r;
	struct fs_node *n;
	struct disk *d = host_mke2fs("seq", 4096, 64, "");

	EXPECT(rig_up(&r, d, 2048, 0) == 0);
	struct fs_node *root = root_of(&r);
	EXPECT(ops->create(&r.ctx, root, "big", 3, 0644, &n) == 0);
	uint64_t before = d->commands[DISK_WRITE];
	for (unsigned i = 0; i < 640; i++) {
		pattern(chunk, sizeof chunk, i);
		EXPECT(ops->write(&r.ctx, n, i * sizeof chunk, chunk, sizeof chunk) ==
		       sizeof chunk);
	}
	EXPECT(ops->fsync(&r.ctx, n) == 0);
	/* 10240 blocks in commands of up to 256, and some for tables and bitmaps. */
	EXPECT(d->commands[DISK_WRITE] - before < 70);
	EXPECT(ops->sync(&r.ctx) == 0);
	buf_invalidate(r.cache);
	before = d->commands[DISK_READ];
	for (unsigned i = 0; i < 640; i++) {
		pattern(chunk, sizeof chunk, i);
		EXPECT(ops->read(&r.ctx, n, i * sizeof chunk, back, sizeof back) == sizeof back);
		EXPECT(memcmp(chunk, back, sizeof back) == 0);
	}
	EXPECT(d->commands[DISK_READ] - before < 80 && d->largest == 256);
	EXPECT(ops->put(&r.ctx, n) == 0);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "seq") == 0);
	disk_free(d);
	return 0;
}

/* The volume as it is on the disk now, by a second mount, has file `name` with `len` bytes of
 * `seed`. */
static int survives(const struct disk *d, const char *name, size_t len, unsigned seed)
{
	static uint8_t want[9000], got[9000];
	struct disk *copy = disk_new(d->nblocks);
	struct fs_node *n;
	struct rig r;

	memcpy(copy->data, d->data, d->nblocks * DISK_BLOCK);
	pattern(want, sizeof want, seed);
	EXPECT(rig_up(&r, copy, 64, FS_MOUNT_RDONLY) == 0);
	EXPECT(ops->lookup(&r.ctx, root_of(&r), name, strlen(name), &n) == 0);
	EXPECT(n->attr.size == len);
	EXPECT(ops->read(&r.ctx, n, 0, got, sizeof got) == (int64_t)len);
	EXPECT(memcmp(want, got, len) == 0);
	EXPECT(rig_down(&r, 0) == 0);
	disk_free(copy);
	return 0;
}

/* The power fails after any operation: with write-through, what it did is on the disk. */
static int check_write_through(unsigned bs)
{
	static uint8_t data[9000];
	struct disk *d = host_mke2fs("through", bs, 8, "");
	struct buf_tuning t;
	struct rig r;

	EXPECT(rig_up(&r, d, 128, 0) == 0);
	struct fs_node *root = root_of(&r), *n;
	buf_get_tuning(r.cache, &t);
	t.dirty_most = 0;
	EXPECT(buf_tune(r.cache, &t) == 0);
	for (unsigned i = 0; i < 12; i++) {
		char name[16], moved[16];
		int len = snprintf(name, sizeof name, "file%u", i);
		int to = snprintf(moved, sizeof moved, "moved%u", i);

		pattern(data, sizeof data, i);
		EXPECT(ops->create(&r.ctx, root, name, (size_t)len, 0644, &n) == 0);
		EXPECT(survives(d, name, 0, i) == 0);
		EXPECT(ops->write(&r.ctx, n, 0, data, sizeof data) == sizeof data);
		EXPECT(survives(d, name, sizeof data, i) == 0);
		EXPECT(ops->rename(&r.ctx, root, name, (size_t)len, root, moved, (size_t)to) == 0);
		EXPECT(survives(d, moved, sizeof data, i) == 0);
		EXPECT(ops->truncate(&r.ctx, n, 5000) == 0);
		EXPECT(survives(d, moved, 5000, i) == 0 && ops->put(&r.ctx, n) == 0);
	}
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 0) == 0);
	/* Nobody unmounted it: a check finds only counts to put right. */
	disk_save(d, DIR_OUT "/through.img");
	int checked = host_run("/sbin/e2fsck -fp %s/through.img", DIR_OUT);
	EXPECT(WIFEXITED(checked) && WEXITSTATUS(checked) <= 1);
	disk_free(d);
	return 0;
}

static int test_write_through(void)
{
	return check_write_through(1024) || check_write_through(4096);
}

/* Advice reaches the cache: announced blocks are read, dropped ones read again. */
static int test_advice(void)
{
	static uint8_t data[65536];
	struct disk *d = host_mke2fs("advice", 1024, 8, "");
	struct fs_node *n;
	struct rig r;

	EXPECT(rig_up(&r, d, 128, 0) == 0);
	struct fs_node *root = root_of(&r);
	EXPECT(ops->create(&r.ctx, root, "f", 1, 0644, &n) == 0);
	EXPECT(ops->write(&r.ctx, n, 0, data, sizeof data) == sizeof data);
	EXPECT(ops->advise(&r.ctx, n, 0, UINT64_MAX, FS_ADVICE_DONTNEED) == 0);
	uint64_t before = d->commands[DISK_READ];
	EXPECT(ops->advise(&r.ctx, n, 0, UINT64_MAX, FS_ADVICE_WILLNEED) == 0);
	EXPECT(d->commands[DISK_READ] > before);
	before = d->commands[DISK_READ];
	EXPECT(ops->read(&r.ctx, n, 0, data, sizeof data) == sizeof data);
	EXPECT(d->commands[DISK_READ] == before);
	EXPECT(ops->advise(&r.ctx, n, 0, 4096, FS_ADVICE_DONTNEED) == 0);
	EXPECT(ops->read(&r.ctx, n, 0, data, 4096) == 4096 && d->commands[DISK_READ] > before);
	EXPECT(ops->advise(&r.ctx, n, UINT64_MAX, 1, FS_ADVICE_ONCE) == 0);
	EXPECT(ops->advise(&r.ctx, n, 0, 0, FS_ADVICE_RANDOM) == 0);
	EXPECT(ops->advise(&r.ctx, root, 0, 0, FS_ADVICE_NORMAL) == -EINVAL);
	EXPECT(ops->put(&r.ctx, n) == 0 && ops->put(&r.ctx, root) == 0);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "advice") == 0);
	disk_free(d);
	return 0;
}

/* ---- names ---- */

/* A name of 200 letters. */
static const char *long_name(int i)
{
	static char name[201];

	snprintf(name, sizeof name, "%0200d", i);
	return name;
}

/* How a walk to file `i` ends. */
static enum fs_walked walk_to(struct rig *r, struct fs_node *root, int i)
{
	struct fs_walk w = {long_name(i), 200, root, NULL, FS_WANT_NODE, NULL};
	const enum fs_walked walked = ops->walk(&r->ctx, &w);

	if (w.node != NULL && ops->put(&r->ctx, w.node) != 0)
		abort();
	return walked;
}

/* More names than the cache of names has room for: what it has forgotten it does not deny. */
static int test_forgotten_names(void)
{
	enum { FILES = 1500 };
	struct rig r;
	struct fs_node *n;
	struct disk *d = host_mke2fs("forgotten", 1024, 8, "");
	unsigned stopped = 0;

	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *root = root_of(&r);
	for (int i = 0; i < FILES; i++) {
		EXPECT(ops->create(&r.ctx, root, long_name(i), 200, 0600, &n) == 0);
		EXPECT(ops->put(&r.ctx, n) == 0);
	}
	for (int i = 0; i < FILES; i += 3)
		EXPECT(ops->unlink(&r.ctx, root, long_name(i), 200) == 0);
	for (int i = 0; i < FILES; i++) {
		const enum fs_walked walked = walk_to(&r, root, i);

		EXPECT(walked == FS_WALK_STOPPED ||
		       walked == (i % 3 == 0 ? FS_WALK_ABSENT : FS_WALK_FOUND));
		EXPECT(find(&r, root, long_name(i)) == (i % 3 == 0 ? -ENOENT : 0));
		stopped += walked == FS_WALK_STOPPED;
	}
	EXPECT(stopped > 0);
	ops->put(&r.ctx, root);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "forgotten") == 0);
	disk_free(d);
	return 0;
}

static int test_names(void)
{
	struct rig r;
	struct fs_node *a, *b, *f, *n;
	struct disk *d = host_mke2fs("names", 1024, 8, "");
	char longest[256], many[32];

	memset(longest, 'n', sizeof longest);
	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *root = root_of(&r);
	EXPECT(ops->mkdir(&r.ctx, root, "a", 1, 0755, &a) == 0 && root->attr.nlink == 4);
	EXPECT(ops->mkdir(&r.ctx, a, "b", 1, 0755, &b) == 0);
	EXPECT(ops->mkdir(&r.ctx, root, "a", 1, 0755, NULL) == -EEXIST);
	EXPECT(ops->mkdir(&r.ctx, root, ".", 1, 0755, NULL) == -EEXIST);
	EXPECT(ops->create(&r.ctx, b, longest, 255, 0600, &f) == 0);
	EXPECT(ops->create(&r.ctx, b, longest, 256, 0600, &n) == -ENAMETOOLONG);
	EXPECT(ops->create(&r.ctx, b, "x/y", 3, 0600, &n) == -EINVAL);
	EXPECT(ops->create(&r.ctx, f, "x", 1, 0600, &n) == -ENOTDIR);
	EXPECT(ops->link(&r.ctx, f, root, "hard", 4) == 0 && f->attr.nlink == 2);
	EXPECT(ops->link(&r.ctx, a, root, "hard2", 5) == -EPERM);
	EXPECT(ops->rmdir(&r.ctx, root, "a", 1) == -ENOTEMPTY);
	EXPECT(ops->rmdir(&r.ctx, root, "hard", 4) == -ENOTDIR);
	EXPECT(ops->unlink(&r.ctx, root, "a", 1) == -EISDIR);
	EXPECT(ops->rename(&r.ctx, root, "a", 1, b, "loop", 4) == -EINVAL);
	EXPECT(ops->rename(&r.ctx, root, "a", 1, a, "loop", 4) == -EINVAL);
	EXPECT(ops->rename(&r.ctx, a, "b", 1, root, "hard", 4) == -ENOTDIR);
	EXPECT(ops->rename(&r.ctx, root, "hard", 4, a, "b", 1) == -EISDIR);
	EXPECT(ops->rename(&r.ctx, a, "b", 1, root, "b2", 2) == 0);
	EXPECT(a->attr.nlink == 2 && root->attr.nlink == 5);
	EXPECT((n = must(&r, b, "..")) == root && ops->put(&r.ctx, n) == 0);
	EXPECT(ops->rename(&r.ctx, root, "b2", 2, root, "a", 1) == 0);
	EXPECT(a->attr.nlink == 0 && find(&r, root, "b2") == -ENOENT);
	EXPECT(ops->create(&r.ctx, a, "x", 1, 0600, &n) == -ENOENT);
	EXPECT(ops->put(&r.ctx, a) == 0 && root->attr.nlink == 4);
	/* An unlinked open file lives on, and goes at the last put. */
	struct fs_statfs s, t;
	EXPECT(ops->write(&r.ctx, f, 0, longest, 256) == 256);
	EXPECT(ops->unlink(&r.ctx, root, "hard", 4) == 0);
	EXPECT(ops->unlink(&r.ctx, b, longest, 255) == 0 && f->attr.nlink == 0);
	EXPECT(ops->read(&r.ctx, f, 0, longest, 256) == 256);
	EXPECT(ops->statfs(&r.ctx, &s) == 0 && ops->put(&r.ctx, f) == 0);
	EXPECT(ops->statfs(&r.ctx, &t) == 0);
	EXPECT(t.bfree == s.bfree + 1 && t.ffree == s.ffree + 1);
	for (int i = 0; i < 500; i++) {
		int len = snprintf(many, sizeof many, "some-file-%d", i);
		EXPECT(ops->create(&r.ctx, b, many, (size_t)len, 0600, &n) == 0);
		EXPECT(ops->put(&r.ctx, n) == 0);
	}
	struct fs_dirent ents[7];
	int total = 0, k;
	uint64_t cookie = 0;
	while ((k = ops->readdir(&r.ctx, b, cookie, ents, 7)) > 0) {
		total += k;
		cookie = ents[k - 1].cookie;
	}
	EXPECT(k == 0 && total == 502);
	for (int i = 0; i < 500; i += 2) {
		int len = snprintf(many, sizeof many, "some-file-%d", i);
		EXPECT(ops->unlink(&r.ctx, b, many, (size_t)len) == 0);
	}
	EXPECT(find(&r, b, "some-file-77") == 0 && find(&r, b, "some-file-78") == -ENOENT);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "names") == 0);
	disk_free(d);
	return 0;
}

static int test_symlinks(void)
{
	struct rig r;
	struct fs_node *n;
	struct disk *d = host_mke2fs("symlinks", 1024, 8, "");
	char text[1100], got[1100], name[16];

	memset(text, 's', sizeof text);
	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *root = root_of(&r);
	for (unsigned len = 1; len < 1024; len += len < 70 ? 1 : 100) {
		int k = snprintf(name, sizeof name, "l%u", len);
		EXPECT(ops->symlink(&r.ctx, root, name, (size_t)k, text, len, &n) == 0);
		EXPECT(n->attr.size == len && (n->attr.blocks == 0) == (len < 60));
		EXPECT(ops->readlink(&r.ctx, n, got, sizeof got) == len);
		EXPECT(memcmp(text, got, len) == 0 && ops->put(&r.ctx, n) == 0);
	}
	EXPECT(ops->symlink(&r.ctx, root, "x", 1, text, 1024, &n) == -ENAMETOOLONG);
	EXPECT(ops->symlink(&r.ctx, root, "x", 1, text, 0, &n) == -EINVAL);
	EXPECT(ops->unlink(&r.ctx, root, "l59", 3) == 0 &&
	       ops->unlink(&r.ctx, root, "l60", 3) == 0);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "symlinks") == 0);
	disk_free(d);
	return 0;
}

static int test_attributes(void)
{
	struct rig r;
	struct fs_node *n;
	struct disk *d = host_mke2fs("attr", 4096, 8, "");

	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *root = root_of(&r);
	r.ctx.uid = 70000;
	r.ctx.gid = 80000;
	EXPECT(ops->create(&r.ctx, root, "f", 1, 06754, &n) == 0);
	struct fs_attr a = {.mode = 0123,
			    .uid = 100001,
			    .gid = 5,
			    .size = 77,
			    .mtime = {5000000000, 123456789},
			    .atime = {-5, 7}};
	EXPECT(n->attr.uid == 70000 && n->attr.mode == (FS_IFREG | 06754));
	EXPECT(ops->setattr(&r.ctx, n, &a,
			    FS_SET_UID | FS_SET_SIZE | FS_SET_MTIME | FS_SET_ATIME) == 0);
	EXPECT(ops->put(&r.ctx, n) == 0 && ops->put(&r.ctx, root) == 0);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "attr") == 0);
	EXPECT(rig_up(&r, d, 64, FS_MOUNT_RDONLY) == 0);
	n = must(&r, root_of(&r), "f");
	EXPECT(n != NULL && ops->getattr(&r.ctx, n, &a) == 0);
	EXPECT(a.uid == 100001 && a.gid == 80000 && a.size == 77 && a.mode == (FS_IFREG | 06754));
	EXPECT(a.mtime.sec == 5000000000 && a.mtime.nsec == 123456789);
	EXPECT(a.atime.sec == -5 && a.atime.nsec == 7);
	EXPECT(rig_down(&r, 1) == 0);
	disk_free(d);
	return 0;
}

/* ---- the volume as a whole ---- */

static int fill_up(struct rig *r, struct fs_node *root)
{
	static uint8_t chunk[100000];
	struct fs_node *n;
	uint64_t off = 0;
	int64_t k;

	EXPECT(ops->create(&r->ctx, root, "fill", 4, 0644, &n) == 0);
	while ((k = ops->write(&r->ctx, n, off, chunk, sizeof chunk)) > 0)
		off += (uint64_t)k;
	EXPECT(k == -ENOSPC && n->attr.size == off);
	EXPECT(ops->mkdir(&r->ctx, root, "no", 2, 0755, NULL) == -ENOSPC);
	EXPECT(ops->put(&r->ctx, n) == 0);
	return 0;
}

static int check_full(unsigned bs)
{
	struct rig r;
	struct fs_statfs s, t;
	struct fs_node *n;
	char name[16];
	struct disk *d = host_mke2fs("full", bs, 8, "-N 64");

	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *root = root_of(&r);
	EXPECT(ops->statfs(&r.ctx, &s) == 0);
	EXPECT(fill_up(&r, root) == 0);
	EXPECT(ops->sync(&r.ctx) == 0 && host_e2fsck(d, "full") == 0);
	EXPECT(ops->unlink(&r.ctx, root, "fill", 4) == 0 && ops->statfs(&r.ctx, &t) == 0);
	EXPECT(s.bfree == t.bfree && s.ffree == t.ffree);
	r.ctx.uid = 1000;
	EXPECT(fill_up(&r, root) == 0);
	EXPECT(ops->statfs(&r.ctx, &t) == 0 && t.bavail == 0 && t.bfree > 0);
	EXPECT(ops->unlink(&r.ctx, root, "fill", 4) == 0);
	int status = 0, made = 0;
	for (; status == 0; made++) {
		int len = snprintf(name, sizeof name, "f%d", made);
		status = ops->create(&r.ctx, root, name, (size_t)len, 0644, &n);
		if (status == 0)
			EXPECT(ops->put(&r.ctx, n) == 0);
	}
	EXPECT(status == -ENOSPC && (uint64_t)made == s.ffree + 1);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "full") == 0);
	disk_free(d);
	return 0;
}

static int test_full(void)
{
	return check_full(1024) || check_full(4096);
}

static uint16_t state_on(const struct disk *d)
{
	return (uint16_t)(d->data[1024 + 58] | d->data[1024 + 59] << 8);
}

static int test_state(void)
{
	struct rig r;
	struct fs_node *n;
	struct disk *d = host_mke2fs("state", 4096, 8, "");

	EXPECT(state_on(d) == 1 && rig_up(&r, d, 64, 0) == 0 && state_on(d) == 0);
	struct fs_node *root = root_of(&r);
	EXPECT(ops->sync(&r.ctx) == 0 && state_on(d) == 1);
	EXPECT(ops->create(&r.ctx, root, "f", 1, 0644, &n) == 0 && state_on(d) == 0);
	EXPECT(ops->unlink(&r.ctx, root, "f", 1) == 0);
	EXPECT(ops->sync(&r.ctx) == 0 && state_on(d) == 0); /* an orphan is held */
	EXPECT(ops->unmount(&r.ctx, 0) == -EBUSY);
	EXPECT(rig_down(&r, 1) == 0 && state_on(d) == 1 && host_e2fsck(d, "state") == 0);
	d->data[1024 + 58] = 0; /* what was not clean before does not become so */
	EXPECT(rig_up(&r, d, 64, 0) == 0 && rig_down(&r, 1) == 0 && state_on(d) == 0);
	disk_free(d);
	return 0;
}

static int test_features(void)
{
	struct rig r;
	struct disk *d = host_mke2fs("features", 4096, 8, "");

	d->data[1024 + 96] |= 0x40;
	d->data[1024 + 97] |= 0x02;
	EXPECT(rig_up(&r, d, 64, 0) == -EINVAL);
	EXPECT(strcmp(r.message, "ext2: features not understood: extent flex_bg") == 0);
	d->data[1024 + 96] &= 0x02;
	d->data[1024 + 97] = 0;
	d->data[1024 + 101] |= 0x04;
	EXPECT(rig_up(&r, d, 64, 0) == 0 && r.ctx.fs->readonly);
	EXPECT(strcmp(r.message, "ext2: read-only because of features: metadata_csum") == 0);
	EXPECT(rig_down(&r, 1) == 0 && d->commands[DISK_WRITE] == 0);
	d->data[1024 + 56] = 0;
	EXPECT(rig_up(&r, d, 64, 0) == -EINVAL);
	EXPECT(strcmp(r.message, "ext2: not an ext2 file system") == 0);
	disk_free(d);
	return 0;
}

/* A directory with a hash index stays a good directory when changed without it. */
static int test_index(void)
{
	struct rig r;
	struct fs_node *n;
	char name[32];
	struct disk *d = host_mke2fs("index", 1024, 8, "-d " DIR_OUT "/source");

	disk_free(d);
	EXPECT(host_run("/sbin/e2fsck -fDy %s/index.img; test $? -le 1", DIR_OUT) == 0);
	d = disk_load(DIR_OUT "/index.img");
	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *dir = must(&r, root_of(&r), "many");
	EXPECT(dir != NULL);
	for (int i = 1; i <= 300; i++) {
		int len = snprintf(name, sizeof name, "file%d", i);
		if (i % 3 == 0) {
			EXPECT(ops->unlink(&r.ctx, dir, name, (size_t)len) == 0);
			continue;
		}
		EXPECT(find(&r, dir, name) == 0);
		len = snprintf(name, sizeof name, "another-longer-name%d", i);
		EXPECT(ops->create(&r.ctx, dir, name, (size_t)len, 0600, &n) == 0);
	}
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "index") == 0);
	disk_free(d);
	return 0;
}

/* A process dies inside: in an operation that reads, or in one that changes. */
static int test_death(void)
{
	struct rig r;
	struct disk *d = host_mke2fs("death", 4096, 8, "");

	EXPECT(rig_up(&r, d, 64, 0) == 0);
	struct fs_node *root = root_of(&r);
	r.ctx.fs->lock.owner = 2;
	host_dead = 2;
	EXPECT(find(&r, root, "lost+found") == 0 && !r.ctx.fs->readonly);
	owner_token = 3;
	EXPECT(ops->mkdir(&r.ctx, root, "x", 1, 0755, NULL) == 0);
	disk_fail(d, DISK_WRITE, 1, 0);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "death") == 0);
	disk_free(d);
	return 0;
}

int main(void)
{
	int failed = 0;

	failed += host_test("ext2.foreign", test_foreign);
	failed += host_test("ext2.sparse", test_sparse);
	failed += host_test("ext2.sequential", test_sequential);
	failed += host_test("ext2.write_through", test_write_through);
	failed += host_test("ext2.advice", test_advice);
	failed += host_test("ext2.names", test_names);
	failed += host_test("ext2.forgotten_names", test_forgotten_names);
	failed += host_test("ext2.symlinks", test_symlinks);
	failed += host_test("ext2.attributes", test_attributes);
	failed += host_test("ext2.full", test_full);
	failed += host_test("ext2.state", test_state);
	failed += host_test("ext2.features", test_features);
	failed += host_test("ext2.index", test_index);
	failed += host_test("ext2.death", test_death);
	return failed != 0;
}
