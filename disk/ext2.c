/*
 * ext2.c - see ext2.h.  mke2fs makes the file system; what it takes from the files on this machine
 * (their users, their change times) is then evened out in its inodes, so that an image depends only
 * on what was asked for.  The features have no checksums of metadata, so inodes may be edited.
 */
#define _GNU_SOURCE
#include "ext2.h"
#include "bytes.h"
#include "memory.h"
#include "report.h"
#include "spawn.h"
#include "temp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places in the superblock, a group descriptor and an inode. */
enum {
	SUPER = 1024,
	SUPER_BYTES = 1024,
	S_INODES = 0,
	S_FIRST_BLOCK = 20,
	S_LOG_BLOCK = 24,
	S_INODES_PER_GROUP = 40,
	S_MAGIC = 56,
	S_INODE_SIZE = 88,
	GROUP_BYTES = 32,
	BG_INODE_TABLE = 8,
	BG_FREE_INODES = 14,
	I_UID = 2,
	I_ATIME = 8,
	I_CTIME = 12,
	I_MTIME = 16,
	I_GID = 24,
	I_LINKS = 26,
	I_UID_HIGH = 120,
	I_GID_HIGH = 122,
	I_EXTRA_TIMES =
		132, /* parts of a second of ctime, mtime, atime; then crtime with its own */
	I_CRTIME = 144,
	I_CRTIME_PARTS = 148,
	INODE_BYTES = 256,
};

/* ext2 with what mke2fs gives it by default, said here so that no configuration changes it. */
#define FEATURES "none,filetype,sparse_super,large_file,ext_attr,resize_inode,dir_index"

struct volume {
	int fd;
	uint32_t block, inodes, inodes_per_group, first_block, time;
	uint8_t *table; /* room for the inodes of one group */
};

static uint32_t get32(const uint8_t *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return n;
}

static uint16_t get16(const uint8_t *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof(n));
	return n;
}

static uint32_t image_time(void)
{
	const char *said = getenv("SOURCE_DATE_EPOCH");

	return said ? (uint32_t)strtoul(said, NULL, 10) : 1735689600u;
}

static void settle_inode(uint8_t *inode, uint32_t time)
{
	if (get16(inode + I_LINKS) == 0)
		return;
	memset(inode + I_UID, 0, 2);
	memset(inode + I_UID_HIGH, 0, 2);
	memset(inode + I_GID, 0, 2);
	memset(inode + I_GID_HIGH, 0, 2);
	memset(inode + I_EXTRA_TIMES, 0, 12);
	memset(inode + I_CRTIME_PARTS, 0, 4);
	memcpy(inode + I_ATIME, &time, 4);
	memcpy(inode + I_CTIME, &time, 4);
	memcpy(inode + I_MTIME, &time, 4);
	memcpy(inode + I_CRTIME, &time, 4);
}

static void settle_group(const struct volume *v, const uint8_t *group)
{
	uint64_t start = (uint64_t)get32(group + BG_INODE_TABLE) * v->block;
	uint64_t bytes = (uint64_t)v->inodes_per_group * INODE_BYTES;
	uint8_t *table = v->table;

	if (get16(group + BG_FREE_INODES) == v->inodes_per_group)
		return;
	if (!file_read_at(v->fd, table, bytes, start))
		die("mke2fs left a truncated file");
	for (uint64_t at = 0; at < bytes; at += INODE_BYTES)
		settle_inode(table + at, v->time);
	file_write_at(v->fd, table, bytes, start);
}

static void settle(int fd)
{
	struct volume v = {.fd = fd, .time = image_time()};
	uint8_t super[SUPER_BYTES], group[GROUP_BYTES];
	uint64_t groups, descriptors;

	if (!file_read_at(fd, super, sizeof(super), SUPER) ||
	    get16(super + S_INODE_SIZE) != INODE_BYTES)
		die("mke2fs made something else than asked for");
	v.block = 1024u << get32(super + S_LOG_BLOCK);
	v.inodes = get32(super + S_INODES);
	v.inodes_per_group = get32(super + S_INODES_PER_GROUP);
	v.first_block = get32(super + S_FIRST_BLOCK);
	v.table = memory_take((size_t)v.inodes_per_group * INODE_BYTES);
	groups = v.inodes / v.inodes_per_group;
	descriptors = (uint64_t)(v.first_block + 1) * v.block;
	for (uint64_t i = 0; i < groups; i++) {
		if (!file_read_at(fd, group, sizeof(group), descriptors + i * GROUP_BYTES))
			die("mke2fs left a truncated file");
		settle_group(&v, group);
	}
}

int ext2_make(const struct ext2_wish *wish, const char *near)
{
	char *path, block[16], blocks[24], uuid[40], extended[160], time[24];
	int fd = temp_file(near, &path);

	snprintf(block, sizeof(block), "%" PRIu32, wish->block);
	snprintf(blocks, sizeof(blocks), "%" PRIu64, wish->bytes / wish->block);
	snprintf(uuid, sizeof(uuid), "46726565-686f-4c64-8000-%012" PRIx32, wish->number);
	snprintf(extended, sizeof(extended), "root_owner=0:0,hash_seed=%s", uuid);
	snprintf(time, sizeof(time), "%" PRIu32, image_time());
	if (setenv("E2FSPROGS_FAKE_TIME", time, 1) < 0)
		die("out of memory");
	spawn_must((const char *const[]){"mke2fs",
					 "-q",
					 "-F",
					 "-t",
					 "ext2",
					 "-O",
					 FEATURES,
					 "-b",
					 block,
					 "-I",
					 "256",
					 "-i",
					 "16384",
					 "-m",
					 "0",
					 "-L",
					 wish->label,
					 "-U",
					 uuid,
					 "-E",
					 extended,
					 wish->tree ? "-d" : path,
					 wish->tree ? wish->tree : blocks,
					 wish->tree ? path : NULL,
					 wish->tree ? blocks : NULL,
					 NULL});
	settle(fd);
	return fd;
}

bool ext2_is_at(int fd, uint64_t offset)
{
	uint8_t super[SUPER_BYTES];

	return file_read_at(fd, super, sizeof(super), offset + SUPER) &&
	       get16(super + S_MAGIC) == 0xef53;
}

static const char *checked;

static void check_line(const char *text)
{
	if (strncmp(text, "e2fsck ", 7) != 0 && strncmp(text, "Pass ", 5) != 0 && text[0])
		printf("  e2fsck %s: %s\n", checked, text);
}

void ext2_check(int fd, uint64_t offset, const char *name)
{
	char device[64];
	int status;

	snprintf(device, sizeof(device), "/proc/self/fd/%d?offset=%" PRIu64, fd, offset);
	checked = name;
	status = spawn_run((const char *const[]){"e2fsck", "-fn", device, NULL}, check_line);
	if (status != 0)
		report_problem("extent %s: its ext2 file system is not clean (e2fsck status %d)",
			       name, status);
}
