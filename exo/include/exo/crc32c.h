/*
 * crc32c.h - CRC-32C (Castagnoli), the checksum of everything the kernel keeps on the disk.
 *
 * Half a byte at a time with a 16-entry table: small, and fast enough for one 4 KiB block a change.
 * Shared by the kernel and the host's disk tools, so that there is one.
 */
#ifndef EXO_CRC32C_H
#define EXO_CRC32C_H

#include <stdint.h>

/* Continues crc over n bytes; start with 0. */
static inline uint32_t exo_crc32c(uint32_t crc, const uint8_t *bytes, uint64_t n)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	crc = ~crc;
	for (uint64_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		crc = (crc >> 4) ^ table[crc & 15];
		crc = (crc >> 4) ^ table[crc & 15];
	}
	return ~crc;
}

#endif
