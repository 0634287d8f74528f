/*
 * quota DIRECTORY ... - files, when the program that uses them may take nothing more.
 *
 * Uses up its capability slots, before it has met the volumes, and then, linked with vm=eager, its
 * page frames.  What was in the files before must be there, what cannot be done must be refused
 * with an error that says so, and all must be as before when the quota has room again.  Prints `ok
 * quota.TEST DIRECTORY` or `FAIL` lines.  Single-threaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <libos/call.h>
#include <libos/layout.h>
#include <libos/spawn.h>
#include <libos/start.h>
#include <libos/tables.h>

enum { SIZE = 100000, PAGE = 4096, STACK = 65536 };

static char bytes[SIZE], got[SIZE + 1];
static int failures;

static void tell(const char *test, const char *where, int good)
{
	printf("%s quota.%s %s%s%s\n", good ? "ok" : "FAIL", test, where, good ? "" : ": ",
	       good ? "" : strerror(errno));
	failures += !good;
}

static const char *in(const char *directory, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* 0, or -1 with errno; a file that cannot be written whole is none. */
static int save(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	const ssize_t n = fd < 0 ? -1 : write(fd, bytes, SIZE);
	const int bad = n < 0 || fsync(fd);

	if (fd >= 0)
		(void)close(fd);
	if (!bad && n == SIZE)
		return 0;
	errno = bad ? errno : ENOSPC;
	return -1;
}

static int holds(const char *path)
{
	const int fd = open(path, O_RDONLY);
	const ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got));

	if (fd >= 0)
		(void)close(fd);
	return n == SIZE && memcmp(got, bytes, SIZE) == 0;
}

/* ---- capability slots ---- */

/* What is mounted and was not met yet cannot be reached now; what is lost with it is nothing. */
static void without_caps(char **directories, int n)
{
	static uint32_t taken[EXO_NCAP];
	const volatile struct exo_caps *mine =
		tables_caps(EXO_EID_INDEX((struct eid){start_self()}));
	uint32_t count = 0;

	for (uint32_t i = LAYOUT_CAP_FREE; i < EXO_NCAP; i++)
		if (mine->c[i].kind == EXO_CAP_NONE &&
		    call_cap_derive(LAYOUT_CAP_SELF, i, EXO_ENV_CALL, 0, 0).status == EXO_OK)
			taken[count++] = i;
	for (int i = 0; i < n; i++) {
		errno = 0;
		const int there = holds(in(directories[i], "kept"));

		tell("caps", directories[i], there || errno == ENODEV);
	}
	while (count > 0)
		(void)call_cap_drop(taken[--count]);
}

/* ---- page frames ---- */

static void *take_all(void)
{
	void *first = NULL;
	void **p;

	while ((p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) !=
	       MAP_FAILED) {
		*p = first;
		first = (void *)p;
	}
	tell("frames", "are used up", first && errno == ENOMEM);
	return first;
}

static void give_all(void *first)
{
	while (first) {
		void *const next = *(void **)first;

		(void)munmap(first, PAGE);
		first = next;
	}
}

static int refused(int error)
{
	return (error == ENOMEM || error == ENOSPC || error == EDQUOT || error == EAGAIN) &&
	       strerror(error)[0];
}

static void without_frames(char **directories, int n)
{
	static char name[] = "true";
	char *const argv[] = {name, NULL};
	void *const all = take_all();

	for (int i = 0; i < n; i++) {
		tell("frames.kept", directories[i], holds(in(directories[i], "kept")));
		const int saved = save(in(directories[i], "new"));

		tell("frames.new", directories[i],
		     saved == 0 ? holds(in(directories[i], "new")) : refused(errno));
	}
	tell("frames", "no room for a program",
	     spawn("/bin/true", argv, NULL, NULL, 0) == -1 && refused(errno));
	give_all(all);
}

/* It cannot grow later. */
static void touch_stack(void)
{
	volatile char *const below = __builtin_alloca(STACK);

	for (int i = STACK; i > 0; i -= PAGE)
		below[i - 1] = 0;
}

int main(int argc, char **argv)
{
	touch_stack();
	errno = EDQUOT;
	tell("words", "are there for EDQUOT", strerror(EDQUOT)[0] != 0);
	for (int i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 7 + i / 255);
	if (argc == 3 && strcmp(argv[1], "make") == 0)
		return save(in(argv[2], "kept")) != 0;
	without_caps(argv + 1, argc - 1);
	for (int i = 1; i < argc; i++)
		tell("caps.after", argv[i], holds(in(argv[i], "kept")));
	without_frames(argv + 1, argc - 1);
	for (int i = 1; i < argc; i++) {
		tell("after.kept", argv[i], holds(in(argv[i], "kept")));
		tell("after.new", argv[i],
		     save(in(argv[i], "new")) == 0 && holds(in(argv[i], "new")) &&
			     unlink(in(argv[i], "new")) == 0);
	}
	return failures != 0;
}
