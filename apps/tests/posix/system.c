/*
 * system.c - tests of memory, time and what the system says of itself.  No state.
 */
#include "check.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>

enum { PAGE = 4096, BYTES = 10 * PAGE };

static void test_mmap(void)
{
	char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && (uintptr_t)p % PAGE == 0 && p[0] == 0 && p[BYTES - 1] == 0);
	memset(p, 1, BYTES);
	CHECK(mprotect(p, PAGE, PROT_READ) == 0 && p[0] == 1);
	CHECK(munmap(p + PAGE, PAGE) == 0 && p[2 * PAGE] == 1);
	CHECK(munmap(p, BYTES) == 0);
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
}

static void test_mmap_file(void)
{
	char *p;
	const int fd = open("mapped", O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0 && write(fd, "mapped bytes", 12) == 12);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && strcmp(p, "mapped bytes") == 0 && munmap(p, PAGE) == 0);
	CHECK(close(fd) == 0 && unlink("mapped") == 0);
}

static void test_malloc(void)
{
	void *aligned = NULL;
	char *large = malloc(3000000);

	CHECK(large);
	memset(large, 7, 3000000);
	CHECK(large[2999999] == 7);
	free(large);
	CHECK(posix_memalign(&aligned, 4096, 100) == 0 && (uintptr_t)aligned % 4096 == 0);
	free(aligned);
	CHECK(posix_memalign(&aligned, 3, 100) == EINVAL);
}

static void test_clocks(void)
{
	struct timespec a, b, nap = {0, 5000000};
	struct timeval tv;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0 && nanosleep(&nap, NULL) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000l + b.tv_nsec - a.tv_nsec >= 5000000);
	CHECK(gettimeofday(&tv, NULL) == 0 && tv.tv_sec > 1700000000);
	CHECK(clock_gettime(CLOCK_REALTIME, &a) == 0 && a.tv_sec - tv.tv_sec <= 1);
	CHECK_ERROR(clock_gettime(77, &a), EINVAL);
	nap.tv_nsec = -1;
	CHECK_ERROR(nanosleep(&nap, NULL), EINVAL);
}

static void test_usage(void)
{
	struct rusage usage;
	struct rlimit limit;
	struct tms t;

	CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
	CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
	CHECK(times(&t) != (clock_t)-1);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 256);
}

static void test_names(void)
{
	struct utsname name;
	char host[32];

	CHECK(uname(&name) == 0 && strcmp(name.sysname, "Freehold") == 0);
	CHECK(gethostname(host, sizeof(host)) == 0 && host[0]);
	CHECK(sysconf(_SC_PAGESIZE) == PAGE && sysconf(_SC_OPEN_MAX) == 256);
	CHECK_ERROR(sysconf(-5), EINVAL);
	CHECK(pathconf("/", _PC_NAME_MAX) == 255);
	CHECK(getpwuid(0) && strcmp(getpwuid(0)->pw_name, "root") == 0 && !getpwuid(5));
}

static void test_users_reentrant(void)
{
	struct passwd user, *found = NULL;
	struct group group, *of = NULL;
	char text[256];

	CHECK(getpwnam_r("root", &user, text, sizeof(text), &found) == 0 && found == &user);
	CHECK(user.pw_uid == 0 && strcmp(user.pw_dir, "/") == 0 && user.pw_name == text);
	CHECK(getpwnam_r("root", &user, text, 4, &found) == ERANGE && found == NULL);
	CHECK(getpwuid_r(5, &user, text, sizeof(text), &found) == 0 && found == NULL);
	CHECK(getgrgid_r(0, &group, text, sizeof(text), &of) == 0 && of == &group);
	CHECK(strcmp(group.gr_name, "root") == 0);
	CHECK(getgrnam_r("nobody", &group, text, sizeof(text), &of) == 0 && of == NULL);
}

/* What is promised of threads. */
static void test_thread_limits(void)
{
	CHECK(sysconf(_SC_THREADS) == 200112 && sysconf(_SC_SPIN_LOCKS) == 200112);
	CHECK(sysconf(_SC_THREAD_STACK_MIN) == PTHREAD_STACK_MIN);
	CHECK(sysconf(_SC_THREAD_KEYS_MAX) == PTHREAD_KEYS_MAX);
	errno = 0;
	CHECK(sysconf(_SC_THREAD_PROCESS_SHARED) == -1 && errno == 0);
}

static void test_random(void)
{
	unsigned char a[16] = {0}, b[16] = {0};

	CHECK(getrandom(a, sizeof(a), 0) == 16 && getentropy(b, sizeof(b)) == 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK_ERROR(getentropy(b, 1000), EIO);
}

const struct check system_checks[] = {
	{"mmap", test_mmap},
	{"mmap-file", test_mmap_file},
	{"malloc", test_malloc},
	{"clocks", test_clocks},
	{"usage", test_usage},
	{"names", test_names},
	{"users-reentrant", test_users_reentrant},
	{"thread-limits", test_thread_limits},
	{"random", test_random},
	{NULL, NULL},
};
