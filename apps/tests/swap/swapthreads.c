/*
 * swapthreads - threads whose memory swaps, and that wait for files meanwhile.
 *
 * Each has as much memory as the program's quota, writes it and looks at it again and again, beside
 * siblings that do so and one that writes a file and reads it back: pages of one go and come while
 * others wait for the disk.  Prints `ok` and `FAIL` lines.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

enum { THREADS = 3, ROUNDS = 3, WORDS = VM_PAGE / sizeof(uint64_t), BLOCKS = 64 };

static size_t pages;

/* How many words were not as they were written. */
static void *uses_memory(void *arg)
{
	const uint64_t me = (uint64_t)(uintptr_t)arg;
	uint64_t *const p = malloc(pages * VM_PAGE), bad = 0;

	if (!p)
		return (void *)-1;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		for (size_t i = 0; i < pages; i++)
			p[i * WORDS] = me << 48 | round << 32 | i;
		for (size_t i = 0; i < pages; i++)
			bad += p[i * WORDS] != (me << 48 | round << 32 | i);
	}
	free(p);
	return (void *)(uintptr_t)bad;
}

static void *uses_file(void *arg)
{
	static char block[VM_PAGE], back[VM_PAGE];
	uint64_t bad = 0;
	int fd;

	(void)arg;
	fd = open("/threaded", O_CREAT | O_RDWR | O_TRUNC, 0600);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < BLOCKS; i++) {
			memset(block, round + i, sizeof(block));
			bad += pwrite(fd, block, sizeof(block), (off_t)i * VM_PAGE) != VM_PAGE;
		}
		bad += fsync(fd) != 0;
		for (int i = 0; i < BLOCKS; i++) {
			memset(block, round + i, sizeof(block));
			bad += pread(fd, back, sizeof(back), (off_t)i * VM_PAGE) != VM_PAGE ||
			       memcmp(block, back, sizeof(block)) != 0;
		}
	}
	(void)close(fd);
	(void)unlink("/threaded");
	return (void *)(uintptr_t)bad;
}

int main(void)
{
	pthread_t t[THREADS + 1];
	int made = 0, right = 0;
	struct vm_stats s;
	void *bad;

	pages = tables_quota_limit(start_self() & 0xffff)->n[EXO_QUOTA_PAGES];
	for (long i = 0; i < THREADS; i++)
		made += pthread_create(&t[i], NULL, uses_memory, (void *)(i + 1)) == 0;
	made += pthread_create(&t[THREADS], NULL, uses_file, NULL) == 0;
	for (int i = 0; i <= THREADS && made == THREADS + 1; i++)
		right += pthread_join(t[i], &bad) == 0 && bad == NULL;
	vm_get_stats(&s);
	printf("swapthreads: %u pages in, %u out\n", (unsigned)s.paged_in, (unsigned)s.paged_out);
	printf("%s swapthreads: each has what it wrote\n", right == THREADS + 1 ? "ok" : "FAIL");
	printf("%s swapthreads: swapped\n",
	       s.paged_in > pages && s.paged_out > pages ? "ok" : "FAIL");
	return right != THREADS + 1;
}
