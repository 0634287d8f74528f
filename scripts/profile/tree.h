/*
 * tree.h - functions under their callers, and the instructions of each there.
 *
 * Below the root there is a node for each image, and one for interrupts; nodes are never removed.
 */
#ifndef PROFILE_TREE_H
#define PROFILE_TREE_H

#include "image.h"

struct node {
	struct node *parent, *child, *sibling;
	const struct function *function;
	uint64_t count;	 /* instructions of its own */
	uint32_t number; /* when printed */
};

extern struct node tree_root;

/* The function under this node, made when it is not there. */
struct node *tree_child(struct node *parent, const struct function *function);

/* Under which the first functions of an image are, or those of interrupts. */
struct node *tree_image(const struct image *image);
struct node *tree_interrupts(void);

/* Prints a chain of callers, outermost first, as IMAGE:FUNCTION with `;` between. */
void tree_write_chain(FILE *out, const struct node *node);

/* Prints `node NUMBER PARENT COUNT IMAGE FUNCTION` for each, parents first. */
void tree_write(FILE *out);

#endif
