/*
 * bpf_file.c - reads programs.  Owns nothing; called by exo-bpf and the tests.
 *
 * Of an ELF object it wants one section of instructions that nothing has to be linked into: a
 * program for the kernel has no variables and no functions to call.
 */
#include "bpf_file.h"

#include <ctype.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a hex digit; 16: it is none. */
static unsigned digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *const found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (unsigned)(found - digits) : 16;
}

long bpf_hex(const char *text, uint8_t *bytes, size_t room)
{
	size_t n = 0;

	for (;;) {
		while (isspace((unsigned char)*text) || *text == ',')
			text++;
		if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
			text += 2;
		if (*text == '\0')
			return (long)n;
		if (digit(text[0]) > 15 || digit(text[1]) > 15 || n == room)
			return -1;
		bytes[n++] = (uint8_t)(digit(text[0]) * 16 + digit(text[1]));
		text += 2;
	}
}

/* The whole file, to be freed; NULL: it cannot be read. */
static uint8_t *read_all(const char *path, size_t *length)
{
	FILE *const file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long end = -1;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0)
		end = ftell(file);
	if (end >= 0)
		bytes = malloc((size_t)end + 1);
	rewind(file);
	*length = bytes ? fread(bytes, 1, (size_t)end, file) : 0;
	fclose(file);
	return bytes;
}

struct object {
	const uint8_t *bytes;
	size_t length;
	Elf64_Ehdr head;
};

static int within(const struct object *o, uint64_t offset, uint64_t length)
{
	return offset <= o->length && length <= o->length - offset;
}

/* Section n, if it and its bytes are in the file. */
static int section_at(const struct object *o, unsigned n, Elf64_Shdr *section)
{
	const uint64_t at = o->head.e_shoff + (uint64_t)n * sizeof(*section);

	if (n >= o->head.e_shnum || !within(o, o->head.e_shoff, 0) ||
	    !within(o, at, sizeof(*section)))
		return 0;
	memcpy(section, o->bytes + at, sizeof(*section));
	return section->sh_type == SHT_NOBITS || within(o, section->sh_offset, section->sh_size);
}

static int is_named(const struct object *o, const Elf64_Shdr *section, const char *name)
{
	Elf64_Shdr names;
	const size_t length = strlen(name) + 1;

	return section_at(o, o->head.e_shstrndx, &names) && section->sh_name < names.sh_size &&
	       length <= names.sh_size - section->sh_name &&
	       memcmp(o->bytes + names.sh_offset + section->sh_name, name, length) == 0;
}

static int is_code(const Elf64_Shdr *section)
{
	return section->sh_type == SHT_PROGBITS && (section->sh_flags & SHF_EXECINSTR) &&
	       section->sh_size != 0;
}

/* Does a section of relocations belong to section n? */
static int is_relocated(const struct object *o, unsigned n)
{
	Elf64_Shdr section;

	for (unsigned k = 0; section_at(o, k, &section); k++)
		if ((section.sh_type == SHT_REL || section.sh_type == SHT_RELA) &&
		    section.sh_info == n && section.sh_size != 0)
			return 1;
	return 0;
}

static long take(const struct object *o, const char *name, uint8_t *bytes, size_t room,
		 const char **why)
{
	Elf64_Shdr section;

	for (unsigned n = 0; section_at(o, n, &section); n++) {
		if (!is_code(&section) || (name && !is_named(o, &section, name)))
			continue;
		*why = "calls functions or uses variables: everything must be in one function";
		if (is_relocated(o, n))
			return -1;
		*why = "too long";
		if (section.sh_size > room)
			return -1;
		memcpy(bytes, o->bytes + section.sh_offset, section.sh_size);
		return (long)section.sh_size;
	}
	*why = "no such section of instructions";
	return -1;
}

long bpf_object(const char *path, const char *section, uint8_t *bytes, size_t room,
		const char **why)
{
	struct object o = {0};
	uint8_t *const all = read_all(path, &o.length);
	long n = -1;

	*why = "not an object for BPF";
	o.bytes = all;
	if (!all)
		*why = "cannot be read";
	else if (o.length >= sizeof(o.head))
		memcpy(&o.head, all, sizeof(o.head));
	if (memcmp(o.head.e_ident, ELFMAG, SELFMAG) == 0 && o.head.e_machine == EM_BPF &&
	    o.head.e_ident[EI_CLASS] == ELFCLASS64 && o.head.e_ident[EI_DATA] == ELFDATA2LSB &&
	    o.head.e_shentsize == sizeof(Elf64_Shdr))
		n = take(&o, section, bytes, room, why);
	free(all);
	return n;
}
