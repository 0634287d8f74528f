/*
 * mount.c - file systems side by side: the table of mounts, and how this process reaches each.
 *
 * Owns: segment.mount[] and reach_table[].  Place 0 is the root of all paths; the others cover a
 * directory `on`, whose node has `user` = place + 1.  Invariant: a place with `fs` set holds its
 * root and `on` by one reference each, and its file system carries its mark.  A variant is chosen
 * by the file system's type, among those that the program is linked with.  A process opens the
 * volume of a mount when it first meets one of its nodes. Lock: segment.mount_lock, before all
 * others, for the table and for stepping from a covered directory to what covers it; a step back up
 * needs none, since who stands below holds the mount. Called by path.c and directory.c, io.c
 * (sync), halt.c, init, and programs (libos/mount.h).
 */
#include "posix.h"

#include <stdio.h>
#include <string.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/disk_open.h>
#include <libos/mount.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

enum {
	NO_VOLUME = UINT32_MAX,
	SMALL_PAGES = 1024, /* of a segment where images and tables want half */
	CACHE_LEAST = 16,   /* frames of a mount beside the root */
	CACHE_MOST = 512,
	CLEAR_PAGES = 16, /* of zeros, when a volume is made */
};

_Static_assert((int)MOUNT_PATH == (int)POSIX_PATH, "as in mount.h");
_Static_assert((int)MOUNT_PLACES == (int)POSIX_NMOUNT, "as in mount.h");
_Static_assert(MOUNT_WHY == FS_MESSAGE, "as in mount.h");

struct reach reach_table[POSIX_NMOUNT];

/* Volumes that this process has open; a disk handle lives as long as the process. */
static struct volume {
	uint32_t index;
	uint32_t gen; /* of the extent */
	uint32_t cap; /* slot of the right to it */
	struct disk *disk;
} volumes[DISK_VOLUMES];

/* ---- variants ------------------------------------------------------------------------------ */

static const struct fs_ops *variant(unsigned i)
{
	return __start_fs_variants + i < __stop_fs_variants ? __start_fs_variants[i] : NULL;
}

const char *mount_variant(unsigned i)
{
	const struct fs_ops *v = variant(i);

	return v ? v->name : NULL;
}

static const struct fs_ops *variant_of(uint32_t type)
{
	const struct fs_ops *v = NULL;

	for (unsigned i = 0; (v = variant(i)) && v->type != type; i++)
		;
	return v;
}

/* By name; says in `why` which there are when it is none of them. */
static const struct fs_ops *variant_named(const char *name, char why[MOUNT_WHY])
{
	const struct fs_ops *v = NULL;
	int at;

	for (unsigned i = 0; (v = variant(i)) && strcmp(v->name, name) != 0; i++)
		;
	if (v)
		return v;
	at = sniprintf(why, MOUNT_WHY, "no file system '%.20s' in this program; there are:", name);
	for (unsigned i = 0; (v = variant(i)) && at < MOUNT_WHY; i++)
		at += sniprintf(why + at, (size_t)(MOUNT_WHY - at), " %s", v->name);
	return NULL;
}

/* ---- reaching ------------------------------------------------------------------------------ */

/* The highest empty slot, which no volume has: theirs are the lowest that were free. */
static int spare_cap(void)
{
	const volatile struct exo_caps *mine = tables_caps((uint32_t)(start_self() & 0xffff));

	for (int i = EXO_NCAP; i-- > LAYOUT_CAP_FREE;)
		if (mine->c[i].kind == EXO_CAP_NONE)
			return i;
	return -EMFILE;
}

/* Puts the right to the extent, without that to free it, into the empty slot `cap` (0: a free one).
 */
static int open_right(uint32_t index, uint32_t cap)
{
	const int whole = spare_cap();
	int at, error;

	if (whole < 0)
		return whole;
	error = call_result(call_extent_open(index, (uint64_t)whole));
	if (error)
		return error;
	at = cap ? (int)cap : build_free_cap();
	error = at < 0 ? at
		       : call_result(call_cap_derive((uint64_t)whole, (uint64_t)at,
						     EXO_RIGHT_READ | EXO_RIGHT_WRITE, 0, 0));
	(void)call_cap_drop((uint64_t)whole);
	return error ? error : at;
}

