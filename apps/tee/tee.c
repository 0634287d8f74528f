/*
 * tee [-a] [FILE...]: copy stdin to stdout and to each file; -a appends. One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char buffer[TOOL_BUFFER];
	int flags = O_WRONLY | O_CREAT | O_TRUNC, status = TOOL_OK, *fds;
	ssize_t n;

	tool_init(argv);
	while (tool_option(argc, argv, "a", "tee [-a] [FILE...]") != -1)
		flags = O_WRONLY | O_CREAT | O_APPEND;
	argv += optind - 1;
	argc -= optind - 1;
	fds = tool_alloc((size_t)argc * sizeof(*fds));
	fds[0] = 1;
	for (int i = 1; i < argc; i++) {
		fds[i] = open(argv[i], flags, 0666);
		if (fds[i] < 0)
			status = tool_warn_errno(argv[i]);
	}
	while ((n = read(0, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR)) {
		for (int i = 0; i < argc && n > 0; i++) {
			if (fds[i] < 0 || tool_write(fds[i], buffer, (size_t)n))
				continue;
			status = tool_warn_errno(i ? argv[i] : "stdout");
			fds[i] = -1;
		}
	}
	if (n < 0)
		status = tool_warn_errno("stdin");
	for (int i = 1; i < argc; i++)
		if (fds[i] >= 0 && close(fds[i]) != 0)
			status = tool_warn_errno(argv[i]);
	return status;
}
