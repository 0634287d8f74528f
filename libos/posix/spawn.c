/*
 * spawn.c - starting a program as a child process.
 *
 * Owns the policy of shares: a child gets a part of each quota that its parent has not used, no
 * less than a floor but then at most half, so that programs nest deep and pipelines are long; and
 * one CPU slot, for one without would never run: a free one, or one that the parent can spare, else
 * spawn fails.  All of it returns when the child is waited for.  Invariant: a child that could not
 * be started leaves nothing behind.  Lock: see posix_segment.h; none is held while the program is
 * read and built.  Called by programs, popen and system;
 * its parts by fork.c and exec.c.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <libos/build.h>
#include <libos/spawn.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

extern char **environ;

enum {
	MOST_GRANTS = 16,
};

/* Of each quota: the part of what is left, the least, and what the parent keeps for itself. */
static const struct {
	uint32_t part; /* 0: a child gets none */
	uint32_t floor, kept;
} shares[EXO_NQUOTA] = {
	[EXO_QUOTA_PAGES] = {3, 256, 48}, [EXO_QUOTA_SLOTS] = {2, 1, 0},
	[EXO_QUOTA_CAPS] = {4, 16, 2},	  [EXO_QUOTA_ENVS] = {4, 1, 1},
	[EXO_QUOTA_IO] = {3, 2, 1},	  [EXO_QUOTA_DISK] = {3, 1, 1},
	[EXO_QUOTA_GROUPS] = {2, 0, 0},
};

static uint32_t share(uint32_t kind)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);
	const uint32_t limit = tables_quota_limit(self)->n[kind];
	const uint32_t used = tables_quota_used(self)->n[kind] + shares[kind].kept;
	const uint32_t left = limit > used ? limit - used : 0;
	uint32_t n;

	if (shares[kind].part == 0)
		return 0;
	n = left / shares[kind].part;
	if (n < shares[kind].floor)
		n = shares[kind].floor < left / 2 ? shares[kind].floor : (left + 1) / 2;
	return n;
}

/* ---- the file ------------------------------------------------------------------------------ */

struct program {
	struct fs_node *node;
	struct posix_image *image;
};

static int read_at(void *ctx, uint64_t off, void *to, size_t n)
{
	const struct program *program = ctx;
	const int64_t got = node_read(program->node, off, to, n);

	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -ENOEXEC;
}

static uint32_t share_page(void *ctx, uint64_t off)
{
	const struct program *program = ctx;

	return program->image ? image_frame(program->image, program->node, off) : 0;
}

/* The program's inode, held. */
static int open_program(const char *path, struct fs_node **out)
{
	struct walk w;
	int error = walk(NULL, path, 0, &w);

	if (error)
		return error;
	if (w.device || (w.node->attr.mode & FS_IFMT) != FS_IFREG)
		error = -EACCES;
	else
		error = path_permit(w.node, X_OK);
	if (error == 0) {
		*out = w.node;
		w.node = NULL;
	}
	walk_done(&w);
	return error;
}

/* ---- the child ----------------------------------------------------------------------------- */

/* A descriptor of the caller on terminal `tty`, for a child that gets one of its own. */
static int open_terminal(int tty)
{
	return fd_open(
		&(struct posix_file){.type = POSIX_FILE_TTY, .flags = O_RDWR, .tty = (uint16_t)tty},
		1);
}

/* Descriptors on the caller's terminal are on the child's own, if it has one (`tty`, else -1). */
static int give_file(struct posix_proc *p, int to, int fd, int tty)
{
	const struct posix_file *f = fd_file(fd);

	if (fd < 0)
		return 0;
	return fd_give(p, to, tty >= 0 && f && f->type == POSIX_FILE_TTY ? tty : fd);
}

static int give_files(struct posix_proc *p, const struct posix_launch *l)
{
	const int tty = l->tty >= 0 ? open_terminal(l->tty) : -1;
	int error = 0;

	if (l->nfds > POSIX_NFD)
		error = -EINVAL;
	else if (l->tty >= 0 && tty < 0)
		error = tty;
	for (int i = 0; i < l->nfds && error == 0; i++)
		error = give_file(p, i, l->fds[i], tty);
	if (tty >= 0)
		(void)fd_close(tty);
	return error;
}

void spawn_name(char name[16], const char *path)
{
	const char *slash = strrchr(path, '/');

	strncpy(name, slash ? slash + 1 : path, 15);
	name[15] = 0;
}

void spawn_pass(struct build_spec *spec, struct build_grant *grants, uint32_t slot)
{
	const uint32_t self = (uint32_t)(start_self() & 0xffff);

	if (tables_caps(self)->c[slot].kind != EXO_CAP_NONE)
		grants[spec->ngrants++] = (struct build_grant){slot, slot};
}

void spawn_inherit(struct build_spec *spec, struct build_grant *grants)
{
	*spec = (struct build_spec){
		.principal = tables_env((uint32_t)(start_self() & 0xffff))->principal,
		.grants = grants,
	};
	for (uint32_t kind = 0; kind < EXO_NQUOTA; kind++)
		spec->quota[kind] = share(kind);
	spec->slots = 1;
	spawn_pass(spec, grants, LAYOUT_CAP_CONSOLE);
	spawn_pass(spec, grants, LAYOUT_CAP_MACHINE);
	spawn_pass(spec, grants, LAYOUT_CAP_SCREEN);
	spawn_pass(spec, grants, LAYOUT_CAP_TRACE);
}

void spawn_share_segment(struct build_spec *spec, struct build_grant *grants)
{
	spawn_pass(spec, grants, LAYOUT_CAP_SEGMENT);
	spawn_pass(spec, grants, POSIX_CAP_VOLUME);
	spec->segment_frame = posix_seg->first_frame;
	spec->segment_pages = posix_seg->pages;
}

