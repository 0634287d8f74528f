/*
 * io.h - disk requests of programs: rings, queues, and whose turn a drive is.
 *
 * A request is a record in ios[] from io_submit until its completion is in the ring, with its
 * frames pinned and named in io_frames[].  Each environment has one queue in its own order; a
 * channel (which works on one request at a time) is shared between the environments whose next
 * request is for it by the drive time that each has had for its shares.  Record 0 is the kernel's
 * own, for the extent table. Invariant: every record is FREE, in one queue, ACTIVE on the channel
 * of its drive, or a flush that waits for the extent table.  Entered one CPU at a time, no lock.
 */
#ifndef KERN_IO_H
#define KERN_IO_H

#include <exo/tables.h>
#include "table_section.h"

extern struct exo_io ios[EXO_NIO];
extern uint32_t io_frames[EXO_NIO][EXO_IO_BLOCKS];
extern struct exo_drive drives[EXO_NDRIVE];

enum { NCHANNEL = 2, IO_KERNEL = 0 };

/* Boot: forgets everything; `page` is the frame of extent_page. */
void io_init(struct pfn page);

/*
 * The drive is done with request `io`: OK, or IO with the blocks that were transferred.  The
 * completion goes to the asker's ring, the next request starts.  Called by dev/ide.c from its
 * interrupts; never from inside machine_disk_start().
 */
void io_done(uint32_t io, enum exo_status status, uint32_t blocks);

/*
 * Gives idle channels their next request.  Every tick, for queues whose last turn was cut short
 * (see IO_REFUSALS in io.c), and after io_kernel_start() from a call.
 */
void io_tick(void);

/* Completions in e's ring that it has not taken, as it says; 0: it has no ring. */
uint32_t io_completions(uint32_t e);

/* Does environment e have a ring or requests? */
int io_busy(uint32_t e);

/*
 * e is a ZOMBIE: drops up to 2 of its queued requests; with none left and none active, gives back
 * its ring.  BUSY while there is more (call again), OK when e has nothing here.
 */
enum exo_status io_env_end(uint32_t e);

/* For extent.c: queues the kernel's request: OP on one block, from extent_page.  Starts nothing. */
void io_kernel_start(enum exo_io_op op, uint32_t drive, uint64_t block);

/* For extent.c: a request of x is on its channel now. */
int io_active_on(uint32_t x);

/* For extent.c: a flush that extent_takes_flush() took completes. */
void io_finish(uint32_t io, enum exo_status status, uint32_t blocks);

#endif
