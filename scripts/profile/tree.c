/*
 * tree.c - owns the nodes of the tree.  Called by stack.c, trace.c and watch.c, by one thread.
 */
#include "tree.h"

struct node tree_root;

static struct image interrupts_image = {.name = "(interrupts)"};
static struct function interrupts = {.name = "(interrupts)", .image = &interrupts_image};

struct node *tree_child(struct node *parent, const struct function *function)
{
	struct node *n;

	for (n = parent->child; n != NULL; n = n->sibling)
		if (n->function == function)
			return n;
	n = image_memory(1, sizeof(*n));
	n->parent = parent;
	n->function = function;
	n->sibling = parent->child;
	parent->child = n;
	return n;
}

struct node *tree_image(const struct image *image)
{
	return tree_child(&tree_root, &image->none);
}

struct node *tree_interrupts(void)
{
	return tree_child(&tree_root, &interrupts);
}

void tree_write_chain(FILE *out, const struct node *node)
{
	if (node == &tree_root)
		return;
	if (node->parent != &tree_root) {
		tree_write_chain(out, node->parent);
		fputc(';', out);
	}
	fprintf(out, "%s:%s", node->function->image->name, node->function->name);
}

static void write_below(FILE *out, struct node *parent, uint32_t *numbers)
{
	for (struct node *n = parent->child; n != NULL; n = n->sibling) {
		n->number = ++*numbers;
		fprintf(out, "node %u %u %lu %s %s\n", n->number, parent->number, n->count,
			n->function->image->name, n->function->name);
		write_below(out, n, numbers);
	}
}

void tree_write(FILE *out)
{
	uint32_t numbers = 0;

	write_below(out, &tree_root, &numbers);
}
