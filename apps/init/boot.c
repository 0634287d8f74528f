/*
 * boot.c - what init does before any program runs: manifest, shared segment, main file system.
 * Owns nothing that stays.  Single-threaded.  Called by init.c.
 */
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <exo/crc32c.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/posix_segment.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

enum {
	SEGMENT_SHARE = 4, /* a quarter of the memory that is free */
	SEGMENT_MOST = 16384,
	SEGMENT_LEAST = 256,
	LARGE = 512, /* frames of a large page */
	SPARE_CAP = LAYOUT_CAP_FREE,
};

const struct exo_manifest *manifest_check(void)
{
	const struct exo_manifest *m = (const struct exo_manifest *)EXO_MANIFEST_VA;
	static struct exo_manifest copy;
	uint32_t crc;

	/* A copy in init's own memory, since the layer below takes paths only from there. */
	if (m->magic != EXO_MANIFEST_MAGIC || m->version != EXO_IMAGE_VERSION) {
		printf("init: no boot manifest of version %u in the image\n", EXO_IMAGE_VERSION);
		return NULL;
	}
	copy = *m;
	copy.crc = 0;
	crc = exo_crc32c(0, (const uint8_t *)&copy, offsetof(struct exo_manifest, boot_args));
	if (crc != m->crc) {
		printf("init: the boot manifest is damaged: checksum %08x, not %08x\n",
		       (unsigned)crc, (unsigned)m->crc);
		return NULL;
	}
	if (m->programs > EXO_MANIFEST_PROGRAMS || !memchr(m->boot_args, 0, sizeof(m->boot_args))) {
		printf("init: the boot manifest has impossible values\n");
		return NULL;
	}
	return &copy;
}

static uint32_t wanted_pages(void)
{
	uint32_t n = tables_info()->free_frames / SEGMENT_SHARE;

	if (n > SEGMENT_MOST)
		n = SEGMENT_MOST;
	if (n < SEGMENT_LEAST)
		n = SEGMENT_LEAST;
	return n > LARGE ? n & ~(uint32_t)(LARGE - 1) : n;
}

/* One run of frames, as long as can be had. */
static int take_run(uint32_t *first, uint32_t *pages)
{
	int error = -ENOMEM;

	for (*pages = wanted_pages(); *pages >= SEGMENT_LEAST; *pages /= 2) {
		error = frames_take_run(LAYOUT_CAP_SELF, EXO_PAGE_DATA, *pages,
					*pages >= LARGE ? LARGE : 1, first);
		if (error == 0)
			break;
	}
	return error;
}

int boot_segment(void)
{
	uint32_t first, pages;
	uint64_t va;
	int error = take_run(&first, &pages);

	if (error == 0)
		error = vm_reserve(LAYOUT_SEGMENT, (uint64_t)pages * VM_PAGE, VM_READ | VM_WRITE,
				   VM_FOREIGN, &va);
	if (error == 0)
		error = vm_map(LAYOUT_SEGMENT, first, pages, VM_READ | VM_WRITE, LAYOUT_CAP_SELF);
	if (error == 0)
		error = call_result(
			call_page_share(first, pages, EXO_SELF.n, LAYOUT_CAP_SEGMENT,
					EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_GRANT));
	if (error == 0)
		error = posix_segment_make(first, pages);
	if (error == 0)
		return 0;
	printf("init: cannot make the shared segment: %s\n", strerror(-error));
	return -1;
}

/* The right to the extent, without that to free it, where all processes keep it. */
static int open_volume(uint32_t index)
{
	int error = call_result(call_extent_open(index, SPARE_CAP));

	if (error)
		return error;
	error = call_result(call_cap_derive(SPARE_CAP, POSIX_CAP_VOLUME,
					    EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_GRANT, 0,
					    0));
	call_cap_drop(SPARE_CAP);
	return error;
}

int boot_mount(const struct exo_manifest *m)
{
	char name[sizeof(m->main_extent) + 1] = "", why[160] = "";
	int index, error;

	memcpy(name, m->main_extent, sizeof(m->main_extent));
	index = start_extent_index(name);
	if (index < 0) {
		printf("init: no extent '%s' on the disk, which the manifest calls main\n", name);
		return -1;
	}
	error = open_volume((uint32_t)index);
	if (error == 0)
		error = posix_mount_root((uint32_t)index, why, sizeof(why));
	if (error)
		printf("init: cannot mount extent '%s': %s%s%s\n", name, strerror(-error),
		       why[0] ? ": " : "", why);
	else if (mkdir("/tmp", 01777) && errno != EEXIST)
		printf("init: cannot make /tmp: %s\n", strerror(errno));
	if (error == 0 && why[0])
		printf("init: extent '%s': %s\n", name, why);
	return error ? -1 : 0;
}
