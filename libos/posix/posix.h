/*
 * posix.h - what the files of the POSIX layer share: this process, entering and leaving, errors.
 *
 * Owns: the pointers to this process's place in the segment.  Every function that programs call
 * begins with posix_enter() and ends with posix_leave(): between them no signal runs, so the layer
 * is never interrupted by itself.  Functions inside return negative errnos; posix_leave() turns
 * them into -1 and errno and runs the signals that came meanwhile.  Text is made by sniprintf:
 * snprintf would bring 45 KB of floating point into every program.
 * Called by libos/posix only.
 */
#ifndef POSIX_POSIX_H
#define POSIX_POSIX_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <libos/fs.h>
#include <libos/posix_segment.h>
#include <libos/upcall.h>
#include "reach.h"

/* ---- this process (process.c, segment.c) -------------------------------------------------- */

struct build;

extern struct posix_segment *posix_seg; /* NULL: init before it made one */
extern struct posix_proc *posix_self;

/* The root of all paths; NULL: nothing is mounted. */
static inline struct fs_node *mount_main(void)
{
	return posix_seg->mount[0].root;
}

extern uint64_t signal_blocked;		      /* the mask (signal.c) */
extern uint64_t signal_alarm_at;	      /* when alarm() rings: ns since boot; 0: never */
extern const volatile uint64_t *posix_events; /* the kernel's word of this program's events */

/* What comes as an upcall. */
#define POSIX_UPCALLS (POSIX_EV_SIGNAL | EXO_EV_CHILD | EXO_EV_CONSOLE_IN)

/* Sleeps for good when somebody else halts the machine. */
void posix_stop_if_halting(void);

static inline void posix_enter(void)
{
	upcall_defer();
	if (posix_seg && posix_seg->halting)
		posix_stop_if_halting();
}

/* Where the caller ends if it is a thread that was cancelled. */
void posix_cancel_point(void);

/* Into what POSIX has as a cancellation point, whether it will wait or not. */
static inline void posix_enter_point(void)
{
	posix_cancel_point();
	posix_enter();
}

/* Events and signals that came meanwhile. */
void posix_catch_up(void);

static inline long posix_leave(long result)
{
	volatile struct exo_upcall_head *head = (volatile struct exo_upcall_head *)LAYOUT_UPCALL;

	if (result < 0)
		errno = (int)-result;
	__asm__ volatile("" ::: "memory");
	head->defer--;
	if (posix_self && ((*posix_events & POSIX_UPCALLS) || signal_alarm_at ||
			   (posix_self->pending & ~signal_blocked)))
		posix_catch_up();
	return result < 0 ? -1 : result;
}

/* The segment's lock.  Taking it repairs what a dead process left half done. */
void posix_lock(void);
void posix_unlock(void);

/*
 * Sleeps until an event of `mask`, a signal or `deadline` (ns since boot; 0: none).  0, -EINTR when
 * a signal is to be handled, -ETIMEDOUT.  Handlers that restart calls (SA_RESTART) run here, and 0
 * is returned, unless POSIX_EV_SIGNAL is in `mask`.  No lock may be held.  Looks after children and
 * typed ^C meanwhile.
 */
int posix_wait(uint64_t mask, uint64_t deadline);

/* The same for who has something to undo first: a thread that is cancelled comes back, and has
 * posix_cancel_point() to call. */
int posix_wait_uncancelled(uint64_t mask, uint64_t deadline);

/* Posts POSIX_EV_WAKE to `eid`, if it is not 0. */
void posix_wake(uint64_t eid);

/* Around fork: no sibling is in the midst of newlib; in the copy none has a stream
 * (pthread_newlib.c). */
void newlib_hold(void);
void newlib_let_go(void);
void newlib_copied(void);

/* A time of 0 or more in ns; 292 years if it is more (clock.c). */
uint64_t posix_ns(const struct timespec *t);