static int open_volume(uint32_t index, struct disk **out)
{
	const uint32_t gen = tables_extent(index)->gen;
	struct volume *v = volumes;
	int cap, error;

	for (; v < volumes + DISK_VOLUMES && v->disk; v++)
		if (v->index == index && v->gen == gen) {
			*out = v->disk;
			return 0;
		}
	if (v == volumes + DISK_VOLUMES)
		return -EMFILE;
	/* The root's volume is passed on from parent to child. */
	cap = index == posix_seg->mount[0].volume ? POSIX_CAP_VOLUME : open_right(index, 0);
	if (cap < 0)
		return cap;
	error = disk_open((uint32_t)cap, index, out);
	if (error == 0)
		*v = (struct volume){index, gen, (uint32_t)cap, *out};
	return error;
}

struct reach *reach_open(struct fs *fs)
{
	const struct posix_mount *m = &posix_seg->mount[fs->mark % POSIX_NMOUNT];
	struct reach *r = &reach_table[fs->mark % POSIX_NMOUNT];
	const struct fs_ops *ops = variant_of(fs->type);
	struct disk *disk = NULL;

	if (!ops || (fs->cache && buf_attach(fs->cache)))
		return NULL;
	if (m->volume != NO_VOLUME && open_volume(m->volume, &disk))
		return NULL;
	*r = (struct reach){ops, {fs, disk, posix_self->uid, posix_self->gid}, fs->mark};
	return r;
}

/* The root's right was passed on; the others are opened again in the slots where they were. */
void reach_copied(void)
{
	for (struct volume *v = volumes; v < volumes + DISK_VOLUMES && v->disk; v++)
		if (v->cap != POSIX_CAP_VOLUME && open_right(v->index, v->cap) < 0)
			start_die("cannot open again what is mounted", START_EXIT_ABI);
}

void reach_identity(void)
{
	for (int i = 0; i < POSIX_NMOUNT; i++) {
		reach_table[i].ctx.uid = posix_self->uid;
		reach_table[i].ctx.gid = posix_self->gid;
	}
}

/* It becomes an open file that init is closing; when the table is full, it stays held for good. */
void reach_give_away(struct fs_node *n)
{
	const struct posix_proc *init = proc_find(POSIX_INIT);
	struct posix_file *f = init ? file_new(POSIX_FILE_NODE, 0) : NULL;

	if (!f)
		return;
	posix_lock();
	f->node = n;
	f->refs = 0;
	f->was = POSIX_FILE_NODE;
	f->closer = init->eid;
	f->type = POSIX_FILE_CLOSING;
	posix_unlock();
	posix_wake(init->eid);
}

/* ---- the table ----------------------------------------------------------------------------- */

/* Whoever died in here left at most a directory that does not say what covers it. */
static void mounts_lock(void)
{
	if (lock_acquire(&posix_seg->mount_lock) == LOCK_OK)
		return;
	for (uint32_t i = 1; i < POSIX_NMOUNT; i++)
		if (posix_seg->mount[i].fs)
			posix_seg->mount[i].on->user = i + 1;
}

static void mounts_unlock(void)
{
	lock_release(&posix_seg->mount_lock);
}

struct posix_mount *mount_of_root(const struct fs_node *n)
{
	struct posix_mount *m = &posix_seg->mount[n->fs->mark % POSIX_NMOUNT];

	return m->root == n ? m : NULL;
}

int mount_cross(struct fs_node **n)
{
	while ((*n)->user) {
		struct fs_node *const on = *n;
		const struct posix_mount *m;
		struct fs_node *root = NULL;

		mounts_lock();
		m = on->user ? &posix_seg->mount[on->user - 1] : NULL;
		if (m && m->fs && reach_fs(m->fs)) {
			root = m->root;
			node_ref(root);
		}
		mounts_unlock();
		if (!root && !m)
			return 0;
		node_put(on);
		if (!root)
			return -ENODEV;
		*n = root;
	}
	return 0;
}

void mount_uncross(struct fs_node **n)
{
	const struct posix_mount *m;

	while ((m = mount_of_root(*n)) && m->on) {
		struct fs_node *const root = *n;

		*n = m->on;
		node_ref(*n);
		node_put(root);
	}
}

/* The root of place i, held, or NULL. */
static struct fs_node *hold(uint32_t i)
{
	struct fs_node *root = NULL;

	mounts_lock();
	if (posix_seg->mount[i].fs && reach_fs(posix_seg->mount[i].fs)) {
		root = posix_seg->mount[i].root;
		node_ref(root);
	}
	mounts_unlock();
	return root;
}

