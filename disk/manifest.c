/*
 * manifest.c - the boot manifest's compiler: lines to words, words to records, and the promises
 * added up.  A name must be declared above its use, so that one pass is enough.  The state of a
 * compilation is struct parser; nothing else is kept.
 */
#include "manifest.h"
#include "bytes.h"
#include "report.h"

#include <ctype.h>
#include <exo/crc32c.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 64, PRINCIPALS = 64, NAME = 16, QUOTAS = EXO_QUOTA_GROUPS + 1 };

struct word {
	char *text;
	char *value; /* after '=', or NULL */
	bool quoted;
};

struct principal {
	char name[NAME];
	uint64_t number;
};

struct parser {
	struct plan *plan;
	unsigned line;
	struct word word[WORDS];
	unsigned words;
	struct principal principal[PRINCIPALS];
	unsigned principals;
	/* What programs that run together were promised so far. */
	uint64_t promised[QUOTAS];
	unsigned promised_percent[QUOTAS];
	bool slot_promised[EXO_NSLOT];
	bool shell_seen;
	unsigned main_line, verbose_line, disk_line;
};

struct quota_kind {
	const char *name;
	uint32_t most;	   /* that there can be */
	uint32_t standard; /* when the manifest does not say */
};

static const struct quota_kind quota_kinds[QUOTAS] = {
	[EXO_QUOTA_PAGES] = {"pages", EXO_MANIFEST_PERCENT - 1, 4096},
	[EXO_QUOTA_SLOTS] = {"slots", EXO_NSLOT, 8},
	[EXO_QUOTA_CAPS] = {"caps", EXO_NENV *EXO_NCAP, 64},
	[EXO_QUOTA_ENVS] = {"envs", EXO_NENV - 1, 16},
	[EXO_QUOTA_EXTENTS] = {"extents", EXO_NEXTENT - 1, 8},
	[EXO_QUOTA_IO] = {"io", EXO_NIO - 1, 32},
	[EXO_QUOTA_DISK] = {"disk", EXO_DISK_SHARES, EXO_DISK_SHARES / 64},
	[EXO_QUOTA_GROUPS] = {"groups", EXO_NGROUP - 1, 0},
};

static const struct {
	const char *name;
	uint32_t flag;
} program_flags[] = {
	{"wait", EXO_MF_WAIT},	   {"console", EXO_MF_CONSOLE}, {"halt", EXO_MF_HALT},
	{"shared", EXO_MF_SHARED}, {"shell", EXO_MF_SHELL},	{"screen", EXO_MF_SCREEN},
	{"trace", EXO_MF_TRACE},   {"attend", EXO_MF_ATTEND},
};

static const struct letter {
	char letter;
	uint8_t right;
} right_letters[] =
	{
		{'r', EXO_RIGHT_READ},
		{'w', EXO_RIGHT_WRITE},
		{'g', EXO_RIGHT_GRANT},
		{'a', EXO_RIGHT_ADMIN},
},
  env_letters[] = {
	  {'c', EXO_ENV_CALL},
	  {'r', EXO_ENV_REVOKE},
	  {'k', EXO_ENV_KILL},
	  {'v', EXO_ENV_GIVE},
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define MISTAKE(p, ...) report_mistake((p)->plan->file, (p)->line, __VA_ARGS__)

/* ---- what other files want to know --------------------------------------------------------- */

const char *manifest_quota_name(unsigned kind)
{
	return quota_kinds[kind].name;
}

const char *manifest_flag_name(unsigned n, uint32_t *flag)
{
	if (n >= COUNT(program_flags))
		return NULL;
	*flag = program_flags[n].flag;
	return program_flags[n].name;
}

void manifest_rights_text(uint32_t rights, char to[static 5])
{
	for (unsigned i = 0; i < COUNT(right_letters); i++)
		if (rights & right_letters[i].right)
			*to++ = right_letters[i].letter;
	*to = 0;
}

uint32_t manifest_crc(const struct exo_manifest *manifest)
{
	struct exo_manifest copy = *manifest;

	copy.crc = 0;
	return exo_crc32c(0, (const uint8_t *)&copy, offsetof(struct exo_manifest, boot_args));
}

/* ---- numbers and names --------------------------------------------------------------------- */

/* Reads digits of the base from *text and moves it behind them. */
static bool digits(const char **text, unsigned base, uint64_t *number)
{
	const char *start = *text;

	for (*number = 0;; (*text)++) {
		unsigned char c = (unsigned char)**text;
		unsigned digit = (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);

		if (!isxdigit(c) || digit >= base)
			return *text != start;
		if (__builtin_mul_overflow(*number, base, number) ||
		    __builtin_add_overflow(*number, digit, number))
			return false;
	}
}

bool manifest_number(const char *text, uint64_t *number)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (hex)
		text += 2;
	return digits(&text, hex ? 16 : 10, number) && *text == 0;
}

