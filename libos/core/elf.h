/*
 * elf.h - reading and checking the headers of a static ELF64 program.
 */
#ifndef CORE_ELF_H
#define CORE_ELF_H

#include <libos/build.h>

enum {
	ELF_SEGMENTS = 8,
	ELF_EXEC = 1,
	ELF_WRITE = 2,
};

struct elf_segment {
	uint64_t va, off, file_size, size;
	uint32_t flags, reserved;
};

struct elf {
	uint64_t entry;
	uint32_t segments; /* sorted by address, at least 1, no page in two of them */
	uint32_t reserved;
	struct elf_segment segment[ELF_SEGMENTS];
};

/*
 * Reads the headers.  0; -ENOEXEC with words in why[BUILD_WHY]; or what reading failed with, then
 * why is "cannot be read".  On 0 every segment lies in LAYOUT_IMAGE..LAYOUT_HEAP_END and in the
 * file, none is writable and executable, and the entry is in an executable one.
 */
int elf_read(struct elf *elf, const struct build_source *from, char *why);

#endif