/* Is a sync due? */
static int is_dirty(const struct fs *fs)
{
	return !fs->readonly && fs->cache && buf_due(fs->cache, fs->dirty != 0);
}

int mount_sync(int only_dirty)
{
	int first = 0;

	for (uint32_t i = 0; i < POSIX_NMOUNT; i++) {
		struct fs_node *root = hold(i);
		int error = 0;

		if (!root)
			continue;
		if (!only_dirty || is_dirty(root->fs)) {
			struct reach *r = reach_fs(root->fs);

			error = r->ops->sync(&r->ctx);
		}
		node_put(root);
		first = first ? first : error;
	}
	return first;
}

int mount_end_all(void)
{
	int first = 0;

	for (uint32_t i = POSIX_NMOUNT; i-- > 0;) {
		const struct posix_mount *m = &posix_seg->mount[i];
		struct reach *r = m->fs ? reach_fs(m->fs) : NULL;
		const int error = r ? r->ops->unmount(&r->ctx, 1) : 0;

		first = first ? first : error;
	}
	return first;
}

/* ---- mounting ------------------------------------------------------------------------------ */

/* A cache of at most `frames` for a volume of `blocks`; fewer where memory is short. */
static int make_cache(struct posix_mount *m, uint64_t blocks, size_t frames, size_t least)
{
	struct arena *a = posix_seg->arena;

	for (; frames >= least; frames /= 2) {
		m->frames = arena_alloc(a, frames * EXO_PAGE_SIZE);
		m->cache = m->frames ? buf_init(a, m->frames, frames, blocks) : NULL;
		m->nframes = (uint32_t)frames;
		if (m->cache)
			return 0;
		arena_free(a, m->frames, frames * EXO_PAGE_SIZE);
	}
	m->frames = NULL;
	return -ENOMEM;
}

static void free_cache(struct posix_mount *m)
{
	if (m->cache)
		buf_end(posix_seg->arena, m->cache);
	arena_free(posix_seg->arena, m->frames, (size_t)m->nframes * EXO_PAGE_SIZE);
	m->cache = NULL;
	m->frames = NULL;
}

/* Mounts with what stands in m: the root of the file system is held then. */
static int attach(struct posix_mount *m, const struct fs_ops *ops, struct fs_mount *in)
{
	const uint32_t place = (uint32_t)(m - posix_seg->mount);
	struct reach *r = &reach_table[place];
	struct fs *fs;
	int error;

	in->arena = posix_seg->arena;
	in->cache = m->cache;
	error = ops->mount(in, &fs);
	if (error)
		return error;
	fs->mark = ++posix_seg->mounts * POSIX_NMOUNT + place;
	*r = (struct reach){ops, {fs, in->disk, posix_self->uid, posix_self->gid}, fs->mark};
	error = ops->root(&r->ctx, &m->root);
	if (error) {
		(void)ops->unmount(&r->ctx, 1);
		return error;
	}
	m->fs = fs;
	return 0;
}

int posix_mount_root(uint32_t index, char *why, unsigned whylen)
{
	struct posix_mount *m = &posix_seg->mount[0];
	struct fs_mount in = {.flags = 0};
	size_t frames;
	int error;

	why[0] = 0;
	m->volume = index;
	error = open_volume(index, &in.disk);
	if (error)
		return error;
	/* The rest is for what file systems keep beside it, for images, and for other mounts. */
	frames = arena_left(posix_seg->arena) / 8 / EXO_PAGE_SIZE *
		 (posix_seg->pages < SMALL_PAGES ? 4 : 5);
	error = make_cache(m, disk_size(in.disk), frames, frames);
	if (error == 0)
		error = attach(m, variant(0), &in);
	sniprintf(why, whylen, "%s", in.message);
	if (error)
		return error;
	strcpy(m->source, "main");
	node_ref(m->root);
	posix_self->cwd = m->root;
	return 0;
}

int posix_write_back(void)
{
	int error = 0;

	posix_enter();
	if (mount_main())
		error = mount_sync(1);
	upcall_undefer();
	return error;
}

/* The live extent of that name which nothing uses here, or an error with words. */
static int find_extent(const char *name, char why[MOUNT_WHY])
{
	const int index = start_extent_index(name);

	if (index < 0) {
		sniprintf(why, MOUNT_WHY, "no extent '%.20s' on the disk", name);
		return -ENOENT;
	}
	for (uint32_t i = 0; i < POSIX_NMOUNT; i++)
		if (posix_seg->mount[i].fs && posix_seg->mount[i].volume == (uint32_t)index) {
			sniprintf(why, MOUNT_WHY, "extent '%.20s' is mounted", name);
			return -EBUSY;
		}
	return index;
}

