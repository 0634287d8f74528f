/*
 * paging.c - forged page tables: tables of others, loops, the kernel's half, tables that a program
 * could write, pages that are writable and executable.
 */
#include <libos/frames.h>
#include <libos/vm.h>
#include "attack.h"

enum { AT = 100 };

static void write_and_execute(uint32_t leaf, uint32_t page)
{
	tally_answered(call_page_map(0, leaf, AT, page, 1, RW | EXO_MAP_EXEC), EXO_WX);
	tally_refused(call_page_map(0, leaf, AT, page, 1, EXO_MAP_WRITE | EXO_MAP_EXEC));
	tally_refused(call_page_map(0, leaf, AT, page, 1, EXO_MAP_WRITE));
	tally_refused(call_page_map(0, leaf, AT, page, 1, 0));
	for (uint64_t bit = 8; bit < 256; bit *= 2)
		tally_refused(call_page_map(0, leaf, AT, page, 1, RW | bit));
	if (call_page_map(0, leaf, AT, page, 1, RX).status == EXO_OK) {
		tally_answered(call_page_protect(0, leaf, AT, 1, RW | EXO_MAP_EXEC), EXO_WX);
		tally_answered(call_page_free(0, page), EXO_BUSY);
		tally_answered(call_page_map(0, leaf, AT, page, 1, EXO_MAP_READ), EXO_OCCUPIED);
		(void)call_page_unmap(0, leaf, AT, 1);
	}
	sum_up("a page writable and executable, or with bits of its own");
}

/* Tables, the save area: seen, never written, under whatever name. */
static void writable_tables(uint32_t leaf)
{
	const uint64_t at = SCRATCH + AT * VM_PAGE;
	const uint32_t own[] = {leaf, tables_env(self_index())->root,
				tables_env(self_index())->save};

	for (uint32_t i = 0; i < 3; i++) {
		tally_refused(call_page_map(0, leaf, AT, own[i], 1, RW));
		tally_refused(call_page_map(0, leaf, AT, own[i], 1, RX));
		tally_refused(call_page_share(own[i], 1, 0, 50, 3));
		if (call_page_map(0, leaf, AT, own[i], 1, EXO_MAP_READ).status != EXO_OK)
			continue;
		tally_refused(call_page_protect(0, leaf, AT, 1, RW));
		tally_refused(call_page_protect(0, leaf, AT, 1, RX));
		tally(can_read(at) && !can_write(at));
		(void)call_page_unmap(0, leaf, AT, 1);
	}
	sum_up("writing the own page tables and save area");
}

/* A table's entries can be looked at: the CPU's own bits are there, the kernel's half is not ours.
 */
static void entries(uint32_t leaf)
{
	const volatile uint64_t *const table = (const volatile uint64_t *)(SCRATCH + AT * VM_PAGE);
	const uint32_t root = tables_env(self_index())->root;
	uint64_t bad = 0;

	if (call_page_map(0, leaf, AT, leaf, 1, EXO_MAP_READ).status != EXO_OK) {
		unprepared("looking at a table");
		return;
	}
	for (uint32_t i = 0; i < 512; i++)
		bad += (table[i] & 3) == 3 && table[i] >> 63 == 0;
	score("entries writable and executable in the own table", bad == 0);
	(void)call_page_unmap(0, leaf, AT, 1);
	for (uint64_t i = EXO_USER_L4; i < 512; i++) {
		tally_refused(call_table_link(0, root, i, leaf));
		tally_refused(call_table_unlink(0, root, i));
	}
	tally_refused(call_table_link(0, root, 512, leaf));
	tally_refused(call_table_link(0, root, 1ull << 32, leaf));
	sum_up("the kernel's half of the address space");
}

