/*
 * exo_bpf.c - exo-bpf: runs a program as the kernel would, or says why the kernel would not.
 *
 * The files of exo/kern are linked into it.  It is what suites that test implementations of BPF
 * call a plug-in: the program as hex on standard input, memory as hex in the first argument, r0 in
 * hex on standard output.
 */
#include "../kern/bpf.h"
#include "bpf_file.h"
#include "bpf_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: exo-bpf [MEMORY] [--program HEX | --object FILE [--section NAME]] [--strict]\n"
	"       exo-bpf --verify [MEMORY | --context BYTES] [--program ... | --object ...]\n"
	"The program comes as hex from standard input, or as said; MEMORY is hex too.\n"
	"Prints r0 in hex: of the kernel's interpreter for what the kernel accepts.  Else,\n"
	"except with --strict, what a private copy of MEMORY and zeroed registers and stack\n"
	"make of it, each access being checked, for at most 10000000 steps.\n"
	"--verify prints `accepted N steps`, or the instruction (from 0) and why it is refused;\n"
	"--context 4160 is what a scheduler sees.\n"
	"Exit status: 0 good, 1 refused or failed, 2 mistakes.\n";

enum { TEXT_ROOM = 1 << 20, MODEL_STEPS = 10000000 };

struct words {
	const char *memory, *program, *object, *section, *context;
	int verify, strict, help;
};

static struct bpf_program program;
static struct bpf_verifier verifier;
static uint8_t memory[EXO_BPF_MAX_CONTEXT];
static uint8_t code[EXO_BPF_MAX_INSNS * 8 + 8]; /* room to see that there are too many */

