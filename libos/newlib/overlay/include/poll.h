/* Waiting for any of several descriptors.  Numbers agree with Linux's. */
#ifndef _POLL_H
#define _POLL_H

#include <sys/cdefs.h>

#define POLLIN	   0x001
#define POLLPRI	   0x002
#define POLLOUT	   0x004
#define POLLERR	   0x008 /* only ever answered */
#define POLLHUP	   0x010 /* only ever answered */
#define POLLNVAL   0x020 /* only ever answered */
#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200

typedef unsigned long nfds_t;

struct pollfd {
	int fd; /* negative: not looked at */
	short events;
	short revents;
};

__BEGIN_DECLS
int poll(struct pollfd *fds, nfds_t count, int timeout_ms);
__END_DECLS

#endif
