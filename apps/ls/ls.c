/*
 * ls [-la1RhidtrA] [FILE...]: list files and directories, sorted; in columns on a terminal.
 * Owners are shown as numbers. One process, no lock.
 */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct entry {
	char *name; /* shown */
	char *path; /* to ask about */
	struct stat st;
};

struct entries {
	struct entry *at;
	size_t count, room;
};

static const char usage[] = "ls [-la1ARhidtr] [FILE...]";
static struct {
	bool all, most, by_line, plain, recursive, human, inode, dirs_too, by_time, reverse;
} opt;
static int status;
static bool printed; /* something was: an empty line goes before the next title */

static int list(const char *path, bool title);

/* Add `name`; takes over both strings. A failure is reported and nothing added. */
static void add(struct entries *list, char *name, char *path, bool follow)
{
	struct entry entry = {.name = name, .path = path};

	if ((!follow || stat(path, &entry.st) != 0) && lstat(path, &entry.st) != 0) {
		tool_warn_errno(path);
		status = TOOL_FAIL;
		free(name);
		free(path);
		return;
	}
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 32;
		list->at = tool_grow(list->at, list->room * sizeof(*list->at));
	}
	list->at[list->count++] = entry;
}

static void discard(struct entries *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->at[i].name);
		free(list->at[i].path);
	}
	free(list->at);
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = 0;

	if (opt.by_time)
		order = (a->st.st_mtime < b->st.st_mtime) - (a->st.st_mtime > b->st.st_mtime);
	if (order == 0)
		order = strcmp(a->name, b->name);
	return opt.reverse ? -order : order;
}

static char type_letter(mode_t mode)
{
	return S_ISDIR(mode)	? 'd'
	       : S_ISLNK(mode)	? 'l'
	       : S_ISCHR(mode)	? 'c'
	       : S_ISBLK(mode)	? 'b'
	       : S_ISFIFO(mode) ? 'p'
	       : S_ISSOCK(mode) ? 's'
				: '-';
}

static void show_mode(mode_t mode)
{
	static const char letters[] = "rwxrwxrwx";
	char text[11] = {type_letter(mode)};

	for (int i = 0; i < 9; i++)
		text[i + 1] = mode & (0400u >> i) ? letters[i] : '-';
	if (mode & S_ISUID)
		text[3] = mode & 0100 ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & 010 ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & 01 ? 't' : 'T';
	fputs(text, stdout);
}

static void show_time(time_t when)
{
	const time_t now = time(NULL), half_year = 15778476;
	const struct tm *parts = localtime(&when);
	char text[32] = "?";

	if (parts)
		strftime(text, sizeof(text),
			 when > now || now - when > half_year ? "%b %e  %Y" : "%b %e %H:%M", parts);
	printf(" %s ", text);
}

static void show_target(const char *path)
{
	char target[4096];
	const ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n >= 0)
		printf(" -> %.*s", (int)n, target);
}

static void show_long(const struct entry *entry, int links, int sizes)
{
	char human[24];

	if (opt.inode)
		printf("%7llu ", (unsigned long long)entry->st.st_ino);
	show_mode(entry->st.st_mode);
	printf(" %*lu %u %u ", links, (unsigned long)entry->st.st_nlink, (unsigned)entry->st.st_uid,
	       (unsigned)entry->st.st_gid);
	if (opt.human)
		printf("%*s", sizes, tool_human((unsigned long long)entry->st.st_size, human));
	else
		printf("%*lld", sizes, (long long)entry->st.st_size);
	show_time(entry->st.st_mtime);
	fputs(entry->name, stdout);
	if (S_ISLNK(entry->st.st_mode))
		show_target(entry->path);
	putchar('\n');
}

static void show_all_long(const struct entries *list)
{
	char text[32], human[24];
	int links = 1, sizes = 1;

	for (size_t i = 0; i < list->count; i++) {
		const struct stat *st = &list->at[i].st;
		int n = snprintf(text, sizeof(text), "%lu", (unsigned long)st->st_nlink);

		links = n > links ? n : links;
		n = opt.human ? (int)strlen(tool_human((unsigned long long)st->st_size, human))
			      : snprintf(text, sizeof(text), "%lld", (long long)st->st_size);
		sizes = n > sizes ? n : sizes;
	}
	for (size_t i = 0; i < list->count; i++)
		show_long(&list->at[i], links, sizes);
}

