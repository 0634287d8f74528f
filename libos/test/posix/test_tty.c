/*
 * test_tty.c - host tests of the terminal's line rules (libos/posix/tty_line.c).
 *
 * Each types something at a new terminal and looks at what can be read, what was echoed and which
 * signal was meant.  Single-threaded.  Run by `make host-test`.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include "tty_line.h"

static struct posix_tty_line t;
static struct tty_echo echo;
static char got[POSIX_TTY_QUEUE + 1];
static int failures;

static void check(const char *name, int ok, const char *why)
{
	if (ok)
		printf("ok tty-%s\n", name);
	else
		printf("FAIL tty-%s: %s; read '%s', echoed '%.*s'\n", name, why, got,
		       (int)echo.length, echo.bytes);
	failures += !ok;
}

static void fresh(void)
{
	tty_line_init(&t);
	echo.length = 0;
	got[0] = 0;
}

/* The last signal meant, or 0. */
static int type(const char *text)
{
	int signal = 0;

	for (; *text; text++) {
		const int s = tty_line_input(&t, (uint8_t)*text, &echo);

		signal = s ? s : signal;
	}
	return signal;
}

static size_t take(size_t n)
{
	const size_t count = tty_line_take(&t, got, n);

	got[count] = 0;
	return count;
}

static int echoed(const char *text)
{
	return echo.length == strlen(text) && memcmp(echo.bytes, text, echo.length) == 0;
}

static void test_line(void)
{
	fresh();
	type("ab");
	check("no-line-yet", !tty_line_ready(&t), "ready before the line's end");
	type("c\r");
	check("line", tty_line_ready(&t) && take(100) == 4 && strcmp(got, "abc\n") == 0,
	      "the line was not read");
	check("echo", echoed("abc\r\n"), "wrong echo");
}

static void test_two_lines(void)
{
	fresh();
	type("one\rtwo\r");
	check("first-line", take(100) == 4 && strcmp(got, "one\n") == 0, "more than a line");
	check("part", take(2) == 2 && strcmp(got, "tw") == 0, "wrong part");
	check("rest", tty_line_ready(&t) && take(100) == 2 && strcmp(got, "o\n") == 0,
	      "wrong rest");
	check("none-left", !tty_line_ready(&t), "still ready");
}

static void test_editing(void)
{
	fresh();
	type("ax\x7f"
	     "b\r");
	check("erase", take(100) == 3 && strcmp(got, "ab\n") == 0, "not erased");
	check("erase-echo", echoed("ax\b \bb\r\n"), "wrong echo");
	fresh();
	type("gone\x15kept\r");
	check("kill", take(100) == 5 && strcmp(got, "kept\n") == 0, "line not killed");
	fresh();
	type("one two  \x17X\r");
	check("word", take(100) == 6 && strcmp(got, "one X\n") == 0, "word not erased");
	fresh();
	type("\x7f\x15\x17\r");
	check("nothing-to-erase", take(100) == 1 && strcmp(got, "\n") == 0, "wrong line");
	fresh();
	type("a\xc3\xa4\x7f\r");
	check("erase-utf8", take(100) == 2 && strcmp(got, "a\n") == 0, "half a character left");
}

static void test_end_of_file(void)
{
	fresh();
	type("\x04");
	check("eof", tty_line_ready(&t) && take(100) == 0 && !tty_line_ready(&t), "no end of file");
	fresh();
	type("ab\x04");
	check("eof-after-text", take(100) == 2 && strcmp(got, "ab") == 0, "text not pushed");
	check("eof-once", !tty_line_ready(&t), "an end of file behind the text");
	fresh();
	type("ab\x04");
	check("eof-exact", take(2) == 2 && !tty_line_ready(&t), "an end of file behind the text");
}

static void test_signals(void)
{
	fresh();
	check("interrupt", type("abc\x03") == SIGINT, "no SIGINT");
	check("interrupt-echo", echoed("abc^C\r\n"), "wrong echo");
	type("d\r");
	check("flushed", take(100) == 2 && strcmp(got, "d\n") == 0, "typing was kept");
	fresh();
	check("quit", type("\x1c") == SIGQUIT, "no SIGQUIT");
	fresh();
	t.lflag &= ~(uint32_t)ISIG;
	check("no-signals", type("\x03\r") == 0 && take(9) == 2 && got[0] == 3, "not a byte");
}

