/*
 * segment.c - making, joining and repairing the shared segment; the start and end of a process.
 *
 * Owns: posix_seg and posix_self of this program.  Invariant: a program runs with a segment
 * of its own version or not at all.  Locks: defines posix_lock(); see posix_segment.h for the
 * order. Called by core/newlib.c (personality_init, personality_exit), by init, by the whole layer.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <libos/call.h>
#include <libos/console.h>
#include <libos/note.h>
#include <libos/start.h>
#include <libos/time.h>
#include <libos/vm.h>
#include <libos/wait.h>

enum { OWN_PAGES = 64, BIG_PAGES = 4096 };

struct posix_segment *posix_seg;
struct posix_proc *posix_self;
const volatile uint64_t *posix_events;

struct posix_segment *posix_segment(void)
{
	return posix_seg;
}

struct fs_time fs_now(void)
{
	const uint64_t ns = time_real();

	return (struct fs_time){(int64_t)(ns / 1000000000u), (uint32_t)(ns % 1000000000u)};
}

void posix_lock(void)
{
	if (lock_acquire(&posix_seg->lock) == LOCK_STOLEN) {
		file_recount();
		image_recount();
	}
}

void posix_unlock(void)
{
	lock_release(&posix_seg->lock);
}

void posix_stop_if_halting(void)
{
	while (posix_seg->halting != start_self())
		call_wait(0, 0);
}

void posix_catch_up(void)
{
	const int error = errno;

	upcall_poll();
	if (signal_waiting())
		signal_deliver();
	errno = error;
}

void posix_wake(uint64_t eid)
{
	if (eid)
		call_event_post(eid, POSIX_EV_WAKE);
}

static inline __attribute__((always_inline)) int uncancelled(uint64_t mask, uint64_t deadline)
{
	const uint64_t alarm = signal_alarm_at;
	const uint64_t until = alarm && (!deadline || alarm < deadline) ? alarm : deadline;
	struct exo_result r;

	if (signal_interrupts((mask & POSIX_EV_SIGNAL) != 0))
		return -EINTR;
	r = wait_events(mask | POSIX_EV_SIGNAL | EXO_EV_CHILD | EXO_EV_CONSOLE_IN, until);
	if (r.value & EXO_EV_CHILD)
		proc_children();
	if (r.value & EXO_EV_CONSOLE_IN)
		tty_pump();
	if (r.value & POSIX_EV_SIGNAL)
		signal_offer();
	if (signal_interrupts((mask & POSIX_EV_SIGNAL) != 0))
		return -EINTR;
	return deadline && time_now() >= deadline ? -ETIMEDOUT : 0;
}

int posix_wait_uncancelled(uint64_t mask, uint64_t deadline)
{
	return uncancelled(mask, deadline);
}

int posix_wait(uint64_t mask, uint64_t deadline)
{
	int error;

	posix_cancel_point();
	error = uncancelled(mask, deadline);
	posix_cancel_point();
	return error;
}

void posix_sleep(uint64_t deadline)
{
	posix_enter();
	(void)proc_children();
	file_finish(start_self());
	(void)posix_wait(POSIX_EV_WAKE | EXO_EV_REVOKE, deadline);
	upcall_undefer();
}

/* ---- making -------------------------------------------------------------------------------- */

static uint32_t scaled(uint32_t pages, uint32_t own, uint32_t small, uint32_t big)
{
	if (pages <= OWN_PAGES)
		return own;
	return pages < BIG_PAGES ? small : big;
}

static int make_tables(struct posix_segment *s)
{
	s->nprocs = scaled(s->pages, 4, 64, 256);
	s->nfiles = scaled(s->pages, 64, 512, 2048);
	s->image_most = s->pages / scaled(s->pages, 64, 4, 8);
	s->proc = arena_alloc(s->arena, s->nprocs * sizeof(*s->proc));
	s->file = arena_alloc(s->arena, s->nfiles * sizeof(*s->file));
	s->records.most = scaled(s->pages, 16, 256, 1024);
	s->records.at = arena_alloc(s->arena, s->records.most * sizeof(*s->records.at));
	return s->proc && s->file && s->records.at ? 0 : -ENOMEM;
}

/* Descriptors 0, 1 and 2 on the terminal. */
static int open_terminal(void)
{
	const struct posix_file tty = {
		.type = POSIX_FILE_TTY, .flags = O_RDWR, .tty = (uint16_t)posix_self->tty};
	const int fd = fd_open(&tty, 0);

	for (int to = 1; fd == 0 && to <= 2; to++)
		fd_give(posix_self, to, 0);
	return fd < 0 ? fd : 0;
}

int posix_segment_make(uint32_t first_frame, uint32_t pages)
{
	struct posix_segment *s = (struct posix_segment *)LAYOUT_SEGMENT;
	const size_t head = (sizeof(*s) + 63) & ~(size_t)63;
	const size_t size = (size_t)pages * EXO_PAGE_SIZE;

	memset(s, 0, sizeof(*s));
	s->magic = POSIX_MAGIC;
	s->version = POSIX_VERSION;
	s->size = sizeof(*s);
	strcpy(s->libos, libos_note.line);
	s->first_frame = first_frame;
	s->pages = pages;
	s->arena = arena_init((char *)s + head, size - head);
	if (!s->arena || make_tables(s))
		return -ENOMEM;
	posix_seg = s;
	tty_init(&s->tty[0]);
	posix_self = proc_new();
	posix_self->eid = start_self();
	posix_self->pgrp = s->tty[0].pgrp = posix_self->pid;
	posix_self->umask = 022;
	signal_start();
	return open_terminal();
}

