/*
 * note.h - what a program says about itself: an ELF note, made when it is linked.
 *
 * Every program has one, in section .note.freehold, from libos/note.c compiled with LIBOS_LINE as
 * its libOS.  Start-up compares it with the kernel and with the shared segment; host tools read it
 * from the file (`exo-cc --describe`).  Constant.
 */
#ifndef LIBOS_NOTE_H
#define LIBOS_NOTE_H

#include <stdint.h>

#define NOTE_OWNER "Freehold"

enum { NOTE_TYPE = 1, NOTE_LINE = 128 /* bytes of a line that is kept elsewhere, with its end */ };

/* ELF's three words and owner, then ours. */
struct libos_note {
	uint32_t owner_size, size, type;
	char owner[(sizeof(NOTE_OWNER) + 3) & ~3u];
	uint32_t abi;	  /* EXO_ABI_VERSION that it was built for */
	uint32_t start;	  /* START_VERSION */
	uint32_t segment; /* POSIX_VERSION of the segment that it can join */
	char line[]; /* as in app.mk, every seam named: `posix fs=ext2 buf=lru order=fifo vm=demand`
		      */
};

extern const struct libos_note libos_note;

#endif
