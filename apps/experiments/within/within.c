/*
 * within - runs a program of the bare libOS with a page quota of its own, and an extent to swap to.
 *
 *   within PAGES EXTENT PROGRAM [ARGUMENT...]
 *
 * The program has PAGES page frames at most, and what the user owns as EXTENT under the name
 * `swap`.  It prints on the user's console.  Ends with the program's status.
 */
#include "../experiment_posix.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <libos/layout.h>
#include <libos/wait.h>

enum { LEAST_PAGES = 64, CAPS = 32, REQUESTS = 16, KILLED = 128 };

static int read_at(void *ctx, uint64_t off, void *to, size_t n)
{
	const ssize_t got = pread(*(const int *)ctx, to, n, (off_t)off);

	return got < 0 ? -errno : (size_t)got == n ? 0 : -ENOEXEC;
}

/* The extent in a slot of ours. */
static uint32_t open_extent(const char *name, uint32_t *index)
{
	const int found = start_extent_index(name), slot = build_free_cap();

	need(found, name);
	need(slot, "a capability slot");
	need(call_result(call_extent_open((uint64_t)found, (uint64_t)slot)), name);
	*index = (uint32_t)found;
	return (uint32_t)slot;
}

static uint64_t open_program(const char *path, int *file)
{
	struct stat st;

	*file = open(path, O_RDONLY);
	need(*file, path);
	need(fstat(*file, &st), path);
	return (uint64_t)st.st_size;
}

static void set_name(char name[16], const char *path)
{
	const char *const slash = strrchr(path, '/');

	snprintf(name, 16, "%s", slash ? slash + 1 : path);
}

static void start(struct build *child, uint32_t pages, const char *extent, char **argv)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);
	struct build_grant grants[] = {{LAYOUT_CAP_CONSOLE, LAYOUT_CAP_CONSOLE},
				       {0, LAYOUT_CAP_EXTENT}};
	struct build_spec spec = {
		.principal = tables_env(self)->principal,
		.quota = {[EXO_QUOTA_PAGES] = pages,
			  [EXO_QUOTA_SLOTS] = 1,
			  [EXO_QUOTA_CAPS] = CAPS,
			  [EXO_QUOTA_IO] = REQUESTS,
			  [EXO_QUOTA_DISK] = tables_quota_limit(self)->n[EXO_QUOTA_DISK] / 2},
		.slots = 1,
		.grants = grants,
		.ngrants = sizeof(grants) / sizeof(grants[0]),
		.extents = 1,
		.extent = {{.name = "swap", .slot = LAYOUT_CAP_EXTENT}},
		.argv = argv,
	};
	int file;
	struct build_source source = {.read_at = read_at, .ctx = &file};
	char why[BUILD_WHY] = "";
	int error;

	source.size = open_program(argv[0], &file);
	set_name(spec.name, argv[0]);
	grants[1].from = open_extent(extent, &spec.extent[0].index);
	error = build_program(child, &spec, &source, why);
	if (error && why[0])
		fprintf(stderr, "within: %s\n", why);
	need(error, argv[0]);
	(void)close(file);
}

/* The child's status as a shell says it. */
static int status_of(struct build *child)
{
	struct build_end end;

	while (!build_ended(child))
		(void)wait_events(EXO_EV_CHILD, 0);
	while (build_reap(child, &end) == -EAGAIN)
		;
	if (end.end == EXO_END_EXIT)
		return (int)end.code;
	fprintf(stderr, "within: ended by exception %" PRIu32 " at %#" PRIx64 "\n", end.vector,
		end.rip);
	return KILLED;
}

int main(int argc, char **argv)
{
	struct build child;
	uint64_t pages;

	if (argc < 4)
		usage("within PAGES EXTENT PROGRAM [ARGUMENT...]");
	pages = argument("PAGES", argv[1], LEAST_PAGES, UINT32_MAX);
	start(&child, (uint32_t)pages, argv[2], argv + 3);
	return status_of(&child);
}