/* ---- memory of the caller (user.c) -------------------------------------------------------- */

/* 0 if [p, p+n) is the program's and allows `perm` (VM_READ, VM_WRITE), else -EFAULT. */
int user_check(const void *p, size_t n, unsigned perm);

/* Length of a path; -EFAULT, -ENOENT when it is empty, -ENAMETOOLONG. */
long user_path(const char *path);

/* ---- processes (process.c) ---------------------------------------------------------------- */

/* A new process with the caller as its parent, RUNNING; NULL when the table is full. */
struct posix_proc *proc_new(void);

/* Forgets it; posix_lock is held. */
void proc_free(struct posix_proc *p);

/* The living process `pid`, or NULL. */
struct posix_proc *proc_find(int32_t pid);

/*
 * Takes apart children that ended: their status waits for waitpid.  Called on EXO_EV_CHILD.
 * 1: one cannot be taken apart yet, try again soon.
 */
int proc_children(void);

/* Ends this process as if by signal `sig`. */
_Noreturn void proc_die(int sig);

/*
 * p runs in the environment `b`, which may by now have replaced itself by another (exec): then that
 * one stands in the table already, and stays.
 */
void proc_started(struct posix_proc *p, const struct build *b);

/* fork: the caller is the copy, whose place in the table is `self`. */
void proc_copied(struct posix_proc *self);

/* Called by fork() around it all; afterwards in both. */
void fork_before(void);
void fork_after(int in_child);

/* ---- starting programs (spawn.c) ---------------------------------------------------------- */

enum { POSIX_SCRIPTS = 4, POSIX_SCRIPT_ARGS = 64, POSIX_SCRIPT_LINE = 256 };

struct build_grant;

/* A script's first line, and the arguments of the interpreter that it names. */
struct posix_script {
	char line[POSIX_SCRIPT_LINE];
	char *argv[POSIX_SCRIPT_ARGS + 3];
};

/*
 * The program that l->path leads to, held: the file itself, or the interpreter of a script, for
 * which path and argv of `l` change, and scripts[] must be kept as long.  0 or a negative errno.
 */
int spawn_find(struct posix_launch *l, struct posix_script scripts[POSIX_SCRIPTS],
	       struct fs_node **node);

/* What a child is to have: shares of the quotas, one CPU slot, the rights of every process. */
void spawn_inherit(struct build_spec *spec, struct build_grant *grants);

/* Adds the capability in `slot`, if there is one, to what the child gets, in the same slot. */
void spawn_pass(struct build_spec *spec, struct build_grant *grants, uint32_t slot);

/* The child joins the segment and uses its file system. */
void spawn_share_segment(struct build_spec *spec, struct build_grant *grants);

/* The last part of a path, as a process is called. */
void spawn_name(char name[16], const char *path);

/*
 * Builds and starts the program for place p; `spec` says what the caller decided (grants: at most
 * 14), the segment is added here if `shared`.  p has the image afterwards, whatever comes of it.
 */
int spawn_build(struct posix_proc *p, struct fs_node *node, struct build_spec *spec, int shared,
		struct build *b);

/* Gives back the place of a process that could not be started, and what it was given. */
void spawn_undo(struct posix_proc *p);

/* ---- descriptors (descriptor.c) ----------------------------------------------------------- */

/* The open file of descriptor fd, or NULL. */
struct posix_file *fd_file(int fd);

/* As fd_file, and the file must be open for reading (or writing): -EBADF. */
int fd_readable(int fd, struct posix_file **out);
int fd_writable(int fd, struct posix_file **out);

/* The lowest free descriptor for a new open file like `like`; -EMFILE, -ENFILE.  A reference of
 * like->node is the file's when it succeeds. */
int fd_open(const struct posix_file *like, int cloexec);

/* A new open file with one reference to come, or NULL when the table is full. */
struct posix_file *file_new(enum posix_file_type type, uint32_t flags);

