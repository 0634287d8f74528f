/*
 * stubborn - holds pages that it was asked to give back, and says what became of it.
 *
 * Ends when an environment called "revoker" has come and gone.  `ok` when it was asked, was told of
 * what was taken, and lives on.
 */
#include <stddef.h>
#include <libos/bare.h>
#include <libos/revoke.h>
#include <libos/start.h>
#include <libos/tables.h>
#include <libos/upcall.h>
#include <libos/vm.h>

int main(void);

enum { PAGES = 64, WORDS = 512, MS = 1000000 };

static RESIDENT volatile uint32_t asked, told;

static int on_event(struct exo_upcall_frame *frame)
{
	asked += (frame->addr & EXO_EV_REVOKE) != 0;
	told += (frame->addr & EXO_EV_TAKEN) != 0;
	return 1;
}

/* Runs, so that the kernel has upcalls to give, until the revoker is there (or gone). */
static void until_revoker(int there)
{
	while ((tables_find("revoker") != 0) != there)
		(void)time_sleep_until(time_now() + MS, 0);
}

static int is_there(const uint64_t *page)
{
	return vm_frame((uint64_t)(uintptr_t)page, NULL) != 0;
}

int main(void)
{
	uint64_t *const pages = bare_pages(PAGES);
	struct exo_taken last = {0, 0};
	uint64_t lost, taken;
	int good;

	upcall_on_event(on_event, EXO_EV_REVOKE | EXO_EV_TAKEN);
	for (uint64_t i = 0; i < PAGES; i++)
		pages[i * WORDS] = i + 1;
	lost = !is_there(pages); /* looking takes pages too, which will not be had later */
	until_revoker(1);
	until_revoker(0);
	taken = tables_revoke(EXO_EID_INDEX((struct eid){start_self()}))->taken;
	for (uint64_t i = 0; i < PAGES; i++)
		lost += !is_there(&pages[i * WORDS]);
	good = asked && told && lost && taken > lost && revoke_taken(taken - 1, &last) &&
	       last.kind == EXO_QUOTA_PAGES && !revoke_taken(0, &last) &&
	       !revoke_taken(taken, &last);
	bare_print("%s stubborn: asked %s, told %s, %u pages lost\n", good ? "ok" : "FAIL",
		   asked ? "yes" : "no", told ? "yes" : "no", lost);
	return !good;
}