bool manifest_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!digits(&text, 10, bytes))
		return false;
	if (*text) {
		unit = strchr(units, toupper((unsigned char)*text));
		if (!unit || text[1])
			return false;
		if (__builtin_mul_overflow(*bytes, 1ull << 10 * (unit - units + 1), bytes))
			return false;
	}
	return *bytes < 1ull << 63;
}

/* Copies a name of [a-z0-9_-] that fits `to` with its NUL; reports anything else. */
static bool take_name(const struct parser *p, const char *what, const char *text, char *to,
		      size_t room)
{
	size_t len = strlen(text);

	if (len == 0 || len >= room) {
		MISTAKE(p, "%s name '%s' must have 1 to %zu characters", what, text, room - 1);
		return false;
	}
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len) {
		MISTAKE(p, "%s name '%s' may have only a-z, 0-9, _ and -", what, text);
		return false;
	}
	memcpy(to, text, len + 1);
	return true;
}

static const struct principal *principal_named(const struct parser *p, const char *name)
{
	for (unsigned i = 0; i < p->principals; i++)
		if (strcmp(p->principal[i].name, name) == 0)
			return &p->principal[i];
	return NULL;
}

static struct plan_extent *extent_named(const struct parser *p, const char *name)
{
	for (unsigned i = 0; i < p->plan->extents; i++)
		if (strcmp(p->plan->extent[i].name, name) == 0)
			return &p->plan->extent[i];
	return NULL;
}

static uint64_t take_principal(const struct parser *p, const char *name)
{
	const struct principal *principal = principal_named(p, name);

	if (!principal) {
		MISTAKE(p, "no principal '%s' is declared above", name);
		return 0;
	}
	return principal->number;
}

/* ---- lines with one or two words ----------------------------------------------------------- */

/* Reports a line that has not exactly n words after its first. */
static bool wants_words(const struct parser *p, unsigned n, const char *form)
{
	if (p->words == n + 1)
		return true;
	MISTAKE(p, "expected '%s'", form);
	return false;
}

/* Reports a line that may stand once and has stood before, and remembers it. */
static bool only_once(const struct parser *p, unsigned *line)
{
	if (*line) {
		MISTAKE(p, "'%s' was said before, at line %u", p->word[0].text, *line);
		return false;
	}
	*line = p->line;
	return true;
}

static void parse_disk(struct parser *p)
{
	if (!only_once(p, &p->disk_line) || !wants_words(p, 1, "disk SIZE"))
		return;
	if (!manifest_size(p->word[1].text, &p->plan->disk) || p->plan->disk == 0)
		MISTAKE(p, "'%s' is not a size", p->word[1].text);
	else if (p->plan->disk % EXO_BLOCK_SIZE)
		MISTAKE(p, "disk size must be a multiple of %d", EXO_BLOCK_SIZE);
}

static void parse_verbose(struct parser *p)
{
	const char *word = p->word[1].text;

	if (!only_once(p, &p->verbose_line) || !wants_words(p, 1, "verbose yes|no"))
		return;
	if (strcmp(word, "yes") != 0 && strcmp(word, "no") != 0)
		MISTAKE(p, "expected yes or no, not '%s'", word);
	p->plan->manifest.verbose = strcmp(word, "yes") == 0;
}

static void parse_main(struct parser *p)
{
	const struct plan_extent *extent;

	if (!only_once(p, &p->main_line) || !wants_words(p, 1, "main EXTENT"))
		return;
	extent = extent_named(p, p->word[1].text);
	if (!extent) {
		MISTAKE(p, "no extent '%s' is declared above", p->word[1].text);
		return;
	}
	if (!extent->fs_block)
		MISTAKE(p, "the main extent needs a file system: say fs=ext2 at line %u",
			extent->line);
	memcpy(p->plan->manifest.main_extent, extent->name, sizeof(extent->name));
}