/* Gives up a file of file_new() that no descriptor names. */
void file_drop(struct posix_file *f);

/* The lowest free descriptor >= low for f, or -EMFILE; f is dropped then. */
int fd_install(struct posix_file *f, int low, int cloexec);

int fd_close(int fd);

/* Gives p the file of descriptor fd of the caller as its descriptor `to`. */
int fd_give(struct posix_proc *p, int to, int fd);

/* fork: p, new, gets all descriptors of the caller and its working directory. */
void fd_give_all(struct posix_proc *p);

/* Closes what exec leaves open for nobody. */
void fd_close_marked(void);

/* Closes everything of p; also of one that is dead. */
void fd_close_all(struct posix_proc *p);

/* Finishes what the dead environment `eid` was closing. */
void file_finish(uint64_t eid);

/* Counts the references again; posix_lock is held. */
void file_recount(void);

/* Whether a descriptor writes to n; posix_lock is held. */
int file_written(const struct fs_node *n);

/* ---- record locks (record_lock.c) ---------------------------------------------------------- */

struct flock;

/* F_GETLK, F_SETLK, F_SETLKW. */
int record_control(int fd, int command, struct flock *l);

/* p closes a descriptor of that file (NULL: of none): its locks there go; posix_lock is held. */
void record_closed(const struct posix_proc *p, const struct fs_node *node);

/* ---- images of programs (image.c) --------------------------------------------------------- */

/* The image of a program's inode, with a reference for p; without room p gets none. */
void image_take(struct posix_proc *p, struct fs_node *n);

/* fork: p, new, runs the same image as the caller. */
void image_share(struct posix_proc *p);

/* Lets go of an image that a process had (NULL: none); posix_lock is held. */
void image_drop(struct posix_image *image);

/* The frame with the page of n at `off`, 0: none to be had. */
uint32_t image_frame(struct posix_image *image, struct fs_node *n, uint64_t off);

/* The file is about to change. */
void image_forget(const struct fs_node *n);

/* Gives back the memory of an image that nobody runs: 1; 0: there is none. */
int image_give_up(void);

/* Counts the references again; posix_lock is held. */
void image_recount(void);

/* ---- pipes (pipe.c) ----------------------------------------------------------------------- */

struct posix_pipe *pipe_new(void);

/* Closes one end; 1: it was the last, and the pipe is gone. */
int pipe_end_closed(struct posix_pipe *p, int writing);
ssize_t pipe_read(struct posix_file *f, char *to, size_t n);
ssize_t pipe_write(struct posix_file *f, const char *from, size_t n);

/* poll bits that hold now. */
int pipe_poll(const struct posix_file *f);
size_t pipe_waiting(const struct posix_file *f);

/* ---- terminals (tty.c) -------------------------------------------------------------------- */

ssize_t tty_read(struct posix_file *f, char *to, size_t n);
ssize_t tty_write(struct posix_file *f, const char *from, size_t n);
int tty_poll(const struct posix_file *f);

/* Takes what was typed from the console to the terminal of this process; sends ^C and the like. */
void tty_pump(void);

/* Takes t->lock. */
void tty_lock(struct posix_tty *t);

/* Makes terminal `n` new. */
void tty_init(struct posix_tty *t);

/* The terminal of an open file, or NULL. */
struct posix_tty *tty_of(const struct posix_file *f);

/* ---- paths (path.c) ----------------------------------------------------------------------- */

enum posix_device {
	DEVICE_NONE = 0,
	DEVICE_NULL,
	DEVICE_ZERO,
	DEVICE_TTY,
	DEVICE_CONSOLE,
	DEVICE_DIR, /* /dev itself */
};

