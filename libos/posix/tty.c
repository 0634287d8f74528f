/*
 * tty.c - terminals: between the console session of this process and struct posix_tty_line.
 *
 * Owns: struct posix_tty.  Whoever needs input, or sleeps in this layer, or gets the console's
 * event while it computes, takes what was typed to the terminal in the segment (tty_pump); so ^C
 * reaches the foreground group whoever runs.  Lock: the terminal's, never held while sleeping or
 * writing. Called by io.c, poll.c, terminal.c, posix_wait().
 */
#include "posix.h"
#include "tty_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <libos/console.h>
#include <libos/start.h>
#include <libos/time.h>

enum { PIECE = 256, LOOK_AGAIN = 50000000, TENTH_NS = 100000000 };

struct posix_tty *tty_of(const struct posix_file *f)
{
	return f && f->type == POSIX_FILE_TTY ? &posix_seg->tty[f->tty] : NULL;
}

void tty_lock(struct posix_tty *t)
{
	/* Each byte is taken whole; at worst a dead process lost the one in its hand. */
	if (lock_acquire(&t->lock) == LOCK_STOLEN)
		return;
}

void tty_init(struct posix_tty *t)
{
	lock_init(&t->lock);
	t->used = 1;
	t->rows = 24;
	t->cols = 80;
	tty_line_init(&t->line);
}

void posix_tty_make(uint32_t n)
{
	tty_init(&posix_seg->tty[n]);
}

/* Signals asked for by the bytes: bit n is signal n. */
static uint32_t take_typed(struct posix_tty *t, struct tty_echo *echo)
{
	uint8_t bytes[64];
	uint32_t signals = 0;
	int64_t n;

	while ((n = console_read_some(bytes, sizeof(bytes))) > 0)
		for (int64_t i = 0; i < n; i++)
			signals |= 1u << tty_line_input(&t->line, bytes[i], echo);
	return signals & ~1u;
}

void tty_pump(void)
{
	struct posix_tty *t = &posix_seg->tty[posix_self->tty];
	struct tty_echo echo = {.length = 0};
	uint32_t signals;
	uint64_t wake = 0;
	int32_t pgrp;

	tty_lock(t);
	signals = take_typed(t, &echo);
	pgrp = t->pgrp;
	if (tty_line_ready(&t->line) && t->reader != start_self()) {
		wake = t->reader;
		t->reader = 0;
	}
	lock_release(&t->lock);
	if (echo.length)
		(void)console_write(echo.bytes, echo.length);
	posix_wake(wake);
	for (int sig = 1; signals >> sig; sig++)
		if (signals & (1u << sig))
			(void)signal_group(pgrp, sig);
}

/* What raw mode's VMIN and VTIME ask for: enough bytes, or the time is up. */
static int enough(const struct posix_tty *t, size_t n, uint64_t until)
{
	const struct posix_tty_line *line = &t->line;
	const size_t least = line->cc[VMIN] < n ? line->cc[VMIN] : n;

	if (line->lflag & ICANON)
		return tty_line_ready(line);
	if (tty_line_waiting(line) >= (least ? least : 1))
		return 1;
	if (until && time_now() >= until)
		return 1;
	return least == 0 && line->cc[VTIME] == 0;
}

ssize_t tty_read(struct posix_file *f, char *to, size_t n)
{
	struct posix_tty *t = &posix_seg->tty[f->tty];
	uint64_t until = 0;
	ssize_t got;

	if (!(t->line.lflag & ICANON) && t->line.cc[VTIME])
		until = time_now() + t->line.cc[VTIME] * (uint64_t)TENTH_NS;
	for (;;) {
		uint64_t wake_at = time_now() + LOOK_AGAIN;
		int error;

		tty_pump();
		tty_lock(t);
		if (enough(t, n, until))
			break;
		if (f->flags & O_NONBLOCK) {
			lock_release(&t->lock);
			return -EAGAIN;
		}
		if (t->reader == 0 || t->reader == start_self() || !owner_alive(t->reader)) {
			t->reader = start_self();
			wake_at = 0;
		}
		lock_release(&t->lock);
		if (until && (wake_at == 0 || until < wake_at))
			wake_at = until;
		error = posix_wait(POSIX_EV_WAKE, wake_at);
		if (error == -EINTR)
			return error;
	}
	if (t->reader == start_self())
		t->reader = 0;
	got = (ssize_t)tty_line_take(&t->line, to, n);
	lock_release(&t->lock);
	return got;
}

ssize_t tty_write(struct posix_file *f, const char *from, size_t n)
{
	const struct posix_tty *t = tty_of(f);
	size_t done = 0;

	while (done < n) {
		char piece[PIECE];
		size_t used;
		const size_t put = tty_line_output(&t->line, from + done, n - done, &used, piece,
						   sizeof(piece));
		const int error = console_write(piece, put);

		if (error)
			return done ? (ssize_t)done : error;
		done += used;
		if (signal_waiting())
			break;
	}
	return (ssize_t)done;
}

int tty_poll(const struct posix_file *f)
{
	tty_pump();
	return (tty_line_ready(&tty_of(f)->line) ? POLLIN : 0) | POLLOUT;
}
