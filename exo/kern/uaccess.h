/*
 * uaccess.h - the only way to a program's memory: through its page tables, in software.
 *
 * Never faults: what is not mapped for the access is refused before a byte moves.  Callers copy in
 * once, into a local, and look at that.
 */
#ifndef KERN_UACCESS_H
#define KERN_UACCESS_H

#include <exo/tables.h>

enum { UACCESS_MAX = 256 }; /* bytes of one copy */

/* n <= UACCESS_MAX bytes from or to environment e's memory: FAULT, or RANGE when n is larger. */
enum exo_status copy_in(uint32_t e, struct uva src, uint8_t *dst, uint32_t n);
enum exo_status copy_out(uint32_t e, struct uva dst, const uint8_t *src, uint32_t n);

#endif