/* Bytes after the first zero byte, from the top, are zero: the hierarchy has no holes. */
static bool principal_is_whole(uint64_t number)
{
	while (number >> 56)
		number <<= 8;
	return number == 0;
}

static void parse_principal(struct parser *p)
{
	struct principal *new = &p->principal[p->principals];

	if (!wants_words(p, 2, "principal NAME NUMBER"))
		return;
	if (p->principals == PRINCIPALS) {
		MISTAKE(p, "more than %d principals", PRINCIPALS);
		return;
	}
	if (!take_name(p, "principal", p->word[1].text, new->name, sizeof(new->name)))
		return;
	if (principal_named(p, new->name))
		MISTAKE(p, "principal '%s' was declared before", new->name);
	if (!manifest_number(p->word[2].text, &new->number))
		MISTAKE(p, "'%s' is not a 64-bit number", p->word[2].text);
	else if (new->number == 0)
		MISTAKE(p, "principal 0 is the root above all and cannot be given away");
	else if (!principal_is_whole(new->number))
		MISTAKE(p, "principal %#llx has a zero byte above a nonzero one",
			(unsigned long long)new->number);
	for (unsigned i = 0; i < p->principals; i++)
		if (p->principal[i].number == new->number)
			MISTAKE(p, "principal '%s' has the same number", p->principal[i].name);
	p->principals++;
}

/* ---- extents ------------------------------------------------------------------------------- */

static void extent_size(const struct parser *p, struct plan_extent *extent, const char *value)
{
	uint64_t bytes;

	if (strcmp(value, "rest") == 0) {
		for (unsigned i = 0; i < p->plan->extents; i++)
			if (p->plan->extent[i].blocks == 0)
				MISTAKE(p, "extent '%s' takes the rest already",
					p->plan->extent[i].name);
		return;
	}
	extent->blocks = 1;
	if (!manifest_size(value, &bytes) || bytes == 0)
		MISTAKE(p, "'%s' is not a size", value);
	else if (bytes % EXO_BLOCK_SIZE)
		MISTAKE(p, "extent size must be a multiple of %d", EXO_BLOCK_SIZE);
	else
		extent->blocks = bytes / EXO_BLOCK_SIZE;
}

static void extent_fs_block(const struct parser *p, struct plan_extent *extent, const char *value)
{
	uint64_t size;

	if (manifest_size(value, &size) && (size == 1024 || size == 2048 || size == 4096))
		extent->fs_block = (uint32_t)size;
	else
		MISTAKE(p, "file system block must be 1024, 2048 or 4096, not '%s'", value);
}

/* What the words of an extent line have said. */
struct extent_said {
	bool owner, size, fs, block;
};

static void extent_word(const struct parser *p, struct plan_extent *extent, const struct word *word,
			struct extent_said *said)
{
	const char *value = word->value;

	if (value && strcmp(word->text, "owner") == 0) {
		extent->owner = take_principal(p, value);
		said->owner = true;
	} else if (value && strcmp(word->text, "size") == 0) {
		extent_size(p, extent, value);
		said->size = true;
	} else if (value && strcmp(word->text, "fs") == 0) {
		if (strcmp(value, "ext2") != 0)
			MISTAKE(p, "unknown file system '%s': only ext2 is made here", value);
		said->fs = true;
	} else if (value && strcmp(word->text, "block") == 0) {
		extent_fs_block(p, extent, value);
		said->block = true;
	} else if (!value && strcmp(word->text, "clear") == 0) {
		extent->clear = true;
	} else {
		MISTAKE(p, "unknown word '%s' for an extent", word->text);
	}
}

