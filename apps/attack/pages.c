/*
 * pages.c - frames and page tables of others, of the kernel, of devices; forged tables.
 */
#include <libos/frames.h>
#include <libos/vm.h>
#include "attack.h"

enum { RW = EXO_MAP_READ | EXO_MAP_WRITE, SCRATCH = 0x20000000 };

/* A level-1 table of this program, for mapping attempts: a page mapped there shows it. */
static uint32_t own_leaf(void)
{
	for (uint32_t f = 1; f < tables()->frames; f++) {
		const struct exo_page *p = page_at(f);

		if (p->state == EXO_PAGE_TABLE && p->owner == self_index() && p->level == 1 &&
		    p->va == SCRATCH)
			return f;
	}
	return 0;
}

static void map_foreign(uint32_t leaf, const char *name, enum exo_page_state state)
{
	uint32_t f = find_frame(state, 0);

	if (f == 0) {
		unprepared(name);
		return;
	}
	refused(name, call_page_map(0, leaf, 100, f, 1, EXO_MAP_READ));
	refused(name, call_page_map(0, leaf, 100, f, 1, RW));
}

static void map_others(uint32_t leaf)
{
	map_foreign(leaf, "mapping another's page", EXO_PAGE_DATA);
	map_foreign(leaf, "mapping another's page table", EXO_PAGE_TABLE);
	map_foreign(leaf, "mapping another's save area", EXO_PAGE_SAVE);
	map_foreign(leaf, "mapping another's upcall stack", EXO_PAGE_UPCALL);
	map_foreign(leaf, "mapping a kernel frame", EXO_PAGE_KERNEL);
	map_foreign(leaf, "mapping a device frame", EXO_PAGE_DEVICE);
	map_foreign(leaf, "mapping a free frame", EXO_PAGE_FREE);
	refused("mapping a frame beyond memory",
		call_page_map(0, leaf, 100, tables()->frames, 1, EXO_MAP_READ));
	refused("mapping a run that wraps", call_page_map(0, leaf, 100, ~0ull, 2, EXO_MAP_READ));
	refused("mapping beyond the table",
		call_page_map(0, leaf, 511, own_leaf(), 2, EXO_MAP_READ));
	refused("mapping at a huge index",
		call_page_map(0, leaf, 1ull << 32, leaf, 1, EXO_MAP_READ));
}

static void map_own(uint32_t leaf)
{
	uint32_t save = env_at(self_index())->save, page;

	refused("a writable page table", call_page_map(0, leaf, 100, leaf, 1, RW));
	refused("a writable save area", call_page_map(0, leaf, 100, save, 1, RW));
	if (frame_take(0, EXO_PAGE_DATA, &page) != 0) {
		unprepared("own page");
		return;
	}
	answered("writable and executable", call_page_map(0, leaf, 100, page, 1, RW | EXO_MAP_EXEC),
		 EXO_WX);
	refused("reserved bits in the permissions",
		call_page_map(0, leaf, 100, page, 1, RW | 0x80));
	if (call_page_map(0, leaf, 100, page, 1, EXO_MAP_READ | EXO_MAP_EXEC).status == EXO_OK) {
		answered("executable page made writable too",
			 call_page_protect(0, leaf, 100, 1, RW | EXO_MAP_EXEC), EXO_WX);
		answered("freeing a mapped page", call_page_free(0, page), EXO_BUSY);
		answered("a page over a page", call_page_map(0, leaf, 100, page, 1, EXO_MAP_READ),
			 EXO_OCCUPIED);
		(void)call_page_unmap(0, leaf, 100, 1);
	}
	(void)frames_free(0, page, 1);
}

static void tables_of_others(uint32_t leaf)
{
	uint32_t victim = find_victim(), root = env_at(self_index())->root, f;

	refused("mapping in another's table",
		call_page_map(0, env_at(victim)->root, 0, leaf, 1, EXO_MAP_READ));
	refused("linking into another's table", call_table_link(0, env_at(victim)->root, 9, leaf));
	refused("unlinking in another's table", call_table_unlink(0, env_at(victim)->root, 0));
	refused("linking another's table", call_table_link(0, root, 9, env_at(victim)->root));
	refused("a table as its own parent", call_table_link(0, root, 9, root));
	refused("a table of the wrong level", call_table_link(0, root, 9, leaf));
	if (frame_take(0, EXO_PAGE_TABLE | 3 << 8, &f) != 0) {
		unprepared("own table");
		return;
	}
	refused("the kernel's half of the address space", call_table_link(0, root, 256, f));
	refused("the kernel's own entry", call_table_link(0, root, 511, f));
	refused("replacing the kernel's entry", call_table_unlink(0, root, 511));
	refused("mapping in a table that is not linked",
		call_page_map_large(0, f, 0, 512, EXO_MAP_READ));
	(void)frames_free(0, f, 1);
}

static void taking(void)
{
	uint32_t other = find_frame(EXO_PAGE_DATA, 0), free = find_frame(EXO_PAGE_FREE, 0);

	refused("taking an owned frame", call_page_take(0, other, EXO_PAGE_DATA));
	refused("taking a kernel frame",
		call_page_take(0, find_frame(EXO_PAGE_KERNEL, 0), EXO_PAGE_DATA));
	refused("taking a device frame",
		call_page_take(0, find_frame(EXO_PAGE_DEVICE, 0), EXO_PAGE_DATA));
	refused("taking frame 0", call_page_take(0, 0, EXO_PAGE_DATA));
	refused("taking a frame as the kernel's", call_page_take(0, free, EXO_PAGE_KERNEL));
	refused("taking a frame as a device's", call_page_take(0, free, EXO_PAGE_DEVICE));
	refused("a table of level 5", call_page_take(0, free, EXO_PAGE_TABLE | 5 << 8));
	refused("a table of level 0", call_page_take(0, free, EXO_PAGE_TABLE));
	refused("freeing another's frame", call_page_free(0, other));
	refused("freeing one's own root", call_page_free(0, env_at(self_index())->root));
	refused("freeing one's own save area", call_page_free(0, env_at(self_index())->save));
	refused("sharing another's frames", call_page_share(other, 1, 0, 50, 3));
	refused("sharing a run that wraps", call_page_share(~0ull, 2, 0, 50, 3));
	refused("unsharing another's frames", call_page_unshare(other, 1));
}

/* What an earlier owner wrote is gone. */
static void old_contents(void)
{
	uint64_t va, seen = 0;

	if (vm_reserve(0, 64 * 4096, VM_READ | VM_WRITE, VM_ANON, &va) != 0) {
		unprepared("reading an old owner's page");
		return;
	}
	for (uint64_t i = 0; i < 64 * 512; i++)
		seen |= ((const volatile uint64_t *)va)[i];
	score("reading an old owner's page", seen == 0);
	(void)vm_release(va, 64 * 4096);
}

void attack_pages(void)
{
	uint64_t va;
	uint32_t leaf;

	if (vm_reserve(SCRATCH, 4096, VM_READ | VM_WRITE, VM_ANON, &va) != 0 ||
	    vm_populate(va, 4096, VM_READ | VM_WRITE) != 0 || (leaf = own_leaf()) == 0) {
		unprepared("pages");
		return;
	}
	taking();
	map_others(leaf);
	map_own(leaf);
	tables_of_others(leaf);
	old_contents();
	(void)vm_release(va, 4096);
}
