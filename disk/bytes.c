/*
 * bytes.c - see bytes.h.  Keeps no state.
 */
#define _GNU_SOURCE
#include "bytes.h"
#include "memory.h"
#include "report.h"

#include <errno.h>
#include <exo/abi.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytes bytes_read_file(const char *path, uint64_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bytes file;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s: not a regular file", path);
	if ((uint64_t)st.st_size > max)
		die("%s: too big: %llu bytes, at most %llu", path, (unsigned long long)st.st_size,
		    (unsigned long long)max);
	file.len = (uint64_t)st.st_size;
	file.at = memory_take(file.len + 1);
	if (!file_read_at(fd, file.at, file.len, 0))
		die("%s: cannot be read", path);
	close(fd);
	return file;
}

bool bytes_are_zero(const void *at, uint64_t len)
{
	const uint8_t *byte = at;

	return len == 0 || (byte[0] == 0 && memcmp(byte, byte + 1, len - 1) == 0);
}

uint64_t bytes_hash(uint64_t hash, const void *at, uint64_t len)
{
	const uint8_t *byte = at;

	for (uint64_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ull;
	return hash;
}

bool file_read_at(int fd, void *to, uint64_t len, uint64_t offset)
{
	uint8_t *byte = to;

	while (len > 0) {
		ssize_t n = pread(fd, byte, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		byte += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return true;
}

void file_write_at(int fd, const void *from, uint64_t len, uint64_t offset)
{
	const uint8_t *byte = from;

	while (len > 0) {
		ssize_t n = pwrite(fd, byte, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("cannot write: %s", strerror(errno));
		byte += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
}

/* First block at or after `at` that may hold data: holes are skipped where the file tells. */
static uint64_t next_data(int fd, uint64_t start, uint64_t at, uint64_t len)
{
	off_t found = lseek(fd, (off_t)(start + at), SEEK_DATA);

	if (found < 0)
		return errno == ENXIO ? len : at;
	if ((uint64_t)found - start >= len)
		return len;
	return ((uint64_t)found - start) / EXO_BLOCK_SIZE * EXO_BLOCK_SIZE;
}

uint64_t file_copy_sparse(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t len,
			  uint64_t hash)
{
	static uint8_t block[EXO_BLOCK_SIZE];
	const uint64_t ask = 1024 * EXO_BLOCK_SIZE; /* how often holes are looked for */

	for (uint64_t at = 0; at < len; at += sizeof(block)) {
		if (at % ask == 0)
			at = next_data(from, from_offset, at, len);
		if (at >= len)
			break;
		if (!file_read_at(from, block, sizeof(block), from_offset + at))
			die("cannot read %llu bytes at %llu", (unsigned long long)sizeof(block),
			    (unsigned long long)(from_offset + at));
		if (bytes_are_zero(block, sizeof(block)))
			continue;
		file_write_at(to, block, sizeof(block), to_offset + at);
		hash = bytes_hash(hash, &at, sizeof(at));
		hash = bytes_hash(hash, block, sizeof(block));
	}
	return hash;
}
