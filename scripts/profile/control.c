/*
 * control.c - owns what was asked for; reads it once, at the start.
 */
#include "control.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "image.h"
#include "stack.h"

enum { LINE = 4096 };

static char out[LINE], region[LINE];

static void take(char *line)
{
	char *word = strtok(line, " "), *rest = strtok(NULL, "");

	if (word == NULL || rest == NULL)
		image_refuse(": a line of the control file is empty", line);
	if (strcmp(word, "out") == 0) {
		snprintf(out, sizeof(out), "%s", rest);
	} else if (strcmp(word, "region") == 0) {
		snprintf(region, sizeof(region), "%s", rest);
	} else if (strcmp(word, "image") == 0) {
		const char *name = strtok(rest, " "), *path = strtok(NULL, "");

		image_add(name, path, region);
	} else {
		image_refuse(": no such word in the control file", word);
	}
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
	guest_init(image_kernel(), reader);
	stack_init(region[0] != 0);
}

void control_end(void)
{
	FILE *file = fopen(out, "w");

	if (file == NULL)
		image_refuse(": cannot be written", out);
	stack_write(file);
	image_write_differing(file);
	fclose(file);
}