/* What is wanted: node, if nothing else is said; then the rest. */
enum {
	WALK_DIR = FS_WANT_BOTH,   /* dir and the last name also when node is there */
	WALK_PARENT = FS_WANT_DIR, /* they alone: node may be NULL whether it is there or not */
	WALK_ATTR = FS_WANT_ATTR,  /* attr and mark alone: nothing is held */
	WALK_WANT = 3,		   /* these bits */
	WALK_NOFOLLOW = 4,	   /* a symbolic link at the end stays one */
	WALK_CREATE = 8, /* the last name need not exist: node is NULL then, and dir is there */
};

/* What a path leads to; held by references until walk_done(), but for WALK_ATTR. */
struct walk {
	struct fs_node *dir;  /* NULL for devices, and where nobody asked for it */
	int borrowed;	      /* dir is the root or the working directory, held by others */
	struct fs_node *node; /* NULL: not there (WALK_CREATE), or a device */
	enum posix_device device;
	int slash; /* the path ended in '/' */
	size_t length;
	char name[FS_NAME_MAX + 1]; /* with dir: the last name; "." for the root */
	struct fs_attr attr;	    /* WALK_ATTR: of the node, unless it is a device … */
	uint32_t mark;		    /* … and its file system's */
};

/* Follows `path` from directory `from` (NULL: the working directory). */
int walk(struct fs_node *from, const char *path, unsigned how, struct walk *w);
void walk_done(struct walk *w);

/* The same from a descriptor, unless the path is absolute. */
int walk_from(int dirfd, const char *path, unsigned how, struct walk *w);

/* The same with AT_FDCWD or a descriptor for the start. */
static inline int walk_at(int dirfd, const char *path, unsigned how, struct walk *w)
{
	return dirfd == AT_FDCWD ? walk(NULL, path, how, w) : walk_from(dirfd, path, how, w);
}

/* May this process do `want` (R_OK | W_OK | X_OK) with such an inode?  0 or -EACCES. */
int path_permit(const struct fs_node *n, int want);

/* Whether it may change its mode and times: owner or root.  0 or -EPERM. */
int path_owner(const struct fs_node *n);

/* The absolute path of directory n. */
int node_path(struct fs_node *n, char out[POSIX_PATH]);

/* ---- signals (signal.c) ------------------------------------------------------------------- */

/* At start-up. */
void signal_start(void);

/* fork: the copy has its own events, and no alarm. */
void signal_copied(void);

/* exec: what the next program is to find as it is here. */
void signal_carry(struct posix_carried *to);

/* Those that wait for the caller, blocked or not; sig, which is one of them, does not any more. */
uint64_t signal_pending(void);
void signal_take(int sig);

/* Whether one waits that is not blocked. */
int signal_waiting(void);

/*
 * Whether a signal waits that ends the call under way; runs the handlers of those that do not,
 * unless `any` (then each does).
 */
int signal_interrupts(int any);

/* Runs what waits; not between enter and leave. */
void signal_deliver(void);

/*
 * Between enter and leave: what the caller waits for, it waits for with this mask; returns what the
 * mask was.  Instead of posix_leave(): the mask is that again, after what interrupted was handled.
 */
uint64_t signal_mask_enter(const sigset_t *mask);
int64_t signal_mask_leave(uint64_t before, int64_t result);

/* Sends `sig` to p; posix_lock is held. */
void signal_send(struct posix_proc *p, int sig);

/* To all of a group; takes posix_lock. */
int signal_group(int32_t pgrp, int sig);

#define POSIX_SIGNAL_MARK 1ul /* of posix_proc.pending: a thread has signals of its own */

/*
 * What threads add (pthread_signal.c); where there are none, nothing.  Signals sent to the caller
 * alone.  1: those of `set` were among them, and are not any more.  No thread has them any more.
 * Threads that do not run look whether they may take what the caller's mask holds back.  A handler
 * ran that ends the call under way.
 */
uint64_t signal_own(void);
int signal_own_take(uint64_t set);
void signal_own_drop(uint64_t set);
void signal_offer(void);
void signal_broke(void);

#endif