static void parse_extent(struct parser *p)
{
	struct plan_extent new = {.line = p->line, .fs_block = EXO_BLOCK_SIZE};
	struct extent_said said = {0};

	if (p->words < 2) {
		MISTAKE(p, "expected 'extent NAME owner=PRINCIPAL size=SIZE'");
		return;
	}
	if (!take_name(p, "extent", p->word[1].text, new.name, sizeof(new.name)))
		return;
	if (extent_named(p, new.name))
		MISTAKE(p, "extent '%s' was declared before", new.name);
	for (unsigned i = 2; i < p->words; i++)
		extent_word(p, &new, &p->word[i], &said);
	if (!said.owner)
		MISTAKE(p, "extent '%s' needs owner=PRINCIPAL", new.name);
	if (!said.size)
		MISTAKE(p, "extent '%s' needs size=SIZE or size=rest", new.name);
	if (said.block && !said.fs)
		MISTAKE(p, "block= is for file systems: say fs=ext2 too");
	if (!said.fs)
		new.fs_block = 0;
	if (p->plan->extents == PLAN_EXTENTS)
		MISTAKE(p, "more than %d extents", PLAN_EXTENTS);
	else
		p->plan->extent[p->plan->extents++] = new;
}

/* ---- programs ------------------------------------------------------------------------------ */

static bool quota_percent(const char *value, uint32_t *quota)
{
	const char *text = value;
	uint64_t percent;

	if (!digits(&text, 10, &percent) || strcmp(text, "%") != 0)
		return false;
	if (percent < 1 || percent > 100)
		return false;
	*quota = EXO_MANIFEST_PERCENT | (uint32_t)percent;
	return true;
}

/* A number; for pages a size too, told apart by its unit. */
static bool quota_amount(unsigned kind, const char *value, uint64_t *amount)
{
	if (manifest_number(value, amount))
		return true;
	if (kind != EXO_QUOTA_PAGES || !manifest_size(value, amount) || *amount % EXO_PAGE_SIZE)
		return false;
	*amount /= EXO_PAGE_SIZE;
	return true;
}

static void parse_quota(const struct parser *p, struct exo_manifest_program *program, unsigned kind,
			const char *value)
{
	const struct quota_kind *quota = &quota_kinds[kind];
	uint64_t amount;

	if (quota_percent(value, &program->quota.n[kind]))
		return;
	if (!quota_amount(kind, value, &amount))
		MISTAKE(p, "'%s' is not a number%s or 1%% to 100%%", value,
			kind == EXO_QUOTA_PAGES ? ", a size" : "");
	else if (amount > quota->most)
		MISTAKE(p, "%s=%s is more than there can be: %u", quota->name, value, quota->most);
	else
		program->quota.n[kind] = (uint32_t)amount;
}

static bool is_quota(const char *name, unsigned *kind)
{
	for (*kind = 0; *kind < QUOTAS; (*kind)++)
		if (strcmp(quota_kinds[*kind].name, name) == 0)
			return true;
	return false;
}

/* slot=EVERY:FIRST */
static void program_slots(const struct parser *p, struct exo_manifest_program *program,
			  const char *value)
{
	const char *text = value;
	uint64_t every, first;

	if (!digits(&text, 10, &every) || *text++ != ':' || !digits(&text, 10, &first) || *text) {
		MISTAKE(p, "expected slot=EVERY:FIRST, not slot=%s", value);
	} else if (every == 0 || every > EXO_NSLOT || first >= every) {
		MISTAKE(p, "slot=%s: EVERY must be 1 to %d, and FIRST below it", value, EXO_NSLOT);
	} else {
		program->slot_every = (uint32_t)every;
		program->slot_first = (uint32_t)first;
	}
}

/* Letters of `known`, each once, as rights; `form` is what was expected. */
static uint8_t parse_rights(const struct parser *p, const char *letters, const struct letter *known,
			    unsigned count, const char *form)
{
	uint8_t rights = 0;

	for (const char *at = letters; *at; at++) {
		uint8_t right = 0;

		for (unsigned i = 0; i < count; i++)
			if (known[i].letter == *at)
				right = known[i].right;
		if (!right || (rights & right)) {
			MISTAKE(p, "rights are letters of %s, each once, not '%s'",
				strrchr(form, ' ') + 1, letters);
			return 0;
		}
		rights |= right;
	}
	if (!rights)
		MISTAKE(p, "expected %.*s", (int)strcspn(form, " "), form);
	return rights;
}

