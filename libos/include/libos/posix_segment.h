/*
 * posix_segment.h - the memory that the POSIX processes of one user share, at LAYOUT_SEGMENT.
 *
 * Owns: the layout of the segment: processes, open files, record locks, terminals, mounted file
 * systems, and the arena that holds what grows.  Every process maps it at the same address, so
 * pointers into it may be stored in it; pointers to code or to one program's data may not.
 * Invariant: a table entry is in use exactly when its first field says so; the `refs` of an open
 * file are the descriptors that name it, so they can be counted again when a process dies while
 * changing them. Lock: `lock` guards processes, files, record locks and descriptors; each pipe and
 * terminal has its own, and the table of mounts.  Order: the mounts', a pipe's or terminal's or
 * file's, then `lock`, then the file system's.  None is held while waiting for a terminal, a pipe
 * or a child. Called by libos/posix, by init (which makes it), and by tools that show processes.
 */
#ifndef LIBOS_POSIX_SEGMENT_H
#define LIBOS_POSIX_SEGMENT_H

#include <stdint.h>
#include <exo/abi.h>
#include <libos/arena.h>
#include <libos/fs.h>
#include <libos/layout.h>
#include <libos/lock.h>
#include <libos/note.h>

#define POSIX_MAGIC 0x78736f5065657246ull /* "FreePosx" */

enum {
	POSIX_VERSION = 5,
	POSIX_NFD = 256, /* descriptors of a process */
	POSIX_NTTY = 4,
	POSIX_PATH = 1024, /* bytes of a path, with its end */
	POSIX_TTY_QUEUE = 1024,
	POSIX_TTY_LINE = 256,
	POSIX_NIMAGE = 32,
	POSIX_NMOUNT = 8,     /* file systems side by side, the root among them */
	POSIX_INIT = 1,	      /* pid of init */
	POSIX_CAP_VOLUME = 4, /* capability slot: EXO_CAP_EXTENT of the root's volume */
};

/* Events that processes post to each other. */
#define POSIX_EV_SIGNAL (1ull << 32) /* `pending` has a new signal */
#define POSIX_EV_WAKE	(1ull << 33) /* what it waits for may have come */

enum posix_proc_state {
	POSIX_PROC_FREE = 0,
	POSIX_PROC_RUNNING = 1, /* or being built, while eid is 0 */
	POSIX_PROC_EXITED =
		2, /* closed everything itself; its environment may still run a little */
	POSIX_PROC_ZOMBIE = 3, /* its environment is gone; the status waits for the parent */
};

/* Descriptor entries: number of the open file + 1, and this bit. */
enum { POSIX_FD_CLOEXEC = 0x8000 };

struct posix_image;

/* What exec carries over to the program that comes. */
struct posix_carried {
	uint64_t blocked; /* signals */
	uint64_t alarm_at, alarm_every;
};

/*
 * The environment that a process was in before exec, until the parent has taken it apart: `cap` of
 * the process is for it so long, and nobody looks at the new one.
 */
struct posix_left {
	uint64_t eid; /* 0: none */
	struct posix_image *image;
};

struct posix_proc {
	uint32_t state; /* enum posix_proc_state */
	int32_t pid;	/* place in the table + places * generation */
	int32_t parent; /* pid of who started it */
	int32_t pgrp;
	uint64_t eid;	/* its environment; 0 while it is being built */
	int32_t status; /* as waitpid tells it */
	uint32_t tty;	/* controlling terminal */
	uint32_t umask, uid, gid;
	uint32_t cap;	  /* the parent's capability slot for the environment */
	uint64_t pending; /* signals sent: bit n is signal n; bit 0: one of its threads has some of
			     its own.  Changed atomically */
	uint64_t ignored; /* signals that need not be sent */
	struct fs_node *cwd;
	struct posix_image *image; /* whose pages it maps; NULL: all its pages are its own */
	struct posix_left left;
	struct posix_carried carried;
	uint64_t ticks; /* CPU slots used by children that ended */
	char name[16];
	uint32_t fds;	   /* fd[] is 0 from here on */
	uint32_t children; /* in the table, or more: 0 when it dies, nobody is left behind */
	uint16_t fd[POSIX_NFD];
};

