/*
 * tty_line.c - the rules of a terminal line; see tty_line.h.
 * Owns nothing; no lock.  A full queue refuses typed bytes with a bell, so nothing read is lost.
 */
#include "tty_line.h"

#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { BELL = 7, CONTROL = 0x40, DELETE = 0x7f };

void tty_line_init(struct posix_tty_line *t)
{
	memset(t, 0, sizeof(*t));
	t->iflag = ICRNL;
	t->oflag = OPOST | ONLCR;
	t->cflag = CS8 | CREAD;
	t->lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | IEXTEN;
	t->cc[VINTR] = 'C' - CONTROL;
	t->cc[VQUIT] = '\\' - CONTROL;
	t->cc[VERASE] = DELETE;
	t->cc[VKILL] = 'U' - CONTROL;
	t->cc[VEOF] = 'D' - CONTROL;
	t->cc[VMIN] = 1;
	t->cc[VSUSP] = 'Z' - CONTROL;
	t->cc[VWERASE] = 'W' - CONTROL;
}

static void echo_byte(struct tty_echo *echo, char c)
{
	if (echo->length < sizeof(echo->bytes))
		echo->bytes[echo->length++] = c;
}

static void echo_text(struct tty_echo *echo, const char *text)
{
	while (*text)
		echo_byte(echo, *text++);
}

/* A control character that is no blank shows as ^X, when asked for. */
static int shows_wide(const struct posix_tty_line *t, uint8_t c)
{
	return (t->lflag & ECHOCTL) && ((c < ' ' && c != '\t') || c == DELETE);
}

static void echo_input(const struct posix_tty_line *t, struct tty_echo *echo, uint8_t c)
{
	if (c == '\n' && (t->lflag & (ECHO | ECHONL))) {
		echo_text(echo, (t->oflag & OPOST) && (t->oflag & ONLCR) ? "\r\n" : "\n");
	} else if ((t->lflag & ECHO) && c != '\n') {
		if (shows_wide(t, c)) {
			echo_byte(echo, '^');
			echo_byte(echo, (char)(c ^ CONTROL));
		} else {
			echo_byte(echo, (char)c);
		}
	}
}

