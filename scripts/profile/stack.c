/*
 * stack.c - owns the stacks of calls, one for each thread of each environment and one for the
 * kernel.
 *
 * Counts are exact, per function: each instruction belongs to the function whose address it has.
 * Under which callers it is counted follows the stack pointer: a frame is pushed with the
 * address where the call stored its return address, and popped by the return that loads it from
 * there.  What moves otherwise (tail calls, upcalls, longjmp, forks) is told by where execution
 * goes on: at a function's start it has replaced the one before, inside of a function it has come
 * back to the nearest frame of that.
 *
 * The kernel's stack begins anew at each entry: under the program's for calls and faults, and under
 * `(interrupts)` for what has nothing to do with it.  Called by qemu.c and bochs.c, by one thread.
 */
#include "stack.h"
#include <stdlib.h>
#include <string.h>
#include "guest.h"

enum { MAX_DEPTH = 1024, MAX_THREADS = 64, EXCEPTIONS = 32 };
enum mode { MODE_FIRMWARE, MODE_KERNEL, MODE_PROGRAM };

/* A call, return or resumption whose target has not been reached; else PLAIN. */
struct change {
	enum kind kind;
	uint64_t sp; /* where it stored or loaded */
};

struct frame {
	struct node *node;
	uint64_t sp;	    /* where its return address is; 0: it was not called */
	bool entered;	    /* by a trap or an upcall: a jump from here is no tail call */
	struct change held; /* what that came in between of */
};

struct stack {
	struct frame *frames;
	size_t depth;
	struct change change;
	uint64_t left;	     /* stack_executed when another thread's took over */
	uint64_t repeat_end; /* after the repeated instruction at hand; 0: none */
	uint64_t repeat_pc;
	bool repeat_iterated, repeat_touched;
};

/* What is known of an environment. */
struct context {
	struct stack *stack;   /* of the thread that runs */
	struct stack **stacks; /* of all: MAX_THREADS, once there is one */
	struct image *image;
	uint32_t gen;
	uint32_t active; /* regions that it is in */
};

uint64_t stack_executed;

static struct context contexts[EXO_NENV];
static struct context *context = &contexts[0]; /* whose the kernel works for, or who runs */
static struct stack kernel_stack;
static enum mode mode;
static struct node *current = &tree_root;
static struct context *entering; /* just passed a region's first mark */
static uint64_t counted;	 /* of stack_executed */
static bool only_regions, counting;

static void tally(void)
{
	if (counting)
		current->count += stack_executed - counted;
	counted = stack_executed;
}

/* ---- frames ------------------------------------------------------------------------------ */

static struct node *top_node(const struct stack *s, struct node *base)
{
	return s->depth > 0 ? s->frames[s->depth - 1].node : base;
}

static void push(struct stack *s, struct frame frame)
{
	if (s->frames == NULL)
		s->frames = image_memory(MAX_DEPTH, sizeof(*s->frames));
	if (s->depth == MAX_DEPTH) { /* endless recursion: its outer half is forgotten */
		s->depth = MAX_DEPTH / 2;
		memmove(s->frames, s->frames + s->depth, s->depth * sizeof(*s->frames));
	}
	s->frames[s->depth++] = frame;
}

static void empty(struct stack *s)
{
	s->depth = 0;
	s->change.kind = KIND_PLAIN;
	s->repeat_end = 0;
}

/* The frame whose return address is at sp, from 1; 0: none. */
static size_t frame_at(const struct stack *s, uint64_t sp)
{
	size_t i = s->depth;

	while (i > 0 && s->frames[i - 1].sp != sp)
		i--;
	return i;
}

/* Is sp between the return addresses of this stack? */
static bool spans(const struct stack *s, uint64_t sp)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (size_t i = 0; i < s->depth; i++) {
		const uint64_t at = s->frames[i].sp;

		low = at != 0 && at < low ? at : low;
		high = at > high ? at : high;
	}
	return low <= sp && sp <= high;
}

static void replace(struct stack *s, const struct function *function)
{
	struct frame *top = &s->frames[s->depth - 1];

	if (top->entered)
		push(s, (struct frame){.node = tree_child(top->node, function)});
	else
		top->node = tree_child(top->node->parent, function);
}

