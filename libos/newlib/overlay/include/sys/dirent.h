/* What <dirent.h> is missing in newlib: the entry and the open directory.  newlib's readdir() asks
 * the libOS's getdents() to fill the buffer with entries of this layout, each d_reclen bytes long.
 */
#ifndef _SYS_DIRENT_H
#define _SYS_DIRENT_H

#include <sys/types.h>
#include <sys/lock.h>

#define NAME_MAX_DIRENT 255

struct dirent {
	ino_t d_ino;		 /* 0 marks an empty entry, which readdir() skips */
	off_t d_off;		 /* where the next entry begins, for seekdir() */
	unsigned short d_reclen; /* of this entry, with padding, a multiple of 8 */
	unsigned char d_type;	 /* one of DT_... below */
	char d_name[NAME_MAX_DIRENT + 1];
};

/* newlib's opendir() family owns these fields. */
typedef struct _dirdesc {
	int dd_fd;
	long dd_loc;
	long dd_size;
	char *dd_buf;
	int dd_len;
	long dd_seek;
	_LOCK_RECURSIVE_T dd_lock;
} DIR;

#define HAVE_DD_LOCK
#define __dirfd(dir) ((dir)->dd_fd)

#define _DIRENT_HAVE_D_TYPE
#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12

int getdents(int fd, void *entries, int bytes);

#endif