/* UTF-8: a continuation byte belongs to the character before it. */
static int continues(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

static void erase_one(struct posix_tty_line *t, struct tty_echo *echo)
{
	uint8_t c;

	if (t->length == 0)
		return;
	do
		c = t->line[--t->length];
	while (t->length && continues(c));
	if (!(t->lflag & ECHO))
		return;
	echo_text(echo, "\b \b");
	if (shows_wide(t, c))
		echo_text(echo, "\b \b");
}

static void erase_word(struct posix_tty_line *t, struct tty_echo *echo)
{
	while (t->length && t->line[t->length - 1] == ' ')
		erase_one(t, echo);
	while (t->length && t->line[t->length - 1] != ' ')
		erase_one(t, echo);
}

static uint32_t queue_room(const struct posix_tty_line *t)
{
	return POSIX_TTY_QUEUE - (t->tail - t->head);
}

static void queue_put(struct posix_tty_line *t, uint16_t c)
{
	t->queue[t->tail % POSIX_TTY_QUEUE] = c;
	t->tail++;
}

/* Moves the line to the queue, with `end` behind it. */
static void line_done(struct posix_tty_line *t, uint16_t end, struct tty_echo *echo)
{
	if (queue_room(t) <= t->length) {
		echo_byte(echo, BELL);
		return;
	}
	for (uint32_t i = 0; i < t->length; i++)
		queue_put(t, t->line[i]);
	queue_put(t, end);
	t->length = 0;
	t->lines++;
}

/* What was being typed as a line is input like any other now, as far as there is room. */
static void line_to_queue(struct posix_tty_line *t)
{
	uint32_t n = 0;

	while (n < t->length && queue_room(t))
		queue_put(t, t->line[n++]);
	t->length -= n;
	memmove(t->line, t->line + n, t->length);
}

static int is_special(const struct posix_tty_line *t, unsigned which, uint8_t c)
{
	return t->cc[which] != _POSIX_VDISABLE && t->cc[which] == c;
}

static int ends_line(const struct posix_tty_line *t, uint16_t c)
{
	return c == TTY_EOF || c == '\n' || (c < TTY_EOF && is_special(t, VEOL, (uint8_t)c));
}

static void canonical(struct posix_tty_line *t, uint8_t c, struct tty_echo *echo)
{
	if (is_special(t, VERASE, c) || c == '\b') {
		erase_one(t, echo);
	} else if (is_special(t, VWERASE, c)) {
		erase_word(t, echo);
	} else if (is_special(t, VKILL, c)) {
		while (t->length)
			erase_one(t, echo);
	} else if (is_special(t, VEOF, c)) {
		line_done(t, TTY_EOF, echo);
	} else if (c == '\n' || is_special(t, VEOL, c)) {
		echo_input(t, echo, c);
		line_done(t, c, echo);
	} else if (t->length < POSIX_TTY_LINE) {
		t->line[t->length++] = c;
		echo_input(t, echo, c);
	} else {
		echo_byte(echo, BELL);
	}
}

static void raw(struct posix_tty_line *t, uint8_t c, struct tty_echo *echo)
{
	if (queue_room(t) == 0) {
		echo_byte(echo, BELL);
		return;
	}
	queue_put(t, c);
	t->lines += (uint32_t)ends_line(t, c);
	echo_input(t, echo, c);
}

static int signal_of(const struct posix_tty_line *t, uint8_t c)
{
	if (!(t->lflag & ISIG))
		return 0;
	if (is_special(t, VINTR, c))
		return SIGINT;
	if (is_special(t, VQUIT, c))
		return SIGQUIT;
	return is_special(t, VSUSP, c) ? SIGTSTP : 0;
}

int tty_line_input(struct posix_tty_line *t, uint8_t byte, struct tty_echo *echo)
{
	const int signal = signal_of(t, byte);

	if (signal) {
		if (t->lflag & ECHO) {
			echo_input(t, echo, byte);
			echo_input(t, echo, '\n');
		}
		if (!(t->lflag & NOFLSH))
			tty_line_flush(t);
		return signal;
	}
	if (byte == '\r') {
		if (t->iflag & IGNCR)
			return 0;
		if (t->iflag & ICRNL)
			byte = '\n';
	} else if (byte == '\n' && (t->iflag & INLCR)) {
		byte = '\r';
	}
	if (t->lflag & ICANON)
		canonical(t, byte, echo);
	else
		raw(t, byte, echo);
	return 0;
}

/* The end of the queue, which no line's end follows, is a line being typed again. */
static void queue_to_line(struct posix_tty_line *t)
{
	uint32_t n = 0;

	while (n < t->tail - t->head && n < POSIX_TTY_LINE &&
	       !ends_line(t, t->queue[(t->tail - n - 1) % POSIX_TTY_QUEUE]))
		n++;
	t->tail -= n;
	t->length = n;
	for (uint32_t i = 0; i < n; i++)
		t->line[i] = (uint8_t)t->queue[(t->tail + i) % POSIX_TTY_QUEUE];
}

void tty_line_modes(struct posix_tty_line *t, uint32_t lflag)
{
	const uint32_t was = t->lflag;

	t->lflag = lflag;
	if ((was & ICANON) && !(lflag & ICANON))
		line_to_queue(t);
	else if (!(was & ICANON) && (lflag & ICANON) && t->length == 0)
		queue_to_line(t);
}

int tty_line_ready(const struct posix_tty_line *t)
{
	return t->lflag & ICANON ? t->lines != 0 : t->tail != t->head;
}

size_t tty_line_take(struct posix_tty_line *t, char *to, size_t n)
{
	size_t got = 0;

	while (got < n && t->head != t->tail) {
		const uint16_t c = t->queue[t->head % POSIX_TTY_QUEUE];
		const int end = ends_line(t, c);

		t->head++;
		if (end && t->lines)
			t->lines--;
		if (c != TTY_EOF)
			to[got++] = (char)c;
		if (end && (t->lflag & ICANON))
			break;
	}
	/* A reader that took just the line's text is not to see its end of file as another one. */
	if (got == n && got && (t->lflag & ICANON) && t->head != t->tail && t->lines &&
	    t->queue[t->head % POSIX_TTY_QUEUE] == TTY_EOF) {
		t->head++;
		t->lines--;
	}
	if (!(t->lflag & ICANON))
		line_to_queue(t);
	return got;
}

size_t tty_line_waiting(const struct posix_tty_line *t)
{
	return tty_line_ready(t) ? t->tail - t->head : 0;
}

void tty_line_flush(struct posix_tty_line *t)
{
	t->head = t->tail;
	t->length = 0;
	t->lines = 0;
}

size_t tty_line_output(const struct posix_tty_line *t, const char *from, size_t n, size_t *used,
		       char *to, size_t room)
{
	const int convert = (t->oflag & OPOST) && (t->oflag & ONLCR);
	size_t put = 0, i = 0;

	for (; i < n && put < room; i++) {
		if (convert && from[i] == '\n') {
			if (put + 2 > room)
				break;
			to[put++] = '\r';
		}
		to[put++] = from[i];
	}
	*used = i;
	return put;
}