/* Finds the volume and gives it a cache. */
static int take_volume(struct posix_mount *m, const char *source, struct fs_mount *in,
		       char why[MOUNT_WHY])
{
	const size_t left = arena_left(posix_seg->arena) / 4 / EXO_PAGE_SIZE;
	const int index = find_extent(source, why);
	int error = index < 0 ? index : open_volume((uint32_t)index, &in->disk);

	if (error == -EACCES || error == -EPERM)
		sniprintf(why, MOUNT_WHY, "extent '%.20s' is somebody else's", source);
	if (error)
		return error;
	m->volume = (uint32_t)index;
	return make_cache(m, disk_size(in->disk),
			  left < CACHE_LEAST  ? CACHE_LEAST
			  : left > CACHE_MOST ? CACHE_MOST
					      : left,
			  CACHE_LEAST);
}

static int fill_place(struct posix_mount *m, const struct mount_wish *w, char why[MOUNT_WHY])
{
	const uint64_t segment = (uint64_t)posix_seg->pages * EXO_PAGE_SIZE;
	const struct fs_ops *ops = variant_named(w->type, why);
	struct fs_mount in = {.flags = w->readonly ? FS_MOUNT_RDONLY : 0,
			      .limit = w->size ? w->size : segment / 8};
	const char *source = w->source ? w->source : "";
	int error = 0;

	if (!ops)
		return -ENODEV;
	m->volume = NO_VOLUME;
	m->cache = NULL;
	m->frames = NULL;
	if (!(ops->traits & FS_DISKLESS)) {
		error = take_volume(m, source, &in, why);
	} else if (in.limit > segment / 2) {
		sniprintf(why, MOUNT_WHY, "more than half of the memory of all processes, %llu KiB",
			  (unsigned long long)segment / 2048);
		error = -EINVAL;
	}
	if (error == 0)
		error = attach(m, ops, &in);
	if (in.message[0])
		memcpy(why, in.message, sizeof in.message);
	if (error)
		free_cache(m);
	sniprintf(m->source, sizeof m->source, "%s", ops->traits & FS_DISKLESS ? "" : source);
	return error;
}

static struct posix_mount *free_place(void)
{
	for (uint32_t i = 1; i < POSIX_NMOUNT; i++)
		if (!posix_seg->mount[i].fs)
			return &posix_seg->mount[i];
	return NULL;
}

/* Takes over the reference of `on` when it succeeds. */
static int mount_on(struct fs_node *on, const struct mount_wish *w, char why[MOUNT_WHY])
{
	struct posix_mount *m;
	int error;

	if ((on->attr.mode & FS_IFMT) != FS_IFDIR)
		return -ENOTDIR;
	if (mount_of_root(on))
		return -EBUSY;
	mounts_lock();
	m = free_place();
	if (!m)
		sniprintf(why, MOUNT_WHY, "%u file systems are mounted", (unsigned)POSIX_NMOUNT);
	error = on->user ? -EBUSY : m ? fill_place(m, w, why) : -ENFILE;
	if (error == 0) {
		m->on = on;
		on->user = (uint64_t)(m - posix_seg->mount) + 1;
	}
	mounts_unlock();
	return error;
}

static int do_mount(const struct mount_wish *wish, char why[MOUNT_WHY])
{
	struct walk w;
	int error = posix_self->uid ? -EPERM : walk(NULL, wish->target, 0, &w);

	if (error)
		return error;
	error = w.device ? -ENOTDIR : mount_on(w.node, wish, why);
	if (error == 0)
		w.node = NULL;
	walk_done(&w);
	return error;
}

int mount_make(const struct mount_wish *wish, char why[MOUNT_WHY])
{
	why[0] = 0;
	posix_enter();
	return (int)posix_leave(do_mount(wish, why));
}

/* ---- detaching ----------------------------------------------------------------------------- */

/* Takes m out of the table, and puts it back if its files are in use. */
static int detach(struct posix_mount *m)
{
	struct reach *r = m->fs ? reach_fs(m->fs) : NULL;
	struct fs_node *const on = m->on;
	struct fs *const fs = m->fs;
	const uint64_t place = on->user;
	int error;

	if (!r)
		return m->fs ? -ENODEV : -EINVAL;
	on->user = 0;
	m->fs = NULL;
	node_put(m->root);
	error = r->ops->unmount(&r->ctx, 0);
	if (error == -EBUSY) {
		(void)r->ops->root(&r->ctx, &m->root);
		m->fs = fs;
		on->user = place;
		return error;
	}
	r->mark = 0;
	m->root = m->on = NULL;
	free_cache(m);
	node_put(on);
	return error;
}

