/*
 * temp.c - see temp.h.  Owns the list of what is to be removed; a name leaves it when it is kept.
 */
#define _GNU_SOURCE
#include "temp.h"
#include "memory.h"
#include "report.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPS = 128 };
static char *temps[TEMPS];
static unsigned temp_count;

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	(void)remove(path);
	return 0;
}

static void remove_all(void)
{
	for (unsigned i = 0; i < temp_count; i++)
		if (temps[i])
			(void)nftw(temps[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void remember(char *path)
{
	if (temp_count == TEMPS)
		die("too many temporary files");
	if (temp_count == 0 && atexit(remove_all) != 0)
		die("out of memory");
	temps[temp_count++] = path;
}

int temp_file(const char *near, char **path)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	*path = memory_text("%s.XXXXXX", near);
	fd = mkstemp(*path);
	if (fd < 0 || fchmod(fd, 0666 & ~mask) < 0)
		die("%s: %s", *path, strerror(errno));
	remember(*path);
	return fd;
}

char *temp_folder(const char *near)
{
	char *path = memory_text("%s.XXXXXX", near);

	if (!mkdtemp(path))
		die("%s: %s", path, strerror(errno));
	remember(path);
	return path;
}

void temp_keep(const char *path, const char *as)
{
	if (rename(path, as) < 0)
		die("%s: %s", as, strerror(errno));
	for (unsigned i = 0; i < temp_count; i++)
		if (temps[i] && strcmp(temps[i], path) == 0)
			temps[i] = NULL;
}
