/*
 * main.c - fhimage: Freehold's disk images.  Reads the command line; each command is a file of its
 * own.
 */
#include "edit.h"
#include "inspect.h"
#include "make.h"
#include "manifest.h"
#include "memory.h"
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"fhimage make -o IMAGE [--size SIZE] --manifest FILE --loader FILE --kernel FILE\n"
	"             --kernel-bytes N --init ELF [--files FOLDER] [--bin FILE|FOLDER ...]\n"
	"fhimage check MANIFEST            look for mistakes in a manifest\n"
	"fhimage boot-args IMAGE TEXT      what the shell runs at boot; '' for nothing\n"
	"fhimage inspect [--extents] [--no-fsck] IMAGE\n"
	"                                  print and check everything, or list the extents\n"
	"fhimage extract IMAGE EXTENT FILE copy an extent into a file\n"
	"fhimage offset IMAGE EXTENT       print an extent's first byte and its length\n"
	"SIZE: bytes, or with K, M, G, T.  Exit status: 0 good, 1 problems, 2 mistakes.\n";

static _Noreturn __attribute__((format(printf, 1, 2))) void usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fhimage: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n%s", usage_text);
	va_end(args);
	exit(EXIT_MISTAKE);
}

static uint64_t size_or_usage(const char *option, const char *text)
{
	uint64_t n;

	if (!manifest_size(text, &n) || n == 0)
		usage("%s: '%s' is not a size", option, text);
	return n;
}

/* Takes the words after --bin, up to the next option; returns how many. */
static int take_bins(struct make_args *make, char **words, int count)
{
	const char **bin = memory_take((make->bins + (unsigned)count) * sizeof(*bin));
	int taken = 0;

	if (make->bins)
		memcpy(bin, make->bin, make->bins * sizeof(*bin));
	while (taken < count && words[taken][0] != '-')
		bin[make->bins++] = words[taken++];
	make->bin = bin;
	return taken;
}

/* Where the value of a make option goes; NULL: not one of those. */
static const char **make_option(struct make_args *make, const char *option)
{
	const struct {
		const char *option, **value;
	} options[] = {
		{"-o", &make->out},	     {"--manifest", &make->manifest},
		{"--loader", &make->loader}, {"--kernel", &make->kernel},
		{"--init", &make->init},     {"--files", &make->files},
	};

	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(option, options[i].option) == 0)
			return options[i].value;
	return NULL;
}

static void command_make(int words, char **word)
{
	struct make_args make = {0};

	for (int i = 0; i < words; i++) {
		const char *option = word[i], **value = make_option(&make, option);

		if (strcmp(option, "--bin") == 0) {
			i += take_bins(&make, word + i + 1, words - i - 1);
			continue;
		}
		if (i + 1 == words)
			usage("make: %s needs a value, or is unknown", option);
		if (value)
			*value = word[++i];
		else if (strcmp(option, "--size") == 0)
			make.size = size_or_usage(option, word[++i]);
		else if (strcmp(option, "--kernel-bytes") == 0)
			make.kernel_bytes = size_or_usage(option, word[++i]);
		else
			usage("make: unknown option %s", option);
	}
	if (!make.out || !make.manifest || !make.loader || !make.kernel || !make.init)
		usage("make: -o, --manifest, --loader, --kernel and --init are needed");
	make_image(&make);
}

static void command_check(int words, char **word)
{
	struct plan *plan = memory_take(sizeof(*plan));

	(void)words;
	manifest_read(word[0], plan);
	if (report_mistakes())
		exit(EXIT_MISTAKE);
	printf("%s: %u programs, %u extents\n", word[0], plan->manifest.programs, plan->extents);
}

static void command_boot_args(int words, char **word)
{
	(void)words;
	edit_boot_args(word[0], word[1]);
}

static void command_inspect(int words, char **word)
{
	struct inspect_args args = {0};

	for (int i = 0; i < words; i++) {
		if (strcmp(word[i], "--extents") == 0)
			args.extents_only = true;
		else if (strcmp(word[i], "--no-fsck") == 0)
			args.no_fsck = true;
		else if (word[i][0] == '-' || args.image)
			usage("inspect: what is '%s'?", word[i]);
		else
			args.image = word[i];
	}
	if (!args.image)
		usage("inspect: which image?");
	inspect_image(&args);
	if (report_problems())
		exit(EXIT_PROBLEM);
}

static void command_extract(int words, char **word)
{
	(void)words;
	edit_extract(word[0], word[1], word[2]);
}

static void command_offset(int words, char **word)
{
	(void)words;
	edit_offset(word[0], word[1]);
}

static const struct {
	const char *name;
	void (*run)(int words, char **word);
	int least, most; /* words after the name */
} commands[] = {
	{"make", command_make, 1, 1 << 20},	{"check", command_check, 1, 1},
	{"boot-args", command_boot_args, 2, 2}, {"inspect", command_inspect, 1, 3},
	{"extract", command_extract, 3, 3},	{"offset", command_offset, 2, 2},
};

int main(int argc, char **argv)
{
	if (argc < 2)
		usage("which command?");
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (argc - 2 < commands[i].least || argc - 2 > commands[i].most)
			usage("%s: wrong number of words", argv[1]);
		commands[i].run(argc - 2, argv + 2);
		return fflush(stdout) == 0 ? EXIT_OK : EXIT_PROBLEM;
	}
	usage("unknown command '%s'", argv[1]);
}
