/*
 * exercise.c - the sequence of exercise.h. Bounded by itself, whatever the volume says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "exercise.h"

#define ENTRIES_MAX 400
#define READ_MAX    (1u << 20)

static void put(struct rig *r, struct fs_node *n)
{
	if (n != NULL)
		(void)r->ops->put(&r->ctx, n);
}

static struct fs_node *find(struct rig *r, struct fs_node *dir, const char *name)
{
	struct fs_node *n = NULL;

	if (dir == NULL || r->ops->lookup(&r->ctx, dir, name, strlen(name), &n) != 0)
		return NULL;
	return n;
}

/* Looks at one node: attributes, bytes at the start, the middle and the end. */
static void look(struct rig *r, struct fs_node *n)
{
	static char bytes[READ_MAX];
	struct fs_attr a;

	(void)r->ops->getattr(&r->ctx, n, &a);
	(void)r->ops->readlink(&r->ctx, n, bytes, 5000);
	(void)r->ops->read(&r->ctx, n, 0, bytes, sizeof bytes);
	(void)r->ops->read(&r->ctx, n, a.size / 2, bytes, 10000);
	(void)r->ops->read(&r->ctx, n, a.size > 5000 ? a.size - 5000 : 0, bytes, 10000);
}

/* All of a directory, two levels down from `depth` 2. */
static void walk(struct rig *r, struct fs_node *dir, int depth, unsigned *budget)
{
	struct fs_dirent ents[8];
	uint64_t cookie = 0;
	int k;

	while (*budget > 0 && (k = r->ops->readdir(&r->ctx, dir, cookie, ents, 8)) > 0) {
		for (int i = 0; i<k && * budget> 0; i++) {
			struct fs_node *n = find(r, dir, ents[i].name);

			--*budget;
			cookie = ents[i].cookie;
			if (n == NULL)
				continue;
			look(r, n);
			if (depth > 0 && ents[i].name[0] != '.')
				walk(r, n, depth - 1, budget);
			put(r, n);
		}
	}
}

static void change_files(struct rig *r, struct fs_node *root, struct fs_node *dir)
{
	static char bytes[150000];
	struct fs_node *n = NULL, *big = find(r, root, "big"), *sparse = find(r, root, "sparse");
	struct fs_attr a = {.mode = 0600, .size = 30000};

	if (big != NULL) {
		(void)r->ops->write(&r->ctx, big, 5000, bytes, 20000);
		(void)r->ops->write(&r->ctx, big, big->attr.size, bytes, sizeof bytes);
		(void)r->ops->setattr(&r->ctx, big, &a, FS_SET_MODE | FS_SET_SIZE);
		(void)r->ops->fsync(&r->ctx, big);
	}
	if (sparse != NULL) {
		(void)r->ops->write(&r->ctx, sparse, 300000, bytes, 3000);
		(void)r->ops->truncate(&r->ctx, sparse, 100);
		(void)r->ops->truncate(&r->ctx, sparse, 20000000);
	}
	(void)r->ops->unlink(&r->ctx, root, "big", 3);
	put(r, big);
	put(r, sparse);
	(void)r->ops->unlink(&r->ctx, root, "sparse", 6);
	if (r->ops->create(&r->ctx, dir, "new", 3, 0644, &n) == 0) {
		(void)r->ops->write(&r->ctx, n, 0, bytes, sizeof bytes);
		(void)r->ops->link(&r->ctx, n, root, "link", 4);
		put(r, n);
	}
}

static void change_names(struct rig *r, struct fs_node *root, struct fs_node *dir)
{
	static const char target[] =
		"a target that is longer than sixty bytes, so that it needs a block of its own";
	struct fs_node *n = NULL;
	char name[32];

	(void)r->ops->mkdir(&r->ctx, dir, "inner", 5, 0755, NULL);
	(void)r->ops->rename(&r->ctx, dir, "inner", 5, root, "outer", 5);
	(void)r->ops->rename(&r->ctx, root, "dir", 3, root, "outer", 5);
	(void)r->ops->rename(&r->ctx, root, "tree", 4, dir, "tree", 4);
	if (r->ops->symlink(&r->ctx, root, "sl", 2, target, sizeof target - 1, &n) == 0)
		put(r, n);
	for (int i = 0; i < 60; i++) {
		int len = snprintf(name, sizeof name, "file%d", i);
		if (i % 2)
			(void)r->ops->unlink(&r->ctx, dir, name, (size_t)len);
		else if (r->ops->create(&r->ctx, root, name, (size_t)len, 0644, &n) == 0)
			put(r, n);
	}
	(void)r->ops->unlink(&r->ctx, root, "short", 5);
	(void)r->ops->unlink(&r->ctx, root, "long", 4);
	(void)r->ops->rmdir(&r->ctx, root, "outer", 5);
	(void)r->ops->rmdir(&r->ctx, root, "lost+found", 10);
}

