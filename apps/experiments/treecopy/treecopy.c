/*
 * treecopy - copies a tree of files in three ways, and says what each cost.
 *
 *   treecopy make ROOT FILES KBYTES PIECES SEED    makes one: KBYTES in a file on the average, each
 *                                                  grown in so many pieces
 *   treecopy posix FROM TO                         cp -r, by names
 *   treecopy own EXTENT NAME TO                    by the order of the disk (own.c): NAME is in the
 *                                                  root of the ext2 volume in EXTENT
 *   treecopy volume EXTENT EXTENT                  the whole volume, block by block
 *   treecopy check ROOT FILES KBYTES PIECES SEED   whether all is there
 *
 * A copy ends with everything being on the disk (sync).
 */
#include "../experiment_posix.h"
#include <sys/wait.h>
#include <unistd.h>
#include <libos/spawn.h>
#include "treecopy.h"

static void posix_copy(char *from, char *to)
{
	char *const argv[] = {(char *)(uintptr_t) "cp", (char *)(uintptr_t) "-r", from, to, NULL};
	const int fds[] = {0, 1, 2};
	const pid_t pid = spawn("/bin/cp", argv, NULL, fds, 3);
	int status;

	need(pid, "cp");
	need(waitpid(pid, &status, 0), "cp");
	need(status == 0 ? 0 : -EIO, "cp -r");
}

static void report(const struct experiment_cost *cost)
{
	metric("ticks", cost->ticks);
	metric("disk_commands", cost->commands);
	metric("disk_blocks_read", cost->read);
	metric("disk_blocks_written", cost->written);
}

/* Makes the tree, or looks at it. */
static int make(char **argv, int check)
{
	const struct tree t = {
		.root = argv[0],
		.files = argument("FILES", argv[1], 1, 100000),
		.kbytes = argument("KBYTES", argv[2], 1, 128),
		.pieces = argument("PIECES", argv[3], 1, 64),
		.seed = argument("SEED", argv[4], 0, UINT32_MAX),
	};
	uint64_t wrong = 0;

	if (check)
		wrong = tree_count_wrong(&t);
	else
		tree_make(&t);
	if (wrong)
		fprintf(stderr, "treecopy: %" PRIu64 " files are not as they were made\n", wrong);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	const char *const words = "treecopy make|check ROOT FILES KBYTES PIECES SEED, posix FROM "
				  "TO, own EXTENT NAME TO, volume EXTENT EXTENT";
	struct experiment_cost cost = experiment_now();
	const char *const what = argc > 1 ? argv[1] : "";

	if (argc == 7 && (strcmp(what, "make") == 0 || strcmp(what, "check") == 0))
		return make(argv + 2, strcmp(what, "check") == 0);
	if (argc == 4 && strcmp(what, "posix") == 0)
		posix_copy(argv[2], argv[3]);
	else if (argc == 5 && strcmp(what, "own") == 0)
		own_copy(argv[2], argv[3], argv[4]);
	else if (argc == 4 && strcmp(what, "volume") == 0)
		volume_copy(argv[2], argv[3]);
	else
		usage(words);
	sync();
	cost = experiment_since(&cost);
	report(&cost);
	return 0;
}
