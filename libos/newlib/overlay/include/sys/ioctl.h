/* ioctl(): only what terminals and descriptors need.  Numbers agree with Linux's. */
#ifndef _SYS_IOCTL_H
#define _SYS_IOCTL_H

#include <sys/cdefs.h>

#define TCGETS	   0x5401 /* struct termios *: as tcgetattr() */
#define TCSETS	   0x5402 /* const struct termios *: as tcsetattr(TCSANOW) */
#define TCSETSW	   0x5403
#define TCSETSF	   0x5404
#define TIOCGPGRP  0x540f /* pid_t *: foreground process group */
#define TIOCSPGRP  0x5410 /* const pid_t * */
#define TIOCGWINSZ 0x5413 /* struct winsize * */
#define TIOCSWINSZ 0x5414 /* const struct winsize * */
#define FIONREAD   0x541b /* int *: bytes that a read would not wait for */
#define FIONBIO	   0x5421 /* const int *: non-blocking or not */

struct winsize {
	unsigned short ws_row;
	unsigned short ws_col;
	unsigned short ws_xpixel;
	unsigned short ws_ypixel;
};

__BEGIN_DECLS
int ioctl(int fd, unsigned long request, ...);
__END_DECLS

#endif
