/*
 * edit.h - commands on a made image that are not inspection: boot arguments, and reaching into an
 * extent with other tools.
 */
#ifndef DISK_EDIT_H
#define DISK_EDIT_H

/* Puts text into the manifest's boot arguments, in place; "" clears them.  Dies if it cannot. */
void edit_boot_args(const char *path, const char *text);

/* Copies the whole extent, named or numbered, into a new sparse file. */
void edit_extract(const char *path, const char *name, const char *file);

/* Prints the extent's first byte in the image and its length in bytes. */
void edit_offset(const char *path, const char *name);

#endif