void exercise(struct rig *r)
{
	struct fs_node *root, *dir;
	struct fs_statfs s;
	unsigned budget = ENTRIES_MAX;

	if (r->ops->root(&r->ctx, &root) != 0)
		return;
	(void)r->ops->statfs(&r->ctx, &s);
	walk(r, root, 2, &budget);
	dir = r->ops->traits & FS_FLAT ? find(r, root, ".") : find(r, root, "dir");
	if (dir != NULL) {
		change_files(r, root, dir);
		(void)r->ops->sync(&r->ctx);
		change_names(r, root, dir);
	}
	put(r, dir);
	put(r, root);
	(void)r->ops->sync(&r->ctx);
}

/* Directories and links, for those who have them. */
static int prepare_tree(struct rig *r, struct fs_node *root)
{
	char text[200];
	struct fs_node *n;
	int status = r->ops->mkdir(&r->ctx, root, "tree", 4, 0755, &n) |
		     r->ops->mkdir(&r->ctx, n, "sub", 3, 0755, NULL);

	memset(text, 'l', sizeof text);
	status |= r->ops->put(&r->ctx, n);
	status |= r->ops->symlink(&r->ctx, root, "short", 5, "dir", 3, &n);
	status |= r->ops->put(&r->ctx, n);
	status |= r->ops->symlink(&r->ctx, root, "long", 4, text, sizeof text, &n);
	return status | r->ops->put(&r->ctx, n);
}

static int prepare_files(struct rig *r, struct fs_node *root, struct fs_node *dir, uint64_t most)
{
	static char bytes[400000];
	struct fs_node *n;
	char name[32];
	int status = 0;

	for (int i = 0; i < 60 && status == 0; i++) {
		int len = snprintf(name, sizeof name, "file%d", i);
		status |= r->ops->create(&r->ctx, dir, name, (size_t)len, 0644, &n);
		status |= r->ops->put(&r->ctx, n);
	}
	status |= r->ops->create(&r->ctx, root, "big", 3, 0644, &n);
	status |= r->ops->write(&r->ctx, n, 0, bytes, sizeof bytes) != sizeof bytes;
	status |= r->ops->put(&r->ctx, n) | r->ops->create(&r->ctx, root, "sparse", 6, 0644, &n);
	for (uint64_t off = 100; off < most; off *= 12)
		status |= r->ops->write(&r->ctx, n, off, "sparse", 6) != 6;
	return status | r->ops->put(&r->ctx, n);
}

int exercise_prepare_as(const struct fs_ops *ops, struct disk *d)
{
	const int flat = (ops->traits & FS_FLAT) != 0;
	struct rig r;
	struct fs_node *root, *dir;
	int status = rig_up_as(&r, ops, d, 64, 0, 0);

	if (status != 0 || (status = ops->root(&r.ctx, &root)) != 0)
		return status;
	if (flat)
		status |= ops->lookup(&r.ctx, root, ".", 1, &dir);
	else
		status |= ops->mkdir(&r.ctx, root, "dir", 3, 0755, &dir);
	status |= prepare_files(&r, root, dir, flat ? 200000 : 70000000);
	if (!flat)
		status |= prepare_tree(&r, root);
	status |= ops->put(&r.ctx, dir) | ops->put(&r.ctx, root);
	int down = rig_down(&r, 1);
	return status != 0 ? status : down;
}

int exercise_prepare(struct disk *d)
{
	return exercise_prepare_as(&fs_ext2_ops, d);
}
