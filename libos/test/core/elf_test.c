/*
 * elf_test.c - which files libos/core/elf.c takes for programs: good ones, and what random damage
 * may make of them.  Whatever is accepted must keep the promises of core/elf.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libos/layout.h>
#include <libos/vm.h>
#include "../../core/elf.h"

enum { SIZE = 0x3000, HEADS = 4, ROUNDS = 300000 };

struct head {
	uint32_t type, flags;
	uint64_t off, va, pa, file_size, size, align;
};

static uint8_t file[SIZE];
static struct head heads[HEADS];
static char why[BUILD_WHY];

static int read_at(void *ctx, uint64_t off, void *to, size_t n)
{
	(void)ctx;
	if (off > SIZE || n > SIZE - off)
		return -EIO;
	memcpy(to, file + off, n);
	return 0;
}

static const struct build_source source = {.read_at = read_at, .size = SIZE};

static void put(unsigned at, uint64_t n, unsigned bytes)
{
	memcpy(file + at, &n, bytes);
}

/* Text, constants, data with bss, and a note, in another order than that of their addresses. */
static void make(void)
{
	memset(file, 0, sizeof(file));
	memcpy(file, "\177ELF\2\1\1", 7);
	put(16, 2, 2);
	put(18, 62, 2);
	put(24, 0x401010, 8);
	put(32, 64, 8);
	put(54, sizeof(struct head), 2);
	put(56, HEADS, 2);
	heads[0] = (struct head){1, 6, 0x2100, 0x404100, 0, 0x300, 0x9000, VM_PAGE};
	heads[1] = (struct head){1, 5, 0x1000, 0x401000, 0, 0x800, 0x800, VM_PAGE};
	heads[2] = (struct head){4, 4, 0x40, 0, 0, 0x20, 0x20, 4};
	heads[3] = (struct head){1, 4, 0x0, 0x400000, 0, 0x200, 0x200, VM_PAGE};
	memcpy(file + 64, heads, sizeof(heads));
}

static uint64_t down(uint64_t n)
{
	return n & ~(VM_PAGE - 1);
}

/* What core/elf.h promises of an accepted file. */
static const char *broken(const struct elf *e)
{
	int entry = 0;

	if (e->segments == 0 || e->segments > ELF_SEGMENTS)
		return "number of segments";
	for (uint32_t i = 0; i < e->segments; i++) {
		const struct elf_segment *s = &e->segment[i];

		if (s->va < LAYOUT_IMAGE || s->size == 0 || s->size > LAYOUT_HEAP_END ||
		    s->va + s->size > LAYOUT_HEAP_END)
			return "outside the image's area";
		if (s->off > SIZE || s->file_size > SIZE - s->off || s->file_size > s->size)
			return "outside the file";
		if ((s->off - s->va) % VM_PAGE)
			return "not aligned";
		if ((s->flags & ELF_WRITE) && (s->flags & ELF_EXEC))
			return "writable and executable";
		if (i && down(s[-1].va + s[-1].size - 1) >= down(s->va))
			return "overlap";
		entry |= (s->flags & ELF_EXEC) && e->entry - s->va < s->size;
	}
	return entry ? NULL : "entry";
}

static const char *test_good(void)
{
	struct elf e;

	make();
	if (elf_read(&e, &source, why))
		return why;
	if (e.segments != 3 || e.segment[0].va != 0x400000 || e.segment[2].size != 0x9000)
		return "segments not in order";
	return broken(&e);
}

static const char *test_cut(void)
{
	struct elf e;

	make();
	for (uint64_t size = 0; size < 0x2400; size += 7) {
		const struct build_source cut = {.read_at = read_at, .size = size};

		if (elf_read(&e, &cut, why) != -ENOEXEC || !why[0])
			return "accepted";
	}
	return NULL;
}

static int failing(void *ctx, uint64_t off, void *to, size_t n)
{
	(void)ctx, (void)off, (void)to, (void)n;
	return -EIO;
}

static const char *test_unreadable(void)
{
	const struct build_source bad = {.read_at = failing, .size = SIZE};
	struct elf e;

	return elf_read(&e, &bad, why) == -EIO && !strcmp(why, "cannot be read") ? NULL : why;
}

/* A few bytes of the headers become others; interesting values are likelier. */
static void damage(void)
{
	static const uint64_t values[] = {0,	      1,	  0xfff,      0x1000,	  0x400000,
					  0x38000000, 0x37fff000, 1ull << 47, 1ull << 63, ~0ull,
					  ~0xfffull,  0x404000,	  SIZE,	      56};
	const unsigned at = (unsigned)rand() % (64 + sizeof(heads) - 8);

	if (rand() % 2)
		file[at] = (uint8_t)rand();
	else
		put(at & ~7u, values[(unsigned)rand() % (sizeof(values) / sizeof(values[0]))], 8);
}

static const char *test_damage(void)
{
	unsigned accepted = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const char *what;
		struct elf e;
		int err;

		make();
		for (int n = rand() % 4; n >= 0; n--)
			damage();
		why[0] = 0;
		err = elf_read(&e, &source, why);
		if (err && (err != -ENOEXEC || !why[0]))
			return "refused without words";
		accepted += err == 0;
		what = err ? NULL : broken(&e);
		if (what)
			return what;
	}
	return accepted > ROUNDS / 100 && accepted < ROUNDS / 2 ? NULL
								: "damage too rare or common";
}

static int result(const char *name, const char *bad)
{
	printf(bad ? "FAIL %s: %s\n" : "ok %s\n", name, bad);
	return bad != NULL;
}

int main(void)
{
	srand(1);
	return result("elf_good", test_good()) | result("elf_cut", test_cut()) |
	       result("elf_unreadable", test_unreadable()) | result("elf_damage", test_damage());
}
