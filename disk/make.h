/*
 * make.h - `fhimage make`: a bootable image from the loader, the kernel, the first program, the
 * boot manifest and the files of the main file system.
 */
#ifndef DISK_MAKE_H
#define DISK_MAKE_H

#include <stdint.h>

struct make_args {
	const char *out, *manifest, *loader, *kernel, *init;
	const char *files;	/* folder; NULL: none */
	const char *const *bin; /* programs, or folders of programs, that go to /bin */
	unsigned bins;
	uint64_t size;	       /* bytes; 0: as the manifest says */
	uint64_t kernel_bytes; /* of memory, bss included */
};

/*
 * Makes the image: in a temporary file beside out, renamed to it when all is done, sparse, and the
 * same for the same inputs.  Exits with EXIT_MISTAKE after mistakes in the manifest; dies otherwise
 * when it cannot.
 */
void make_image(const struct make_args *args);

#endif
