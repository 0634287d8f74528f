/*
 * bpf_file.h - programs and memory from outside: as hexadecimal text, and from a compiler's object.
 */
#ifndef HOST_BPF_FILE_H
#define HOST_BPF_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { BPF_HEX_BAD = -1, BPF_HEX_LONG = -2 };

/* Bytes out of hex text: pairs of digits, spaces, commas and 0x between them.  How many; or that it
   is not hex, or more than `room`. */
long bpf_hex(const char *text, uint8_t *bytes, size_t room);

/*
 * The instructions in `section` (NULL: the first that has any) of the ELF object at `path`.  How
 * many bytes; -1: *why says why not.
 */
long bpf_object(const char *path, const char *section, uint8_t *bytes, size_t room,
		const char **why);

#endif
