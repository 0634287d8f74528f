/*
 * uaccess.c - copies to and from programs, by a walk of their page tables in software.
 *
 * Invariant: table frames hold only entries that table.c wrote, so every frame met in a walk has a
 * record.  A copy spans at most two pages; both are found before a byte moves.  Sets the accessed
 * and dirty bits as the CPU would.  No lock: one CPU in the kernel.  Called by console.c.
 */
#include "uaccess.h"
#include "env.h"
#include "machine.h"
#include "table.h"

/* A page of a program: its frame, and the entry that maps it. */
struct spot {
	uint32_t frame;
	uint32_t table, index;
};

static uint32_t index_at(uint64_t va, uint32_t level)
{
	return (uint32_t)(va >> (12 + 9 * (level - 1)) & (NENTRY - 1));
}

/* Where does e have address va, for writing when `write`?  Four table reads. */
/*@ requires e < EXO_NENV && \valid(spot);
    assigns *spot; */
static enum exo_status walk(uint32_t e, uint64_t va, int write, struct spot *spot)
{
	uint32_t t = envs[e].root;

	if (t == 0 || va >= USER_END)
		return EXO_FAULT;
	/*@ loop invariant 0 <= level <= 4;
	    loop assigns level, t, *spot;
	    loop variant level; */
	for (uint32_t level = 4; level > 0; level--) {
		const uint32_t i = index_at(va, level);
		const uint64_t entry = machine_table((struct pfn){t})->e[i];

		if ((entry & PTE_P) == 0 || (entry & PTE_U) == 0)
			return EXO_FAULT;
		if (write && (entry & PTE_W) == 0)
			return EXO_FAULT;
		if (entry_is_leaf(entry, level)) {
			*spot = (struct spot){entry_frame(entry), t, i};
			if (level == 2)
				spot->frame += index_at(va, 1);
			return EXO_OK;
		}
		t = entry_frame(entry);
	}
	return EXO_FAULT;
}

/* The pages of n bytes at va: spot[0], and spot[1] where they reach into a second one. */
static enum exo_status walk_span(uint32_t e, uint64_t va, uint32_t n, int write,
				 struct spot spot[2])
{
	enum exo_status status;

	if (n > UACCESS_MAX)
		return EXO_RANGE;
	if (va >= USER_END || n > USER_END - va)
		return EXO_FAULT;
	status = walk(e, va, write, &spot[0]);
	if (status == EXO_OK && va % EXO_PAGE_SIZE + n > EXO_PAGE_SIZE)
		status = walk(e, va + n - 1, write, &spot[1]);
	return status;
}

static void mark(const struct spot *spot, uint64_t bits)
{
	machine_table((struct pfn){spot->table})->e[spot->index] |= bits;
}

/*@ requires e < EXO_NENV && \valid(dst + (0 .. n - 1));
    assigns dst[0 .. n - 1]; */
enum exo_status copy_in(uint32_t e, struct uva src, uint8_t *dst, uint32_t n)
{
	struct spot spot[2];
	const enum exo_status status = n == 0 ? EXO_OK : walk_span(e, src.n, n, 0, spot);
	const uint32_t offset = src.n % EXO_PAGE_SIZE;

	if (status != EXO_OK)
		return status;
	/*@ loop invariant 0 <= i <= n;
	    loop assigns i, dst[0 .. n - 1];
	    loop variant n - i; */
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t at = offset + i;
		const struct spot *const from = &spot[at / EXO_PAGE_SIZE];

		if (i == 0 || at % EXO_PAGE_SIZE == 0)
			mark(from, PTE_A);
		dst[i] = machine_bytes((struct pfn){from->frame})[at % EXO_PAGE_SIZE];
	}
	return EXO_OK;
}

enum exo_status copy_out(uint32_t e, struct uva dst, const uint8_t *src, uint32_t n)
{
	struct spot spot[2];
	const enum exo_status status = n == 0 ? EXO_OK : walk_span(e, dst.n, n, 1, spot);
	const uint32_t offset = dst.n % EXO_PAGE_SIZE;

	if (status != EXO_OK)
		return status;
	/*@ loop invariant 0 <= i <= n;
	    loop variant n - i; */
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t at = offset + i;
		const struct spot *const to = &spot[at / EXO_PAGE_SIZE];

		if (i == 0 || at % EXO_PAGE_SIZE == 0)
			mark(to, PTE_A | PTE_D);
		machine_bytes((struct pfn){to->frame})[at % EXO_PAGE_SIZE] = src[i];
	}
	return EXO_OK;
}
