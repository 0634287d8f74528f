/*
 * principal.h - the hierarchical 64-bit names that own disk extents.
 *
 * A name is read from its highest byte down; the bytes before the zeros at its end are its path.  P
 * stands above Q when P's path begins Q's: 0x1200000000000000 is above 0x1234000000000000.  0, the
 * empty path, is above all.
 */
#ifndef KERN_PRINCIPAL_H
#define KERN_PRINCIPAL_H

#include <stdint.h>

/* Nonzero when p equals q or stands above it. */
/*@ assigns \nothing;
    ensures \result == 0 || \result == 1;
    ensures p == 0 || p == q ==> \result == 1;
*/
static inline int principal_above(uint64_t p, uint64_t q)
{
	uint64_t mask = 0; /* of the bytes below the path of p */

	/*@ loop invariant 0 <= i <= 8;
	    loop assigns i, mask;
	    loop variant 8 - i; */
	for (uint32_t i = 0; i < 8; i++) {
		const uint64_t wider = mask * 256 + 255;

		if ((p & wider) != 0)
			return (p & mask) == 0 && (q | mask) == (p | mask);
		mask = wider;
	}
	return 1;
}

#endif
