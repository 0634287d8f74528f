/*
 * Redirections: they change a command's map of descriptors, never the shell's own. Whatever was
 * opened for a map is listed in it and closed with it.
 */
#include "sh.h"

#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIPE_HOLDS = 4096 }; /* what a pipe surely takes with nobody reading */

bool io_write(int fd, const char *data, size_t size)
{
	return tool_write(fd, data, size);
}

void io_close(struct io *io)
{
	while (io->count > 0)
		close(io->opened[--io->count]);
}

/* A file with `text` to read, whose name is gone already; -1 with errno set. */
static int open_temporary(const char *text)
{
	static unsigned serial;
	const char *dir = var_get("TMPDIR");
	char path[256];
	int in = -1, out;

	snprintf(path, sizeof(path), "%s/sh.%ld.%u", dir ? dir : "/tmp", (long)getpid(), serial++);
	out = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (out < 0)
		return -1;
	if (io_write(out, text, strlen(text)))
		in = open(path, O_RDONLY);
	close(out);
	unlink(path);
	return in;
}

static int open_text(const char *body)
{
	struct text text = {0};
	int ends[2];

	text_put(&text, body);
	text_add(&text, '\n');
	if (text.length > PIPE_HOLDS)
		return open_temporary(text.at);
	if (pipe(ends) != 0)
		return -1;
	io_write(ends[1], text.at, text.length);
	close(ends[1]);
	return ends[0];
}

static int open_target(enum redir_kind kind, const char *word)
{
	switch (kind) {
	case REDIR_IN:
		return open(word, O_RDONLY);
	case REDIR_OUT:
		return open(word, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	case REDIR_APPEND:
		return open(word, O_WRONLY | O_CREAT | O_APPEND, 0666);
	case REDIR_BOTH:
		return open(word, O_RDWR | O_CREAT, 0666);
	default:
		return open_text(word);
	}
}

static bool apply_dup(struct io *io, int fd, const char *word)
{
	if (!strcmp(word, "-")) {
		io->fd[fd] = -1;
		return true;
	}
	if (!isdigit((unsigned char)word[0]) || word[1] || io->fd[word[0] - '0'] < 0) {
		shell_error("%s: not an open descriptor", word);
		return false;
	}
	io->fd[fd] = io->fd[word[0] - '0'];
	return true;
}

bool io_apply(struct io *io, const struct redir *redirs)
{
	for (; redirs; redirs = redirs->next) {
		const char *word = expand_text(redirs->word);
		int fd;

		if (!word)
			return false;
		if (redirs->kind == REDIR_DUP) {
			if (!apply_dup(io, redirs->fd, word))
				return false;
			continue;
		}
		if (io->count == IO_OPENED) {
			shell_error("too many redirections");
			return false;
		}
		fd = open_target(redirs->kind, word);
		if (fd < 0) {
			shell_error("%s: %s", redirs->kind == REDIR_TEXT ? "here-document" : word,
				    strerror(errno));
			return false;
		}
		io->opened[io->count++] = fd;
		io->fd[redirs->fd] = fd;
	}
	return true;
}
