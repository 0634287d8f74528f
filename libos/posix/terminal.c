/*
 * terminal.c - what programs ask of terminals: modes, size, foreground group, names.
 *
 * Owns nothing: the state is struct posix_tty (tty.c).  Called by programs and newlib.
 */
#include "posix.h"
#include "tty_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <libos/vm.h>

/* The terminal of fd, or NULL with the error to answer. */
static struct posix_tty *terminal(int fd, int *error)
{
	struct posix_file *f = fd_file(fd);

	*error = !f ? -EBADF : f->type == POSIX_FILE_TTY ? 0 : -ENOTTY;
	return *error ? NULL : tty_of(f);
}

static int get_modes(int fd, struct termios *out)
{
	int error;
	const struct posix_tty *t = terminal(fd, &error);

	if (t && user_check(out, sizeof(*out), VM_WRITE))
		return -EFAULT;
	if (!t)
		return error;
	memset(out, 0, sizeof(*out));
	out->c_iflag = t->line.iflag;
	out->c_oflag = t->line.oflag;
	out->c_cflag = t->line.cflag;
	out->c_lflag = t->line.lflag;
	memcpy(out->c_cc, t->line.cc, NCCS);
	out->c_ispeed = out->c_ospeed = B115200;
	return 0;
}

static int set_modes(int fd, int when, const struct termios *in)
{
	int error;
	struct posix_tty *t = terminal(fd, &error);

	if (t && user_check(in, sizeof(*in), VM_READ))
		return -EFAULT;
	if (!t)
		return error;
	if (when == TCSAFLUSH)
		tty_pump();
	tty_lock(t);
	if (when == TCSAFLUSH)
		tty_line_flush(&t->line);
	t->line.iflag = in->c_iflag;
	t->line.oflag = in->c_oflag;
	t->line.cflag = in->c_cflag;
	memcpy(t->line.cc, in->c_cc, NCCS);
	tty_line_modes(&t->line, in->c_lflag);
	lock_release(&t->lock);
	return 0;
}

int tcgetattr(int fd, struct termios *out)
{
	posix_enter();
	return (int)posix_leave(get_modes(fd, out));
}

int tcsetattr(int fd, int when, const struct termios *in)
{
	posix_enter();
	return (int)posix_leave(set_modes(fd, when, in));
}

/* Output is not held back, nor input stopped: these have nothing to do but check. */
static int checked(int fd)
{
	int error;

	posix_enter();
	(void)terminal(fd, &error);
	return (int)posix_leave(error);
}

int tcdrain(int fd)
{
	posix_cancel_point();
	return checked(fd);
}

int tcflow(int fd, int action)
{
	(void)action;
	return checked(fd);
}

int tcsendbreak(int fd, int duration)
{
	(void)duration;
	return checked(fd);
}

int tcflush(int fd, int queue)
{
	int error;
	struct posix_tty *t;

	posix_enter();
	t = terminal(fd, &error);
	if (t && queue != TCOFLUSH) {
		tty_pump();
		tty_lock(t);
		tty_line_flush(&t->line);
		lock_release(&t->lock);
	}
	return (int)posix_leave(error);
}

pid_t tcgetpgrp(int fd)
{
	int error;
	const struct posix_tty *t;

	posix_enter();
	t = terminal(fd, &error);
	return (pid_t)posix_leave(t ? t->pgrp : error);
}

int tcsetpgrp(int fd, pid_t pgrp)
{
	int error;
	struct posix_tty *t;

	posix_enter();
	t = terminal(fd, &error);
	if (t)
		t->pgrp = pgrp;
	return (int)posix_leave(error);
}

void cfmakeraw(struct termios *t)
{
	t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t->c_oflag &= ~(tcflag_t)OPOST;
	t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t->c_cflag = (t->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

speed_t cfgetispeed(const struct termios *t)
{
	return t->c_ispeed;
}

speed_t cfgetospeed(const struct termios *t)
{
	return t->c_ospeed;
}

int cfsetispeed(struct termios *t, speed_t speed)
{
	t->c_ispeed = speed;
	return 0;
}

int cfsetospeed(struct termios *t, speed_t speed)
{
	t->c_ospeed = speed;
	return 0;
}

int isatty(int fd)
{
	int error;

	posix_enter();
	(void)terminal(fd, &error);
	return posix_leave(error) == 0;
}

int ttyname_r(int fd, char *out, size_t size)
{
	static const char name[] = "/dev/tty";

	if (!isatty(fd))
		return errno;
	if (size < sizeof(name))
		return ERANGE;
	memcpy(out, name, sizeof(name));
	return 0;
}

char *ttyname(int fd)
{
	static char name[16];
	const int error = ttyname_r(fd, name, sizeof(name));

	if (error == 0)
		return name;
	errno = error;
	return NULL;
}

/* ---- ioctl --------------------------------------------------------------------------------- */

static int window_size(int fd, unsigned long request, struct winsize *size)
{
	int error;
	struct posix_tty *t = terminal(fd, &error);

	if (!t)
		return error;
	if (request == TIOCSWINSZ) {
		t->rows = size->ws_row;
		t->cols = size->ws_col;
	} else {
		*size = (struct winsize){.ws_row = t->rows, .ws_col = t->cols};
	}
	return 0;
}

static int waiting(int fd, int *out)
{
	const struct posix_file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	*out = 0;
	if (f->type == POSIX_FILE_TTY) {
		tty_pump();
		*out = (int)tty_line_waiting(&tty_of(f)->line);
	} else if (f->type == POSIX_FILE_PIPE_READ) {
		*out = (int)pipe_waiting(f);
	} else if (f->type == POSIX_FILE_NODE && f->node->attr.size > f->offset) {
		*out = (int)(f->node->attr.size - f->offset);
	}
	return 0;
}

static int set_nonblocking(struct posix_file *f, int on)
{
	f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(uint32_t)O_NONBLOCK;
	return 0;
}

static int ioctl_size(unsigned long request)
{
	switch (request) {
	case TCGETS:
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return sizeof(struct termios);
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return sizeof(struct winsize);
	default:
		return sizeof(int);
	}
}

static int do_ioctl(int fd, unsigned long request, void *arg)
{
	int error;
	struct posix_tty *t;

	if (user_check(arg, (size_t)ioctl_size(request), VM_READ))
		return -EFAULT;
	switch (request) {
	case TCGETS:
		return get_modes(fd, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_modes(fd, request == TCSETSF ? TCSAFLUSH : TCSANOW, arg);
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return window_size(fd, request, arg);
	case FIONREAD:
		return waiting(fd, arg);
	case TIOCGPGRP:
	case TIOCSPGRP:
		t = terminal(fd, &error);
		if (t && request == TIOCGPGRP)
			*(pid_t *)arg = t->pgrp;
		else if (t)
			t->pgrp = *(const pid_t *)arg;
		return error;
	case FIONBIO:
		if (!fd_file(fd))
			return -EBADF;
		return set_nonblocking(fd_file(fd), *(const int *)arg);
	default:
		return fd_file(fd) ? -ENOTTY : -EBADF;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	posix_enter();
	return (int)posix_leave(do_ioctl(fd, request, arg));
}
