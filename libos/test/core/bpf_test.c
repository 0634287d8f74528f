/*
 * bpf_test.c - which objects libos/core/bpf.c takes for programs: one made here, each way to spoil
 * it, what the compilers make, and objects with random damage.  What is found must lie in the
 * object.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <exo/bpf.h>
#include <libos/bpf.h>

enum { ROUNDS = 400000, ROOM = 16384 };
enum { NONE, CODE, REFS, SYMBOLS, STRINGS, NAMES, SECTIONS };

/* An object as compilers make them, in one piece. */
struct object {
	Elf64_Ehdr head;
	struct exo_bpf_insn code[2];
	Elf64_Rel refs[1];
	Elf64_Sym symbols[3];
	char strings[32], names[32];
	Elf64_Shdr section[SECTIONS];
};

static struct object good;
static char why[BPF_WHY];
static int failures;

static void check(int right, const char *what)
{
	printf("%s bpf object: %s%s%s\n", right ? "ok" : "FAIL", what, right ? "" : ": ",
	       right ? "" : why);
	failures += !right;
}

static Elf64_Shdr section(uint32_t name, uint32_t type, size_t at, size_t size)
{
	return (Elf64_Shdr){.sh_name = name, .sh_type = type, .sh_offset = at, .sh_size = size};
}

/* Names: 1 "sched", 7 "names", 13 ".rel"; symbols: 1 "choose", 8 "table". */
static void make_good(void)
{
	memcpy(good.head.e_ident, "\177ELF\2\1\1", 7);
	good.head.e_type = ET_REL;
	good.head.e_machine = EM_BPF;
	good.head.e_shoff = offsetof(struct object, section);
	good.head.e_shentsize = sizeof(Elf64_Shdr);
	good.head.e_shnum = SECTIONS;
	good.head.e_shstrndx = NAMES;
	good.code[0] = (struct exo_bpf_insn){.op = BPF_ALU64 | BPF_MOV};
	good.code[1] = (struct exo_bpf_insn){.op = BPF_JMP | BPF_EXIT};
	memcpy(good.strings, "\0choose\0table\0second", 20);
	memcpy(good.names, "\0sched\0names\0.rel", 18);
	good.symbols[1] = (Elf64_Sym){.st_name = 1, .st_info = STT_FUNC, .st_shndx = CODE};
	good.symbols[2] = (Elf64_Sym){.st_name = 8, .st_info = STT_OBJECT, .st_shndx = REFS};
	good.refs[0].r_info = 2ull << 32;
	good.section[CODE] =
		section(1, SHT_PROGBITS, offsetof(struct object, code), sizeof(good.code));
	good.section[CODE].sh_flags = SHF_EXECINSTR | SHF_ALLOC;
	good.section[REFS] = section(13, SHT_REL, offsetof(struct object, refs), 0);
	good.section[REFS].sh_info = CODE;
	good.section[REFS].sh_link = SYMBOLS;
	good.section[SYMBOLS] =
		section(0, SHT_SYMTAB, offsetof(struct object, symbols), sizeof(good.symbols));
	good.section[SYMBOLS].sh_link = STRINGS;
	good.section[STRINGS] =
		section(0, SHT_STRTAB, offsetof(struct object, strings), sizeof(good.strings));
	good.section[NAMES] =
		section(7, SHT_STRTAB, offsetof(struct object, names), sizeof(good.names));
}

/* ---- one mistake each ----------------------------------------------------------------------- */

static void refused(const struct object *o, const char *section, const char *words)
{
	struct bpf_found found;
	const int error = bpf_find(o, sizeof(*o), section, &found, why);

	check(error == -ENOEXEC && strcmp(why, words) == 0, words);
}

#define SPOILT(words, ...)                                                                         \
	do {                                                                                       \
		struct object o = good;                                                            \
		__VA_ARGS__;                                                                       \
		refused(&o, NULL, words);                                                          \
	} while (0)