enum posix_file_type {
	POSIX_FILE_FREE = 0,
	POSIX_FILE_CLOSING = 1, /* no references; its closer is letting go of what it names */
	POSIX_FILE_NODE = 2,
	POSIX_FILE_PIPE_READ = 3,
	POSIX_FILE_PIPE_WRITE = 4,
	POSIX_FILE_TTY = 5,
	POSIX_FILE_NULL = 6,
	POSIX_FILE_ZERO = 7,
	POSIX_FILE_NTYPE = 8,
};

struct posix_pipe;

/* An open file: what descriptors made by dup and spawn share. */
struct posix_file {
	uint32_t type; /* enum posix_file_type */
	uint32_t refs;
	uint32_t flags; /* O_* */
	uint16_t tty;
	uint16_t was; /* CLOSING: its type before, and who closes it */
	uint64_t closer;
	uint64_t offset; /* of a directory: the cookie of the next entry */
	struct fs_node *node;
	struct posix_pipe *pipe;
	struct lock lock; /* the offset */
};

/* A record lock (fcntl), or the wish for one, whose process sleeps until it may have it. */
struct posix_record {
	struct fs_node *node;
	uint64_t first, last; /* bytes, the last one included */
	int32_t pid;
	uint16_t exclusive; /* a writer's */
	uint16_t wanted;
};

/* All of them; the rules: libos/posix/record.h. */
struct posix_records {
	struct posix_record *at;
	uint32_t used, most;
};

struct posix_pipe {
	struct lock lock;
	uint32_t head, tail;	 /* bytes read and written, running freely */
	uint32_t size;		 /* a power of 2 */
	uint32_t ends;		 /* open: bit 0 reading, bit 1 writing */
	uint64_t reader, writer; /* eids that sleep until it changes; 0: none */
	char *data;
};

/*
 * The read-only pages of a program's file, mapped by every process that runs it.  They are copies:
 * a file that is opened for writing makes its image void, but those who run it keep theirs.
 */
struct posix_image {
	uint64_t ino;	/* 0: free, or void */
	uint32_t refs;	/* processes that run it */
	uint32_t mark;	/* of the file system that the number is of */
	uint32_t pages; /* of the file */
	uint64_t used;	/* when it was last wanted: ns since boot */
	char **page;	/* NULL: nothing allocated; page[i] NULL: not read yet */
};

/* A mounted file system; its rules: libos/posix/mount.c. */
struct posix_mount {
	struct fs *fs;	      /* NULL: none at this place */
	struct fs_node *root; /* held */
	struct fs_node *on;   /* the directory that it covers, held; NULL: the root of all paths */
	struct buf_cache *cache; /* NULL: needs none */
	void *frames;		 /* nframes of the cache */
	uint32_t nframes;
	uint32_t volume; /* index of its extent */
	char source[16]; /* the extent's name */
};

/* A terminal's modes, and the line being typed.  Owner of the rules: libos/posix/tty_line.h. */
struct posix_tty_line {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t cc[20];
	uint32_t head, tail;		 /* of queue, running freely */
	uint32_t length;		 /* of line */
	uint32_t lines;			 /* ends of line or file in queue */
	uint16_t queue[POSIX_TTY_QUEUE]; /* ready to be read; TTY_EOF marks an end of file */
	uint8_t line[POSIX_TTY_LINE];	 /* being typed, in canonical mode */
};

struct posix_tty {
	struct lock lock;
	uint32_t used;
	int32_t pgrp;	 /* in the foreground */
	uint64_t reader; /* eid that sleeps until there is input */
	uint16_t rows, cols;
	struct posix_tty_line line;
};

