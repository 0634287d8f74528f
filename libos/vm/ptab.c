/*
 * ptab.c - page tables made top-down, as addresses are first used (see ptab.h).
 */
#include <errno.h>
#include <libos/call.h>
#include <libos/frames.h>
#include <libos/layout.h>
#include <libos/vm.h>
#include "ptab.h"

enum { PER_TABLE = PTAB_ENTRIES, LARGE_SHIFT = 21, GIB_SHIFT = 30 };

static uint32_t index_of(uint64_t va, unsigned level)
{
	return (uint32_t)(va >> (12 + 9 * (level - 1))) & (PER_TABLE - 1);
}

static int add_l1(struct ptab *t, uint64_t va, uint32_t frame)
{
	const uint64_t i = va >> LARGE_SHIFT;

	if (i < PTAB_LOW) {
		t->l1[i] = frame;
		if (t->low <= i)
			t->low = (uint32_t)i + 1;
		return 0;
	}
	if (t->high == PTAB_HIGH)
		return -ENOMEM;
	t->high_index[t->high] = (uint32_t)i;
	t->high_frame[t->high++] = frame;
	return 0;
}

void ptab_learn(struct ptab *t, const struct start_table *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct start_table *s = &list[i];

		if (s->level == 4)
			t->root = s->frame;
		else if (s->level == 3)
			t->l3 = s->frame;
		else if (s->level == 2 && s->va >> GIB_SHIFT < PTAB_GIBS)
			t->l2[s->va >> GIB_SHIFT] = s->frame;
		else if (s->level == 1)
			(void)add_l1(t, s->va, s->frame);
	}
}

static uint32_t list_add(struct start_table *list, uint32_t n, uint64_t va, uint32_t frame,
			 uint32_t level)
{
	if (frame && n < START_TABLES)
		list[n] = (struct start_table){va, frame, level};
	return n + (frame != 0);
}

uint32_t ptab_list(const struct ptab *t, struct start_table *list)
{
	uint32_t n = list_add(list, 0, 0, t->root, 4);

	n = list_add(list, n, 0, t->l3, 3);
	for (uint64_t i = 0; i < PTAB_GIBS; i++)
		n = list_add(list, n, i << GIB_SHIFT, t->l2[i], 2);
	for (uint64_t i = 0; i < t->low; i++)
		n = list_add(list, n, i << LARGE_SHIFT, t->l1[i], 1);
	for (uint32_t i = 0; i < t->high; i++)
		n = list_add(list, n, (uint64_t)t->high_index[i] << LARGE_SHIFT, t->high_frame[i],
			     1);
	return n <= START_TABLES ? n : 0;
}

uint32_t ptab_l1(const struct ptab *t, uint64_t va)
{
	const uint64_t index = va >> LARGE_SHIFT;

	if (index < PTAB_LOW)
		return t->l1[index];
	for (uint32_t i = 0; i < t->high; i++)
		if (t->high_index[i] == index)
			return t->high_frame[i];
	return 0;
}

/* A new table of `level` for va, linked into parent. */
static int make(const struct ptab *t, uint64_t va, unsigned level, uint32_t parent, uint32_t *frame)
{
	int err = frame_take(t->ce, EXO_PAGE_TABLE | level << 8, frame);

	if (err)
		return err;
	err = call_result(call_table_link(t->ce, parent, index_of(va, level + 1), *frame));
	if (err) {
		(void)frames_free(t->ce, *frame, 1);
		*frame = 0;
	}
	return err;
}

static int make_l2(struct ptab *t, uint64_t va, uint32_t *frame)
{
	const uint64_t gib = va >> GIB_SHIFT;
	int err = 0;

	if (gib >= PTAB_GIBS)
		return -ENOMEM;
	if (!t->l3)
		err = make(t, va, 3, t->root, &t->l3);
	if (!err && !t->l2[gib])
		err = make(t, va, 2, t->l3, &t->l2[gib]);
	*frame = t->l2[gib];
	return err;
}

int ptab_make_l1(struct ptab *t, uint64_t va, uint32_t *frame)
{
	uint32_t l2;
	int err;

	*frame = ptab_l1(t, va);
	if (*frame)
		return 0;
	if (va >> LARGE_SHIFT >= PTAB_LOW && t->high == PTAB_HIGH)
		return -ENOMEM;
	err = make_l2(t, va, &l2);
	if (!err)
		err = make(t, va, 1, l2, frame);
	return err ? err : add_l1(t, va, *frame);
}

