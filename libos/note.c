/*
 * note.c - the note of one program; see libos/note.h.
 *
 * Compiled once for each program, by apps.mk and by exo-cc, with -DLIBOS_LINE='"posix fs=ext2
 * ..."'.
 */
#include <exo/abi.h>
#include <libos/note.h>
#include <libos/posix_segment.h>
#include <libos/start.h>

_Static_assert(sizeof(LIBOS_LINE) <= NOTE_LINE, "the segment has no room for a longer line");

const struct libos_note libos_note __attribute__((section(".note.freehold"), aligned(4))) = {
	.owner_size = sizeof(NOTE_OWNER),
	.size = sizeof(libos_note) - offsetof(struct libos_note, abi) + sizeof(LIBOS_LINE),
	.type = NOTE_TYPE,
	.owner = NOTE_OWNER,
	.abi = EXO_ABI_VERSION,
	.start = START_VERSION,
	.segment = POSIX_VERSION,
	.line = LIBOS_LINE,
};