/* Execution is in another function than that of the top frame, and no call made it so. */
static void arrive(struct stack *s, const struct site *site, const struct function *function)
{
	if (site->pc != function->start)
		for (size_t i = s->depth - 1; i-- > 0;)
			if (s->frames[i].node->function == function) {
				s->depth = i + 1;
				return;
			}
	replace(s, function);
}

/* The code that a trap or an upcall interrupted goes on, where it was about to. */
static void resume(struct stack *s, const struct function *function)
{
	size_t i = s->depth;

	while (i > 0 && !s->frames[i - 1].entered)
		i--;
	if (i < 2)
		return;
	s->change = s->frames[i - 1].held;
	if (s->change.kind != KIND_PLAIN || s->frames[i - 2].node->function == function)
		s->depth = i - 1;
}

static void follow(struct stack *s, const struct site *site, const struct function *function,
		   struct node *base)
{
	if (s->change.kind == KIND_RESUME)
		resume(s, function);
	if (s->change.kind == KIND_CALL)
		push(s, (struct frame){.node = tree_child(top_node(s, base), function),
				       .sp = s->change.sp});
	else if (s->change.kind == KIND_RETURN && frame_at(s, s->change.sp) != 0)
		s->depth = frame_at(s, s->change.sp) - 1;
	s->change.kind = KIND_PLAIN;
	if (s->depth == 0)
		push(s, (struct frame){.node = tree_child(base, function)});
	else if (top_node(s, base)->function != function)
		arrive(s, site, function);
	current = top_node(s, base);
}

/* What runs now has nothing to do with what was about to happen, which is held until it is resumed.
 */
static void enter(struct stack *s, struct node *node)
{
	push(s, (struct frame){.node = node, .entered = true, .held = s->change});
	s->change.kind = KIND_PLAIN;
}

/* ---- threads ----------------------------------------------------------------------------- */

/* A stack for a thread that was not there: a new one, or the one that was left longest ago. */
static struct stack *fresh_stack(struct context *c)
{
	size_t oldest = 0;

	for (size_t i = 0; i < MAX_THREADS; i++) {
		if (c->stacks[i] == NULL)
			return c->stacks[i] = image_memory(1, sizeof(**c->stacks));
		if (c->stacks[i] != c->stack &&
		    (c->stacks[oldest] == c->stack || c->stacks[i]->left < c->stacks[oldest]->left))
			oldest = i;
	}
	empty(c->stacks[oldest]);
	return c->stacks[oldest];
}

static struct stack *stack_with(struct context *c, uint64_t sp)
{
	for (size_t i = 0; i < MAX_THREADS && c->stacks[i] != NULL; i++)
		if (frame_at(c->stacks[i], sp) != 0)
			return c->stacks[i];
	return fresh_stack(c);
}

/* A return that takes its address from another stack is a switch of threads. */
static void find_thread(struct context *c)
{
	const struct change change = c->stack->change;

	if (change.kind != KIND_RETURN || c->stack->depth == 0 ||
	    frame_at(c->stack, change.sp) != 0 || spans(c->stack, change.sp))
		return;
	c->stack->change.kind = KIND_PLAIN;
	c->stack->left = stack_executed;
	c->stack = stack_with(c, change.sp);
	c->stack->change = change;
}

static void forget_threads(struct context *c)
{
	if (c->stacks == NULL)
		c->stacks = image_memory(MAX_THREADS, sizeof(struct stack *));
	for (size_t i = 0; i < MAX_THREADS && c->stacks[i] != NULL; i++)
		empty(c->stacks[i]);
	c->stack = c->stacks[0] != NULL ? c->stacks[0] : fresh_stack(c);
}

/* ---- repeated instructions --------------------------------------------------------------- */

/*
 * QEMU executes one once more, to find that nothing is left; that is no instruction.  (Bochs does
 * not, and a count that is zero from the start is one in both.)
 */
static void settle_repeat(struct stack *s, const struct site *site)
{
	if (s->repeat_end == site->pc && s->repeat_iterated && !s->repeat_touched && counting)
		top_node(s, &tree_root)->count--;
	if (s->repeat_pc == site->pc && s->repeat_end != 0)
		s->repeat_iterated |= s->repeat_touched;
	else
		s->repeat_iterated = false;
	s->repeat_touched = false;
	s->repeat_pc = site->pc;
	s->repeat_end = site->kind == KIND_REPEAT ? site->end : 0;
}

