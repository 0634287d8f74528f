/*
 * registry.h - sharing cached disk blocks between programs, through the kernel's block registry.
 *
 * Who may write a block can say which of its page frames holds it; who may read the block finds the
 * frame here and maps it read-only, instead of reading the drive: vm_map(va, frame, 1, VM_READ,
 * cap) with its own capability to the blocks.  The frame is as good as the program that bound it:
 * it could as well have written the block.  Keeping an entry true (or withdrawing it before the
 * block changes) is the binder's.  Owns nothing.  Blocks are those of the drive, as in the extent
 * table and in capabilities.  Errors are negative errnos.
 */
#ifndef LIBOS_REGISTRY_H
#define LIBOS_REGISTRY_H

#include <stdint.h>

/*
 * Frame `frame`, this program's, holds `block` of the extent of slot `cap` (EXO_RIGHT_WRITE).
 * 0; -EEXIST: somebody holds that block; -ENOSPC: all places for it are in use; others as call 45.
 */
int registry_bind(uint32_t cap, uint64_t block, uint32_t frame);

/* The block is in no frame any more: 0, or -ENOENT when it was not. */
int registry_unbind(uint32_t cap, uint64_t block);

/* The frame that holds `block` of extent `extent` now; 0: none. */
uint32_t registry_find(uint32_t extent, uint64_t block);

#endif
