/*
 * control.c - owns what was asked for, read once at the start, and the file for results.
 *
 * Called by qemu.c and bochs.c, and asked by trace.c and watch.c; one thread.
 */
#include "control.h"
#include <stdlib.h>
#include <string.h>
#include "image.h"
#include "stack.h"

enum { LINE = 4096, OPTIONS = 16 };

static struct {
	char *word, *rest;
} options[OPTIONS];
static size_t noption;
static FILE *out;

static void take_image(char *rest)
{
	const char *name = strtok(rest, " "), *path = strtok(NULL, ""),
		   *region = control_option("region");

	image_add(name, path, region != NULL ? region : "");
}

static void take(char *line)
{
	char *word = strtok(line, " "), *rest = strtok(NULL, "");

	if (word == NULL || rest == NULL || noption == OPTIONS)
		image_refuse(": the control file is wrong at this word", word != NULL ? word : "");
	if (strcmp(word, "image") == 0) {
		take_image(rest);
		return;
	}
	options[noption].word = strdup(word);
	options[noption++].rest = strdup(rest);
}

const char *control_option(const char *word)
{
	for (size_t i = 0; i < noption; i++)
		if (strcmp(options[i].word, word) == 0)
			return options[i].rest;
	return NULL;
}

uint64_t control_number(const char *word, uint64_t otherwise)
{
	const char *text = control_option(word);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

void control_start(guest_reader *reader)
{
	const char *path = getenv("PROFILE_CONTROL");
	FILE *in = path != NULL ? fopen(path, "r") : NULL;
	char line[LINE];

	if (in == NULL)
		image_refuse("PROFILE_CONTROL names no file that can be read", "");
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = 0;
		take(line);
	}
	fclose(in);
	out = control_option("out") != NULL ? fopen(control_option("out"), "w") : NULL;
	if (out == NULL || image_kernel() == NULL)
		image_refuse("the control file lacks a kernel, or out, or that cannot be written",
			     "");
	guest_init(image_kernel(), reader);
	stack_init(control_option("region") != NULL);
}

FILE *control_out(void)
{
	return out;
}

void control_end(void)
{
	stack_end();
	tree_write(out);
	image_write_differing(out);
	fclose(out);
}