/* extent=NAME:RIGHTS */
static void program_extent(const struct parser *p, struct exo_manifest_program *program,
			   char *value)
{
	char *colon = strchr(value, ':');
	const struct plan_extent *extent;

	if (!colon) {
		MISTAKE(p, "expected extent=NAME:RIGHTS, not extent=%s", value);
		return;
	}
	*colon = 0;
	extent = extent_named(p, value);
	if (!extent) {
		MISTAKE(p, "no extent '%s' is declared above", value);
		return;
	}
	for (uint32_t i = 0; i < program->extents; i++)
		if (strcmp(program->extent[i], value) == 0)
			MISTAKE(p, "extent '%s' is given twice", value);
	if (program->extents == EXO_MANIFEST_CAPS) {
		MISTAKE(p, "more than %d extents for one program", EXO_MANIFEST_CAPS);
		return;
	}
	program->extent_rights[program->extents] = parse_rights(
		p, colon + 1, right_letters, COUNT(right_letters), "extent=NAME:RIGHTS of rwga");
	memcpy(program->extent[program->extents++], extent->name, sizeof(extent->name));
}

/* env=NAME:RIGHTS */
static void program_env(const struct parser *p, struct exo_manifest_program *program, char *value)
{
	char *const colon = strchr(value, ':');
	const struct exo_manifest *const m = &p->plan->manifest;

	if (!colon || program->env) {
		MISTAKE(p, colon ? "env= is given twice" : "expected env=NAME:RIGHTS, not env=%s",
			value);
		return;
	}
	*colon = 0;
	for (uint32_t i = 0; i < m->programs; i++)
		if (strcmp(m->program[i].name, value) == 0)
			program->env = (uint8_t)(i + 1);
	if (!program->env && strcmp(value, "init") == 0)
		program->env = EXO_MANIFEST_INIT;
	if (!program->env)
		MISTAKE(p, "no program '%s' is declared above", value);
	program->env_rights = parse_rights(p, colon + 1, env_letters, COUNT(env_letters),
					   "env=NAME:RIGHTS of crkv");
}

/* One argument from *text: to a blank, or between single quotes.  NULL: no more, or reported. */
static const char *next_argument(const struct parser *p, const char **text, size_t *len)
{
	const char *start = *text + strspn(*text, " \t");

	if (*start == 0)
		return NULL;
	if (*start != '\'') {
		*len = strcspn(start, " \t");
		*text = start + *len;
		return start;
	}
	*len = strcspn(++start, "'");
	*text = start + *len + 1;
	if (*len > 0 && start[*len])
		return start;
	MISTAKE(p, start[*len] ? "an argument may not be empty" : "a ' has no end");
	return NULL;
}

static void program_args(const struct parser *p, struct exo_manifest_program *program,
			 const char *text)
{
	size_t used = 0, len;
	const char *argument;

	while ((argument = next_argument(p, &text, &len))) {
		if (used + len + 2 > sizeof(program->args)) {
			MISTAKE(p, "arguments are longer than %zu bytes",
				sizeof(program->args) - 2);
			return;
		}
		memcpy(program->args + used, argument, len);
		used += len + 1;
	}
}

static bool program_flag(const char *name, uint32_t *flags)
{
	for (unsigned i = 0; i < COUNT(program_flags); i++) {
		if (strcmp(program_flags[i].name, name) == 0) {
			*flags |= program_flags[i].flag;
			return true;
		}
	}
	return false;
}

static void program_value(const struct parser *p, struct exo_manifest_program *program,
			  const struct word *word)
{
	unsigned kind;

	if (is_quota(word->text, &kind))
		parse_quota(p, program, kind, word->value);
	else if (strcmp(word->text, "name") == 0)
		take_name(p, "program", word->value, program->name, sizeof(program->name));
	else if (strcmp(word->text, "principal") == 0)
		program->principal = take_principal(p, word->value);
	else if (strcmp(word->text, "slot") == 0)
		program_slots(p, program, word->value);
	else if (strcmp(word->text, "extent") == 0)
		program_extent(p, program, word->value);
	else if (strcmp(word->text, "env") == 0)
		program_env(p, program, word->value);
	else
		MISTAKE(p, "unknown word '%s=' for a program", word->text);
}