int spawn_build(struct posix_proc *p, struct fs_node *node, struct build_spec *spec, int shared,
		struct build *b)
{
	struct program program = {node, NULL};
	const struct build_source source = {
		.read_at = read_at,
		.share = share_page,
		.ctx = &program,
		.size = node->attr.size,
		.share_cap = LAYOUT_CAP_SEGMENT,
	};
	const uint32_t place = (uint32_t)(p - posix_seg->proc);
	struct build_grant grants[MOST_GRANTS];
	int error;

	if (spec->ngrants + 2 > MOST_GRANTS)
		return -EINVAL;
	if (spec->ngrants)
		memcpy(grants, spec->grants, spec->ngrants * sizeof(grants[0]));
	spec->grants = grants;
	memcpy(spec->name, p->name, sizeof(spec->name));
	if (shared) {
		spawn_share_segment(spec, grants);
		spec->personal = &place;
		spec->personal_size = sizeof(place);
	}
	image_take(p, node);
	program.image = p->image;
	error = build_program(b, spec, &source, NULL);
	/* What POSIX calls it when there is no room for a process now. */
	return error == -EDQUOT ? -EAGAIN : error;
}

void spawn_undo(struct posix_proc *p)
{
	fd_close_all(p);
	posix_lock();
	proc_free(p);
	posix_unlock();
}

static pid_t start(struct fs_node *node, const struct posix_launch *l, struct build_spec *spec)
{
	struct posix_proc *p = proc_new();
	struct build b;
	int error;

	if (!p)
		return -EAGAIN;
	spawn_name(p->name, l->name ? l->name : l->path);
	if (l->pgrp >= 0)
		p->pgrp = l->pgrp ? l->pgrp : p->pid;
	/* A terminal of one's own begins with its first process in the foreground. */
	if (l->tty >= 0) {
		p->tty = (uint32_t)l->tty;
		posix_seg->tty[l->tty].pgrp = p->pgrp;
	}
	p->cwd = l->shared ? posix_self->cwd : NULL;
	if (p->cwd)
		node_ref(p->cwd);
	spec->argv = l->argv;
	spec->envp = l->envp ? l->envp : environ;
	error = give_files(p, l);
	if (error == 0)
		error = spawn_build(p, node, spec, l->shared, &b);
	if (error) {
		spawn_undo(p);
		return error;
	}
	proc_started(p, &b);
	return p->pid;
}

/* ---- scripts ------------------------------------------------------------------------------- */

/* Splits "#! interpreter argument"; 1: it is a script, 0: it is none. */
static int is_script(struct fs_node *node, struct posix_script *s)
{
	int64_t n = node_read(node, 0, s->line, sizeof(s->line) - 1);
	char *rest, *end;

	if (n < 2 || s->line[0] != '#' || s->line[1] != '!')
		return 0;
	s->line[n] = 0;
	end = strchr(s->line, '\n');
	if (!end)
		return 0;
	*end = 0;
	s->argv[0] = strtok_r(s->line + 2, " \t", &rest);
	s->argv[1] = strtok_r(NULL, " \t", &rest);
	return s->argv[0] != NULL;
}

/* The interpreter's arguments: its own, the script's path, the script's. */
static int script_args(struct posix_script *s, const char *path, char *const argv[])
{
	int n = s->argv[1] ? 2 : 1;

	s->argv[n++] = (char *)(uintptr_t)path;
	for (int i = 1; argv[0] && argv[i]; i++) {
		if (i > POSIX_SCRIPT_ARGS - 1)
			return -E2BIG;
		s->argv[n++] = argv[i];
	}
	s->argv[n] = NULL;
	return 0;
}

int spawn_find(struct posix_launch *l, struct posix_script scripts[POSIX_SCRIPTS],
	       struct fs_node **node)
{
	for (int depth = 0; depth < POSIX_SCRIPTS; depth++) {
		struct posix_script *s = &scripts[depth];
		int error = mount_main() ? open_program(l->path, node) : -ENOENT;

		if (error || !is_script(*node, s))
			return error;
		node_put(*node);
		error = script_args(s, l->path, l->argv);
		if (error)
			return error;
		l->path = s->argv[0];
		l->argv = s->argv;
	}
	return -ELOOP;
}

static pid_t run(const struct posix_launch *launch, struct build_spec *spec)
{
	struct posix_script scripts[POSIX_SCRIPTS];
	struct posix_launch l = *launch; /* becomes an interpreter's, with words in scripts[] */
	struct fs_node *node;
	pid_t pid = spawn_find(&l, scripts, &node);

	if (pid)
		return pid;
	pid = start(node, &l, spec);
	node_put(node);
	return pid;
}

pid_t posix_launch(const struct posix_launch *launch, struct build_spec *spec)
{
	struct build_spec full = *spec;

	posix_enter();
	return (pid_t)posix_leave(run(launch, &full));
}

int spawn_group(const char *path, char *const argv[], char *const envp[], const int *fds, int nfds,
		int pgrp)
{
	const struct posix_launch launch = {
		.path = path,
		.argv = argv,
		.envp = envp,
		.fds = fds,
		.nfds = nfds,
		.pgrp = pgrp,
		.tty = -1,
		.shared = 1,
	};
	struct build_grant grants[MOST_GRANTS];
	struct build_spec spec;

	spawn_inherit(&spec, grants);
	return posix_launch(&launch, &spec);
}

int spawn(const char *path, char *const argv[], char *const envp[], const int *fds, int nfds)
{
	return spawn_group(path, argv, envp, fds, nfds, -1);
}
