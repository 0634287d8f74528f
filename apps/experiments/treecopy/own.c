/*
 * own.c - copies a tree by the order of the disk: an application that knows the format reads it
 * past the file system, level by level, and all files' bytes in one sweep.
 *
 * The names and inodes of a level are read by a few large commands, whatever the order of names;
 * then the bytes of all files, straight to where they will be written from.  What is written goes
 * through the file system of the destination.  The tree must fit into memory, and consist of
 * directories and files of less than 4 GiB.  The source is not to change meanwhile.
 *
 * Owns the list of what is copied; those of one directory follow it.
 */
#include "../experiment_posix.h"
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ext2_disk.h"
#include "treecopy.h"

struct item {
	const char *path; /* of the copy */
	uint32_t number;
	struct ext2_inode inode;
	char *bytes; /* whole pages */
};

static struct {
	struct item *item;
	uint64_t count, room;
} list;

static const struct ext2_super *head;

/* ---- the format ----------------------------------------------------------------------------- */

const struct ext2_super *ext2_head(uint64_t volume_blocks)
{
	const struct ext2_super *s;

	sweep_want(0, NULL);
	sweep_want(1, NULL);
	sweep_read();
	s = (const struct ext2_super *)(const void *)((char *)sweep_at(0) + EXT2_SUPER_AT);
	if (s->magic == EXT2_MAGIC && s->log_block == EXT2_LOG_BLOCK &&
	    (s->incompat & ~(uint32_t)EXT2_FILETYPE) == 0 && s->blocks <= volume_blocks &&
	    s->inodes_per_group != 0 && s->blocks_per_group != 0 &&
	    ext2_group_count(s) <= EXT2_BLOCK / sizeof(struct ext2_group))
		return s;
	fprintf(stderr, "treecopy: the source is no ext2 with blocks of 4 KiB, or a large one\n");
	exit(1);
}

const struct ext2_group *ext2_groups(void)
{
	return sweep_at(1);
}

uint32_t ext2_group_count(const struct ext2_super *s)
{
	return (s->blocks + s->blocks_per_group - 1) / s->blocks_per_group;
}

static uint32_t inode_size(void)
{
	return head->revision ? head->inode_size : 128;
}

static uint64_t inode_block(uint32_t number)
{
	const uint32_t group = (number - 1) / head->inodes_per_group;
	const uint32_t at = (number - 1) % head->inodes_per_group;

	need(number && group < ext2_group_count(head) ? 0 : -EIO, "an inode's number");
	return ext2_groups()[group].inode_table + (uint64_t)at * inode_size() / EXT2_BLOCK;
}

static void take_inode(struct item *i)
{
	const uint32_t at = (i->number - 1) % head->inodes_per_group * inode_size() % EXT2_BLOCK;

	memcpy(&i->inode, (char *)sweep_at(inode_block(i->number)) + at, sizeof(i->inode));
}

static uint64_t pages_of(const struct item *i)
{
	return ((uint64_t)i->inode.size + EXT2_BLOCK - 1) / EXT2_BLOCK;
}

/* ---- which blocks an item has, level by level of pointers ------------------------- */

static void want_pointers(const struct item *i)
{
	if (pages_of(i) > EXT2_DIRECT && i->inode.single)
		sweep_want(i->inode.single, NULL);
	if (pages_of(i) > EXT2_DIRECT + EXT2_POINTERS && i->inode.twice)
		sweep_want(i->inode.twice, NULL);
}

static void want_second_pointers(const struct item *i)
{
	const uint32_t *table;

	if (pages_of(i) <= EXT2_DIRECT + EXT2_POINTERS || !i->inode.twice)
		return;
	table = sweep_at(i->inode.twice);
	for (uint64_t k = 0; k < EXT2_POINTERS; k++)
		if (table[k])
			sweep_want(table[k], NULL);
}

static uint32_t pointer(uint32_t table, uint64_t at)
{
	return table ? ((const uint32_t *)sweep_at(table))[at] : 0;
}

/* The block that holds page n of the item; 0: a hole. */
static uint32_t block_of(const struct item *i, uint64_t n)
{
	if (n < EXT2_DIRECT)
		return i->inode.block[n];
	n -= EXT2_DIRECT;
	if (n < EXT2_POINTERS)
		return pointer(i->inode.single, n);
	n -= EXT2_POINTERS;
	need(n < (uint64_t)EXT2_POINTERS * EXT2_POINTERS ? 0 : -EFBIG, i->path);
	return pointer(pointer(i->inode.twice, n / EXT2_POINTERS), n % EXT2_POINTERS);
}

static void want_bytes(struct item *i)
{
	const uint64_t n = pages_of(i);

	if (n == 0)
		return;
	i->bytes = aligned_alloc(EXT2_BLOCK, n * EXT2_BLOCK);
	need(i->bytes ? 0 : -ENOMEM, i->path);
	for (uint64_t k = 0; k < n; k++) {
		const uint32_t block = block_of(i, k);

		if (block)
			sweep_want(block, i->bytes + k * EXT2_BLOCK);
		else
			memset(i->bytes + k * EXT2_BLOCK, 0, EXT2_BLOCK);
	}
}

