/*
 * bpf.c - which objects hold a program for the kernel, and in words why others do not (see bpf.h).
 *
 * Trusts nothing in the file: each record is copied out of it after its place was checked, and each
 * name ends within its table.  No state.
 */
#include <errno.h>
#include <string.h>
#include <libos/bpf.h>
#include <exo/bpf.h>
#include "words.h"

struct elf_head {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_head) == 64, "ELF64 header");

struct elf_section {
	uint32_t name, type;
	uint64_t flags, address, offset, size;
	uint32_t link, info;
	uint64_t align, entry_size;
};
_Static_assert(sizeof(struct elf_section) == 64, "ELF64 section header");

struct elf_symbol {
	uint32_t name;
	uint8_t info, other;
	uint16_t section;
	uint64_t value, size;
};
_Static_assert(sizeof(struct elf_symbol) == 24, "ELF64 symbol");

/* A relocation with or without addend begins so. */
struct elf_relocation {
	uint64_t offset, info;
};

enum {
	CLASS_64 = 2,
	LITTLE = 1,
	TYPE_OBJECT = 1,
	MACHINE_BPF = 247,
	SECTION_BITS = 1,
	SECTION_SYMBOLS = 2,
	SECTION_RELA = 4,
	SECTION_NOTHING = 8,
	SECTION_REL = 9,
	FLAG_CODE = 4,
	FLAG_COMPRESSED = 0x800,
	SYMBOL_FUNCTION = 2,
	INSN = sizeof(struct exo_bpf_insn),
	MOST_SECTIONS = 256,
};

struct object {
	const uint8_t *bytes;
	size_t size;
	const char *wanted; /* section */
	struct elf_head head;
	struct words why;
};

/* -ENOEXEC, with words. */
static int refuse(const struct object *o, const char *words, const char *name, const char *more)
{
	words_begin(&o->why);
	words_add(&o->why, words);
	words_add(&o->why, name);
	words_add(&o->why, more);
	return -ENOEXEC;
}

/* ---- records -------------------------------------------------------------------------------- */

/* n bytes at `at` of the file: 1, and they are copied; 0: they are not all in it. */
static int copy(const struct object *o, uint64_t at, void *to, size_t n)
{
	if (at > o->size || n > o->size - at)
		return 0;
	memcpy(to, o->bytes + at, n);
	return 1;
}

/* Section n, if there is one and what it says to hold is in the file. */
static int section_at(const struct object *o, uint32_t n, struct elf_section *s)
{
	const uint64_t at = o->head.shoff + (uint64_t)n * sizeof(*s);

	if (n >= o->head.shnum || at < o->head.shoff || !copy(o, at, s, sizeof(*s)))
		return 0;
	return s->type == SECTION_NOTHING ||
	       (s->offset <= o->size && s->size <= o->size - s->offset);
}

/* The string at `at` in the table of section n; "?" where there is none that ends in it. */
static const char *string_at(const struct object *o, uint32_t n, uint32_t at)
{
	struct elf_section table;
	const char *text;

	if (!section_at(o, n, &table) || table.type == SECTION_NOTHING || at >= table.size)
		return "?";
	text = (const char *)o->bytes + table.offset + at;
	return memchr(text, 0, table.size - at) ? text : "?";
}

static const char *section_name(const struct object *o, const struct elf_section *s)
{
	return string_at(o, o->head.shstrndx, s->name);
}

static int symbol_at(const struct object *o, const struct elf_section *table, uint64_t i,
		     struct elf_symbol *symbol)
{
	return table->type == SECTION_SYMBOLS && i < table->size / sizeof(*symbol) &&
	       copy(o, table->offset + i * sizeof(*symbol), symbol, sizeof(*symbol));
}

/* ---- what is refused ------------------------------------------------------------------------ */

static int check_head(struct object *o)
{
	const struct elf_head *const h = &o->head;

	if (!copy(o, 0, &o->head, sizeof(o->head)) || memcmp(h->ident, "\177ELF", 4) != 0)
		return refuse(o, "not an ELF object", "", "");
	if (h->ident[5] != LITTLE) /* then the other fields are the other way round, too */
		return refuse(o, "its high bytes come first: compile it by clang -target bpf", "",
			      "");
	if (h->ident[4] != CLASS_64 || h->machine != MACHINE_BPF)
		return refuse(o, "not for BPF: compile it by clang -target bpf or bpf-gcc", "", "");
	if (h->type != TYPE_OBJECT)
		return refuse(o, "linked: an object is wanted (-c)", "", "");
	if (h->shnum > MOST_SECTIONS)
		return refuse(o, "too many sections", "", "");
	if (h->shnum == 0 || h->shentsize != sizeof(struct elf_section))
		return refuse(o, "malformed: no table of sections", "", "");
	return 0;
}

