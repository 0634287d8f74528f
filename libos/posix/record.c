/*
 * record.c - the table of record locks; see record.h for its rules.  No state of its own.
 */
#include "record.h"

#include <errno.h>

/* Places that a call takes before it gives any back: what it adds, and the rest of a lock that is
 * cut in two. */
enum { ADDED = 1, CUT = 1 };

static int has_room(const struct posix_records *t, uint32_t places)
{
	return t->most - t->used >= places;
}

static void add(struct posix_records *t, struct posix_record r)
{
	t->at[t->used] = r;
	t->used++;
}

static void take_out(struct posix_records *t, uint32_t i)
{
	t->at[i] = t->at[t->used - 1];
	t->used--;
}

static int overlaps(const struct posix_record *a, const struct posix_record *b)
{
	return a->node == b->node && a->first <= b->last && b->first <= a->last;
}

/* Whether e is held by r's process on r's file. */
static int is_own(const struct posix_record *e, const struct posix_record *r)
{
	return e->pid == r->pid && e->node == r->node && !e->wanted;
}

const struct posix_record *record_conflict(const struct posix_records *t,
					   const struct posix_record *r)
{
	for (uint32_t i = 0; i < t->used; i++) {
		const struct posix_record *e = &t->at[i];

		if (e->pid != r->pid && !e->wanted && (e->exclusive || r->exclusive) &&
		    overlaps(e, r))
			return e;
	}
	return NULL;
}

static const struct posix_record *wish_of(const struct posix_records *t, int32_t pid)
{
	for (uint32_t i = 0; i < t->used; i++)
		if (t->at[i].wanted && t->at[i].pid == pid)
			return &t->at[i];
	return NULL;
}

/* Of several holders the first found is followed: when that one lets go, the question is asked
 * again. */
int record_deadlock(const struct posix_records *t, const struct posix_record *r)
{
	const struct posix_record *wish = r;

	for (uint32_t hops = 0; wish && hops <= t->used; hops++) {
		const struct posix_record *held = record_conflict(t, wish);

		if (!held)
			return 0;
		if (held->pid == r->pid)
			return 1;
		wish = wish_of(t, held->pid);
	}
	return 0;
}

/* Takes r's bytes out of entry i, one that overlaps them: 1 when nothing is left of it. */
static int cut(struct posix_records *t, uint32_t i, const struct posix_record *r)
{
	struct posix_record *e = &t->at[i];
	const int before = e->first<r->first, behind = e->last> r->last;

	if (before && behind) {
		struct posix_record rest = *e;

		rest.first = r->last + 1;
		add(t, rest);
	}
	if (before)
		e->last = r->first - 1;
	else if (behind)
		e->first = r->last + 1;
	return !before && !behind;
}

int record_release(struct posix_records *t, const struct posix_record *r)
{
	for (uint32_t i = 0; i < t->used && !has_room(t, CUT); i++)
		if (is_own(&t->at[i], r) && t->at[i].first < r->first && t->at[i].last > r->last)
			return -ENOLCK;
	/* From the end, since one that goes is replaced by the last, which was looked at. */
	for (uint32_t i = t->used; i-- > 0;)
		if (is_own(&t->at[i], r) && overlaps(&t->at[i], r) && cut(t, i, r))
			take_out(t, i);
	return 0;
}

int record_hold(struct posix_records *t, const struct posix_record *r)
{
	struct posix_record whole = *r;

	if (!has_room(t, ADDED + CUT))
		return -ENOLCK;
	(void)record_release(t, r); /* there is room */
	for (uint32_t i = t->used; i-- > 0;) {
		const struct posix_record *e = &t->at[i];

		if (!is_own(e, r) || e->exclusive != r->exclusive)
			continue;
		if (e->last + 1 == r->first)
			whole.first = e->first;
		else if (r->last + 1 == e->first)
			whole.last = e->last;
		else
			continue;
		take_out(t, i);
	}
	whole.wanted = 0;
	add(t, whole);
	return 0;
}

int record_want(struct posix_records *t, const struct posix_record *r)
{
	struct posix_record wish = *r;

	if (!has_room(t, ADDED))
		return -ENOLCK;
	wish.wanted = 1;
	add(t, wish);
	return 0;
}

void record_met(struct posix_records *t, const struct posix_record *r)
{
	for (uint32_t i = 0; i < t->used; i++) {
		const struct posix_record *e = &t->at[i];

		if (e->wanted && e->pid == r->pid && e->node == r->node && e->first == r->first &&
		    e->last == r->last && e->exclusive == r->exclusive) {
			take_out(t, i);
			return;
		}
	}
}

void record_drop(struct posix_records *t, const struct fs_node *node, int32_t pid)
{
	for (uint32_t i = t->used; i-- > 0;)
		if (t->at[i].pid == pid && t->at[i].node == node)
			take_out(t, i);
}