static int fits_large(const struct ptab *t, uint64_t va, uint32_t frame, uint32_t count)
{
	return count >= PER_TABLE && va % VM_LARGE_PAGE == 0 && frame % PER_TABLE == 0 &&
	       !ptab_l1(t, va);
}

/* One large page, or what fits into one level-1 table; *done pages. */
static int map_piece(struct ptab *t, uint64_t va, uint32_t frame, uint32_t count, uint64_t how,
		     uint32_t *done)
{
	const uint32_t index = index_of(va, 1);
	uint32_t table;
	int err;

	if (fits_large(t, va, frame, count)) {
		*done = PER_TABLE;
		err = make_l2(t, va, &table);
		return err ? err
			   : call_result(call_page_map_large(t->ce, table, index_of(va, 2), frame,
							     how));
	}
	*done = count < PER_TABLE - index ? count : PER_TABLE - index;
	err = ptab_make_l1(t, va, &table);
	return err ? err : call_result(call_page_map(t->ce, table, index, frame, *done, how));
}

int ptab_map(struct ptab *t, uint64_t va, uint32_t frame, uint32_t count, unsigned perm,
	     uint32_t cap)
{
	uint32_t done = 0, n;

	while (done < count) {
		const int err = map_piece(t, va + done * VM_PAGE, frame + done, count - done,
					  perm | (uint64_t)cap << 8, &n);

		if (err) {
			(void)ptab_unmap(t, va, done);
			return err;
		}
		done += n;
	}
	return 0;
}

int ptab_unmap(struct ptab *t, uint64_t va, uint32_t count)
{
	int err = 0;

	while (count) {
		const uint32_t index = index_of(va, 1), l1 = ptab_l1(t, va);
		const uint32_t n = count < PER_TABLE - index ? count : PER_TABLE - index;
		const uint32_t l2 = va >> GIB_SHIFT < PTAB_GIBS ? t->l2[va >> GIB_SHIFT] : 0;

		if (l1)
			err = call_result(call_page_unmap(t->ce, l1, index, n));
		else if (l2 && n == PER_TABLE)
			err = call_result(call_page_unmap(t->ce, l2, index_of(va, 2), 1));
		if (err)
			return err;
		va += n * VM_PAGE;
		count -= n;
	}
	return 0;
}

uint32_t ptab_segment_unit(uint32_t frame)
{
	return frame % PER_TABLE == 0 ? PER_TABLE : PTAB_SEGMENT_STEP;
}

int ptab_map_segment(struct ptab *t, uint32_t frame, uint32_t pages, uint32_t first)
{
	const uint32_t unit = ptab_segment_unit(frame);
	const uint32_t step = first == 0 && unit < PTAB_SEGMENT_NOW ? PTAB_SEGMENT_NOW : unit;

	first -= first % unit;
	return ptab_map(t, LAYOUT_SEGMENT + first * VM_PAGE, frame + first,
			step < pages - first ? step : pages - first, VM_READ | VM_WRITE,
			LAYOUT_CAP_SEGMENT);
}

uint32_t ptab_next_low(const struct ptab *t, uint32_t i)
{
	const uint32_t *const l1 = t->l1;

	while (i < t->low && !l1[i]) {
		i++;
		while (i + 4 <= t->low && !(l1[i] | l1[i + 1] | l1[i + 2] | l1[i + 3]))
			i += 4;
	}
	return i;
}

unsigned ptab_perm(uint64_t pte)
{
	return VM_READ | (pte & PTE_WRITE ? VM_WRITE : 0u) | (pte & PTE_NX ? 0u : VM_EXEC);
}

static int eight_empty(const uint64_t *e)
{
	return !(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]);
}

uint32_t ptab_skip(const volatile uint64_t *table, uint32_t i)
{
	const uint64_t *const first = (const uint64_t *)(uintptr_t)table;
	const uint64_t *const end = first + PTAB_ENTRIES, *e = first + i;

	while (e < end && !*e) {
		e++;
		/* Most tables are nearly empty. */
		while (end - e >= 8 && eight_empty(e))
			e += 8;
	}
	return (uint32_t)(e - first);
}

uint32_t ptab_run(const uint32_t *frames, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && frames[n] == frames[0] + n)
		n++;
	return n;
}
