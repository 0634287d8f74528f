/*
 * program.c - loads an ELF file into a child: what is refused, and why; segments; arguments; stack.
 *
 * Owns nothing between calls.  A file is checked whole before the child is begun, so that a bad one
 * costs nothing.  Called by spawn and exec of the POSIX layer and by init, as build_program().
 */
#include <errno.h>
#include <string.h>
#include <libos/build.h>
#include <libos/layout.h>
#include <libos/tables.h>
#include <libos/vm.h>
#include "../vm/ptab.h"
#include "elf.h"

enum { STACK_PAGES = 2 };

static uint64_t page_up(uint64_t n)
{
	return (n + VM_PAGE - 1) & ~(VM_PAGE - 1);
}

static unsigned perm_of(const struct elf_segment *s)
{
	return VM_READ | (s->flags & ELF_WRITE ? VM_WRITE : 0u) |
	       (s->flags & ELF_EXEC ? VM_EXEC : 0u);
}

/* File bytes of the pages from va on go into the window's `count` pages. */
static int read_pages(const struct build_source *from, const struct elf_segment *s, uint64_t va,
		      uint32_t count, char *window)
{
	const uint64_t start = va > s->va ? va : s->va;
	const uint64_t file_end = s->va + s->file_size;
	const uint64_t stop = va + count * VM_PAGE < file_end ? va + count * VM_PAGE : file_end;

	if (start >= stop)
		return 0;
	return from->read_at(from->ctx, s->off + (start - s->va), window + (start - va),
			     stop - start);
}

static int copy_batch(struct build *b, const struct build_source *from, const struct elf_segment *s,
		      uint64_t va, uint32_t count)
{
	uint32_t frames[VM_WINDOW];
	char *window;
	int err = build_pages(b, va, count, perm_of(s), frames);

	if (err)
		return err;
	window = vm_window(frames, count, VM_READ | VM_WRITE, b->cap, &err);
	if (!window)
		return err;
	err = read_pages(from, s, va, count, window);
	vm_window_end();
	return err;
}

/* Pages that exist already, as far as they do from va on; returns how many, or an error. */
static int share_pages(struct build *b, const struct build_source *from,
		       const struct elf_segment *s, uint64_t va, uint32_t count)
{
	uint32_t frames[VM_WINDOW], n = 0;
	int err;

	if (!from->share || (s->flags & ELF_WRITE) || s->file_size != s->size)
		return 0;
	while (n < count) {
		frames[n] = from->share(from->ctx, s->off - s->va % VM_PAGE +
							   (va - (s->va & ~(VM_PAGE - 1))) +
							   n * VM_PAGE);
		if (!frames[n])
			break;
		n++;
	}
	err = n ? build_map_list(b, va, frames, n, perm_of(s), from->share_cap) : 0;
	return err ? err : (int)n;
}

/* Pages with file bytes, and those after them unless they can come on demand. */
static int load_segment(struct build *b, const struct build_source *from,
			const struct elf_segment *s, int last)
{
	const uint64_t size = last && (s->flags & ELF_WRITE) ? s->file_size : s->size;
	const uint64_t end = page_up(s->va + size);
	uint64_t va = s->va & ~(VM_PAGE - 1);

	while (va < end) {
		const uint64_t left = (end - va) / VM_PAGE;
		const uint32_t count = left < VM_WINDOW ? (uint32_t)left : VM_WINDOW;
		int n = share_pages(b, from, s, va, count);

		if (n == 0) {
			n = copy_batch(b, from, s, va, count);
			if (n == 0)
				n = (int)count;
		}
		if (n < 0)
			return n;
		va += (uint64_t)n * VM_PAGE;
	}
	return 0;
}

/* Strings and their vector; `to` is where the block is written, or NULL to count bytes only. */
struct packer {
	char *to;
	uint64_t used;
};

static uint64_t pack(struct packer *p, const void *bytes, uint64_t n, uint64_t align)
{
	uint64_t at;

	p->used = (p->used + align - 1) & ~(align - 1);
	at = p->used;
	if (p->to && n)
		memcpy(p->to + at, bytes, n);
	p->used += n;
	return LAYOUT_ARGS + at;
}

