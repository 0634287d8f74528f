/*
 * image.c - owns the ELF files, mapped, with their functions in order of address.
 *
 * The list only grows, while reading the control file; afterwards nothing but `differs` changes.
 * Called by control.c, then by code.c, from one thread.
 */
#include "image.h"
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_IMAGES = 1024, MARK_SIZE = 16, PAGE = 4096 };

static struct image *images[MAX_IMAGES];
static size_t nimage;

static struct image firmware = {.name = "(firmware)",
				.none = {.name = "(firmware)", .image = &firmware}};
static struct image unknown = {.name = "(unknown)",
			       .none = {.name = "(unknown)", .image = &unknown}};

void image_refuse(const char *what, const char *which)
{
	fprintf(stderr, "profile: %s%s\n", which, what);
	_exit(2);
}

void *image_memory(size_t count, size_t size)
{
	void *memory = calloc(count + 1, size);

	if (memory == NULL)
		image_refuse("out of memory", "");
	return memory;
}

static const Elf64_Ehdr *header(const struct image *image)
{
	return (const Elf64_Ehdr *)image->file;
}

static const Elf64_Shdr *section(const struct image *image, size_t i)
{
	return (const Elf64_Shdr *)(image->file + header(image)->e_shoff) + i;
}

static const char *section_name(const struct image *image, const Elf64_Shdr *s)
{
	return (const char *)image->file + section(image, header(image)->e_shstrndx)->sh_offset +
	       s->sh_name;
}

/* Null when the file has none of that name. */
static const Elf64_Shdr *find_section(const struct image *image, const char *name)
{
	for (size_t i = 0; i < header(image)->e_shnum; i++)
		if (strcmp(section_name(image, section(image, i)), name) == 0)
			return section(image, i);
	return NULL;
}

static void map_file(struct image *image, const char *path)
{
	const int fd = open(path, O_RDONLY);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		image_refuse(": cannot be read", path);
	image->size = (size_t)status.st_size;
	image->file = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image->file == MAP_FAILED || image->size < sizeof(Elf64_Ehdr) ||
	    memcmp(image->file, ELFMAG, SELFMAG) != 0 || header(image)->e_machine != EM_X86_64)
		image_refuse(": no ELF file for x86-64", path);
}

static void find_text(struct image *image, const char *path)
{
	const Elf64_Phdr *p = (const Elf64_Phdr *)(image->file + header(image)->e_phoff);

	image->entry = header(image)->e_entry;
	for (size_t i = 0; i < header(image)->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD || !(p[i].p_flags & PF_X))
			continue;
		image->text = p[i].p_vaddr;
		image->text_offset = p[i].p_offset;
		image->text_size = p[i].p_filesz;
		return;
	}
	image_refuse(": has no code", path);
}

struct symbols {
	const Elf64_Sym *list;
	const char *names;
	size_t count;
};

static struct symbols symbols_of(const struct image *image)
{
	const Elf64_Shdr *table = find_section(image, ".symtab");

	if (table == NULL)
		image_refuse(": has no symbols", image->name);
	return (struct symbols){
		.list = (const Elf64_Sym *)(image->file + table->sh_offset),
		.names = (const char *)image->file + section(image, table->sh_link)->sh_offset,
		.count = table->sh_size / sizeof(Elf64_Sym),
	};
}

bool image_covers(const struct image *image, uint64_t va)
{
	return va - image->text < image->text_size;
}

/* Of several names for one address the typed, global, shortest one. */
static int worth(const Elf64_Sym *s, const char *name)
{
	return (ELF64_ST_TYPE(s->st_info) == STT_FUNC ? 2000 : 0) +
	       (ELF64_ST_BIND(s->st_info) == STB_GLOBAL ? 1000 : 0) - (int)strnlen(name, 900);
}

struct candidate {
	struct function function;
	int worth;
};

static int by_start(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->function.start != y->function.start)
		return x->function.start < y->function.start ? -1 : 1;
	return y->worth - x->worth;
}

/* The whole that `f.cold` is a part of. */
static const struct function *whole(const struct image *image, const struct function *f)
{
	const char *dot = strstr(f->name, ".cold");

	if (dot == NULL)
		return f;
	for (size_t i = 0; i < image->nfunction; i++) {
		const char *name = image->functions[i].name;

		if (strncmp(name, f->name, (size_t)(dot - f->name)) == 0 &&
		    name[dot - f->name] == 0)
			return &image->functions[i];
	}
	return f;
}

static bool is_function(const struct image *image, const Elf64_Sym *s, const char *name)
{
	const unsigned type = ELF64_ST_TYPE(s->st_info);

	return (type == STT_FUNC || type == STT_NOTYPE) && s->st_shndx != SHN_ABS &&
	       image_covers(image, s->st_value) && name[0] != 0;
}