/* All words after the path.  Returns whether a principal was named. */
static bool program_words(const struct parser *p, struct exo_manifest_program *program)
{
	bool principal = false;

	for (unsigned i = 2; i < p->words; i++) {
		const struct word *word = &p->word[i];

		if (word->value) {
			program_value(p, program, word);
			principal |= strcmp(word->text, "principal") == 0;
		} else if (strcmp(word->text, "args") == 0 && !word->quoted) {
			if (i + 1 < p->words && p->word[i + 1].quoted)
				program_args(p, program, p->word[++i].text);
			else
				MISTAKE(p, "args needs a text in quotes");
		} else if (word->quoted || !program_flag(word->text, &program->flags)) {
			MISTAKE(p, "unknown word '%s' for a program", word->text);
		}
	}
	return principal;
}

static void program_path(const struct parser *p, struct exo_manifest_program *program)
{
	const char *path = p->word[1].text;
	const char *base = strrchr(path, '/');

	if (path[0] != '/' || !base[1])
		MISTAKE(p, "program path '%s' must begin with / and name a file", path);
	else if (strlen(path) >= sizeof(program->path))
		MISTAKE(p, "program path is longer than %zu characters", sizeof(program->path) - 1);
	else
		memcpy(program->path, path, strlen(path) + 1);
	if (!program->name[0] && base && base[1])
		take_name(p, "program", base + 1, program->name, sizeof(program->name));
}

/* How many slots first, first+every, … there are. */
static uint32_t slots_of_pattern(const struct exo_manifest_program *program)
{
	return (EXO_NSLOT - program->slot_first + program->slot_every - 1) / program->slot_every;
}

enum { INIT_SLOT = 0 }; /* the kernel starts init with this one */

/* The slots that slot= names must be inside the quota, and nobody else's. */
static void check_slots(struct parser *p, struct exo_manifest_program *program, bool said)
{
	uint32_t pattern, *quota = &program->quota.n[EXO_QUOTA_SLOTS];

	if (!program->slot_every)
		return;
	pattern = slots_of_pattern(program);
	if (!said)
		*quota = pattern;
	else if (*quota & EXO_MANIFEST_PERCENT)
		MISTAKE(p, "slots= must be a number, not %%, together with slot=");
	else if (*quota < pattern)
		MISTAKE(p, "slot= names %u slots but slots=%u", pattern, *quota);
	if (program->slot_first == INIT_SLOT) {
		MISTAKE(p, "slot %d is init's", INIT_SLOT);
		return;
	}
	for (uint32_t i = program->slot_first; i < EXO_NSLOT; i += program->slot_every) {
		if (p->slot_promised[i]) {
			MISTAKE(p, "slot %u was promised to a program above", i);
			return;
		}
	}
	for (uint32_t i = program->slot_first; i < EXO_NSLOT; i += program->slot_every)
		p->slot_promised[i] |= !(program->flags & EXO_MF_WAIT);
}

/* Adds the quotas to what was promised; those of a program that is waited for come back. */
static void check_promises(struct parser *p, const struct exo_manifest_program *program)
{
	for (unsigned kind = 0; kind < QUOTAS; kind++) {
		const struct quota_kind *quota = &quota_kinds[kind];
		uint32_t n = program->quota.n[kind];
		bool percent = n & EXO_MANIFEST_PERCENT;
		uint64_t sum = p->promised[kind] + (percent ? 0 : n);
		unsigned sum_percent =
			p->promised_percent[kind] + (percent ? n & ~EXO_MANIFEST_PERCENT : 0);

		if (sum > quota->most)
			MISTAKE(p, "%s: programs are promised %llu together, but there are %u",
				quota->name, (unsigned long long)sum, quota->most);
		if (sum_percent > 100)
			MISTAKE(p, "%s: programs are promised %u%% together", quota->name,
				sum_percent);
		if (!(program->flags & EXO_MF_WAIT)) {
			p->promised[kind] = sum;
			p->promised_percent[kind] = sum_percent;
		}
	}
}

static bool said_quota(const struct parser *p, unsigned kind)
{
	for (unsigned i = 2; i < p->words; i++)
		if (p->word[i].value && strcmp(p->word[i].text, quota_kinds[kind].name) == 0)
			return true;
	return false;
}