/* ---- the list ---------------------------------------------------------------------------------
 */

static int is_directory(const struct item *i)
{
	return (i->inode.mode & EXT2_MODE_TYPE) == EXT2_MODE_DIRECTORY;
}

static void add(const char *path, uint32_t number)
{
	if (list.count == list.room) {
		list.room = list.room ? 2 * list.room : 256;
		list.item = realloc(list.item, list.room * sizeof(*list.item));
		need(list.item ? 0 : -ENOMEM, "memory");
	}
	list.item[list.count++] = (struct item){.path = path, .number = number};
}

/* The entries of the directory in bytes[0..size), each to visit(). */
static void for_entries(const char *bytes, uint64_t size, const char *path,
			void (*visit)(const struct ext2_dirent *e, const char *path))
{
	uint64_t at = 0;

	while (at + sizeof(struct ext2_dirent) <= size) {
		const struct ext2_dirent *const e = (const void *)(bytes + at);

		need(e->length >= sizeof(*e) + e->name_length && e->length <= size - at ? 0 : -EIO,
		     path);
		if (e->inode)
			visit(e, path);
		at += e->length;
	}
}

static int is_dots(const struct ext2_dirent *e)
{
	return e->name[0] == '.' &&
	       (e->name_length == 1 || (e->name_length == 2 && e->name[1] == '.'));
}

static void add_entry(const struct ext2_dirent *e, const char *path)
{
	char *to;

	if (is_dots(e))
		return;
	to = malloc(PATH_MAX);
	need(to ? 0 : -ENOMEM, "memory");
	snprintf(to, PATH_MAX, "%s/%.*s", path, e->name_length, e->name);
	add(to, e->inode);
}

/* Inodes of items from `first` on, then what tells their blocks. */
static void read_inodes(uint64_t first)
{
	for (uint64_t i = first; i < list.count; i++)
		sweep_want(inode_block(list.item[i].number), NULL);
	sweep_read();
	for (uint64_t i = first; i < list.count; i++) {
		take_inode(&list.item[i]);
		want_pointers(&list.item[i]);
	}
	sweep_read();
	for (uint64_t i = first; i < list.count; i++)
		want_second_pointers(&list.item[i]);
	sweep_read();
}

/* Reads the directories from `first` on; what they name is added behind. */
static void read_directories(uint64_t first)
{
	const uint64_t end = list.count;

	for (uint64_t i = first; i < end; i++)
		if (is_directory(&list.item[i]))
			want_bytes(&list.item[i]);
	sweep_read();
	for (uint64_t i = first; i < end; i++) {
		const struct item in = list.item[i]; /* the list moves as it grows */

		if (is_directory(&in))
			for_entries(in.bytes, pages_of(&in) * EXT2_BLOCK, in.path, add_entry);
	}
}

static const char *sought;
static uint32_t found;

static void find(const struct ext2_dirent *e, const char *path)
{
	(void)path;
	if (strlen(sought) == e->name_length && memcmp(sought, e->name, e->name_length) == 0)
		found = e->inode;
}

/* The inode of `name` in the root. */
static uint32_t look_up(const char *name)
{
	struct item root = {.path = name, .number = EXT2_ROOT};

	sweep_want(inode_block(EXT2_ROOT), NULL);
	sweep_read();
	take_inode(&root);
	want_bytes(&root);
	sweep_read();
	sought = name;
	for_entries(root.bytes, pages_of(&root) * EXT2_BLOCK, name, find);
	free(root.bytes);
	need(found ? 0 : -ENOENT, name);
	return found;
}

static void want_file(struct item *i)
{
	need((i->inode.mode & EXT2_MODE_TYPE) == EXT2_MODE_FILE ? 0 : -EINVAL, i->path);
	need(i->inode.size_high ? -EFBIG : 0, i->path);
	want_bytes(i);
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static void write_file(const struct item *i)
{
	const int file = open(i->path, O_WRONLY | O_CREAT | O_EXCL, i->inode.mode & 0777);
	ssize_t n = 0;

	need(file, i->path);
	if (i->inode.size)
		n = write(file, i->bytes, i->inode.size);
	need(n < 0 ? -1 : n == (ssize_t)i->inode.size ? 0 : -ENOSPC, i->path);
	need(close(file), i->path);
}

static void write_item(const struct item *i)
{
	if (is_directory(i))
		need(mkdir(i->path, i->inode.mode & 0777), i->path);
	else
		write_file(i);
}

void own_copy(const char *extent, const char *name, const char *to)
{
	uint64_t first = 0;

	head = ext2_head(sweep_open(extent));
	add(to, look_up(name));
	while (first < list.count) {
		const uint64_t next = list.count;

		read_inodes(first);
		read_directories(first);
		first = next;
	}
	for (uint64_t i = 0; i < list.count; i++)
		if (!is_directory(&list.item[i]))
			want_file(&list.item[i]);
	sweep_read();
	(void)umask(0);
	for (uint64_t i = 0; i < list.count; i++)
		write_item(&list.item[i]);
}
