/*
 * elf.c - which files are programs, and in words why others are not (see elf.h).
 * Trusts nothing in the file; each refusal has its own message.  No state.
 */
#include <errno.h>
#include <string.h>
#include <libos/layout.h>
#include <libos/vm.h>
#include "elf.h"

struct elf_file {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_file) == 64, "ELF64 header");

struct elf_program {
	uint32_t type, flags;
	uint64_t off, va, pa, file_size, size, align;
};
_Static_assert(sizeof(struct elf_program) == 56, "ELF64 program header");

enum {
	CLASS_64 = 2,
	LITTLE = 1,
	TYPE_EXEC = 2,
	TYPE_DYN = 3,
	MACHINE_X86_64 = 62,
	PT_LOAD = 1,
	PT_INTERP = 3,
	MOST_HEADERS = 32,
};

static int refuse(char *why, const char *words)
{
	size_t n = 0;

	for (; words[n] && n + 1 < BUILD_WHY; n++)
		why[n] = words[n];
	why[n] = 0;
	return -ENOEXEC;
}

static int check_header(const struct elf_file *h, char *why)
{
	if (memcmp(h->ident, "\177ELF", 4) != 0)
		return refuse(why, "not an ELF file");
	if (h->ident[4] != CLASS_64 || h->ident[5] != LITTLE || h->machine != MACHINE_X86_64)
		return refuse(why, "not for x86-64");
	if (h->type == TYPE_DYN)
		return refuse(why, "position independent: link with -static -no-pie");
	if (h->type != TYPE_EXEC)
		return refuse(why, "not an executable");
	if (h->phentsize != sizeof(struct elf_program) || h->phnum == 0 || h->phnum > MOST_HEADERS)
		return refuse(why, "malformed: bad table of segments");
	return 0;
}

static uint64_t page_down(uint64_t n)
{
	return n & ~(VM_PAGE - 1);
}

static int check_segment(const struct elf_program *p, uint64_t file_size, char *why)
{
	if (p->file_size > p->size)
		return refuse(why, "malformed: segment larger in the file than in memory");
	if (p->off > file_size || p->file_size > file_size - p->off)
		return refuse(why, "truncated: segment ends beyond the file");
	if (p->va >> 47 || p->size >> 47)
		return refuse(why, "segment in the kernel's half of the address space");
	if (p->va < LAYOUT_IMAGE || p->va + p->size > LAYOUT_HEAP_END)
		return refuse(why, "segment outside 0x400000..0x38000000");
	if (p->size > (uint64_t)BUILD_MAX_PAGES * VM_PAGE)
		return refuse(why, "too big");
	if ((p->flags & ELF_WRITE) && (p->flags & ELF_EXEC))
		return refuse(why, "segment writable and executable at once");
	if ((p->off - p->va) % VM_PAGE)
		return refuse(why, "malformed: segment not aligned to pages");
	return 0;
}

static int add_segment(struct elf *elf, const struct elf_program *p, char *why)
{
	uint32_t at = elf->segments;

	if (at == ELF_SEGMENTS)
		return refuse(why, "too many segments");
	while (at > 0 && elf->segment[at - 1].va > p->va) {
		elf->segment[at] = elf->segment[at - 1];
		at--;
	}
	elf->segment[at] = (struct elf_segment){p->va, p->off, p->file_size, p->size, p->flags, 0};
	elf->segments++;
	return 0;
}

static int check_all(const struct elf *elf, char *why)
{
	int entry = 0;

	if (elf->segments == 0)
		return refuse(why, "nothing to load");
	for (uint32_t i = 0; i < elf->segments; i++) {
		const struct elf_segment *s = &elf->segment[i];

		if (i && page_down(s[-1].va + s[-1].size - 1) >= page_down(s->va))
			return refuse(why, "segments overlap");
		if ((s->flags & ELF_EXEC) && elf->entry >= s->va && elf->entry < s->va + s->size)
			entry = 1;
	}
	return entry ? 0 : refuse(why, "entry outside the executable segments");
}

static int read_at(const struct build_source *from, uint64_t off, void *to, uint64_t n, char *why)
{
	int err;

	if (off > from->size || n > from->size - off)
		return refuse(why, "truncated");
	err = from->read_at(from->ctx, off, to, n);
	if (err)
		(void)refuse(why, "cannot be read");
	return err;
}

/* One entry of the table of segments; those that are not loaded are of no interest. */
static int take_segment(struct elf *elf, const struct elf_program *p, uint64_t file_size, char *why)
{
	int err;

	if (p->type == PT_INTERP)
		return refuse(why, "dynamically linked: link with -static");
	if (p->type != PT_LOAD || p->size == 0)
		return 0;
	err = check_segment(p, file_size, why);
	return err ? err : add_segment(elf, p, why);
}

int elf_read(struct elf *elf, const struct build_source *from, char *why)
{
	struct elf_program p[MOST_HEADERS] = {{0}};
	struct elf_file h = {0};
	int err = from->size < sizeof(h) ? refuse(why, "not an ELF file")
					 : read_at(from, 0, &h, sizeof(h), why);

	memset(elf, 0, sizeof(*elf));
	if (!err)
		err = check_header(&h, why);
	if (!err)
		err = read_at(from, h.phoff, p, h.phnum * sizeof(p[0]), why);
	for (uint32_t i = 0; !err && i < h.phnum; i++)
		err = take_segment(elf, &p[i], from->size, why);
	if (err)
		return err;
	elf->entry = h.entry;
	return check_all(elf, why);
}