/* A program that shares nothing still has descriptors, on memory of its own. */
static void make_own(void)
{
	uint64_t va;

	if (vm_reserve(LAYOUT_SEGMENT, OWN_PAGES * EXO_PAGE_SIZE, VM_READ | VM_WRITE, VM_ANON,
		       &va) ||
	    posix_segment_make(0, OWN_PAGES))
		start_die("no memory for descriptors", START_EXIT_ABI);
}

/* ---- joining ------------------------------------------------------------------------------- */

/* Ends the program: its libOS and the segment's maker's cannot work on the same memory. */
static _Noreturn void refuse(const struct posix_segment *s, const char *why)
{
	console_print(start_args()->argv[0]);
	console_print(": cannot share files: ");
	console_print(why);
	console_print("; its libOS is ");
	console_print(libos_note.line);
	console_print(" (segment version ");
	console_dec(libos_note.segment);
	console_print("), theirs is ");
	console_print(s->magic == POSIX_MAGIC && s->version > 1 ? s->libos : "unknown");
	console_print(" (version ");
	console_dec(s->version);
	console_print(")\n");
	start_exit(START_EXIT_ABI);
}

/* Do both lines name the same variant?  `seam` is as it stands there, " buf=" for example. */
static int same_variant(const char *a, const char *b, const char *seam)
{
	const char *x = strstr(a, seam), *y = strstr(b, seam);
	size_t n;

	if (!x || !y)
		return x == y;
	x += strlen(seam);
	y += strlen(seam);
	n = strcspn(x, " ");
	return n == strcspn(y, " ") && strncmp(x, y, n) == 0;
}

/* The file systems of a line: where they begin, and how long the list is. */
static const char *file_systems(const char *line, size_t *n)
{
	const char *at = strstr(line, " fs=");

	at = at ? at + strlen(" fs=") : "";
	*n = strcspn(at, " ");
	return at;
}

/*
 * A file system of the user's own stands there as NAME@CONTENTS.  The length of the name if `word`,
 * of `n` bytes, is one that the other list has with other contents; else 0.  What it keeps in the
 * segment is found by its type alone, so both cannot work on it.
 */
static size_t is_other_version(const char *word, size_t n, const char *list, size_t length)
{
	const char *mark = memchr(word, '@', n);
	const size_t name = mark ? (size_t)(mark - word) + 1 : 0;

	for (size_t i = 0, m; mark && i < length; i += m + 1) {
		m = strcspn(list + i, ", ");
		if (m > name && memcmp(list + i, word, name) == 0)
			return m == n && memcmp(list + i, word, n) == 0 ? 0 : name - 1;
	}
	return 0;
}

static void check_file_systems(const struct posix_segment *s)
{
	char why[NOTE_LINE + 64];
	size_t n, length;
	const char *theirs = file_systems(s->libos, &length);
	const char *ours = file_systems(libos_note.line, &n);

	for (size_t i = 0, m; i < n; i += m + 1) {
		m = strcspn(ours + i, ", ");
		const size_t name = is_other_version(ours + i, m, theirs, length);

		if (name == 0)
			continue;
		sniprintf(why, sizeof(why), "%.*s is another version of that file system",
			  (int)name, ours + i);
		refuse(s, why);
	}
}

/* May a libOS that is another one than ours be beside it? */
static void check_variants(const struct posix_segment *s)
{
	if (!same_variant(s->libos, libos_note.line, " buf="))
		refuse(s, "the buffer cache has another policy");
	check_file_systems(s);
}

/* What spawn tells the child (start_args.personal). */
static void join(const struct start_args *args)
{
	struct posix_segment *s = (struct posix_segment *)LAYOUT_SEGMENT;
	const uint32_t *place = args->personal;

	if (s->magic != POSIX_MAGIC || s->version != libos_note.segment || s->size != sizeof(*s))
		refuse(s, "the shared segment is of another version");
	if (strcmp(s->libos, libos_note.line) != 0)
		check_variants(s);
	if (!place || args->personal_size != sizeof(*place) || *place >= s->nprocs)
		start_die("started without a place in the process table", START_EXIT_ABI);
	posix_seg = s;
	posix_self = &s->proc[*place];
	posix_self->eid = start_self();
	if (mount_main() && !reach_fs(mount_main()->fs))
		start_die(
			"cannot use the file system of the root: not linked with it (fs=), or not "
			"with its cache's policy, or its volume cannot be opened",
			START_EXIT_ABI);
	if (posix_self->cwd && !reach_fs(posix_self->cwd->fs)) {
		node_put(posix_self->cwd);
		posix_self->cwd = NULL;
	}
	fd_close_marked();
	/* Last, since a signal may end the program, which closes files. */
	signal_start();
}

void personality_init(const struct start_args *args)
{
	if (args->segment_pages)
		join(args);
	else if (args->parent)
		make_own();
}

void personality_exit(int status)
{
	if (!posix_self)
		return;
	posix_enter();
	fd_close_all(posix_self);
	posix_self->status = (status & 0xff) << 8;
	posix_self->state = POSIX_PROC_EXITED;
}