static void test_head(void)
{
	struct bpf_found found;

	SPOILT("not an ELF object", o.head.e_ident[0] = 0);
	SPOILT("not for BPF: compile it by clang -target bpf or bpf-gcc",
	       o.head.e_machine = EM_X86_64);
	SPOILT("not for BPF: compile it by clang -target bpf or bpf-gcc",
	       o.head.e_ident[EI_CLASS] = ELFCLASS32);
	SPOILT("its high bytes come first: compile it by clang -target bpf",
	       o.head.e_ident[EI_DATA] = ELFDATA2MSB;
	       o.head.e_machine = __builtin_bswap16(EM_BPF));
	SPOILT("linked: an object is wanted (-c)", o.head.e_type = ET_EXEC);
	SPOILT("malformed: no table of sections", o.head.e_shnum = 0);
	SPOILT("malformed: no table of sections", o.head.e_shentsize = 40);
	SPOILT("too many sections", o.head.e_shnum = 257);
	SPOILT("malformed: a section ends beyond the file", o.head.e_shoff = ~0ull);
	SPOILT("malformed: a section ends beyond the file", o.head.e_shoff = sizeof(o) - 10);
	SPOILT("malformed: a section ends beyond the file", o.head.e_shnum++);
	check(bpf_find(&good, 10, NULL, &found, why) == -ENOEXEC, "shorter than a header");
	check(bpf_find(&good, 0, NULL, &found, why) == -ENOEXEC, "of no bytes");
}

static void test_sections(void)
{
	SPOILT("no section of instructions", o.section[CODE].sh_flags = SHF_ALLOC);
	SPOILT("no section of instructions", o.section[CODE].sh_size = 0);
	SPOILT("no section of instructions", o.section[CODE].sh_type = SHT_NOBITS);
	SPOILT("malformed: a section ends beyond the file", o.section[CODE].sh_offset = sizeof(o));
	SPOILT("malformed: a section ends beyond the file", o.section[CODE].sh_size = ~0ull - 7);
	SPOILT("malformed: section `sched` is not whole instructions", o.section[CODE].sh_size--);
	SPOILT("section `sched` is compressed", o.section[CODE].sh_flags |= SHF_COMPRESSED);
	SPOILT("several sections of instructions, `sched` and `names`: say which",
	       o.section[NAMES].sh_type = SHT_PROGBITS;
	       o.section[NAMES].sh_flags = SHF_EXECINSTR);
	SPOILT("malformed: section `?` is not whole instructions", o.section[CODE].sh_size--;
	       o.section[CODE].sh_name = 1000);
	SPOILT("malformed: section `?` is not whole instructions", o.section[CODE].sh_size--;
	       memset(o.names, 'x', sizeof(o.names)));
	SPOILT("malformed: section `?ched` is not whole instructions", o.section[CODE].sh_size--;
	       o.names[1] = '\33');
	refused(&good, "other", "no section `other` of instructions");
}

static void test_program(void)
{
	SPOILT("refers to `table`: a program has no variables and calls nothing",
	       o.section[REFS].sh_size = sizeof(o.refs));
	SPOILT("refers to `table`: a program has no variables and calls nothing",
	       o.section[REFS].sh_size = sizeof(Elf64_Rela);
	       o.section[REFS].sh_type = SHT_RELA);
	SPOILT("refers to `.rel`: a program has no variables and calls nothing",
	       o.section[REFS].sh_size = sizeof(o.refs);
	       o.symbols[2].st_name = 0);
	SPOILT("refers to `?`: a program has no variables and calls nothing",
	       o.section[REFS].sh_size = sizeof(o.refs);
	       o.refs[0].r_info = ~0ull);
	SPOILT("refers to `?`: a program has no variables and calls nothing",
	       o.section[REFS].sh_size = sizeof(o.refs);
	       o.section[REFS].sh_link = CODE);
	SPOILT("two functions, `choose` and `second`: make all but the program static inline",
	       o.symbols[2] = o.symbols[1];
	       o.symbols[2].st_name = 14);
}