struct posix_segment {
	uint64_t magic;
	uint32_t version;
	uint32_t size;	       /* sizeof(struct posix_segment) */
	char libos[NOTE_LINE]; /* of who made it; so far the layout is that of every version */
	uint32_t first_frame, pages; /* of the whole segment; 0 frames: one program's own memory */
	struct lock lock;
	struct arena *arena;
	uint32_t nprocs, nfiles;       /* places; place 0 of both is never used */
	uint32_t last_proc, last_file; /* where the search for a free place goes on */
	struct posix_proc *proc;
	struct posix_file *file;
	struct posix_records records;
	uint64_t halting;	/* eid of who halts the machine; others stop at their next call */
	uint32_t halt_request;	/* init is asked to halt with this status + 1 */
	uint32_t mounts;	/* how many were made: marks of file systems come from it */
	struct lock mount_lock; /* of mount[] */
	struct posix_mount mount[POSIX_NMOUNT];
	uint32_t image_pages, image_most; /* in image[], now and at most */
	uint64_t image_inos;		  /* has bit ino % 64 for each image with a number */
	struct posix_image image[POSIX_NIMAGE];
	struct posix_tty tty[POSIX_NTTY];
};

/* Starting a program: what spawn() decides for itself, and init from the manifest. */
struct posix_launch {
	const char *path;
	const char *name; /* for people; NULL: the last part of the path */
	char *const *argv;
	char *const *envp; /* NULL: environ */
	const int *fds;	   /* the child's descriptors, -1: closed */
	int nfds;
	int pgrp;   /* 0: a new group; negative: the caller's */
	int tty;    /* place in tty[]; negative: the caller's */
	int shared; /* joins the segment; else it is a child without descriptors */
};

struct build_spec;
struct build_end;

/*
 * Starts it as a child.  Of `spec` the caller fills principal, quota, slots, grants (at most 12),
 * extent; the rest is filled here.  Returns the pid, or -1 with errno set.
 */
int32_t posix_launch(const struct posix_launch *launch, struct build_spec *spec);

/* For init: the environment of process `pid`; 0 when it has ended. */
uint64_t posix_eid(int32_t pid);

/* For init: sleeps until something happened to a child, somebody woke it or asks it for pages, or
 * `deadline`. */
void posix_sleep(uint64_t deadline);

/* For init: fn is called with each child that ended, and how. */
void posix_on_death(void (*fn)(const struct posix_proc *p, const struct build_end *end));

/* For init: makes terminal n of the segment new. */
void posix_tty_make(uint32_t n);

/* The segment, or NULL where a program has none yet (init at its start). */
struct posix_segment *posix_segment(void);

/*
 * Makes the segment of `pages` pages at LAYOUT_SEGMENT, which the caller has mapped (frames from
 * first_frame, 0: anonymous memory), and the caller its first process.  0, or a negative errno.
 */
int posix_segment_make(uint32_t first_frame, uint32_t pages);

/*
 * For init: mounts the file system in the extent `index`, whose capability is in POSIX_CAP_VOLUME,
 * and makes it the root.  0, or a negative errno with words in `why`.
 */
int posix_mount_root(uint32_t index, char *why, unsigned whylen);

/* For init: writes back when something has been dirty for too long (buf_due); called now and then.
 * 0 or a negative errno. */
int posix_write_back(void);

/*
 * For init: if somebody asks it for pages (EXO_EV_REVOKE ends posix_sleep), those of the shared
 * cache that it can do without best go back to the kernel; more than was asked for, as they leave
 * in large pages.  0, also when there is nothing to give, or a negative errno: what is wanted is
 * still asked for then.
 */
int posix_give_back(void);

/* For init: halts the machine if somebody asked for it; returns if nobody did. */
void posix_halt_if_asked(void);

#endif