static int do_unmount(const char *target)
{
	struct posix_mount *m = NULL;
	struct walk w;
	int error = posix_self->uid ? -EPERM : walk(NULL, target, 0, &w);
	uint32_t mark = 0;

	if (error)
		return error;
	if (w.node && (m = mount_of_root(w.node)))
		mark = w.node->fs->mark;
	walk_done(&w);
	if (!m)
		return -EINVAL;
	if (m == posix_seg->mount)
		return -EBUSY;
	mounts_lock();
	error = m->fs && m->fs->mark == mark ? detach(m) : -EINVAL;
	mounts_unlock();
	return error;
}

int mount_end(const char *target)
{
	posix_enter();
	return (int)posix_leave(do_unmount(target));
}

/* ---- making and listing -------------------------------------------------------------------- */

/* What was never written cannot be read: zeros from there on. */
static int clear_rest(struct disk *disk, uint32_t index, void *zero)
{
	void *pages[CLEAR_PAGES];
	int error = 0;

	for (int i = 0; i < CLEAR_PAGES; i++)
		pages[i] = zero;
	for (uint64_t b = tables_extent(index)->init; error == 0 && b < disk_size(disk);) {
		const uint64_t left = disk_size(disk) - b;
		struct disk_req req = {.op = DISK_WRITE,
				       .nblocks = left < CLEAR_PAGES ? (uint32_t)left : CLEAR_PAGES,
				       .block = b,
				       .pages = pages};

		error = disk_submit(disk, &req);
		if (error == 0)
			error = disk_wait(disk, &req);
		b += req.nblocks;
	}
	return error;
}

static int make_volume(const struct fs_ops *ops, uint32_t index, char why[MOUNT_WHY])
{
	const size_t size = (size_t)FS_SCRATCH * EXO_PAGE_SIZE;
	void *scratch = arena_alloc(posix_seg->arena, size);
	struct disk *disk;
	int error = scratch ? open_volume(index, &disk) : -ENOMEM;

	if (error == 0)
		error = clear_rest(disk, index, scratch);
	if (error == 0)
		error = ops->make(disk, scratch, why);
	arena_free(posix_seg->arena, scratch, size);
	return error;
}

static int do_format(const char *type, const char *extent, char why[MOUNT_WHY])
{
	const struct fs_ops *ops = variant_named(type, why);
	int index;

	if (posix_self->uid)
		return -EPERM;
	if (!ops)
		return -ENODEV;
	if (!ops->make) {
		sniprintf(why, MOUNT_WHY, "%s: %s", type,
			  ops->traits & FS_DISKLESS ? "needs no extent and no making"
						    : "made with the image, not here");
		return -ENOTSUP;
	}
	index = find_extent(extent, why);
	return index < 0 ? index : make_volume(ops, (uint32_t)index, why);
}

int mount_format(const char *type, const char *extent, char why[MOUNT_WHY])
{
	int error;

	why[0] = 0;
	posix_enter();
	mounts_lock();
	error = do_format(type, extent, why);
	mounts_unlock();
	return (int)posix_leave(error);
}

static int look(uint32_t i, struct mount_info *out)
{
	struct posix_mount *m = &posix_seg->mount[i];
	const struct fs_ops *ops = m->fs ? variant_of(m->fs->type) : NULL;
	int error = 0;

	memset(out, 0, sizeof(*out));
	if (!m->fs)
		return 0;
	sniprintf(out->type, sizeof(out->type), "%s", ops ? ops->name : "?");
	sniprintf(out->source, sizeof(out->source), "%s", m->source);
	sniprintf(out->message, sizeof(out->message), "%s", m->fs->message);
	out->readonly = m->fs->readonly != 0;
	/* By the directory it is on: the program need not reach what is mounted there. */
	error = node_path(m->on ? m->on : m->root, out->target);
	return error ? error : 1;
}

int mount_look(unsigned i, struct mount_info *out)
{
	int result;

	if (i >= POSIX_NMOUNT) {
		errno = EINVAL;
		return -1;
	}
	posix_enter();
	mounts_lock();
	result = look(i, out);
	mounts_unlock();
	return (int)posix_leave(result);
}
