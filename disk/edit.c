/*
 * edit.c - see edit.h.  Nothing is written to an image in which a problem was found.
 */
#include "edit.h"
#include "bytes.h"
#include "layout.h"
#include "report.h"
#include "temp.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct layout *open_good(const char *path, bool for_writing)
{
	struct layout *image = layout_open(path, for_writing);

	if (report_problems())
		die("%s: not a good image", path);
	return image;
}

static const struct exo_extent *find(const struct layout *image, const char *name)
{
	const struct exo_extent *extent = layout_find(image, name);

	if (!extent)
		die("%s: no extent '%s'", image->path, name);
	if (extent->start < image->header.pool || extent->start > image->header.pool_end ||
	    extent->len > image->header.pool_end - extent->start)
		die("%s: extent '%s' is not in the pool", image->path, name);
	return extent;
}

void edit_boot_args(const char *path, const char *text)
{
	struct layout *image = open_good(path, true);
	char args[EXO_BOOT_ARGS] = {0};
	size_t len = strlen(text);

	if (len >= sizeof(args))
		die("boot arguments are %zu bytes, at most %zu", len, sizeof(args) - 1);
	memcpy(args, text, len);
	file_write_at(image->fd, args, sizeof(args),
		      image->header.manifest * EXO_BLOCK_SIZE +
			      offsetof(struct exo_manifest, boot_args));
	if (close(image->fd) < 0)
		die("%s: %s", path, strerror(errno));
}

void edit_extract(const char *path, const char *name, const char *file)
{
	struct layout *image = open_good(path, false);
	const struct exo_extent *extent = find(image, name);
	uint64_t bytes = extent->len * EXO_BLOCK_SIZE;
	char *made;
	int fd = temp_file(file, &made);

	if (ftruncate(fd, (off_t)bytes) < 0)
		die("%s: %s", made, strerror(errno));
	(void)file_copy_sparse(image->fd, extent->start * EXO_BLOCK_SIZE, fd, 0, bytes, HASH_START);
	if (close(fd) < 0)
		die("%s: %s", made, strerror(errno));
	temp_keep(made, file);
}

void edit_offset(const char *path, const char *name)
{
	const struct exo_extent *extent = find(open_good(path, false), name);

	printf("%llu %llu\n", (unsigned long long)extent->start * EXO_BLOCK_SIZE,
	       (unsigned long long)extent->len * EXO_BLOCK_SIZE);
}
