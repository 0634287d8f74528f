/*
 * frames.c - frames of others, of the kernel, of devices: taking, freeing, mapping, sharing them.
 */
#include <libos/frames.h>
#include "attack.h"

static void map_foreign(uint32_t leaf, const char *name, enum exo_page_state state)
{
	static const uint64_t hows[] = {EXO_MAP_READ, RW, RX, EXO_MAP_READ | 8 << 8};
	const uint32_t f = find_frame(state, 0);

	if (f == 0) {
		unprepared(name);
		return;
	}
	for (uint32_t i = 0; i < sizeof hows / sizeof hows[0]; i++)
		tally_refused(call_page_map(0, leaf, 100, f, 1, hows[i]));
	tally_refused(call_page_map(0, leaf, 100, f - 1, 3, EXO_MAP_READ));
	sum_up(name);
}

static void mapping(uint32_t leaf)
{
	const uint32_t frames = tables_info()->frames;

	map_foreign(leaf, "mapping another's page", EXO_PAGE_DATA);
	map_foreign(leaf, "mapping another's page table", EXO_PAGE_TABLE);
	map_foreign(leaf, "mapping another's save area", EXO_PAGE_SAVE);
	map_foreign(leaf, "mapping another's upcall stack", EXO_PAGE_UPCALL);
	map_foreign(leaf, "mapping a kernel frame", EXO_PAGE_KERNEL);
	map_foreign(leaf, "mapping a device frame", EXO_PAGE_DEVICE);
	map_foreign(leaf, "mapping a free frame", EXO_PAGE_FREE);
	for (uint32_t f = 0; f < frames; f++)
		if (tables_page(f)->owner != self_index())
			tally_refused(call_page_map(0, leaf, 100, f, 1, RW));
	sum_up("mapping every frame of the machine that is another's");
	tally_refused(call_page_map(0, leaf, 100, frames, 1, EXO_MAP_READ));
	tally_refused(call_page_map(0, leaf, 100, ~0ull, 2, EXO_MAP_READ));
	tally_refused(call_page_map(0, leaf, 100, 1ull << 32 | leaf, 1, EXO_MAP_READ));
	tally_refused(call_page_map(0, leaf, 100, 1ull << 52, 1, EXO_MAP_READ));
	tally_refused(call_page_map(0, leaf, 100, 0xfee00, 1, EXO_MAP_READ)); /* the local APIC */
	sum_up("mapping frames beyond memory");
}

static void taking(void)
{
	static const uint64_t types[] = {0,
					 5,
					 6,
					 7,
					 EXO_PAGE_TABLE,
					 EXO_PAGE_TABLE | 5 << 8,
					 EXO_PAGE_DATA | 1 << 8,
					 1ull << 32 | 1,
					 ~0ull};
	const uint32_t free = find_frame(EXO_PAGE_FREE, 0);

	for (uint32_t state = EXO_PAGE_DATA; state <= EXO_PAGE_NONE; state++)
		for (uint64_t type = 0; type < 8 && find_frame(state, 0) != 0; type++)
			tally_refused(call_page_take(0, find_frame(state, 0), type | 1 << 8));
	for (uint32_t i = 0; i < sizeof types / sizeof types[0]; i++)
		tally_refused(call_page_take(0, free, types[i]));
	tally_refused(call_page_take(0, 0, EXO_PAGE_DATA));
	tally_refused(call_page_take(0, tables_info()->frames, EXO_PAGE_DATA));
	tally_refused(call_page_take(0, 1ull << 32 | free, EXO_PAGE_DATA));
	sum_up("taking frames that are not free, or as what they must not be");
}

static void giving(void)
{
	const volatile struct exo_env *self = tables_env(self_index());

	for (uint32_t state = EXO_PAGE_FREE; state <= EXO_PAGE_NONE; state++) {
		const uint32_t f = find_frame(state, 0);

		tally_refused(call_page_free(0, f));
		tally_refused(call_page_share(f, 1, 0, 50, 3));
		tally_refused(call_page_unshare(f, 1));
		tally_refused(call_revoke_take(0, EXO_ASK_PAGES, f, self->root));
	}
	tally_refused(call_page_share(~0ull, 2, 0, 50, 3));
	tally_refused(call_page_share(self->root, ~0ull, 0, 50, 3));
	sum_up("freeing, sharing and taking back frames of others");
	refused("freeing one's own root", call_page_free(0, self->root));
	refused("freeing one's own save area", call_page_free(0, self->save));
	refused("freeing one's own upcall stack", call_page_free(0, self->upcall_page));
	refused("sharing one's own save area", call_page_share(self->save, 1, 0, 50, 3));
}

void attack_frames(void)
{
	const uint32_t leaf = scratch_table();

	if (leaf == 0) {
		unprepared("frames");
		return;
	}
	taking();
	giving();
	mapping(leaf);
}
