/*
 * init.h - what the files of init share.
 * No lock: init is one thread.  Called within apps/init only.
 */
#ifndef INIT_H
#define INIT_H

#include <stdint.h>
#include <sys/types.h>
#include <exo/image.h>

/* The manifest the kernel mapped, checked; NULL after a message. */
const struct exo_manifest *manifest_check(void);

/* Makes the segment and mounts the main extent.  0, or -1 after a message. */
int boot_segment(void);
int boot_mount(const struct exo_manifest *m);

/* Notes what there is to be dealt out; call before the first start_program(). */
void start_note_quotas(void);

/* Starts program number i (from 0).  Its pid, or -1 after a message. */
pid_t start_program(const struct exo_manifest *m, uint32_t i);

#endif
