/* Opening files, as newlib has it, and advice on how they will be read.  Numbers agree with
 * Linux's. */
#ifndef _SYS_FCNTL_H_
#define _SYS_FCNTL_H_

#include <sys/_default_fcntl.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#define POSIX_FADV_NORMAL     0
#define POSIX_FADV_RANDOM     1
#define POSIX_FADV_SEQUENTIAL 2
#define POSIX_FADV_WILLNEED   3
#define POSIX_FADV_DONTNEED   4
#define POSIX_FADV_NOREUSE    5

__BEGIN_DECLS
int posix_fadvise(int fd, off_t offset, off_t bytes, int advice);
__END_DECLS

#endif