/* What a relocation of section n refers to, by its name or its section's. */
static const char *referred(const struct object *o, const struct elf_section *relocations)
{
	struct elf_relocation r;
	struct elf_section symbols, home;
	struct elf_symbol symbol;
	const char *name;

	if (!copy(o, relocations->offset, &r, sizeof(r)) ||
	    !section_at(o, relocations->link, &symbols) ||
	    !symbol_at(o, &symbols, r.info >> 32, &symbol))
		return "?";
	name = string_at(o, symbols.link, symbol.name);
	return *name || !section_at(o, symbol.section, &home) ? name : section_name(o, &home);
}

static int check_references(struct object *o, uint32_t n)
{
	struct elf_section s;

	for (uint32_t i = 0; i < o->head.shnum; i++) {
		if (!section_at(o, i, &s) || s.info != n || s.size == 0 ||
		    (s.type != SECTION_REL && s.type != SECTION_RELA))
			continue;
		return refuse(o, "refers to `", referred(o, &s),
			      "`: a program has no variables and calls nothing");
	}
	return 0;
}

/* Of two functions in a section nobody says which is the program. */
static int check_functions(struct object *o, uint32_t n)
{
	const char *first = NULL;
	struct elf_section s;
	struct elf_symbol symbol;

	for (uint32_t i = 0; i < o->head.shnum; i++) {
		if (!section_at(o, i, &s))
			continue;
		for (uint64_t k = 0; symbol_at(o, &s, k, &symbol); k++) {
			const char *name;

			if ((symbol.info & 15) != SYMBOL_FUNCTION || symbol.section != n)
				continue;
			name = string_at(o, s.link, symbol.name);
			if (first) {
				(void)refuse(o, "two functions, `", first, "` and `");
				words_add(&o->why, name);
				words_add(&o->why, "`: make all but the program static inline");
				return -ENOEXEC;
			}
			first = name;
		}
	}
	return 0;
}

static int check_section(struct object *o, uint32_t n, const struct elf_section *s)
{
	const char *const name = section_name(o, s);
	int error;

	if (s->flags & FLAG_COMPRESSED)
		return refuse(o, "section `", name, "` is compressed");
	if (s->size % INSN)
		return refuse(o, "malformed: section `", name, "` is not whole instructions");
	if (s->size / INSN > EXO_BPF_MAX_INSNS) {
		(void)refuse(o, "", "", "");
		words_number(&o->why, s->size / INSN);
		words_add(&o->why, " instructions, more than ");
		words_number(&o->why, EXO_BPF_MAX_INSNS);
		return -ENOEXEC;
	}
	error = check_references(o, n);
	return error ? error : check_functions(o, n);
}

/* ---- finding -------------------------------------------------------------------------------- */

static int is_wanted(const struct object *o, const struct elf_section *s)
{
	return s->type == SECTION_BITS && (s->flags & FLAG_CODE) && s->size != 0 &&
	       (!o->wanted || strcmp(section_name(o, s), o->wanted) == 0);
}

/* The section's number, or -ENOEXEC. */
static int look(struct object *o, struct elf_section *found)
{
	int at = -ENOEXEC;

	*found = (struct elf_section){.type = SECTION_NOTHING};
	for (uint32_t i = 0; i < o->head.shnum; i++) {
		struct elf_section s;

		if (!section_at(o, i, &s))
			return refuse(o, "malformed: a section ends beyond the file", "", "");
		if (!is_wanted(o, &s))
			continue;
		if (at >= 0) {
			(void)refuse(o, "several sections of instructions, `",
				     section_name(o, found), "` and `");
			words_add(&o->why, section_name(o, &s));
			words_add(&o->why, "`: say which");
			return -ENOEXEC;
		}
		*found = s;
		at = (int)i;
	}
	if (at >= 0)
		return at;
	return o->wanted ? refuse(o, "no section `", o->wanted, "` of instructions")
			 : refuse(o, "no section of instructions", "", "");
}

int bpf_find(const void *object, size_t size, const char *section, struct bpf_found *found,
	     char why[BPF_WHY])
{
	struct object o = {
		.bytes = object, .size = size, .wanted = section, .why = words_in(why, BPF_WHY)};
	struct elf_section s;
	int at, error = check_head(&o);

	if (error)
		return error;
	at = look(&o, &s);
	if (at < 0)
		return at;
	error = check_section(&o, (uint32_t)at, &s);
	if (!error)
		*found = (struct bpf_found){s.offset, (uint32_t)(s.size / INSN)};
	return error;
}
