/*
 * The line editor: a line longer than the screen scrolls sideways, so one row is enough on any
 * terminal. Owns the history (heap) and, while a line is read, the terminal's mode. Cursor
 * positions are bytes; columns are counted in UTF-8 characters.
 */
#include "sh.h"

#include "tool.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define KEY_CTRL(letter) ((letter)&31)

enum { HISTORY = 200, LINE = 4000, LISTED = 100 };

enum key {
	KEY_UP = 256,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
	KEY_NONE,
	KEY_EOF,
};

struct editor {
	const char *prompt;
	char line[LINE + 1];
	size_t length, cursor, screen;
	int shown;   /* history line shown; history_count for the new one */
	char *fresh; /* the new line, kept while looking through history */
};

static char *history[HISTORY];
static int history_count;

const char *edit_history(int i)
{
	return i < history_count ? history[i] : NULL;
}

static void remember(const char *line)
{
	if (!*line || (history_count && !strcmp(history[history_count - 1], line)))
		return;
	if (history_count == HISTORY) {
		free(history[0]);
		memmove(history, history + 1, (HISTORY - 1) * sizeof(*history));
		history_count--;
	}
	history[history_count++] = tool_copy(line);
}

static void put(const char *text)
{
	io_write(1, text, strlen(text));
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t columns(const char *text, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++)
		n += !continues(text[i]);
	return n;
}

/* Draw the part of the line around the cursor. */
static void draw(const struct editor *e)
{
	const size_t taken = columns(e->prompt, strlen(e->prompt));
	const size_t room = e->screen > taken + 10 ? e->screen - taken - 1 : 10;
	size_t start = 0, end, column;
	struct text out = {0};
	char move[24];

	while (columns(e->line + start, e->cursor - start) >= room)
		start++;
	while (start < e->length && continues(e->line[start]))
		start++;
	end = e->length;
	while (end > start && columns(e->line + start, end - start) > room)
		end--;
	text_put(&out, "\r");
	text_put(&out, e->prompt);
	for (size_t i = start; i < end; i++)
		text_add(&out, e->line[i]);
	text_put(&out, "\033[K\r");
	column = taken + columns(e->line + start, e->cursor - start);
	snprintf(move, sizeof(move), "\033[%luC", (unsigned long)column);
	if (column) /* moving by 0 would move by 1 */
		text_put(&out, move);
	io_write(1, out.at, out.length);
}

static int read_byte(void)
{
	unsigned char c;
	ssize_t n;

	do
		n = read(0, &c, 1);
	while (n < 0 && errno == EINTR && !shell.interrupted);
	return n == 1 ? c : KEY_EOF;
}

/* The rest of an escape sequence: ESC [ or ESC O, digits, a letter or ~. */
static int read_escape(void)
{
	static const char letters[] = "ABDCHF", numbers[] = "1478";
	static const enum key by_number[] = {KEY_HOME, KEY_END, KEY_HOME, KEY_END};
	const char *known;
	int c = read_byte(), number = 0;

	if (c != '[' && c != 'O')
		return KEY_NONE;
	while ((c = read_byte()) < 256 && (isdigit(c) || c == ';'))
		number = c == ';' ? number : (number * 10 + c - '0') % 1000;
	known = c < 256 && c ? strchr(letters, c) : NULL;
	if (known)
		return KEY_UP + (int)(known - letters);
	if (c != '~')
		return KEY_NONE;
	if (number == 3)
		return KEY_DELETE;
	known = number > 0 && number < 10 ? strchr(numbers, '0' + number) : NULL;
	return known ? (int)by_number[known - numbers] : KEY_NONE;
}

static int read_key(void)
{
	const int c = read_byte();

	return c == 27 ? read_escape() : c;
}

static void insert(struct editor *e, const char *text, size_t length)
{
	if (e->length + length > LINE)
		return;
	memmove(e->line + e->cursor + length, e->line + e->cursor, e->length - e->cursor);
	memcpy(e->line + e->cursor, text, length);
	e->length += length;
	e->cursor += length;
	e->line[e->length] = 0;
}

/* Remove what is from `from` to `to`; the cursor goes there. */
static void erase(struct editor *e, size_t from, size_t to)
{
	memmove(e->line + from, e->line + to, e->length - to);
	e->length -= to - from;
	e->line[e->length] = 0;
	e->cursor = from;
}

static size_t left_of(const struct editor *e)
{
	size_t at = e->cursor;

	while (at > 0 && continues(e->line[--at]))
		;
	return at;
}

static size_t right_of(const struct editor *e)
{
	size_t at = e->cursor + (e->cursor < e->length);

	while (at < e->length && continues(e->line[at]))
		at++;
	return at;
}

static size_t word_start(const struct editor *e)
{
	size_t at = e->cursor;

	while (at > 0 && e->line[at - 1] == ' ')
		at--;
	while (at > 0 && e->line[at - 1] != ' ')
		at--;
	return at;
}

static void show_history(struct editor *e, int step)
{
	const int wanted = e->shown + step;
	const char *line;

	if (wanted < 0 || wanted > history_count)
		return;
	if (e->shown == history_count) {
		free(e->fresh);
		e->fresh = tool_copy(e->line);
	}
	e->shown = wanted;
	line = wanted == history_count ? e->fresh : history[wanted];
	if (!line)
		return;
	e->length = e->cursor = 0;
	insert(e, line, strlen(line) > LINE ? LINE : strlen(line));
}

/* Candidates for completion: their common beginning, and their number. */
struct matches {
	const char *prefix;
	char common[256];
	int count;
	bool list; /* print them while they are found */
};