/* ---- into the kernel and out of it ------------------------------------------------------- */

/* The vector of a `stub_N` of entry.S, or -1. */
static int vector_of(const struct function *function)
{
	return strncmp(function->name, "stub_", 5) == 0 ? atoi(function->name + 5) : -1;
}

static void enter_kernel(const struct site *site)
{
	struct node *below = tree_image(image_kernel());

	if (mode == MODE_PROGRAM)
		below = vector_of(site->function) >= EXCEPTIONS ? tree_interrupts() : current;
	empty(&kernel_stack);
	enter(&kernel_stack, tree_child(below, site->function));
	mode = MODE_KERNEL;
}

/* An environment that was not there before; that of a fork has the frames of its parent. */
static void begin_context(struct context *c, const struct exo_env *env)
{
	const struct context *parent = &contexts[env->parent_index];

	c->gen = env->gen;
	c->image = NULL;
	c->active = 0;
	forget_threads(c);
	for (size_t i = 0; parent->stack != NULL && i < parent->stack->depth; i++)
		push(c->stack, parent->stack->frames[i]);
}

static void enter_program(const struct site *site)
{
	const uint32_t e = guest_current();
	const struct exo_env env = guest_env(e);

	mode = MODE_PROGRAM;
	context = &contexts[e];
	if (context->gen != env.gen)
		begin_context(context, &env);
	if (site->pc == env.upcall_entry && context->stack->depth > 0)
		enter(context->stack,
		      tree_child(top_node(context->stack, &tree_root), site->function));
}

static const struct function *program_function(const struct site *site)
{
	struct image *image = site->image;

	if (site->several)
		image = site_image(site, context->image, stack_env());
	if (site->pc == image->entry || context->image != image) {
		context->image = image;
		context->active = 0;
		forget_threads(context);
	}
	return !site->several ? site->function : image_function(image, site->pc);
}

static void step_kernel(const struct site *site)
{
	if (mode != MODE_KERNEL)
		enter_kernel(site);
	else if (vector_of(site->function) >= EXCEPTIONS && site->function != current->function)
		enter(&kernel_stack, tree_child(tree_interrupts(), site->function));
	settle_repeat(&kernel_stack, site);
	follow(&kernel_stack, site, site->function, tree_image(image_kernel()));
}

static void step_program(const struct site *site)
{
	const struct function *function;

	if (mode == MODE_KERNEL)
		enter_program(site);
	function = program_function(site);
	settle_repeat(context->stack, site);
	find_thread(context);
	follow(context->stack, site, function, tree_image(context->image));
}

/* ---- for the emulators ------------------------------------------------------------------- */

void stack_init(bool filtered)
{
	only_regions = filtered;
	counting = !filtered;
}

static void pass_mark(const struct site *site)
{
	if (entering != NULL)
		entering->active++;
	entering = site->mark == MARK_BEGIN ? context : NULL;
	if (site->mark == MARK_END && context->active > 0)
		context->active--;
	counting = !only_regions || context->active > 0;
}

void stack_step(const struct site *site)
{
	tally();
	if (site->image == image_firmware()) {
		current = tree_image(site->image);
		return;
	}
	if (guest_in_kernel(site->pc))
		step_kernel(site);
	else
		step_program(site);
	pass_mark(site);
}

static struct stack *running(void)
{
	return mode == MODE_PROGRAM ? context->stack : &kernel_stack;
}

void stack_stored(enum kind kind, uint64_t va)
{
	if (kind == KIND_CALL)
		running()->change = (struct change){kind, va};
	else if (kind == KIND_REPEAT)
		running()->repeat_touched = true;
}

void stack_loaded(enum kind kind, uint64_t va)
{
	if (kind == KIND_RETURN || kind == KIND_RESUME)
		running()->change = (struct change){kind, va};
	else if (kind == KIND_REPEAT)
		running()->repeat_touched = true;
}

const struct node *stack_node(void)
{
	return current;
}

uint32_t stack_env(void)
{
	return (uint32_t)(context - contexts);
}

bool stack_counting(void)
{
	return counting;
}

void stack_end(void)
{
	tally();
}
