/*
 * scene.h - the small machines in which the core's worlds begin.
 */
#ifndef EXHAUST_SCENE_H
#define EXHAUST_SCENE_H

#include "exhaust.h"

enum {
	SCENE_FIRST = 4, /* frames below are the kernel's */
	SCENE_EACH = 5,	 /* frames of each environment: root, save area, tables of level 3, 2, 1 */
};

#define SCENE_ROOT(e)	 (SCENE_FIRST + ((e)-1) * SCENE_EACH)
#define SCENE_SAVE(e)	 (SCENE_ROOT(e) + 1)
#define SCENE_TABLE(e)	 (SCENE_ROOT(e) + 4)		  /* level 1 */
#define SCENE_SPARE(all) (SCENE_FIRST + (all)*SCENE_EACH) /* free frames, after `all` of them */

/* A call of the setting up, which must be granted. */
void scene_must(struct exo_result r);

/* A machine with so many frames and `nenv - 1` environments, of which number 1 is there. */
void scene_boot(uint32_t nenv, uint32_t frames);

/* Environment 1 makes e, which has its frames and this much quota beside, and runs.  In slot ce. */
void scene_env(uint32_t e, uint32_t ce, struct exo_quota quota);

/* Slot d of e: a capability to environment `to`. */
void scene_cap(uint32_t e, uint32_t d, uint32_t to, uint32_t rights);

#endif
