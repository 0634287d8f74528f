/*
 * tree.c - a tree of many files, made by a seed, as time makes them: not in the order of their
 * names, and grown piece by piece, so that what belongs together does not stand together.
 *
 * File number i is ROOT/dA/dB/fI, A, B, its size and bytes following from seed and i.  Owns
 * nothing.
 */
#include "../experiment_posix.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "treecopy.h"

enum { WIDE = 5, KIB = 1024, MOST_BYTES = 256 * KIB };

static uint64_t fact(const struct tree *t, uint64_t i, uint64_t what)
{
	return experiment_word(t->seed, i * 4 + what);
}

static uint64_t size_of(const struct tree *t, uint64_t i)
{
	const uint64_t most = 2 * t->kbytes * KIB;

	return 1 + fact(t, i, 0) % most;
}

static void path_of(const struct tree *t, uint64_t i, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/d%u/d%u/f%" PRIu64, t->root, (unsigned)(fact(t, i, 1) % WIDE),
		 (unsigned)(fact(t, i, 2) % WIDE), i);
}

static const char *bytes_of(const struct tree *t, uint64_t i)
{
	static uint64_t words[MOST_BYTES / 8];
	uint64_t state = fact(t, i, 3);

	for (uint64_t w = 0; w <= size_of(t, i) / 8 && w < MOST_BYTES / 8; w++)
		words[w] = experiment_random(&state);
	return (const char *)words;
}

static void make_directories(const struct tree *t)
{
	char path[PATH_MAX];

	need(mkdir(t->root, 0755), t->root);
	for (unsigned a = 0; a < WIDE; a++) {
		snprintf(path, sizeof(path), "%s/d%u", t->root, a);
		need(mkdir(path, 0755), path);
		for (unsigned b = 0; b < WIDE; b++) {
			snprintf(path, sizeof(path), "%s/d%u/d%u", t->root, a, b);
			need(mkdir(path, 0755), path);
		}
	}
}

/* Appends piece number `piece` to file i. */
static void grow(const struct tree *t, uint64_t i, uint64_t piece)
{
	const uint64_t size = size_of(t, i);
	const uint64_t from = size * piece / t->pieces, to = size * (piece + 1) / t->pieces;
	char path[PATH_MAX];
	int file;

	path_of(t, i, path);
	file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	need(file, path);
	need(write(file, bytes_of(t, i) + from, to - from) == (ssize_t)(to - from) ? 0 : -ENOSPC,
	     path);
	need(close(file), path);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		const uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Each file grows once, in an order by chance: every step-th, round and round. */
static void grow_all(const struct tree *t, uint64_t piece, uint64_t *dice)
{
	uint64_t at = experiment_random(dice) % t->files;
	uint64_t step = experiment_random(dice) % t->files + 1;

	while (common_divisor(step, t->files) != 1)
		step++;
	for (uint64_t n = 0; n < t->files; n++, at = (at + step) % t->files)
		grow(t, at, piece);
}

void tree_make(const struct tree *t)
{
	uint64_t dice = t->seed;

	make_directories(t);
	for (uint64_t piece = 0; piece < t->pieces; piece++)
		grow_all(t, piece, &dice);
}

/* ---- looking at it ------------------------------------------------------------------------- */

static int is_wrong(const struct tree *t, uint64_t i)
{
	static char got[MOST_BYTES + 1];
	const uint64_t size = size_of(t, i);
	char path[PATH_MAX];
	int file, wrong;

	path_of(t, i, path);
	file = open(path, O_RDONLY);
	if (file < 0)
		return 1;
	wrong = read(file, got, size + 1) != (ssize_t)size || memcmp(got, bytes_of(t, i), size);
	(void)close(file);
	return wrong;
}

/* Names below a directory. */
static uint64_t count_names(const char *path)
{
	DIR *const dir = opendir(path);
	const struct dirent *e;
	uint64_t n = 0;

	need(dir ? 0 : -1, path);
	while ((e = readdir(dir)) != NULL) {
		char below[PATH_MAX];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		need(stat(below, &st), below);
		n += 1 + (S_ISDIR(st.st_mode) ? count_names(below) : 0);
	}
	(void)closedir(dir);
	return n;
}

uint64_t tree_count_wrong(const struct tree *t)
{
	const uint64_t names = t->files + WIDE + WIDE * WIDE;
	uint64_t wrong = count_names(t->root) != names;

	for (uint64_t i = 0; i < t->files; i++)
		wrong += (uint64_t)is_wrong(t, i);
	return wrong;
}
