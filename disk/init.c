/*
 * init.c - ELF64 to struct exo_init.  The kernel trusts what it reads from the image, so what it
 * would choke on is refused here.  Keeps no state.
 */
#include "init.h"
#include "memory.h"
#include "report.h"

#include <elf.h>
#include <exo/image.h>
#include <string.h>

enum { PAGE = EXO_PAGE_SIZE };
#define LOWER_HALF_END 0x800000000000ull
#define MANIFEST_PAGES bytes_in_units(sizeof(struct exo_manifest), PAGE)

struct elf {
	const char *path;
	struct bytes file;
	Elf64_Ehdr head;
};

/* Range of pages that a segment covers: first address, and first address after it. */
struct range {
	uint64_t start, end;
};

static void check_identity(const struct elf *elf)
{
	const unsigned char *id = elf->head.e_ident;

	if (memcmp(id, ELFMAG, SELFMAG) != 0)
		die("%s: not an ELF file", elf->path);
	if (id[EI_CLASS] != ELFCLASS64 || id[EI_DATA] != ELFDATA2LSB)
		die("%s: not a 64-bit little-endian ELF file", elf->path);
	if (elf->head.e_machine != EM_X86_64)
		die("%s: not for x86-64", elf->path);
	if (elf->head.e_type != ET_EXEC)
		die("%s: not a static program at fixed addresses (ET_EXEC)", elf->path);
}

static void check_program_headers(const struct elf *elf)
{
	uint64_t size = (uint64_t)elf->head.e_phnum * sizeof(Elf64_Phdr);

	if (elf->head.e_phentsize != sizeof(Elf64_Phdr) || elf->head.e_phnum == 0)
		die("%s: no program headers", elf->path);
	if (elf->head.e_phoff > elf->file.len || size > elf->file.len - elf->head.e_phoff)
		die("%s: truncated: program headers lie beyond its end", elf->path);
}

static Elf64_Phdr program_header(const struct elf *elf, unsigned index)
{
	Elf64_Phdr header;

	memcpy(&header, elf->file.at + elf->head.e_phoff + index * sizeof(header), sizeof(header));
	return header;
}

static struct range page_range(const Elf64_Phdr *header)
{
	return (struct range){
		.start = header->p_vaddr / PAGE * PAGE,
		.end = bytes_in_units(header->p_vaddr + header->p_memsz, PAGE) * PAGE,
	};
}

