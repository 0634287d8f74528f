/*
 * image.h - the ELF files whose code the machine may run: the kernel, and the programs.
 *
 * Programs stand at the same addresses, so an address alone names nothing: a page of code belongs
 * to the program whose file has the same bytes there.
 */
#ifndef PROFILE_IMAGE_H
#define PROFILE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum mark { MARK_NONE = 0, MARK_BEGIN = 'B', MARK_END = 'E' };

struct function {
	uint64_t start;
	const char *name;
	const struct function *whole; /* itself; of `f.cold` it is f */
	const struct image *image;
};

/* A place that region.h marked. */
struct marked {
	uint64_t va;
	enum mark mark;
};

struct image {
	char name[64];
	const uint8_t *file;
	size_t size;
	uint64_t text, text_offset,
		text_size; /* the executable segment: address, place in the file */
	uint64_t entry;
	struct function *functions; /* in order of address */
	size_t nfunction;
	struct marked *marks; /* of the chosen region */
	size_t nmark;
	struct function none; /* code before the first function, or outside of the file */
	bool differs;	      /* the machine ran a program of this name that is another one */
};

/* Reads an ELF file; region: whose marks are wanted (""; none).  Ends the emulator when it cannot.
 */
void image_add(const char *name, const char *path, const char *region);

/* The first that was added: the kernel. */
struct image *image_kernel(void);

/* The program with this name, or null. */
struct image *image_named(const char *name);

/* Code that is in no file: of the firmware and the loader; of programs. */
struct image *image_firmware(void);
struct image *image_unknown(void);

/* Prints a line for each program whose file differs from what the machine ran. */
void image_write_differing(FILE *out);

/* Of a symbol of the kernel's; ends the emulator when there is none. */
uint64_t image_symbol(const struct image *image, const char *name);

/* Is this an address of its code? */
bool image_covers(const struct image *image, uint64_t va);

/* Does the file have these bytes of code at va? */
bool image_has(const struct image *image, uint64_t va, const uint8_t *bytes, size_t size);

/* The first program that has this page of code; null: none.  *several: another one has it as well.
 */
struct image *image_of_page(uint64_t va, const uint8_t *page, size_t size, bool *several);

/* Do both have the same code in the page of va? */
bool image_alike(const struct image *a, const struct image *b, uint64_t va);

/* Never null. */
const struct function *image_function(const struct image *image, uint64_t va);

enum mark image_mark(const struct image *image, uint64_t va);

/* Zeroed memory for `count` objects; ends the emulator when there is none. */
void *image_memory(size_t count, size_t size) __attribute__((returns_nonnull));

/* Says why on the standard error and ends the emulator. */
_Noreturn void image_refuse(const char *what, const char *which);

#endif
