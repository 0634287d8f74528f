/*
 * SHA-256 (FIPS 180-4) of a stream of bytes. The state is the caller's; no lock.
 * Caller: sha256sum.c.
 */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	unsigned char block[64];
};

/* Begin a new sum. */
void sha256_init(struct sha256 *sum);

/* Add `size` bytes. */
void sha256_add(struct sha256 *sum, const void *data, size_t size);

/* End: writes the digest. The sum must be initialised again before further use. */
void sha256_end(struct sha256 *sum, unsigned char digest[static SHA256_SIZE]);

#endif
