/*
 * dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc]: copy blocks of bs
 * bytes; skip and seek count blocks of input and output. One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *from, *to;
	unsigned long long block, count, skip, seek;
	bool keep;
} opt = {.block = 512, .count = ~0ULL};

static void take(const char *word)
{
	const char *value = strchr(word, '=');

	if (!value)
		tool_die(TOOL_USAGE, "%s: expected NAME=VALUE", word);
	value++;
	if (!strncmp(word, "if=", 3))
		opt.from = value;
	else if (!strncmp(word, "of=", 3))
		opt.to = value;
	else if (!strncmp(word, "bs=", 3))
		opt.block = tool_number(value);
	else if (!strncmp(word, "count=", 6))
		opt.count = tool_number(value);
	else if (!strncmp(word, "skip=", 5))
		opt.skip = tool_number(value);
	else if (!strncmp(word, "seek=", 5))
		opt.seek = tool_number(value);
	else if (!strcmp(word, "conv=notrunc"))
		opt.keep = true;
	else
		tool_die(TOOL_USAGE, "%s: unknown operand", word);
}

/* One block, as full as the input allows: pipes give less at a time. */
static ssize_t read_block(int fd, char *buffer)
{
	size_t have = 0;

	while (have < opt.block) {
		const ssize_t n = read(fd, buffer + have, opt.block - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static bool skip_input(int in, char *buffer)
{
	if (lseek(in, (off_t)(opt.skip * opt.block), SEEK_CUR) >= 0)
		return true;
	for (unsigned long long i = 0; i < opt.skip; i++)
		if (read_block(in, buffer) < 0)
			return false;
	return true;
}

static int copy(int in, int out)
{
	char *buffer = tool_alloc(opt.block);
	unsigned long long whole = 0, partial = 0, bytes = 0;
	int status = TOOL_OK;
	ssize_t n = 0;

	if (opt.skip && !skip_input(in, buffer))
		status = tool_warn_errno("skip");
	if (opt.seek && lseek(out, (off_t)(opt.seek * opt.block), SEEK_SET) < 0)
		status = tool_warn_errno("seek");
	while (!status && whole + partial < opt.count && (n = read_block(in, buffer)) > 0) {
		if (!tool_write(out, buffer, (size_t)n))
			status = tool_warn_errno(opt.to ? opt.to : "stdout");
		*((unsigned long long)n == opt.block ? &whole : &partial) += 1;
		bytes += (unsigned long long)n;
	}
	if (n < 0)
		status = tool_warn_errno(opt.from ? opt.from : "stdin");
	free(buffer);
	fprintf(stderr, "%llu+%llu blocks, %llu bytes\n", whole, partial, bytes);
	return status;
}

int main(int argc, char **argv)
{
	int in = 0, out = 1, status;

	tool_init(argv);
	for (int i = 1; i < argc; i++)
		take(argv[i]);
	if (opt.block == 0 || opt.block > 1 << 30 || opt.skip > ~0ULL / 2 / opt.block ||
	    opt.seek > ~0ULL / 2 / opt.block)
		tool_die(TOOL_USAGE, "a number is out of range");
	if (opt.from && (in = open(opt.from, O_RDONLY)) < 0)
		return tool_warn_errno(opt.from);
	if (opt.to) {
		const int flags = O_WRONLY | O_CREAT | (opt.keep || opt.seek ? 0 : O_TRUNC);

		out = open(opt.to, flags, 0666);
		if (out < 0)
			return tool_warn_errno(opt.to);
	}
	status = copy(in, out);
	if (opt.to && close(out) != 0)
		status = tool_warn_errno(opt.to);
	return status;
}
