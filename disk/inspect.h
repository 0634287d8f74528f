/*
 * inspect.h - `fhimage inspect`: prints what an image holds and checks all of it.
 */
#ifndef DISK_INSPECT_H
#define DISK_INSPECT_H

#include <stdbool.h>

struct inspect_args {
	const char *image;
	bool extents_only; /* for programs: lines of key=value about the extents, nothing else */
	bool no_fsck;	   /* leave file systems to others */
};

/* Prints, and reports every problem; the caller looks at report_problems(). */
void inspect_image(const struct inspect_args *args);

#endif
