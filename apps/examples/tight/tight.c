/*
 * tight - uses PAGES pages, twice over, and says what that took: what its quota is worth depends on
 * the variant of virtual memory that it is linked with.
 *
 *   tight PAGES
 */
#include <libos/bare.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/vm.h>

enum { WORDS = VM_PAGE / 8, ROUNDS = 2 };

static uint64_t word(uint64_t i, uint64_t w, uint64_t round)
{
	return (i * WORDS + w) * 0x9e3779b97f4a7c15ull + round;
}

/* Writes all pages; how many of them hold something else when they are read. */
static uint64_t pass(uint64_t *base, uint64_t pages, uint64_t round)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < pages; i++)
		for (uint64_t w = 0; w < WORDS; w++)
			base[i * WORDS + w] = word(i, w, round);
	for (uint64_t i = 0; i < pages; i++)
		for (uint64_t w = 0; w < WORDS; w++)
			if (base[i * WORDS + w] != word(i, w, round)) {
				wrong++;
				break;
			}
	return wrong;
}

int main(int argc, char **argv)
{
	const uint32_t me = start_self() & 0xffff;
	uint64_t pages, wrong = 0, *base;
	struct vm_stats s;

	if (argc != 2 || bare_number(argv[1], &pages) || pages == 0 || pages > UINT32_MAX) {
		bare_print("tight: usage: tight PAGES\n");
		return 1;
	}
	base = bare_pages((uint32_t)pages);
	if (!base) {
		bare_print("tight: %u pages are refused: the quota is %u\n", pages,
			   (uint64_t)tables_quota_limit(me)->n[EXO_QUOTA_PAGES]);
		return 1;
	}
	for (uint64_t round = 0; round < ROUNDS; round++)
		wrong += pass(base, pages, round);
	vm_get_stats(&s);
	bare_print("tight: %u pages used, %u wrong; %u of a quota of %u held; %u faults, %u pages "
		   "in, %u out, %u "
		   "dropped\n",
		   pages, wrong, (uint64_t)tables_quota_used(me)->n[EXO_QUOTA_PAGES],
		   (uint64_t)tables_quota_limit(me)->n[EXO_QUOTA_PAGES], tables_env(me)->faults,
		   s.paged_in, s.paged_out, s.dropped);
	return wrong != 0;
}