static _Noreturn __attribute__((format(printf, 2, 3))) void stop(int status, const char *format,
								 ...)
{
	va_list args;

	va_start(args, format);
	fputs("exo-bpf: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	exit(status);
}

static _Noreturn void misused(const char *word, const char *what)
{
	fputs(usage_text, stderr);
	stop(2, "%s%s", word, what);
}

/* No word is passed over in silence. */
static void check_words(const struct words *w)
{
	if (w->program && w->object)
		misused("--program", " and --object: which?");
	if (w->section && !w->object)
		misused("--section", " is of an --object");
	if (w->context && w->memory)
		misused("--context", " and MEMORY: which?");
	if (w->verify && w->object && !w->context && !w->memory)
		misused("--object", ": what does it see?  --context 4160 of a scheduler");
}

static struct words read_words(char **word)
{
	struct words w = {0};
	const struct {
		const char *option, **value;
	} options[] = {{"--program", &w.program},
		       {"--object", &w.object},
		       {"--section", &w.section},
		       {"--context", &w.context}};

	for (; *word; word++) {
		const char **value = NULL;

		for (unsigned k = 0; k < sizeof(options) / sizeof(options[0]); k++)
			if (strcmp(*word, options[k].option) == 0)
				value = options[k].value;
		if (value && !word[1])
			misused(*word, " wants a value");
		if (value)
			*value = *++word;
		else if (strcmp(*word, "--verify") == 0)
			w.verify = 1;
		else if (strcmp(*word, "--strict") == 0)
			w.strict = 1;
		else if (strcmp(*word, "--help") == 0)
			w.help = 1;
		else if (word[0][0] == '-' || w.memory)
			misused(*word, "?");
		else
			w.memory = *word;
	}
	check_words(&w);
	return w;
}

static uint32_t read_memory(const struct words *w)
{
	char *end;
	long n;

	if (w->context) {
		n = strtol(w->context, &end, 0);
		if (*end || end == w->context || n < 0 || n > EXO_BPF_MAX_CONTEXT)
			stop(2, "--context %s: not a size up to %d", w->context,
			     EXO_BPF_MAX_CONTEXT);
		return (uint32_t)n;
	}
	n = w->memory ? bpf_hex(w->memory, memory, sizeof(memory)) : 0;
	if (n < 0)
		stop(2, "memory: not hex, or more than %d bytes", EXO_BPF_MAX_CONTEXT);
	return (uint32_t)n;
}

/* All of standard input, which is to be text. */
static const char *read_text(void)
{
	static char text[TEXT_ROOM];
	const size_t length = fread(text, 1, sizeof(text) - 1, stdin);

	if (ferror(stdin))
		stop(2, "program: cannot be read");
	if (length == sizeof(text) - 1)
		stop(2, "program: more than %d bytes of text", TEXT_ROOM - 2);
	if (memchr(text, '\0', length))
		stop(2, "program: not hex");
	return text;
}

static long read_code(const struct words *w)
{
	const char *why;
	long n;

	if (w->object) {
		n = bpf_object(w->object, w->section, code, sizeof(code), &why);
		if (n < 0)
			stop(2, "%s: %s", w->object, why);
		return n;
	}
	n = bpf_hex(w->program ? w->program : read_text(), code, sizeof(code));
	if (n == BPF_HEX_LONG)
		stop(2, "program: more than %d instructions", EXO_BPF_MAX_INSNS);
	if (n < 0)
		stop(2, "program: not hex");
	return n;
}

static enum exo_bpf_reason verify(void)
{
	enum exo_bpf_reason reason = bpf_verify_begin(&verifier, &program);

	while (reason == EXO_BPF_MORE)
		reason = bpf_verify_some(&verifier, &program, 1000);
	return reason;
}

/*
 * May what the kernel refuses for this reason be run with checks?  Not where instructions say
 * nothing.  Calls within the program are looked at as the jumps that they begin with.
 */
static int can_be_tried(enum exo_bpf_reason reason)
{
	struct bpf_program p = program;
	uint32_t culprit;

	if (reason != EXO_BPF_LOCAL_CALL)
		return reason >= EXO_BPF_UNSET;
	for (uint32_t k = 0; k < p.count; k++)
		if (p.insn[k].op == (BPF_JMP | BPF_CALL) && p.insn[k].regs == 0x10 &&
		    p.insn[k].off == 0)
			p.insn[k] = (struct exo_bpf_insn){BPF_JMP32 | BPF_JA, 0, 0, p.insn[k].imm};
	return bpf_check(&p, &culprit) == EXO_BPF_OK;
}

static uint64_t run_checked(void)
{
	struct bpf_model m = {.insn = program.insn,
			      .count = program.count,
			      .context = memory,
			      .context_size = program.context_size,
			      .limit = MODEL_STEPS,
			      .context_at = BPF_AT_CONTEXT,
			      .stack_at = BPF_AT_STACK};

	bpf_model_run(&m);
	if (m.fault)
		stop(1, "instruction %u: %s", m.pc, m.fault);
	return m.r0;
}

static void read_program(const struct words *w)
{
	const long bytes = read_code(w);

	if (bytes % 8 != 0)
		stop(2, "program: %ld bytes are no instructions of 8", bytes);
	program.count = (uint32_t)(bytes / 8);
	if (program.count <= EXO_BPF_MAX_INSNS)
		memcpy(program.insn, code, (size_t)bytes);
}

/* The status of --verify. */
static int tell(enum exo_bpf_reason reason)
{
	if (reason == EXO_BPF_OK)
		printf("accepted %u steps\n", program.steps);
	else
		printf("refused: instruction %u: %s\n", verifier.pc, exo_bpf_reason_text(reason));
	return reason != EXO_BPF_OK;
}

static int run(const struct words *w, enum exo_bpf_reason reason)
{
	uint32_t steps;

	if (reason == EXO_BPF_OK)
		printf("%llx\n", (unsigned long long)bpf_run(&program, memory, &steps));
	else if (!w->strict && can_be_tried(reason))
		printf("%llx\n", (unsigned long long)run_checked());
	else
		stop(1, "refused: instruction %u: %s", verifier.pc, exo_bpf_reason_text(reason));
	return 0;
}

int main(int count, char **word)
{
	const struct words w = read_words(word + (count > 0));
	int status = 0;

	if (w.help) {
		fputs(usage_text, stdout);
	} else {
		program.context_size = read_memory(&w);
		read_program(&w);
		status = w.verify ? tell(verify()) : run(&w, verify());
	}
	if (fclose(stdout))
		stop(1, "the answer cannot be written");
	return status;
}