static bool overlap(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

/* What the kernel puts into the first program by itself. */
static void check_reserved(const struct elf *elf, unsigned index, struct range range)
{
	const struct {
		const char *what;
		struct range range;
	} reserved[] = {
		{"the manifest", {EXO_MANIFEST_VA, EXO_MANIFEST_VA + MANIFEST_PAGES * PAGE}},
		{"the upcall page", {EXO_INIT_UPCALL, EXO_INIT_UPCALL + PAGE}},
		{"the stack",
		 {EXO_INIT_STACK_TOP - EXO_INIT_STACK_PAGES * PAGE, EXO_INIT_STACK_TOP}},
	};

	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (overlap(range, reserved[i].range))
			die("%s: segment %u lies where the kernel puts %s", elf->path, index,
			    reserved[i].what);
}

static void check_load(const struct elf *elf, unsigned index, const Elf64_Phdr *header)
{
	if (header->p_offset > elf->file.len || header->p_filesz > elf->file.len - header->p_offset)
		die("%s: truncated: segment %u lies beyond its end", elf->path, index);
	if (header->p_filesz > header->p_memsz)
		die("%s: segment %u is longer in the file than in memory", elf->path, index);
	if (header->p_vaddr >= LOWER_HALF_END || header->p_memsz > LOWER_HALF_END - header->p_vaddr)
		die("%s: segment %u is not in the lower half", elf->path, index);
	if (header->p_memsz > (uint64_t)INIT_MAX_PAGES * PAGE)
		die("%s: segment %u is too big", elf->path, index);
	if (header->p_vaddr < PAGE)
		die("%s: segment %u covers address 0", elf->path, index);
	if ((header->p_flags & PF_W) && (header->p_flags & PF_X))
		die("%s: segment %u is writable and executable", elf->path, index);
	if (!(header->p_flags & PF_R))
		die("%s: segment %u is not readable", elf->path, index);
	check_reserved(elf, index, page_range(header));
}

static uint32_t permissions(uint32_t flags)
{
	return EXO_MAP_READ | (flags & PF_W ? EXO_MAP_WRITE : 0) |
	       (flags & PF_X ? EXO_MAP_EXEC : 0);
}

/* Adds a checked segment to init; pages of the image are counted by the caller. */
static void add_segment(const struct elf *elf, struct exo_init *init, const Elf64_Phdr *header)
{
	struct range range = page_range(header);
	uint64_t in_page = header->p_vaddr % PAGE;
	uint64_t pages = header->p_filesz ? bytes_in_units(in_page + header->p_filesz, PAGE) : 0;

	if (init->segments == EXO_INIT_SEGMENTS)
		die("%s: more than %d segments", elf->path, EXO_INIT_SEGMENTS);
	for (uint32_t i = 0; i < init->segments; i++) {
		const struct exo_init_segment *other = &init->seg[i];
		uint64_t end = other->va + (uint64_t)(other->pages + other->zero_pages) * PAGE;

		if (overlap(range, (struct range){other->va, end}))
			die("%s: segments share the page at %#llx", elf->path,
			    (unsigned long long)(range.start > other->va ? range.start
									 : other->va));
	}
	init->seg[init->segments++] = (struct exo_init_segment){
		.va = range.start,
		.pages = (uint32_t)pages,
		.zero_pages = (uint32_t)((range.end - range.start) / PAGE - pages),
		.perm = permissions(header->p_flags),
	};
}

static bool entry_is_code(const struct exo_init *init)
{
	for (uint32_t i = 0; i < init->segments; i++) {
		const struct exo_init_segment *s = &init->seg[i];

		if ((s->perm & EXO_MAP_EXEC) && init->entry >= s->va &&
		    init->entry - s->va < (uint64_t)s->pages * PAGE)
			return true;
	}
	return false;
}

static void read_segments(const struct elf *elf, struct exo_init *init)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < elf->head.e_phnum; i++) {
		Elf64_Phdr header = program_header(elf, i);

		if (header.p_type == PT_INTERP || header.p_type == PT_DYNAMIC)
			die("%s: dynamically linked; link it statically", elf->path);
		if (header.p_type != PT_LOAD || header.p_memsz == 0)
			continue;
		check_load(elf, i, &header);
		add_segment(elf, init, &header);
		pages += init->seg[init->segments - 1].pages;
		pages += init->seg[init->segments - 1].zero_pages;
	}
	if (pages > INIT_MAX_PAGES)
		die("%s: too big: %llu pages, at most %d", elf->path, (unsigned long long)pages,
		    INIT_MAX_PAGES);
	if (!entry_is_code(init))
		die("%s: its entry %#llx is not in an executable segment", elf->path,
		    (unsigned long long)init->entry);
}

/* Copies the file's bytes to the pages after the header page, in the order of init's segments. */
static void copy_segments(const struct elf *elf, const struct exo_init *init, uint8_t *page)
{
	uint32_t segment = 0;

	for (unsigned i = 0; i < elf->head.e_phnum; i++) {
		Elf64_Phdr header = program_header(elf, i);

		if (header.p_type != PT_LOAD || header.p_memsz == 0)
			continue;
		memcpy(page + header.p_vaddr % PAGE, elf->file.at + header.p_offset,
		       header.p_filesz);
		page += (uint64_t)init->seg[segment++].pages * PAGE;
	}
}

struct bytes init_from_elf(const char *path)
{
	struct elf elf = {.path = path, .file = bytes_read_file(path, 256u << 20)};
	struct exo_init init = {.magic = EXO_INIT_MAGIC};
	struct bytes made;
	uint64_t pages = 1;

	if (elf.file.len < sizeof(elf.head))
		die("%s: truncated: no ELF header", path);
	memcpy(&elf.head, elf.file.at, sizeof(elf.head));
	check_identity(&elf);
	check_program_headers(&elf);
	init.entry = elf.head.e_entry;
	read_segments(&elf, &init);
	for (uint32_t i = 0; i < init.segments; i++)
		pages += init.seg[i].pages;
	made.len = pages * PAGE;
	made.at = memory_take(made.len);
	memcpy(made.at, &init, sizeof(init));
	copy_segments(&elf, &init, made.at + PAGE);
	return made;
}