static void test_length(void)
{
	static struct {
		struct object o;
		uint8_t more[EXO_BPF_MAX_INSNS * 8 + 8];
	} big;
	struct bpf_found found;

	big.o = good;
	big.o.section[CODE].sh_offset = sizeof(big.o);
	big.o.section[CODE].sh_size = sizeof(big.more);
	check(bpf_find(&big, sizeof(big), NULL, &found, why) == -ENOEXEC &&
		      strcmp(why, "513 instructions, more than 512") == 0,
	      "one instruction too many");
	big.o.section[CODE].sh_size -= 8;
	check(bpf_find(&big, sizeof(big), "sched", &found, why) == 0 && found.count == 512 &&
		      found.offset == sizeof(big.o),
	      "as many as there may be");
}

/* ---- what compilers make, and damage -------------------------------------------------------- */

static uint8_t file[ROOM], damaged[ROOM];
static uint64_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* A scheduler that a compiler has made; 0: it is not there. */
static size_t read_object(const char *name)
{
	const char *const out = getenv("O");
	char path[256];
	FILE *from;
	size_t n;

	snprintf(path, sizeof(path), "%s/exo/test/bpf/sched/%s", out ? out : "build", name);
	from = fopen(path, "rb");
	n = from ? fread(file, 1, sizeof(file), from) : 0;
	if (from)
		fclose(from);
	return n < sizeof(file) ? n : 0;
}

static void test_compiled(const char *name)
{
	const size_t size = read_object(name);
	struct bpf_found found = {0, 0};

	snprintf(why, sizeof(why), "%zu bytes", size);
	check(size && bpf_find(file, size, NULL, &found, why) == 0 && found.count > 8, name);
}

static void damage(uint8_t *bytes, size_t size)
{
	for (uint32_t n = 1 + below(4); n; n--) {
		const size_t at = below(3) ? below((uint32_t)size) : size - 1 - below(448);

		if (below(2))
			bytes[at] = (uint8_t)below(256);
		else if (at + 8 <= size)
			memset(bytes + at, below(2) ? 0xff : 0, 1 + below(8));
	}
}

/* A copy in memory of its own size, so that a byte too far is noticed. */
static int holds(const uint8_t *bytes, size_t size, uint32_t *accepted)
{
	uint8_t *const copy = malloc(size ? size : 1);
	struct bpf_found found;
	int error;

	memcpy(copy, bytes, size);
	memset(why, 'x', sizeof(why));
	error = bpf_find(copy, size, below(2) ? "sched" : NULL, &found, why);
	free(copy);
	*accepted += error == 0;
	if (error)
		return error == -ENOEXEC && why[0] && memchr(why, 0, sizeof(why));
	return found.count && found.count <= EXO_BPF_MAX_INSNS && found.offset <= size &&
	       found.count * 8ul <= size - found.offset;
}

static void test_damage(size_t size, const uint8_t *from, const char *what)
{
	uint32_t accepted = 0;
	int held = 1;

	for (uint32_t i = 0; i < ROUNDS && held; i++) {
		memcpy(damaged, from, size);
		damage(damaged, size);
		held = holds(damaged, below(8) ? size : below((uint32_t)size + 1), &accepted);
	}
	check(held && accepted > ROUNDS / 100 && accepted < ROUNDS, what);
}

int main(void)
{
	struct bpf_found found;

	make_good();
	check(bpf_find(&good, sizeof(good), NULL, &found, why) == 0 && found.count == 2 &&
		      found.offset == offsetof(struct object, code),
	      "a good one");
	test_head();
	test_sections();
	test_program();
	test_length();
	test_damage(sizeof(good), (const uint8_t *)&good, "damage at random");
	test_compiled("gang.gcc.o");
	test_compiled("rr.clang.o");
	test_damage(read_object("rr.clang.o"), file, "damage at random to a compiler's");
	return failures != 0;
}