static void match(struct matches *m, const char *name, const char *after)
{
	char whole[300];
	size_t same = 0;

	if (strncmp(name, m->prefix, strlen(m->prefix)) != 0 || (*name == '.' && *m->prefix != '.'))
		return;
	snprintf(whole, sizeof(whole), "%.255s%s", name, after);
	if (m->list && m->count < LISTED) {
		put(m->count ? "  " : "\r\n");
		put(whole);
	}
	if (m->count++ == 0)
		snprintf(m->common, sizeof(m->common), "%.255s", whole);
	while (m->common[same] && m->common[same] == whole[same])
		same++;
	m->common[same] = 0;
}

static void match_files(struct matches *m, const char *dir)
{
	struct tool_names names;

	if (!tool_names_read(*dir ? dir : ".", &names))
		return;
	for (size_t i = 0; i < names.count; i++) {
		char *path = tool_join(*dir ? dir : ".", names.at[i]);
		struct stat st;

		match(m, names.at[i], stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? "/" : " ");
		free(path);
	}
	tool_names_free(&names);
}

static void match_commands(struct matches *m)
{
	const char *dirs = var_get("PATH") ? var_get("PATH") : "/bin", *name;

	for (int i = 0; (name = builtin_name(i)); i++)
		match(m, name, " ");
	for (;;) {
		const size_t length = strcspn(dirs, ":");

		match_files(m, mem_text(dirs, length));
		if (!dirs[length])
			return;
		dirs += length + 1;
	}
}

static void find_matches(struct matches *m, const char *word, bool command)
{
	const char *slash = strrchr(word, '/');

	m->prefix = slash ? slash + 1 : word;
	if (slash)
		match_files(m, mem_text(word, (size_t)(slash - word) + 1));
	else if (command)
		match_commands(m);
	else
		match_files(m, "");
}

/* Complete the word before the cursor; list the candidates when that adds nothing. */
static void complete(struct editor *e)
{
	const size_t start = word_start(e) < e->cursor && e->line[e->cursor - 1] != ' '
				     ? word_start(e)
				     : e->cursor;
	const char *word = mem_text(e->line + start, e->cursor - start);
	const bool command = strspn(e->line, " ") >= start;
	struct matches m = {0}, again = {.list = true};
	size_t have;

	find_matches(&m, word, command);
	have = strlen(m.prefix);
	if (m.count && strlen(m.common) > have) {
		insert(e, m.common + have, strlen(m.common) - have);
	} else if (m.count > 1) {
		find_matches(&again, word, command);
		put("\r\n");
	}
}

/* Act on a key that changes the line or moves in it. */
static void act(struct editor *e, int key)
{
	const char c = (char)key;

	switch (key) {
	case KEY_CTRL('A'):
	case KEY_HOME:
		e->cursor = 0;
		break;
	case KEY_CTRL('E'):
	case KEY_END:
		e->cursor = e->length;
		break;
	case KEY_CTRL('B'):
	case KEY_LEFT:
		e->cursor = left_of(e);
		break;
	case KEY_CTRL('F'):
	case KEY_RIGHT:
		e->cursor = right_of(e);
		break;
	case KEY_CTRL('H'):
	case 127:
		erase(e, left_of(e), e->cursor);
		break;
	case KEY_CTRL('D'):
	case KEY_DELETE:
		erase(e, e->cursor, right_of(e));
		break;
	case KEY_CTRL('K'):
		erase(e, e->cursor, e->length);
		break;
	case KEY_CTRL('U'):
		erase(e, 0, e->cursor);
		break;
	case KEY_CTRL('W'):
		erase(e, word_start(e), e->cursor);
		break;
	case KEY_CTRL('L'):
		put("\033[H\033[2J");
		break;
	case KEY_CTRL('P'):
	case KEY_UP:
		show_history(e, -1);
		break;
	case KEY_CTRL('N'):
	case KEY_DOWN:
		show_history(e, 1);
		break;
	case KEY_CTRL('I'):
		complete(e);
		break;
	default:
		if (key >= ' ' && key < 256)
			insert(e, &c, 1);
	}
}

/* Edit until the line ends. Its length with newline, 0 at the end of input, -1 interrupted. */
static int edit(struct editor *e, struct text *line)
{
	for (;;) {
		void *mark = mem_mark();
		int key;

		draw(e);
		mem_release(mark);
		key = read_key();
		if (key == '\r' || key == '\n') {
			put("\r\n");
			remember(e->line);
			text_put(line, e->line);
			text_add(line, '\n');
			return (int)line->length;
		}
		if (key == KEY_CTRL('C') || shell.interrupted) {
			put("^C\r\n");
			return -1;
		}
		if (key == KEY_EOF || (key == KEY_CTRL('D') && e->length == 0)) {
			put("\r\n");
			return 0;
		}
		act(e, key);
		mem_release(mark);
	}
}

int edit_line(const char *prompt, struct text *line)
{
	const char *set = getenv("COLUMNS");
	struct editor *e = tool_alloc(sizeof(*e));
	struct termios cooked, raw;
	const bool terminal = tcgetattr(0, &cooked) == 0;
	int result;

	*e = (struct editor){.prompt = prompt, .shown = history_count};
	e->screen = set && atoi(set) > 20 ? (size_t)atoi(set) : 80;
	fflush(stdout);
	if (terminal) {
		raw = cooked;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
		raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(0, TCSADRAIN, &raw);
	}
	result = edit(e, line);
	if (terminal)
		tcsetattr(0, TCSADRAIN, &cooked);
	free(e->fresh);
	free(e);
	return result;
}