static void test_raw(void)
{
	fresh();
	t.lflag &= ~(uint32_t)(ICANON | ECHO);
	t.iflag &= ~(uint32_t)ICRNL;
	type("a\x7f\r");
	check("raw", tty_line_ready(&t) && take(100) == 3 && strcmp(got, "a\x7f\r") == 0,
	      "bytes were changed");
	check("raw-echo", echo.length == 0, "echoed");
	type("x\ny");
	tty_line_modes(&t, t.lflag | ICANON);
	check("raw-to-line", tty_line_ready(&t) && take(100) == 2 && strcmp(got, "x\n") == 0,
	      "a line typed raw is lost");
	check("raw-part", !tty_line_ready(&t), "half a line is ready");
}

static void set_raw(int on)
{
	tty_line_modes(&t, on ? t.lflag & ~(uint32_t)ICANON : t.lflag | ICANON);
}

/* What was typed ahead of a change of modes is there after it. */
static void test_typed_ahead(void)
{
	char long_line[POSIX_TTY_LINE + 1];

	fresh();
	type("done\rahe");
	set_raw(1);
	check("ahead-line", take(100) == 8 && strcmp(got, "done\nahe") == 0, "lost");
	type("ad");
	set_raw(0);
	check("ahead-no-line", !tty_line_ready(&t), "ready without a line's end");
	type("x\x7f\x7f!\r");
	check("ahead-edited", take(100) == 3 && strcmp(got, "a!\n") == 0, "not edited as a line");
	fresh();
	type("one\rtw");
	set_raw(1);
	set_raw(0);
	type("o\r");
	check("ahead-first", take(100) == 4 && strcmp(got, "one\n") == 0, "the whole line is lost");
	check("ahead-second", take(100) == 4 && strcmp(got, "two\n") == 0, "the begun one is lost");
	/* What the queue has no room for comes when it has. */
	fresh();
	memset(long_line, 'l', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = 0;
	for (int i = 0; i < 3; i++) {
		type(long_line);
		type("\r");
	}
	type(long_line);
	t.tail += POSIX_TTY_QUEUE - (t.tail - t.head) - 10; /* as if it were read slowly */
	set_raw(1);
	check("ahead-full", t.tail - t.head == POSIX_TTY_QUEUE && t.length != 0, "no remains");
	(void)take(POSIX_TTY_QUEUE);
	check("ahead-remains", take(POSIX_TTY_QUEUE) == POSIX_TTY_LINE - 10 && t.length == 0,
	      "the remains are lost");
}

static void test_full(void)
{
	int rung = 0;

	fresh();
	for (int i = 0; i < POSIX_TTY_LINE + 10; i++) {
		echo.length = 0;
		tty_line_input(&t, 'x', &echo);
		rung += echo.length == 1 && echo.bytes[0] == 7;
	}
	check("long-line", rung == 10, "no bell for what does not fit");
	echo.length = 0;
	type("\r");
	check("long-line-kept", take(1000) == POSIX_TTY_LINE + 1, "wrong length");
	for (int i = 0; i < 10; i++) {
		for (int j = 0; j < POSIX_TTY_LINE - 1; j++)
			tty_line_input(&t, 'y', &echo);
		tty_line_input(&t, '\r', &echo);
		if (t.tail - t.head > POSIX_TTY_QUEUE)
			rung = -1;
	}
	check("full-queue", rung == 10 && take(1000) == POSIX_TTY_LINE, "the queue ran over");
}

static void test_output(void)
{
	char out[16];
	size_t used, n;

	fresh();
	n = tty_line_output(&t, "a\nb", 3, &used, out, sizeof(out));
	check("output", n == 4 && used == 3 && memcmp(out, "a\r\nb", 4) == 0, "not converted");
	n = tty_line_output(&t, "a\nb", 3, &used, out, 2);
	check("output-room", n == 1 && used == 1, "half a line end put");
	t.oflag = 0;
	n = tty_line_output(&t, "a\nb", 3, &used, out, sizeof(out));
	check("output-raw", n == 3 && memcmp(out, "a\nb", 3) == 0, "converted");
}

int main(void)
{
	test_line();
	test_two_lines();
	test_editing();
	test_end_of_file();
	test_signals();
	test_raw();
	test_typed_ahead();
	test_full();
	test_output();
	return failures != 0;
}
