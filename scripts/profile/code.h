/*
 * code.h - one place of code as the emulator came upon it: whose it is, which function, what it
 * does.
 */
#ifndef PROFILE_CODE_H
#define PROFILE_CODE_H

#include "image.h"

enum { SITE_BYTES = 15 }; /* of the longest instruction */

enum kind { KIND_PLAIN, KIND_CALL, KIND_RETURN, KIND_RESUME, KIND_REPEAT }; /* RESUME: iretq */

struct site {
	uint64_t pc, end;
	struct image *image;
	bool several; /* have the same page, of which image is one: see site_image() */
	const struct function *function;
	enum kind kind;
	enum mark mark;
	uint8_t bytes[SITE_BYTES], size;
};

/* Fills in the site of the instruction at pc; there may be more bytes than those of the
 * instruction. */
void site_find(struct site *site, uint64_t pc, const uint8_t *bytes, size_t size);

/* Of several programs that have the site's page, the one that environment e, which was running
 * `running`, is at. */
struct image *site_image(const struct site *site, struct image *running, uint32_t e);

/* Has the kernel begun to run?  Until then its memory means nothing, and low addresses are the
 * firmware's. */
bool site_kernel_runs(void);

#endif