static void parse_program(struct parser *p)
{
	struct exo_manifest *manifest = &p->plan->manifest;
	struct exo_manifest_program new = {0};

	if (p->words < 2) {
		MISTAKE(p, "expected 'program PATH principal=NAME'");
		return;
	}
	for (unsigned kind = 0; kind < QUOTAS; kind++)
		new.quota.n[kind] = quota_kinds[kind].standard;
	if (!program_words(p, &new))
		MISTAKE(p, "a program needs principal=NAME");
	program_path(p, &new);
	if ((new.flags &EXO_MF_SHELL) && p->shell_seen)
		MISTAKE(p, "another program is the shell already");
	p->shell_seen |= (new.flags &EXO_MF_SHELL) != 0;
	check_slots(p, &new, said_quota(p, EXO_QUOTA_SLOTS));
	check_promises(p, &new);
	if (manifest->programs == EXO_MANIFEST_PROGRAMS) {
		MISTAKE(p, "more than %d programs", EXO_MANIFEST_PROGRAMS);
		return;
	}
	p->plan->program_line[manifest->programs] = p->line;
	manifest->program[manifest->programs++] = new;
}

/* ---- lines --------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	void (*parse)(struct parser *p);
} statements[] = {
	{"disk", parse_disk},	  {"verbose", parse_verbose}, {"principal", parse_principal},
	{"extent", parse_extent}, {"main", parse_main},	      {"program", parse_program},
};

/* Ends a word, and its `=value` if it has one. */
static void split_word(struct word *word)
{
	word->value = strchr(word->text, '=');
	if (word->value)
		*word->value++ = 0;
}

/* Cuts a line into p->word[]; false if that was reported. */
static bool split_line(struct parser *p, char *at)
{
	for (p->words = 0;; p->words++) {
		struct word *word = &p->word[p->words];
		size_t len;

		at += strspn(at, " \t\r");
		if (*at == 0 || *at == '#')
			return true;
		if (p->words == WORDS) {
			MISTAKE(p, "more than %d words", WORDS);
			return false;
		}
		word->quoted = *at == '"';
		word->value = NULL;
		at += word->quoted;
		word->text = at;
		len = strcspn(at, word->quoted ? "\"" : " \t\r");
		at += len;
		if (word->quoted && *at == 0) {
			MISTAKE(p, "a \" has no end");
			return false;
		}
		if (*at)
			*at++ = 0;
		if (!word->quoted)
			split_word(word);
	}
}

static void parse_line(struct parser *p, char *text)
{
	if (!split_line(p, text) || p->words == 0)
		return;
	for (unsigned i = 0; i < COUNT(statements); i++) {
		if (!p->word[0].value && strcmp(p->word[0].text, statements[i].word) == 0) {
			statements[i].parse(p);
			return;
		}
	}
	MISTAKE(p, "unknown word '%s'", p->word[0].text);
}

/*
 * Ends the line at `start`, joining lines that end with a backslash, and returns the start of the
 * next one.  *lines is how many lines of the file it took.
 */
static char *end_line(char *start, unsigned *lines)
{
	char *at = start;

	for (*lines = 1;; (*lines)++) {
		at += strcspn(at, "\n");
		if (*at == 0)
			return at;
		if (at == start || at[-1] != '\\') {
			*at = 0;
			return at + 1;
		}
		at[-1] = ' ';
		*at++ = ' ';
	}
}

void manifest_read(const char *file, struct plan *plan)
{
	struct bytes text = bytes_read_file(file, 1 << 20);
	struct parser p = {.plan = plan};
	unsigned lines;

	*plan = (struct plan){.file = file};
	plan->manifest.magic = EXO_MANIFEST_MAGIC;
	plan->manifest.version = EXO_IMAGE_VERSION;
	p.line = 1;
	if (memchr(text.at, 0, text.len))
		MISTAKE(&p, "not a text: it holds a NUL byte");
	for (char *at = (char *)text.at, *next; *at; at = next, p.line += lines) {
		next = end_line(at, &lines);
		parse_line(&p, at);
	}
	if (plan->manifest.programs && !p.main_line)
		MISTAKE(&p, "programs need a main file system: say 'main EXTENT'");
	plan->manifest.crc = manifest_crc(&plan->manifest);
}
