/*
 * frames.h - taking page frames: which ones is decided here, by the kernel's bitmap of free ones.
 *
 * Owns: a private cursor into that bitmap, so that programs seldom race for the same frame.  Called
 * by the memory layer and the builder; also in upcall handlers.  Errors are negative errnos.
 */
#ifndef LIBOS_FRAMES_H
#define LIBOS_FRAMES_H

#include <stdint.h>

/*
 * Takes a free frame, zeroed, for the environment of capability slot `ce`; `type` as in the call
 * page_take.  0 and *frame, or -ENOMEM (none free), -EDQUOT (its quota), or what the call refused.
 */
int frame_take(uint32_t ce, uint64_t type, uint32_t *frame);

/*
 * Takes `count` frames of this type in a row, the first a multiple of `align` (a power of 2).  All
 * or none.
 */
int frames_take_run(uint32_t ce, uint64_t type, uint32_t count, uint32_t align, uint32_t *first);

/* Gives frames back: first .. first+count-1.  They must not be mapped.  0 or the first error. */
int frames_free(uint32_t ce, uint32_t first, uint32_t count);

#endif
