/*
 * test_model.c - file systems against a model in memory: thousands of random operations with the
 * same outcome in both, then each file of the model is there and holds what it should.  Of ext2,
 * e2fsck finds the volume clean besides, and debugfs the model's tree on it.
 *
 * Owns: the model, arrays of inodes and of names. Seeds are fixed; a failure prints seed and step.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "host.h"

#define NODES	 48
#define NAMES	 96
#define FILE_MAX 400000

static const struct fs_ops *ops;

/* An inode of the model; number 0 is the root. */
struct mnode {
	uint32_t type; /* 0: free */
	uint32_t links, parent;
	uint32_t size;
	uint8_t *data;
	struct fs_node *open; /* held although maybe unlinked */
};

struct mname {
	int used;
	uint32_t dir, node;
	char name[64];
};

static struct mnode nodes[NODES];
static struct mname names[NAMES];

static struct mname *m_find(uint32_t dir, const char *name)
{
	for (int i = 0; i < NAMES; i++)
		if (names[i].used && names[i].dir == dir && strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

static int m_empty(uint32_t dir)
{
	for (int i = 0; i < NAMES; i++)
		if (names[i].used && names[i].dir == dir)
			return 0;
	return 1;
}

static struct mname *m_name(uint32_t dir, const char *name, uint32_t node)
{
	for (int i = 0; i < NAMES; i++) {
		if (names[i].used)
			continue;
		names[i] = (struct mname){.used = 1, .dir = dir, .node = node};
		strcpy(names[i].name, name);
		return &names[i];
	}
	return NULL;
}

static int m_room(void)
{
	int n = 0, m = 0;

	for (int i = 0; i < NAMES; i++)
		n += !names[i].used;
	for (int i = 0; i < NODES; i++)
		m += nodes[i].type == 0;
	return n > 1 && m > 1;
}

static uint32_t m_node(uint32_t type, uint32_t parent)
{
	uint32_t i = 1;

	while (nodes[i].type != 0)
		i++;
	nodes[i] = (struct mnode){.type = type, .links = 1, .parent = parent};
	if (type != FS_IFDIR)
		nodes[i].data = calloc(1, FILE_MAX);
	return i;
}

static void m_release(uint32_t i)
{
	if (nodes[i].links > 0 || nodes[i].open != NULL)
		return;
	free(nodes[i].data);
	nodes[i] = (struct mnode){0};
}

static void m_reset(void)
{
	for (uint32_t i = 0; i < NODES; i++)
		free(nodes[i].data);
	memset(nodes, 0, sizeof nodes);
	memset(names, 0, sizeof names);
	nodes[0] = (struct mnode){.type = FS_IFDIR, .links = 1};
}

/* A random live directory of the model, and its path's node in the file system, with a reference.
 */
static struct fs_node *pick_dir(struct rig *r, struct rng *g, uint32_t *m)
{
	uint32_t chain[NODES], n = 0, i;
	struct fs_node *at, *next;

	do
		i = rnd(g, NODES);
	while (nodes[i].type != FS_IFDIR || nodes[i].links == 0);
	*m = i;
	for (; i != 0; i = nodes[i].parent)
		chain[n++] = i;
	if (ops->root(&r->ctx, &at) != 0)
		return NULL;
	while (n-- > 0) {
		const char *name = NULL;

		for (int k = 0; k < NAMES; k++)
			if (names[k].used && names[k].node == chain[n])
				name = names[k].name;
		if (name == NULL || ops->lookup(&r->ctx, at, name, strlen(name), &next) != 0 ||
		    ops->put(&r->ctx, at) != 0)
			return NULL;
		at = next;
	}
	return at;
}

static const char *pick_name(struct rng *g)
{
	static char name[2][64];
	static int which;
	char *p = name[which ^= 1];
	uint32_t k = rnd(g, 24);

	snprintf(p, 64, "%.*s%u", (int)(k % 5 * 10),
		 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", k);
	return p;
}

/* ---- the operations, each on both ---- */

static int do_make(struct rig *r, struct rng *g)
{
	static const uint32_t types[] = {FS_IFREG, FS_IFREG, FS_IFDIR, FS_IFLNK};
	uint32_t dir, type = types[rnd(g, 4)], len = 1 + rnd(g, 120);
	const char *name = pick_name(g);
	struct fs_node *d = pick_dir(r, g, &dir), *n = NULL;
	char target[128];
	int status;

	EXPECT(d != NULL);
	memset(target, 't', sizeof target);
	if (type == FS_IFREG)
		status = ops->create(&r->ctx, d, name, strlen(name), 0644, &n);
	else if (type == FS_IFDIR)
		status = ops->mkdir(&r->ctx, d, name, strlen(name), 0755, &n);
	else
		status = ops->symlink(&r->ctx, d, name, strlen(name), target, len, &n);
	EXPECT(status == (m_find(dir, name) != NULL ? -EEXIST : 0));
	if (status == 0) {
		uint32_t m = m_node(type, dir);
		m_name(dir, name, m);
		if (type == FS_IFLNK) {
			nodes[m].size = len;
			memset(nodes[m].data, 't', len);
		}
		EXPECT(ops->put(&r->ctx, n) == 0);
	}
	EXPECT(ops->put(&r->ctx, d) == 0);
	return 0;
}

static int do_remove(struct rig *r, struct rng *g)
{
	uint32_t dir;
	const char *name = pick_name(g);
	struct fs_node *d = pick_dir(r, g, &dir);
	struct mname *m = m_find(dir, name);

	EXPECT(d != NULL);
	int is_dir = m != NULL && nodes[m->node].type == FS_IFDIR;
	int status = ops->unlink(&r->ctx, d, name, strlen(name));
	EXPECT(status == (m == NULL ? -ENOENT : is_dir ? -EISDIR : 0));
	if (status == -EISDIR) {
		status = ops->rmdir(&r->ctx, d, name, strlen(name));
		EXPECT(status == (m_empty(m->node) ? 0 : -ENOTEMPTY));
	}
	if (status == 0) {
		nodes[m->node].links--;
		m->used = 0;
		m_release(m->node);
	}
	EXPECT(ops->put(&r->ctx, d) == 0);
	return 0;
}

/* What rename must answer. */
static int m_rename_status(const struct mname *from, uint32_t to_dir, const struct mname *over)
{
	if (from == NULL)
		return -ENOENT;
	int dir = nodes[from->node].type == FS_IFDIR;
	for (uint32_t i = to_dir; dir && from->dir != to_dir; i = nodes[i].parent) {
		if (i == from->node)
			return -EINVAL;
		if (i == 0)
			break;
	}
	if (dir && from->node == to_dir)
		return -EINVAL;
	if (over == NULL || over->node == from->node)
		return 0;
	if ((nodes[over->node].type == FS_IFDIR) != dir)
		return dir ? -ENOTDIR : -EISDIR;
	return dir && !m_empty(over->node) ? -ENOTEMPTY : 0;
}

static int do_rename(struct rig *r, struct rng *g)
{
	uint32_t a, b;
	const char *from = pick_name(g), *to = pick_name(g);
	struct fs_node *da = pick_dir(r, g, &a), *db = pick_dir(r, g, &b);
	struct mname *m = m_find(a, from), *over = m_find(b, to);

	EXPECT(da != NULL && db != NULL);
	int status = ops->rename(&r->ctx, da, from, strlen(from), db, to, strlen(to));
	EXPECT(status == m_rename_status(m, b, over));
	if (status == 0 && (over == NULL || over->node != m->node)) {
		uint32_t node = m->node;
		if (over != NULL) {
			nodes[over->node].links--;
			m_release(over->node);
			over->used = 0;
		}
		m->used = 0;
		m_name(b, to, node);
		nodes[node].parent = nodes[node].type == FS_IFDIR ? b : 0;
	}
	EXPECT(ops->put(&r->ctx, da) == 0 && ops->put(&r->ctx, db) == 0);
	return 0;
}

static int do_link(struct rig *r, struct rng *g)
{
	uint32_t a, b;
	const char *from = pick_name(g), *to = pick_name(g);
	struct fs_node *da = pick_dir(r, g, &a), *db = pick_dir(r, g, &b), *n;
	const struct mname *m = m_find(a, from);

	EXPECT(da != NULL && db != NULL);
	int status = ops->lookup(&r->ctx, da, from, strlen(from), &n);
	EXPECT(status == (m == NULL ? -ENOENT : 0));
	if (status == 0) {
		status = ops->link(&r->ctx, n, db, to, strlen(to));
		EXPECT(status == (nodes[m->node].type == FS_IFDIR ? -EPERM
				  : m_find(b, to) != NULL	  ? -EEXIST
								  : 0));
		if (status == 0) {
			nodes[m->node].links++;
			m_name(b, to, m->node);
		}
		EXPECT(n->attr.nlink ==
		       (nodes[m->node].type == FS_IFDIR ? n->attr.nlink : nodes[m->node].links));
		EXPECT(ops->put(&r->ctx, n) == 0);
	}
	EXPECT(ops->put(&r->ctx, da) == 0 && ops->put(&r->ctx, db) == 0);
	return 0;
}

/* A node for a random regular file, with a reference, or NULL. */
static struct fs_node *pick_file(struct rig *r, struct rng *g, uint32_t *m)
{
	uint32_t dir;
	struct fs_node *n = NULL;

	for (int tries = 0; tries < 20; tries++) {
		const char *name = pick_name(g);
		struct fs_node *d = pick_dir(r, g, &dir);
		const struct mname *e = m_find(dir, name);

		if (e != NULL && nodes[e->node].type == FS_IFREG &&
		    ops->lookup(&r->ctx, d, name, strlen(name), &n) == 0)
			*m = e->node;
		if (ops->put(&r->ctx, d) != 0 || n != NULL)
			break;
	}
	return n;
}

static int check_read(struct rig *r, struct fs_node *n, const struct mnode *m, uint32_t off,
		      uint32_t len)
{
	static uint8_t got[FILE_MAX];
	int64_t want = off >= m->size ? 0 : m->size - off < len ? m->size - off : len;

	EXPECT(n->attr.size == m->size);
	EXPECT(ops->read(&r->ctx, n, off, got, len) == want);
	EXPECT(memcmp(got, m->data + off, (size_t)want) == 0);
	return 0;
}

static int do_bytes(struct rig *r, struct rng *g)
{
	static uint8_t bytes[FILE_MAX];
	uint32_t i = 0, off = rnd(g, rnd(g, 4) == 0 ? FILE_MAX : 20000);
	struct fs_node *n = pick_file(r, g, &i);
	struct mnode *m = &nodes[i];

	if (n == NULL)
		return 0;
	uint32_t most = FILE_MAX - off, len = rnd(g, rnd(g, 4) == 0 ? most : 5000) % (most + 1);
	switch (rnd(g, 4)) {
	case 0:
		EXPECT(ops->truncate(&r->ctx, n, off) == 0);
		if (off < m->size)
			memset(m->data + off, 0, m->size - off);
		m->size = off;
		break;
	case 1:
		EXPECT(check_read(r, n, m, off, len) == 0);
		break;
	default:
		for (uint32_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)(g->s >> 20) ^ (uint8_t)(k * 7);
		EXPECT(ops->write(&r->ctx, n, off, bytes, len) == len);
		memcpy(m->data + off, bytes, len);
		if (len > 0 && off + len > m->size)
			m->size = off + len;
	}
	EXPECT(n->attr.size == m->size);
	EXPECT(ops->put(&r->ctx, n) == 0);
	return 0;
}

/* Opens a file, or closes one that was opened, maybe unlinked meanwhile. */
static int do_hold(struct rig *r, struct rng *g)
{
	uint32_t i = rnd(g, NODES);

	if (nodes[i].open != NULL) {
		EXPECT(check_read(r, nodes[i].open, &nodes[i], 0, FILE_MAX) == 0);
		EXPECT(ops->put(&r->ctx, nodes[i].open) == 0);
		nodes[i].open = NULL;
		m_release(i);
		return 0;
	}
	struct fs_node *n = pick_file(r, g, &i);
	if (n != NULL && nodes[i].open == NULL)
		nodes[i].open = n;
	else if (n != NULL)
		EXPECT(ops->put(&r->ctx, n) == 0);
	return 0;
}

/* How walks ended: a test of them that never saw one is none. */
static unsigned walks[FS_WALK_ABSENT + 1];

/* Puts the model's path to `dir`, with a '/' behind each name, behind what is in `path`. */
static void m_path(uint32_t dir, char *path)
{
	const struct mname *m = names;

	if (dir == 0)
		return;
	m_path(nodes[dir].parent, path);
	while (!m->used || m->node != dir)
		m++;
	strcat(strcat(path, m->name), "/");
}

/* What lookup says of the names of `path`, one by one, from `at` on. */
static int look_along(struct rig *r, struct fs_node *at, const char *path, struct fs_node **out)
{
	int status = 0;

	ops->ref(&r->ctx, at);
	while (status == 0 && *path != 0) {
		const size_t len = strcspn(path, "/");
		struct fs_node *next;

		status = ops->lookup(&r->ctx, at, path, len, &next);
		if (ops->put(&r->ctx, at) != 0)
			return -EIO;
		path += len + strspn(path + len, "/");
		at = next;
	}
	*out = at;
	return status;
}

/* A walk that has ended as `walked` says no more than lookup: `d` is the directory, `m` the name.
 */
static int check_walk(struct rig *r, enum fs_walked walked, const struct fs_walk *w,
		      struct fs_node *d, const struct mname *m, const char *name)
{
	struct fs_node *n = NULL;
	int status = look_along(r, walked == FS_WALK_STOPPED ? w->dir : d,
				walked == FS_WALK_STOPPED ? w->path : name, &n);

	EXPECT(status == (m == NULL ? -ENOENT : 0));
	if (walked == FS_WALK_ABSENT)
		EXPECT(m == NULL && w->dir == d && w->node == NULL);
	if (walked == FS_WALK_FOUND && w->want == FS_WANT_DIR)
		EXPECT(w->dir == d && w->node == NULL);
	else if (walked == FS_WALK_FOUND && w->want == FS_WANT_ATTR)
		EXPECT(status == 0 && w->dir == NULL && w->node == NULL &&
		       memcmp(w->attr, &n->attr, sizeof n->attr) == 0);
	else if (walked == FS_WALK_FOUND)
		EXPECT(status == 0 && w->node == n && nodes[m->node].type != FS_IFLNK &&
		       w->dir == (w->want == FS_WANT_BOTH ? d : NULL));
	if (walked != FS_WALK_STOPPED)
		EXPECT(strcmp(w->path, name) == 0 && w->left == strlen(name));
	return status == 0 ? ops->put(&r->ctx, n) : 0;
}

static int do_walk(struct rig *r, struct rng *g)
{
	const char *name = pick_name(g);
	char path[NODES * 65] = "/";
	struct fs_node *root, *d;
	struct fs_attr attr;
	uint32_t dir;

	if (ops->walk == NULL)
		return 0;
	d = pick_dir(r, g, &dir);
	EXPECT(d != NULL && ops->root(&r->ctx, &root) == 0);
	m_path(dir, path);
	strcat(path, name);
	struct fs_walk w = {path, strlen(path), root, NULL, (enum fs_walk_want)rnd(g, 4), &attr};
	const enum fs_walked walked = ops->walk(&r->ctx, &w);
	walks[walked]++;
	EXPECT(check_walk(r, walked, &w, d, m_find(dir, name), name) == 0);
	EXPECT(w.node == NULL || ops->put(&r->ctx, w.node) == 0);
	EXPECT(w.dir == NULL || w.dir == root || ops->put(&r->ctx, w.dir) == 0);
	EXPECT(ops->put(&r->ctx, d) == 0 && ops->put(&r->ctx, root) == 0);
	return 0;
}

static int do_sync(struct rig *r, struct rng *g)
{
	uint32_t i;
	struct fs_node *n = rnd(g, 2) ? pick_file(r, g, &i) : NULL;

	if (n != NULL) {
		EXPECT(ops->fsync(&r->ctx, n) == 0 && ops->put(&r->ctx, n) == 0);
		return 0;
	}
	EXPECT(ops->sync(&r->ctx) == 0);
	if (r->cache && rnd(g, 3) == 0)
		buf_invalidate(r->cache);
	return 0;
}

static int step(struct rig *r, struct rng *g)
{
	static int (*const all[])(struct rig *, struct rng *) = {
		do_make,  do_make,  do_remove, do_rename, do_link, do_bytes,
		do_bytes, do_bytes, do_hold,   do_walk,	  do_walk};

	if (rnd(g, 60) == 0)
		return do_sync(r, g);
	int (*op)(struct rig *, struct rng *) = all[rnd(g, sizeof all / sizeof all[0])];
	if ((op == do_make || op == do_link) && !m_room())
		op = do_remove;
	return op(r, g);
}

/* ---- the whole tree, as debugfs copies it out ---- */

static int same_file(const char *path, const struct mnode *m)
{
	static uint8_t got[FILE_MAX + 1];
	FILE *f = fopen(path, "rb");

	EXPECT(f != NULL);
	size_t n = fread(got, 1, sizeof got, f);
	fclose(f);
	EXPECT(n == m->size && memcmp(got, m->data, n) == 0);
	return 0;
}

static int same_tree(const char *path, uint32_t dir)
{
	for (int i = 0; i < NAMES; i++) {
		const struct mnode *m = &nodes[names[i].node];
		char at[1024], target[256];
		struct stat st;

		if (!names[i].used || names[i].dir != dir)
			continue;
		snprintf(at, sizeof at, "%s/%s", path, names[i].name);
		EXPECT(lstat(at, &st) == 0 && (st.st_mode & FS_IFMT) == m->type);
		if (m->type == FS_IFDIR && same_tree(at, names[i].node) != 0)
			return 1;
		if (m->type == FS_IFREG && same_file(at, m) != 0)
			return 1;
		if (m->type == FS_IFLNK)
			EXPECT(readlink(at, target, sizeof target) == (ssize_t)m->size);
	}
	return 0;
}

static int let_go(struct rig *r)
{
	for (uint32_t i = 0; i < NODES; i++) {
		if (nodes[i].open == NULL)
			continue;
		EXPECT(ops->put(&r->ctx, nodes[i].open) == 0);
		nodes[i].open = NULL;
		m_release(i);
	}
	return 0;
}

static int steps_of(struct rig *r, uint64_t seed, int steps)
{
	struct rng g = {seed};
	char why[300];

	for (int i = 0; i < steps; i++) {
		int failed = step(r, &g);
		if (failed || (r->cache && i % 64 == 0 && buf_check(r->cache) != 0)) {
			snprintf(why, sizeof why, "%.250s (seed %u, step %d)", host_why,
				 (unsigned)seed, i);
			strcpy(host_why, why);
			return 1;
		}
	}
	return let_go(r);
}

static int run(uint64_t seed, unsigned bs, size_t nframes, int steps)
{
	struct rig r;
	struct disk *d = host_mke2fs("model", bs, 32, "");

	m_reset();
	ops = &fs_ext2_ops;
	memset(walks, 0, sizeof walks);
	EXPECT(rig_up(&r, d, nframes, 0) == 0 && steps_of(&r, seed, steps) == 0);
	EXPECT(walks[FS_WALK_STOPPED] && walks[FS_WALK_FOUND] && walks[FS_WALK_ABSENT]);
	EXPECT(rig_down(&r, 1) == 0 && host_e2fsck(d, "model") == 0);
	disk_free(d);
	EXPECT(host_run("rm -rf %s/tree && mkdir %s/tree && /sbin/debugfs -R 'rdump / %s/tree' "
			"%s/model.img",
			DIR_OUT, DIR_OUT, DIR_OUT, DIR_OUT) == 0);
	EXPECT(same_tree(DIR_OUT "/tree", 0) == 0);
	m_reset();
	return 0;
}

/* The tree as the file system itself tells it. */
static int same_nodes(struct rig *r, struct fs_node *at, uint32_t dir)
{
	for (int i = 0; i < NAMES; i++) {
		const struct mnode *m = &nodes[names[i].node];
		struct fs_node *n;
		char target[256];

		if (!names[i].used || names[i].dir != dir)
			continue;
		EXPECT(ops->lookup(&r->ctx, at, names[i].name, strlen(names[i].name), &n) == 0);
		EXPECT((n->attr.mode & FS_IFMT) == m->type);
		if (m->type == FS_IFDIR && same_nodes(r, n, names[i].node) != 0)
			return 1;
		if (m->type == FS_IFREG)
			EXPECT(n->attr.size == m->size && check_read(r, n, m, 0, FILE_MAX) == 0);
		if (m->type == FS_IFLNK)
			EXPECT(ops->readlink(&r->ctx, n, target, sizeof target) == m->size);
		EXPECT(ops->put(&r->ctx, n) == 0);
	}
	return 0;
}

/* Every other variant that has directories and links, mounted anew before the last look. */
static int run_variant(uint64_t seed, size_t nframes, int steps)
{
	enum { LIMIT = 30 << 20 };
	struct disk *d = host_volume(ops, 32);
	struct fs_node *root;
	struct rig r;

	m_reset();
	EXPECT(rig_up_as(&r, ops, d, nframes, 0, LIMIT) == 0 && steps_of(&r, seed, steps) == 0);
	if (!(ops->traits & FS_DISKLESS))
		EXPECT(rig_down(&r, 1) == 0 && rig_up_as(&r, ops, d, nframes, 0, LIMIT) == 0);
	EXPECT(ops->root(&r.ctx, &root) == 0 && same_nodes(&r, root, 0) == 0);
	EXPECT(ops->put(&r.ctx, root) == 0 && rig_down(&r, 1) == 0);
	disk_free(d);
	m_reset();
	return 0;
}

static int test_variant(void)
{
	return run_variant(51, 1024, 2500) || run_variant(52, 1024, 2500);
}

static int test_1k(void)
{
	return run(11, 1024, 16, 2500) || run(12, 1024, 300, 2500);
}

static int test_2k(void)
{
	return run(21, 2048, 16, 2000) || run(22, 2048, 300, 2000);
}

static int test_4k(void)
{
	return run(41, 4096, 16, 2500) || run(42, 4096, 300, 2500) || run(43, 4096, 1000, 2500);
}

int main(void)
{
	int failed = 0;

	failed += host_test("model.1k", test_1k);
	failed += host_test("model.2k", test_2k);
	failed += host_test("model.4k", test_4k);
	for (const struct fs_ops *const *v = __start_fs_variants; v < __stop_fs_variants; v++) {
		char name[64];

		ops = *v;
		if (ops == &fs_ext2_ops ||
		    (ops->traits & (FS_FLAT | FS_NO_LINKS | FS_NO_SYMLINKS)) != 0)
			continue;
		snprintf(name, sizeof name, "model.%s", ops->name);
		failed += host_test(name, test_variant);
	}
	m_reset();
	return failed != 0;
}
