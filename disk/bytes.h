/*
 * bytes.h - bytes in files and in memory: whole files, reads and writes at a place, sparse copies,
 * and the hash that image ids are made of.  Used by every file here.
 */
#ifndef DISK_BYTES_H
#define DISK_BYTES_H

#include <stdbool.h>
#include <stdint.h>

struct bytes {
	uint8_t *at;
	uint64_t len;
};

/* The whole file, followed by a 0 byte that len does not count; dies if it is longer than max. */
struct bytes bytes_read_file(const char *path, uint64_t max);

bool bytes_are_zero(const void *at, uint64_t len);

/* n rounded up to a multiple of unit, in units; n is a length in memory, far from overflow. */
static inline uint64_t bytes_in_units(uint64_t n, uint64_t unit)
{
	return n / unit + (n % unit != 0);
}

/* FNV-1a of 64 bits, continued; start with HASH_START. */
#define HASH_START 0xcbf29ce484222325ull
uint64_t bytes_hash(uint64_t hash, const void *at, uint64_t len);

/* Reads exactly len bytes; false when the file ends before, or on an error. */
bool file_read_at(int fd, void *to, uint64_t len, uint64_t offset);

/* Writes all or dies. */
void file_write_at(int fd, const void *from, uint64_t len, uint64_t offset);

/*
 * Copies len bytes (a multiple of 4096) and leaves out blocks that are all zero: what is there in
 * `to` must read as zero already.  Returns hash continued over each copied block and its place, so
 * that holes and written zeros count alike.  Dies on errors.
 */
uint64_t file_copy_sparse(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t len,
			  uint64_t hash);

#endif
