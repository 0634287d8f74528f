/*
 * bench.h - what the measurements share: medians, and helpers that run beside the one who measures.
 * The clock of busy instructions is that of soak.h.
 *
 * A measurement is a function that puts its value where it is told and returns NULL, or says why it
 * could not be taken.  Groups of them are files; main.c owns the list.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <sys/types.h>
#include <libos/tables.h>

enum { PAGE = 4096, KIB = 1024, MIB = 1024 * 1024 };

/* ---- main.c: measuring ------------------------------------------------------------------- */

/* What is measured: 0, or a negative errno. */
typedef int bench_op(void);

/*
 * Runs `op` `times` times, `prepare` (may be NULL) before each without counting it, and puts the
 * median of what `op` cost, the measuring itself taken off, in *value.  NULL, or why not.
 */
const char *measure(bench_op *op, bench_op *prepare, unsigned times, double *value);

/* What to say when `what` failed with the negative errno `error`; good until the next call. */
const char *because(const char *what, int error);

/* ---- peer.c: those who run beside us ----------------------------------------------------- */

/* Runs peer `name` if there is one: its exit status; -1: there is none. */
int peer_main(const char *name, char **argv);

/* ---- the measurements -------------------------------------------------------------------- */

typedef const char *bench_fn(double *value);

/* kernel.c: calls, faults, memory */
bench_fn null_call, clock_read, fault_upcall, prot_trap_unprot, page_touch, map_unmap, boot;

/* peer.c: more than one program */
bench_fn yield_switch, pct_round_trip, pipe_round_trip, fork_exit_wait, spawn_exit_wait,
	process_cost;

/* thread.c: threads, measured in a program that has some */
bench_fn thread_switch_cost, thread_create_cost;

/* file.c: files and the disk */
bench_fn open_close, stat_cached, pread_4k_cached, read_1b_cached, write_4k_cached, create_unlink;
bench_fn disk_read_4k, disk_read_1m, file_write_fsync, file_read_cold, append_fsync;
bench_fn create_1000_sync, unlink_1000_sync;

/*
 * For those who hold a stop-watch: says so, reads or writes and syncs 64 MiB `passes` times, and
 * says when it is done.  The exit status.
 */
int wall_read(unsigned passes);
int wall_write(unsigned passes);

#endif
