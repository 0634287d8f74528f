/*
 * swapfiles - files and memory that swaps, in one POSIX program: buffers of read and write, and
 * malloc's.
 *
 * Allocates twice its page quota, fills it, writes it to a file, reads the file back into it in
 * another order, and compares; a child is refused while pages are out.  Prints `ok` and `FAIL`
 * lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

enum { PIECE = 64 * 1024, MOST = 256 };

static char *piece[MOST];
static int failures;

static void expect(const char *what, int good)
{
	printf("%s swapfiles: %s\n", good ? "ok" : "FAIL", what);
	failures += !good;
}

static void fill(char *p, unsigned seed)
{
	for (size_t i = 0; i < PIECE; i++)
		p[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
}

static int same(const char *p, unsigned seed)
{
	for (size_t i = 0; i < PIECE; i++)
		if (p[i] != (char)((seed = seed * 1103515245u + 12345u) >> 16))
			return 0;
	return 1;
}

int main(void)
{
	const unsigned n =
		2 * tables_quota_limit(start_self() & 0xffff)->n[EXO_QUOTA_PAGES] * VM_PAGE / PIECE;
	struct vm_stats s;
	int good = n <= MOST, fd;

	for (unsigned i = 0; i < n && good; i++) {
		piece[i] = malloc(PIECE);
		good = piece[i] != NULL;
		if (good)
			fill(piece[i], i);
	}
	expect("has twice its quota", good);
	if (!good)
		return 1;
	expect("pins",
	       mlock(piece[0], PIECE) == 0 && same(piece[0], 0) && munlock(piece[0], PIECE) == 0);
	fd = open("/swapped", O_CREAT | O_RDWR | O_TRUNC, 0600);
	for (unsigned i = 0; i < n && good; i++)
		good = write(fd, piece[i], PIECE) == PIECE;
	expect("writes all of it to a file", good);
	for (unsigned i = 0; i < n && good; i++)
		good = pread(fd, piece[i], PIECE, (off_t)(n - 1 - i) * PIECE) == PIECE;
	for (unsigned i = 0; i < n && good; i++)
		good = same(piece[i], n - 1 - i);
	expect("reads it back in another order", good);
	errno = 0;
	expect("has no copy while pages are out", fork() == -1 && errno == ENOTSUP);
	vm_get_stats(&s);
	printf("swapfiles: %u pages in, %u out\n", (unsigned)s.paged_in, (unsigned)s.paged_out);
	expect("swapped", s.paged_in > n && s.paged_out > n);
	close(fd);
	unlink("/swapped");
	return failures != 0;
}
