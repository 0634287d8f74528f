/*
 * exec.c - another program in the place of this one.
 *
 * The new program is built in an environment of its own, to which this one gives what it has:
 * quotas, CPU slots, rights; then this one ends.  The process's place in the table, with pid,
 * descriptors and working directory, is the new one's from then on.  The kernel sees a child whose
 * parent died, and the process's parent takes the old environment apart (proc_children), by which
 * the new one becomes its child.  Invariant: when exec fails, nothing has changed.  Lock: none is
 * held while the program is read and built.  Called by programs; by the exec functions of newlib.
 */
#define _GNU_SOURCE /* execvpe */
#include "posix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libos/build.h>
#include <libos/call.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/time.h>
#include <libos/wait.h>

extern char **environ;

static const uint64_t STEP_NS = 1000000, PATIENCE_NS = 2000000000;

enum { MOST_GRANTS = 16 };

/* Of each quota, what this environment needs to the end. */
static const uint32_t kept[EXO_NQUOTA] = {
	[EXO_QUOTA_PAGES] = 32,
	[EXO_QUOTA_CAPS] = 4,
	[EXO_QUOTA_ENVS] = 1,
	[EXO_QUOTA_IO] = 2, /* the program is still to be read */
};

static void give_all(struct build_spec *spec)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);

	for (uint32_t kind = 0; kind < EXO_NQUOTA; kind++) {
		const uint32_t limit = tables_quota_limit(self)->n[kind];
		const uint32_t used = tables_quota_used(self)->n[kind] + kept[kind];

		spec->quota[kind] = limit > used ? limit - used : 0;
	}
	spec->extents = start_args()->extents;
	memcpy(spec->extent, start_args()->extent, sizeof(spec->extent));
}

/* All CPU slots but one, by which this environment ends. */
static void give_slots(uint32_t cap)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);
	uint32_t owned = 0;

	for (uint32_t s = 0; s < EXO_NSLOT; s++)
		if (tables_slot(s)->owner == self && owned++)
			(void)call_slot_give(s, cap);
}

/* What an earlier exec left must have been taken apart, since there is one place for it. */
static int await_parent(void)
{
	const uint64_t until = time_now() + PATIENCE_NS;

	while (posix_self->left.eid) {
		if (time_now() > until)
			return -EAGAIN;
		wait_events(0, time_now() + STEP_NS);
	}
	return 0;
}

/* Does not return when the program was started. */
static int replace(struct fs_node *node, const struct posix_launch *l)
{
	struct posix_proc *const p = posix_self;
	struct build_grant grants[MOST_GRANTS];
	struct build_spec spec;
	struct build b;
	char name[sizeof(p->name)];
	int error;

	spawn_inherit(&spec, grants);
	for (uint32_t slot = LAYOUT_CAP_EXTENT; slot < LAYOUT_CAP_FREE; slot++)
		spawn_pass(&spec, grants, slot);
	give_all(&spec);
	spec.argv = l->argv;
	spec.envp = l->envp ? l->envp : environ;
	memcpy(name, p->name, sizeof(name));
	spawn_name(p->name, l->path);
	signal_carry(&p->carried);
	p->left = (struct posix_left){start_self(), p->image};
	p->image = NULL;
	error = spawn_build(p, node, &spec, 1, &b);
	if (error == 0) {
		p->eid = b.eid;
		give_slots(b.cap);
		node_put(node);
		start_exit(0);
	}
	posix_lock();
	image_drop(p->image);
	p->image = p->left.image;
	p->left = (struct posix_left){0, NULL};
	posix_unlock();
	memcpy(p->name, name, sizeof(name));
	return error;
}

static int do_exec(const char *path, char *const argv[], char *const envp[])
{
	struct posix_launch l = {.path = path, .argv = argv, .envp = envp};
	struct posix_script scripts[POSIX_SCRIPTS];
	struct fs_node *node;
	int error = await_parent();

	if (error == 0)
		error = spawn_find(&l, scripts, &node);
	if (error)
		return error;
	error = replace(node, &l);
	node_put(node);
	return error;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	posix_enter();
	return (int)posix_leave(do_exec(path, argv, envp));
}

/* ---- the other spellings ------------------------------------------------------------------- */

int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

/* What is no program of its own is one of the shell's. */
static void try_shell(const char *path, char *const argv[], char *const envp[])
{
	char *shell[POSIX_SCRIPT_ARGS + 3] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t)path};

	for (int i = 1; argv[0] && argv[i]; i++) {
		if (i > POSIX_SCRIPT_ARGS) {
			errno = E2BIG;
			return;
		}
		shell[i + 1] = argv[i];
	}
	execve("/bin/sh", shell, envp);
}

/* One place where the program may be. */
static void try_path(const char *dir, size_t length, const char *file, char *const argv[],
		     char *const envp[])
{
	char path[POSIX_PATH];

	if (length + strlen(file) + 2 > sizeof(path)) {
		errno = ENAMETOOLONG;
		return;
	}
	memcpy(path, dir, length);
	if (length)
		path[length++] = '/';
	strcpy(path + length, file);
	execve(path, argv, envp);
	if (errno == ENOEXEC)
		try_shell(path, argv, envp);
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
	const char *dirs = getenv("PATH");
	int refused = 0;

	if (strchr(file, '/')) {
		try_path("", 0, file, argv, envp);
		return -1;
	}
	if (!dirs)
		dirs = "/bin";
	for (size_t n; *file; dirs += n + 1) {
		n = strcspn(dirs, ":");
		try_path(n ? dirs : ".", n ? n : 1, file, argv, envp);
		refused |= errno == EACCES;
		if ((errno != ENOENT && errno != ENOTDIR && errno != EACCES) || !dirs[n])
			break;
	}
	if (refused)
		errno = EACCES;
	return -1;
}

int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

enum { LIST = 1024 }; /* most arguments of execl() and its like */

/* Collects arguments up to the null pointer; NULL: there are too many. */
static char **collect(char *list[LIST + 1], const char *first, va_list *more)
{
	int n = 0;

	list[0] = (char *)(uintptr_t)first;
	while (list[n] && n < LIST)
		list[++n] = va_arg(*more, char *);
	if (!list[n])
		return list;
	errno = E2BIG;
	return NULL;
}

int execl(const char *path, const char *arg, ...)
{
	char *list[LIST + 1], **argv;
	va_list more;

	va_start(more, arg);
	argv = collect(list, arg, &more);
	va_end(more);
	return argv ? execv(path, argv) : -1;
}

int execlp(const char *file, const char *arg, ...)
{
	char *list[LIST + 1], **argv;
	va_list more;

	va_start(more, arg);
	argv = collect(list, arg, &more);
	va_end(more);
	return argv ? execvp(file, argv) : -1;
}

int execle(const char *path, const char *arg, ...)
{
	char *list[LIST + 1], **argv;
	char *const *envp;
	va_list more;

	va_start(more, arg);
	argv = collect(list, arg, &more);
	envp = va_arg(more, char *const *);
	va_end(more);
	return argv ? execve(path, argv, envp) : -1;
}