static void links(uint32_t leaf)
{
	const uint32_t root = tables_env(self_index())->root;
	uint32_t f[5] = {0};

	for (uint64_t level = 1; level <= 4; level++)
		if (frame_take(0, EXO_PAGE_TABLE | level << 8, &f[level]) != 0) {
			unprepared("own tables");
			return;
		}
	for (uint32_t level = 1; level <= 4; level++) {
		tally_refused(call_table_link(0, f[level], 0, f[level]));
		tally_refused(call_table_link(0, f[level], 0, root));
		tally_refused(call_table_link(0, leaf, 0, f[level]));
		tally_refused(call_page_map(0, f[level], 0, f[1], 1, EXO_MAP_READ));
		tally_refused(call_page_map_large(0, f[level], 0, 512, EXO_MAP_READ));
		if (level != 3)
			tally_refused(call_table_link(0, root, 9, f[level]));
	}
	tally_answered(call_table_link(0, root, 9, f[3]), EXO_OK);
	tally_refused(call_table_link(0, root, 10, f[3]));
	tally_refused(call_table_link(0, f[3], 0, f[3]));
	tally_refused(call_table_link(0, f[3], 0, f[4]));
	tally_refused(call_page_free(0, f[3]));
	tally_answered(call_table_unlink(0, root, 9), EXO_OK);
	sum_up("tables below themselves, twice, or of the wrong level");
	for (uint32_t level = 1; level <= 4; level++)
		(void)frames_free(0, f[level], 1);
}

static void tables_of_others(uint32_t leaf)
{
	const uint32_t root = tables_env(self_index())->root;

	for (uint32_t f = 1; f < tables_info()->frames; f++) {
		if (tables_page(f)->state != EXO_PAGE_TABLE ||
		    tables_page(f)->owner == self_index())
			continue;
		tally_refused(call_page_map(0, f, 0, leaf, 1, EXO_MAP_READ));
		tally_refused(call_page_unmap(0, f, 0, 512));
		tally_refused(call_page_protect(0, f, 0, 1, RW));
		tally_refused(call_table_link(0, f, 9, leaf));
		tally_refused(call_table_unlink(0, f, 0));
		tally_refused(call_table_link(0, root, 9, f));
	}
	sum_up("page tables of others");
	tally_refused(call_page_map(0, leaf, 511, leaf, 2, EXO_MAP_READ));
	tally_refused(call_page_map(0, leaf, AT, leaf, 0, EXO_MAP_READ));
	tally_refused(call_page_map(0, leaf, 1ull << 32, leaf, 1, EXO_MAP_READ));
	tally_refused(call_page_map(0, leaf, AT, leaf, 1ull << 32, EXO_MAP_READ));
	tally_refused(call_page_unmap(0, leaf, 1, ~0ull));
	tally_refused(call_page_protect(0, leaf, 511, 1ull << 32 | 1, EXO_MAP_READ));
	sum_up("entries beyond the table");
}

/* A run of 2 MiB that is not all one's own must not come by one large entry. */
static void large(void)
{
	const uint32_t root = tables_env(self_index())->root;
	uint32_t l3, l2;

	if (frame_take(0, EXO_PAGE_TABLE | 3 << 8, &l3) != 0 ||
	    frame_take(0, EXO_PAGE_TABLE | 2 << 8, &l2) != 0 ||
	    call_table_link(0, root, 11, l3).status != EXO_OK ||
	    call_table_link(0, l3, 0, l2).status != EXO_OK) {
		unprepared("a table for large pages");
		return;
	}
	for (uint64_t run = 0; run < tables_info()->frames; run += 512) {
		tally_refused(call_page_map_large(0, l2, 0, run, RW));
		tally_refused(call_page_map_large(0, l2, 0, run, RX));
	}
	tally_answered(call_page_map_large(0, l2, 0, 512, RW | EXO_MAP_EXEC), EXO_WX);
	tally_refused(call_page_map_large(0, l2, 0, 513, EXO_MAP_READ));
	tally_refused(call_page_map_large(0, l2, 512, 512, EXO_MAP_READ));
	tally_refused(call_page_map_large(0, l2, 0, ~511ull, EXO_MAP_READ));
	sum_up("large pages over what is another's");
	(void)call_table_unlink(0, l3, 0);
	(void)call_table_unlink(0, root, 11);
	(void)frames_free(0, l2, 1);
	(void)frames_free(0, l3, 1);
}

void attack_paging(void)
{
	const uint32_t leaf = scratch_table();
	uint32_t page;

	if (leaf == 0 || frame_take(0, EXO_PAGE_DATA, &page) != 0) {
		unprepared("page tables");
		return;
	}
	write_and_execute(leaf, page);
	writable_tables(leaf);
	entries(leaf);
	links(leaf);
	tables_of_others(leaf);
	large();
	(void)frames_free(0, page, 1);
}
