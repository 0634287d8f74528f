/*
 * group_file.c - a scheduler for a group out of a file.  Owns nothing; see libos/group.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <libos/group.h>

enum { LARGEST = 1 << 20 };

/* All of a file that is not larger than LARGEST, to be freed; NULL with errno. */
static void *read_all(int fd, size_t *size)
{
	struct stat st;
	char *bytes;

	if (fstat(fd, &st))
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > LARGEST) {
		errno = S_ISREG(st.st_mode) ? EFBIG : S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	bytes = malloc((size_t)st.st_size + 1);
	for (*size = 0; bytes;) {
		const ssize_t n = read(fd, bytes + *size, (size_t)st.st_size - *size);

		if (n <= 0) {
			if (n == 0)
				break;
			free(bytes);
			return NULL;
		}
		*size += (size_t)n;
	}
	return bytes;
}

int group_load_file(uint32_t group, const char *path, const char *section, char why[GROUP_WHY])
{
	const int fd = open(path, O_RDONLY);
	void *object = NULL;
	size_t size = 0;
	int error;

	if (fd >= 0)
		object = read_all(fd, &size);
	error = object ? 0 : -errno;
	if (fd >= 0)
		(void)close(fd);
	if (error)
		(void)sniprintf(why, GROUP_WHY, "%s", strerror(-error));
	else
		error = group_load_object(group, object, size, section, why);
	free(object);
	return error;
}
