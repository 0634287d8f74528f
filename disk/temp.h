/*
 * temp.h - files and folders that exist only while a command runs: removed at exit, however the
 * command ends, unless they were kept.
 */
#ifndef DISK_TEMP_H
#define DISK_TEMP_H

/* A new empty file beside `near`, open for reading and writing; its name goes to *path. */
int temp_file(const char *near, char **path);

/* A new empty folder beside `near`. */
char *temp_folder(const char *near);

/* Renames a temporary file to its lasting name, replacing what is there; dies if it cannot. */
void temp_keep(const char *path, const char *as);

#endif
