/*
 * terminal.c - tests of the terminal's modes, as far as they need nobody to type.  No state.
 */
#include "check.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>
#include <sys/ioctl.h>

static void test_modes(void)
{
	struct termios t, raw, now;
	const int fd = open("/dev/tty", O_RDWR);

	CHECK(fd >= 0 && isatty(fd) && tcgetattr(fd, &t) == 0);
	CHECK((t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
	raw = t;
	cfmakeraw(&raw);
	CHECK(tcsetattr(fd, TCSANOW, &raw) == 0 && tcgetattr(fd, &now) == 0);
	CHECK(!(now.c_lflag & (ICANON | ECHO)) && now.c_cc[VMIN] == 1);
	CHECK(tcsetattr(fd, TCSAFLUSH, &t) == 0 && tcgetattr(fd, &now) == 0);
	CHECK(now.c_lflag == t.c_lflag && close(fd) == 0);
}

static void test_no_terminal(void)
{
	struct termios t;
	int fds[2];

	CHECK(pipe(fds) == 0 && !isatty(fds[0]) && errno == ENOTTY);
	CHECK_ERROR(tcgetattr(fds[0], &t), ENOTTY);
	CHECK(ttyname(fds[0]) == NULL && close(fds[0]) == 0 && close(fds[1]) == 0);
	CHECK_ERROR(tcgetattr(77, &t), EBADF);
}

static void test_size(void)
{
	struct winsize size = {.ws_row = 0};
	const int fd = open("/dev/tty", O_RDWR);

	CHECK(fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0);
	CHECK(strcmp(ttyname(fd), "/dev/tty") == 0 && close(fd) == 0);
}

/* Raw reading that waits for nothing, and for a time. */
static void test_raw_times(void)
{
	struct termios t, raw;
	char c;
	const int fd = open("/dev/tty", O_RDWR);

	CHECK(fd >= 0 && tcgetattr(fd, &t) == 0);
	raw = t;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	CHECK(tcsetattr(fd, TCSAFLUSH, &raw) == 0 && read(fd, &c, 1) == 0);
	raw.c_cc[VTIME] = 1;
	CHECK(tcsetattr(fd, TCSAFLUSH, &raw) == 0 && read(fd, &c, 1) == 0);
	CHECK(tcsetattr(fd, TCSANOW, &t) == 0 && close(fd) == 0);
}

const struct check terminal_checks[] = {
	{"terminal-modes", test_modes},
	{"no-terminal", test_no_terminal},
	{"terminal-size", test_size},
	{"terminal-raw-times", test_raw_times},
	{NULL, NULL},
};