static void find_functions(struct image *image)
{
	const struct symbols symbols = symbols_of(image);
	struct candidate *all = image_memory(symbols.count, sizeof(*all));
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < symbols.count; i++) {
		const Elf64_Sym *s = &symbols.list[i];
		const char *name = symbols.names + s->st_name;

		if (is_function(image, s, name))
			all[n++] = (struct candidate){{s->st_value, name, NULL, image},
						      worth(s, name)};
	}
	qsort(all, n, sizeof(*all), by_start);
	image->functions = image_memory(n, sizeof(*image->functions));
	for (size_t i = 0; i < n; i++)
		if (i == 0 || all[i].function.start != all[i - 1].function.start)
			image->functions[kept++] = all[i].function;
	free(all);
	image->nfunction = kept;
	for (size_t i = 0; i < kept; i++)
		image->functions[i].whole = whole(image, &image->functions[i]);
}

/* Each mark is an address, 'B' or 'E', and the region's name, padded with zeros to a multiple of 8.
 */
static void find_marks(struct image *image, const char *region)
{
	const Elf64_Shdr *s = find_section(image, ".debug_regions");
	const uint8_t *at, *end;

	if (s == NULL || region[0] == 0)
		return;
	at = image->file + s->sh_offset;
	end = at + s->sh_size;
	image->marks = image_memory(s->sh_size / MARK_SIZE, sizeof(*image->marks));
	while (end - at >= MARK_SIZE) {
		const char *name = (const char *)at + 9;
		uint64_t va;

		memcpy(&va, at, sizeof(va));
		if (strcmp(name, region) == 0)
			image->marks[image->nmark++] = (struct marked){va, at[8]};
		at += (9 + strlen(name) + 1 + 7) / 8 * 8;
	}
}

void image_add(const char *name, const char *path, const char *region)
{
	struct image *image = image_memory(1, sizeof(*image));

	if (nimage == MAX_IMAGES)
		image_refuse(": too many programs", path);
	snprintf(image->name, sizeof(image->name), "%s", name);
	image->none = (struct function){0, "(none)", &image->none, image};
	map_file(image, path);
	find_text(image, path);
	find_functions(image);
	find_marks(image, region);
	images[nimage++] = image;
}

struct image *image_kernel(void)
{
	return images[0];
}

struct image *image_named(const char *name)
{
	for (size_t i = 1; i < nimage; i++)
		if (strcmp(images[i]->name, name) == 0)
			return images[i];
	return NULL;
}

struct image *image_firmware(void)
{
	firmware.none.whole = &firmware.none;
	return &firmware;
}

struct image *image_unknown(void)
{
	unknown.none.whole = &unknown.none;
	return &unknown;
}

void image_write_differing(FILE *out)
{
	for (size_t i = 0; i < nimage; i++)
		if (images[i]->differs)
			fprintf(out, "differs %s\n", images[i]->name);
}

uint64_t image_symbol(const struct image *image, const char *name)
{
	const struct symbols symbols = symbols_of(image);

	for (size_t i = 0; i < symbols.count; i++)
		if (strcmp(symbols.names + symbols.list[i].st_name, name) == 0)
			return symbols.list[i].st_value;
	image_refuse(": the kernel has no such symbol", name);
}

bool image_has(const struct image *image, uint64_t va, const uint8_t *bytes, size_t size)
{
	const uint64_t at = va - image->text;

	if (at >= image->text_size)
		return false;
	if (size > image->text_size - at)
		size = image->text_size - at;
	return memcmp(image->file + image->text_offset + at, bytes, size) == 0;
}

struct image *image_of_page(uint64_t va, const uint8_t *page, size_t size, bool *several)
{
	struct image *found = NULL;

	*several = false;
	for (size_t i = 1; i < nimage && !*several; i++) {
		if (!image_has(images[i], va, page, size))
			continue;
		*several = found != NULL;
		found = found != NULL ? found : images[i];
	}
	return found;
}

bool image_alike(const struct image *a, const struct image *b, uint64_t va)
{
	const uint64_t page = va & -(uint64_t)PAGE, at = page - b->text;

	if (at >= b->text_size)
		return false;
	return image_has(a, page, b->file + b->text_offset + at,
			 b->text_size - at < PAGE ? b->text_size - at : PAGE);
}

const struct function *image_function(const struct image *image, uint64_t va)
{
	size_t low = 0, high = image->nfunction;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (image->functions[middle].start <= va)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? &image->none : image->functions[low - 1].whole;
}

enum mark image_mark(const struct image *image, uint64_t va)
{
	for (size_t i = 0; i < image->nmark; i++)
		if (image->marks[i].va == va)
			return image->marks[i].mark;
	return MARK_NONE;
}
