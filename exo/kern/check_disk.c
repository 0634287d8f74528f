/*
 * check_disk.c - owns nothing: checks the extents, the capabilities to them and the requests.
 *
 * Apart from check.c so that tests of the core can do without a disk.  Called by host tests of the
 * disk after each call, and by debug boots; must not change anything.
 */
#include "cap.h"
#include "check.h"
#include "env.h"
#include "extent.h"
#include "info.h"
#include "io.h"
#include "quota.h"

/* ---- extents ----------------------------------------------------------------------------- */

static const char *check_extent(uint32_t x)
{
	const struct exo_extent *const r = &extents[x];

	if (r->state > EXO_EXTENT_SYSTEM)
		return "extent is in one of its states";
	if (r->state == EXO_EXTENT_FREE && (r->start | r->len | r->init | r->owner | r->next) != 0)
		return "free extent says nothing";
	if (r->state != EXO_EXTENT_FREE && r->start + r->len < r->start)
		return "extent ends after it begins";
	if (r->init > r->len)
		return "watermark is inside its extent";
	return 0;
}

/* The list of the table's drive: by start, apart, and all that the table has. */
static const char *check_list(void)
{
	uint32_t left = 0, x = 0;

	for (uint32_t i = 0; i < EXO_NEXTENT; i++)
		left += extents[i].state != EXO_EXTENT_FREE && extents[i].drive == extents[0].drive;
	if (extents[0].state == EXO_EXTENT_FREE)
		return 0; /* there is no table */
	for (; left > 1; left--) {
		const uint32_t next = extents[x].next;

		if (next == 0 || next >= EXO_NEXTENT)
			return "list of extents has all of its drive";
		if (extents[next].state == EXO_EXTENT_FREE ||
		    extents[next].drive != extents[0].drive)
			return "list of extents has its drive's only";
		if (extents[x].start + extents[x].len > extents[next].start)
			return "extents of a drive are apart";
		x = next;
	}
	return extents[x].next != 0 ? "list of extents ends with its last" : 0;
}

/* ---- capabilities ------------------------------------------------------------------------ */

static const char *check_extent_cap(const struct exo_cap *c)
{
	const struct exo_extent *const r = &extents[c->object];

	if (c->kind != EXO_CAP_EXTENT || c->gen != r->gen)
		return 0;
	if (r->state != EXO_EXTENT_LIVE)
		return "capability that counts is to a living extent";
	if (c->start < r->start || c->start + c->len > r->start + r->len)
		return "capability is inside its extent";
	return 0;
}

static const char *check_extent_caps(void)
{
	for (uint32_t e = 1; e < info.envs; e++) {
		for (uint32_t i = 1; envs[e].state != EXO_ENV_FREE && i < EXO_NCAP; i++) {
			const char *const broken = check_extent_cap(&caps[e].c[i]);

			if (broken)
				return broken;
		}
	}
	return 0;
}

/* ---- charges ----------------------------------------------------------------------------- */

static const char *check_charges(void)
{
	static uint32_t paid[EXO_NENV];

	for (uint32_t e = 0; e < info.envs; e++)
		paid[e] = 0;
	for (uint32_t x = 0; x < EXO_NEXTENT; x++) {
		if (extents[x].payer >= info.envs)
			return "payer of an extent is an environment";
		paid[extents[x].payer]++;
	}
	for (uint32_t e = 1; e < info.envs; e++)
		if (paid[e] != quota_used[e].n[EXO_QUOTA_EXTENTS])
			return "who pays for extents is charged for them";
	return 0;
}

/* ---- requests ---------------------------------------------------------------------------- */

/* What is on a drive moves blocks of an extent that is still there, and keeps its frames. */
static const char *check_active(uint32_t i)
{
	const struct exo_io *const r = &ios[i];
	const struct exo_extent *const x = &extents[r->extent];

	if (i == IO_KERNEL || r->state != EXO_IOS_ACTIVE || r->op == EXO_IO_FLUSH)
		return 0;
	if (x->state != EXO_EXTENT_LIVE && x->state != EXO_EXTENT_DYING &&
	    x->state != EXO_EXTENT_TAKING)
		return "request on a drive is for a living extent";
	if (r->block < x->start || r->block + r->count > x->start + x->len)
		return "request on a drive is inside its extent";
	return 0;
}

/* The queue of e holds requests of e that wait; how many is added to *queued. */
static const char *check_io_queue(uint32_t e, uint32_t *queued)
{
	uint32_t last = 0;

	for (uint32_t i = envs[e].io_head; i != 0; i = ios[i - 1].next) {
		if (i > EXO_NIO || ++*queued > EXO_NIO)
			return "queue of requests comes to an end";
		if (ios[i - 1].state != EXO_IOS_QUEUED || ios[i - 1].env != e)
			return "queue has requests of its environment that wait";
		last = i;
	}
	return envs[e].io_tail != last ? "queue knows its last request" : 0;
}

static const char *check_requests(void)
{
	uint32_t active[NCHANNEL] = {0}, queued = 0, waiting = 0;

	for (uint32_t e = 0; e < info.envs; e++) {
		const char *const broken = check_io_queue(e, &queued);

		if (broken)
			return broken;
	}
	for (uint32_t i = 0; i < EXO_NIO; i++) {
		const char *const broken = check_active(i);

		if (broken)
			return broken;
		waiting += ios[i].state == EXO_IOS_QUEUED;
		active[drives[ios[i].drive].channel % NCHANNEL] +=
			ios[i].state == EXO_IOS_ACTIVE && ios[i].op != EXO_IO_FLUSH;
	}
	for (uint32_t c = 0; c < NCHANNEL; c++)
		if (active[c] > 1)
			return "channel works on one request at a time";
	return queued != waiting ? "request that waits is in its queue" : 0;
}

const char *check_disk(void)
{
	const char *broken = 0;

	for (uint32_t x = 0; x < EXO_NEXTENT && !broken; x++)
		broken = check_extent(x);
	if (!broken)
		broken = check_list();
	if (!broken)
		broken = check_extent_caps();
	if (!broken)
		broken = check_charges();
	return broken ? broken : check_requests();
}
