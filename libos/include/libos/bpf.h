/*
 * bpf.h - finding a program for the kernel in the object file that a compiler made for BPF.
 *
 * Owns nothing.  A program is one function in one section that nothing has to be linked into: it
 * has no variables and calls nothing.  What `clang -target bpf` and `bpf-gcc` write is such a file.
 * The file is not trusted; whether the instructions are good is for the kernel to say
 * (libos/group.h). Called by programs, by group_load_file(), and on the host by exo-bpf.
 */
#ifndef LIBOS_BPF_H
#define LIBOS_BPF_H

#include <stddef.h>
#include <stdint.h>

enum { BPF_WHY = 120 };

/* Where the instructions are in the file: `count` of 8 bytes each from `offset` on. */
struct bpf_found {
	size_t offset;
	uint32_t count;
};

/*
 * Looks for the program in the object of `size` bytes: in the section of this name, or NULL: in the
 * only one that has instructions.  0, and then all of it is within the object; or -ENOEXEC with
 * words in why.
 */
int bpf_find(const void *object, size_t size, const char *section, struct bpf_found *found,
	     char why[BPF_WHY]);

#endif