/* Characters shown: bytes that do not continue a UTF-8 sequence. */
static size_t width_of(const char *name)
{
	size_t width = 0;

	for (; *name; name++)
		width += ((unsigned char)*name & 0xc0) != 0x80;
	return width;
}

static void show_columns(const struct entries *list)
{
	const char *set = getenv("COLUMNS");
	size_t screen = set && atoi(set) > 0 ? (size_t)atoi(set) : 80, widest = 1, columns, rows;

	for (size_t i = 0; i < list->count; i++) {
		const size_t width = width_of(list->at[i].name);

		widest = width > widest ? width : widest;
	}
	columns = screen / (widest + 2);
	columns = columns ? columns : 1;
	rows = (list->count + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < list->count; i += rows) {
			const char *name = list->at[i].name;
			const size_t pad = i + rows < list->count ? widest + 2 - width_of(name) : 0;

			printf("%s%*s", name, (int)pad, "");
		}
		putchar('\n');
	}
}

static void show(struct entries *list)
{
	if (list->count == 0)
		return;
	printed = true;
	qsort(list->at, list->count, sizeof(*list->at), compare);
	if (opt.by_line) {
		show_all_long(list);
	} else if (!opt.plain && !opt.inode && isatty(1)) {
		show_columns(list);
	} else {
		for (size_t i = 0; i < list->count; i++) {
			if (opt.inode)
				printf("%7llu ", (unsigned long long)list->at[i].st.st_ino);
			puts(list->at[i].name);
		}
	}
}

static void recurse(const struct entries *list_of)
{
	for (size_t i = 0; i < list_of->count; i++) {
		const struct entry *entry = &list_of->at[i];

		if (S_ISDIR(entry->st.st_mode) && strcmp(entry->name, ".") != 0 &&
		    strcmp(entry->name, "..") != 0)
			status |= list(entry->path, true);
	}
}

static int list(const char *path, bool title)
{
	struct entries entries = {0};
	struct tool_names names;

	if (!tool_names_read(path, &names))
		return tool_warn_errno(path);
	if (title)
		printf("%s%s:\n", printed ? "\n" : "", path);
	printed = true;
	if (opt.all) {
		add(&entries, tool_copy("."), tool_copy(path), true);
		add(&entries, tool_copy(".."), tool_join(path, ".."), true);
	}
	for (size_t i = 0; i < names.count; i++)
		if (names.at[i][0] != '.' || opt.all || opt.most)
			add(&entries, tool_copy(names.at[i]), tool_join(path, names.at[i]), false);
	tool_names_free(&names);
	show(&entries);
	if (opt.recursive)
		recurse(&entries);
	discard(&entries);
	return TOOL_OK;
}

/* List what the command line names: files together first, then each directory. */
static void list_operands(char **paths, bool titles)
{
	struct entries files = {0}, dirs = {0};

	for (; *paths; paths++) {
		struct stat st;
		const bool follow = !opt.by_line && !opt.dirs_too;
		const bool dir = (follow ? stat(*paths, &st) : lstat(*paths, &st)) == 0 &&
				 S_ISDIR(st.st_mode) && !opt.dirs_too;

		add(dir ? &dirs : &files, tool_copy(*paths), tool_copy(*paths), follow);
	}
	show(&files);
	if (dirs.count)
		qsort(dirs.at, dirs.count, sizeof(*dirs.at), compare);
	for (size_t i = 0; i < dirs.count; i++)
		status |= list(dirs.at[i].path, titles);
	discard(&files);
	discard(&dirs);
}

static void set_option(int c)
{
	opt.by_line |= c == 'l';
	opt.all |= c == 'a';
	opt.most |= c == 'A';
	opt.plain |= c == '1';
	opt.recursive |= c == 'R';
	opt.human |= c == 'h';
	opt.inode |= c == 'i';
	opt.dirs_too |= c == 'd';
	opt.by_time |= c == 't';
	opt.reverse |= c == 'r';
}

int main(int argc, char **argv)
{
	static char dot[] = ".", *here[] = {dot, NULL};
	int c;

	tool_init(argv);
	while ((c = tool_option(argc, argv, "la1ARhidtr", usage)) != -1)
		set_option(c);
	list_operands(optind < argc ? argv + optind : here, argc - optind > 1 || opt.recursive);
	return tool_done(status);
}
