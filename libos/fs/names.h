/*
 * names.h - the small rules that every file system variant has in common: names, attributes, times,
 * messages.
 *
 * Owns nothing.  Called by the variants of libos/fs.
 */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <libos/fs.h>

/* Up to eight bytes of text as a word, padded with zeros. Nothing behind them is read. */
static inline uint64_t fs_word(const char *text, size_t left)
{
	uint32_t low, high;
	uint64_t w = 0;

	if (left >= sizeof w) {
		memcpy(&w, text, sizeof w);
	} else if (left >= sizeof low) {
		memcpy(&low, text, sizeof low);
		memcpy(&high, text + left - sizeof high, sizeof high);
		w = low | (uint64_t)high << 8 * (left - sizeof high);
	} else {
		while (left > 0)
			w = w << 8 | (uint8_t)text[--left];
	}
	return w;
}

/* The lowest bit that is set is the highest of the first byte that is `byte`; 0: none is. */
static inline uint64_t fs_hit(uint64_t w, uint8_t byte)
{
	const uint64_t ones = 0x0101010101010101u, x = w ^ byte * ones;

	return (x - ones) & ~x & ones << 7;
}

/* How many bytes of the word come before the first that is `byte`; 8: none is. */
static inline unsigned fs_before(uint64_t w, uint8_t byte)
{
	const uint64_t hit = fs_hit(w, byte);

	return hit != 0 ? (unsigned)__builtin_ctzl(hit) / 8 : 8;
}

/* 0 if it is a name of at most `max` bytes, else what an operation is to answer. */
static inline int fs_name_check(const char *name, size_t len, size_t max)
{
	if (len == 0)
		return -EINVAL;
	if (len > max)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < len; i += 8) {
		const uint64_t w = fs_word(name + i, len - i);

		if (fs_before(w, '/') < 8 || fs_before(w, 0) < (len - i < 8 ? len - i : 8))
			return -EINVAL;
	}
	return 0;
}

/* Whether a name, which is not empty, is "." or "..". */
static inline int fs_name_dots(const char *name, size_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

/* Takes what setattr's `mask` names, but for the size, which is more than a number. */
static inline void fs_attr_take(struct fs_attr *to, const struct fs_attr *a, uint32_t mask)
{
	if (mask & FS_SET_MODE)
		to->mode = (to->mode & FS_IFMT) | (a->mode & 07777);
	if (mask & FS_SET_UID)
		to->uid = a->uid;
	if (mask & FS_SET_GID)
		to->gid = a->gid;
	if (mask & FS_SET_ATIME)
		to->atime = a->atime;
	if (mask & FS_SET_MTIME)
		to->mtime = a->mtime;
}

/* Whether `a` is not after `b`. */
static inline int fs_time_older(const struct fs_time *a, const struct fs_time *b)
{
	return a->sec < b->sec || (a->sec == b->sec && a->nsec <= b->nsec);
}

/* Whether reading is to set the access time: only if nobody read since the last change. */
static inline int fs_atime_due(const struct fs *fs, const struct fs_attr *a)
{
	return !fs->readonly && !(fs->flags & FS_MOUNT_NOATIME) &&
	       (fs_time_older(&a->atime, &a->mtime) || fs_time_older(&a->atime, &a->ctime));
}

/* Adds to a message (of `struct fs`, `struct fs_mount`), as far as there is room.  Not by printf,
 * which would come into every program then. */
static inline void fs_say(char *message, const char *text)
{
	size_t at = strlen(message);

	while (*text && at + 1 < FS_MESSAGE)
		message[at++] = *text++;
	message[at] = 0;
}

static inline void fs_say_number(char *message, uint64_t n)
{
	char digits[24];
	char *p = digits + sizeof digits;

	*--p = 0;
	do {
		*--p = (char)('0' + n % 10);
	} while ((n /= 10) != 0);
	fs_say(message, p);
}

#endif