static uint64_t pack_vector(struct packer *p, char *const *strings, uint32_t *count)
{
	uint64_t n = 0, vector;

	while (strings && strings[n])
		n++;
	vector = pack(p, 0, 0, sizeof(char *));
	p->used += (n + 1) * sizeof(char *);
	for (uint64_t i = 0; i < n; i++) {
		const uint64_t at = pack(p, strings[i], strlen(strings[i]) + 1, 1);

		if (p->to)
			((uint64_t *)(p->to + (vector - LAYOUT_ARGS)))[i] = at;
	}
	*count = (uint32_t)n;
	return vector;
}

/* The whole block: the struct first, then all that it points to. */
static uint64_t pack_args(struct packer *p, const struct build_spec *spec, struct start_args *a)
{
	p->used = sizeof(*a);
	a->argv = (char **)pack_vector(p, spec->argv, &a->argc);
	a->envp = (char **)pack_vector(p, spec->envp, &a->envc);
	a->personal = (const void *)pack(p, spec->personal, spec->personal_size, 16);
	a->personal_size = spec->personal_size;
	a->size = (uint32_t)p->used;
	if (p->to)
		memcpy(p->to, a, sizeof(*a));
	return p->used;
}

static void fill_args(struct start_args *a, const struct build *b, const struct build_spec *spec,
		      const struct elf *elf)
{
	const struct elf_segment *last = &elf->segment[elf->segments - 1];
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	memset(a, 0, sizeof(*a));
	a->magic = START_MAGIC;
	a->version = START_VERSION;
	a->self = b->eid;
	a->parent = start_self();
	a->seed[0] = ((uint64_t)high << 32 | low) * 0x9e3779b97f4a7c15ull ^ start_args()->seed[1];
	a->seed[1] = b->eid * 0xbf58476d1ce4e5b9ull ^ start_args()->seed[0];
	a->image = elf->segment[0].va & ~(VM_PAGE - 1);
	a->image_end = page_up(last->va + (last->flags & ELF_WRITE ? last->file_size : last->size));
	a->bss_end = last->va + last->size;
	a->segment_frame = spec->segment_frame;
	a->segment_pages = spec->segment_pages;
	a->extents = spec->extents < START_EXTENTS ? spec->extents : START_EXTENTS;
	memcpy(a->extent, spec->extent, a->extents * sizeof(a->extent[0]));
	a->tables = ptab_list(b->tables, a->table);
}

static int put_args(struct build *b, const struct build_spec *spec, const struct elf *elf,
		    uint32_t stack_pages)
{
	struct packer p = {0, 0};
	uint32_t frames[(LAYOUT_ARGS_END - LAYOUT_ARGS) / VM_PAGE], count;
	struct start_args a;
	int err;

	memset(&a, 0, sizeof(a));
	if (pack_args(&p, spec, &a) > LAYOUT_ARGS_END - LAYOUT_ARGS)
		return -E2BIG;
	count = (uint32_t)(page_up(p.used) / VM_PAGE);
	err = build_pages(b, LAYOUT_ARGS, count, VM_READ | VM_WRITE, frames);
	if (err)
		return err;
	fill_args(&a, b, spec, elf);
	a.stack_low = LAYOUT_STACK_TOP - stack_pages * VM_PAGE;
	if (!a.tables)
		return -ENOMEM;
	p.to = vm_window(frames, count, VM_READ | VM_WRITE, b->cap, &err);
	if (!p.to)
		return err;
	(void)pack_args(&p, spec, &a);
	vm_window_end();
	return 0;
}

static int load(struct build *b, const struct build_spec *spec, const struct build_source *from,
		const struct elf *elf)
{
	const uint32_t stack = spec->stack_pages ? spec->stack_pages : STACK_PAGES;
	int err = 0;

	for (uint32_t i = 0; i < elf->segments && !err; i++)
		err = load_segment(b, from, &elf->segment[i], i + 1 == elf->segments);
	if (!err)
		err = build_pages(b, LAYOUT_STACK_TOP - stack * VM_PAGE, stack, VM_READ | VM_WRITE,
				  0);
	if (!err)
		err = put_args(b, spec, elf, stack);
	if (!err)
		err = build_start(b, elf->entry, LAYOUT_STACK_TOP, LAYOUT_ARGS);
	return err;
}

int build_program(struct build *b, const struct build_spec *spec, const struct build_source *from,
		  char *why)
{
	char own[BUILD_WHY];
	struct elf elf;
	int err = elf_read(&elf, from, why ? why : own);

	if (err)
		return err;
	err = build_begin(b, spec);
	if (err)
		return err;
	err = load(b, spec, from, &elf);
	if (err)
		build_abort(b);
	return err;
}
