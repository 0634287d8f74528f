/*
 * stat [-L] FILE...: print what is known of files; -L follows links. One process, no lock.
 */
#include "tool.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *type_name(mode_t mode)
{
	return S_ISREG(mode)	? "file"
	       : S_ISDIR(mode)	? "directory"
	       : S_ISLNK(mode)	? "symbolic link"
	       : S_ISCHR(mode)	? "character device"
	       : S_ISBLK(mode)	? "block device"
	       : S_ISFIFO(mode) ? "pipe"
				: "unknown";
}

static void show_time(const char *what, time_t when)
{
	const struct tm *parts = gmtime(&when);
	char text[64] = "?";

	if (parts)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", parts);
	printf("%s %s\n", what, text);
}

static int show(const char *path, bool follow)
{
	struct stat st;

	if ((follow ? stat(path, &st) : lstat(path, &st)) != 0)
		return tool_warn_errno(path);
	printf("  File: %s\n  Type: %s\n  Size: %lld\nBlocks: %lld of 512\n", path,
	       type_name(st.st_mode), (long long)st.st_size, (long long)st.st_blocks);
	printf("Device: %llu\n Inode: %llu\n Links: %lu\n", (unsigned long long)st.st_dev,
	       (unsigned long long)st.st_ino, (unsigned long)st.st_nlink);
	printf("  Mode: %04o\n Owner: %u %u\n", (unsigned)(st.st_mode & 07777), (unsigned)st.st_uid,
	       (unsigned)st.st_gid);
	show_time("Access:", st.st_atime);
	show_time("Modify:", st.st_mtime);
	show_time("Change:", st.st_ctime);
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	bool follow = false;
	int status = TOOL_OK;

	tool_init(argv);
	while (tool_option(argc, argv, "L", "stat [-L] FILE...") != -1)
		follow = true;
	if (optind == argc)
		tool_usage("stat [-L] FILE...");
	for (argv += optind; *argv; argv++)
		status |= show(*argv, follow);
	return tool_done(status);
}
